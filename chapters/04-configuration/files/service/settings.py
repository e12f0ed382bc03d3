"""All settings, read from the environment in one place."""

import os
import sys
from dataclasses import dataclass

from dotenv import load_dotenv


@dataclass(frozen=True)
class Settings:
    """The settings. Each field is read from the environment variable of the same name in upper case."""

    database_url: str
    port: int
    greeting: str


def load_settings() -> Settings:
    """Read the environment, and the file .env for what it does not set.

    If a setting is missing or wrong, prints one line and ends the process with status 2.
    """
    load_dotenv(".env")  # not just load_dotenv(), which would also search parent folders
    url = os.environ.get("DATABASE_URL")
    if not url:
        _end("DATABASE_URL is not set: set it, for example DATABASE_URL=mongodb://localhost:27017/flask-mongo-app")
    port = os.environ.get("PORT", "3000")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        _end(f"PORT must be a port from 1 to 65535, not {port!r}: set it, for example PORT=3000")
    return Settings(url, int(port), os.environ.get("GREETING", "Ram Ram bhai Sareya Ne"))


def _end(message: str) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(2)
