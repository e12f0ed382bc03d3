"""What those who write the course type: save, edit, review, new."""

import pytest

from chapters.tests.support.clone import CHAPTERS, FILES, Clone

APP = FILES["chapters/01-app/changes"]
MORE = FILES["chapters/03-more/changes"]
GOOD_DAY = FILES["chapters/01-app/files/app.py"].replace("hello", "good day")


def edit(course, chapter):
    """Begin to edit a chapter; returns the worktree."""
    said = course.chapter("edit", chapter)
    folder = course.folder.parent / f"course-edit-{chapter}"
    assert said == f"Change {chapter} in {folder}, and then run scripts/chapter save there (or save --abort).\n"
    return Clone(folder)


def publish(course, message="Change it"):
    """Commit what a save staged on main, and see that all is well."""
    assert course.git("diff", "--name-only") == ""
    course.git("commit", "--quiet", "--message", message)
    assert course.chapter("verify")
    course.chapter("tags")


# --- save, without an edit: chapters/ follows what is in the work tree ------------------------------------------------


def test_save_of_what_is_up_to_date_changes_nothing(course):
    assert course.chapter("save") == "chapters/ is up to date.\n"
    assert course.git("status", "--porcelain") == ""


def test_save_needs_no_commit(course):
    course.write(**{"chapters/01-app/files/app.py": FILES["app.py"]})  # as on main
    changed = ["chapters/01-app/changes", "chapters/01-app/files/app.py", "chapters/03-more/changes"]
    assert course.chapter("save").splitlines() == changed
    assert "= app.py" in course.read("chapters/01-app/changes")
    assert course.chapter("verify")


def test_save_keeps_comments_order_and_folders(course):
    odd = "# first\n\n= run\n+ app.py\n# last\n+ notes.txt\n= extra/\n- extra/a.txt\n"
    course.write(
        **{"chapters/01-app/changes": odd, "chapters/03-more/changes": "= more.md\n= app.py\n- notes.txt\n= extra/\n"}
    )
    course.chapter("save")
    assert course.read("chapters/01-app/changes") == odd
    assert course.chapter("verify")


def test_save_drops_lines_that_say_nothing(course):
    course.write(
        **{
            "chapters/02-look/changes": "# why\n= run\n+ app.py\n",
            "chapters/02-look/files/app.py": FILES["chapters/01-app/files/app.py"],
        }
    )
    course.chapter("save")
    assert course.read("chapters/02-look/changes") == "# why\n"
    assert not (course.folder / "chapters/02-look/files/app.py").exists()


INVERSE = """
import random, sys
sys.path.append(".")
from chapters.tool import git
from chapters.tool.export import export
from chapters.tool.sources import Source, everywhere_of
from chapters.tool.verify import problems

random.seed(6)
source = Source("HEAD")
blobs = [git.write_blob(content) for content in (b"1", b"2", b"3")]
for _ in range(25):
    chain, files = [], everywhere_of(source.woven)
    for _ in source.chapters:
        for path in ("app.py", "run", "notes.txt", "new", "extra/a.txt", "extra/b/c", "extra/d"):
            lot = random.random()
            if lot < 0.3:
                files[path] = (random.choice(["100644", "100755"]), random.choice(blobs))
            elif lot < 0.5:
                files.pop(path, None)
        chain.append(dict(files))
    exported = export(source, chain, chain[-1])
    source = Source(git.write_trees([exported])[0])
    assert source.chain() == chain
    assert problems(source) == []
    assert export(source, chain, chain[-1]) == exported
"""


def test_export_is_the_inverse_of_weaving(course):
    """Whatever the chapters hold, and whatever the lists of changes said before."""
    done = course.run("python3", "-c", INVERSE)
    assert done.returncode == 0, done.stderr


# --- edit: an early chapter, carried through the later ones --------------------------------------------------------------


def test_later_chapters_carry_a_fix(course):
    there = edit(course, "01-app")
    there.write(**{"app.py": GOOD_DAY})
    said = there.chapter("save")
    assert said.splitlines() == [
        f"Changed: 01-app, 03-more. All is staged on main in {course.folder}; commit it there:",
        "    git commit --message 'What, and why' --message 'Chapters-Changed: 01 03'",
    ]
    assert not there.folder.exists()
    publish(course)
    assert course.at("02-look")["app.py"] == GOOD_DAY.strip()
    assert course.read("app.py") == GOOD_DAY + "print('and more')\n"
    assert course.read("chapters/01-app/changes") == APP
    assert course.read("README.md") == FILES["README.md"]
    assert course.git("worktree", "list").count("\n") == 0


