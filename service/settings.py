"""All settings, read from the environment in one place."""

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import load_dotenv
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pymongo import MongoClient
from pymongo.errors import PyMongoError


class SettingsError(ValueError):
    """A setting is missing or wrong. The message names the variable and the mend, and holds no secret."""


def _mongodb_url(url: str) -> str:
    # The driver knows best which URLs it takes, and connects to nothing here; of an option that it does not know it
    # only warns. Its own message goes no further: it may quote a part of the password.
    try:
        with warnings.catch_warnings(action="error"), MongoClient(url, connect=False) as client:
            client.get_default_database()
    except (PyMongoError, ValueError, Warning):
        raise ValueError("no MongoDB URL with a database") from None
    return url


def _setting(must_be: str, example: str, default: Any = ..., **constraints: Any) -> Any:
    return Field(default, description=must_be, examples=[example], **constraints)


class Settings(BaseModel):
    """What the service can be told from outside: each field by the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True)

    database_url: Annotated[str, AfterValidator(_mongodb_url)] = _setting(
        "a MongoDB URL that ends in the name of the database, with any :/?#[]@% in its password percent-encoded",
        "mongodb://localhost:27017/flask-mongo-app",
        repr=False,
    )
    port: int = _setting("a port from 1 to 65535", "3000", 3000, ge=1, le=65535)
    greeting: str = _setting("a text", "'Ram Ram bhai Sareya Ne'", "Ram Ram bhai Sareya Ne", min_length=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("DEBUG, INFO, WARNING or ERROR", "INFO", "INFO")
    api_token: str | None = _setting(
        "of printable ASCII characters, no spaces", "$(openssl rand -hex 32)", None, pattern="^[!-~]+$", repr=False
    )
    max_content_length: int = _setting("a number of bytes above 0", "65536", 64 * 1024, ge=1)
    web_concurrency: int = _setting("a number of processes from 1 to 256", "2", 2, ge=1, le=256)
    web_threads: int = _setting("a number of threads from 1 to 1024", "16", 16, ge=1, le=1024)
    request_timeout: int = _setting("a number of seconds from 1 to 3600", "20", 20, ge=1, le=3600)
    keepalive_timeout: int = _setting("a number of seconds from 1 to 3600", "80", 80, ge=1, le=3600)
    graceful_timeout: int = _setting("a number of seconds from 1 to 3600", "20", 20, ge=1, le=3600)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read each setting from its variable NAME, or from the file that NAME_FILE names.

    Raises:
        SettingsError: a setting is missing, empty, malformed, or given twice.
    """
    given = {field: _value(field.upper(), environment) for field in Settings.model_fields}
    values = {field: value for field, value in given.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise SettingsError(_complaint(field, values.get(field))) from None


def _value(name: str, environment: Mapping[str, str]) -> str | None:
    file = environment.get(f"{name}_FILE")
    if file is None:
        return environment.get(name)
    if name in environment:
        raise SettingsError(f"{name} and {name}_FILE are both set: unset one of them")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(
            f"{name}_FILE names {file!r}, which cannot be read ({reason}): make that file, or set {name} instead"
        ) from None


def _complaint(field: str, value: str | None) -> str:
    name, info = field.upper(), Settings.model_fields[field]
    if not value:
        wrong = "is not set" if value is None else "is empty"
    elif not info.repr:  # a secret
        wrong = f"must be {info.description}"
    else:
        wrong = f"must be {info.description}, not {value!r}"
    return f"{name} {wrong}: set it, for example {name}={info.examples[0]}"


def load_settings() -> Settings:
    """Read the settings of this process: its environment and, for what is not in there, the file .env.

    Ends the process with status 2 and one line where a setting is wrong.
    """
    load_dotenv()
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
