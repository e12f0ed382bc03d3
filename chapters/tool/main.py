"""Move between the chapters of the course. Each chapter is a git tag and has a page in docs/.

    scripts/chapter list              the chapters, and where you are
    scripts/chapter go 05             to a chapter: by number, by name (image-tags), next, prev; or back to main
    scripts/chapter start 05          the same, but you write the files that its page has you write
    scripts/chapter diff [05]         what a chapter changed (without a number: the one you are at)
    scripts/chapter open 05           put a chapter into a folder beside this one, to compare
    scripts/chapter check [05]        check your work: your containers, images, volumes and files
    scripts/chapter clean             remove what the chapters made in Docker, after asking

For authors of the course (docs/reference/chapters.md):

    scripts/chapter weave [COMMIT]    print the commits of the chapters, as main (or another commit) has them
    scripts/chapter tags              make, or correct, the chapters' tags; --push REMOTE pushes them
    scripts/chapter verify            check the course in this work tree, including uncommitted changes
    scripts/chapter edit 05           change a chapter, in a folder beside this one
    scripts/chapter save              there: carry the change through the later chapters, and stage the outcome on main;
                                      elsewhere: bring chapters/ up to date with its lists
    scripts/chapter review BASE       show which chapters changed since then; a commit must name each
    scripts/chapter new 07-slug 06    add a chapter after another
    scripts/chapter try 05            run a chapter's page as a program, on a learner's machine
    scripts/chapter serve             show the pages as a web site, on http://127.0.0.1:8000
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Callable

from chapters.tool import git
from chapters.tool.clean import clean
from chapters.tool.edit import edit
from chapters.tool.learner import check, diff, list_chapters, open_chapter
from chapters.tool.move import go, start
from chapters.tool.new import new
from chapters.tool.review import review
from chapters.tool.save import save
from chapters.tool.user import CourseError
from chapters.tool.verify import verify
from chapters.tool.weave import print_weave, tags


def try_page(arguments: argparse.Namespace) -> None:
    """Run a page as a program on a learner's machine, and show where its output is not what the page says."""
    replace_by("chapters/tests/try", "--remove" if arguments.remove else arguments.page)


def serve(arguments: argparse.Namespace) -> None:
    """Show the pages as a web site, which follows changes, until Ctrl-C."""
    replace_by("chapters/site/mkdocs", "serve", "--dev-addr", f"127.0.0.1:{arguments.port}")


def replace_by(program: str, *arguments: str) -> None:
    """Go on as one of the course's other programs, which only main has."""
    path = git.ROOT / program
    if not path.exists():
        raise CourseError("This works on main: scripts/chapter go main")
    os.execv(path, [str(path), *arguments])


VERBS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    "list": list_chapters,
    "go": go,
    "start": start,
    "diff": diff,
    "open": open_chapter,
    "check": check,
    "clean": clean,
    "weave": print_weave,
    "tags": tags,
    "verify": verify,
    "edit": edit,
    "save": save,
    "review": review,
    "new": new,
    "try": try_page,
    "serve": serve,
}


def main() -> int:
    arguments = parse()
    for stream in (sys.stdout, sys.stderr):
        # A terminal of an older encoding has no …
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are TextIOWrappers
    if hasattr(signal, "SIGPIPE"):  # Windows has none
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when `| head` has read enough
    try:
        git.need_clone()
        return VERBS[arguments.verb](arguments) or 0
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/chapter", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", help=", ".join(VERBS))
    at = {name: verbs.add_parser(name, description=verb.__doc__) for name, verb in VERBS.items()}
    at["go"].add_argument("chapter", metavar="CHAPTER", help="05, image-tags, next, prev, or main")
    at["start"].add_argument("chapter", metavar="CHAPTER", help="05, image-tags, next, or prev")
    for verb in ("go", "start"):
        keep = at[verb].add_mutually_exclusive_group()
        keep.add_argument("--stash", action="store_true", help="put changes that you did not commit into git's stash")
        keep.add_argument("--discard", action="store_true", help="throw them away, after asking")
    at["diff"].add_argument("chapter", nargs="?", metavar="CHAPTER", help="the chapter where you are, if not given")
    at["open"].add_argument("chapter", metavar="CHAPTER")
    at["check"].add_argument("chapter", nargs="?", metavar="CHAPTER", help="or capstone-1; if not given, where you are")
    at["clean"].add_argument("--yes", action="store_true", help="do not ask")
    at["weave"].add_argument("commit", nargs="?", metavar="COMMIT", help="main, if not given")
    at["tags"].add_argument("--push", metavar="REMOTE", help="send them there, and remove what is stale there")
    at["edit"].add_argument("chapter", metavar="CHAPTER")
    at["save"].add_argument("--abort", action="store_true", help="give the edit up, after asking")
    at["review"].add_argument("base", metavar="BASE", help="a commit or branch, such as origin/main")
    at["new"].add_argument("name", metavar="NN-SLUG", help="such as 22-scale-out")
    at["new"].add_argument("after", metavar="AFTER", help="the chapter before it")
    tried = at["try"].add_mutually_exclusive_group(required=True)
    tried.add_argument("page", nargs="?", metavar="PAGE", help="a chapter's number, or a Markdown file")
    tried.add_argument("--remove", action="store_true", help="remove the machine, which is kept for the next run")
    at["serve"].add_argument("--port", type=int, default=8000, help="8000, if not given")
    return parser.parse_args()
