"""Weaving: the same commits and tags in every clone."""

import ast

import pytest

from chapters.tests.support.clone import CHAPTERS, FILES, TOOL
from tests.support.repository import ROOT


def test_each_chapter_has_just_its_files(course):
    course.chapter("tags")
    pages = {path for path in FILES if path.startswith("docs/")}
    start = {*pages, *TOOL, ".gitignore", "README.md"}
    assert course.at("00-start").keys() == start
    assert course.at("01-app").keys() == course.at("02-look").keys() == {*start, "app.py", "notes.txt", "run"}
    assert course.at("03-more").keys() == {*start, "app.py", "run", "more.md", "extra/a.txt", "extra/b/ä ö.txt"}
    assert course.at("02-look")["app.py"] == FILES["chapters/01-app/files/app.py"].strip()
    assert course.at("03-more")["app.py"].endswith("print('and more')")
    assert course.git("ls-tree", "ch/01-app", "run").startswith("100755 ")


def test_the_readme_names_the_chapter_at_its_tag(course):
    course.chapter("tags")
    assert course.at("02-look")["README.md"].splitlines() == [
        "# The course",
        "",
        "> **Chapter 02: Look at it.** Its page is [docs/02-look.md](docs/02-look.md).",
        "",
        "It is small.",
    ]
    assert "README.md" not in course.chapter("diff", "01")
    assert course.chapter("diff", "02") == "02-look changes no file.\n"


def test_a_chapter_is_a_commit_that_depends_on_its_content_alone(course):
    course.chapter("tags")
    shown = course.git("log", "--format=%s|%an|%ae|%cn|%ce|%ad|%cd", "--date=raw", "ch/03-more").splitlines()
    who = "flask-mongo-app|chapters@flask-mongo-app.invalid"
    dates = [f"{1767225600 + 60 * number} +0000" for number in range(4)]
    titles = ["Start here", "Write the app", "Look at it", "Say more"]
    assert shown[::-1] == [
        f"{chapter}: {title}|{who}|{who}|{date}|{date}"
        for chapter, title, date in zip(CHAPTERS, titles, dates, strict=True)
    ]
    tag = course.git("cat-file", "tag", "ch/01-app")
    commit = course.git("rev-parse", "ch/01-app^{commit}")
    date = f"{1767225600 + 60} +0000"
    assert tag == (
        f"object {commit}\ntype commit\ntag ch/01-app\n"
        f"tagger flask-mongo-app <chapters@flask-mongo-app.invalid> {date}\n\nWrite the app"
    )


def test_three_clones_weave_the_same(course):
    course.commit(**{"docs/reference.md": "# Ä\n", "chapters/series": FILES["chapters/series"].replace("Look", "Löök")})
    course.chapter("tags")
    shallow = course.clone("shallow", "--depth=1", "--no-tags").hostile()
    assert shallow.chapter("list").splitlines()[2] == "  02-look   Löök at it     docs/02-look.md"
    assert shallow.chapter("verify") == "4 chapters are in order.\n"
    at_a_tag = course.clone("at-a-tag", "--branch=ch/01-app")
    at_a_tag.git("tag", "--delete", "ch/00-start", "ch/03-more")
    at_a_tag.chapter("tags")
    assert len(course.tags()) == 4
    assert course.tags() == shallow.tags() == at_a_tag.tags()


def test_an_early_chapter_can_be_changed(course):
    course.chapter("tags")
    before = course.tags()
    course.commit(**{"chapters/01-app/files/app.py": "print('hi')\n"})
    assert course.chapter("tags") == "4 tags: 3 moved\n"
    after = course.tags()
    assert [name for name in before if before[name] != after[name]] == ["ch/01-app", "ch/02-look", "ch/03-more"]
    assert course.chapter("tags") == "4 tags are there\n"


def test_git_alone_keeps_tags_that_moved_at_the_origin(course):
    course.chapter("tags")
    clone = course.clone("clone")
    course.commit(**{"chapters/01-app/files/app.py": "print('hi')\n"})
    course.chapter("tags")
    clone.git("pull", "--quiet")
    refused = clone.run("git", "fetch", "--tags")
    assert refused.returncode == 1
    assert "(would clobber existing tag)" in refused.stderr  # troubleshooting.md quotes it
    assert clone.chapter("tags") == "4 tags: 3 moved\n"
    clone.git("fetch", "--tags")
    assert clone.tags() == course.tags()


