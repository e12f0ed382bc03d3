"""A page of the course: its fenced blocks, the directives before them, and how output is compared."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ANY = "…"

# What a page prints as a sample, because it differs from run to run: a sample fits any text of the same kind. What a
# reader has to recognize stays literal: names, tags, status words, units, 0B, and the addresses 127.0.0.1 and 0.0.0.0.
SAMPLES = {
    **{f"id of {count} digits": rf"(?<![0-9a-z])[0-9a-f]{{{count}}}(?![0-9a-z])" for count in (12, 16, 24, 32, 40, 64)},
    "id in a swarm": r"(?<![0-9a-z])[0-9a-z]{25}(?![0-9a-z])",
    "commit": r"(?<=build )[0-9a-f]{7,40}\b|(?<=sha-)[0-9a-f]{7,40}\b",
    "date and time": r"(?<!\d)(?:\d{8}T\d{6}Z|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)",
    "date": r"(?<!\d)(?:\d{4}-\d\d-\d\d|\d\d/[A-Z][a-z]{2}/\d{4})(?!\d)",
    "time of day": r"(?<![\d:])(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d\d:\d\d(?= UTC))(?![\d:])",
    "age": r"(?:Less than a second|About a minute|About an hour|\b\d+ (?:second|minute|hour|day|week|month|year)s?)\b",
    "duration": r"(?<![\w.])\d+(?:\.\d+)?(?= ?m?s\b)|(?<=\"duration_ms\": )\d+(?:\.\d+)?",
    "size": r"(?<![\w.])(?!0B)\d+(?:\.\d+)?(?= ?(?:[kMG]|[KMG]i)?B\b)|(?<= size: )\d+",
    "share": r"(?<![\w.])\d+\.\d+(?=%)",
    "address in a container network": r"(?<![\w.])(?:172|192\.168|10)(?:\.\d{1,3}){2,3}(?![\w.])",
    "port chosen by the system": r"(?<=:)[3-6]\d{4}(?!\d)",
    "version": r"(?<=[Vv]ersion )v?\d[\w.+-]*|(?<=Python 3\.13\.)\d+",
}
# What varies in a line: how the page writes it, and what that fits. The columns of a table move with their content,
# and the last one of Compose's progress is as near as one space since version 5.
KINDS = [(ANY, ".*"), (r"(?<=\S) {2,}", " +"), *((sample, sample) for sample in SAMPLES.values())]
VARIES = re.compile("|".join(f"({written})" for written, _ in KINDS))
FITS = [f"(?:{fitting})" for _, fitting in KINDS]

# Whether an image has to be pulled depends on what was done before: a page may leave these lines out.
PULLING = re.compile(
    r"Unable to find image '\S+' locally|\S+: Pulling from \S+|Digest: sha256:[0-9a-f]{64}"
    r"|Status: Downloaded newer image for \S+"
)
# How many layers an image has depends on its version, and how many lines say so on the engine's: any number fits. So
# does any of lines that say that a port is published with IPv6, which an engine may not have.
OPTIONAL = re.compile(
    r"[0-9a-f]{12}: (?:Pull complete|Download complete|Already exists|Pushed|Layer already exists)"
    r"|[Dd]eleted: sha256:[0-9a-f]{64}|[Uu]ntagged: \S+@sha256:[0-9a-f]{64}"
    r"|\d+/(?:tcp|udp) -> \[::\]:\d+"
)

DIRECTIVES = re.compile(
    r"(?P<exit>exit (?P<status>\d+))|(?P<any_order>any order)|(?P<wait>wait)|(?P<keeps_running>keeps running)"
    r"|not run: (?P<not_run>.+)|terminal (?P<terminal>[2-9])|prompt: (?P<prompt>.+)|file: (?P<file>\S+)"
    r"|write: (?P<write>\S+)"
)


class PageError(Exception):
    """The page is not written as it should be."""


@dataclass
class Command:
    """A command, and what the page says that it prints."""

    line: int
    text: str  # its lines, without prompts; ^C for the key
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    """A fenced block, and what its directives say."""

    line: int
    language: str
    heading: str  # the last `##` heading before it
    lines: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    status: int | None = None  # the exit status of its last command, where the page says one
    any_order: bool = False
    wait: bool = False
    keeps_running: bool = False
    not_run: str | None = None  # why
    terminal: int = 1
    prompt: str | None = None  # what a program that reads commands shows before each of them
    file: str | None = None
    write: str | None = None  # the file that the reader makes, or changes as a diff says


@dataclass
class Page:
    """All of a page."""

    path: Path
    lines: list[str]
    headings: list[str]  # of the second level
    blocks: list[Block]

    @property
    def console(self) -> list[Block]:
        return [block for block in self.blocks if block.language == "console"]

    @property
    def steps(self) -> list[Block]:
        """What the reader does: type commands, and write files."""
        return [block for block in self.blocks if block.commands]


def read(path: Path) -> Page:
    """Read a page.

    Raises:
        PageError: with path:line, where the page breaks a rule
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    headings, blocks, directives = [""], [], []
    block: Block | None = None
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if block is not None:
            if line == "```":
                _read_commands(path, block)
                blocks.append(block)
                block = None
            else:
                block.lines.append(line)
        elif line.startswith("```"):
            block = Block(number, line[3:].strip(), headings[-1])
            for directive in directives:
                _apply(directive, block, where)
        elif "```" in line and line.lstrip().startswith("```"):
            raise PageError(f"{where}: a fence that is not at the line's start is not run")
        elif line.startswith("## "):
            headings.append(line[3:])
        directives = [*directives, line] if block is None and line.startswith("<!--") else []
    if block is not None:
        raise PageError(f"{path}:{block.line}: this block has no end")
    return Page(path, lines, headings[1:], blocks)


