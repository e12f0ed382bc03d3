"""Copy this project under another name, without the course."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from lib import env_file
from lib.commands import CommandError
from lib.project import NAME

ROOT = Path(__file__).resolve().parent.parent.parent
README = "scripts/lib/README.in"  # the copy's README
# Not copied: the course (CONTRIBUTING.md, "Remove the course"), and what makes the copies.
LEFT_OUT = re.compile(
    r"chapters/.*|scripts/chapter|docs/[0-9].*|\.github/workflows/chapters\.yml"
    r"|docs/reference/(article-map|capstones|chapters|cheat-sheet|glossary|pages|troubleshooting)\.md"
    r"|CHANGELOG\.md|scripts/new-service|scripts/lib/(scaffold\.py|update\.py|README\.in)"
    r"|tests/(unit/test_(new_service|update)|support/copies|(api|containers)/test_copies)\.py"
)
COURSE = re.compile(r"^<!-- course -->\n.*?^<!-- end of the course -->\n", re.MULTILINE | re.DOTALL)
# --no-page leaves out these files and lines, and what is between the lines `page` and `end of the page`.
PAGE = re.compile(
    r"service/(page\.py|(static|templates)/.*)|tests/(browser/.*|support/browser\.py|api/test_page\.py)"
    r"|docs/images/page\.png"
)
PAGE_LINES = re.compile(
    r"^ *(#|<!--) page( -->)?\n.*?^ *(#|<!--) end of the page( -->)?\n"
    r"|\nfrom service import page\n|^[^\n]*(page\.offer\(|tests/browser/|page's tests|service's page)[^\n]*\n",
    re.MULTILINE | re.DOTALL,
)
PAGE_MARKS = re.compile(r"^ *(?:#|<!--) (?:end of the )?page(?: -->)?\n", re.MULTILINE)
OF_NO_USE = re.compile("chapter|new-service")  # lines about what is left out
# One rule for all that takes the name: an image, a Compose project, a database, a volume, a host.
GOOD_NAME = re.compile(r"(?!.{51})[a-z](-?[a-z0-9])*")
TAKEN = {"admin", "config", "local", "localhost", NAME}  # MongoDB's own databases, this machine, this project
# What the options replace.
DESCRIPTION = "A Flask and MongoDB service, packaged with Docker the way a careful team would do it"
GREETING = "Ram Ram bhai Sareya Ne"
PYTHON_IMAGE = "python:3.13-slim-trixie"
PORT = re.compile(r"(?<![\w+/])3000(?!\w)")  # not a part of a hash or of \u3000
GOOD_IMAGE = re.compile(
    r"([\w.-]+(:\d+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?", re.ASCII
)
MONGO_PORT = "27017"  # the stack publishes this one, too
ORIGIN = "Copy-of"  # in the message of a commit of a copy: the commit here, and the options
WIDTH = 120

Files = dict[str, bytes]  # path: content


@dataclass(frozen=True)
class Options:
    """What a copy differs in. None: as it is here.

    Attributes:
        name: the service's name.
        owner: who holds the copyright; "The NAME maintainers" without one.
        description: one line for the README and pyproject.toml.
        port: what the service listens on, inside a container and outside.
        greeting: what `GET /` answers.
        python_image: the image that the Dockerfile starts from.
        no_page: whether to leave out the page at `/`.
    """

    name: str
    owner: str | None = None
    description: str | None = None
    port: str | None = None
    greeting: str | None = None
    python_image: str | None = None
    no_page: bool = False

    def words(self) -> str:
        """The options as they are typed."""
        given = {f"--{field.replace('_', '-')}": value for field, value in asdict(self).items() if field != "name"}
        values = [f"{option}={value}" for option, value in given.items() if isinstance(value, str)]
        return shlex.join([self.name, *values, *(option for option, value in given.items() if value is True)])

    def check(self) -> None:
        """Raise CommandError, with one line for the user, for what cannot be."""
        if not GOOD_NAME.fullmatch(self.name):
            raise CommandError(
                f"{self.name!r} cannot be a name: "
                "take 1 to 50 lower-case letters, digits and single hyphens, a letter first"
            )
        if self.name in TAKEN:
            raise CommandError(
                f"{self.name} is taken, by MongoDB, by this machine or by this project: take another name"
            )
        for field in ("owner", "description", "greeting"):
            value = getattr(self, field)
            if value is not None and not (value.strip() and value.isprintable() and "\ufffd" not in value):
                raise CommandError(f"--{field} must be one line of text")
        # Below 1024, only root may listen, and scripts/run is not for root.
        if self.port is not None and not (
            re.fullmatch("[1-9][0-9]{3,4}", self.port) and 1024 <= int(self.port) <= 65535
        ):
            raise CommandError(f"--port must be a number from 1024 to 65535, not {self.port!r}")
        if self.port == MONGO_PORT:
            raise CommandError(f"--port cannot be {MONGO_PORT}, which is MongoDB's: take another one")
        if self.python_image is not None and not GOOD_IMAGE.fullmatch(self.python_image):
            raise CommandError(f"--python-image must be the name of an image, such as {PYTHON_IMAGE}")


def copy(options: Options, folder: Path, git: bool = True) -> None:
    """Make a copy of this project in a new folder.

    Args:
        options: what the copy differs in.
        folder: does not exist yet, or is empty.
        git: whether to make a repository, with one commit.

    Raises:
        CommandError: options that cannot be, a folder that is not free, a copy that is not sound.
        OSError: the folder cannot be written.
    """
    folder = folder.resolve()
    if folder == ROOT or ROOT in folder.parents:
        raise CommandError(f"{folder} is inside this project: name a folder outside of it")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(f"{folder} exists already and is not empty: name another folder, or remove it")
    if not folder.parent.is_dir():
        raise CommandError(f"{folder.parent} is not a folder: make it first")
    files = _changed(options)
    with _appears_whole(folder) as place:
        for path, content in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
            shutil.copymode(ROOT / (README if path == "README.md" else path), place / path)
        _check(files, options.name)
        if git:
            _commit(place, options)


def plan(options: Options) -> Iterator[str]:
    """The files of a copy, and below each the lines that change, after a `+`. Raises CommandError as copy does."""
    for path, content in _changed(options).items():
        yield path
        before = _read(path).decode("utf-8", "replace").splitlines()
        after = content.decode("utf-8", "replace").splitlines()
        for line in after:
            if line not in before:
                yield f"  + {line}"


def _changed(options: Options) -> Files:
    options.check()
    paths = [path for path in _tracked() if not LEFT_OUT.fullmatch(path)]
    if options.no_page:
        paths = [path for path in paths if not PAGE.fullmatch(path)]
    files = {path: _adapted(path, options) for path in paths}
    for path, before, after in _edits(options):
        files[path] = files[path].replace(before.encode(), after.encode())
    return files


def _edits(options: Options) -> Iterator[tuple[str, str, str]]:
    """What changes in one file alone: its path, the text before, and after."""
    yield "README.md", "{origin}", _origin()
    if options.owner:
        yield "LICENSE", f"The {options.name} maintainers", options.owner
    if options.description:
        yield "README.md", DESCRIPTION, options.description
        yield "pyproject.toml", f'"{DESCRIPTION}"', _quoted(options.description)
    if options.greeting:
        yield "service/settings.py", f'"{GREETING}"', _as_in_python(options.greeting)
        yield ".env.example", f'"{GREETING}"', _as_in_env(options.greeting)
        yield "docs/reference/settings.md", f"`{GREETING}`", _as_in_a_table(options.greeting)


def _quoted(text: str, quote: str = '"') -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote


def _as_in_python(text: str) -> str:
    # As `ruff format` wants it: double quotes, unless single ones need fewer backslashes.
    return _quoted(text, "'" if text.count('"') > text.count("'") else '"')


def _as_in_env(text: str) -> str:
    for value in (_quoted(text), f"'{text}'"):
        with suppress(env_file.EnvFileError):
            if env_file.parse(f"GREETING={value}") == {"GREETING": text}:
                return value
    raise CommandError("--greeting cannot have all of it, since a .env could not: leave out the ' or the $")


def _as_in_a_table(text: str) -> str:
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    blank = " " if "`" in text else ""
    return f"{ticks}{blank}{text}{blank}{ticks}".replace("|", "\\|")


def _tracked() -> list[str]:
    """The files of this project, also where it was unpacked from an archive and has no history."""
    if (ROOT / ".git").exists():
        listing = run_git("ls-files", "-z", folder=ROOT)
    else:
        with tempfile.TemporaryDirectory() as empty:
            run_git("init", "--quiet", "--bare", empty, folder=ROOT)
            where = (f"--git-dir={empty}", f"--work-tree={ROOT}")
            listing = run_git(*where, "ls-files", "-z", "--others", "--exclude-standard", folder=ROOT)
    return sorted(path for path in filter(None, listing.split("\0")) if (ROOT / path).is_file())


def _read(path: str) -> bytes:
    return (ROOT / (README if path == "README.md" else path)).read_bytes()


def _adapted(path: str, options: Options) -> bytes:
    content = _read(path)
    if b"\0" in content:  # a picture
        return content
    text = content.decode("utf-8")
    text = COURSE.sub("", text)
    text = (PAGE_LINES if options.no_page else PAGE_MARKS).sub("", text)
    text = "".join(line for line in text.splitlines(keepends=True) if not OF_NO_USE.search(line))
    text = text.replace(NAME, options.name)
    if options.port:
        text = PORT.sub(options.port, text)
    if options.python_image:
        text = text.replace(PYTHON_IMAGE, options.python_image)
    return (_rewrapped(text) if path.endswith(".md") else text).encode()


def _rewrapped(text: str) -> str:
    """Markdown whose paragraphs a longer name has made too wide."""
    paragraphs = re.split(r"(\n\n+)", text)
    fenced = False
    for number, paragraph in enumerate(paragraphs):
        plain = not fenced and not re.search(r"^(\||```|#|>|- |\d\. |<| )", paragraph, re.MULTILINE)
        fenced ^= len(re.findall(r"^ *```", paragraph, re.MULTILINE)) % 2 == 1
        if plain and max(map(len, paragraph.splitlines()), default=0) > WIDTH:
            paragraphs[number] = textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(paragraphs)


def _origin() -> str:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return f"{NAME} {version[1]}"  # type: ignore[index]  # it has one


def head() -> str | None:
    """The commit that this project is at; None where it has no history."""
    if (ROOT / ".git").exists():
        with suppress(CommandError):  # no commit yet
            return run_git("rev-parse", "--verify", "HEAD", folder=ROOT).strip()
    return None


@contextmanager
def _appears_whole(folder: Path) -> Iterator[Path]:
    """A folder beside the new one, which takes its place at the end, or disappears."""
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield place
        place.chmod(0o777 & ~_umask())
        place.replace(folder)  # also where an empty folder is there already
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _check(files: Files, name: str) -> None:
    """Raise CommandError if this project's name is left anywhere but in the line about the origin, or code is broken."""
    for path, content in files.items():
        lines = content.lower().replace(name.encode(), b"").splitlines()
        if any(NAME.encode() in line and not line.startswith(b"made from ") for line in lines):
            raise CommandError(f"{path} still has the name {NAME}: this is a fault of scripts/new-service")
        if path.endswith(".py") and sys.version_info >= (3, 11):
            compile(content, path, "exec")


