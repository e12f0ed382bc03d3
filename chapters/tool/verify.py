"""Check the course: the sources, the pages, and the trees that are woven."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from typing import Callable

from chapters.tool import git
from chapters.tool.sources import EVERYWHERE, SERIES, Chapter, Source, everywhere_of
from chapters.tool.user import CourseError

MARKER = re.compile(rb"^(<{7}|\|{7}|>{7}) ", re.MULTILINE)


def verify(arguments: argparse.Namespace) -> int:
    """Check the course in this work tree, including uncommitted changes."""
    source = Source(snapshot())
    found = problems(source)
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        print(f"{len(source.chapters)} chapters are in order.")
    return min(len(found), 1)


def snapshot() -> str:
    """The id of a tree of this work tree as it is now, without the files that git ignores."""
    with git.temporary_index() as index:
        current = git.ROOT / git.output("rev-parse", "--git-path", "index")
        if current.exists():  # with what git knows about the files, it need not read them again
            # With its time: git reads a file again that changed in the second in which the index was written.
            shutil.copy2(current, index["GIT_INDEX_FILE"])
        git.output("-c", "core.autocrlf=false", "add", "--all", environment=index)
        return git.output("write-tree", environment=index)


def problems(source: Source) -> list[str]:
    """All problems of the course: one line per problem, with its fix."""
    found: list[str] = []
    chain: list[git.Files] = []
    files: git.Files = {}
    for chapter in source.chapters:
        files = dict(files)
        found += failure(source.lines, chapter)
        for line in (source.lists[chapter] or "").splitlines():
            found += failure(source.apply, chapter, line, files)
        chain.append(files)
    found += wrong_sources(source)
    found += wrong_pages(source)
    found += wrong_trees(source, chain)
    return found


def failure(action: Callable[..., object], *arguments: object) -> list[str]:
    """The problem that an action reports, if any."""
    try:
        action(*arguments)
    except CourseError as problem:
        return [str(problem)]
    return []


def wrong_sources(source: Source) -> list[str]:
    """Files in chapters/ that no chapter uses, and conflict markers that a merge left behind."""
    found = []
    names = {chapter.name for chapter in source.chapters}
    folders = {path.split("/")[1] for path in source.files if re.match(r"chapters/\d\d[^/]*/", path)}
    found += [
        f"chapters/{name}/ is not a chapter: name it in {SERIES}, or remove it" for name in sorted(folders - names)
    ]
    found += unused(source)
    for chapter in source.chapters:
        listed = own_versions(source, chapter)
        for path, entry in source.versions(chapter).items():
            if path in listed and source.woven.get(path) == entry:
                found.append(
                    f"{chapter.folder}files/{path} is as on main now: scripts/chapter save makes it '= {path}'"
                )
    contents = git.read_blobs(entry[1] for entry in source.files.values() if entry[0] != "160000")
    found += [
        f"{path} has a conflict marker ({match.group(1).decode()}): resolve the conflict"
        for path, entry in source.files.items()
        for match in [MARKER.search(contents.get(entry[1], b""))]
        if match
    ]
    return found


def own_versions(source: Source, chapter: Chapter) -> set[str]:
    """The paths for which a chapter's list names its own version."""
    return {line[2:] for line in (source.lists[chapter] or "").splitlines() if line.startswith("+ ")}


def unused(source: Source) -> list[str]:
    """Versions of files that no list names."""
    return [
        f"{chapter.folder}files/{path} is not used: write '+ {path}' in {chapter.folder}changes, or remove it"
        for chapter in source.chapters
        for path in source.versions(chapter).keys() - own_versions(source, chapter)
    ]


def wrong_pages(source: Source) -> list[str]:
    """Pages without a chapter, and chapters without a page."""
    pages = {path for path in source.files if re.fullmatch(r"docs/\d\d-[^/]+\.md", path)}
    chapters = {chapter.page for chapter in source.chapters}
    found = [f"{page} is missing: each chapter of {SERIES} has its page" for page in sorted(chapters - pages)]
    return found + [
        f"{page} has no chapter in {SERIES}: add the chapter, or rename the page" for page in sorted(pages - chapters)
    ]


def wrong_trees(source: Source, chain: list[git.Files]) -> list[str]:
    """Differences between the last chapter and main, and chapters that lack a file which every chapter must have."""
    found = []
    last, files = source.chapters[-1].name, chain[-1]
    for path in sorted(source.woven.keys() | files.keys()):
        if path not in source.woven:
            found.append(f"{path} is not on main, but in {last}, the last chapter: '- {path}' where it goes")
        elif source.woven[path] != files.get(path):
            found.append(f"{path} is not as on main in {last}, the last chapter: '= {path}' where it belongs")
    everywhere = everywhere_of(source.woven)
    for chapter, files in zip(source.chapters, chain):
        here = everywhere_of(files)
        wrong = sorted(path for path in everywhere.keys() | here.keys() if everywhere.get(path) != here.get(path))
        if wrong:
            line = next(path for path in EVERYWHERE if wrong[0].startswith(path))
            fix = f"'= {line}' in {source.chapters[0].name}, and no line after it"
            found.append(f"{chapter.name}: {wrong[0]} must be as on main in every chapter: {fix}")
    return found
