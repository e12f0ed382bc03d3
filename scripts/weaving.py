"""The chapters as git commits and tags, woven from plain files on main: the same in every clone, byte for byte.

Weaving reads only git's objects and uses only git's plumbing, so neither a work tree nor a user's configuration can
change the result. Needs only the standard library of Python 3.8 or newer, and git 2.25 or newer.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, Mapping, Tuple

from project import NAME

ROOT = Path(__file__).resolve().parent.parent
SERIES = "chapters/series"
# These stay on main: the last step is main without them.
NEVER_WOVEN = (".ci/", ".github/", "chapters/", "tests/chapters/", "tests/pages/", "tests/stand-ins/")

AUTHOR = NAME
EMAIL = f"chapters@{NAME}.invalid"
START = 1767225600  # 2026-01-01 00:00:00 UTC, the date of the first step; each later step is dated a minute later

STEP = re.compile(r"(?P<name>(?P<number>\d\d)-[a-z0-9]+(?:-[a-z0-9]+)*)  (?P<title>\S.*\S)")
CHANGE = re.compile(r"(?P<sign>[=+-]) (?P<path>\S|\S.*\S)")

Files = Dict[str, Tuple[str, str]]  # path: (mode, id), as git lists a tree

# Removed from git's environment: what git sets for hooks and aliases, and one variable that no option overrides.
DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_DIFF_OPTS")


class CourseError(Exception):
    """A problem for the user. The message is one line: what is wrong, then how to fix it."""


@dataclass(frozen=True)
class Step:
    """A line of the series."""

    name: str  # 05-image-tags
    title: str

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def tag(self) -> str:
        return f"ch/{self.name}"

    @property
    def folder(self) -> str:
        return f"chapters/{self.name}/"

    @property
    def page(self) -> str:
        return f"docs/{self.name}.md"

    @property
    def subject(self) -> str:
        return f"{self.name}: {self.title}"


@dataclass(frozen=True)
class Woven:
    """A step as git objects: the ids of its tree, its commit and its annotated tag."""

    step: Step
    files: Files
    tree: str
    commit: str
    tag: str


# --- git --------------------------------------------------------------------------------------------------------------


def run_git(
    *arguments: object, folder: Path = ROOT, stdin: bytes = b"", environment: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, and return the result."""
    inherited = {name: value for name, value in os.environ.items() if name not in DROPPED}
    inherited["GIT_NO_REPLACE_OBJECTS"] = "1"
    command = ["git", "-C", str(folder), *map(str, arguments)]
    return subprocess.run(command, input=stdin, env={**inherited, **environment}, capture_output=True, check=False)


def complaint(done: subprocess.CompletedProcess[bytes]) -> CourseError:
    """Git's error message, in one line."""
    said = text(done.stderr).strip().splitlines() or [f"status {done.returncode}"]
    return CourseError(f"git says: {said[-1]}")


def output(done: subprocess.CompletedProcess[bytes]) -> bytes:
    """What git printed. Raises CourseError if git failed."""
    if done.returncode != 0:
        raise complaint(done)
    return done.stdout


def git(*arguments: object, folder: Path = ROOT, stdin: bytes = b"", environment: Mapping[str, str] = {}) -> str:
    """What git prints, as text without the final newline."""
    return text(output(run_git(*arguments, folder=folder, stdin=stdin, environment=environment))).rstrip("\n")


def text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def need_clone() -> None:
    """Raise CourseError if git is not installed, or if this script is not in a clone."""
    if shutil.which("git") is None:
        raise CourseError("git is not installed: get it from https://git-scm.com/downloads, and run this again")
    done = run_git("rev-parse", "--show-toplevel")
    if done.returncode != 0 and b"safe.directory" in done.stderr:
        raise CourseError(
            f"This folder is another user's: git config --global --add safe.directory {shlex.quote(str(ROOT))}"
        )
    if done.returncode != 0 or Path(text(done.stdout).rstrip("\n")).resolve() != ROOT:
        raise CourseError(f"{ROOT} is no clone (a ZIP download has no history): get it with git clone")


