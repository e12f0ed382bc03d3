"""What can be seen of the pages and the chapters without running them."""

import re
import subprocess

import pytest

from chapters.tests.support.course import CHAPTERS, Chapter, lay_out, texts
from chapters.tests.support.page import ANY, Page, read
from chapters.tool import clean
from chapters.tool.sources import stays_on_main
from tests.support.markdown import dead_links, prose
from tests.support.repository import NAME, ROOT

LAST_PARTS = ["Try it", "What you learned", "If it fails", "Clean up", "Next"]
WIDTH = 120
WORDS = 900  # of prose on a page, without answers and solutions
MINUTES = 25  # for a page
LEFT_OUT = 0.05  # of the lines of output on all pages: those that are only `…`


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[Chapter, dict[str, str]]:
    """The files of each chapter."""
    trees = lay_out(tmp_path_factory.mktemp("trees"))
    return {chapter: texts(trees[chapter.name]) for chapter in CHAPTERS}


def following(chapter: Chapter) -> Chapter | None:
    rest = CHAPTERS[CHAPTERS.index(chapter) + 1 :]
    return rest[0] if rest else None


def section(page: Page, heading: str) -> list[str]:
    """The lines of a part of the page."""
    start = page.lines.index(f"## {heading}") + 1
    return page.lines[start : next((n for n, line in enumerate(page.lines[start:], start) if line[:3] == "## "), None)]


# --- The pages' form --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_has_its_parts_in_order(chapter):
    page = read(chapter.page)
    assert page.lines[0] == f"# {chapter.name[:2]}  {chapter.title}"
    assert page.lines[4], "title and time are followed by what you will be able to do"
    assert page.headings[0] == "What this chapter changes"
    assert page.headings[-len(LAST_PARTS) :] == LAST_PARTS
    assert len(page.headings) > 6, "there is something to learn"
    text = prose(page.lines)
    assert {number: line for number, line in text.items() if len(line) > WIDTH} == {}
    counted = re.sub("<details>.*?</details>", "", "\n".join(text.values()), flags=re.DOTALL)
    assert len(counted.split()) <= WORDS


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_says_how_long_it_takes(chapter):
    page = read(chapter.page)
    said = re.fullmatch(r"\*(\d+) minutes\*", page.lines[2])
    assert said
    assert page.lines[1] == page.lines[3] == ""
    assert int(said[1]) in range(5, MINUTES + 1, 5)
    # At least: 200 words per minute, and 15 seconds per command.
    words = len(" ".join(prose(page.lines).values()).split())
    assert int(said[1]) >= words / 200 + sum(len(block.commands) for block in page.console) / 4


def test_the_pages_show_what_commands_print():
    pages = [read(chapter.page) for chapter in CHAPTERS]
    shown = [line for page in pages for block in page.console for it in block.commands for line in it.output]
    assert shown.count(ANY) < LEFT_OUT * len(shown)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_begins_at_its_chapter_and_ends_with_its_check(chapter, files):
    page = read(chapter.page)
    run = [block for block in page.console if not block.not_run]
    commands = [(block.heading, command) for block in run for command in block.commands]
    tree, before = files[chapter], files[CHAPTERS[max(CHAPTERS.index(chapter) - 1, 0)]]
    written = [b.write for b in page.blocks if b.write in tree and tree[b.write] != before.get(b.write)]
    first = f"scripts/chapter {'start' if written else 'go'} {chapter.name[:2]}"
    assert (commands[0][0], commands[0][1].text) == ("", first)
    tried = [command for heading, command in commands if heading == "Try it"]
    if written:
        last = tried.pop()
        assert (last.text, last.output) == ("git diff", []), "the reader's files are those of the chapter"
        assert "`git diff` prints nothing" in "\n".join(section(page, "Try it"))
    assert tried[-1].text == "scripts/chapter check"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_says_in_three_to_five_lines_what_you_learned(chapter):
    lines = [line for line in section(read(chapter.page), "What you learned") if line]
    assert 3 <= len(lines) <= 5
    assert [line for line in lines if not line.startswith("- You ")] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_lists_failures_in_a_table(chapter):
    rows = [line for line in section(read(chapter.page), "If it fails") if line]
    assert rows[:2] == ["| message | why, and what to do |", "|---|---|"]
    assert len(rows) > 4
    assert all(row.startswith("| ") for row in rows[2:])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_box_tells_a_common_error_from_the_truth(chapter):
    boxes = re.findall("(?:^>.*\n)+", "\n".join(prose(read(chapter.page).lines).values()), re.MULTILINE)
    form = re.compile(r'> \*\*Often said:\*\* ".+"\n>\n> \*\*In fact:\*\* .+', re.DOTALL)
    assert [box for box in boxes if not form.match(box)] == []


