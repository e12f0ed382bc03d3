"""The steps of the course, as the tests of the pages name them."""

from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT


class Step(NamedTuple):
    """A line of chapters/series."""

    name: str
    title: str

    def __str__(self) -> str:
        return self.name

    @property
    def page(self) -> Path:
        return ROOT / "docs" / f"{self.name}.md"


STEPS = [Step(*line.split("  ", 1)) for line in (ROOT / "chapters/series").read_text().splitlines()]
