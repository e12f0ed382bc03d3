"""git, as the tool calls it: nothing that a user has configured changes a result."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chapters.tool.user import CourseError

ROOT = Path(__file__).resolve().parent.parent.parent
AUTHOR = "flask-mongo-app"
EMAIL = f"chapters@{AUTHOR}.invalid"
START = 1767225600  # 2026-01-01 00:00:00 UTC, the date of the first chapter; each later chapter is dated a minute later
Files = dict[str, tuple[str, str]]  # path: (mode, id), as git lists a tree

# Removed from git's environment: what git sets for hooks and aliases, and one variable that no option overrides.
DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_DIFF_OPTS")


def run(
    *arguments: object, folder: Path = ROOT, stdin: bytes = b"", environment: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, and return the result."""
    inherited = {name: value for name, value in os.environ.items() if name not in DROPPED}
    inherited["GIT_NO_REPLACE_OBJECTS"] = "1"
    command = ["git", "-C", str(folder), *map(str, arguments)]
    return subprocess.run(command, input=stdin, env={**inherited, **environment}, capture_output=True, check=False)


def failure(result: subprocess.CompletedProcess[bytes]) -> CourseError:
    """Git's error message, in one line. Hints may follow the line with the error."""
    lines = decode(result.stderr).strip().splitlines() or [f"exit status {result.returncode}"]
    return CourseError(f"git: {next((line for line in lines if line.startswith(('fatal:', 'error:'))), lines[-1])}")


def checked(result: subprocess.CompletedProcess[bytes]) -> bytes:
    """What git printed. Raises CourseError if git failed."""
    if result.returncode != 0:
        raise failure(result)
    return result.stdout


def output(*arguments: object, folder: Path = ROOT, stdin: bytes = b"", environment: Mapping[str, str] = {}) -> str:
    """Run git, and return what it printed as text, without the final newline. Raises CourseError if git failed."""
    return decode(checked(run(*arguments, folder=folder, stdin=stdin, environment=environment))).rstrip("\n")


def decode(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def need_clone() -> None:
    """Raise CourseError if git is not installed, or if the tool is not in a clone."""
    if shutil.which("git") is None:
        raise CourseError("git is not installed: get it from https://git-scm.com/downloads, and run this again")
    result = run("rev-parse", "--show-toplevel")
    if result.returncode != 0 and b"safe.directory" in result.stderr:
        raise CourseError(
            f"This folder is another user's: git config --global --add safe.directory {shlex.quote(str(ROOT))}"
        )
    if result.returncode != 0 or Path(decode(result.stdout).rstrip("\n")).resolve() != ROOT:
        raise CourseError(f"{ROOT} is not a clone (a ZIP download has no history): get it with git clone")


def main_commit() -> str:
    """The commit that the chapters are read from, at whatever commit the work tree is.

    Raises CourseError if there is no branch main, as in a shallow clone of a tag.
    """
    for name in ("refs/heads/main", "refs/remotes/origin/main"):
        result = run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        if result.returncode == 0:
            return decode(result.stdout).strip()
    fix = "git remote set-branches --add origin main && git fetch --depth 1 origin main"
    raise CourseError(f"This clone lacks the branch main: {fix}")


def clone_folder() -> Path:
    """The clone's own folder, even if the tool is in a worktree of it.

    Raises CourseError if this is such a worktree, and the clone's folder is not in git's configuration.
    """
    common = common_folder()
    if (ROOT / output("rev-parse", "--git-dir")).resolve() == common:
        return ROOT
    if common.name == ".git":
        return common.parent
    known = run("config", "core.worktree", folder=common)  # a submodule keeps its repository elsewhere
    if known.returncode != 0:  # so does a clone made with --separate-git-dir
        raise CourseError(
            f"Only the clone's own folder can do this, since its repository is apart, in {common}: go there"
        )
    return (common / decode(known.stdout).rstrip("\n")).resolve()


def common_folder() -> Path:
    """The repository of the clone and of all its worktrees."""
    return (ROOT / output("rev-parse", "--git-common-dir")).resolve()


def worktrees() -> dict[Path, str]:
    """The folders of the clone and its worktrees, each with its branch (refs/heads/…); empty if it has none."""
    found: dict[Path, str] = {}
    for line in output("worktree", "list", "--porcelain").splitlines():
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
    output("worktree", "add", "--quiet", "--force", "--detach", folder, commit)
    return folder


# --- Trees and commits -------------------------------------------------------------------------------------------------


def list_tree(tree: str) -> Files:
    """All files of a tree, or of a commit's tree."""
    files = {}
    for line in filter(None, output("ls-tree", "-r", "-z", "--full-tree", tree).split("\0")):
        entry, path = line.split("\t", 1)
        mode, _, blob = entry.split(" ")
        files[path] = (mode, blob)
    return files


def read_blobs(blobs: Iterable[str]) -> dict[str, bytes]:
    """The contents of blobs, by their ids."""
    wanted = sorted(set(blobs))
    printed = checked(run("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in wanted).encode()))
    contents, at = {}, 0
    for blob in wanted:
        end = printed.index(b"\n", at)
        size = int(printed[at:end].split(b" ")[2])
        contents[blob] = printed[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents


def write_blob(content: bytes) -> str:
    return output("hash-object", "-w", "--stdin", stdin=content)


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
            output("update-index", "-z", "--index-info", stdin=listing, environment=index)
            trees.append(output("write-tree", environment=index))
            before = files
    return trees


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
    return output(*command, stdin=message, environment=identity(date))