def numbered(summary: str, count: int) -> list[str]:
    """How questions or exercises begin, and how what is folded below each begins and ends."""
    folded = (f"<details><summary>{summary}</summary>", "</details>")
    return [line for number in range(1, count + 1) for line in (f"{number}. ", *folded)]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_has_questions_with_answers_and_exercises_with_solutions(chapter):
    text = "\n".join(section(read(chapter.page), "Try it"))
    _, *parts = re.split(r"^### (.+)\n", text, flags=re.MULTILINE)
    assert parts[::2] in (["Recall", "Do"], ["Recall", "Do", "Repair"])
    recall, do, *repair = (re.findall(r"^(?:\d\. |<details>.*|</details>)", part, re.MULTILINE) for part in parts[1::2])
    assert recall == numbered("Answer", 2)
    assert do in [numbered("Solution", count) for count in (1, 2, 3)]
    assert repair in ([], [numbered("Solution", 1)])
    assert not re.search(r"</summary>\n\n(?:Yes|No)\b", parts[1]), "a question that makes the reader think"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_page_says_how_to_see_what_its_chapter_changed_and_links_the_page_that_follows(chapter):
    page = read(chapter.page)
    lines = (ROOT / "chapters" / chapter.name / "changes").read_text().splitlines()
    changes_files = chapter != CHAPTERS[0] and any(not line.startswith("#") for line in lines)
    changed = "\n".join(section(page, "What this chapter changes"))
    assert (f"`scripts/chapter diff {chapter.name[:2]}`" in changed) == changes_files
    links = re.findall(r"\]\(([^)#]+\.md)\)", "\n".join(section(page, "Next")))
    assert links[:1] == ([following(chapter).page.name] if following(chapter) else links[:1])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_all_that_a_page_links_to_is_there(chapter):
    assert dead_links(chapter.page) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_the_readme_lists_the_chapter(chapter):
    row = f"| {chapter.name[:2]} | `ch/{chapter}` | [{chapter.title}](docs/{chapter.page.name}) |"
    assert row in (ROOT / "README.md").read_text(encoding="utf-8")


def test_few_blocks_are_not_run():
    assert sum(block.not_run is not None for chapter in CHAPTERS for block in read(chapter.page).console) <= 5


# --- Listings ---------------------------------------------------------------------------------------------------------


def is_part(listing: list[str], content: list[str]) -> bool:
    """Whether the listing's lines are a file's, in order; `…` stands for lines that are left out."""
    at = 0
    chunk: list[str] = []
    for line in [*listing, ANY]:
        if line.strip() != ANY:
            chunk.append(line)
            continue
        places = range(at, len(content) - len(chunk) + 1)
        place = next((place for place in places if content[place : place + len(chunk)] == chunk), None)
        if place is None:
            return False
        at, chunk = place + len(chunk), []
    return True


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_a_listing_is_the_file_at_its_tag(chapter, files):
    for block in read(chapter.page).blocks:
        if block.file:
            where = f"{chapter.page}:{block.line}: {block.file}"
            content = files[chapter].get(block.file)
            if content is None and stays_on_main(block.file):
                content = (ROOT / block.file).read_text(encoding="utf-8")
            assert content, f"{where} is no file of the chapter"
            assert is_part(block.lines, content.splitlines()), f"{where} reads otherwise"


def test_a_listing_may_leave_lines_out_but_not_change_any():
    content = ["a", "b", "c", "d"]
    assert is_part(["a", "b", "c", "d"], content)
    assert is_part(["b", "c"], content)
    assert is_part(["a", "…", "  …", "d"], content)
    assert not is_part(["a", "c"], content)
    assert not is_part(["d", "…", "a"], content)
    assert not is_part(["b", "x"], content)


# --- Names ------------------------------------------------------------------------------------------------------------

