"""A small course of its own for each test: a real clone, the real scripts, four steps."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT, copy_repository

TOOL = ("scripts/chapter", "scripts/weaving.py", "scripts/authoring.py", "scripts/project.py")
STEPS = ["00-start", "01-app", "02-look", "03-more"]
FILES = {
    "chapters/series": "00-start  Start here\n01-app  Write the app\n02-look  Look at it\n03-more  Say more\n",
    "chapters/00-start/changes": "= docs/\n" + "".join(f"= {path}\n" for path in TOOL) + "= .gitignore\n",
    "chapters/01-app/changes": "# small, at first\n+ app.py\n\n+ notes.txt\n= run\n",
    "chapters/01-app/files/app.py": "import sys\n\nprint('hello')\n\n# end\n",
    "chapters/01-app/files/notes.txt": "to do\n",
    "chapters/02-look/changes": "",
    "chapters/03-more/changes": "= app.py\n- notes.txt\n= extra/\n= README.md\n",
    "chapters/check.sh": 'ok() { echo "ok  $*"; }\n',
    "chapters/01-app/check.sh": 'test -f mine || { echo "--  mine: make it"; exit 1; }\nok mine\necho "01-app: done"\n',
    ".gitignore": "__pycache__/\n/.env\n",
    ".github/workflows/ci.yml": "on: push\n",
    "app.py": "import sys\n\nprint('hello')\n\n# end\nprint('and more')\n",
    "run": "#!/bin/sh\npython3 app.py\n",
    "extra/a.txt": "a\n",
    "extra/b/ä ö.txt": "b\n",
    "README.md": "# The course\n",
    "docs/reference.md": "# Look it up\n",
    **{f"docs/{step}.md": f"# {step}\n" for step in STEPS},
}


HOSTILE = (
    "core.autocrlf=true",
    "core.eol=crlf",
    "core.quotePath=false",
    "core.abbrev=7",
    "commit.gpgSign=true",
    "tag.gpgSign=true",
    "user.signingKey=bogus",
    "user.useConfigOnly=true",
    "gpg.program=false",
    "diff.noprefix=true",
    "diff.mnemonicPrefix=true",
    "diff.context=0",
    "diff.external=false",
    "diff.algorithm=patience",
    "diff.suppressBlankEmpty=true",
    "diff.renames=copies",
    "color.ui=always",
    "i18n.commitEncoding=ISO-8859-1",
    "i18n.logOutputEncoding=ISO-8859-1",
    "log.showSignature=true",
)


class Clone:
    """A clone of the small course, and what a person types in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # What the person who runs the tests has set does not matter, but when a test says so.
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.environment = kept | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}

    def run(self, *command: object, typed: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """What came of a command."""
        return subprocess.run(
            [*map(str, command)],
            cwd=folder or self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def git(self, *arguments: object) -> str:
        """What git printed; the test fails where git does."""
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgSign=false")
        done = self.run("git", *identity, *arguments)
        assert done.returncode == 0, f"git {arguments}\n{done.stderr}"
        return done.stdout.strip()

    def chapter(self, *arguments: object, **options: object) -> str:
        """What scripts/chapter printed, where it succeeded and had nothing to complain of."""
        done = self.run(self.folder / "scripts/chapter", *arguments, **options)
        assert (done.returncode, done.stderr) == (0, ""), f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    def refusal(self, *arguments: object, **options: object) -> str:
        """The one line with which scripts/chapter refused."""
        done = self.run(self.folder / "scripts/chapter", *arguments, **options)
        assert done.returncode == 1, done.stdout
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.strip()

    def write(self, **files: str | None) -> None:
        """Write files, or remove those that are None."""
        for path, content in files.items():
            file = self.folder / path
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)

    def commit(self, message: str = "Change", **files: str | None) -> str:
        """Commit these files and all other changes; returns the commit's id."""
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def read(self, path: str) -> str:
        """The content of a file of the work tree."""
        return (self.folder / path).read_text()

    def tags(self) -> dict[str, str]:
        """The tags of the steps, and the ids of their objects."""
        shown = "--format=%(refname:strip=2) %(objectname)"
        lines = self.git("--git-dir", self.folder / ".git", "for-each-ref", shown, "refs/tags/ch").splitlines()
        return dict(line.split(" ") for line in lines)

    def at(self, step: str) -> dict[str, str]:
        """The files of a step, and their contents."""
        tag = f"ch/{step}"
        paths = self.git("ls-tree", "-r", "-z", "--name-only", tag).split("\0")
        return {path: self.git("cat-file", "blob", f"{tag}:{path}") for path in filter(None, paths)}

    def hostile(self) -> "Clone":
        """The same clone as that of somebody who has set all that could matter, from within a hook."""
        for setting in HOSTILE:
            self.git("config", *setting.split("=", 1))
        self.environment |= {
            "TZ": "Pacific/Kiritimati",
            "LC_ALL": "tr_TR.UTF-8",
            "GIT_AUTHOR_DATE": "2001-01-01T00:00:00",
            "GIT_COMMITTER_NAME": "Somebody",
            "GIT_DIR": "/nowhere",
            "GIT_INDEX_FILE": "/nowhere/index",
            "GIT_DIFF_OPTS": "--unified=0",
        }
        return self

    def clone(self, name: str, *options: str) -> "Clone":
        """A clone of this clone, beside it."""
        self.git("clone", "--quiet", *options, f"file://{self.folder}", self.folder.parent / name)
        return Clone(self.folder.parent / name)


def real_course(folder: Path) -> Clone:
    """This repository, changes that are not committed yet included, as a clone with one commit."""
    folder.mkdir()
    clone = Clone(folder)
    copy_repository(clone.folder)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.commit("All")
    return clone


def lay_out(folder: Path) -> dict[str, Path]:
    """The trees of this repository's steps, each in a folder below this one."""
    clone = real_course(folder / "course")
    clone.chapter("tags")
    steps = [tag.removeprefix("ch/") for tag in clone.tags()]
    for step in steps:
        clone.git("worktree", "add", "--quiet", "--detach", folder / step, f"ch/{step}")
    return {step: folder / step for step in steps}


def texts(tree: Path) -> dict[str, str]:
    """The files of a tree that git knows, and what is in them."""
    paths = subprocess.run(["git", "-C", tree, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    return {path: (tree / path).read_text(errors="replace") for path in paths.split("\0") if path}


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course, committed on main."""
    clone = Clone(tmp_path_factory.mktemp("original") / "course")
    for tool in TOOL:
        (clone.folder / tool).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / tool, clone.folder / tool)
    clone.write(**FILES)
    (clone.folder / "run").chmod(0o755)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.chapter("save")
    clone.commit("The course")
    return clone.folder


@pytest.fixture
def course(original: Path, tmp_path: Path) -> Clone:
    """A clone that a test may do with as it likes."""
    shutil.copytree(original, tmp_path / "course")
    return Clone(tmp_path / "course")
