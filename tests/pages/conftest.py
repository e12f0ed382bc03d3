"""The learners' machines, and the list of blocks that are not run."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.conftest import need_engine, need_image
from tests.pages.machine import BASE_IMAGES, Machine
from tests.pages.page import read
from tests.pages.steps import STEPS
from tests.support import ROOT


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """A machine whose engine is empty. Skips where there is no engine to run it in, or no base image for it."""
    yield from new_machine("learner")


@pytest.fixture(scope="session")
def second_machine() -> Iterator[Machine]:
    """Another one."""
    yield from new_machine("second-learner")


def new_machine(name: str) -> Iterator[Machine]:
    need_engine()
    for image in ("debian:trixie-slim", *BASE_IMAGES):
        need_image(image)
    machine = Machine(f"test-{os.getpid()}-{name}")
    try:
        machine.start()
        yield machine
    finally:
        machine.remove()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the blocks of the pages that are not run, and why."""
    blocks = [(step.page, block) for step in STEPS for block in read(step.page).console if block.not_run]
    terminalreporter.write_line(f"{len(blocks)} console blocks of the pages are not run")
    for path, block in blocks:
        terminalreporter.write_line(f"  {path.relative_to(ROOT)}:{block.line}: {block.not_run}")
