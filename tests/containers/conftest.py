"""A real Docker Engine, and this repository under another name."""

import os
from collections.abc import Iterator

import pytest

from tests.support.docker import BASE_IMAGES, need_engine, need_image
from tests.support.project import Project


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip what needs an engine, or base images, where there are none."""
    need_engine()
    for image in BASE_IMAGES:
        need_image(image)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy for the tests of one file."""
    module = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    project = Project(tmp_path_factory.mktemp(module), f"test-{os.getpid()}-{module}")
    yield project
    project.remove()
