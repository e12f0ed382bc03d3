"""The learner's machine that the tests of the pages share."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.conftest import need_engine, need_image
from tests.pages.machine import BASE_IMAGES, Machine


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """A machine whose engine is empty. Skips where there is no engine to run it in, or no base image for it."""
    need_engine()
    for image in ("debian:trixie-slim", *BASE_IMAGES):
        need_image(image)
    machine = Machine(f"test-{os.getpid()}-learner")
    try:
        machine.start()
        yield machine
    finally:
        machine.remove()
