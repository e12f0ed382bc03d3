"""A small user service."""

from flask import Flask

from service import database, errors, headers, health, pages, users


def create_app(database_url: str, greeting: str = "Ram Ram bhai Sareya Ne") -> Flask:
    """Create the application."""
    app = Flask(__name__)
    app.config["GREETING"] = greeting
    app.json.sort_keys = False  # keep members in the order of our code
    errors.init_app(app)
    headers.init_app(app)
    database.init_app(app, database_url)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(users.blueprint)
    return app
