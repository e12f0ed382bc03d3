"""For authors: check the course and keep its sources minimal.

`export` is the exact inverse of weaving: it leads from the files of each step to chapters/.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from weaving import (
    NEVER_WOVEN,
    ROOT,
    SERIES,
    START,
    STEP,
    CourseError,
    Files,
    Source,
    Step,
    Woven,
    add_worktree,
    clone_folder,
    common_folder,
    complaint,
    git,
    identity,
    list_tree,
    read_blobs,
    run_git,
    temporary_index,
    under,
    weave,
    worktrees,
    write_commit,
    write_trees,
)

# The same in every chapter: the pages, so that `diff` shows only code, and the tool, which the learner moves on with.
EVERYWHERE = ("docs/", "scripts/chapter", "scripts/weaving.py", "scripts/authoring.py", "scripts/project.py")
# Temporary commits: ignore the user's signing and hook settings.
PLAIN = ("-c", "commit.gpgSign=false", "-c", f"core.hooksPath={os.devnull}")
MARKER = re.compile(rb"^(<{7}|\|{7}|>{7}) ", re.MULTILINE)


def snapshot() -> str:
    """The id of a tree of this work tree as it is now, without the files that git ignores."""
    with temporary_index() as index:
        current = ROOT / git("rev-parse", "--git-path", "index")
        if current.exists():  # with what git knows about the files, it need not read them again
            shutil.copyfile(current, index["GIT_INDEX_FILE"])
        git("-c", "core.autocrlf=false", "add", "--all", environment=index)
        return git("write-tree", environment=index)


# --- Verify -----------------------------------------------------------------------------------------------------------


def problems(source: Source) -> list[str]:
    """All problems of the course: one line per problem, with its fix."""
    found: list[str] = []
    chain: list[Files] = []
    files: Files = {}
    for step in source.steps:
        files = dict(files)
        found += failure(source.lines, step)
        for line in (source.lists[step] or "").splitlines():
            found += failure(source.apply, step, line, files)
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
    """Files in chapters/ that no step uses, and conflict markers that a merge left behind."""
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
    """The paths for which a step's list names its own version."""
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
    """Differences between the last step and main, and steps that lack a file which every step must have."""
    found = []
    last, files = source.steps[-1].name, chain[-1]
    for path in sorted(source.woven.keys() | files.keys()):
        if path not in source.woven:
            found.append(f"{path} is not on main, but in {last}, the last step: '- {path}' where it goes")
        elif source.woven[path] != files.get(path):
            found.append(f"{path} is not as on main in {last}, the last step: '= {path}' where it belongs")
    everywhere = everywhere_of(source.woven)
    for step, files in zip(source.steps, chain):
        here = everywhere_of(files)
        wrong = sorted(path for path in everywhere.keys() | here.keys() if everywhere.get(path) != here.get(path))
        if wrong:
            line = next(path for path in EVERYWHERE if wrong[0].startswith(path))
            mend = f"'= {line}' in {source.steps[0].name}, and no line after it"
            found.append(f"{step.name}: {wrong[0]} must be as on main in every step: {mend}")
    return found


def everywhere_of(files: Files) -> Files:
    """The files that are the same at every step."""
    return {path: entry for path, entry in files.items() if path.startswith(EVERYWHERE)}


# --- From the files of each step to chapters/ -------------------------------------------------------------------------


def write_blob(content: bytes) -> str:
    return git("hash-object", "-w", "--stdin", stdin=content)


def export(source: Source, chain: list[Files], woven: Files) -> Files:
    """The files of main that weave into this chain. The last step has all woven files of main.

    Lists of changes keep their lines, comments and order wherever these still describe the step.
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
    return files


def rewrite(source: Source, step: Step, before: Files, after: Files, woven: Files) -> list[str]:
    """The lines for a step's list that lead from the files before it to those after it."""
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
                continue  # the line has no effect (any more)
            line = settle(path, after, woven, files)
        kept.append(line)
    wrong = sorted(path for path in files.keys() | after.keys() if files.get(path) != after.get(path))
    return kept + [settle(path, after, woven, files) for path in wrong]


def settle(path: str, after: Files, woven: Files, files: Files) -> str:
    """Set a path to the step's version, and return the line that does so."""
    if path not in after:
        del files[path]
        return f"- {path}"
    files[path] = after[path]
    return f"{'=' if woven.get(path) == after[path] else '+'} {path}"


# --- Save: from what was changed in this work tree ----------------------------------------------------------------------


def save_sources() -> list[str]:
    """Weave this work tree, and write the result back to its chapters/. Returns the paths that changed."""
    source = Source(snapshot())
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


# --- Edit: change a step in a worktree, and carry the change through those after it ---------------------------------------


@dataclass(frozen=True)
class Edit:
    """The state of a worktree in which a step is edited. It is kept in a file in git's folder for that worktree."""

    main: str  # the commit that was woven
    step: str
    changed: str = ""  # the step's new commit, once the change is being carried to the later steps


def edit_file(folder: Path) -> Path:
    return folder / git("rev-parse", "--git-path", "chapter-edit", folder=folder)


