"""The file .env, read as Docker Compose reads it. Needs only Python's standard library.

Compose expands $NAME and has its own rules for quotes, backslashes and comments. A line that Compose could read
differently is refused here. All other lines mean the same to Compose, to scripts/run, to scripts/doctor, and to
python-dotenv, with which the service reads the file if nothing else has read it.
https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?(?!export\b)([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)")
VALUE = re.compile(
    r"""  '(?P<single> (?: [^'\\] | \\(?!['\\]) )* )'       [ \t]* (?:\#.*)?
    |     "(?P<double> (?: [^"\\$] | \\["\\] )* )"         [ \t]* (?:\#.*)?
    |      (?P<plain> [^\s'"\#$][^\s$]* (?:[ ]+(?!\#)[^\s$]+)* ) (?:[ ]+(?:\#.*)?)?
    |      [ \t]*
    """,
    re.VERBOSE,
)
NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # control characters, except tabs and line ends
ELSEWHERE = {"DATABASE_URL_FILE", "API_TOKEN_FILE"}  # paths, which a container does not have


class EnvFileError(ValueError):
    """A .env that is refused: what is wrong, and what to do. Neither contains a value."""

    def __init__(self, wrong: str, fix: str) -> None:
        super().__init__(f".env {wrong}: {fix}")
        self.wrong, self.fix = wrong, fix


def read(path: Path) -> dict[str, str]:
    """Return the names and values in a .env; none if there is no such file.

    Raises:
        EnvFileError: it cannot be read, or Compose would read it differently.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors begin a file with a byte order mark
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EnvFileError(f"cannot be read ({error.strerror})", "make it a file that you can read") from None
    except UnicodeError:
        raise EnvFileError("is not UTF-8 text", "save it in that encoding") from None
    return parse(text)


def parse(text: str) -> dict[str, str]:
    """Like `read`, but from the file's text."""
    values = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if re.fullmatch(r"[ \t]*(#.*)?", line):
            continue
        assignment = ASSIGNMENT.fullmatch(line)
        if assignment is None or NOT_TEXT.search(line):
            raise EnvFileError(f"line {number} is not NAME=value", "correct it, or put # before a comment")
        name = assignment[1]
        if name in ELSEWHERE:
            raise EnvFileError(
                f"line {number}: {name} is a path of this machine, and Compose's container has other files",
                f"set {name[: -len('_FILE')]} to what is in that file",
            )
        value = VALUE.fullmatch(assignment[2])
        if value is None:
            raise EnvFileError(
                f"line {number}: Compose would change this value of {name}",
                f"write {name}='…', or for a value with ' and without $: {name}=\"…\", with \\ before each \\ and \"",
            )
        double = value["double"]
        values[name] = (value["single"] or value["plain"] or "") if double is None else re.sub(r"\\(.)", r"\1", double)
    return values


if __name__ == "__main__":
    try:
        read(Path(__file__).resolve().parent.parent.parent / ".env")
    except EnvFileError as error:
        sys.exit(str(error))
