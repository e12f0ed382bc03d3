"""Security headers for every response: no third-party content, no MIME sniffing, no referrer."""

from flask import Flask, Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",  # users are private
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def init_app(app: Flask) -> None:
    """Add the headers to all responses, including errors."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    # What a response has already stays: a policy of its own, or the no-cache of static files.
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
