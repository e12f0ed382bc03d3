"""The file .env: what it may hold, and what is refused since Compose would read something else."""

import contextlib
import os

import pytest
from lib import env_file

from service import settings
from tests.support.env_files import CHANGED, TAKEN

NOT_ASSIGNMENTS = [b"GREETING", b"GREETING: a", b"export", b"'GREETING'=a", b"1ST=a", b"A.B=a", b"=a", b"GREETING=a\rPORT=1", b"GREETING=a\x00b"]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    return tmp_path / ".env"


@pytest.mark.parametrize(("content", "values"), TAKEN)
def test_what_means_the_same_everywhere_is_taken(file, content, values, monkeypatch):
    file.write_bytes(content)
    assert env_file.read(file) == values
    # The service by itself, without scripts/run:
    monkeypatch.setattr(settings, "ENV_FILE", file)
    monkeypatch.setattr(os, "environ", {"DATABASE_URL": "mongodb://localhost/a", "PORT": "1"})
    with contextlib.suppress(SystemExit):  # some of the values are refused, later
        settings.load_settings()
    assert {name: os.environ[name] for name in values} == {**values, **({"PORT": "1"} if "PORT" in values else {})}


def refusal(file, content):
    """What is said of this content, in one line and without its value."""
    file.write_bytes(content)
    with pytest.raises(env_file.EnvFileError) as refused:
        env_file.read(file)
    assert "\n" not in str(refused.value)
    assert str(refused.value) == f".env {refused.value.wrong}: {refused.value.fix}"
    return str(refused.value)


@pytest.mark.parametrize("content", CHANGED)
def test_what_compose_would_change_is_refused_with_how_to_write_it(file, content):
    said = refusal(file, b"# first\n" + content.replace(b"a", b"hunter2"))
    assert said.startswith(".env line 2: Compose would change this value of GREETING: write GREETING='…', or for ")
    assert "hunter2" not in said


def test_a_multi_line_value_is_refused(file):
    assert refusal(file, b"GREETING='a\nb'\n").startswith(".env line 1: Compose would change this value of GREETING: ")


@pytest.mark.parametrize("content", NOT_ASSIGNMENTS)
def test_any_other_line_is_refused(file, content):
    said = refusal(file, b"PORT=1\n" + content)
    assert said == ".env line 2 is not NAME=value: correct it, or put # before a comment"


@pytest.mark.parametrize("name", ["API_TOKEN", "DATABASE_URL"])
def test_a_file_on_this_machine_is_refused_since_a_container_has_others(file, name):
    assert refusal(file, f"{name}_FILE=/x".encode()) == (
        f".env line 1: {name}_FILE is a path of this machine, and Compose's container has other files: "
        f"set {name} to what is in that file"
    )


@pytest.mark.parametrize("content", ["Grüße".encode("latin-1"), "GREETING=a".encode("utf-16")])
def test_another_encoding_is_refused(file, content):
    assert refusal(file, content) == ".env is not UTF-8 text: save it in that encoding"


def test_a_missing_file_sets_nothing(file):
    assert env_file.read(file) == {}
    file.symlink_to("nowhere")
    assert env_file.read(file) == {}


def test_a_file_that_cannot_be_read_is_refused(file):
    file.mkdir()
    with pytest.raises(env_file.EnvFileError, match=r"^\.env cannot be read \(Is a directory\): make it a file that "):
        env_file.read(file)
