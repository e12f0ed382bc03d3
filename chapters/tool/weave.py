"""The chapters as git commits and tags, woven from plain files on main: the same in every clone, byte for byte.

Weaving reads only git's objects and uses only git's plumbing, so neither a work tree nor a user's configuration can
change the result.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from chapters.tool import git
from chapters.tool.sources import README, Chapter, Source
from chapters.tool.user import CourseError


@dataclass(frozen=True)
class Woven:
    """A chapter as git objects: the ids of its tree, its commit and its annotated tag."""

    chapter: Chapter
    files: git.Files
    tree: str
    commit: str
    tag: str


def weave(source: Source) -> list[Woven]:
    """Write the chain of commits and the annotated tags as objects. No reference is changed."""
    woven: list[Woven] = []
    chain = list(map(signed, source.chapters, source.chain()))
    for number, (chapter, files, tree) in enumerate(zip(source.chapters, chain, git.write_trees(chain))):
        date = git.START + 60 * number
        commit = git.write_commit(tree, chapter.subject, [before.commit for before in woven[-1:]], date)
        head = f"object {commit}\ntype commit\ntag {chapter.tag}\ntagger {git.AUTHOR} <{git.EMAIL}> {date} +0000"
        tag = git.output("mktag", stdin=f"{head}\n\n{chapter.title}\n".encode())
        woven.append(Woven(chapter, files, tree, commit, tag))
    return woven


def signed(chapter: Chapter, files: git.Files) -> git.Files:
    """The files, with a README whose second line names the chapter: on GitHub, nothing else does."""
    if README not in files:
        return files
    mode, blob = files[README]
    title, _, rest = git.read_blobs([blob])[blob].partition(b"\n")
    note = f"\n> **Chapter {chapter.number}: {chapter.title}.** Its page is [{chapter.page}]({chapter.page}).\n"
    return {**files, README: (mode, git.write_blob(title + b"\n" + note.encode() + rest))}


def set_tags(woven: list[Woven]) -> dict[str, list[str]]:
    """Make missing tags, move stale tags, and drop the tags of chapters that are gone.

    Returns the names of the tags that were `made`, `moved` and `dropped`. Raises CourseError if such a tag is the user's
    own.
    """
    shown = "--format=%(refname:strip=2) %(objectname) %(taggeremail)"
    there = {}
    for line in git.output("for-each-ref", shown, "refs/tags/ch").splitlines():
        name, there[name], tagger = line.split(" ", 2)
        if tagger != f"<{git.EMAIL}>":
            raise CourseError(
                f"The tag {name} is not the course's: git tag my-{name} {name} && git tag --delete {name}"
            )
    wanted = {item.chapter.tag: item.tag for item in woven}
    changes = {
        "made": [name for name in wanted if name not in there],
        "moved": [name for name in wanted if there.get(name, wanted[name]) != wanted[name]],
        "dropped": [name for name in there if name not in wanted],
    }
    commands = [f"create refs/tags/{name} {wanted[name]}\n" for name in changes["made"]]
    commands += [f"update refs/tags/{name} {wanted[name]} {there[name]}\n" for name in changes["moved"]]
    commands += [f"delete refs/tags/{name} {there[name]}\n" for name in changes["dropped"]]
    git.output("update-ref", "--stdin", stdin="".join(commands).encode())
    return changes


def push(woven: list[Woven], remote: str) -> None:
    """Push the tags of the chapters to a remote repository, and delete those of chapters that are gone."""
    listed = git.output("ls-remote", "--tags", "--refs", "--", remote, "refs/tags/ch/*").splitlines()
    there = {name: tag for tag, name in (line.split("\t") for line in listed)}
    wanted = {f"refs/tags/{item.chapter.tag}": item.tag for item in woven}
    stale = [f"+{name}" for name, tag in wanted.items() if there.get(name) != tag]
    stale += [f":{name}" for name in there if name not in wanted]
    if stale:
        git.output("push", "--quiet", "--", remote, *stale)
    print(f"{remote}: {len(stale)} of {len(wanted)} tags were missing or stale" if stale else f"{remote} has them all")


def print_weave(arguments: argparse.Namespace) -> None:
    """Print the id of each chapter's commit; the same in every clone."""
    for item in weave(Source(arguments.commit or git.main_commit())):
        print(item.commit, item.chapter.name)


def tags(arguments: argparse.Namespace) -> None:
    """Make the chapters' tags, move stale tags, and drop the tags of chapters that are gone."""
    woven = weave(Source(git.main_commit()))
    changes = set_tags(woven)
    numbers = ", ".join(f"{len(names)} {verb}" for verb, names in changes.items() if names)
    print(f"{len(woven)} tags{': ' if numbers else ' are there'}{numbers}")
    if arguments.push:
        push(woven, arguments.push)
