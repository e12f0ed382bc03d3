"""What a learner types: list, go, diff, open, check. Nothing of theirs may be lost."""

import os
import shutil
import sys

import pytest

from chapters.tests.support.clone import CHAPTERS
from tests.support.repository import ROOT
from tests.support.scripts import unread

AT_APP = "You are at 01-app: Write the app (docs/01-app.md)"


def head(course):
    return course.git("describe", "--tags", "--exact-match", "HEAD")


def test_list_in_a_clone_without_tags(course):
    clone = course.clone("fresh", "--depth=1", "--no-tags")
    assert clone.chapter("list").splitlines() == [
        "  00-start  Start here     docs/00-start.md",
        "  01-app    Write the app  docs/01-app.md",
        "  02-look   Look at it     docs/02-look.md",
        "  03-more   Say more       docs/03-more.md",
        "You are on main.",
    ]
    assert clone.git("checkout", "--quiet", "ch/01-app") == ""  # plain git does from now on
    assert clone.chapter("list").splitlines()[1::3] == ["* 01-app    Write the app  docs/01-app.md", AT_APP]


def test_next_and_prev_and_back(course):
    assert course.chapter("go", "00") == "You are at 00-start: Start here (docs/00-start.md)\n"
    assert course.chapter("go", "next") == AT_APP + "\n"
    assert head(course) == "ch/01-app"
    assert course.git("status", "--porcelain") == ""
    assert "HEAD detached at" in course.git("status")
    assert course.read("notes.txt") == "to do\n"
    assert course.chapter("go", "next").startswith("You are at 02-look")
    assert course.chapter("go", "prev") == AT_APP + "\n"
    assert course.chapter("go", "main") == "You are on main.\n"
    assert course.git("symbolic-ref", "HEAD") == "refs/heads/main"


@pytest.mark.parametrize("name", ["01", "1", "app", "01-app", "ch/01-app"])
def test_the_names_of_a_chapter(course, name):
    assert course.chapter("go", name) == AT_APP + "\n"


@pytest.mark.parametrize("name", ["4", "look-at", "", "-1x", "main2", "001"])
def test_a_chapter_that_is_not_there(course, name):
    assert course.refusal("go", "--", name) == f"There is no chapter '{name}': scripts/chapter list shows all"


def test_the_ends_of_the_course(course):
    course.chapter("go", "00")
    assert course.refusal("go", "prev") == "This is the first chapter: scripts/chapter list shows all"
    course.chapter("go", "03")
    assert course.refusal("go", "next") == "This is the last chapter: scripts/chapter list shows all"
    course.chapter("go", "main")
    assert course.refusal("go", "next") == "You are on main, which is not a chapter: name one, such as 00"
    assert course.refusal("diff") == "You are on main, which is not a chapter: name one, such as 00"


def test_from_another_folder_and_in_an_opened_one(course, tmp_path):
    assert course.chapter("go", "1", folder=tmp_path) == AT_APP + "\n"
    opened = course.chapter("open", "03").strip()
    assert opened == "03-more is in ../course-03-more; when you are done: git worktree remove ../course-03-more"
    there = type(course)(tmp_path / "course-03-more")
    assert there.chapter("list").splitlines()[-1] == "You are at 03-more: Say more (docs/03-more.md)"
    assert (there.folder / "extra/a.txt").exists()
    assert course.chapter("list").splitlines()[-1] == AT_APP
    assert there.chapter("open", "00").startswith("00-start is in ../course-00-start;")  # beside the clone, not deeper
    assert course.refusal("open", "03").startswith(f"{there.folder} is there already: go on in it, or ")
    course.git("worktree", "remove", "../course-03-more")
    course.chapter("open", "03")
    shutil.rmtree(there.folder)  # as people do
    course.chapter("open", "03")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_tool_is_there_at_every_chapter(course, chapter):
    course.chapter("go", chapter)
    assert course.chapter("list").count("\n") == 5
    assert course.chapter("go", "main") == "You are on main.\n"


def test_a_clone_of_a_branch_that_is_not_main_has_main_of_its_origin(course):
    course.git("branch", "other")
    clone = course.clone("other", "--branch=other")
    assert clone.chapter("list").splitlines()[-1] == "You are on other."
    clone.chapter("go", "01")
    assert clone.chapter("go", "main") == "You are on main.\n"


def test_the_clones_own_main_comes_before_that_of_its_origin(course):
    clone = course.clone("own")
    clone.commit(**{"chapters/series": clone.read("chapters/series").replace("Look at it", "Look again")})
    assert "02-look   Look again" in clone.chapter("list")
    clone.chapter("go", "02")
    clone.git("branch", "--delete", "--force", "main")
    assert "02-look   Look at it" in clone.chapter("list")


def test_stale_tags_are_mended(course):
    course.chapter("go", "02")
    course.chapter("go", "main")
    course.commit(**{"chapters/01-app/files/notes.txt": "done\n"})
    course.git("tag", "--delete", "ch/03-more")
    assert course.chapter("go", "01") == AT_APP + "\n"
    assert course.read("notes.txt") == "done\n"
    assert len(course.tags()) == 4


def test_at_a_chapter_that_has_changed_since(course):
    course.chapter("go", "01")
    course.git("checkout", "--quiet", "main")
    course.commit(**{"chapters/01-app/files/notes.txt": "done\n"})
    course.git("checkout", "--quiet", "ch/01-app")
    assert course.chapter("list").splitlines()[-1] == AT_APP
    assert (
        course.chapter("go", "01") == AT_APP + "\n"
    )  # from a commit that no tag keeps any more, but that is the course's
    assert course.read("notes.txt") == "done\n"


# --- Work is not lost -------------------------------------------------------------------------------------------------


@pytest.fixture
def at_app(course):
    course.chapter("go", "01")
    return course


def change(course):
    course.write(**{"app.py": "print('mine')\n"})


def test_uncommitted_changes_stay(at_app):
    change(at_app)
    assert at_app.refusal("go", "next") == (
        "You have changes in app.py: scripts/chapter go next --stash, or --discard, or scripts/chapter open next"
    )
    at_app.git("add", "app.py")
    assert at_app.refusal("go", "main") == "You have changes in app.py: scripts/chapter go main --stash, or --discard"
    at_app.chapter("open", "next")
    assert at_app.read("app.py") == "print('mine')\n"
    assert head(at_app) == "ch/01-app"


def test_stash(at_app):
    change(at_app)
    at_app.write(**{"notes.txt": None})
    assert at_app.chapter("go", "next", "--stash").splitlines() == [
        "Your changes are in git's stash: git stash pop, at the chapter you made them, brings them back.",
        "You are at 02-look: Look at it (docs/02-look.md)",
    ]
    at_app.chapter("go", "prev")
    at_app.git("stash", "pop")
    assert at_app.read("app.py") == "print('mine')\n"
    assert not (at_app.folder / "notes.txt").exists()


def test_stash_takes_new_files_along_only_where_they_are_in_the_way(at_app):
    change(at_app)
    at_app.write(mine="mine\n")
    at_app.chapter("go", "02", "--stash")
    assert at_app.read("mine") == "mine\n"
    at_app.write(**{"more.md": "mine\n"})
    at_app.chapter("go", "03", "--stash")
    assert at_app.read("more.md") == "# The course\n"
    at_app.chapter("go", "02")
    at_app.git("stash", "pop")
    assert at_app.read("more.md") == "mine\n"


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yo\n"])
def test_discard_asks(at_app, answer):
    change(at_app)
    done = at_app.run("scripts/chapter", "go", "next", "--discard", typed=answer)
    assert (done.returncode, done.stderr) == (1, "Nothing was changed.\n")
    assert done.stdout == "Throw away your changes in app.py? [y/N] "
    assert at_app.read("app.py") == "print('mine')\n"


def test_discard_after_a_yes(at_app):
    change(at_app)
    at_app.write(**{"more.md": "mine\n", "mine": "mine\n"})
    done = at_app.chapter("go", "03", "--discard", typed="y\n")
    assert done.startswith("Throw away your changes in app.py, more.md? [y/N] You are at 03-more")
    assert at_app.read("more.md") == "# The course\n"
    assert at_app.read("mine") == "mine\n"  # was in nobody's way


def test_stash_and_discard_exclude_each_other(at_app):
    assert at_app.run("scripts/chapter", "go", "next", "--stash", "--discard").returncode == 2


@pytest.mark.parametrize("path", ["more.md", "extra/a.txt", "extra"])
def test_new_files_that_would_be_overwritten_are_work(at_app, path):
    at_app.write(**{path: "mine\n"})
    assert at_app.refusal("go", "03").startswith(f"You have changes in {path}: ")
    assert at_app.read(path) == "mine\n"


def test_ignored_files_that_would_be_overwritten_are_work_too(at_app):
    (at_app.folder / ".git/info/exclude").write_text("more.md\n")
    at_app.write(**{"more.md": "mine\n"})
    assert at_app.refusal("go", "03").startswith("You have changes in more.md: ")
    assert at_app.refusal("go", "03", "--stash").endswith(
        "more.md is in the way: move it elsewhere, and then scripts/chapter go 03"
    )
    assert at_app.read("more.md") == "mine\n"


