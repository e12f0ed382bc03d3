"""The small course, the learners' machines, and the list of blocks that are not run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from chapters.tests.support.clone import FILES, TOOL, Clone
from chapters.tests.support.course import CHAPTERS
from chapters.tests.support.machine import BASE_IMAGES, Machine
from chapters.tests.support.page import read
from tests.support.browser import chromium
from tests.support.docker import need_engine, need_image
from tests.support.repository import ROOT


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs a learner's machine beside the other tests with an engine: it has an engine of its own."""
    for item in items:
        if {"machine", "second_machine"} & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group("machine"))


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine. One at a time: Playwright allows no second one in a process."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip if there is no Docker Engine."""
    need_engine()


@pytest.fixture(scope="session")
def machine(engine: None) -> Iterator[Machine]:
    """A machine whose engine is empty. Skips if there is no engine to run it in, or no base image for it."""
    yield from new_machine("learner")


@pytest.fixture(scope="session")
def second_machine(engine: None) -> Iterator[Machine]:
    """Another one."""
    yield from new_machine("second-learner")


def new_machine(name: str) -> Iterator[Machine]:
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
    blocks = [(chapter.page, block) for chapter in CHAPTERS for block in read(chapter.page).console if block.not_run]
    terminalreporter.write_line(f"{len(blocks)} console blocks of the pages are not run")
    for path, block in blocks:
        terminalreporter.write_line(f"  {path.relative_to(ROOT)}:{block.line}: {block.not_run}")
