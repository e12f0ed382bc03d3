"""What a change of main does to the chapters."""

from __future__ import annotations

import argparse
import re

from chapters.tool import git
from chapters.tool.sources import Source, everywhere_of
from chapters.tool.user import CourseError


def review(arguments: argparse.Namespace) -> None:
    """Show which chapters HEAD changes since it left BASE; each must be named by a trailer, Chapters-Changed: 05 06."""
    common = git.run("merge-base", arguments.base, "HEAD")
    if common.returncode == 1:
        raise CourseError(f"HEAD and {arguments.base} have no commit in common here: git fetch --unshallow")
    if common.returncode != 0:
        raise git.failure(common)
    base = git.decode(common.stdout).strip()
    names = announced(base).replace(",", " ").split()
    found = changed(Source(base), Source("HEAD"))
    for _, shown in found:
        print(shown)
    quiet = [name for name, _ in found if not {name, name[:2]} & set(names)]
    if quiet:
        trailer = f"Chapters-Changed: {' '.join(name[:2] for name in quiet)}"
        raise CourseError(
            f"{', '.join(quiet)} changed, and no commit names that: if it is meant, end one with '{trailer}'"
        )
    print(f"Changed: {', '.join(name for name, _ in found) or 'no chapter'}.")


def changed(old: Source, new: Source) -> list[tuple[str, str]]:
    """The names of the chapters that changed between two versions of main, each with its range-diff.

    A chapter counts as changed if its changes to the chapter before differ. An inherited difference does not count.
    """
    before, after = patches(old), patches(new)
    found = []
    for name, (parent, commit) in after.items():
        if name in before and before[name] != (parent, commit):
            ranges = ("{}..{}".format(*before[name]), f"{parent}..{commit}")
            # With so large a factor, git pairs the two however much they differ.
            shown = git.output("range-diff", "--no-color", "--creation-factor=9999", *ranges)
            if not re.match(r"1: +\w+ = 1: ", shown):
                found.append((name, shown))
    return found


def patches(source: Source) -> dict[str, tuple[str, str]]:
    """For each chapter, a commit of the chapter before it and one of its own, without the files of every chapter."""
    chain = [{path: files[path] for path in files.keys() - everywhere_of(files).keys()} for files in source.chain()]
    trees = git.write_trees([{}, *chain])
    found = {}
    for chapter, before, after in zip(source.chapters, trees, trees[1:]):
        parent = git.write_commit(before, "before", [], git.START)
        found[chapter.name] = (parent, git.write_commit(after, chapter.subject, [parent], git.START))
    return found


def announced(base: str) -> str:
    """The values of the trailers Chapters-Changed: in the commits since a base."""
    lines = git.output("rev-list", "--format=%B", f"{base}..HEAD", "--").splitlines()
    return " ".join(line.partition(":")[2] for line in lines if line.lower().startswith("chapters-changed:"))