def _commit(place: Path, options: Options) -> None:
    message = f"Start {options.name} from {_origin()}"
    if commit := head():  # without it, an update would not know what has changed since
        message += f"\n\n{ORIGIN}: {commit} {options.words()}"
    run_git("init", "--quiet", "--initial-branch=main", folder=place)
    run_git(*settings(place, options.name), "add", "--all", "--force", folder=place)
    run_git(*settings(place, options.name), "commit", "--quiet", "--message", message, folder=place)
    run_git("fsck", "--strict", folder=place)


def settings(folder: Path, name: str) -> tuple[str, ...]:
    """Options of git for a commit that asks nothing, and works for who has not told git a name."""
    chosen = ["core.autocrlf=false", "core.hooksPath=/dev/null", "commit.gpgSign=false", "core.editor=true"]
    try:
        run_git("var", "GIT_COMMITTER_IDENT", folder=folder)
    except CommandError:
        chosen += [f"user.name={name}", f"user.email={name}@localhost"]
    return tuple(word for setting in chosen for word in ("-c", setting))


def run_git(*arguments: str, folder: Path) -> str:
    """The output of a git command that must succeed. Raises CommandError."""
    # What git sets for hooks and aliases would lead it to another repository.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    except OSError:
        raise CommandError("git is not installed: install it (Debian: apt install git)") from None
    if result.returncode != 0:
        raise CommandError(f"git {arguments[0]} failed: {result.stderr.strip().rpartition(chr(10))[2]}")
    return result.stdout