def _apply(line: str, block: Block, where: str) -> None:
    found = re.fullmatch(r"<!-- (.*) -->", line)
    said = found and DIRECTIVES.fullmatch(found[1])
    if not said:
        raise PageError(f"{where}: no directive of a block: {line}")
    if said["status"]:
        block.status = int(said["status"])
    for name in ("any_order", "wait", "keeps_running"):
        if said[name]:
            setattr(block, name, True)
    for name in ("not_run", "prompt", "file", "write"):
        if said[name]:
            setattr(block, name, said[name])
    if said["terminal"]:
        block.terminal = int(said["terminal"])


def _read_commands(path: Path, block: Block) -> None:
    if block.write:
        block.commands = [Command(block.line, _writing(block))]
    if block.language != "console":
        return
    for number, line in enumerate(block.lines, block.line + 1):
        last = block.commands[-1] if block.commands else None
        if line.startswith("$ ") or line == "^C":
            block.commands.append(Command(number, line.removeprefix("$ ")))
        elif last is None:
            raise PageError(f"{path}:{number}: a console block begins with a command, '$ …'")
        elif (line == ">" or line.startswith("> ")) and not last.output:
            last.text += "\n" + line[2:]
        else:
            last.output.append(line.rstrip())
    if not block.commands:
        raise PageError(f"{path}:{block.line}: a console block without a command")
    for command in block.commands:
        while command.output and not command.output[-1]:
            command.output.pop()


def _writing(block: Block) -> str:
    """The command that does with a file what the reader does in an editor."""
    program, lines = f"cat >{block.write}", block.lines
    if block.language == "diff":
        program = "git apply --unidiff-zero"  # finds the lines wherever they are in the file
        parts = re.split(rf"^{ANY}\n", "\n".join(lines), flags=re.MULTILINE)
        lines = [f"--- a/{block.write}", f"+++ b/{block.write}", *(line for part in parts for line in _hunk(part))]
    return "\n".join([f"{program} <<'END'", *lines, "END"])


def _hunk(part: str) -> list[str]:
    """Lines of a diff that stand together, below the line that says how many they are."""
    lines = part.splitlines()
    before, after = (sum(not line.startswith(other) for line in lines) for other in "+-")
    return [f"@@ -1,{before} +1,{after} @@", *lines]


def pattern(expected: str) -> str:
    """A regular expression for a line, in which `…` stands for any text, and a sample for any other of its kind."""
    end, parts = 0, []
    for varying in VARIES.finditer(expected):
        parts += [re.escape(expected[end : varying.start()]), FITS[varying.lastindex - 1]]
        end = varying.end()
    return "".join([*parts, re.escape(expected[end:])])


def agrees(expected: str, line: str) -> bool:
    """Whether a line is as expected."""
    return re.fullmatch(pattern(expected), line) is not None


def compare(expected: list[str], got: list[str], any_order: bool = False) -> bool:
    """Whether the output is as expected; a line that is just `…` stands for any number of lines."""
    expected, got = ([line for line in lines if not OPTIONAL.fullmatch(line)] for lines in (expected, got))
    if not any(map(PULLING.fullmatch, expected)):
        got = [line for line in got if not PULLING.fullmatch(line)]
    if any_order:
        rest = list(got)
        # The most exact first: a line with a wildcard must not take the one that another names in full.
        for wanted in sorted((line for line in expected if line != ANY), key=len, reverse=True):
            found = next((line for line in rest if agrees(wanted, line)), None)
            if found is None:
                return False
            rest.remove(found)
        return not rest or ANY in expected
    # As for wildcards in file names: where a line does not agree, the last `…` takes one more.
    wanted = given = 0
    back: tuple[int, int] | None = None
    while given < len(got):
        if wanted < len(expected) and expected[wanted] == ANY:
            back = (wanted, given)
            wanted += 1
        elif wanted < len(expected) and agrees(expected[wanted], got[given]):
            wanted, given = wanted + 1, given + 1
        elif back:
            back = (back[0], back[1] + 1)
            wanted, given = back[0] + 1, back[1]
        else:
            return False
    return all(line == ANY for line in expected[wanted:])


def difference(expected: list[str], got: list[str]) -> Iterator[str]:
    """The lines of a diff: - as the page says, + as printed. Lines that agree are shown as printed."""
    rest = list(got)
    filled = []
    for line in expected:
        found = next((number for number, other in enumerate(rest) if line != ANY and agrees(line, other)), None)
        filled.append(line if found is None else rest[found])
        if found is not None:
            del rest[: found + 1]
    return (line for line in difflib.ndiff(filled, got) if not line.startswith("?"))
