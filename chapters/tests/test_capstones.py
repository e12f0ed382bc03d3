"""The projects without instructions: their checks fail before the sample solution, and pass after it."""

import pytest

from chapters.tests.support.machine import Machine
from chapters.tests.support.page import read
from chapters.tests.support.runner import run
from tests.support.repository import ROOT

PAGE = read(ROOT / "docs/reference/capstones.md")


@pytest.mark.parametrize("number", ["1", "2"])
def test_the_page_shows_the_check_fail_and_then_pass(number):
    command = f"scripts/chapter check capstone-{number}"
    assert [block.status for block in PAGE.console if block.commands[0].text == command] == [1, None]


def test_the_sample_solutions_pass(machine: Machine):
    machine.empty()
    machine.clone()
    for result in run(PAGE, machine.terminal, lambda heading: None):
        assert result.wrong is None, result.report(PAGE)
    assert machine.traces() == set()
