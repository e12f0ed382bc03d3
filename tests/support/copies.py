"""Copies that scripts/new-service makes, with awkward names and options, of each kind of source."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.settings import GREETING
from tests.support.project import Project


@dataclass(frozen=True)
class Case:
    """A copy to make.

    Attributes:
        name: its name; `{}` stands for this project's.
        source: what it is made from: a clone, a shallow clone or an archive.
        umask: that of the user who makes it.
        options: of scripts/new-service.
    """

    name: str
    source: str = "clone"
    umask: int = 0o022
    options: tuple[str, ...] = ()

    @property
    def greeting(self) -> str:
        """What the copy answers to `GET /`."""
        return dict(zip(self.options, self.options[1:], strict=False)).get("--greeting", GREETING)

    def name_for(self, project: Project) -> str:
        """The copy's name, 50 characters at most."""
        return self.name.replace("{}", project.name)[:50]

    def make(self, project: Project, folder: Path) -> Path:
        """Make the copy, in a path with blanks."""
        copy = folder / "my services" / self.name_for(project)
        copy.parent.mkdir(parents=True)
        command = [source(project, self.source, folder / "from") / "scripts/new-service", copy.name, copy]
        done = subprocess.run([*command, *self.options], capture_output=True, text=True, check=False, umask=self.umask)
        assert (done.returncode, done.stderr) == (0, "")
        return copy


def source(project: Project, kind: str, folder: Path) -> Path:
    """The project's clone, or what another kind of user has of it."""
    if kind == "shallow":
        subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{project.folder}", folder], check=True)
    elif kind == "archive":
        folder.mkdir()
        archive = subprocess.run(
            ["git", "-C", project.folder, "archive", "HEAD"], check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "--extract", "--directory", folder], input=archive, check=True)
    else:
        return project.folder
    return folder


QUICK = {
    "its name contains the old one": Case("my-{}-2", options=("--greeting", 'Σας "χαιρετώ" 👋 for $5')),
    "without the page": Case("{}-api", "shallow", options=("--no-page", "--port", "18080")),
    "fifty characters": Case(
        "{}-" + "x" * 50, "archive", 0o077, ("--owner", "Ünal & 'Söhne'", "--description", '"$9"')
    ),
}
LONG = {
    "one character": Case("x", umask=0o077),
    "its name ends with the old one": Case("not-{}", "archive"),
    "the old name twice": Case("{}-{}", "shallow"),
    "digits and hyphens": Case("a1-2-3", "shallow", 0o077, ("--port", "65535", "--greeting", "it's `here` | \\o/")),
    "a base image by its full name": Case(
        "service", options=("--python-image", "docker.io/library/python:3.13-slim-trixie")
    ),
    "a word of the code": Case("users", "archive", options=("--no-page", "--greeting", "<b>&amp;</b> %s {} {{ x }}")),
    "all options": Case(
        *("mongodb-{}", "shallow", 0o077),
        ("--no-page", "--port", "1024", "--owner", "ACME", "--description", "All", "--greeting", "naïve 'café'"),
    ),
}
CASES = [
    *(pytest.param(case, id=name) for name, case in QUICK.items()),
    *(pytest.param(case, id=name, marks=pytest.mark.long) for name, case in LONG.items()),
]
