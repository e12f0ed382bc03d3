"""scripts/chapter start: to a chapter whose files the learner writes. Nothing of theirs may be lost."""

import shutil

import pytest

from chapters.tests.support.clone import CHAPTERS

AT_MORE = "You are at 03-more: Say more (docs/03-more.md)"
LIST = "You will write app.py, more.md and run."
PAGE = """# 03-more

<!-- write: app.py -->
```diff
+print('and more')
```

<!-- write: more.md -->
```markdown
# The course
```

<!-- write: app.py -->
<!-- write: run -->
<!-- write: mine.txt -->
<!-- write: notes.txt -->
<!-- write: docs/reference.md -->
"""
BEFORE, AFTER = "import sys\n\nprint('hello')\n\n# end\n", "import sys\n\nprint('hello')\n\n# end\nprint('and more')\n"
RUN = "#!/bin/sh\npython3 app.py\n"


@pytest.fixture
def writing(course):
    """The course, whose last page has the learner write files, one of them to become executable, at its chapter."""
    course.write(**{"chapters/01-app/changes": "+ app.py\n+ notes.txt\n+ run\n", "chapters/01-app/files/run": RUN})
    course.commit(**{"docs/03-more.md": PAGE, "chapters/03-more/changes": "= app.py\n- notes.txt\n= more.md\n= run\n"})
    return course


def changed(course):
    return course.git("diff", "--name-status").splitlines()


def finish(course):
    """Write what the page says."""
    course.write(**{"app.py": AFTER, "more.md": "# The course\n"})
    (course.folder / "run").chmod(0o755)


def test_the_files_that_the_page_has_you_write_are_those_of_the_chapter_before(writing):
    assert writing.chapter("start", "03").splitlines() == [AT_MORE, LIST]
    assert writing.git("describe", "--tags", "--exact-match") == "ch/03-more"
    assert writing.read("app.py") == BEFORE
    assert not (writing.folder / "more.md").exists()
    assert not (writing.folder / "notes.txt").exists()
    assert changed(writing) == ["M\tapp.py", "D\tmore.md", "M\trun"]
    assert writing.git("diff", "--cached") == ""
    finish(writing)
    assert writing.git("diff") == writing.git("status", "--porcelain") == ""


