"""Bring into a copy of this project what has changed here since the copy was made."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from pathlib import Path

from lib.commands import CommandError, need
from lib.scaffold import ORIGIN, ROOT, head, run_git, settings

MADE_FROM = re.compile(rf"^{ORIGIN}: ([0-9a-f]{{40,64}}) (.+)$", re.MULTILINE)


def update(folder: Path) -> str:
    """Merge into a copy, on a new branch, what has changed here since it was made or last updated.

    The copy of then and the copy of now are made once more, both with the copy's own options. What differs between them
    is one commit, which git picks: a three-way merge with the copy of then as its base.

    Args:
        folder: a repository that scripts/new-service made, or a clone of it.

    Returns:
        What was done, in one line.

    Raises:
        CommandError: it is no such folder, it has changes that are not committed, or there are conflicts to resolve.
    """
    folder = folder.resolve()
    then, words = _origin(folder)
    now = head()
    if now is None:
        raise CommandError("this folder has no history to compare with: git clone the project, and start it from there")
    if run_git("status", "--porcelain", folder=folder):
        raise CommandError(f"{folder} has changes that are not committed: git commit, or git stash --include-untracked")
    branch = f"update-{now[:12]}"
    if run_git("branch", "--list", branch, folder=folder):
        raise CommandError(f"the branch {branch} is there already: git merge {branch}, or git branch -D {branch}")
    before, after = (_made_again(commit, words, folder) for commit in (then, now))
    added = run_git("diff", "--name-only", "--diff-filter=A", "-z", before, after, folder=folder).split("\0")
    tracked = run_git("ls-files", "-z", folder=folder).split("\0")
    for path in set(added) - set(tracked):
        if (folder / path).exists():  # git ignores it, and would overwrite it
            raise CommandError(f"{folder / path} is a new file here, too: move yours away, then start this again")
    if not run_git("diff", "--name-only", before, after, folder=folder):
        return f"{folder} is up to date"
    asked_nothing = settings(folder, shlex.split(words)[0])
    message = run_git("log", "-1", "--format=%B", after, folder=folder).replace("Start", "Update", 1)
    change = run_git(
        *asked_nothing, "commit-tree", f"{after}^{{tree}}", "-p", before, "-m", message, folder=folder
    ).strip()
    run_git("switch", "--quiet", "--create", branch, folder=folder)
    try:
        run_git(*asked_nothing, "cherry-pick", "--allow-empty", "--keep-redundant-commits", change, folder=folder)
    except CommandError:
        conflicts = run_git("diff", "--name-only", "--diff-filter=U", folder=folder).split("\n")[:-1]
        if not conflicts:  # for example, a full disk
            run_git("switch", "--quiet", "--discard-changes", "-", folder=folder)
            run_git("branch", "--quiet", "-D", branch, folder=folder)
            raise
        raise CommandError(
            f"{branch} has conflicts ({', '.join(conflicts)}): resolve them, git add the files, then "
            "git cherry-pick --continue; git cherry-pick --abort gives up"
        ) from None
    return f"{folder} is on the branch {branch}: run its tests, then merge it"


def _origin(folder: Path) -> tuple[str, str]:
    """The commit here that a copy was made from, or last updated to, and its options."""
    made = []
    if (folder / ".git").exists():
        made = MADE_FROM.findall(run_git("log", "-1", f"--grep=^{ORIGIN}: ", "--format=%B", folder=folder))
    if not made:
        raise CommandError(
            f"{folder} is no copy that can be updated: name the top folder of one that has its whole history, "
            "and was made in a clone, not in an archive"
        )
    return str(made[-1][0]), str(made[-1][1])


def _made_again(commit: str, words: str, folder: Path) -> str:
    """The commit in the folder's repository, on no branch, that holds the copy of a version of this project."""
    try:
        run_git("cat-file", "-e", f"{commit}^{{commit}}", folder=ROOT)
    except CommandError:
        raise CommandError(f"{ROOT} does not have the commit {commit}: git pull, or git fetch --unshallow") from None
    with tempfile.TemporaryDirectory() as place:
        project, copy = f"{place}/project", f"{place}/copy"
        run_git("clone", "--quiet", "--shared", "--no-checkout", str(ROOT), project, folder=ROOT)
        run_git("checkout", "--quiet", "--detach", commit, folder=Path(project))
        command = (sys.executable, f"{project}/scripts/new-service", *shlex.split(words), copy)
        need(*command, advice=f"run it by hand at the commit {commit} to see why")
        run_git("fetch", "--quiet", "--no-tags", copy, "main", folder=folder)
    return run_git("rev-parse", "FETCH_HEAD", folder=folder).strip()
