"""What a learner does: see the chapters, move between them, compare them, and have the work checked."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess

from chapters.tool import git
from chapters.tool.place import course, find, position, where
from chapters.tool.sources import README, Source
from chapters.tool.user import CourseError, confirm


def list_chapters(arguments: argparse.Namespace) -> None:
    """The chapters: tag, title and page; * marks where you are."""
    woven = course()
    here = position(woven)
    width = max(len(item.chapter.name) for item in woven)
    longest = max(len(item.chapter.title) for item in woven)
    for place, item in enumerate(woven):
        chapter = item.chapter
        mark = "*" if place == here else " "
        print(f"{mark} {chapter.name:{width}}  {chapter.title:{longest}}  {chapter.page}")
    print(where(woven))


def go(arguments: argparse.Namespace) -> None:
    """Switch the work tree to a chapter, or back to main. Changes that you did not commit are never lost."""
    woven = course()
    if arguments.chapter == "main":
        command, target = ["main"], Source(git.main_commit()).files
        if git.run("rev-parse", "--quiet", "--verify", "refs/heads/main").returncode != 0:
            command = ["-b", "main", "--track", "origin/main"]
    else:
        item = find(woven, arguments.chapter)
        command, target = ["--detach", f"tags/{item.chapter.tag}"], item.files
    make_way(arguments, target)
    git.output("-c", "advice.detachedHead=false", "checkout", "--quiet", *command)
    print(where(woven))


def make_way(arguments: argparse.Namespace, target: git.Files) -> None:
    """Put aside, as the options say, all that going to these files would lose. Raises CourseError without options."""
    unkept = git.output("rev-list", "--format=%ce %h", "HEAD", "--not", "--branches", "--tags", "--remotes", "--")
    mine = [line for line in unkept.splitlines()[1::2] if not line.startswith(f"{git.EMAIL} ")]
    if mine:
        raise CourseError(f"Your commit {mine[0].split()[1]} is on no branch: git branch my-work, and then again")
    changed, untracked = changes(), in_the_way(target)
    if not changed + untracked:
        return
    files = ", ".join((changed + untracked)[:3]) + (", …" if len(changed + untracked) > 3 else "")
    again = f"scripts/chapter go {arguments.chapter}"
    if arguments.stash:
        git.output("stash", "push", "--quiet", *(["--include-untracked"] if untracked else []))
        print("Your changes are in git's stash: git stash pop, at the chapter you made them, brings them back.")
    elif arguments.discard:
        confirm(f"Throw away your changes in {files}?")
        git.output("reset", "--quiet", "--hard")
        for path in untracked:
            (git.ROOT / path).unlink()
    else:
        beside = "" if arguments.chapter == "main" else f", or scripts/chapter open {arguments.chapter}"
        raise CourseError(f"You have changes in {files}: {again} --stash, or --discard{beside}")
    if left := in_the_way(target):  # git does not stash files that it ignores
        raise CourseError(f"{left[0]} is in the way: move it elsewhere, and then {again}")


def changes() -> list[str]:
    """Tracked files that differ from the commit."""
    listed = git.output("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules")
    return [line[3:] for line in listed.split("\0") if line]


def in_the_way(target: git.Files) -> list[str]:
    """Files that git does not track here and that these would overwrite, including ignored files."""
    tracked = set(git.output("ls-files", "-z").split("\0"))
    coming = target.keys() - tracked
    folders = {"/".join(path.split("/")[:depth]) for path in coming for depth in range(1, path.count("/") + 1)}
    return sorted(
        path
        for path in (coming | folders) - tracked
        if os.path.lexists(git.ROOT / path) and not (git.ROOT / path).is_dir()
    )


def diff(arguments: argparse.Namespace) -> int:
    """Show what a chapter changed, as git diff does."""
    woven = course()
    item = find(woven, arguments.chapter)
    place = woven.index(item)
    before = woven[place - 1].tree if place else git.output("hash-object", "-t", "tree", "--stdin")
    compared = (before, item.tree, "--", ".", f":!{README}")
    if git.run("diff", "--quiet", *compared).returncode == 0:
        print(f"{item.chapter.name} changes no file.")
        return 0
    return subprocess.run(["git", "-C", git.ROOT, "diff", *compared], check=False).returncode


def open_chapter(arguments: argparse.Namespace) -> None:
    """Put a chapter into a separate folder beside the clone, to compare it with another."""
    woven = course()
    item = find(woven, arguments.chapter)
    folder = os.path.relpath(git.add_worktree(item.chapter.name, f"tags/{item.chapter.tag}"))
    print(f"{item.chapter.name} is in {folder}; when you are done: git worktree remove {folder}")


def check(arguments: argparse.Namespace) -> int:
    """Check your work: run the chapter's checks on your containers, images, volumes, networks and files."""
    woven = course()
    chapter = find(woven, arguments.chapter).chapter
    main, script = git.main_commit(), b""
    for path in ("chapters/check.sh", f"{chapter.folder}check.sh"):
        part = git.run("cat-file", "blob", f"{main}:{path}")
        if part.returncode != 0:
            raise CourseError(f"{chapter.name} has no checks ({path}): read its page, {chapter.page}")
        script += part.stdout
    if shutil.which("bash") is None:
        raise CourseError("bash is not installed: on Windows, use WSL or Git Bash")
    return subprocess.run(["bash", "-c", git.decode(script), "check"], cwd=git.ROOT, check=False).returncode
