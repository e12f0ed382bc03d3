"""What those who write the course need: check it, and keep its sources as small as what they say.

`export` is the exact inverse of weaving: from the files of each step to chapters/.
"""

from __future__ import annotations

import os
import re
import shutil

from weaving import (
    ROOT,
    SERIES,
    CourseError,
    Files,
    Source,
    Step,
    Woven,
    git,
    git_bytes,
    read_blobs,
    temporary_index,
    under,
    write_trees,
)

# At every step, so that the learner can move on from it.
TOOL = ("scripts/chapter", "scripts/weaving.py", "scripts/authoring.py", "scripts/project.py")
PAGES = "docs/"  # the same at every step, so that a step's difference shows code alone
MARKER = re.compile(rb"^(<{7}|\|{7}|>{7}) ", re.MULTILINE)


def snapshot() -> str:
    """The id of a tree of this work tree as it stands, files that git ignores excepted."""
    with temporary_index() as index:
        current = ROOT / git("rev-parse", "--git-path", "index")
        if current.exists():  # what git knows of the files saves it from reading them again
            shutil.copyfile(current, index["GIT_INDEX_FILE"])
        git("-c", "core.autocrlf=false", "add", "--all", **index)
        return git("write-tree", **index)


# --- Differences ------------------------------------------------------------------------------------------------------


