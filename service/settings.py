"""All settings, read from the environment in one place."""

import os
import re
import sys
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import load_dotenv
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"  # never one from a parent folder; an image has none
# The driver needs these libraries for some ways to log in. The image does not have them.
LIBRARIES = {"MONGODB-AWS": "pymongo_auth_aws", "GSSAPI": "kerberos"}
GREETING = "Ram Ram bhai Sareya Ne"


class SettingsError(ValueError):
    """A setting is missing or wrong. The message names the variable and the fix, and never contains a secret."""


def _mongodb_url(url: str) -> str:
    mechanism = re.search(r"[?&]authMechanism=([^&]*)", url, re.IGNORECASE)
    library = mechanism and LIBRARIES.get(mechanism[1].upper())
    if library and find_spec(library) is None:
        raise ValueError(f"has an authMechanism that needs {library}, which is not installed: log in another way")
    # The driver checks the URL without connecting. Its own messages may quote part of the password. For an option that
    # it cannot use, it only issues a warning.
    try:
        with warnings.catch_warnings(action="error"), MongoClient[dict[str, Any]](url, connect=False) as client:
            client.get_default_database()
    except OSError as error:  # for example tlsCAFile
        file = repr(error.filename) if error.filename else "a file of certificates"
        raise ValueError(f"names {file}, which cannot be read ({error.strerror}): mount it, or name another") from None
    except Warning:
        raise ValueError("has an option that the driver does not know or has no library for: remove it") from None
    except (PyMongoError, ValueError):
        raise ValueError from None
    return url


def _number(value: str) -> str:
    # int() also accepts spaces, signs, underscores and other alphabets' digits. Compose and the health check do not.
    if not re.fullmatch("[0-9]+", value):
        raise ValueError
    return value


Number = Annotated[int, BeforeValidator(_number)]


def _setting(must_be: str, example: str, default: Any = ..., **constraints: Any) -> Any:
    return Field(default, description=must_be, examples=[example], **constraints)


class Settings(BaseModel):
    """The settings. Each field is read from the environment variable of the same name in upper case."""

    model_config = ConfigDict(frozen=True)

    database_url: Annotated[str, AfterValidator(_mongodb_url)] = _setting(
        "a MongoDB URL with the name of a database, valid options, and any :/?#[]@% in its password percent-encoded",
        "mongodb://localhost:27017/flask-mongo-app",
        repr=False,
    )
    port: Number = _setting("a port from 1 to 65535", "3000", 3000, ge=1, le=65535)
    greeting: str = _setting("one line of text", "'Good morning'", GREETING, pattern=r"^[^\x00-\x1f\x7f\u{fffd}]+$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("DEBUG, INFO, WARNING or ERROR", "INFO", "INFO")
    api_token: str | None = _setting(
        "of printable ASCII characters, no spaces", "$(openssl rand -hex 32)", None, pattern="^[!-~]+$", repr=False
    )
    max_content_length: Number = _setting("a number of bytes above 0", "65536", 64 * 1024, ge=1)
    web_concurrency: Number = _setting("a number of processes from 1 to 256", "2", 2, ge=1, le=256)
    web_threads: Number = _setting("a number of threads from 1 to 1024", "16", 16, ge=1, le=1024)
    trusted_proxies: Number = _setting("a number of proxies from 0 to 10", "1", 0, ge=0, le=10)
    request_timeout: Number = _setting("a number of seconds from 1 to 3600", "20", 20, ge=1, le=3600)
    keepalive_timeout: Number = _setting("a number of seconds from 1 to 3600", "80", 80, ge=1, le=3600)
    graceful_timeout: Number = _setting("a number of seconds from 1 to 3600", "20", 20, ge=1, le=3600)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read each setting from its variable NAME, or a secret from the file that NAME_FILE names.

    Raises:
        SettingsError: a setting is missing, empty, malformed, or set twice.
    """
    given = {field: _value(field, environment) for field in Settings.model_fields}
    values = {field: value for field, value in given.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field, reason = str(first["loc"][0]), str(first.get("ctx", {}).get("error", ""))
        raise SettingsError(_complaint(field, values.get(field), reason)) from None


def _value(field: str, environment: Mapping[str, str]) -> str | None:
    name = field.upper()
    value, file = environment.get(name), environment.get(f"{name}_FILE")
    if Settings.model_fields[field].repr:
        if file is not None:
            raise SettingsError(f"{name}_FILE is not read, only a secret may come from a file: set {name}")
        return value
    if file is None:
        return value and value.strip()  # Kubernetes secrets often end in a newline, in variables and in files
    if value is not None:
        raise SettingsError(f"{name} and {name}_FILE are both set: unset one of them")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(
            f"{name}_FILE names {file!r}, which cannot be read ({reason}): make that file, or set {name} instead"
        ) from None


def _complaint(field: str, value: str | None, reason: str) -> str:
    name, info = field.upper(), Settings.model_fields[field]
    if reason:
        return f"{name} {reason}"
    if not value:
        wrong = "is not set" if value is None else "is empty"
    else:
        wrong = f"must be {info.description}" + (f", not {value!r}" if info.repr else "")  # no secrets
    return f"{name} {wrong}: set it, for example {name}={info.examples[0]}"  # type: ignore[index]  # each has one


def load_settings() -> Settings:
    """Read the settings from this process's environment, and from .env for those that it does not set.

    If a setting is wrong, prints one line and ends the process with status 2.
    """
    try:
        load_dotenv(ENV_FILE, interpolate=False, encoding="utf-8-sig")  # as scripts/lib/env_file.py reads it
        return read_settings(os.environ)
    except (OSError, UnicodeError):
        print(f"{ENV_FILE} cannot be read: make it a file of UTF-8 text that you can read", file=sys.stderr)
    except SettingsError as error:
        print(error, file=sys.stderr)
    raise SystemExit(2)
