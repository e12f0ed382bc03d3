"""The sources that weave into given chapters: the exact inverse of weaving."""

from __future__ import annotations

from chapters.tool import git
from chapters.tool.sources import Chapter, Source, under


def export(source: Source, chain: list[git.Files], woven: git.Files) -> git.Files:
    """The files of main that weave into this chain. The last chapter has all woven files of main.

    Lists of changes keep their lines, comments and order wherever these still describe the chapter.
    """
    never = {path: entry for path, entry in source.files.items() if path not in source.woven}
    files = {**woven, **never}
    for place, chapter in enumerate(source.chapters):
        before, after = (chain[place - 1] if place else {}), chain[place]
        lines = rewrite(source, chapter, before, after, woven)
        own = f"{chapter.folder}files/"
        files = {path: entry for path, entry in files.items() if not path.startswith(own)}
        files.update({f"{own}{line[2:]}": after[line[2:]] for line in lines if line.startswith("+ ")})
        if lines != (source.lists[chapter] or "").splitlines():
            content = "".join(f"{line}\n" for line in lines).encode()
            files[f"{chapter.folder}changes"] = ("100644", git.write_blob(content))
    return files


def rewrite(source: Source, chapter: Chapter, before: git.Files, after: git.Files, woven: git.Files) -> list[str]:
    """The lines for a chapter's list that lead from the files before it to those after it."""
    kept, files = [], dict(before)
    for line in source.lines(chapter):
        sign, path = line[:1], line[2:]
        if sign in ("=", "-") and path.endswith("/"):
            named = under(path, woven if sign == "=" else files)
            if not named:
                continue
            files = {**files, **named} if sign == "=" else {name: files[name] for name in files.keys() - named.keys()}
        elif sign in ("=", "+", "-"):
            if files.get(path) == after.get(path):
                continue  # the line has no effect (any more)
            line = settle(path, after, woven, files)
        kept.append(line)
    wrong = sorted(path for path in files.keys() | after.keys() if files.get(path) != after.get(path))
    return kept + [settle(path, after, woven, files) for path in wrong]


def settle(path: str, after: git.Files, woven: git.Files, files: git.Files) -> str:
    """Set a path to the chapter's version, and return the line that does so."""
    if path not in after:
        del files[path]
        return f"- {path}"
    files[path] = after[path]
    return f"{'=' if woven.get(path) == after[path] else '+'} {path}"
