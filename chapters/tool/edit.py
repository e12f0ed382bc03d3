"""Change a chapter in a worktree, and carry the change through the chapters after it."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from chapters.tool import git
from chapters.tool.export import export
from chapters.tool.place import find
from chapters.tool.review import changed
from chapters.tool.sources import EVERYWHERE, README, Source, stays_on_main
from chapters.tool.user import CourseError
from chapters.tool.weave import Woven, weave

# Temporary commits: ignore the user's signing and hook settings.
PLAIN = ("-c", "commit.gpgSign=false", "-c", f"core.hooksPath={os.devnull}")


@dataclass(frozen=True)
class Edit:
    """The state of a worktree in which a chapter is edited. It is kept in a file in git's folder for that worktree."""

    main: str  # the commit that was woven
    chapter: str
    changed: str = ""  # the chapter's new commit, once the change is being carried to the later chapters


def edit(arguments: argparse.Namespace) -> None:
    """Change a chapter, in a worktree beside the clone."""
    main = git.main_commit()
    item = find(weave(Source(main)), arguments.chapter)
    folder = git.add_worktree(f"edit-{item.chapter.name}", item.commit)
    state_file(folder).write_text(f"{main} {item.chapter.name}")
    print(f"Change {item.chapter.name} in {folder}, and then run scripts/chapter save there (or save --abort).")


def state_file(folder: Path) -> Path:
    return folder / git.output("rev-parse", "--git-path", "chapter-edit", folder=folder)


def current() -> Edit | None:
    """The edit that this work tree was made for, if any."""
    file = state_file(git.ROOT)
    return Edit(*file.read_text().split()) if file.exists() else None


def finish(edit: Edit) -> tuple[list[str], Path]:
    """Carry the changes of this worktree through the later chapters, and stage the outcome on main.

    Returns the names of the chapters that changed, and the folder of main's work tree. Raises CourseError if a chapter
    conflicts. Once the conflict is resolved, the next call goes on from there.
    """
    woven = weave(Source(edit.main))
    place = next(place for place, item in enumerate(woven) if item.chapter.name == edit.chapter)
    home = next((folder for folder, branch in git.worktrees().items() if branch == "refs/heads/main"), None)
    if home is None:
        raise CourseError(
            f"No work tree is on main, where the outcome goes: cd {git.clone_folder()} && git checkout main"
        )
    if edit.changed:
        go_on()
    else:
        change(edit, woven[place])
        carry(*(item.commit for item in woven[place + 1 :]))
    source = Source(edit.main)
    chain = [unsigned(source, files) for files in (*(item.files for item in woven[:place]), *carried(woven[place:]))]
    files = export(source, chain, chain[-1])
    tree = git.write_trees([files])[0]
    outcome = git.write_commit(tree, f"Change {edit.chapter}", [edit.main], git.START)
    # As an ordinary change to main, which may have moved on meanwhile.
    result = git.run("cherry-pick", "--no-commit", outcome, folder=home)
    if result.returncode != 0:
        if conflicts(home):
            fix = f"resolve that in {home}, then git worktree remove --force {git.ROOT}"
            raise CourseError(f"main has moved on, and conflicts in {conflicts(home)}: {fix}")
        raise CourseError(f"{home} has changes in the same files: commit them there, then scripts/chapter save here")
    names = [name for name, _ in changed(source, Source(tree))]
    remove()
    return names, home


def change(edit: Edit, item: Woven) -> None:
    """Make the chapter's new commit from all changes in the worktree, committed or not."""
    git.output("-c", "core.autocrlf=false", "add", "--all")
    tree = git.output("write-tree")
    if tree == item.tree:
        raise CourseError("Nothing is changed here: change something, or scripts/chapter save --abort")
    files = git.list_tree(tree)
    for path in sorted(item.files.keys() | files.keys()):
        if item.files.get(path) != files.get(path) and (path.startswith(EVERYWHERE) or stays_on_main(path)):
            raise CourseError(f"{path} is the same in every chapter, or in none: undo that here, and change it on main")
    parents = git.output("rev-parse", f"{item.commit}^@").split()
    commit = git.write_commit(tree, item.chapter.subject, parents, git.START)
    git.output("reset", "--soft", commit)
    state_file(git.ROOT).write_text(f"{edit.main} {edit.chapter} {commit}")


def go_on() -> None:
    """Commit a resolved conflict as its chapter's outcome, and go on with the chapters after it."""
    if conflicts(git.ROOT):
        raise CourseError(
            f"There are still conflicts in {conflicts(git.ROOT)}: resolve them and git add, then scripts/chapter save"
        )
    if (git.ROOT / git.output("rev-parse", "--git-path", "CHERRY_PICK_HEAD")).exists():
        commit = ("commit", "--quiet", "--allow-empty", "--reuse-message=CHERRY_PICK_HEAD")
        git.output(*PLAIN, *commit, environment=git.identity(git.START))
    if (git.ROOT / git.output("rev-parse", "--git-path", "sequencer")).exists():
        carry("--continue")


def carry(*what: str) -> None:
    """Cherry-pick chapters onto the one before them, including chapters that change nothing."""
    if not what:
        return
    keep = () if what == ("--continue",) else ("--allow-empty", "--keep-redundant-commits")
    environment = {"GIT_EDITOR": "true", **git.identity(git.START)}
    result = git.run(*PLAIN, "cherry-pick", *keep, *what, environment=environment)
    if result.returncode != 0 and conflicts(git.ROOT):
        chapter = subject("CHERRY_PICK_HEAD").partition(":")[0]
        fix = "resolve that and git add, then scripts/chapter save; or scripts/chapter save --abort"
        raise CourseError(f"{chapter} conflicts in {conflicts(git.ROOT)}: {fix}")
    if result.returncode != 0:
        raise git.failure(result)


def subject(commit: str) -> str:
    return git.output("rev-list", "--max-count=1", "--format=%s", "--encoding=UTF-8", commit).splitlines()[1]


def conflicts(folder: Path) -> str:
    """The paths with unresolved conflicts."""
    return ", ".join(git.output("diff", "--name-only", "--diff-filter=U", folder=folder).splitlines())


def carried(woven: list[Woven]) -> list[git.Files]:
    """The files of the edited chapter and of those after it, as they are now."""
    commits = git.output("rev-list", "--reverse", f"--max-count={len(woven)}", "HEAD").split()
    now = [subject(commit) for commit in commits]
    if now != [item.chapter.subject for item in woven]:
        raise CourseError("A chapter's commit is missing: scripts/chapter save --abort, and edit it again")
    return [git.list_tree(commit) for commit in commits]


def unsigned(source: Source, files: git.Files) -> git.Files:
    """The files, with the README as it is on main."""
    return {**files, README: source.woven[README]} if README in files else files


def remove() -> None:
    """Remove this worktree. Its changes are on main, or not wanted."""
    git.output("worktree", "remove", "--force", git.ROOT, folder=git.common_folder())
