"""How pages are read, run and compared: on a bash of this machine, and once on a learner's."""

from functools import partial
from pathlib import Path

import pytest

from chapters.tests.support.machine import Machine
from chapters.tests.support.page import PageError, agrees, compare, read
from chapters.tests.support.runner import Result, run
from chapters.tests.support.terminal import Terminal, shown


class Impatient(Terminal):
    """Soon gives up on a command, but waits for its bash as long as any other."""

    def __init__(self, *command: str) -> None:
        super().__init__(*command)
        self.limit = 1


def run_page(folder: Path, text: str, terminal: type[Terminal] = Terminal) -> list[Result]:
    """Run a page with this text, and return the results of its commands."""
    path = folder / "page.md"
    path.write_text(text)
    return list(run(read(path), partial(terminal, "bash"), lambda heading: None))


def block(text: str, *directives: str) -> str:
    return "\n".join([*(f"<!-- {directive} -->" for directive in directives), "```console", text, "```", "", ""])


def listing(path: str, text: str, language: str = "text") -> str:
    return "\n".join([f"<!-- write: {path} -->", f"```{language}", text, "```", "", ""])


def wrongs(results: list[Result]) -> list[str | None]:
    return [result.wrong for result in results]


# As docker exec -it does, with a terminal of its own.
ASKS = """python3 -c 'import pty; pty.spawn(["env", "PS1=in: ", "sh", "-i"])'"""

