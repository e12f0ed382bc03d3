"""What tests share is in tests/support, or in the folder support of other tests."""

import re

from tests.support.repository import ROOT


def test_no_file_imports_from_a_conftest_or_a_file_of_tests():
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("[a-z]*/tests/**/*.py")]  # not in .venv
    assert len(files) > 20
    pattern = re.compile(r"^\s*(?:from|import) \S*\b(?:conftest|test_\w+)\b", re.MULTILINE)
    assert [path for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []
