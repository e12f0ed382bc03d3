"""What tests read from Markdown files."""

import re
from pathlib import Path


def prose(lines: list[str]) -> dict[int, str]:
    """The lines outside of fenced blocks and tables, by their numbers."""
    kept, fenced = {}, False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("|"):
            kept[number] = line
    return kept


def dead_links(page: Path) -> list[str]:
    """The files that a page links to and that do not exist."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    return [link for link in links if not (page.parent / link).exists()]
