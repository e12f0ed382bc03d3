"""The file .env: what it may hold, and what is refused since Compose would read something else."""

import contextlib
import os

import pytest
from lib import env_file

from service import settings

# All of these mean the same to Compose: tests/containers/test_env_file.py asks it.
TAKEN = [
    (b"", {}),
    (b"GREETING=Hello", {"GREETING": "Hello"}),
    (b"# PORT=1\n\n  # GREETING=x\n \t\nGREETING=a\n", {"GREETING": "a"}),
    (b"GREETING=a\r\nPORT=3001\r\n", {"GREETING": "a", "PORT": "3001"}),
    (b"\xef\xbb\xbfGREETING=a\n", {"GREETING": "a"}),
    ("GREETING=Σας χαιρετώ 👋\n".encode(), {"GREETING": "Σας χαιρετώ 👋"}),
    (b"GREETING=first\nGREETING=last\n", {"GREETING": "last"}),
    (b"  export \t GREETING =  a  b  \n", {"GREETING": "a  b"}),
    (b"GREETING=\nPORT='' \nAPI_TOKEN=\"\"\n", {"GREETING": "", "PORT": "", "API_TOKEN": ""}),
    (b"GREETING=a#b # not this, $nor {this}\n", {"GREETING": "a#b"}),
    (b"GREETING='a # b' # c\nAPI_TOKEN='x'#c\n", {"GREETING": "a # b", "API_TOKEN": "x"}),
    (b"API_TOKEN=a=b==\n", {"API_TOKEN": "a=b=="}),
    (b"API_TOKEN=a'b\"c`d\\e!f*g~h;i&j|k<l>m(n)o[p]q{r}s?t^u@v%w,x:y\n",
     {"API_TOKEN": "a'b\"c`d\\e!f*g~h;i&j|k<l>m(n)o[p]q{r}s?t^u@v%w,x:y"}),
    (b"GREETING='it costs $5, ${HOME} and \"all\" \\that'\n", {"GREETING": 'it costs $5, ${HOME} and "all" \\that'}),
    (b'GREETING="it\'s \\"all\\" \\\\ in"\n', {"GREETING": 'it\'s "all" \\ in'}),
]  # fmt: skip
CHANGED = [
    b"GREETING=a$PORT",
    b"GREETING=a$$b",
    b"GREETING=${GREETING:-a}",
    b'GREETING="$PORT"',
    b"GREETING=\\$PORT",
    b'GREETING="it\'s \\$5"',
    b"GREETING=a\t#b",
    b"GREETING= # a",
    b"GREETING=#a",
    b"GREETING='a' b",
    b'GREETING="a"b',
    b"GREETING='it\\'s'",
    b"GREETING='a\\\\b'",
    b'GREETING="a\\nb"',
    b"GREETING='a",
    b'GREETING="a',
    b"GREETING=a\xc2\xa0b",
]
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