def difference(before: str, after: str) -> bytes:
    """What changed between two trees, independent of anybody's configuration."""
    settings = ("-c", "diff.suppressBlankEmpty=false", "-c", "core.quotePath=true")
    settings += ("-c", f"core.attributesFile={os.devnull}")
    look = ("--full-index", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv", "--unified=3")
    look += ("--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic")
    look += ("--src-prefix=a/", "--dst-prefix=b/")
    return git_bytes(*settings, "diff-tree", "-r", "--patch", *look, before, after)


def differences(source: Source, chain: list[Files]) -> dict[str, bytes]:
    """The content of each step.diff, by its path; the first step, and one that changes no file, have none."""
    trees = write_trees(chain)
    return {
        f"{step.folder}step.diff": difference(before, after)
        for step, before, after in zip(source.steps[1:], trees, trees[1:])
        if before != after
    }


# --- Verify -----------------------------------------------------------------------------------------------------------


def problems(source: Source) -> list[str]:
    """All that is wrong with the course, one line each, with its mend."""
    found: list[str] = []
    chain: list[Files] = []
    files: Files = {}
    for step in source.steps:
        try:
            files = dict(files)
            for line in source.lines(step):
                try:
                    source.apply(step, line, files)
                except CourseError as problem:
                    found.append(str(problem))
        except CourseError as problem:
            found.append(str(problem))
        chain.append(files)
    found += wrong_sources(source)
    found += wrong_pages(source)
    found += wrong_trees(source, chain)
    if not found:  # else the differences are wrong anyway
        found += wrong_differences(source, chain)
    return found


def wrong_sources(source: Source) -> list[str]:
    """Files in chapters/ that no step uses, and what a merge left behind."""
    found = []
    names = {step.name for step in source.steps}
    folders = {path.split("/")[1] for path in source.files if re.match(r"chapters/[^/]+/", path)}
    found += [f"chapters/{name}/ is no step: name it in {SERIES}, or remove it" for name in sorted(folders - names)]
    found += unused(source)
    for step in source.steps:
        listed = own_versions(source, step)
        for path, entry in source.versions(step).items():
            if path in listed and source.woven.get(path) == entry:
                found.append(f"{step.folder}files/{path} is as on main now: scripts/chapter save makes it '= {path}'")
    contents = read_blobs(entry[1] for entry in source.files.values() if entry[0] != "160000")
    found += [
        f"{path} has a conflict's marker ({match.group(1).decode()}): mend the conflict"
        for path, entry in source.files.items()
        for match in [MARKER.search(contents.get(entry[1], b""))]
        if match
    ]
    return found


def own_versions(source: Source, step: Step) -> set[str]:
    """The paths of which a step's list says that it has a version of its own."""
    return {line[2:] for line in (source.lists[step] or "").splitlines() if line.startswith("+ ")}


def unused(source: Source) -> list[str]:
    """Versions of files that no list names."""
    return [
        f"{step.folder}files/{path} is not used: write '+ {path}' in {step.folder}changes, or remove it"
        for step in source.steps
        for path in source.versions(step).keys() - own_versions(source, step)
    ]


def wrong_pages(source: Source) -> list[str]:
    """Pages without a step, and steps without a page."""
    pages = {path for path in source.files if re.fullmatch(r"docs/\d\d-[^/]+\.md", path)}
    steps = {step.page for step in source.steps}
    found = [f"{page} is missing: each step of {SERIES} has its page" for page in sorted(steps - pages)]
    return found + [
        f"{page} has no step in {SERIES}: add the step, or rename the page" for page in sorted(pages - steps)
    ]


def wrong_trees(source: Source, chain: list[Files]) -> list[str]:
    """A last step that is not main, and steps without what each must have."""
    found = []
    last, files = source.steps[-1].name, chain[-1]
    for path in sorted(source.woven.keys() | files.keys()):
        if path not in source.woven:
            found.append(f"{path} is not on main, but in {last}, the last step: '- {path}' where it goes")
        elif source.woven[path] != files.get(path):
            found.append(f"{path} is not as on main in {last}, the last step: '= {path}' where it belongs")
    pages = under(PAGES, source.woven)
    for step, files in zip(source.steps, chain):
        mend = f"in {source.steps[0].name}, and no line after it"
        if under(PAGES, files) != pages:
            found.append(f"{step.name}: {PAGES} is not as on main: '= {PAGES}' {mend}")
        found += [
            f"{step.name}: {path} is not as on main: '= {path}' {mend}"
            for path in TOOL
            if files.get(path) != source.files.get(path)
        ]
    return found


def wrong_differences(source: Source, chain: list[Files]) -> list[str]:
    """Each step.diff that does not show its step."""
    wanted = differences(source, chain)
    there = {path: entry[1] for path, entry in source.files.items() if re.fullmatch(r"chapters/[^/]+/step\.diff", path)}
    contents = read_blobs(there.values())
    return [
        f"{path} is not current: scripts/chapter save"
        for path in sorted(wanted.keys() | there.keys())
        if path not in there or contents[there[path]] != wanted.get(path)
    ]


# --- From the files of each step to chapters/ -------------------------------------------------------------------------


def write_blob(content: bytes) -> str:
    return git("hash-object", "-w", "--stdin", stdin=content)


def export(source: Source, chain: list[Files], woven: Files) -> Files:
    """The files of main whose weaving gives this chain, the last step being what main has of woven files.

    Lists of changes keep their lines, their comments and their order wherever these still say what the step does.
    """
    never = {path: entry for path, entry in source.files.items() if path not in source.woven}
    files = {**woven, **never}
    for place, step in enumerate(source.steps):
        before, after = (chain[place - 1] if place else {}), chain[place]
        lines = rewrite(source, step, before, after, woven)
        own = f"{step.folder}files/"
        files = {path: entry for path, entry in files.items() if not path.startswith(own)}
        files.update({f"{own}{line[2:]}": after[line[2:]] for line in lines if line.startswith("+ ")})
        if lines != (source.lists[step] or "").splitlines():
            content = "".join(f"{line}\n" for line in lines).encode()
            files[f"{step.folder}changes"] = ("100644", write_blob(content))
    wanted = {path: ("100644", write_blob(content)) for path, content in differences(source, chain).items()}
    files = {path: entry for path, entry in files.items() if not re.fullmatch(r"chapters/[^/]+/step\.diff", path)}
    return {**files, **wanted}


def rewrite(source: Source, step: Step, before: Files, after: Files, woven: Files) -> list[str]:
    """The lines of a step's list that lead from the files before it to those after it."""
    kept, files = [], dict(before)
    for line in source.lines(step):
        sign, path = line[:1], line[2:]
        if sign in ("=", "-") and path.endswith("/"):
            named = under(path, woven if sign == "=" else files)
            if not named:
                continue
            files = {**files, **named} if sign == "=" else {name: files[name] for name in files.keys() - named.keys()}
        elif sign in ("=", "+", "-"):
            if files.get(path) == after.get(path):
                continue  # it says nothing (any more)
            line = settle(path, after, woven, files)
        kept.append(line)
    wrong = sorted(path for path in files.keys() | after.keys() if files.get(path) != after.get(path))
    return kept + [settle(path, after, woven, files) for path in wrong]


def settle(path: str, after: Files, woven: Files, files: Files) -> str:
    """Give a path what the step has there, and return the line that says so."""
    if path not in after:
        del files[path]
        return f"- {path}"
    files[path] = after[path]
    return f"{'=' if woven.get(path) == after[path] else '+'} {path}"


# --- Save -------------------------------------------------------------------------------------------------------------


def save() -> list[str]:
    """Write what weaving this work tree says back to its chapters/; returns the paths that changed."""
    tree = snapshot()
    source = Source(tree)
    for problem in unused(source):
        raise CourseError(problem)
    files = export(source, source.chain(), source.woven)
    changed = sorted(path for path in files.keys() | source.files.keys() if files.get(path) != source.files.get(path))
    contents = read_blobs(files[path][1] for path in changed if path in files)
    for path in changed:
        if path in files:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(contents[files[path][1]])
        else:
            (ROOT / path).unlink()
    return changed


def push(woven: list[Woven], remote: str) -> None:
    """Give a remote repository the tags of the steps, and take away those of steps that are gone."""
    listed = git("ls-remote", "--tags", "--refs", "--", remote, "refs/tags/ch/*").splitlines()
    there = {name: tag for tag, name in (line.split("\t") for line in listed)}
    wanted = {f"refs/tags/{item.step.tag}": item.tag for item in woven}
    stale = [f"+{name}" for name, tag in wanted.items() if there.get(name) != tag]
    stale += [f":{name}" for name in there if name not in wanted]
    if stale:
        git("push", "--quiet", "--", remote, *stale)
    print(f"{remote}: {len(stale)} of {len(wanted)} tags were missing or stale" if stale else f"{remote} has them all")
