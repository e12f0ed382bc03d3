"""A small course of four chapters: a real clone with the real tool, and what a person types in it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.repository import ROOT

TOOL = ("scripts/chapter", *sorted(f"chapters/tool/{path.name}" for path in (ROOT / "chapters/tool").glob("*.py")))
CHAPTERS = ["00-start", "01-app", "02-look", "03-more"]
FILES = {
    "chapters/series": "00-start  Start here\n01-app  Write the app\n02-look  Look at it\n03-more  Say more\n",
    "chapters/00-start/changes": "= docs/\n= scripts/chapter\n= chapters/tool/\n= .gitignore\n= README.md\n",
    "chapters/01-app/changes": "# small, at first\n+ app.py\n\n+ notes.txt\n= run\n",
    "chapters/01-app/files/app.py": "import sys\n\nprint('hello')\n\n# end\n",
    "chapters/01-app/files/notes.txt": "to do\n",
    "chapters/02-look/changes": "",
    "chapters/03-more/changes": "= app.py\n- notes.txt\n= extra/\n= more.md\n",
    "chapters/check.sh": 'ok() { echo "ok  $*"; }\n',
    "chapters/01-app/check.sh": 'test -f mine || { echo "--  mine: make it"; exit 1; }\nok mine\necho "01-app: done"\n',
    ".gitignore": "__pycache__/\n/.env\n",
    ".github/workflows/ci.yml": "on: push\n",
    "app.py": "import sys\n\nprint('hello')\n\n# end\nprint('and more')\n",
    "run": "#!/bin/sh\npython3 app.py\n",
    "extra/a.txt": "a\n",
    "extra/b/ä ö.txt": "b\n",
    "more.md": "# The course\n",
    "README.md": "# The course\n\nIt is small.\n",
    "docs/reference.md": "# Look it up\n",
    **{f"docs/{chapter}.md": f"# {chapter}\n" for chapter in CHAPTERS},
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
        # A python3 on the PATH may be a shim in another language, which prints warnings of its own.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PATH": path}
        self.environment = kept | own

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
        """The tags of the chapters, and the ids of their objects."""
        shown = "--format=%(refname:strip=2) %(objectname)"
        lines = self.git("--git-dir", self.folder / ".git", "for-each-ref", shown, "refs/tags/ch").splitlines()
        return dict(line.split(" ") for line in lines)

    def at(self, chapter: str) -> dict[str, str]:
        """The files of a chapter, and their contents."""
        tag = f"ch/{chapter}"
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