def test_a_file_that_was_as_on_main_keeps_its_early_version(course):
    """`= run` in 01; changed in 03 only, 01 needs a version of its own."""
    there = edit(course, "03-more")
    there.write(run="#!/bin/sh\nexec python3 app.py\n")
    assert "Changed: 03-more." in there.chapter("save")
    publish(course)
    assert course.at("02-look")["run"].endswith("\npython3 app.py")
    assert course.at("03-more")["run"].endswith("\nexec python3 app.py")
    assert course.read("chapters/01-app/changes") == APP.replace("= run", "+ run")
    assert course.read("chapters/03-more/changes") == MORE + "= run\n"
    assert course.git("ls-tree", "ch/01-app", "run").startswith("100755")


def test_a_file_that_becomes_as_on_main_loses_its_version(course):
    there = edit(course, "01-app")
    there.write(**{"app.py": FILES["app.py"]})
    there.chapter("save")
    publish(course)
    assert course.read("chapters/01-app/changes") == APP.replace("+ app.py", "= app.py")
    assert course.read("chapters/03-more/changes") == MORE.replace("= app.py\n", "")
    assert not (course.folder / "chapters/01-app/files/app.py").exists()


def test_files_come_and_go_and_commits_in_the_worktree_count(course):
    there = edit(course, "02-look")
    there.commit("One", **{"look.txt": "look\n", "notes.txt": None})
    there.commit("Two", **{"extra/new.txt": "new\n"})
    assert "Changed: 02-look, 03-more." in there.chapter("save")
    publish(course)
    assert course.read("look.txt") == "look\n"
    assert course.read("chapters/02-look/changes") == "= extra/new.txt\n= look.txt\n- notes.txt\n"
    assert "notes.txt" not in course.read("chapters/03-more/changes")
    assert "extra/new.txt" in course.at("02-look")


def test_the_first_and_the_last_chapter(course):
    there = edit(course, "00-start")
    there.write(LICENSE="MIT\n")
    there.chapter("save")
    publish(course)
    there = edit(course, "03-more")
    there.write(LICENSE="GPL\n")
    there.chapter("save")
    publish(course)
    assert [course.at(chapter)["LICENSE"] for chapter in CHAPTERS] == ["MIT", "MIT", "MIT", "GPL"]
    assert course.read("LICENSE") == "GPL\n"


def test_nothing_changes_for_those_who_did_not_touch_it(course):
    before = course.git("ls-files", "--stage")
    there = edit(course, "01-app")
    there.write(mine="mine\n")
    there.chapter("save")
    course.git("commit", "--quiet", "--message", "mine")
    there = edit(course, "01-app")
    there.write(mine=None)
    there.chapter("save")
    assert course.git("ls-files", "--stage") == before


def conflict(course):
    """An edit of 01 that 03 conflicts with; returns the worktree and what the refusal said."""
    there = edit(course, "01-app")
    there.write(**{"app.py": "import sys\n\nprint('hello', sys.argv)\nprint('end')\n"})
    return there, there.refusal("save")


def test_a_conflict_stops_and_is_gone_on_from(course):
    there, said = conflict(course)
    assert said == (
        "03-more conflicts in app.py: resolve that and git add, then scripts/chapter save; or scripts/chapter save --abort"
    )
    assert "<<<<<<<" in there.read("app.py")
    assert (
        there.refusal("save")
        == "There are still conflicts in app.py: resolve them and git add, then scripts/chapter save"
    )
    assert course.git("status", "--porcelain") == ""
    there.write(**{"app.py": "import sys\n\nprint('hello', sys.argv)\nprint('and more')\nprint('end')\n"})
    there.git("add", "app.py")
    assert "Changed: 01-app, 03-more." in there.chapter("save")
    publish(course)
    assert course.at("02-look")["app.py"].endswith("print('end')")
    assert "and more" in course.read("app.py")


def test_conflicts_in_several_chapters_one_after_another(course):
    course.commit(
        **{
            "chapters/02-look/changes": "+ app.py\n",
            "chapters/02-look/files/app.py": "import sys\n\nprint('hello')\nprint('x')\n",
        }
    )
    course.chapter("save")
    course.commit()
    there, said = conflict(course)
    assert said.startswith("02-look conflicts in app.py: ")
    there.write(**{"app.py": "import sys\n\nprint('hello', sys.argv)\nprint('x')\nprint('end')\n"})
    there.git("add", "app.py")
    assert there.refusal("save").startswith("03-more conflicts in app.py: ")
    there.write(**{"app.py": "import sys\n\nprint('hello', sys.argv)\nprint('and more')\nprint('end')\n"})
    there.git("add", "app.py")
    there.chapter("save")
    publish(course)
    assert "print('x')" in course.at("02-look")["app.py"]
    assert "print('x')" not in course.read("app.py")


