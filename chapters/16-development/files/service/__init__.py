"""A small user service."""

from flask import Flask

from service import about, database, errors, headers, health, openapi, users, web


def create_app(database_url: str, greeting: str = "Ram Ram bhai Sareya Ne") -> Flask:
    """Create the application."""
    app = Flask(__name__)
    app.config["GREETING"] = greeting
    app.json.sort_keys = False  # keep members in the order of our code
    errors.init_app(app)
    headers.init_app(app)
    database.init_app(app, database_url)
    for module in (web, users, openapi, about, health):
        app.register_blueprint(module.blueprint)
    return app
