"""The API token that requests which change anything must carry, where one is set."""

import hmac

from flask import Flask, Response, request

from service.errors import problem


def init_app(app: Flask, token: str | None) -> None:
    """Refuse changes without the token; where there is no token, allow them."""
    if token is None:
        return

    @app.before_request
    def check() -> Response | None:
        sent = request.authorization
        given = (sent.token or "") if sent and sent.type == "bearer" else ""
        right = hmac.compare_digest(given.encode(), token.encode())  # in constant time: a refusal tells nothing
        if right or request.method in {"GET", "HEAD", "OPTIONS"}:
            return None
        return problem(401, "This needs the header Authorization: Bearer <API_TOKEN>.", {"WWW-Authenticate": "Bearer"})
