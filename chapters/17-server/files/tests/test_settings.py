import pytest

from service.settings import SettingsError, read_settings

URL = "mongodb://localhost:27017/flask-mongo-app"


def test_the_defaults():
    settings = read_settings({"DATABASE_URL": URL})
    assert settings.database_url == URL
    assert (settings.port, settings.web_concurrency, settings.log_level) == (3000, 2, "INFO")


def test_what_the_environment_says():
    settings = read_settings({"DATABASE_URL": URL, "PORT": "3001", "GREETING": "Hello"})
    assert (settings.port, settings.greeting) == (3001, "Hello")


def test_a_database_that_nobody_named():
    with pytest.raises(SettingsError, match="^DATABASE_URL is not set: "):
        read_settings({})


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "3000 "])
def test_a_port_that_is_none(port):
    with pytest.raises(SettingsError, match="^PORT must be a port from 1 to 65535, not "):
        read_settings({"DATABASE_URL": URL, "PORT": port})