def test_a_conflict_that_is_mended_with_git_itself(course):
    there, _ = conflict(course)
    there.git("checkout", "--ours", "app.py")
    there.git("add", "app.py")
    there.git("commit", "--quiet", "--allow-empty", "--no-edit")
    there.chapter("save")
    publish(course)
    assert course.read("app.py").endswith("print('hello', sys.argv)\nprint('end')\n")


def test_a_conflict_may_end_in_a_chapter_without_a_change(course):
    course.commit(**{"chapters/03-more/changes": "= app.py\n- notes.txt\n= more.md\n= extra/\n"})
    course.chapter("save")
    course.commit()
    there, _ = conflict(course)
    there.write(**{"app.py": "import sys\n\nprint('hello', sys.argv)\nprint('end')\n", "notes.txt": "to do\n"})
    there.git("rm", "--quiet", "-r", "--force", "extra", "more.md")
    there.git("add", "--all")
    there.chapter("save")
    course.git("commit", "--quiet", "--message", "Less")
    assert course.chapter("verify")
    assert course.read("chapters/03-more/changes") == ""


def test_a_skipped_chapter_is_noticed(course):
    there, _ = conflict(course)
    there.git("cherry-pick", "--skip")
    assert there.refusal("save") == ("A chapter's commit is missing: scripts/chapter save --abort, and edit it again")


def test_abort(course):
    there, _ = conflict(course)
    done = there.run(there.folder / "scripts/chapter", "save", "--abort", typed="n\n")
    assert done.stderr == "Nothing was changed.\n"
    assert there.folder.exists()
    there.chapter("save", "--abort", typed="y\n")
    assert not there.folder.exists()
    assert course.git("status", "--porcelain") == ""
    assert course.refusal("save", "--abort") == (
        "No chapter is being edited in this work tree: scripts/chapter edit 05 starts that"
    )
    edit(course, "01-app")


def test_what_save_refuses(course):
    there = edit(course, "01-app")
    assert there.refusal("save") == "Nothing is changed here: change something, or scripts/chapter save --abort"
    assert course.refusal("edit", "01").startswith(f"{there.folder} is there already: go on in it, or ")
    for path in ("docs/01-app.md", "README.md", "chapters/tests/test_x.py"):
        mine = there.commit("Mine", **{path: "mine\n"})
        assert there.refusal("save") == (
            f"{path} is the same in every chapter, or in none: undo that here, and change it on main"
        )
        there.git("reset", "--quiet", "--hard", f"{mine}~1")
    there.write(run="mine\n")
    course.git("checkout", "--quiet", "-b", "other")
    assert there.refusal("save") == (
        f"No work tree is on main, where the outcome goes: cd {course.folder} && git checkout main"
    )
    course.git("checkout", "--quiet", "main")
    course.write(run="mine too\n")
    assert there.refusal("save") == (
        f"{course.folder} has changes in the same files: commit them there, then scripts/chapter save here"
    )
    assert course.read("run") == "mine too\n"
    course.git("checkout", "--quiet", "run")
    there.chapter("save")
    publish(course)
    assert course.read("run") == "mine\n"


def test_main_may_move_on_meanwhile(course):
    there = edit(course, "01-app")
    course.commit(**{"more.md": "# The better course\n", "docs/reference.md": "# More\n"})
    there.write(run="better\n")
    there.chapter("save")
    course.chapter("save")
    course.git("add", "chapters")
    publish(course)
    assert course.read("more.md") == "# The better course\n"
    assert course.at("01-app")["run"] == "better"