# What the names of each kind are behind: on a command line, and in a Compose file.
COMMANDS = {
    "container": (r"--name[ =]([\w.-]+)",),
    "volume": (
        r"(?:--volume|-v)[ =]([a-zA-Z][\w.-]+):",
        r"docker volume (?:create|inspect|rm)(?: --\S+)* ([\w.-]+)",
        r"type=volume,(?:source|src)=([\w.-]+)",
    ),
    "network": (
        r"--network[ =]([\w.-]+)",
        r"docker network (?:create|inspect|rm|connect|disconnect)(?: --\S+)* ([\w.-]+)",
    ),
    "image": (r"docker build .*(?:--tag|-t)[ =](?:[\w.:/-]+/)?([\w.-]+)", r"docker tag \S+ (?:[\w.:/-]+/)?([\w.-]+)"),
}
NAMES = {
    "container": set(clean.CONTAINERS),
    "volume": set(clean.VOLUMES),
    "network": {clean.NETWORK, "bridge", "overlay", "docker_gwbridge", "host", "none", "container"},
    "image": {NAME},
}


def commands(page: Page) -> list[str]:
    """The commands of a page, each as one line."""
    return [command.text.replace("\\\n", "") for block in page.console for command in block.commands]


def code_settings(files: dict[str, str]) -> set[str]:
    """The variables that the service's code reads from its environment, but for what the build of an image says there."""
    code = "\n".join(text for path, text in files.items() if re.fullmatch(r"service/.*\.py", path))
    read = set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', code))
    if fields := re.search(r"^class Settings\b.*?(?=^\S)", code, re.MULTILINE | re.DOTALL):
        read |= {name.upper() for name in re.findall(r"^    (\w+): ", fields[0], re.MULTILINE)}
    said = set(re.findall(r"^(?:ARG|ENV| {4,}) *([A-Z_]+)=", files.get("Dockerfile", ""), re.MULTILINE))
    return {name for name in read - said if name.removesuffix("_FILE") not in read - {name}}


