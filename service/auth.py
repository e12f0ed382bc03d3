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
        # Not request.authorization, which takes a token with an = inside for a list of parameters.
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # In constant time: a refusal tells nothing.
        right = hmac.compare_digest(given.strip(" ").encode(), token.encode()) and scheme.lower() == "bearer"
        if right or request.method in {"GET", "HEAD", "OPTIONS"}:
            return None
        return problem(401, "This needs the header Authorization: Bearer <API_TOKEN>.", {"WWW-Authenticate": "Bearer"})
