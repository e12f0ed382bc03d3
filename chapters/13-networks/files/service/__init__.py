"""A small user service."""

from flask import Flask, Response

from service import database, users


def create_app(database_url: str, greeting: str = "Ram Ram bhai Sareya Ne") -> Flask:
    """Create the application."""
    app = Flask(__name__)
    app.json.sort_keys = False  # keep members in the order of our code
    database.init_app(app, database_url)
    app.register_blueprint(users.blueprint)

    @app.get("/")
    def index() -> Response:
        return Response(f"{greeting}\n", content_type="text/plain; charset=utf-8")

    return app
