"""The browser of this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.waiting import LIMIT

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

expect.set_options(timeout=LIMIT * 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium or Chrome. None is downloaded: skips if this machine has none."""
    executable = next(filter(None, map(shutil.which, COMMANDS)), None)
    if executable is None:
        pytest.skip("no Chromium here (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        yield browser
        browser.close()
