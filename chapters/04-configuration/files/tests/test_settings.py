import pytest

from service.settings import Settings, load_settings

URL = "mongodb://localhost:27017/flask-mongo-app"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No setting from outside, and no .env."""
    for name in ("DATABASE_URL", "PORT", "GREETING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")
    return monkeypatch


def test_the_defaults(environment):
    environment.setenv("DATABASE_URL", URL)
    assert load_settings() == Settings(URL, 3000, "Ram Ram bhai Sareya Ne")


def test_what_the_environment_says(environment):
    for name, value in {"DATABASE_URL": URL, "PORT": "3001", "GREETING": "Hello"}.items():
        environment.setenv(name, value)
    assert load_settings() == Settings(URL, 3001, "Hello")


def test_a_database_that_nobody_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        load_settings()
    assert capsys.readouterr().err.startswith("DATABASE_URL is not set: ")


@pytest.mark.parametrize("port", ["", "x", "0", "65536", "-1"])
def test_a_port_that_is_none(environment, capsys, port):
    environment.setenv("DATABASE_URL", URL)
    environment.setenv("PORT", port)
    with pytest.raises(SystemExit, match="2"):
        load_settings()
    assert capsys.readouterr().err.startswith(f"PORT must be a port from 1 to 65535, not {port!r}: ")