def main_commit() -> str:
    """The commit that the chapters are read from, at whatever commit the work tree is.

    Raises CourseError if there is no branch main, as in a shallow clone of a tag.
    """
    for name in ("refs/heads/main", "refs/remotes/origin/main"):
        done = run_git("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        if done.returncode == 0:
            return text(done.stdout).strip()
    mend = "git remote set-branches --add origin main && git fetch --depth 1 origin main"
    raise CourseError(f"This clone lacks the branch main: {mend}")


def clone_folder() -> Path:
    """The clone's own folder, even if this script is in a worktree of it.

    Raises CourseError if this is such a worktree, and the clone's folder is not in git's configuration.
    """
    common = common_folder()
    if (ROOT / git("rev-parse", "--git-dir")).resolve() == common:
        return ROOT
    if common.name == ".git":
        return common.parent
    known = run_git("config", "core.worktree", folder=common)  # a submodule keeps its repository elsewhere
    if known.returncode != 0:  # so does a clone made with --separate-git-dir
        raise CourseError(
            f"Only the clone's own folder can do this, since its repository is apart, in {common}: go there"
        )
    return (common / text(known.stdout).rstrip("\n")).resolve()


def common_folder() -> Path:
    """The repository of the clone and of all its worktrees."""
    return (ROOT / git("rev-parse", "--git-common-dir")).resolve()


def worktrees() -> dict[Path, str]:
    """The folders of the clone and its worktrees, each with its branch (refs/heads/…); empty if it has none."""
    found: dict[Path, str] = {}
    for line in git("worktree", "list", "--porcelain").splitlines():
        word, _, value = line.partition(" ")
        if word == "worktree":
            # If the repository is elsewhere, git names it instead of the clone's folder.
            folder = clone_folder() if Path(value).resolve() == common_folder() else Path(value)
            found[folder] = ""
        elif word == "branch":
            found[folder] = value
    return found


def add_worktree(name: str, commit: str) -> Path:
    """Check a commit out into a folder beside the clone, and return the folder.

    Raises CourseError if that folder exists already.
    """
    clone = clone_folder()
    folder = clone.parent / f"{clone.name}-{name}"
    if folder.exists():
        raise CourseError(f"{folder} is there already: go on in it, or git worktree remove {folder}")
    # --force: reuse the entry of a worktree that was deleted by hand.
    git("worktree", "add", "--quiet", "--force", "--detach", folder, commit)
    return folder


# --- Trees ------------------------------------------------------------------------------------------------------------


def list_tree(tree: str) -> Files:
    """All files of a tree, or of a commit's tree."""
    files = {}
    for line in filter(None, git("ls-tree", "-r", "-z", "--full-tree", tree).split("\0")):
        entry, path = line.split("\t", 1)
        mode, _, blob = entry.split(" ")
        files[path] = (mode, blob)
    return files


def read_blobs(blobs: Iterable[str]) -> dict[str, bytes]:
    """The contents of blobs, by their ids."""
    wanted = sorted(set(blobs))
    printed = output(run_git("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in wanted).encode()))
    contents, at = {}, 0
    for blob in wanted:
        end = printed.index(b"\n", at)
        size = int(printed[at:end].split(b" ")[2])
        contents[blob] = printed[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents


@contextmanager
def temporary_index() -> Iterator[dict[str, str]]:
    """The environment in which git works on a temporary index."""
    with tempfile.TemporaryDirectory(prefix="chapter-") as folder:
        yield {"GIT_INDEX_FILE": str(Path(folder) / "index")}


def write_trees(versions: Iterable[Files]) -> list[str]:
    """The ids of trees that hold exactly these files. Trees that do not exist yet are written."""
    trees: list[str] = []
    before: Files = {}
    with temporary_index() as index:
        for files in versions:
            # Mode 0 removes a file. Removals come first: a folder may take a file's name.
            lines = [f"0 {'0' * len(blob)}\t{path}" for path, (_, blob) in before.items() if path not in files]
            lines += [f"{entry[0]} {entry[1]}\t{path}" for path, entry in files.items() if before.get(path) != entry]
            listing = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
            git("update-index", "-z", "--index-info", stdin=listing, environment=index)
            trees.append(git("write-tree", environment=index))
            before = files
    return trees


# --- The sources ------------------------------------------------------------------------------------------------------


class Source:
    """The sources of the chapters in a commit or a tree of main.

    Raises CourseError if the series or a list of changes cannot be read.
    """

    def __init__(self, tree: str) -> None:
        self.files = list_tree(tree)
        self.woven = {path: entry for path, entry in self.files.items() if not path.startswith(NEVER_WOVEN)}
        if SERIES not in self.files:
            raise CourseError(f"There is no {SERIES} here: git checkout main, and git pull where main is old")
        lists = [path for path in self.files if re.fullmatch(r"chapters/[^/]+/changes", path)]
        contents = read_blobs(self.files[path][1] for path in [SERIES, *lists])
        texts = {path: text(contents[self.files[path][1]]) for path in [SERIES, *lists]}
        self.steps = read_series(texts[SERIES])
        self.lists = {step: texts.get(f"{step.folder}changes") for step in self.steps}

    def lines(self, step: Step) -> list[str]:
        """The lines of a step's list of changes."""
        listed = self.lists[step]
        if listed is None:
            raise CourseError(f"{step.folder}changes is missing: what does {step.name} change? (an empty list is fine)")
        return listed.splitlines()

    def versions(self, step: Step) -> Files:
        """The step's own versions of files, by their paths in the step."""
        own = f"{step.folder}files/"
        return {path[len(own) :]: entry for path, entry in self.files.items() if path.startswith(own)}

    def chain(self) -> list[Files]:
        """The files of each step."""
        chain: list[Files] = []
        files: Files = {}
        for step in self.steps:
            files = self.follow(step, files)
            chain.append(files)
        return chain

    def follow(self, step: Step, before: Files) -> Files:
        """The files of a step, given those of the step before."""
        files = dict(before)
        for line in self.lines(step):
            self.apply(step, line, files)
        return files

    def apply(self, step: Step, line: str, files: Files) -> None:
        """Apply a line of a step's list to the files."""
        if not line.strip() or line.startswith("#"):
            return
        change = CHANGE.fullmatch(line)
        where = f"{step.folder}changes: '{line}'"
        if change is None:
            raise CourseError(f"{where} is none of '= path', '+ path' and '- path'")
        sign, path = change["sign"], change["path"]
        if f"{path}/".startswith(NEVER_WOVEN):
            raise CourseError(f"{where}: {path} stays on main and is never woven: drop the line")
        named = under(path, {"=": self.woven, "+": self.versions(step), "-": files}[sign])
        if not named:
            missing = {
                "=": f"main has no {path}: write '+ {path}' and add {step.folder}files/{path}, or drop the line",
                "+": f"{step.folder}files/{path} is missing: add it, or write '= {path}'",
                "-": f"{step.name} has no {path} to remove: drop the line",
            }
            raise CourseError(f"{where}: {missing[sign]}")
        if sign == "-":
            for name in named:
                del files[name]
        else:
            files.update(named)


def under(path: str, files: Files) -> Files:
    """The file at a path; if the path ends in /, all files in that folder."""
    if path.endswith("/"):
        return {name: entry for name, entry in files.items() if name.startswith(path)}
    return {path: files[path]} if path in files else {}


def read_series(content: str) -> list[Step]:
    """The steps of the series. Raises CourseError if a line is wrong, or out of order."""
    steps: list[Step] = []
    for line in content.splitlines():
        step = STEP.fullmatch(line)
        if step is None:
            raise CourseError(f"{SERIES}: '{line}' is not like '05-image-tags  Name what you ship' (two blanks)")
        if steps and step["number"] <= steps[-1].number:
            raise CourseError(f"{SERIES}: {step['name']} stands after {steps[-1].name}: the numbers must rise")
        steps.append(Step(step["name"], step["title"]))
    if not steps:
        raise CourseError(f"{SERIES} is empty: begin it with '00-start  Start'")
    return steps


# --- Commits and tags -------------------------------------------------------------------------------------------------


def identity(date: int) -> dict[str, str]:
    """The environment in which git writes commits as the chapters' author."""
    return {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", AUTHOR), ("EMAIL", EMAIL), ("DATE", f"{date} +0000"))
    }


def write_commit(tree: str, subject: str, parents: Iterable[str], date: int) -> str:
    """The id of a new commit. It depends on nothing but the arguments."""
    before = [argument for parent in parents for argument in ("-p", parent)]
    message = f"{subject}\n".encode()
    command = ("-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *before)
    return git(*command, stdin=message, environment=identity(date))


def weave(source: Source) -> list[Woven]:
    """Write the chain of commits and the annotated tags as objects. No reference is changed."""
    woven: list[Woven] = []
    chain = source.chain()
    for number, (step, files, tree) in enumerate(zip(source.steps, chain, write_trees(chain))):
        date = START + 60 * number
        commit = write_commit(tree, step.subject, [before.commit for before in woven[-1:]], date)
        head = f"object {commit}\ntype commit\ntag {step.tag}\ntagger {AUTHOR} <{EMAIL}> {date} +0000"
        tag = git("mktag", stdin=f"{head}\n\n{step.title}\n".encode())
        woven.append(Woven(step, files, tree, commit, tag))
    return woven


def set_tags(woven: list[Woven]) -> dict[str, list[str]]:
    """Make missing tags, move stale tags, and drop the tags of steps that are gone.

    Returns the tags that were `made`, `moved` and `dropped`. Raises CourseError if the user has a tag of such a name.
    """
    shown = "--format=%(refname:strip=2) %(objectname) %(taggeremail)"
    there = {}
    for line in git("for-each-ref", shown, "refs/tags/ch").splitlines():
        name, there[name], tagger = line.split(" ", 2)
        if tagger != f"<{EMAIL}>":
            raise CourseError(
                f"The tag {name} is not the course's: git tag my-{name} {name} && git tag --delete {name}"
            )
    wanted = {item.step.tag: item.tag for item in woven}
    done = {
        "made": [name for name in wanted if name not in there],
        "moved": [name for name in wanted if there.get(name, wanted[name]) != wanted[name]],
        "dropped": [name for name in there if name not in wanted],
    }
    commands = [f"create refs/tags/{name} {wanted[name]}\n" for name in done["made"]]
    commands += [f"update refs/tags/{name} {wanted[name]} {there[name]}\n" for name in done["moved"]]
    commands += [f"delete refs/tags/{name} {there[name]}\n" for name in done["dropped"]]
    git("update-ref", "--stdin", stdin="".join(commands).encode())
    return done