GOOD = {
    "output": block("$ echo one; echo two\none\ntwo\n$ echo\n$ printf 'no end of line'\nno end of line"),
    "one shell": block("$ x=5; cd /") + block('$ echo "$x $PWD"\n5 /'),
    "wildcards": block("$ seq 9\n1\n…\n5\n…\n9\n…") + block("$ echo id 3f2a up\nid … up"),
    "a continued command": block("$ cat <<EOF | tr a b\n> a\n>\n>  aa\n> EOF\nb\n\n bb\n$ echo 1 \\\n>   2\n1 2"),
    "an exit status": block("$ true\n$ (exit 3)", "exit 3"),
    "any order": block("$ printf 'b 1\\na\\nb 2\\n'\na\nb 2\nb …", "any order"),
    "waiting": block('$ echo x >>"$HOME/tries"; wc --lines <"$HOME/tries"\n3', "wait"),
    "not run": block("$ false", "not run: it is an example"),
    "a file that the reader makes": listing("$HOME/new", "one\n\n  $HOME") + block("$ cat ~/new\none\n\n  $HOME"),
    "a file that the reader changes": block("$ cd; seq 9 >n")
    + listing("n", "-7\n+seven", "diff")
    + listing("n", " 8\n+and\n 9", "diff")
    + listing("n", " 1\n-2\n+two\n…\n 5\n+and\n", "diff")
    + block("$ cat n\n1\ntwo\n3\n4\n5\nand\n6\nseven\n8\nand\n9"),
    "a second terminal": block("$ echo up; exec sleep 60\nup", "terminal 2", "keeps running")
    + block("$ echo meanwhile\nmeanwhile"),
    "an interruption": block("$ (echo up; exec sleep 60)\nup", "keeps running")
    + block("^C")
    + block("$ echo again\nagain"),
    "what an interruption says": block(
        "$ (trap 'echo bye; exit 4' INT; echo up; while :; do sleep 0.1; done)\nup", "keeps running"
    )
    + block("^C\n…bye", "exit 4"),
    "what a person sees": block("$ cd /nowhere\nbash: cd: /nowhere: No such file or directory", "exit 1")
    + block("$ stty size\n500 120"),
    "a program that asks": block(f"$ {ASKS}\nin: echo hi\nhi\nin: exit", "prompt: in:"),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_page_that_says_what_is_printed_passes(text, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert set(wrongs(run_page(tmp_path, text))) <= {None}


BAD = {
    "a change of a line that is not there": (
        block("$ cd; seq 9 >n") + listing("n", "-ten\n+eleven", "diff"),
        "exit status 1, not 0",
    ),
    "another line": (block("$ echo one\ntwo"), "the output differs"),
    "a line too many": (block("$ echo one\none\ntwo"), "the output differs"),
    "a line that is not on the page": (block("$ seq 2\n1"), "the output differs"),
    "another order": (block("$ seq 2\n2\n1"), "the output differs"),
    "not in any order": (block("$ seq 3\n2\n1", "any order"), "the output differs"),
    "a file that cannot be written": ("<!-- write: /nowhere/note -->\n```text\nx\n```\n", "exit status 1, not 0"),
    "a failure": (block("$ false"), "exit status 1, not 0"),
    "no failure": (block("$ true", "exit 1"), "exit status 0, not 1"),
    "a command that ends": (block("$ true\nup", "keeps running"), "it ended by itself, with status 0"),
    "a server that died": (
        block("$ PROMPT_COMMAND='touch \"$HOME/end\"'; (echo up; sleep 0.1; exit 3)\nup", "terminal 2", "keeps running")
        + block('$ cat "$HOME/end"', "wait")
        + block("^C", "terminal 2"),
        "it ended by itself, with status 3",
    ),
    "nothing to interrupt": (block("^C"), "nothing runs in this terminal that ^C could end"),
    "no continuation": (block("$ echo one\n> two"), "bash did not wait for the line that continues it: two"),
    "an open quote": (block("$ echo 'one"), "bash waits for another line: a quote or a bracket is open"),
    "another answer": (block(f"$ {ASKS}\nin: echo hi\nho\nin: exit", "prompt: in:"), "the output differs"),
}


@pytest.mark.parametrize(("text", "wrong"), BAD.values(), ids=BAD)
def test_a_page_that_says_something_else_does_not(text, wrong, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert wrongs(run_page(tmp_path, text))[-1].startswith(wrong)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (block("$ sleep 60"), "the end of: sleep 60"),
        (block("$ sleep 60\nup", "keeps running"), "the output that the page shows"),
    ],
)
def test_a_command_is_not_waited_for_forever(text, what, tmp_path):
    assert wrongs(run_page(tmp_path, text, Impatient)) == [f"waited 1 s for {what}"]


def test_an_output_is_not_waited_for_forever(tmp_path, monkeypatch):
    monkeypatch.setattr("chapters.tests.support.runner.PATIENCE", 1)
    assert wrongs(run_page(tmp_path, block("$ echo one\ntwo", "wait"))) == ["the output differs"]


def test_a_busy_terminal_takes_no_command(tmp_path):
    results = run_page(tmp_path, block("$ (echo up; exec sleep 60)\nup", "keeps running") + block("$ echo one\none"))
    assert wrongs(results) == [None, "this terminal is still busy with: (echo up; exec sleep 60)"]


def test_the_report_names_the_place_and_shows_the_difference(tmp_path):
    text = block("$ true") + block("$ printf 'a 1\\nb\\n' |\n> cat\na …\nc")
    result = run_page(tmp_path, text)[-1]
    report = result.report(read(tmp_path / "page.md")).splitlines()
    assert report == [
        f"{tmp_path}/page.md:6: the output differs",
        "$ printf 'a 1\\nb\\n' |",
        "> cat",
        "  a 1",
        "- c",
        "+ b",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("```console\n$ true\n", "1: this block has no end"),
        ("```console\ntrue\n```\n", "2: a console block begins with a command, '$ …'"),
        ("```console\n```\n", "1: a console block without a command"),
        ("- a\n  ```console\n", "2: a fence that is not at the line's start is not run"),
        ("<!-- exits 1 -->\n```console\n$ true\n```\n", "2: no directive of a block: <!-- exits 1 -->"),
    ],
)
def test_a_mistake_in_a_page_is_named(tmp_path, text, mistake):
    path = tmp_path / "page.md"
    path.write_text(text)
    with pytest.raises(PageError) as raised:
        read(path)
    assert str(raised.value) == f"{path}:{mistake}"


