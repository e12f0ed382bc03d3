"""The cheat sheet and the glossary keep to the pages of the chapters."""

import re

import pytest

from chapters.tests.support.course import CHAPTERS
from chapters.tests.support.page import Page, read
from tests.support.repository import ROOT

PAGES = {chapter.name[:2]: read(chapter.page) for chapter in CHAPTERS}
ROW = re.compile(r"\| (.+?) \| (.+) \| \[(\d\d)\]\(\.\./(\S+)\) \|")
VERB = re.compile(r"docker (?:(?:compose|image|volume|network|builder|container|system) )?[a-z]+")
# They do the same as another one, which the sheet has, or the pages only tell them apart from one.
ALIASES = {"docker image ls", "docker image rm", "docker export"}


def rows(name: str) -> list[tuple[str, str]]:
    """The first column and the chapter's number of each row of a page's tables."""
    lines = (ROOT / "docs/reference" / name).read_text(encoding="utf-8").splitlines()
    content = [line for line in lines if line.startswith("| ") and not line.endswith("| chapter |")]
    found = []
    for line in content:
        row = ROW.fullmatch(line)
        assert row, f"{name}: a row ends with a link to its chapter: {line}"
        assert row[4] == PAGES[row[3]].path.name, f"{name}: {line}"
        found.append((row[1], row[3]))
    return found


def words(command: str) -> list[str]:
    """The words of a command; `--option=value` is two."""
    return re.sub(r"(?<=\s)(--[\w-]+)=", r"\1 ", command).split()


def commands(page: Page) -> list[list[str]]:
    """The commands of a page, those within its text included."""
    typed = [command.text.replace("\\\n", "") for block in page.console for command in block.commands]
    return [words(text) for text in [*typed, *re.findall(r"`([^`\n]+)`", "\n".join(page.lines))]]


def is_taught(command: str, page: Page) -> bool:
    """Whether one command of the page has all words of this one, but for those that stand for the reader's own."""
    literal = [word for word in words(command) if not re.search("[A-Z]", word)]
    return any(contains(taught, literal) for taught in commands(page))


def contains(command: list[str], literal: list[str]) -> bool:
    """Whether a command, or one in it, begins with the program and the verb, and has the other words."""
    starts = [number for number in range(len(command)) if command[number : number + 2] == literal[:2]]
    return any(set(literal) <= set(command[start:]) for start in starts)


SHEET = [(first.strip("`"), number) for first, number in rows("cheat-sheet.md")]


@pytest.mark.parametrize(("command", "number"), SHEET, ids=lambda value: value)
def test_a_command_of_the_cheat_sheet_is_on_its_page(command, number):
    assert is_taught(command, PAGES[number])


def test_the_cheat_sheet_has_each_command_that_the_pages_run_or_name():
    listed = {VERB.match(command)[0] for command, _ in SHEET if VERB.match(command)}
    for page in PAGES.values():
        taught = {verb[0] for command in commands(page) if (verb := VERB.match(" ".join(without_options(command))))}
        assert taught - ALIASES - {"docker compose"} <= listed, page.path


def without_options(command: list[str]) -> list[str]:
    """A command without what stands between `docker compose` and its verb."""
    return words(re.sub(r"docker compose (?:(?:-f|--profile) \S+ )+", "docker compose ", " ".join(command)))


def test_a_command_that_a_page_does_not_have_is_found():
    page = PAGES["01"]
    assert is_taught("docker run --detach --name NAME IMAGE", page)
    assert not is_taught("docker run --detach --read-only IMAGE", page)
    assert not is_taught("docker rm --all", page), "the words are of two commands"


@pytest.mark.parametrize(("term", "number"), rows("glossary.md"), ids=lambda value: value)
def test_a_term_of_the_glossary_is_on_its_page(term, number):
    text = " ".join(PAGES[number].lines)
    assert re.search(rf"\b{re.escape(term)}", text, re.IGNORECASE)


def test_the_glossary_is_in_alphabetical_order():
    terms = [term.lower() for term, _ in rows("glossary.md")]
    assert terms == sorted(set(terms))
