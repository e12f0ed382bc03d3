"""Every page of the course, run as it is printed: alone, and one after another as a learner does it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from chapters.tests.support.course import CHAPTERS, Chapter
from chapters.tests.support.machine import Machine
from chapters.tests.support.page import read
from chapters.tests.support.runner import run


def follow(machine: Machine, chapter: Chapter) -> None:
    """Go to a chapter, do all that its page says, and leave nothing behind."""
    page = read(chapter.page)
    gone = machine.go(chapter.name)
    assert gone.returncode == 0, gone.stderr
    unfinished = machine.check(chapter.name)
    assert unfinished.returncode == 1, f"scripts/chapter check passes before the page is begun:\n{unfinished.stdout}"
    assert "--  " in unfinished.stdout

    def before(heading: str) -> None:
        if heading == "Clean up":
            finished = machine.check(chapter.name)
            assert finished.returncode == 0, f"scripts/chapter check, before 'Clean up':\n{finished.stdout}"
            assert finished.stdout.endswith(f"{chapter.name}: done\n")

    for result in run(page, machine.terminal, before):
        assert result.wrong is None, result.report(page)
    assert machine.traces() == set(), f"{chapter.page}: this is left behind after 'Clean up'"


def follow_all(machine: Machine) -> None:
    """Follow all pages, with the images, the builder's cache and the clone that each leaves to the next."""
    machine.clone()
    for chapter in CHAPTERS:
        follow(machine, chapter)


@pytest.fixture(scope="module")
def course(request: pytest.FixtureRequest, second_machine: Machine) -> Iterator[Future]:
    """All pages, followed on the second machine while the first has each alone: two cores, half the time."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(follow_all, second_machine)
        second_machine.remove()  # ends what is still running, where the tests were interrupted


@pytest.fixture(autouse=True)
def _started(request: pytest.FixtureRequest) -> None:
    """Start the course first, where it is asked for at all."""
    if any(item.name == "test_all_pages_one_after_another" for item in request.session.items):
        request.getfixturevalue("course")


@pytest.mark.long
@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_from_an_empty_engine(machine, chapter):
    machine.empty()
    machine.clone()
    follow(machine, chapter)


def test_all_pages_one_after_another(course):
    course.result()
