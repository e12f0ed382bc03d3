"""The page as people use it, in a real browser: with a mouse, with a keyboard, with a screen reader, on a phone."""

import re
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from pymongo import MongoClient

from tests.support.processes import Server
from tests.support.repository import ROOT
from tests.support.waiting import wait_for

UNDO = 6  # seconds
ANN = {"name": "Ann", "email": "ann@example.org"}
ARTEFACTS = ROOT / "artefacts"
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


@pytest.fixture
def alone(database, tmp_path):
    """The service with a database that the test stops and starts."""
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running():
        wait_for(lambda: server.get("/readyz").ok, "the service to be ready")
        yield server


def rows(page: Page) -> Locator:
    return page.locator("#users .user")


def add(page: Page, name: str, email: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Add user").click()


def shows(page: Page, text: str | re.Pattern[str]) -> None:
    """Check what the page says under the form, to a screen reader too."""
    expect(page.get_by_role("status").filter(has_text=text)).to_have_count(1)


def pass_time(page: Page, seconds: int) -> None:
    """Let these seconds pass on the page's clock, and each time the app answer: or it would be taken for gone."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.evaluate("fetch('/healthz')")


def state_is(page: Page, state: str) -> None:
    expect(page.locator("#state")).to_have_text(state)


def fill(users, number: int) -> None:
    users.insert_many([{"name": f"User {n:03}", "email": f"{n}@example.org"} for n in range(number)])


def test_a_user_is_added_seen_and_there_after_a_reload(service, visit):
    service.post("/users", json={"name": "Bob", "email": "bob@example.org"})
    page = visit(service)
    add(page, " Ann ", "ann@example.org")
    expect(rows(page).locator(".name")).to_have_text(["Ann", "Bob"])  # newest first
    shows(page, "Ann is added.")
    expect(page.get_by_label("Name")).to_have_value("")
    expect(page.get_by_label("Name")).to_be_focused()  # for the next one
    before = rows(page).first.inner_text()
    page.reload()
    expect(rows(page)).to_have_count(2)
    assert rows(page).first.inner_text() == before
    for number in ("#total", "#kept"):
        expect(page.locator(number)).to_have_text("2")


def test_the_first_user_takes_the_place_of_the_hint(service, visit):
    page = visit(service)
    hint = page.get_by_text("No users yet.")
    expect(hint).to_be_visible()
    add(page, **ANN)
    expect(hint).to_be_hidden()
    expect(page.locator("#total")).to_have_text("1")


def test_each_wrong_field_has_its_error_beside_it(service, visit):
    page = visit(service)
    name, email = page.get_by_label("Name"), page.get_by_label("Email")
    add(page, "", "not an address")
    expect(name).to_have_accessible_description("Should have at least 1 character")
    expect(email).to_have_accessible_description("Should be an email address")
    expect(page.get_by_text("Should be an email address")).to_be_visible()
    expect(name).to_be_focused()
    expect(email).to_have_value("not an address")
    add(page, "Ann", "not an address")
    expect(name).to_have_attribute("aria-invalid", "false")
    expect(name).to_have_accessible_description("")
    expect(email).to_be_focused()
    add(page, **ANN)
    expect(rows(page)).to_have_count(1)
    expect(email).to_have_accessible_description("")


def test_an_email_that_is_taken_has_its_error_beside_it(service, visit):
    service.post("/users", json=ANN)
    page = visit(service)
    add(page, "Other", "ANN@example.org")
    email = page.get_by_label("Email")
    expect(email).to_have_accessible_description("There is a user with this email already.")
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Other")
    expect(rows(page)).to_have_count(1)


def test_a_deleted_user_goes_after_a_while(service, users, visit):
    fill(users, 2)
    page = visit(service)
    page.get_by_role("button", name="Delete User 001").click()
    shows(page, "User 001 will be deleted in 6 seconds")
    pass_time(page, UNDO - 2)
    expect(page.get_by_role("button", name="Undo: keep User 001")).to_be_visible()
    assert users.count_documents({}) == 2
    pass_time(page, 2)
    expect(rows(page).locator(".name")).to_have_text(["User 000"])
    shows(page, "User 001 is deleted.")
    expect(page.get_by_role("button", name="Delete User 000")).to_be_focused()  # the focus does not fall to nowhere
    expect(page.locator("#total")).to_have_text("1")
    assert users.count_documents({}) == 1
    page.reload()
    expect(rows(page)).to_have_count(1)


def test_an_undo_keeps_the_user_as_it_was(service, users, visit):
    fill(users, 2)
    before = list(users.find())
    page = visit(service)
    page.get_by_role("button", name="Delete User 001").click()
    page.get_by_role("button", name="Undo").click()
    shows(page, "User 001 stays.")
    pass_time(page, 2 * UNDO)
    expect(page.get_by_role("button", name="Delete User 001")).to_be_focused()
    assert list(users.find()) == before


def test_who_leaves_before_the_time_is_up_has_deleted_nothing(service, users, visit):
    fill(users, 1)
    page = visit(service)
    page.get_by_role("button", name="Delete User 000").click()
    shows(page, "unless you undo it or leave this page")
    page.reload()
    pass_time(page, 2 * UNDO)
    expect(page.get_by_role("button", name="Delete User 000")).to_be_visible()
    assert users.count_documents({}) == 1


def test_a_user_that_another_has_deleted_goes_too(service, users, visit):
    fill(users, 1)
    page = visit(service)
    users.delete_many({})
    page.get_by_role("button", name="Delete User 000").click()
    pass_time(page, UNDO)
    shows(page, "User 000 is deleted.")
    expect(rows(page)).to_have_count(0)


def test_the_database_goes_and_comes_back_while_the_page_is_open(alone, database, visit):
    alone.post("/users", json=ANN)
    page = visit(alone)
    state_is(page, "up")
    database.stop()
    wait_for(lambda: alone.get("/about").json()["database"] == "down", "the service to notice")
    pass_time(page, 1)  # the page asks every second
    state_is(page, "down")
    shows(page, "MongoDB does not answer")
    expect(rows(page)).to_have_count(1)  # what was read stays

    page.get_by_role("button", name="Delete Ann").click()
    pass_time(page, UNDO)
    shows(page, "Not deleted. The database does not answer; try again.")
    expect(page.get_by_role("button", name="Delete Ann")).to_be_visible()
    add(page, "Bob", "bob@example.org")
    shows(page, re.compile("^The database does not answer; try again."))
    expect(page.get_by_label("Name")).to_have_value("Bob")

    held = []
    page.route("**/users", lambda route: held.append(route))
    database.start()
    with MongoClient(database.url) as client:
        client.get_default_database()["users"].insert_one({"name": "Bob", "email": "meanwhile@example.org"})
    state_is(page, "recovering")
    wait_for(lambda: page.evaluate("0") or held, "the page to read the users")
    held[0].continue_()
    state_is(page, "up")
    expect(rows(page).locator(".name")).to_have_text(["Bob", "Ann"])
    expect(page.locator("#total")).to_have_text("2")


def test_a_page_that_was_opened_without_the_database_fills_by_itself(alone, database, visit):
    alone.post("/users", json=ANN)
    database.stop()
    wait_for(lambda: alone.get("/readyz").status_code == 503, "the service to notice")
    page = visit(alone)
    state_is(page, "down")
    expect(page.get_by_text("No users yet.")).to_be_hidden()  # who knows
    database.start()
    state_is(page, "up")
    expect(rows(page).locator(".name")).to_have_text(["Ann"])


def test_the_app_goes_and_comes_back_while_the_page_is_open(database_url, users, visit, tmp_path):
    users.delete_many({})
    server = Server(tmp_path, DATABASE_URL=database_url)
    with server.running():
        page = visit(server)
        state_is(page, "up")
    state_is(page, "unknown")
    add(page, **ANN)
    shows(page, "The app did not answer; try again.")
    expect(page.get_by_label("Email")).to_have_value("ann@example.org")
    with server.running():
        state_is(page, "up")
        add(page, **ANN)
        expect(rows(page)).to_have_count(1)


def test_250_users_come_page_by_page(service, users, visit):
    fill(users, 250)
    page = visit(service)
    for number in (50, 100, 150, 200):
        expect(rows(page)).to_have_count(number)
        page.get_by_role("link", name="Load more").click()
    expect(rows(page)).to_have_count(250)
    assert rows(page).locator(".name").all_inner_texts() == [f"User {n:03}" for n in reversed(range(250))]
    expect(page.get_by_role("link", name="Load more")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete User 049")).to_be_focused()
    expect(page.locator("#total")).to_have_text("250")


def test_the_token_is_asked_for_once_and_kept_for_the_tab(database_url, users, visit, tmp_path):
    users.delete_many({})
    right = "right-one"
    server = Server(tmp_path, DATABASE_URL=database_url, API_TOKEN=right)
    with server.running():
        page = visit(server)
        dialog, token = page.get_by_role("dialog"), page.get_by_label("API token")
        add(page, **ANN)
        expect(dialog).to_have_accessible_name("This service requires a token")
        expect(token).to_be_focused()
        page.keyboard.press("Escape")
        shows(page, "This needs the header Authorization")
        expect(page.get_by_label("Name")).to_have_value("Ann")
        page.get_by_role("button", name="Add user").click()
        token.fill("wrong")
        token.press("Enter")
        expect(dialog).to_contain_text("That token was not accepted.")
        assert users.count_documents({}) == 0
        token.fill(right)
        page.get_by_role("button", name="Use it").click()
        expect(rows(page)).to_have_count(1)
        page.reload()
        add(page, "Bob", "bob@example.org")
        expect(rows(page)).to_have_count(2)
        expect(dialog).to_be_hidden()
        other = page.context.new_page()
        other.goto("/")
        add(other, "Eve", "eve@example.org")
        expect(other.get_by_role("dialog")).to_be_visible()
        assert users.count_documents({}) == 2


@pytest.fixture
def prefixed(database_url, users, tmp_path):
    """The service behind a proxy that serves it under /app, and has other things elsewhere."""
    users.delete_many({})
    server = Server(tmp_path, DATABASE_URL=database_url, TRUSTED_PROXIES="1")

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith("/app/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = dict(self.headers) | {"X-Forwarded-Prefix": "/app"}
            answer = server.request(self.command, self.path.removeprefix("/app"), data=body, headers=headers)
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Content-Security-Policy"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            with suppress(ConnectionError):  # the page was closed
                self.end_headers()
                self.wfile.write(answer.content)

        do_GET = do_POST = do_DELETE = forward  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with server.running(), ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        Thread(target=proxy.serve_forever).start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{proxy.server_port}/app/")
        proxy.shutdown()


def test_under_a_path_prefix_all_works(prefixed, users, visit):
    fill(users, 51)
    page = visit(prefixed)
    state_is(page, "up")
    page.get_by_role("link", name="Load more").click()
    expect(rows(page)).to_have_count(51)
    add(page, **ANN)
    shows(page, "Ann is added.")
    page.get_by_role("button", name="Delete Ann").click()
    page.clock.run_for(UNDO * 1000)
    shows(page, "Ann is deleted.")
    link = page.get_by_role("link", name="API's description").get_attribute("href")
    assert page.evaluate("link => fetch(link).then((answer) => answer.status)", link) == 200


BLOCKED = """Object.defineProperty(window, "sessionStorage", {
    get() { throw new DOMException("denied", "SecurityError"); }
})"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }"""


@pytest.mark.parametrize("obstacle", [BLOCKED, FULL], ids=["blocked", "full"])
def test_a_browser_that_stores_nothing_keeps_the_token_for_as_long_as_the_page(
    database_url, users, visit, tmp_path, obstacle
):
    users.delete_many({})
    right = "right-one"
    server = Server(tmp_path, DATABASE_URL=database_url, API_TOKEN=right)
    with server.running():
        page = visit(server)
        page.add_init_script(obstacle)
        page.reload()
        state_is(page, "up")
        add(page, **ANN)
        page.get_by_label("API token").fill(right)
        page.get_by_role("button", name="Use it").click()
        shows(page, "Ann is added.")
        page.get_by_role("button", name="Delete Ann").click()
        pass_time(page, UNDO)
        expect(rows(page)).to_have_count(0)
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_app_that_never_answers_leaves_no_button_disabled(service, visit):
    page = visit(service)
    page.add_init_script("const real = AbortSignal.timeout; AbortSignal.timeout = () => real.call(AbortSignal, 500);")
    page.reload()
    held = []
    page.route("**/users", lambda route: held.append(route))
    add(page, **ANN)
    shows(page, "The app did not answer; try again.")
    expect(page.get_by_role("button", name="Add user")).to_be_enabled()
    assert held


@pytest.mark.parametrize(
    "answer", [{"body": "<h1>Bad gateway</h1>", "content_type": "text/html"}, {"body": "null"}, {"json": []}]
)
def test_a_strange_answer_leaves_no_button_disabled(service, visit, answer):
    page = visit(service)
    page.route("**/users", lambda route: route.fulfill(status=502, **answer))
    add(page, **ANN)
    expect(page.get_by_role("button", name="Add user")).to_be_enabled()
    shows(page, "The app did not answer")


HOSTILE = [
    "<script>window.ran = 1</script>",
    '<img src=x onerror="window.ran = 1">',
    "{{ 7 * 7 }}",
    "عبد الله",
    "李小龍 👩‍👩‍👧",
]


def test_names_and_emails_of_any_kind_are_shown_as_text(service, visit):
    page = visit(service)
    for number, name in enumerate(HOSTILE):
        add(page, name, f'"><b>{number}</b>@example.org')
        expect(rows(page)).to_have_count(number + 1)
    for _ in ("as the script shows them", "as the server does"):
        assert rows(page).locator(".name").all_inner_texts() == HOSTILE[::-1]
        assert rows(page).locator(".email").first.inner_text() == '"><b>4</b>@example.org'
        page.reload()
    assert page.evaluate("window.ran") is None


def test_a_script_that_got_into_the_page_does_not_run(service, visit):
    page = visit(service)
    blocked = page.evaluate("""() => new Promise((resolve) => {
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.ran = 1";
        document.body.append(script);
        if (window.ran) resolve("it ran");
    })""")
    assert blocked == "script-src-elem"
    assert page.evaluate("window.ran") is None
    visit.complaints.clear()  # the browser's, of just that


def test_all_can_be_done_with_the_keyboard_alone(service, visit):
    page = visit(service)

    def tab_to(target: Locator) -> None:
        for _ in range(10):
            page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
                return
        pytest.fail("the Tab key does not lead there")

    tab_to(page.get_by_label("Name"))
    page.keyboard.type("Ann")
    tab_to(page.get_by_label("Email"))
    page.keyboard.type("ann@example.org")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    tab_to(page.get_by_role("button", name="Delete Ann"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Space")
    shows(page, "Ann stays.")
    page.keyboard.press("Space")
    pass_time(page, UNDO)
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_label("Name")).to_be_focused()


def test_without_javascript_it_can_be_read(service, users, visit):
    fill(users, 60)
    page = visit(service, java_script_enabled=False)
    expect(rows(page)).to_have_count(50)
    state_is(page, "up")
    expect(page.get_by_text("Without JavaScript")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)  # nothing that would do nothing
    page.get_by_role("link", name="Load more").click()
    expect(rows(page).locator(".name")).to_have_text([f"User {n:03}" for n in reversed(range(10))])


def about(page: Page, **members: str) -> None:
    """Have the page told this about the stack, from now on."""
    told = {"hostname": "0a1b2c3d4e5f", "version": "9.8.7", "revision": "0123456789abcdef", "database": "up"} | members
    page.route("**/about", lambda route: route.fulfill(json=told))


def test_another_replica_that_answers_is_shown(service, visit):
    page = visit(service)
    about(page)
    expect(page.locator("#hostname")).to_have_text("0a1b2c3d4e5f")
    expect(page.locator("#version")).to_have_text("9.8.7")
    expect(page.locator("#revision")).to_have_text("0123456789ab")


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["desktop", "dark", "phone"])
def test_axe_finds_nothing_in_any_state_of_the_page(service, users, visit, options):
    fill(users, 51)
    page = visit(service, **options)

    def check() -> None:
        found = Axe().run(page).response
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
        assert len(found["passes"]) > 10

    state_is(page, "up")
    check()
    add(page, "", "not an address")
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Delete User 050").click()
    shows(page, "will be deleted")
    about(page, database="down")
    state_is(page, "down")
    check()
    page.route("**/about", lambda route: route.abort())
    page.route("**/users", lambda route: route.fulfill(status=401, json={"detail": "No."}))
    state_is(page, "unknown")
    check()
    add(page, **ANN)
    expect(page.get_by_role("dialog")).to_be_visible()
    check()


def test_nothing_is_cut_off_or_scrolls_sideways_on_the_smallest_phone(service, visit):
    service.post("/users", json={"name": "x" * 100, "email": "y" * 200 + "@example.org"})
    page = visit(service, **PHONE | {"viewport": {"width": 320, "height": 600}})
    expect(rows(page)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.evaluate("[...document.querySelectorAll('button, .big, bdi')].every(e => e.scrollWidth <= innerWidth)")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {"viewport": {"width": 1100, "height": 800}}),
        ("dark", {"viewport": {"width": 1100, "height": 800}, "color_scheme": "dark"}),
        ("phone", PHONE),
    ],
)
def test_pictures_for_people_to_look_at(service, users, visit, name, options):
    """Kept in artefacts/ (on GitHub, with the run). The README shows one: docs/images/page.png is desktop.png."""
    for person in ("Grace Hopper", "Edsger Dijkstra", "Barbara Liskov", "Ada Lovelace"):
        users.insert_one({"name": person, "email": f"{person.split()[0].lower()}@example.org"})
    page = visit(service, **options)
    about(page, hostname="9f2c4e81b7aa", version="1.4.2", revision="4949b78")
    expect(page.locator("#hostname")).to_have_text("9f2c4e81b7aa")
    ARTEFACTS.mkdir(exist_ok=True)
    picture = page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)
    assert picture.startswith(b"\x89PNG")
