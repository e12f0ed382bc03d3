"""How often a test tries: a quick share always, all of it with --long. The summary names the figures."""

from collections.abc import Callable

import pytest


@pytest.fixture
def tries(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[int, int], int]:
    """The number of tries, of which the first argument is the quick one and the second the one for --long."""

    def choose(quick: int, long: int) -> int:
        number = long if request.config.getoption("--long") else quick
        record_property("tries", number)
        return number

    return choose
