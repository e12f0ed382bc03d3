"""Each setting: taken from its variable or its file, and refused where it is wrong."""

import re

import pytest

from service.settings import Settings, SettingsError, load_settings, read_settings
from tests.support import ROOT

URL = "mongodb://localhost:27017/flask-mongo-app"


def test_only_the_database_must_be_named():
    assert read_settings({"DATABASE_URL": URL}).model_dump() == {
        "database_url": URL,
        "port": 3000,
        "greeting": "Ram Ram bhai Sareya Ne",
        "log_level": "INFO",
        "api_token": None,
        "max_content_length": 65536,
        "web_concurrency": 2,
        "web_threads": 16,
        "request_timeout": 20,
        "keepalive_timeout": 80,
        "graceful_timeout": 20,
    }


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("DATABASE_URL", "mongodb://app:p%40ss@a:1,b:2/name?replicaSet=rs", None),
        ("DATABASE_URL", "mongodb+srv://app:secret@cluster.example/name", None),
        ("PORT", "65535", 65535),
        ("GREETING", "Σας χαιρετώ 👋", None),
        ("LOG_LEVEL", "DEBUG", None),
        ("API_TOKEN", "x", None),
        ("MAX_CONTENT_LENGTH", "1", 1),
        ("WEB_CONCURRENCY", "1", 1),
        ("WEB_THREADS", "1", 1),
        ("REQUEST_TIMEOUT", "1", 1),
        ("KEEPALIVE_TIMEOUT", "3600", 3600),
        ("GRACEFUL_TIMEOUT", "1", 1),
    ],
)
def test_is_taken_from_its_variable_and_from_its_file(name, value, taken, tmp_path):
    taken = value if taken is None else taken
    assert getattr(read_settings({"DATABASE_URL": URL} | {name: value}), name.lower()) == taken

    file = tmp_path / "secret"
    file.write_text(f"{value}\n", encoding="utf-8")
    rest = {} if name == "DATABASE_URL" else {"DATABASE_URL": URL}
    assert getattr(read_settings(rest | {f"{name}_FILE": str(file)}), name.lower()) == taken


WRONG = [
    *(("DATABASE_URL", value) for value in ("", "localhost", "http://localhost/a", "mongodb://", "mongodb:///a")),
    ("DATABASE_URL", "mongodb://localhost:27017"),  # names no database
    ("DATABASE_URL", "mongodb://localhost:99999/a"),
    ("DATABASE_URL", "mongodb://localhost/a?serverSelectionTimeoutMS=x"),
    *(("PORT", value) for value in ("", "abc", "0", "65536", "-1", "30.5")),
    ("GREETING", ""),
    *(("LOG_LEVEL", value) for value in ("", "LOUD", "info ")),
    *(("API_TOKEN", value) for value in ("", "two words", "tøken", "line\nbreak")),
    *(("MAX_CONTENT_LENGTH", value) for value in ("", "64K", "0")),
    *(("WEB_CONCURRENCY", value) for value in ("", "auto", "0", "257")),
    *(("WEB_THREADS", value) for value in ("", "many", "0", "1025")),
    *(("REQUEST_TIMEOUT", value) for value in ("", "20s", "0", "3601")),
    *(("KEEPALIVE_TIMEOUT", value) for value in ("", "never", "0", "3601")),
    *(("GRACEFUL_TIMEOUT", value) for value in ("", "20s", "0", "3601")),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_refuses_with_the_name_and_the_mend_in_one_line(name, value):
    with pytest.raises(SettingsError) as refused:
        read_settings({"DATABASE_URL": URL} | {name: value})
    assert re.fullmatch(rf"{name} (is empty|must be .+): set it, for example {name}=.+", str(refused.value))


def test_refuses_a_missing_database_url():
    with pytest.raises(SettingsError, match=r"^DATABASE_URL is not set: set it, for example DATABASE_URL=mongodb://"):
        read_settings({})


@pytest.mark.parametrize("url", ["mongodb://app:hunter2@", "mongodb://app:hun:ter2@x/a", "mongodb://app:hunter2@x:y/a"])
def test_prints_no_password(url):
    with pytest.raises(SettingsError) as refused:
        read_settings({"DATABASE_URL": url})
    assert "ter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "hunter2" not in repr(read_settings({"DATABASE_URL": URL, "API_TOKEN": "hunter2"}))


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe"])
def test_refuses_a_file_that_is_not_there_or_holds_nothing(content, tmp_path):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^API_TOKEN(_FILE names .* cannot be read .*| is empty): "):
        read_settings({"DATABASE_URL": URL, "API_TOKEN_FILE": str(file)})


def test_refuses_a_setting_given_twice(tmp_path):
    with pytest.raises(SettingsError, match=r"^PORT and PORT_FILE are both set: unset one of them$"):
        read_settings({"DATABASE_URL": URL, "PORT": "1", "PORT_FILE": str(tmp_path)})


def test_ends_the_process_with_status_2_and_one_line(monkeypatch, capsys):
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("PORT", "abc")
    with pytest.raises(SystemExit) as ended:
        load_settings()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "PORT must be a port from 1 to 65535, not 'abc': set it, for example PORT=3000\n"


def test_the_example_file_and_the_readme_name_every_setting():
    names = {field.upper() for field in Settings.model_fields}
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    others = {
        "MONGO_PORT",
        "MONGO_IMAGE",
        "MONGO_GLIBC_TUNABLES",
        "PYTHON_IMAGE",
        "PIP_INDEX_URL",
        "WATCHFILES_FORCE_POLLING",
        "BIND_ADDRESS",
    }
    assert example - others == names
    assert table == names