def current_edit() -> Edit | None:
    """The edit that this work tree was made for, if any."""
    file = edit_file(ROOT)
    return Edit(*file.read_text().split()) if file.exists() else None


def edit(item: Woven, main: str) -> Path:
    """Make a worktree in which a step can be changed, and return its folder."""
    folder = add_worktree(f"edit-{item.step.name}", item.commit)
    edit_file(folder).write_text(f"{main} {item.step.name}")
    return folder


def save_edit(edit: Edit) -> tuple[list[str], Path]:
    """Carry the changes of this worktree through the later steps, and stage the outcome on main.

    Returns the names of the steps that changed, and the folder of main's work tree. Raises CourseError if a step
    conflicts. Once the conflict is resolved, the next call goes on from there.
    """
    woven = weave(Source(edit.main))
    place = next(place for place, item in enumerate(woven) if item.step.name == edit.step)
    home = next((folder for folder, branch in worktrees().items() if branch == "refs/heads/main"), None)
    if home is None:
        raise CourseError(f"No work tree is on main, where the outcome goes: cd {clone_folder()} && git checkout main")
    if edit.changed:
        go_on()
    else:
        change(edit, woven[place])
        carry(*(item.commit for item in woven[place + 1 :]))
    files = export(
        Source(edit.main), [*(item.files for item in woven[:place]), *carried(woven[place:])], list_tree("HEAD")
    )
    tree = write_trees([files])[0]
    outcome = write_commit(tree, f"Change {edit.step}", [edit.main], START)
    # As an ordinary change to main, which may have moved on meanwhile.
    done = run_git("cherry-pick", "--no-commit", outcome, folder=home)
    if done.returncode != 0:
        if conflicts(home):
            mend = f"mend that in {home}, then git worktree remove --force {ROOT}"
            raise CourseError(f"main has moved on, and conflicts in {conflicts(home)}: {mend}")
        raise CourseError(f"{home} has changes in the same files: commit them there, then scripts/chapter save here")
    changed = [name for name, _ in review(Source(edit.main), Source(tree))]
    remove_edit()
    return changed, home


def change(edit: Edit, item: Woven) -> None:
    """Make the step's new commit from all changes in the worktree, committed or not."""
    git("-c", "core.autocrlf=false", "add", "--all")
    tree = git("write-tree")
    if tree == item.tree:
        raise CourseError("Nothing is changed here: change it, or scripts/chapter save --abort")
    files = list_tree(tree)
    for path in sorted(item.files.keys() | files.keys()):
        if item.files.get(path) != files.get(path) and path.startswith(EVERYWHERE + NEVER_WOVEN):
            raise CourseError(f"{path} is the same in every step, or in none: take it back here, and change it on main")
    parents = git("rev-parse", f"{item.commit}^@").split()
    commit = write_commit(tree, item.step.subject, parents, START)
    git("reset", "--soft", commit)
    edit_file(ROOT).write_text(f"{edit.main} {edit.step} {commit}")


def go_on() -> None:
    """Commit a resolved conflict as its step's outcome, and go on with the steps after it."""
    if conflicts(ROOT):
        raise CourseError(
            f"There are still conflicts in {conflicts(ROOT)}: mend and git add, then scripts/chapter save"
        )
    if (ROOT / git("rev-parse", "--git-path", "CHERRY_PICK_HEAD")).exists():
        commit = ("commit", "--quiet", "--allow-empty", "--reuse-message=CHERRY_PICK_HEAD")
        git(*PLAIN, *commit, environment=identity(START))
    if (ROOT / git("rev-parse", "--git-path", "sequencer")).exists():
        carry("--continue")


def carry(*what: str) -> None:
    """Cherry-pick steps onto the one before them, including steps that change nothing."""
    if not what:
        return
    keep = () if what == ("--continue",) else ("--allow-empty", "--keep-redundant-commits")
    environment = {"GIT_EDITOR": "true", **identity(START)}
    done = run_git(*PLAIN, "cherry-pick", *keep, *what, environment=environment)
    if done.returncode != 0 and conflicts(ROOT):
        step = subject("CHERRY_PICK_HEAD").partition(":")[0]
        mend = "mend and git add, then scripts/chapter save; or scripts/chapter save --abort"
        raise CourseError(f"{step} conflicts in {conflicts(ROOT)}: {mend}")
    if done.returncode != 0:
        raise complaint(done)


def subject(commit: str) -> str:
    return git("rev-list", "--max-count=1", "--format=%s", "--encoding=UTF-8", commit).splitlines()[1]


def conflicts(folder: Path) -> str:
    """The paths with unresolved conflicts."""
    return ", ".join(git("diff", "--name-only", "--diff-filter=U", folder=folder).splitlines())


def carried(woven: list[Woven]) -> list[Files]:
    """The files of the edited step and of those after it, as they are now."""
    commits = git("rev-list", "--reverse", f"--max-count={len(woven)}", "HEAD").split()
    now = [subject(commit) for commit in commits]
    if now != [item.step.subject for item in woven]:
        raise CourseError("A step got lost on the way: scripts/chapter save --abort, and edit it again")
    return [list_tree(commit) for commit in commits]


