"""scripts/chapter verify: each rule, broken to see that it is one."""

import os

import pytest

from chapters.tests.support.clone import FILES, TOOL

SERIES = FILES["chapters/series"]
START = FILES["chapters/00-start/changes"]
APP = FILES["chapters/01-app/changes"]
MORE = FILES["chapters/03-more/changes"]


def complaints(course, **files):
    """What verify says of the course with these changes, line by line."""
    course.write(**files)
    done = course.run("scripts/chapter", "verify")
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr.splitlines()


def test_all_is_well(course):
    assert course.chapter("verify") == "4 chapters are in order.\n"
    assert course.git("status", "--porcelain") == ""


def test_a_change_in_the_second_of_the_checkout_that_keeps_the_size_is_seen(course):
    changed, index = course.folder / "more.md", course.folder / ".git/index"
    checkout = (1_700_000_000, 1_700_000_000)
    course.git("config", "core.trustctime", "false")
    os.utime(changed, checkout)
    course.git("update-index", "--refresh")
    course.write(**{"more.md": "# The curses\n"})
    for path in (changed, index):
        os.utime(path, checkout)
    done = course.run("python3", "-c", "from chapters.tool.verify import snapshot; print(snapshot())")
    assert course.git("show", f"{done.stdout.strip()}:more.md") == "# The curses"


@pytest.mark.parametrize(
    ("line", "series"),
    [
        ("'05-app Two blanks, please'", SERIES + "05-app Two blanks, please\n"),
        ("'5-app  Write'", SERIES + "5-app  Write\n"),
        ("'05-App  Write'", SERIES + "05-App  Write\n"),
        ("'05-app  '", SERIES + "05-app  \n"),
        ("''", SERIES + "\n"),
    ],
)
def test_a_line_of_the_series_that_is_none(course, line, series):
    expected = f"chapters/series: {line} is not like '05-image-tags  Name what you ship' (two blanks)"
    assert complaints(course, **{"chapters/series": series}) == [expected]


def test_a_series_out_of_order(course):
    lines = SERIES.splitlines()
    lines[1:3] = lines[2:0:-1]
    assert complaints(course, **{"chapters/series": "\n".join(lines)}) == [
        "chapters/series: 01-app stands after 02-look: the numbers must rise"
    ]
    assert complaints(course, **{"chapters/series": SERIES + "03-more  Say more\n"}) == [
        "chapters/series: 03-more stands after 03-more: the numbers must rise"
    ]
    assert complaints(course, **{"chapters/series": ""}) == [
        "chapters/series is empty: begin it with '00-start  Start'"
    ]


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("app.py", "is none of '= path', '+ path' and '- path'"),
        ("=  app.py", "is none of '= path', '+ path' and '- path'"),
        ("* app.py", "is none of '= path', '+ path' and '- path'"),
        (
            "= gone.py",
            "main has no gone.py: write '+ gone.py' and add chapters/02-look/files/gone.py, or drop the line",
        ),
        ("= gone/", "main has no gone/: write '+ gone/' and add chapters/02-look/files/gone/, or drop the line"),
        ("+ gone.py", "chapters/02-look/files/gone.py is missing: add it, or write '= gone.py'"),
        ("- gone.py", "02-look has no gone.py to remove: drop the line"),
        ("- gone/", "02-look has no gone/ to remove: drop the line"),
        (
            "= .github/workflows/ci.yml",
            ".github/workflows/ci.yml stays on main and is never woven: drop the line",
        ),
        ("= chapters/", "chapters/ stays on main and is never woven: drop the line"),
        ("= chapters", "chapters stays on main and is never woven: drop the line"),
    ],
)
def test_a_line_of_changes(course, line, fix):
    expected = f"chapters/02-look/changes: '{line}': {fix}".replace("': is none", "' is none")
    assert complaints(course, **{"chapters/02-look/changes": f"{line}\n"}) == [expected]


def test_all_wrong_lines_are_named_at_once(course):
    wrong = complaints(course, **{"chapters/02-look/changes": "= a\n= b\n", "chapters/03-more/changes": MORE + "? c\n"})
    assert len(wrong) == 3


def test_a_missing_list(course):
    expected = "chapters/02-look/changes is missing: add it, with what 02-look changes (it may be empty)"
    assert complaints(course, **{"chapters/02-look/changes": None}) == [expected]


def test_the_last_chapter_is_main(course):
    assert complaints(course, **{"new.txt": "new\n"}) == [
        "new.txt is not as on main in 03-more, the last chapter: '= new.txt' where it belongs"
    ]
    course.write(**{"new.txt": None})
    assert complaints(course, **{"chapters/03-more/changes": MORE.replace("- notes.txt\n", "")}) == [
        "notes.txt is not on main, but in 03-more, the last chapter: '- notes.txt' where it goes"
    ]
    assert complaints(course, **{"chapters/03-more/changes": MORE.replace("= app.py\n", "")}) == [
        "app.py is not as on main in 03-more, the last chapter: '= app.py' where it belongs"
    ]


def test_a_mode_counts(course):
    (course.folder / "run").chmod(0o644)
    course.chapter("save")
    assert course.chapter("verify")
    course.write(
        **{"chapters/01-app/changes": APP.replace("= run", "+ run"), "chapters/01-app/files/run": FILES["run"]}
    )
    (course.folder / "chapters/01-app/files/run").chmod(0o755)
    assert complaints(course) == ["run is not as on main in 03-more, the last chapter: '= run' where it belongs"]


def test_what_is_never_woven_needs_no_line(course):
    course.write(**{f"{folder}/x": "x\n" for folder in (".ci", ".github", "chapters/tests", "tests/stand-ins")})
    assert course.chapter("verify")


@pytest.mark.parametrize(
    ("path", "named", "first"),
    [
        ("docs/reference.md", "docs/", "docs/00-start.md"),
        ("README.md", "README.md", "README.md"),
        ("scripts/chapter", "scripts/chapter", "scripts/chapter"),
        ("chapters/tool/main.py", "chapters/tool/", TOOL[1]),
    ],
)
def test_what_is_the_same_in_every_chapter(course, path, named, first):
    line = f"= {named}\n"
    fix = f"'= {named}' in 00-start, and no line after it"
    everywhere = {"chapters/00-start/changes": START.replace(line, ""), "chapters/01-app/changes": APP + line}
    assert complaints(course, **everywhere) == [f"00-start: {first} must be as on main in every chapter: {fix}"]
    course.write(**{"chapters/00-start/changes": START, "chapters/01-app/changes": APP})
    own = {f"chapters/01-app/files/{path}": "another\n", "chapters/01-app/changes": APP + f"+ {path}\n"}
    assert complaints(course, **own, **{"chapters/02-look/changes": line}) == [
        f"01-app: {path} must be as on main in every chapter: {fix}"
    ]


@pytest.mark.parametrize("marker", ["<<<<<<<", "|||||||", ">>>>>>>"])
@pytest.mark.parametrize("path", [".github/workflows/ci.yml", "chapters/02-look/check.sh"])
def test_leftover_markers(course, marker, path):
    assert complaints(course, **{path: f"before\n{marker} HEAD\nafter\n"}) == [
        f"{path} has a conflict marker ({marker}): resolve the conflict"
    ]


def test_what_only_looks_like_a_marker(course):
    course.write(**{".ci/notes": "======= \n<<<<<<<<< \n a <<<<<<< b\n<<<<<<<\n"})
    assert course.chapter("verify")


def test_pages_and_chapters(course):
    assert complaints(course, **{"docs/04-extra.md": "# 04  Extra\n"}) == [
        "docs/04-extra.md has no chapter in chapters/series: add the chapter, or rename the page"
    ]
    course.write(**{"docs/04-extra.md": None})
    assert complaints(course, **{"docs/02-look.md": None}) == [
        "docs/02-look.md is missing: each chapter of chapters/series has its page"
    ]


def test_a_folder_without_a_chapter(course):
    assert complaints(course, **{"chapters/04-extra/changes": ""}) == [
        "chapters/04-extra/ is not a chapter: name it in chapters/series, or remove it"
    ]


def test_a_version_that_nobody_uses(course):
    path = "chapters/01-app/files/run"
    expected = f"{path} is not used: write '+ run' in chapters/01-app/changes, or remove it"
    assert complaints(course, **{path: "another\n"}) == [expected]
    assert course.refusal("save") == expected
    assert course.read(path) == "another\n"


def test_a_version_that_is_as_on_main(course):
    path = "chapters/01-app/files/run"
    course.write(**{path: FILES["run"], "chapters/01-app/changes": APP.replace("= run", "+ run")})
    (course.folder / path).chmod(0o755)
    assert complaints(course) == [f"{path} is as on main now: scripts/chapter save makes it '= run'"]
    assert course.chapter("save") == f"chapters/01-app/changes\n{path}\n"
    assert course.read("chapters/01-app/changes") == APP
    assert course.chapter("verify")


def test_at_a_chapter_there_is_nothing_to_verify(course):
    course.chapter("go", "01")
    assert course.refusal("verify") == (
        "There is no chapters/series here: git checkout main, and git pull where main is old"
    )
