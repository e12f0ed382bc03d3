"""What a learner does beside moving: see the chapters, compare them, and have the work checked."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess

from chapters.tool import git
from chapters.tool.place import course, find, position, where
from chapters.tool.sources import README
from chapters.tool.user import CourseError


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
    if capstone := re.fullmatch(r"capstone-(\d)", arguments.chapter or ""):
        name, checks, page = capstone[0], f"chapters/capstones/{capstone[1]}.sh", "docs/reference/capstones.md"
    else:
        chapter = find(woven, arguments.chapter).chapter
        name, checks, page = chapter.name, f"{chapter.folder}check.sh", chapter.page
    main, script = git.main_commit(), b""
    for path in ("chapters/check.sh", checks):
        part = git.run("cat-file", "blob", f"{main}:{path}")
        if part.returncode != 0:
            raise CourseError(f"{name} has no checks ({path}): read its page, {page}")
        script += part.stdout
    if shutil.which("bash") is None:
        raise CourseError("bash is not installed: on Windows, use WSL or Git Bash")
    return subprocess.run(["bash", "-c", git.decode(script), "check"], cwd=git.ROOT, check=False).returncode
