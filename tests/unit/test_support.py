"""What tests share is in tests/support and chapters/tests/support."""

import re

from tests.support.repository import ROOT


def test_no_file_imports_from_a_conftest_or_a_file_of_tests():
    files = [path for folder in ("tests", "chapters/tests") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 20
    pattern = re.compile(r"^\s*(?:from|import) \S*\b(?:conftest|test_\w+)\b", re.MULTILINE)
    assert [path for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []
