"""All settings, read from the environment in one place."""

import os
import sys
from dataclasses import dataclass

from dotenv import load_dotenv


@dataclass(frozen=True)
class Settings:
    """What the app can be told from outside: each field by the variable of the same name in capitals."""

    database_url: str
    port: int
    greeting: str


def load_settings() -> Settings:
    """Read the environment and, for what is not in there, the file .env.

    Ends the process with status 2 and one line where a setting is missing or wrong.
    """
    load_dotenv(".env")  # not just load_dotenv(), which would also search the folders above
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
