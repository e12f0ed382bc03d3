"""How the site differs from the Markdown that GitHub shows.

Directives before a block become its title, Markdown inside <details> is rendered, and links to files outside of docs/
lead to the repository.
"""

import os
import re
from pathlib import PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

# What a reader should know of a block before typing it: see docs/reference/pages.md.
LABELS = {
    r"exit \d+": "this fails on purpose",
    r"wait": "no such output yet? try again",
    r"keeps running": "keeps running: Ctrl-C ends it",
    r"terminal 2": "in a second terminal",
    r"terminal 3": "in a third terminal",
    r"not run: (.+)": r"not run by our tests: \1",
    r"file: (\S+)": r"\1",
    r"write: (\S+)": r"in your editor: \1",
}
BLOCK = re.compile(r"((?:^<!-- .+ -->\n)+)^```(\w+)$", re.MULTILINE)
LINK = re.compile(r"\[([^]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Link to the repository that GitHub builds the site for."""
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        config.repo_url = f"{os.environ['GITHUB_SERVER_URL']}/{repository}"
        config.repo_name = repository
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn a page's Markdown into what MkDocs renders."""
    markdown = BLOCK.sub(lambda block: f'```{{.{block[2]} title="{title(block[1])}"}}', markdown)
    markdown = markdown.replace("<details>", '<details markdown="1">')
    return LINK.sub(lambda link: outside(link, page, config), markdown)


def title(directives: str) -> str:
    """What the directives of a block tell its reader."""
    found = re.findall("^<!-- (.+) -->$", directives, re.MULTILINE)
    labels = [re.sub(rule, label, said) for said in found for rule, label in LABELS.items() if re.fullmatch(rule, said)]
    return " · ".join(labels)


def outside(link: re.Match[str], page: Page, config: MkDocsConfig) -> str:
    """A link as it is, or to the repository if its file is not in docs/: where none is known, the text alone."""
    text, path, anchor = link.groups()
    place = os.path.normpath(PurePosixPath("docs", page.file.src_uri).parent / path)
    if place.startswith("docs/"):
        return link[0]
    return f"[{text}]({config.repo_url}/blob/main/{place}{anchor or ''})" if config.repo_url else text


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Name the search for screen readers, which the theme does not do."""
    return output.replace('data-md-component="search"', 'data-md-component="search" aria-label="Search"', 1)