def remove_edit() -> None:
    """Remove this worktree. Its changes are on main, or not wanted."""
    git("worktree", "remove", "--force", ROOT, folder=common_folder())


# --- Review: what a change of main does to the steps --------------------------------------------------------------------


def review(old: Source, new: Source) -> list[tuple[str, str]]:
    """The names of the steps that changed between two versions of main, each with its range-diff.

    A step counts as changed if its changes to the step before differ. An inherited difference does not count.
    """
    before, after = patches(old), patches(new)
    found = []
    for name, (parent, commit) in after.items():
        if name in before and before[name] != (parent, commit):
            ranges = ("{}..{}".format(*before[name]), f"{parent}..{commit}")
            # With so large a factor, git pairs the two however much they differ.
            shown = git("range-diff", "--no-color", "--creation-factor=9999", *ranges)
            if not re.match(r"1: +\w+ = 1: ", shown):
                found.append((name, shown))
    return found


def patches(source: Source) -> dict[str, tuple[str, str]]:
    """For each step, a commit of the step before it and one of itself, without the files that are the same everywhere."""
    chain = [{path: files[path] for path in files.keys() - everywhere_of(files).keys()} for files in source.chain()]
    trees = write_trees([{}, *chain])
    found = {}
    for step, before, after in zip(source.steps, trees, trees[1:]):
        parent = write_commit(before, "before", [], START)
        found[step.name] = (parent, write_commit(after, step.subject, [parent], START))
    return found


def announced(base: str) -> str:
    """The values of the trailers Chapters-Changed: in the commits since a base."""
    lines = git("rev-list", "--format=%B", f"{base}..HEAD", "--").splitlines()
    return " ".join(line.partition(":")[2] for line in lines if line.lower().startswith("chapters-changed:"))


# --- New steps ------------------------------------------------------------------------------------------------------------

PAGE = """\
# {number}  {title}

What you will be able to do after this step, and what it needs.

## What this step changed

No file.

## Try it

## If it fails

## Clean up

## Next
"""


def new(source: Source, name: str, place: int) -> list[str]:
    """Add a step to the work tree at a place. Later steps are renumbered if their numbers are taken.

    Returns one line per renamed step.
    """
    step = STEP.fullmatch(f"{name}  {name[3:].replace('-', ' ').capitalize()}")
    after = source.steps[place - 1]
    if step is None or step["number"] <= after.number:
        raise CourseError(f"'{name}' is no name for a step after {after.name}: give one such as 17-scale-out")
    number = int(step["number"])
    renamed: dict[str, str] = {}
    for later in source.steps[place:]:
        if int(later.number) <= number:
            renamed[later.name] = f"{number + 1:02}{later.name[2:]}"
        number = int(renamed.get(later.name, later.name)[:2])
    rename(source, renamed)
    series = (ROOT / SERIES).read_text(encoding="utf-8").splitlines()
    series.insert(place, step.group())
    (ROOT / SERIES).write_text("".join(f"{line}\n" for line in series), encoding="utf-8")
    (ROOT / "chapters" / name).mkdir()
    (ROOT / "chapters" / name / "changes").touch()
    (ROOT / "docs" / f"{name}.md").write_text(PAGE.format(**step.groupdict()), encoding="utf-8")
    return [f"{old} is now {now}" for old, now in renamed.items()]


def rename(source: Source, renamed: dict[str, str]) -> None:
    """Rename steps, in all files that mention them."""
    if not renamed:
        return
    names = re.compile(rf"(?<![\w-])({'|'.join(renamed)})(?![\w-])".encode())
    contents = read_blobs(entry[1] for entry in source.files.values())
    for path, entry in source.files.items():
        content = names.sub(lambda match: renamed[match.group().decode()].encode(), contents[entry[1]])
        if content != contents[entry[1]]:
            (ROOT / path).write_bytes(content)
    for old, now in renamed.items():
        (ROOT / "chapters" / old).rename(ROOT / "chapters" / now)
        (ROOT / "docs" / f"{old}.md").rename(ROOT / "docs" / f"{now}.md")


# --- Push -----------------------------------------------------------------------------------------------------------------


def push(woven: list[Woven], remote: str) -> None:
    """Push the tags of the steps to a remote repository, and delete those of steps that are gone."""
    listed = git("ls-remote", "--tags", "--refs", "--", remote, "refs/tags/ch/*").splitlines()
    there = {name: tag for tag, name in (line.split("\t") for line in listed)}
    wanted = {f"refs/tags/{item.step.tag}": item.tag for item in woven}
    stale = [f"+{name}" for name, tag in wanted.items() if there.get(name) != tag]
    stale += [f":{name}" for name in there if name not in wanted]
    if stale:
        git("push", "--quiet", "--", remote, *stale)
    print(f"{remote}: {len(stale)} of {len(wanted)} tags were missing or stale" if stale else f"{remote} has them all")