def test_a_comment_away_from_a_block_is_no_directive(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- a note -->\n\n```console\n$ true\n```\n")
    assert read(path).blocks[0].commands[0].text == "true"


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("\x1b[32mgreen\x1b[0m\tand\x1b]0;title\x07 plain\n", ["green   and plain"]),
        ("10 %\r20 %\r100 %\n", ["100 %"]),
        ("loading\r\x1b[Kdone\n", ["done"]),
        ("a\nb\n\x1b[2Ac\n\x1b[1Bd\n", ["c", "b", "d"]),
        ("\x1b[1A\x1b[1B\x1b[0G\x1b[?25lfirst\x1b[?25h\n", ["first"]),
        ("a\nb\n\x1b[1A\x1b[Jc\n\n", ["a", "c"]),
        ("abc\b\bx\x1b[2D\x1b[1Cy\n", ["ayc"]),
        ("", []),
    ],
)
def test_the_screen_shows_what_a_terminal_shows(written, lines):
    assert shown(written) == lines


def test_wildcards_in_any_number():
    assert compare(["…", "a", "…", "b", "…"], ["x", "a", "a", "y", "b", "b"])
    assert not compare(["…", "a", "…", "b"], ["a", "b", "c"])
    assert compare(["…"], [])
    assert not compare(["a"], [])


ID = "f8b9ae4bda694f77cc510a5cc407ef03fd00e3f8d705f0fa7b822f99f1c733f0"


@pytest.mark.parametrize(
    ("sample", "same", "other"),
    [
        (f"sha256:{ID}", f"sha256:{ID[::-1]}", "sha256:f8b9ae4bda69"),
        ("root@bd7d6417c683:/app#", "root@111111111111:/app#", "root@bd7d6417c683:/#"),
        ('{"id":"6928a1c2f0d9a1b2c3d4e5f6"}', '{"id":"000000000000000000000000"}', '{"id":"Ann"}'),
        ("app:1.0 is also sha-e7b04f4", "app:1.0 is also sha-1234567", "app:1.0 is also sha-unknown"),
        ('[27/Nov/2026 19:39:33] "GET / 200', '[01/Jan/2027 00:00:00] "GET / 200', '[27/Nov/2026 19:39:33] "GET / 404'),
        ("since 2026-11-27T19:39:33.25Z", "since 2027-01-01T00:00:00.123456Z", "since yesterday"),
        ('[27/Nov/2026:19:39:33 +0000] "GET', '[01/Jan/2027:00:00:00 +0000] "GET', '[27/Nov/2026 +0000] "GET'),
        (
            "app-20261127T193933Z-371b51743827ed0c.tar.gz",
            "app-20270101T000000Z-d689d0fe819c7338.tar.gz",
            "app-Z-.tar.gz",
        ),
        ("Up 3 seconds", "Up About a minute", "Up 3 seconds (unhealthy)"),
        ("Exited (0) 3 seconds ago", "Exited (0) 1 second ago", "Exited (1) 3 seconds ago"),
        ("2 passed in 0.31s", "2 passed in 12.08s", "1 passed in 0.31s"),
        (
            '"status": 201, "duration_ms": 17.5}',
            '"status": 201, "duration_ms": 8}',
            '"status": 401, "duration_ms": 17.5}',
        ),
        ("8.19kB COPY", "12.3kB COPY", "8.19MB COPY"),
        ("0B CMD", "0B CMD", "12B CMD"),
        ("12B CMD", "75B CMD", "0B CMD"),
        ("1.0: digest size: 1368", "1.0: digest size: 856", "1.1: digest size: 1368"),
        ("0.02% of 8", "13.57% of 8", "0.02% of 9"),
        ("172.18.0.2 c1", "192.168.16.3 c1", "172.18.0.2 c2"),
        ("172.18.0.2 c1", "172.20.1.3 c1", "127.0.0.1 c1"),
        ("3000/tcp -> 0.0.0.0:32768", "3000/tcp -> 0.0.0.0:49153", "3000/tcp -> 127.0.0.1:32768"),
        ("mongodb:27017", "mongodb:27017", "mongodb:27018"),
        ("127.0.0.1:3000", "127.0.0.1:3000", "127.0.0.1:3001"),
        (
            "Docker version 28.5.2, build ecc6942",
            "Docker version 29.0.1, build 1234567",
            "Docker version , build ecc6942",
        ),
        ("Python 3.13.5", "Python 3.13.11", "Python 3.14.5"),
        ("NAMES   STATUS", "NAMES         STATUS", "NAMESSTATUS"),
        ("db-1  Started   0.1s", "db-1 Started                     10.2s", "db-1 Created 0.1s"),
        ("CREATED …   STATUS", "CREATED       STATUS", "CREATED       NAMES"),
        ("    target: dev", "    target: dev", "      target: dev"),
    ],
)
def test_a_sample_fits_what_is_of_its_kind_alone(sample, same, other):
    assert agrees(sample, same)
    assert not agrees(sample, other)