def test_an_edit_meets_a_hostile_configuration(course):
    for setting in ("commit.gpgSign=true", "user.signingKey=bogus", "gpg.program=false", "user.useConfigOnly=true"):
        course.git("config", *setting.split("=", 1))
    (course.folder / "hooks").mkdir()
    (course.folder / "hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (course.folder / "hooks/pre-commit").chmod(0o755)
    course.run("git", "config", "core.hooksPath", course.folder / "hooks")
    (course.folder / ".git/info/exclude").write_text("hooks/\n")
    there, _ = conflict(course)
    there.git("checkout", "--theirs", "app.py")
    there.git("add", "app.py")
    there.chapter("save")
    assert course.git("status", "--porcelain")


# --- review -----------------------------------------------------------------------------------------------------------


def test_review_reports_exactly_the_changed_chapters(course):
    assert course.chapter("review", "HEAD") == "Changed: no chapter.\n"
    base = course.git("rev-parse", "HEAD")
    there = edit(course, "01-app")
    there.write(run="better\n", **{"app.py": GOOD_DAY})
    there.chapter("save")
    course.git("commit", "--quiet", "--message", "Be better")
    done = course.run("scripts/chapter", "review", base)
    assert done.returncode == 1
    assert done.stderr == (
        "01-app, 03-more changed, and no commit names that: if it is meant, end one with 'Chapters-Changed: 01 03'\n"
    )
    assert "++better" in done.stdout.replace(" ", "")
    course.git("commit", "--quiet", "--amend", "--message", "Be better\n\nChapters-Changed: 01")
    assert course.refusal("review", base).startswith("03-more changed, and no commit names that: ")
    course.commit("Say it\n\nchapters-changed: 03-more, 99")
    assert course.chapter("review", base).endswith("Changed: 01-app, 03-more.\n")


def test_review_leaves_out_what_is_the_same_at_every_chapter(course):
    base = course.commit("Add", **{".github/more.yml": "x\n"})
    course.commit(
        "Pages",
        **{"docs/reference.md": "# More\n", "chapters/tool/weave.py": course.read("chapters/tool/weave.py") + "#\n"},
    )
    course.commit("Tests", **{"chapters/tests/test_x.py": "x\n"})
    assert course.chapter("review", base) == "Changed: no chapter.\n"


def test_review_finds_a_leak_into_a_chapter_nobody_meant(course):
    """A change of main alone, of a file that an early chapter takes from there."""
    base = course.git("rev-parse", "HEAD")
    course.commit("Leak", run="#!/bin/sh\nexec python3 app.py\n")
    assert course.run("scripts/chapter", "review", base).stderr.startswith("01-app changed, and no commit names that")


def test_review_of_titles_and_of_new_and_dropped_chapters(course):
    base = course.git("rev-parse", "HEAD")
    series = FILES["chapters/series"].replace("02-look  Look at it\n", "").replace("Say more", "Say much more")
    course.commit("Titles\n\nChapters-Changed: 03", **{"chapters/series": series + "04-end  End\n"})
    course.commit("Empty", **{"chapters/04-end/changes": "", "docs/04-end.md": "# 04  End\n"})
    assert course.chapter("review", base).endswith("Changed: 03-more.\n")


def test_review_against_where_the_branch_began(course):
    course.git("checkout", "--quiet", "-b", "mine")
    course.commit("Mine", **{"docs/reference.md": "# Mine\n"})
    course.git("checkout", "--quiet", "main")
    course.commit("Theirs", run="#!/bin/sh\nexec python3 app.py\n")
    course.git("checkout", "--quiet", "mine")
    assert course.chapter("review", "main") == "Changed: no chapter.\n"
    assert course.refusal("review", "nowhere").startswith("git: fatal: ")
    shallow = course.clone("shallow", "--depth=1", "--no-single-branch")
    assert shallow.refusal("review", "origin/main") == (
        "HEAD and origin/main have no commit in common here: git fetch --unshallow"
    )
    shallow.git("fetch", "--quiet", "--unshallow")
    assert shallow.chapter("review", "origin/main") == "Changed: no chapter.\n"


# --- new --------------------------------------------------------------------------------------------------------------


def test_new_at_the_end(course):
    assert course.chapter("new", "04-scale-out", "03") == (
        "Write chapters/04-scale-out/changes and docs/04-scale-out.md, then scripts/chapter save and verify.\n"
    )
    assert course.read("chapters/series") == FILES["chapters/series"] + "04-scale-out  Scale out\n"
    assert course.read("docs/04-scale-out.md").startswith("# 04  Scale out\n\n")
    assert course.chapter("verify") == "5 chapters are in order.\n"
    course.commit()
    assert course.chapter("go", "scale-out").startswith("You are at 04-scale-out: Scale out")


def test_new_in_the_middle_makes_room(course):
    course.commit(
        **{
            "chapters/series": FILES["chapters/series"] + "07-end  End\n",
            "chapters/07-end/changes": "",
            "docs/07-end.md": "# 07  End\n",
            "docs/01-app.md": "Next: [02-look](02-look.md), then ch/03-more, but not 02-look-at or x02-look.\n",
        }
    )
    assert course.chapter("new", "02-think", "app").splitlines()[:-1] == [
        "02-look is now 03-look",
        "03-more is now 04-more",
    ]
    course.chapter("save")
    assert course.chapter("verify") == "6 chapters are in order.\n"
    chapters = [line.split(" ")[0] for line in course.read("chapters/series").splitlines()]
    assert chapters == ["00-start", "01-app", "02-think", "03-look", "04-more", "07-end"]
    assert course.read("docs/01-app.md") == (
        "Next: [03-look](03-look.md), then ch/04-more, but not 02-look-at or x02-look.\n"
    )
    assert course.read("chapters/04-more/changes") == MORE


@pytest.mark.parametrize("name", ["03-again", "02-early", "4-end", "04 end", "end", "04-End"])
def test_a_name_that_no_new_chapter_can_have(course, name):
    assert course.refusal("new", name, "03") == (
        f"'{name}' cannot be the name of a chapter after 03-more: choose one such as 22-scale-out"
    )
    assert course.git("status", "--porcelain") == ""
