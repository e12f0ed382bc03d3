"""A real browser, and visits to the page that may bring no error and reach no other host."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.support.browser import chromium
from tests.support.processes import Server
from tests.support.waiting import LIMIT


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine. One at a time: Playwright allows no second one in a process."""
    with chromium() as browser:
        yield browser


class Visits:
    """Opens pages, and listens to all that goes wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []

    def __call__(self, server: Server, **options: object) -> Page:
        """Open the page of this server in a context of its own. Its clock runs, and can be moved on."""
        context = self.browser.new_context(base_url=server.url, **options)
        context.set_default_timeout(LIMIT * 1000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._request)
        self.host = urlsplit(server.url).netloc
        context.clock.install()
        page = context.new_page()
        page.goto("./")  # below the path that the server's address may have
        return page

    def _console(self, message: ConsoleMessage) -> None:
        # The browser itself notes each refused request there. The page deals with those of its API.
        refused = message.text.startswith("Failed to load resource")
        if message.type in {"error", "warning"} and not (
            refused and urlsplit(message.location["url"]).path.startswith(("/users", "/about"))
        ):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.complaints.append(f"a request to another host: {request.url}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visits]:
    """Opens the page. No visit may leave an error in the console, or ask another host for anything."""
    visits = Visits(browser)
    yield visits
    for context in browser.contexts:
        context.close()
    assert visits.complaints == []