@pytest.mark.parametrize("chapter", CHAPTERS[:3])
def test_a_page_without_files_to_write(writing, chapter):
    where = writing.chapter("go", chapter)
    assert writing.chapter("start", chapter) == f"{where}You will write no file of this chapter.\n"
    assert writing.git("status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["next", "3", "more", "ch/03-more"])
def test_the_names_of_a_chapter_to_start(writing, name):
    writing.chapter("go", "02")
    assert writing.chapter("start", name).splitlines() == [AT_MORE, LIST]
    assert writing.refusal("start", "next") == "This is the last chapter: scripts/chapter list shows all"
    assert writing.refusal("start", "main") == "There is no chapter 'main': scripts/chapter list shows all"


def test_a_single_file_to_write(writing):
    page = PAGE.replace("<!-- write: run -->\n", "").replace("<!-- write: more.md -->\n", "")
    writing.commit(**{"docs/03-more.md": page})
    assert writing.chapter("start", "03").splitlines()[1] == "You will write app.py."


@pytest.mark.parametrize("target", [*CHAPTERS, "main"])
def test_what_start_left_is_in_nobodys_way(writing, target):
    writing.chapter("start", "03")
    writing.chapter("go", target)
    assert writing.git("status", "--porcelain") == ""
    writing.chapter("start", "03")
    if target != "main":
        writing.chapter("start", target)
        assert (writing.git("status", "--porcelain") == "") == (target != "03-more")


def test_what_start_left_is_no_change_even_if_it_is_staged(writing):
    writing.chapter("start", "03")
    writing.git("add", "--all")
    writing.chapter("go", "02")
    assert writing.git("status", "--porcelain") == ""


def test_files_that_are_finished_are_in_nobodys_way(writing):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# The course\n"})  # the other two are not begun
    writing.chapter("go", "02")
    assert writing.git("status", "--porcelain") == ""
    writing.chapter("start", "03")
    finish(writing)
    assert writing.chapter("start", "03").splitlines() == [AT_MORE, LIST]
    assert changed(writing) == ["M\tapp.py", "D\tmore.md", "M\trun"]


@pytest.mark.parametrize("verb", ["go", "start"])
def test_what_you_wrote_is_work(writing, verb):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# Mine\n"})
    for chapter in ("02", "03"):
        assert writing.refusal(verb, chapter) == (
            f"You have changes in more.md: scripts/chapter {verb} {chapter} --stash, or --discard, "
            f"or scripts/chapter open {chapter}"
        )
    assert writing.read("more.md") == "# Mine\n"
    assert writing.read("app.py") == BEFORE  # a refusal changes nothing


def test_go_with_stash_is_the_safety_net(writing):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# Mine\n", "app.py": "print('mine')\n"})
    assert writing.chapter("go", "03", "--stash").splitlines()[1] == AT_MORE
    assert (writing.read("more.md"), writing.read("app.py")) == ("# The course\n", AFTER)
    writing.git("stash", "pop")
    assert (writing.read("more.md"), writing.read("app.py")) == ("# Mine\n", "print('mine')\n")


def test_start_with_stash_begins_again(writing):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# Mine\n"})
    assert writing.chapter("start", "03", "--stash").splitlines()[1:] == [AT_MORE, LIST]
    assert not (writing.folder / "more.md").exists()
    writing.chapter("go", "03")
    writing.git("stash", "pop")
    assert writing.read("more.md") == "# Mine\n"


def test_start_with_discard_asks(writing):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# Mine\n"})
    done = writing.run("scripts/chapter", "start", "03", "--discard", typed="n\n")
    assert (done.returncode, done.stdout) == (1, "Throw away your changes in more.md? [y/N] ")
    assert writing.read("more.md") == "# Mine\n"
    writing.chapter("start", "03", "--discard", typed="y\n")
    assert not (writing.folder / "more.md").exists()


def test_a_file_of_yours_where_the_chapter_has_one_is_work(writing):
    writing.chapter("go", "02")
    writing.write(**{"more.md": "# Mine\n"})
    assert writing.refusal("start", "03").startswith("You have changes in more.md: scripts/chapter start 03 --stash")
    assert writing.read("more.md") == "# Mine\n"


@pytest.mark.parametrize("now", [None, "# The course\n"])
def test_a_version_that_is_only_staged_is_work(writing, now):
    writing.chapter("start", "03")
    writing.write(**{"more.md": "# Mine\n"})
    writing.git("add", "more.md")
    writing.write(**{"more.md": now})
    assert writing.refusal("go", "02").startswith("You have changes in more.md: ")
    assert writing.git("show", ":more.md") == "# Mine"


def test_a_file_that_git_has_been_told_to_forget_is_work(writing):
    writing.chapter("start", "03")
    writing.git("rm", "--quiet", "--cached", "more.md")
    writing.write(**{"more.md": "# Mine\n"})
    assert writing.refusal("go", "main").startswith("You have changes in more.md: ")
    assert writing.read("more.md") == "# Mine\n"


def test_a_file_that_you_delete_on_a_branch_of_your_own_is_work(writing):
    writing.chapter("go", "03")
    writing.git("checkout", "--quiet", "-b", "my-work")
    writing.commit(**{"more.md": "# Mine\n"})
    writing.write(**{"more.md": None})
    assert writing.refusal("go", "02").startswith("You have changes in more.md: ")


def test_start_from_another_folder_in_a_worktree_and_with_a_configuration(writing, tmp_path):
    there = type(writing)(tmp_path / "course-03-more")
    writing.chapter("open", "03")
    assert there.hostile().chapter("start", "03", folder="/").splitlines() == [AT_MORE, LIST]
    assert not (there.folder / "more.md").exists()
    assert there.chapter("go", "02").startswith("You are at 02-look")
    assert there.chapter("go", "03") == f"{AT_MORE}\n"
    assert writing.git("status", "--porcelain") == ""


def test_start_in_a_shallow_clone_of_a_tag(writing):
    writing.chapter("tags")
    clone = writing.clone("tag", "--depth=1", "--branch=ch/03-more")
    clone.run("bash", "-c", clone.refusal("start", "03").partition(": ")[2])
    assert clone.chapter("start", "03").splitlines() == [AT_MORE, LIST]
    assert changed(clone) == ["M\tapp.py", "D\tmore.md", "M\trun"]
    assert clone.chapter("go", "prev").startswith("You are at 02-look")


def test_what_start_left_before_main_changed(writing):
    writing.chapter("start", "03")
    writing.git("worktree", "add", "--quiet", "../main", "main")
    main = type(writing)(writing.folder.parent / "main")
    main.commit(**{"app.py": AFTER + "print('more')\n", "docs/03-more.md": "# 03-more\n"})
    assert writing.chapter("go", "03") == f"{AT_MORE}\n"
    assert writing.read("app.py").endswith("print('more')\n")
    assert writing.git("status", "--porcelain") == ""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_start_is_there_at_every_chapter(writing, chapter):
    writing.chapter("go", chapter)
    assert writing.chapter("start", "03").splitlines() == [AT_MORE, LIST]
    shutil.rmtree(writing.folder / ".git")
    assert "scripts/chapter start" in writing.chapter("--help")
