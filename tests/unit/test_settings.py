"""Each setting: taken from its variable, a secret from its file too, and refused where it is wrong."""

import os
import re

import pytest

from service import settings
from service.settings import Settings, SettingsError, load_settings, read_settings
from tests.support.repository import ROOT

URL = "mongodb://localhost:27017/flask-mongo-app"


def test_only_the_database_must_be_named():
    assert read_settings({"DATABASE_URL": URL}).model_dump() == {
        "database_url": URL,
        "port": 3000,
        "greeting": settings.GREETING,
        "log_level": "INFO",
        "api_token": None,
        "max_content_length": 65536,
        "web_concurrency": 2,
        "web_threads": 16,
        "trusted_proxies": 0,
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
        ("TRUSTED_PROXIES", "2", 2),
        ("REQUEST_TIMEOUT", "1", 1),
        ("KEEPALIVE_TIMEOUT", "3600", 3600),
        ("GRACEFUL_TIMEOUT", "1", 1),
    ],
)
def test_is_taken_from_its_variable(name, value, taken):
    taken = value if taken is None else taken
    assert getattr(read_settings({"DATABASE_URL": URL} | {name: value}), name.lower()) == taken


SECRETS = [("DATABASE_URL", "mongodb://app:p%40ss@localhost/name"), ("API_TOKEN", "x=y==")]


@pytest.mark.parametrize(("name", "value"), SECRETS)
@pytest.mark.parametrize("content", ["{}", "{}\n", "{}\r\n", " {} \n\n"])
def test_a_secret_is_taken_from_a_file_too_and_without_the_blanks_around_it(name, value, content, tmp_path):
    file = tmp_path / "secret"
    file.write_text(content.format(value), encoding="utf-8", newline="")
    for given in ({f"{name}_FILE": str(file)}, {name: content.format(value)}):
        rest = {} if name == "DATABASE_URL" else {"DATABASE_URL": URL}
        assert getattr(read_settings(rest | given), name.lower()) == value


@pytest.mark.parametrize("field", [field for field, info in Settings.model_fields.items() if info.repr])
def test_no_other_setting_is_taken_from_a_file(field):
    name = field.upper()
    with pytest.raises(SettingsError) as refused:
        read_settings({"DATABASE_URL": URL, f"{name}_FILE": "/nowhere"})
    assert str(refused.value) == f"{name}_FILE is not read, only a secret may come from a file: set {name}"


WRONG = [
    *(("DATABASE_URL", value) for value in ("", "localhost", "http://localhost/a", "mongodb://", "mongodb:///a")),
    ("DATABASE_URL", "mongodb://localhost:27017"),  # names no database
    ("DATABASE_URL", "mongodb://localhost:99999/a"),
    *(("PORT", value) for value in ("", "abc", "0", "65536", "-1", "30.5")),
    # What int() would take, and Compose and the health check would not.
    *(("PORT", value) for value in (" 3000", "3000\n", "3000.0", "+3000", "3_000", "３０００", "0x10")),  # noqa: RUF001
    *(("GREETING", value) for value in ("", "two\nlines", "a\tb", "\ufffd")),
    *(("LOG_LEVEL", value) for value in ("", "LOUD", "info ")),
    *(("API_TOKEN", value) for value in ("", "two words", "tøken", "line\nbreak")),
    *(("MAX_CONTENT_LENGTH", value) for value in ("", "64K", "0")),
    *(("WEB_CONCURRENCY", value) for value in ("", "auto", "0", "257", "1e1", "2 ")),
    *(("WEB_THREADS", value) for value in ("", "many", "0", "1025")),
    *(("TRUSTED_PROXIES", value) for value in ("", "nginx", "-1", "11")),
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


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("tls=true&tlsCAFile=/nope.pem", r"names '/nope\.pem', which cannot be read \(No such file or directory\): .+"),
        ("tls=true&tlsCAFile=/", r"names '/', which cannot be read \(Is a directory\): .+"),
        ("tls=true&tlsCertificateKeyFile=/nope", r"names '/nope', which cannot be read \(No such file or .+\): .+"),
        (f"tls=true&tlsCAFile={__file__}", r"names a file of certificates, which cannot be read \(.+\): .+"),
        *((f"compressors={name}", "has an option that .+: remove it") for name in ("snappy", "zstd", "zlib,lz4")),
        *(
            (option, "has an option that .+: remove it")
            for option in ("nonsense=1", "w=-1", "readPreference=x", "timeoutMS=x")
        ),
        ("authMechanism=MONGODB-AWS", "has an authMechanism that needs pymongo_auth_aws, which is not installed: .+"),
        ("w=1&authmechanism=gssapi", "has an authMechanism that needs kerberos, which is not installed: .+"),
        ("directConnection=true&replicaSet=", "must be a MongoDB URL .+"),
        ("authMechanism=MONGODB-OIDC", "must be a MongoDB URL .+"),
    ],
)
def test_refuses_what_the_driver_cannot_use_in_one_line(options, reason):
    with pytest.raises(SettingsError) as refused:
        read_settings({"DATABASE_URL": f"mongodb://app:hunter2@localhost,other/a?{options}"})
    assert re.fullmatch(f"DATABASE_URL {reason}", str(refused.value))
    assert "hunter2" not in str(refused.value)


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


@pytest.mark.parametrize("name", ["DATABASE_URL", "API_TOKEN"])
def test_refuses_a_secret_given_twice(name, tmp_path):
    with pytest.raises(SettingsError, match=rf"^{name} and {name}_FILE are both set: unset one of them$"):
        read_settings({"DATABASE_URL": URL, name: URL, f"{name}_FILE": str(tmp_path)})


def test_ends_the_process_with_status_2_and_one_line(monkeypatch, capsys):
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("PORT", "abc")
    with pytest.raises(SystemExit) as ended:
        load_settings()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "PORT must be a port from 1 to 65535, not 'abc': set it, for example PORT=3000\n"


def test_reads_env_where_the_environment_does_not_set_a_setting(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text(f"DATABASE_URL={URL}\nGREETING='$HOME'\nPORT=3001\n")
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setattr(os, "environ", {"PORT": "3002"})
    read = load_settings()
    assert (read.greeting, read.port) == ("$HOME", 3002)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_env_that_cannot_be_read_ends_the_process(content, monkeypatch, tmp_path, capsys):
    file = tmp_path / ".env"
    if content is None:
        file.symlink_to("/proc/self/mem")
    else:
        file.write_bytes(content)
    monkeypatch.setattr(settings, "ENV_FILE", file)
    monkeypatch.setattr(os, "environ", {"DATABASE_URL": URL})
    with pytest.raises(SystemExit) as ended:
        load_settings()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{file} cannot be read: make it a file of UTF-8 text that you can read\n"


def test_the_example_file_and_the_page_name_every_setting():
    names = {field.upper() for field in Settings.model_fields}
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/reference/settings.md").read_text(), re.MULTILINE))
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
