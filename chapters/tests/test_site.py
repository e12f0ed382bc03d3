"""The pages as a web site, in a real browser."""

import functools
import http.server
import subprocess
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from chapters.tests.support.course import CHAPTERS
from tests.support.repository import ROOT

PHONE = {"viewport": {"width": 390, "height": 844}}
# The site loads Mermaid from there, which draws the diagrams. Tests reach no other host, so they draw nothing.
DIAGRAMS = "https://unpkg.com/"
NO_DIAGRAM = "mermaid = {initialize() {}, render: async () => ({svg: '<svg></svg>'})}"

COPY_BUTTONS = ".md-code__nav"  # the theme's script makes a <nav> without a name for each


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Log nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the site, built strictly: a dead link or anchor fails the build."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run([ROOT / "chapters/site/mkdocs", "build", "--strict", "--site-dir", folder], check=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(site, browser):
    """Opens a page of the site. No visit may ask another host for anything but Mermaid."""
    others = []
    contexts = []

    def open_page(path, **options):
        context = browser.new_context(base_url=site, permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        context.on("request", lambda request: request.url.startswith(site) or others.append(request.url))
        context.route(f"{DIAGRAMS}**", lambda route: route.fulfill(body=NO_DIAGRAM, content_type="text/javascript"))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in others if not url.startswith(DIAGRAMS)] == []


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["desktop", "dark", "phone"])
@pytest.mark.parametrize("path", ["/", "/00-start/", "/15-compose-networks/", "/reference/troubleshooting/"])
def test_a_page_is_accessible_and_does_not_scroll_sideways(visit, path, options):
    page = visit(path, **options)
    expect(page.locator("h1")).to_be_visible()
    found = Axe().run(page, context={"exclude": [[COPY_BUTTONS]]}).response
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_copy_button_takes_commands_without_prompt_and_output(visit):
    page = visit("/00-start/")
    page.get_by_role("button", name="Copy to clipboard").first.click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text === 'scripts/chapter go 00')")


def test_a_block_says_what_a_reader_should_know_before_typing_it(visit):
    page = visit("/00-start/")
    expect(page.locator(".filename", has_text="this fails on purpose")).to_have_count(1)
    expect(page.get_by_text("exit 1 -->")).to_have_count(0)


def test_each_page_leads_to_the_next(visit):
    page = visit("/00-start/")
    for chapter in CHAPTERS[1:]:
        page.get_by_role("link", name=f"Next: {chapter.name[:2]}").click()
        expect(page.locator("h1")).to_contain_text(chapter.title)


def test_the_search_finds_a_word(visit):
    page = visit("/")
    page.get_by_role("textbox", name="Search").press_sequentially("ipvlan")  # the theme listens to keys
    expect(page.locator(".md-search-result__link[href*='/13-networks/?h=ipvlan']")).to_contain_text("ipvlan")


def test_solutions_are_folded_and_rendered(visit):
    page = visit("/00-start/")
    page.get_by_text("Solution", exact=True).first.click()
    expect(page.locator("details[open] .highlight").first).to_be_visible()


def test_the_second_question_has_the_number_two(visit):
    page = visit("/00-start/")
    expect(page.locator("h3#recall ~ ol[start='2']").first).to_contain_text("You wrote")
