"""The README, CONTRIBUTING, and the pages to look things up in."""

import pytest

from tests.support.markdown import dead_links, prose
from tests.support.repository import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("scripts/*.md"),
    *ROOT.glob("docs/README.md"),
    *ROOT.glob("docs/reference/*.md"),
]
WIDTH = 120


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_its_lines_are_narrow_and_its_links_lead_somewhere(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert {number: line for number, line in prose(lines).items() if len(line) > WIDTH} == {}
    assert dead_links(page) == []