def test_a_page_may_leave_out_that_an_image_is_pulled():
    pulled = [
        "Unable to find image 'mongo:8.0' locally",
        "8.0: Pulling from library/mongo",
        "8343454837ac: Pull complete",
        f"Digest: sha256:{ID}",
        "Status: Downloaded newer image for mongo:8.0",
    ]
    assert compare([ID], [*pulled, ID])
    assert compare([*pulled, ID], [*pulled, ID])
    assert not compare([*pulled, ID], [ID])
    assert not compare([ID], ["Unable to find image 'mongo:8.0' locally: refused", ID])


def test_the_layers_of_an_image_come_in_any_number():
    named = ["1.0: Pulling from library/mongo", "Status: Downloaded newer image for mongo:1.0"]
    assert compare([named[0], "8343454837ac: Pull complete", named[1]], named)
    assert compare(named, [named[0], "8343454837ac: Already exists", "b3d1bed8b422: Download complete", named[1]])
    assert compare(["1.0 pushed"], ["5c5ebe454e1b: Pushed", "341fd9e569ed: Layer already exists", "1.0 pushed"])
    assert compare(
        ["Untagged: mongo:1.0", f"Deleted: sha256:{ID}"], ["Untagged: mongo:1.0", f"Untagged: mongo@sha256:{ID}"]
    )
    assert not compare(["Untagged: mongo:1.0"], [f"Untagged: mongo@sha256:{ID}"])


def test_an_engine_without_ipv6_prints_fewer_ports():
    ports = ["3000/tcp -> 0.0.0.0:3000", "3000/tcp -> [::]:3000"]
    assert compare(ports, ports)
    assert compare(ports, ports[:1])
    assert not compare(ports, ports[1:])
    assert not compare(ports[:1], ["3000/tcp -> 0.0.0.0:3001"])


def test_a_learners_machine_has_an_empty_engine_that_pulls_and_is_made_empty_again(machine: Machine):
    page = Path(__file__).with_name("example.md")
    machine.empty()
    machine.clone()
    results = list(run(read(page), machine.terminal, lambda heading: None))
    assert [result.report(read(page)) for result in results if result.wrong] == []
    assert machine.traces() == {
        "container web",
        "image flask-mongo-app:latest",
        "network flask-mongo-app-net",
        "volume flask-mongo-app-data",
        "file ?? left",
        "process sleep 1000",
    }
    machine.empty()
    assert machine.root("docker system df --format '{{.Type}} {{.TotalCount}}'").splitlines() == [
        "Images 0",
        "Containers 0",
        "Local Volumes 0",
        "Build Cache 0",
    ]
    machine.clone()
    assert machine.traces() == set()
