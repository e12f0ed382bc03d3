"""How pytest runs all tests: in which process, and what it reports of skipped ones."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL"))

# The machine's proxy, if any, cannot reach the servers that run here.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
    filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "localhost,127.0.0.1,::1"])
)

# Shells start background jobs with SIGINT ignored, and children inherit that; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --long."""
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes, marked as long")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out long tests, unless asked for, and mark those that load the engine.

    In several processes, each runs whole files, and one runs all that load the engine. Tests that have a group already
    keep it.
    """
    long = [item for item in items if item.get_closest_marker("long") and not config.getoption("--long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
    for item in items:
        loads = "engine" in item.fixturenames
        if loads:
            item.add_marker(pytest.mark.engine)
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("engine" if loads else "/".join(item.path.parts[-2:])))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """With REQUIRE_ALL=1, a test that would be skipped has failed."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL: {report.longrepr[2]}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and why: '12 containers tests skipped: no Docker Engine answers'; then tests' figures."""
    skipped = Counter(
        (folder_of(report.nodeid), report.longrepr[2].removeprefix("Skipped: "))
        for report in terminalreporter.getreports("skipped")
    )
    for (folder, reason), number in sorted(skipped.items()):
        terminalreporter.write_line(f"{number} {folder} tests skipped: {reason}", yellow=True)
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.user_properties:
            figures = ", ".join(f"{name}: {value}" for name, value in report.user_properties)
            name = re.sub(r"@[\w./-]+$", "", report.nodeid.rpartition("::")[2])  # without pytest-xdist's group
            terminalreporter.write_line(f"{name}: {figures}")


def folder_of(nodeid: str) -> str:
    """The folder that a test is named after: api for tests/api/…, x for x/tests/…."""
    return next(part for part in nodeid.split("/") if part != "tests")
