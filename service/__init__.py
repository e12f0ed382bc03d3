"""A small user service: the sample application of a Docker course, and a start for services of your own."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service import auth, database, errors, headers, health, logs, pages, users
from service.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application, with the environment's settings where none are given. Each process makes its own."""
    settings = settings or load_settings()
    app = Flask(__name__)
    app.config["GREETING"] = settings.greeting
    # Members in the order in which the documentation gives them.
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.config["MAX_CONTENT_LENGTH"] = settings.max_content_length  # bytes; a larger body is a 413
    app.config["REQUEST_TIMEOUT"] = settings.request_timeout

    # What so many proxies in front say of the client, and of the path that they serve us under, is believed.
    number = settings.trusted_proxies
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number, x_prefix=number)  # type: ignore[method-assign]

    logs.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    auth.init_app(app, settings.api_token)
    database.init_app(app, settings.database_url)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(users.blueprint)
    return app
