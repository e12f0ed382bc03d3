"""The course of this repository."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from chapters.tests.support.clone import Clone
from tests.support.repository import ROOT, copy_repository


class Chapter(NamedTuple):
    """A line of chapters/series."""

    name: str
    title: str

    def __str__(self) -> str:
        return self.name

    @property
    def page(self) -> Path:
        return ROOT / "docs" / f"{self.name}.md"


CHAPTERS = [Chapter(*line.split("  ", 1)) for line in (ROOT / "chapters/series").read_text().splitlines()]


def real_course(folder: Path) -> Clone:
    """This repository, changes that are not committed yet included, as a clone with one commit."""
    folder.mkdir()
    clone = Clone(folder)
    copy_repository(clone.folder)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.commit("All")
    return clone


def lay_out(folder: Path) -> dict[str, Path]:
    """The trees of this repository's chapters, each in a folder below this one."""
    clone = real_course(folder / "course")
    clone.chapter("tags")
    chapters = [tag.removeprefix("ch/") for tag in clone.tags()]
    for chapter in chapters:
        clone.git("worktree", "add", "--quiet", "--detach", folder / chapter, f"ch/{chapter}")
    return {chapter: folder / chapter for chapter in chapters}


def texts(tree: Path) -> dict[str, str]:
    """The files of a tree that git knows, and what is in them."""
    paths = subprocess.run(["git", "-C", tree, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    return {path: (tree / path).read_text(errors="replace") for path in paths.split("\0") if path}
