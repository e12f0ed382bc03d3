"""The sources of the chapters: the series, the lists of changes, and the versions of files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chapters.tool import git
from chapters.tool.user import CourseError

SERIES = "chapters/series"
TOOL = "chapters/tool/"
README = "README.md"
# The same in every chapter: the pages and the README, so that `diff` shows only code, and the tool, with which the
# learner moves on. At a tag, the README also names the chapter.
EVERYWHERE = ("docs/", README, "scripts/chapter", TOOL)
# These stay on main, but for the tool: the last chapter is main without them.
MAIN_ONLY = (".ci/", ".github/", ".pre-commit-config.yaml", "chapters/", "tests/stand-ins/")
CHAPTER = re.compile(r"(?P<name>(?P<number>\d\d)-[a-z0-9]+(?:-[a-z0-9]+)*)  (?P<title>\S.*\S)")
CHANGE = re.compile(r"(?P<sign>[=+-]) (?P<path>\S|\S.*\S)")


@dataclass(frozen=True)
class Chapter:
    """A line of the series."""

    name: str  # 05-image-tags
    title: str

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def tag(self) -> str:
        return f"ch/{self.name}"

    @property
    def folder(self) -> str:
        return f"chapters/{self.name}/"

    @property
    def page(self) -> str:
        return f"docs/{self.name}.md"

    @property
    def subject(self) -> str:
        return f"{self.name}: {self.title}"


class Source:
    """The sources of the chapters in a commit or a tree of main.

    Raises CourseError if the series or a list of changes cannot be read.
    """

    def __init__(self, tree: str) -> None:
        self.files = git.list_tree(tree)
        self.woven = {path: entry for path, entry in self.files.items() if not stays_on_main(path)}
        if SERIES not in self.files:
            raise CourseError(f"There is no {SERIES} here: git checkout main, and git pull where main is old")
        lists = [path for path in self.files if re.fullmatch(r"chapters/[^/]+/changes", path)]
        contents = git.read_blobs(self.files[path][1] for path in [SERIES, *lists])
        texts = {path: git.decode(contents[self.files[path][1]]) for path in [SERIES, *lists]}
        self.chapters = read_series(texts[SERIES])
        self.lists = {chapter: texts.get(f"{chapter.folder}changes") for chapter in self.chapters}

    def lines(self, chapter: Chapter) -> list[str]:
        """The lines of a chapter's list of changes."""
        listed = self.lists[chapter]
        if listed is None:
            raise CourseError(
                f"{chapter.folder}changes is missing: add it, with what {chapter.name} changes (it may be empty)"
            )
        return listed.splitlines()

    def versions(self, chapter: Chapter) -> git.Files:
        """The chapter's own versions of files, by their paths in the chapter."""
        own = f"{chapter.folder}files/"
        return {path[len(own) :]: entry for path, entry in self.files.items() if path.startswith(own)}

    def chain(self) -> list[git.Files]:
        """The files of each chapter."""
        chain: list[git.Files] = []
        files: git.Files = {}
        for chapter in self.chapters:
            files = self.follow(chapter, files)
            chain.append(files)
        return chain

    def follow(self, chapter: Chapter, before: git.Files) -> git.Files:
        """The files of a chapter, given those of the chapter before."""
        files = dict(before)
        for line in self.lines(chapter):
            self.apply(chapter, line, files)
        return files

    def apply(self, chapter: Chapter, line: str, files: git.Files) -> None:
        """Apply a line of a chapter's list to the files."""
        if not line.strip() or line.startswith("#"):
            return
        change = CHANGE.fullmatch(line)
        where = f"{chapter.folder}changes: '{line}'"
        if change is None:
            raise CourseError(f"{where} is none of '= path', '+ path' and '- path'")
        sign, path = change["sign"], change["path"]
        if stays_on_main(f"{path}/"):
            raise CourseError(f"{where}: {path} stays on main and is never woven: drop the line")
        named = under(path, {"=": self.woven, "+": self.versions(chapter), "-": files}[sign])
        if not named:
            missing = {
                "=": f"main has no {path}: write '+ {path}' and add {chapter.folder}files/{path}, or drop the line",
                "+": f"{chapter.folder}files/{path} is missing: add it, or write '= {path}'",
                "-": f"{chapter.name} has no {path} to remove: drop the line",
            }
            raise CourseError(f"{where}: {missing[sign]}")
        if sign == "-":
            for name in named:
                del files[name]
        else:
            files.update(named)


def stays_on_main(path: str) -> bool:
    """Whether a path is in no chapter."""
    return path.startswith(MAIN_ONLY) and not path.startswith(TOOL)


def under(path: str, files: git.Files) -> git.Files:
    """The file at a path; if the path ends in /, all files in that folder."""
    if path.endswith("/"):
        return {name: entry for name, entry in files.items() if name.startswith(path)}
    return {path: files[path]} if path in files else {}


def read_series(content: str) -> list[Chapter]:
    """The chapters of the series. Raises CourseError if a line is wrong, or out of order."""
    chapters: list[Chapter] = []
    for line in content.splitlines():
        chapter = CHAPTER.fullmatch(line)
        if chapter is None:
            raise CourseError(f"{SERIES}: '{line}' is not like '05-image-tags  Name what you ship' (two blanks)")
        if chapters and chapter["number"] <= chapters[-1].number:
            raise CourseError(f"{SERIES}: {chapter['name']} stands after {chapters[-1].name}: the numbers must rise")
        chapters.append(Chapter(chapter["name"], chapter["title"]))
    if not chapters:
        raise CourseError(f"{SERIES} is empty: begin it with '00-start  Start'")
    return chapters


def everywhere_of(files: git.Files) -> git.Files:
    """The files that are the same in every chapter."""
    return {path: entry for path, entry in files.items() if path.startswith(EVERYWHERE)}