def compose_files(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if re.fullmatch(r"(docker-)?compose\b.*\.yml", path)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_all_names_in_commands_are_in_the_one_list(chapter):
    for command in commands(read(chapter.page)):
        for kind, patterns in COMMANDS.items():
            found = {name for pattern in patterns for name in re.findall(pattern, command)}
            assert found <= NAMES[kind], f"{chapter.page}: {command}\n{kind} names are those of chapters/tool/clean.py"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_all_names_in_compose_files_are_in_the_one_list(chapter, files):
    for path, text in compose_files(files[chapter]).items():
        named = set(re.findall(r"^(?:    )?name: *(\S+)$", text, re.MULTILINE))
        named = {name.replace("${COMPOSE_PROJECT_NAME}", NAME) for name in named}
        # Those that a learner never types begin with the same token, so they are the project's all the same.
        assert [name for name in named if name != NAME and not name.startswith(f"{NAME}-")] == [], path


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_there_is_one_database(chapter, files):
    sources = {path: text for path, text in files[chapter].items() if not path.startswith(("tests/", "docs/"))}
    sources[str(chapter.page)] = "\n".join(commands(read(chapter.page)))
    for path, text in sources.items():
        databases = set(re.findall(r"mongodb://[\w:@.${}-]*?/([\w-]+)", text)) | set(
            re.findall(r"\buse (\w\S+)$", text)
        )
        assert databases <= {NAME, f"{NAME}-test", "admin"}, path


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_settings_have_the_same_names_everywhere(chapter, files):
    tree = files[chapter]
    code = code_settings(tree)
    allowed = code | {f"{name}_FILE" for name in code}
    compose = compose_files(tree)
    # As ${NAME}, or as a name without a value.
    for_compose = set(re.findall(r"\$\{(\w+)|^ +([A-Z_]+):$", "\n".join(compose.values()), re.MULTILINE))
    for_compose = {name for pair in for_compose for name in pair}
    if ".env.example" in tree:
        example = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", tree[".env.example"], re.MULTILINE))
        assert code <= example, ".env.example has every setting"
        assert example <= allowed | for_compose, ".env.example has no other"
    for path, text in compose.items():
        app = re.search(r"^  app:\n(.*?)(?=^(?:  )?\w|\Z)", text, re.MULTILINE | re.DOTALL)
        environment = re.search(r"^    environment:\n((?:      .*\n)+)", app[1] if app else "", re.MULTILINE)
        assert set(re.findall(r"^      (\w+):", environment[1] if environment else "", re.MULTILINE)) <= {
            *allowed,
            "WATCHFILES_FORCE_POLLING",  # what reloads in development is not the app itself
        }, path
    given = {
        name for command in commands(read(chapter.page)) for name in re.findall(r"(?:-e|--env)[ =]([A-Z]\w*)", command)
    }
    assert given <= allowed | {"GLIBC_TUNABLES"}, chapter.page  # that one is MongoDB's


# --- Versions ---------------------------------------------------------------------------------------------------------

# The places that tell which versions will do: "Engine 25 and Compose 2.24.4, or newer", and the doctor's table.
TELLING = (
    r"\b(Engine) ([\d.]*\d)(?: and Compose|,? or newer)",
    r"\b(Compose) ([\d.]*\d),? or newer",
    r"^\| (Engine|Compose|Buildx) \| .*?older than ([\d.]*\d)",
)


def test_the_oldest_versions_that_will_do_are_the_doctors_everywhere():
    doctor = (ROOT / "scripts/doctor").read_text()
    least = {
        name.title(): re.sub(r",\s*", ".", version.strip("(),"))
        for name, version in re.findall(r"^(ENGINE|COMPOSE|BUILDX) = (\(.*?\))", doctor, re.MULTILINE)
    }
    told = {}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text(encoding="utf-8")
        told[str(page.relative_to(ROOT))] = {
            pair for pattern in TELLING for pair in re.findall(pattern, text, re.MULTILINE)
        }
    assert set().union(*told.values()) == set(least.items())
    pages = {"README.md", "docs/00-start.md", "docs/reference/doctor.md", "docs/reference/production.md"}
    assert {page for page, pairs in told.items() if pairs} >= pages


# --- MongoDB ----------------------------------------------------------------------------------------------------------

OPTION = "--env GLIBC_TUNABLES=glibc.pthread.rseq=1"
MONGO = re.compile(
    r"docker (?:container )?(?:run|create)\b(?P<options>.*?) [\w./:]*\bmongo(?:[:@][\w.:]+)?(?![\w./:-])(?P<rest>.*)"
)


def bare_runs(text: str) -> list[str]:
    """The commands that start MongoDB by hand, without the option that lets it start on Linux 6.19 and newer."""
    lines = re.sub(r"\\\n(?:> )?\s*", "", text).splitlines()
    return [line for line in lines for run in MONGO.finditer(line) if serves(run) and OPTION not in run["options"]]


def serves(run: re.Match[str]) -> bool:
    """Whether what is run is MongoDB itself, and not another program of its image."""
    program = re.match(r" +(\w+)", run["rest"])
    return "--entrypoint" not in run["options"] and (program is None or program[1] == "mongod")


def bare_services(compose: str) -> list[str]:
    """The services that start MongoDB without that option."""
    services = re.split(r"^  (?=\w)", compose, flags=re.MULTILINE)
    images = [
        service
        for service in services
        if re.search(r"^    image: .*(?<!\w)(?<!\w-)mongo(?![\w-])", service, re.MULTILINE)
    ]
    return [
        service
        for service in images
        if not re.search(r"^    entrypoint:|^      GLIBC_TUNABLES: \S", service, re.MULTILINE)
    ]


def test_all_that_starts_mongodb_starts_it_on_every_kernel():
    listing = [
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        ".",
        ":!tests",
        ":!chapters/tests",
    ]
    for path in subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / path).is_file():
            text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            assert bare_runs(text) == [], path
            if path.endswith(".yml"):
                assert bare_services(text) == [], path


def test_what_starts_mongodb_is_found():
    bare = (
        "docker run mongo:8.0",
        "docker run -d mongo",
        "$ docker run --name m \\\n>   docker.io/library/mongo:8.0 mongod --auth",
    )
    for command in bare:
        assert len(bare_runs(command)) == 1, command
    other = (
        f"docker run {OPTION} mongo:8.0",
        "docker run mongo:8.0 touch /x",
        "docker run --entrypoint sleep mongo:8.0 9",
    )
    for command in (*other, "docker run --name mongodb flask-mongo-app", "docker run flask-mongo-app:1 mongodb"):
        assert bare_runs(command) == [], command
    service = "services:\n  mongodb:\n    image: ${MONGO_IMAGE:-mongo:8.0}\n    environment:\n"
    assert len(bare_services(service)) == len(bare_services(service + "      GLIBC_TUNABLES:\n")) == 1
    assert bare_services(service + "      GLIBC_TUNABLES: x\n") == []
