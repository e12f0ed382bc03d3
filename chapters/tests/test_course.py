"""The course of this repository, changes that are not committed yet included."""

import pytest

from chapters.tests.support.course import real_course


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A clone of it, for the tests of this file."""
    return real_course(tmp_path_factory.mktemp("real") / "course")


def test_it_is_in_order(real):
    chapters = real.read("chapters/series").count("\n")
    assert real.chapter("verify") == f"{chapters} chapters are in order.\n"


def test_three_clones_weave_it_alike(real):
    real.chapter("tags")
    first, *_, last = real.tags()
    shallow = real.clone("shallow", "--depth=1", "--no-tags").hostile()
    shallow.chapter("list")
    at_a_tag = real.clone("at-a-tag", f"--branch={first}")
    at_a_tag.git("tag", "--delete", last)
    at_a_tag.chapter("list")
    assert len(real.tags()) == real.read("chapters/series").count("\n")
    assert real.tags() == shallow.tags() == at_a_tag.tags()


def test_a_learner_walks_through_it(real):
    for line in real.read("chapters/series").splitlines():
        name, title = line.split("  ")
        assert real.chapter("go", name) == f"You are at {name}: {title} (docs/{name}.md)\n"
        assert real.git("status", "--porcelain") == ""
    assert real.chapter("go", "main") == "You are on main.\n"