def test_what_is_in_nobodys_way_stays(at_app):
    at_app.write(**{".env": "SECRET=1\n", "mine.txt": "mine\n", "data/db": "data\n"})
    for chapter in ("next", "00", "main", "03"):
        at_app.chapter("go", chapter)
    assert at_app.read(".env") == "SECRET=1\n"
    assert at_app.read("mine.txt") == "mine\n"
    assert at_app.read("data/db") == "data\n"


def test_a_commit_that_no_branch_keeps(at_app):
    mine = at_app.commit("Mine", **{"app.py": "print('mine')\n"})
    assert at_app.chapter("list").splitlines()[-1] == AT_APP
    short = at_app.git("rev-parse", "--short", mine)
    expected = f"Your commit {short} is on no branch: git branch my-work, and then again"
    assert at_app.refusal("go", "next") == expected
    assert at_app.refusal("go", "main", "--stash") == expected
    assert at_app.git("rev-parse", "HEAD") == mine
    at_app.git("branch", "my-work")
    at_app.chapter("go", "next")
    at_app.git("checkout", "--quiet", "my-work")
    assert at_app.chapter("go", "next").startswith("You are at 02-look")


# --- diff and check ---------------------------------------------------------------------------------------------------


def test_diff(course):
    shown = course.chapter("diff", "03")
    assert "+print('and more')" in shown
    assert "deleted file mode 100644" in shown
    assert course.chapter("diff", "look") == "02-look changes no file.\n"
    assert "+++ b/docs/00-start.md" in course.chapter("diff", "0")
    course.chapter("go", "01")
    assert "+print('hello')" in course.chapter("diff")


def test_check(course):
    course.chapter("go", "01")
    done = course.run("scripts/chapter", "check")
    assert (done.returncode, done.stdout) == (1, "--  mine: make it\n")
    course.write(mine="")
    assert course.chapter("check") == course.chapter("check", "01", folder="/") == "ok  mine\n01-app: done\n"
    assert course.refusal("check", "03") == (
        "03-more has no checks (chapters/03-more/check.sh): read its page, docs/03-more.md"
    )
    assert course.refusal("check", "capstone-1") == (
        "capstone-1 has no checks (chapters/capstones/1.sh): read its page, docs/reference/capstones.md"
    )


# --- Errors -----------------------------------------------------------------------------------------------------------


def test_a_zip_download(course, tmp_path):
    shutil.rmtree(course.folder / ".git")
    expected = f"{course.folder} is not a clone (a ZIP download has no history): get it with git clone"
    assert course.refusal("list") == expected
    course.run("git", "init", tmp_path)  # somebody else's repository around it
    assert course.refusal("list") == expected


def test_without_git(course, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(os.path.realpath(sys.executable))
    course.environment["PATH"] = str(tmp_path / "bin")
    (tmp_path / "bin/env").symlink_to("/usr/bin/env")
    assert (
        course.refusal("list") == "git is not installed: get it from https://git-scm.com/downloads, and run this again"
    )


def test_a_shallow_clone_of_a_tag(course):
    course.chapter("tags")
    clone = course.clone("tag", "--depth=1", "--branch=ch/01-app")
    refusal = clone.refusal("list")
    assert refusal.startswith("This clone lacks the branch main: git remote set-branches ")
    clone.run("bash", "-c", refusal.partition(": ")[2])
    assert clone.chapter("list").splitlines()[-1] == AT_APP
    assert clone.chapter("go", "next").startswith("You are at 02-look")
    assert clone.chapter("go", "main") == "You are on main.\n"


def test_a_main_from_before_the_course(course):
    course.git("rm", "--quiet", "chapters/series")
    course.commit()
    assert course.refusal("list") == (
        "There is no chapters/series here: git checkout main, and git pull where main is old"
    )


def test_main_in_another_folder(course):
    course.chapter("go", "01")
    course.git("worktree", "add", "../elsewhere", "main")
    assert course.refusal("go", "main").startswith("git: fatal: 'main' is already ")


def test_a_list_ends_quietly_when_nobody_reads_on(course):
    assert unread(course.folder / "scripts/chapter", "list", env=course.environment) == ""


def test_help_needs_no_clone(course):
    shutil.rmtree(course.folder / ".git")
    shown = course.chapter("--help")
    for verb in (
        "list",
        "go",
        "start",
        "diff",
        "open",
        "check",
        "clean",
        "weave",
        "tags",
        "verify",
        "edit",
        "save",
        "review",
        "new",
    ):
        assert f"scripts/chapter {verb}" in shown
        assert f"scripts/chapter {verb}" in course.chapter(verb, "--help")
    assert course.run("scripts/chapter").returncode == 2
    assert os.access(ROOT / "scripts/chapter", os.X_OK)
