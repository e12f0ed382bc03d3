"""The API token: if one is set, requests that change anything must carry it."""

import hmac

from flask import Flask, Response, request

from service.errors import problem


def init_app(app: Flask, token: str | None) -> None:
    """Refuse changes without the token. If no token is set, allow them."""
    if token is None:
        return

    @app.before_request
    def check() -> Response | None:
        # Not request.authorization: it parses a token that contains = as a list of parameters.
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # Constant time, so the response time reveals nothing about the token.
        right = hmac.compare_digest(given.strip(" ").encode(), token.encode()) and scheme.lower() == "bearer"
        if right or request.method in {"GET", "HEAD", "OPTIONS"}:
            return None
        return problem(401, "This needs the header Authorization: Bearer <API_TOKEN>.", {"WWW-Authenticate": "Bearer"})
