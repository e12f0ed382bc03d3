"""What all tests share: what to do where a part of this machine is missing."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """With REQUIRE_ALL=1, a test that would be skipped has failed."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL: {report.longrepr[2]}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and why: '12 containers tests skipped: no Docker Engine answers'."""
    skipped = Counter(
        (report.nodeid.split("/")[1], report.longrepr[2].removeprefix("Skipped: "))
        for report in terminalreporter.getreports("skipped")
    )
    for (folder, reason), number in sorted(skipped.items()):
        terminalreporter.write_line(f"{number} {folder} tests skipped: {reason}", yellow=True)
