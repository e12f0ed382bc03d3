"""Add a chapter to the course."""

from __future__ import annotations

import argparse
import re

from chapters.tool import git
from chapters.tool.place import place_of
from chapters.tool.sources import CHAPTER, SERIES, Source
from chapters.tool.user import CourseError
from chapters.tool.verify import snapshot

PAGE = """\
# {number}  {title}

*15 minutes*

What you will be able to do after this chapter, and what it needs.

## What this chapter changes

No file.

## Try it

### Recall

### Do

## What you learned

## If it fails

## Clean up

## Next
"""


def new(arguments: argparse.Namespace) -> None:
    """Add a chapter after another: its line in the series, its folder, its page."""
    source = Source(snapshot())
    place = place_of(source.chapters, arguments.after) + 1
    for line in add(source, arguments.name, place):
        print(line)
    print(
        f"Write chapters/{arguments.name}/changes and docs/{arguments.name}.md, then scripts/chapter save and verify."
    )


def add(source: Source, name: str, place: int) -> list[str]:
    """Add a chapter to the work tree at a place. Later chapters are renumbered if their numbers are taken.

    Returns one line per renamed chapter.
    """
    chapter = CHAPTER.fullmatch(f"{name}  {name[3:].replace('-', ' ').capitalize()}")
    after = source.chapters[place - 1]
    if chapter is None or chapter["number"] <= after.number:
        raise CourseError(
            f"'{name}' cannot be the name of a chapter after {after.name}: choose one such as 22-scale-out"
        )
    number = int(chapter["number"])
    renamed: dict[str, str] = {}
    for later in source.chapters[place:]:
        if int(later.number) <= number:
            renamed[later.name] = f"{number + 1:02}{later.name[2:]}"
        number = int(renamed.get(later.name, later.name)[:2])
    rename(source, renamed)
    series = (git.ROOT / SERIES).read_text(encoding="utf-8").splitlines()
    series.insert(place, chapter.group())
    (git.ROOT / SERIES).write_text("".join(f"{line}\n" for line in series), encoding="utf-8")
    (git.ROOT / "chapters" / name).mkdir()
    (git.ROOT / "chapters" / name / "changes").touch()
    (git.ROOT / "docs" / f"{name}.md").write_text(PAGE.format(**chapter.groupdict()), encoding="utf-8")
    return [f"{old} is now {now}" for old, now in renamed.items()]


def rename(source: Source, renamed: dict[str, str]) -> None:
    """Rename chapters, in all files that mention them."""
    if not renamed:
        return
    names = re.compile(rf"(?<![\w-])({'|'.join(renamed)})(?![\w-])".encode())
    contents = git.read_blobs(entry[1] for entry in source.files.values())
    for path, entry in source.files.items():
        content = names.sub(lambda match: renamed[match.group().decode()].encode(), contents[entry[1]])
        if content != contents[entry[1]]:
            (git.ROOT / path).write_bytes(content)
    for old, now in renamed.items():
        (git.ROOT / "chapters" / old).rename(git.ROOT / "chapters" / now)
        (git.ROOT / "docs" / f"{old}.md").rename(git.ROOT / "docs" / f"{now}.md")
