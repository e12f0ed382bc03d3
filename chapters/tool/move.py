"""Move between the chapters. Nothing that the learner did is lost by it."""

from __future__ import annotations

import argparse
import os
import re

from chapters.tool import git
from chapters.tool.place import course, find, where
from chapters.tool.sources import Source
from chapters.tool.user import CourseError, confirm


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
    switch(arguments, target, *command)
    print(where(woven))


def start(arguments: argparse.Namespace) -> None:
    """Go to a chapter, but leave the files that its page has you write as they are in the chapter before."""
    woven = course()
    item = find(woven, arguments.chapter)
    arguments.chapter = item.chapter.number  # from there on, next is another one
    switch(arguments, item.files, "--detach", f"tags/{item.chapter.tag}")
    print(where(woven))
    paths = []
    if item is not woven[0]:
        before = woven[woven.index(item) - 1]
        paths = to_write(item.chapter.page, item.files, before.files)
    if paths:
        git.output("restore", f"--source={before.commit}", "--worktree", "--", *paths)
    *others, last = paths or ["no file of this chapter"]
    print(f"You will write {', '.join(others)}{' and ' if others else ''}{last}.")


def switch(arguments: argparse.Namespace, target: git.Files, *command: str) -> None:
    """Check out a commit that has these files, after putting aside what that would lose."""
    make_way(arguments, target)
    git.output("-c", "advice.detachedHead=false", "checkout", "--quiet", *command)


def to_write(page: str, files: git.Files, before: git.Files) -> list[str]:
    """The files of a chapter that its page has the learner write, and that the chapter before lacks or has otherwise."""
    text = git.decode(git.read_blobs([files[page][1]])[files[page][1]]) if page in files else ""
    named = dict.fromkeys(re.findall(r"^<!-- write: (\S+) -->$", text, re.MULTILINE))
    return [path for path in named if path in files and files[path] != before.get(path)]


def make_way(arguments: argparse.Namespace, target: git.Files) -> None:
    """Put aside, as the options say, all that going to these files would lose. Raises CourseError without options."""
    unkept = git.output("rev-list", "--format=%ce %h", "HEAD", "--not", "--branches", "--tags", "--remotes", "--")
    mine = [line for line in unkept.splitlines()[1::2] if not line.startswith(f"{git.EMAIL} ")]
    if mine:
        raise CourseError(f"Your commit {mine[0].split()[1]} is on no branch: git branch my-work, and then again")
    unwritten = as_started()
    changed, untracked = sorted(changes() - unwritten), in_the_way(target)
    if changed + untracked:
        put_aside(arguments, changed, untracked)
    if left := in_the_way(target):  # git does not stash files that it ignores
        raise CourseError(f"{left[0]} is in the way: move it elsewhere, and then {again(arguments)}")
    if unwritten:
        git.output("restore", "--source=HEAD", "--staged", "--worktree", "--", *unwritten)


def put_aside(arguments: argparse.Namespace, changed: list[str], untracked: list[str]) -> None:
    """Stash or discard files of the learner, as the options say. Raises CourseError without options."""
    files = ", ".join((changed + untracked)[:3]) + (", …" if len(changed + untracked) > 3 else "")
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
        raise CourseError(f"You have changes in {files}: {again(arguments)} --stash, or --discard{beside}")


def again(arguments: argparse.Namespace) -> str:
    """What the learner typed, without options."""
    return f"scripts/chapter {arguments.verb} {arguments.chapter}"


def changes(*wanted: str) -> set[str]:
    """Tracked files that differ from the commit, or only those with one of the wanted states of git status."""
    listed = git.output("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules")
    return {line[3:] for line in listed.split("\0") if line and (not wanted or line[:2] in wanted)}


def as_started() -> set[str]:
    """The files that are as `start` left them: those of the chapter before, which are no work of the learner's."""
    head = git.output("cat-file", "commit", "HEAD")  # names the parent even where a shallow clone hides it
    form = rf"^parent (\w+)$.*^committer [^\n]*<{git.EMAIL}>[^\n]*\n.*?\n(\S+):"
    chapter = re.search(form, head, re.MULTILINE | re.DOTALL)
    if chapter is None or git.run("cat-file", "-e", chapter[1]).returncode != 0:
        return set()
    before = chapter[1]
    paths = set(to_write(f"docs/{chapter[2]}.md", git.list_tree("HEAD"), git.list_tree(before)))
    paths &= changes(" M", "M ", " D", "D ")  # not those with a third version in git's index, which would be lost
    if not paths:
        return set()
    differ = git.output("diff", "--name-only", "--no-renames", "-z", before, "--", *sorted(paths)).split("\0")
    return paths - set(differ)


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