def test_a_chapter_that_is_gone_takes_its_tag_along(course):
    course.chapter("tags")
    course.commit(**{"chapters/series": FILES["chapters/series"].replace("02-look  Look at it\n", "")})
    assert course.chapter("tags") == "3 tags: 1 moved, 1 dropped\n"
    assert "ch/02-look" not in course.tags()


def test_weave_prints_commits_and_touches_nothing(course):
    lines = course.chapter("weave").splitlines()
    assert course.tags() == {}
    course.chapter("tags")
    assert lines == [f"{course.git('rev-parse', f'ch/{chapter}^{{commit}}')} {chapter}" for chapter in CHAPTERS]
    course.commit(**{"chapters/series": FILES["chapters/series"].replace("Say more", "Say much more")})
    changed = course.chapter("weave").splitlines()
    assert changed[:3] == lines[:3]
    assert changed[3] != lines[3]
    assert course.chapter("weave", "HEAD~1").splitlines() == lines


def test_a_file_may_become_a_folder_and_a_folder_a_file(course):
    course.commit(
        **{
            "chapters/01-app/changes": FILES["chapters/01-app/changes"] + "+ extra\n",
            "chapters/01-app/files/extra": "a file\n",
            "chapters/02-look/changes": "- extra\n+ extra/b\n",
            "chapters/02-look/files/extra/b": "another\n",
            "chapters/03-more/changes": "- extra/\n" + FILES["chapters/03-more/changes"],
        }
    )
    course.chapter("tags")
    assert course.at("01-app")["extra"] == "a file"
    assert course.at("02-look")["extra/b"] == "another"
    assert "extra/b/ä ö.txt" in course.at("03-more")
    assert "extra/b" not in course.at("03-more")


def test_later_lines_win(course):
    course.commit(**{"chapters/03-more/changes": FILES["chapters/03-more/changes"] + "- extra/a.txt\n"})
    course.chapter("tags")
    assert "extra/a.txt" not in course.at("03-more")


@pytest.mark.parametrize("name", ["ch/01-app", "ch/99-mine", "ch"])
def test_a_tag_that_is_not_the_courses_is_left_alone(course, name):
    for kind in ([], ["--annotate", "--message", "mine"]):
        course.git("tag", "--force", *kind, name)
        mine = course.git("rev-parse", f"refs/tags/{name}")
        assert course.refusal("tags") == (
            f"The tag {name} is not the course's: git tag my-{name} {name} && git tag --delete {name}"
        )
        assert course.git("rev-parse", f"refs/tags/{name}") == mine
    course.run("bash", "-c", course.refusal("list").partition(": ")[2])
    assert course.chapter("tags").startswith("4 tags: 4 made")
    assert course.git("rev-parse", f"my-{name}") == mine


def test_push_sends_what_is_missing_or_stale_and_removes_what_is_gone(course):
    course.run("git", "init", "--quiet", "--bare", course.folder.parent / "remote")
    course.git("remote", "add", "there", course.folder.parent / "remote")
    assert course.chapter("tags", "--push", "there").endswith("there: 4 of 4 tags were missing or stale\n")
    assert course.git("ls-remote", "--refs", "there").count("refs/tags/ch/") == 4
    assert course.chapter("tags", "--push", "there").endswith("there has them all\n")
    course.commit(**{"chapters/series": FILES["chapters/series"].replace("02-look", "02-see")})
    course.git("mv", "chapters/02-look", "chapters/02-see")
    course.commit()
    course.chapter("tags", "--push", "there")
    listed = course.git("ls-remote", "--refs", "there", "refs/tags/ch/*").splitlines()
    assert {line.split("\t")[1].removeprefix("refs/tags/"): line.split("\t")[0] for line in listed} == course.tags()
    assert "ch/02-see" in course.tags()


def test_push_to_nowhere_is_one_line(course):
    assert course.refusal("tags", "--push", "nowhere").startswith("git: fatal: ")


@pytest.mark.parametrize("tool", TOOL)
def test_the_tool_is_python_3_9(tool):
    ast.parse((ROOT / tool).read_text(), feature_version=(3, 9))
