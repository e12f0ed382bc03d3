"""The course's tests where there is no docker command."""

import re

from tests.support.environment import path_without_docker
from tests.support.scripts import run_tests


def test_tests_that_need_an_engine_are_counted_with_the_reason(tmp_path):
    files = [f"chapters/tests/test_{name}.py" for name in ("clean", "pages", "tags")]
    chosen = "clean or page or image or compose"
    result = run_tests(*files, "-k", chosen, PATH=path_without_docker(tmp_path / "bin"))
    assert result.returncode == 0, result.stdout
    assert re.search(r"^\d+ chapters tests skipped: there is no docker command$", result.stdout, re.MULTILINE)
