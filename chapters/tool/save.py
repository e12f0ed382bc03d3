"""Bring chapters/ up to date: with the lists of this work tree, or with a chapter that was edited."""

from __future__ import annotations

import argparse

from chapters.tool import git
from chapters.tool.edit import current, finish, remove
from chapters.tool.export import export
from chapters.tool.sources import Source
from chapters.tool.user import CourseError, confirm
from chapters.tool.verify import snapshot, unused


def save(arguments: argparse.Namespace) -> None:
    """Carry an edit through the later chapters; without one, bring chapters/ up to date with its lists."""
    edit = current()
    if edit is None:
        if arguments.abort:
            raise CourseError("No chapter is being edited in this work tree: scripts/chapter edit 05 starts that")
        print("\n".join(save_sources()) or "chapters/ is up to date.")
    elif arguments.abort:
        confirm(f"Remove {git.ROOT}, and all your changes in it?")
        remove()
    else:
        changed, home = finish(edit)
        trailer = f"Chapters-Changed: {' '.join(name[:2] for name in changed)}"
        print(f"Changed: {', '.join(changed)}. All is staged on main in {home}; commit it there:")
        print(f"    git commit --message 'What, and why' --message '{trailer}'")


def save_sources() -> list[str]:
    """Weave this work tree, and write the result back to its chapters/. Returns the paths that changed."""
    source = Source(snapshot())
    for problem in unused(source):
        raise CourseError(problem)
    files = export(source, source.chain(), source.woven)
    changed = sorted(path for path in files.keys() | source.files.keys() if files.get(path) != source.files.get(path))
    contents = git.read_blobs(files[path][1] for path in changed if path in files)
    for path in changed:
        if path in files:
            (git.ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (git.ROOT / path).write_bytes(contents[files[path][1]])
        else:
            (git.ROOT / path).unlink()
    return changed
