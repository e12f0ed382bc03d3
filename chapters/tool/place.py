"""Where the learner is, and which chapter a name means."""

from __future__ import annotations

from chapters.tool import git
from chapters.tool.sources import Chapter, Source
from chapters.tool.user import CourseError
from chapters.tool.weave import Woven, set_tags, weave


def course() -> list[Woven]:
    """The chapters as main has them, with their tags made or corrected."""
    woven = weave(Source(git.main_commit()))
    set_tags(woven)
    return woven


def position(woven: list[Woven]) -> int | None:
    """The index of the chapter that HEAD is at, or is based on."""
    shown = ("--format=%s", "--encoding=UTF-8", "--max-count=1", "--fixed-strings", f"--committer=<{git.EMAIL}>")
    last = git.decode(git.run("rev-list", *shown, "HEAD", "--").stdout).splitlines()  # 'commit ID', and the subject
    name = last[1].partition(":")[0] if last else ""
    return next((place for place, item in enumerate(woven) if item.chapter.name == name), None)


def branch() -> str:
    """The branch of the work tree; empty if HEAD is detached."""
    return git.decode(git.run("symbolic-ref", "--quiet", "--short", "HEAD").stdout).strip()


def where(woven: list[Woven]) -> str:
    """Where you are, as a sentence."""
    place = position(woven)
    if place is not None:
        chapter = woven[place].chapter
        return f"You are at {chapter.subject} ({chapter.page})"
    return f"You are on {branch()}." if branch() else "You are at no chapter: scripts/chapter go 00"


def find(woven: list[Woven], wanted: str | None) -> Woven:
    """The chapter that was asked for; by default, the one where you are."""
    if wanted not in (None, "next", "prev"):
        return woven[place_of([item.chapter for item in woven], wanted)]
    place = position(woven)
    if place is None:
        raise CourseError(f"{where(woven).split(':')[0].rstrip('.')}, which is not a chapter: name one, such as 00")
    place += {None: 0, "next": 1, "prev": -1}[wanted]
    if not 0 <= place < len(woven):
        raise CourseError(f"This is the {'first' if place < 0 else 'last'} chapter: scripts/chapter list shows all")
    return woven[place]


def place_of(chapters: list[Chapter], wanted: str) -> int:
    """The place of a chapter by any of its names: 05, 5, image-tags, 05-image-tags, ch/05-image-tags."""
    number = wanted.zfill(2) if wanted.isdigit() else None
    for place, chapter in enumerate(chapters):
        if wanted in (chapter.name, chapter.tag, chapter.name[3:]) or number == chapter.number:
            return place
    raise CourseError(f"There is no chapter '{wanted}': scripts/chapter list shows all")
