"""A small user service: a sample application, and a starting point for your own."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import import_string

from service import auth, database, errors, headers, logs
from service.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application. Without settings, read them from the environment. Each process creates its own."""
    settings = settings or load_settings()
    app = Flask(__name__)
    app.config["GREETING"] = settings.greeting
    # Keep the members of JSON documents in the documentation's order.
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.config["MAX_CONTENT_LENGTH"] = settings.max_content_length  # bytes; a larger body is a 413
    app.config["REQUEST_TIMEOUT"] = settings.request_timeout

    # Trust what this many proxies in front report about the client and about the path they serve us under.
    number = settings.trusted_proxies
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number, x_prefix=number)  # type: ignore[method-assign]

    logs.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    auth.init_app(app, settings.api_token)
    database.init_app(app, settings.database_url)
    # A module of your own joins here.
    for module in ("web", "users", "openapi", "about", "health"):
        app.register_blueprint(import_string(f"service.{module}:blueprint"))
    return app
