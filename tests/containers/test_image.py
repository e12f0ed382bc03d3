"""scripts/image: what it builds, names, moves and ships, with a real registry."""

import base64
import itertools
import json
import os
import re
import shlex
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.docker import docker, inspect, running_registry
from tests.support.ports import free_port
from tests.support.project import Project
from tests.support.waiting import LIMIT

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# ann, whose password is "secret", as `htpasswd -B` writes it: a registry takes no other hash than bcrypt.
USERS = "ann:$2b$04$WfL.qQ97efoS0SOVXwPDTO7xnOl5VEJv6a7RGVi2s2yO3uBdjR9H.\n"
LOGIN = base64.b64encode(b"ann:secret").decode()


numbers = itertools.count()


class Repository:
    """An image name that one test has for itself, here and in the registry, and scripts/image for it."""

    def __init__(self, project: Project, registry: str, name: str) -> None:
        self.project = project
        self.name = f"{project.name}-{name}"
        self.place = f"{registry}/team"
        self.remote = f"{self.place}/{self.name}"

    def image(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run scripts/image; it may fail."""
        return self.project.script("image", *arguments, **{"IMAGE": self.name} | environment)

    def do(self, *arguments: object, **environment: str) -> str:
        """Run scripts/image, which must not fail; returns what it printed."""
        done = self.image(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: object, **environment: str) -> str:
        """Run scripts/image, which must fail with one line and change nothing, and return the line."""
        before = self.here(), self.there()
        done = self.image(*arguments, **environment)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        assert (self.here(), self.there()) == before
        return done.stderr.strip()

    def here(self) -> dict[str, str]:
        """The tags on this machine with the images' ids, under the plain name and under the registry's."""
        names = [f"--filter=reference={name}" for name in (self.name, self.remote)]
        lines = docker("image", "ls", "--no-trunc", *names, "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").stdout
        return dict(line.removeprefix(f"{self.name}:").split() for line in lines.splitlines())

    def there(self) -> dict[str, str]:
        """The tags in the registry with their digests, asked without Docker."""
        base = f"http://{self.remote.replace('/', '/v2/', 1)}"
        answer = requests.get(f"{base}/tags/list", timeout=LIMIT).json()
        accept = {"Accept": ", ".join(MANIFESTS)}
        return {
            tag: requests.head(f"{base}/manifests/{tag}", headers=accept, timeout=LIMIT).headers[
                "Docker-Content-Digest"
            ]
            for tag in answer.get("tags") or []
        }

    def give(self, *versions: str) -> None:
        """Have versions here that are all the same image: their names are what counts."""
        for version in versions:
            docker("tag", self.source, f"{self.name}:{version}")

    def give_registry(self, *versions: str) -> None:
        """Have such versions in the registry."""
        docker("tag", self.source, f"{self.remote}:{versions[0]}")
        docker("push", f"{self.remote}:{versions[0]}")
        docker("image", "rm", f"{self.remote}:{versions[0]}")
        for version in versions[1:]:
            tag = f"--tag={self.remote}:{version}"
            docker("buildx", "imagetools", "create", "--prefer-index=false", tag, f"{self.remote}:{versions[0]}")

    @property
    def source(self) -> str:
        return f"{self.project.name}:1.4.2"

    @property
    def commit(self) -> str:
        return git(self.project, "rev-parse", "HEAD")

    @property
    def sha(self) -> str:
        return f"sha-{self.commit[:7]}"


def git(project: Project, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=project.folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def registry(project):
    with running_registry(f"{project.name}-registry") as host:
        yield host


@pytest.fixture(scope="module")
def built(project, registry):
    """1.4.2, built once by the script under the copy's own name, with a remote that has a password in its URL."""
    git(project, "remote", "add", "origin", "https://ann:secret@example.org/team/app.git")
    own = Repository(project, registry, "")
    own.do("build", "1.4.2", IMAGE="")
    yield f"{project.name}:1.4.2"
    label = f"label=org.opencontainers.image.title={project.name}"
    for image in docker("image", "ls", "--all", "--quiet", "--filter", label).stdout.split():
        docker("image", "rm", "--force", image, check=False)


@pytest.fixture
def repository(project, registry, built):
    return Repository(project, registry, str(next(numbers)))


def labels(image: str) -> dict[str, str]:
    config = inspect(image)["Config"]["Labels"]
    return {name.rpartition(".")[2]: text for name, text in config.items() if name.startswith("org.opencontainers")}


def test_what_a_built_image_says_of_itself(project, built):
    said = labels(built)
    assert said["version"] == "1.4.2"
    assert said["revision"] == git(project, "rev-parse", "HEAD")
    assert said["source"] == "https://example.org/team/app"
    assert said["title"] == project.name
    assert said["created"].endswith("Z")
    assert git(project, "log", "-1", "--format=%ct", f"--since={said['created']}") == git(
        project, "log", "-1", "--format=%ct"
    )
    assert inspect(built)["Config"]["Cmd"] == ["gunicorn", "--config", "service/gunicorn.conf.py"]


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("git@github.com:me/app.git", "https://github.com/me/app"),
        ("ssh://git@github.com/me/app", "https://github.com/me/app"),
        ("https://token@github.com/me/app", "https://github.com/me/app"),
        ("../app", None),
    ],
)
def test_the_source_is_a_web_address_without_a_login(project, repository, remote, source):
    git(project, "config", "remote.origin.url", remote)
    found = re.search(r" SOURCE=(\S+)", repository.do("build", "1.0.0", "--dry-run"))
    assert (found and found[1]) == source
    assert "token" not in repository.do("build", "1.0.0", "--dry-run")


def test_a_dirty_work_tree_is_refused_or_marked(project, repository):
    planted = project.folder / "service" / "planted.py"
    planted.touch()
    try:
        assert repository.refusal("build", "1.0.0").startswith(
            "there are changes in no commit (git status): commit them"
        )
        repository.do("build", "1.0.0", "--allow-dirty")
    finally:
        planted.unlink()
    assert labels(f"{repository.name}:1.0.0")["revision"] == f"{repository.commit}-dirty"
    repository.do("tag", "1.0.0")
    assert f"{repository.sha}-dirty" in repository.here()
    assert repository.sha not in repository.here()


def test_without_a_commit_nothing_is_built(repository, tmp_path):
    assert repository.refusal("build", "1.0.0", GIT_DIR=str(tmp_path)).startswith("git has no commit here: git commit")


def test_a_version_has_five_tags_and_one_image(repository):
    repository.give("1.4.2")
    printed = repository.do("tag", "1.4.2")
    assert repository.here().keys() == {"1.4.2", "1.4", "1", "latest", repository.sha}
    assert set(repository.here().values()) == {inspect(repository.source)["Id"]}
    assert printed == f"{repository.name}:1.4.2 is also 1.4 1 latest {repository.sha}\n"


def test_floating_tags_never_move_backwards(repository):
    repository.give("2.0.0", "1.4.1", "1.4.2")
    done = repository.image("tag", "1.4.2")
    assert done.returncode == 0
    assert done.stdout.split(" is also ")[1].split() == ["1.4", "1", repository.sha]
    assert set(repository.here()) == {"2.0.0", "1.4.1", "1.4.2", "1.4", "1", repository.sha}
    for line in done.stderr.splitlines():
        assert re.match(r"(\d+|\d+\.\d+|latest) stays where it is: \S+ is higher than ", line)


def test_floating_tags_of_a_registry_never_move_backwards(repository):
    repository.give_registry("1.9.0", "1.10.0")
    repository.do("tag", "1.9.0", repository.place)
    assert repository.there().keys() == {"1.10.0", "1.9.0", "1.9", repository.sha}
    assert len(set(repository.there().values())) == 1


def test_from_a_commit_to_a_registry_where_a_version_stays_what_it_is(project, repository):
    repository.do("build", "1.4.2")
    repository.do("tag", "1.4.2")
    printed = repository.do("push", "1.4.2", repository.place)
    shipped = repository.there()
    assert shipped.keys() == {"1.4.2", "1.4", "1", "latest", repository.sha}
    assert len(set(shipped.values())) == 1
    assert printed.endswith(f"digest: {shipped['1.4.2']}\n")

    assert repository.do("push", "1.4.2", repository.place).endswith(f"digest: {shipped['1.4.2']}\n")
    assert repository.there() == shipped

    code = project.folder / "service" / "web.py"
    code.write_text(code.read_text() + "\n# changed\n")
    project.commit("A change")
    repository.do("build", "1.4.2")
    git(project, "reset", "--quiet", "--hard", "HEAD~1")
    repository.do("tag", "1.4.2")
    refused = f"{repository.remote}:1.4.2 is another image, and versions are immutable: build the next one"
    assert repository.refusal("push", "1.4.2", repository.place) == refused
    assert repository.refusal("push", "1.4.2", repository.place, "--dry-run") == refused


def test_what_is_pushed_removed_and_pulled_is_the_same(repository):
    repository.give("1.4.2")
    repository.do("push", "1.4.2", repository.place)
    image = inspect(f"{repository.name}:1.4.2")["Id"]
    docker("image", "rm", f"{repository.name}:1.4.2", f"{repository.remote}:1.4.2")
    assert repository.here() == {}
    docker("pull", f"{repository.remote}:1.4.2")
    assert inspect(f"{repository.remote}:1.4.2")["Id"] == image
    assert inspect(f"{repository.remote}:1.4.2")["RepoDigests"] == [
        f"{repository.remote}@{repository.there()['1.4.2']}"
    ]


def test_save_and_load_keep_image_and_tags(repository, tmp_path):
    repository.give("1.4.2")
    repository.do("tag", "1.4.2")
    repository.do("push", "1.4.2", repository.place)
    docker("image", "rm", f"{repository.remote}:1.4.2")
    before, shipped = repository.here(), repository.there()
    names = [f"{repository.name}:{tag}" for tag in before]
    docker("save", "--output", tmp_path / "image.tar", *names)
    docker("image", "rm", *names)
    assert repository.here() == {}
    docker("load", "--input", tmp_path / "image.tar")
    assert repository.here() == before
    repository.do("push", "1.4.2", repository.place)
    assert repository.there() == shipped


def test_push_looks_at_what_the_registry_has(repository):
    repository.give_registry("1.10.0")
    shipped = repository.there()
    repository.do("build", "1.9.0")
    repository.do("tag", "1.9.0")
    repository.do("promote", "1.9.0", "prod")
    repository.give("1.8.0", "1.8")
    assert "latest" in repository.here()
    repository.do("push", "1.9.0", repository.place)
    there = repository.there()
    assert there.keys() == {"1.10.0", "1.9.0", "1.9", repository.sha}
    assert there["1.10.0"] == shipped["1.10.0"]
    assert there["1.9.0"] == there["1.9"] == there[repository.sha] != there["1.10.0"]


def test_push_leaves_a_tag_that_is_with_another_version_here(repository):
    for version in ("1.9.0", "2.0.0"):
        repository.do("build", version)
        repository.do("tag", version)
    repository.do("push", "1.9.0", repository.place)
    assert repository.there().keys() == {"1.9.0", "1.9", "1"}


def test_a_prerelease_is_pushed_without_floating_tags(repository):
    repository.give("2.0.0-rc.1")
    repository.do("tag", "2.0.0-rc.1")
    repository.do("push", "2.0.0-rc.1", repository.place)
    assert repository.there().keys() == {"2.0.0-rc.1", repository.sha}


def test_the_image_s_own_name_may_hold_the_registry(repository):
    docker("tag", repository.source, f"{repository.remote}:1.4.2")
    repository.do("push", "1.4.2", IMAGE=repository.remote)
    assert repository.there().keys() == {"1.4.2"}


@pytest.mark.parametrize("where", ["here", "in a registry"])
def test_promote_and_promote_back(repository, where):
    repository.do("build", "1.4.1")
    repository.do("build", "1.4.2")
    place, state = ([], repository.here) if where == "here" else ([repository.place], repository.there)
    if place:
        repository.do("push", "1.4.1", repository.place)
        repository.do("push", "1.4.2", repository.place)
    first, second = state()["1.4.1"], state()["1.4.2"]
    assert first != second

    assert f"prod moved from nothing to 1.4.1 ({first})" in repository.do("promote", "1.4.1", "prod", *place)
    assert state()["prod"] == first
    printed = repository.do("promote", "1.4.2", "prod", *place)
    assert f"prod moved from 1.4.1 ({first}) to 1.4.2 ({second})" in printed
    assert state()["prod"] == second
    back = re.search(r"to move it back: (docker .*)", printed)[1]
    docker(*shlex.split(back)[1:])
    assert state()["prod"] == first
    assert "staging" not in state()


def test_list_here_and_in_a_registry(repository):
    repository.give("1.4.2")
    repository.do("tag", "1.4.2")
    repository.do("push", "1.4.2", repository.place)
    repository.do("promote", "1.4.2", "staging", repository.place)
    created = labels(repository.source)["created"]
    for place, expected in (([], repository.here()), ([repository.place], repository.there())):
        header, *rows = (line.split() for line in repository.do("list", *place).splitlines())
        assert header == ["TAG", "KIND", "CREATED", "IMAGE"]
        assert {row[0]: row[3] for row in rows} == {tag: id for tag, id in expected.items() if "/" not in tag}
        assert {row[0] for row in rows if row[1] == "version"} == {"1.4.2"}
        assert {row[0] for row in rows if row[1] == "commit"} == {repository.sha}
        assert {row[2] for row in rows} == {created}
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert repository.refusal("list", f"{repository.place}/none") == (
        f"there is no {repository.place}/none/{repository.name}: scripts/image push VERSION {repository.place}/none"
    )


def test_a_dry_run_prints_what_would_be_done_and_does_nothing(repository):
    repository.give("1.4.1", "1.4.2")
    repository.do("tag", "1.4.1")
    repository.do("promote", "1.4.1", "dev")
    repository.do("push", "1.4.1", repository.place)
    before = repository.here(), repository.there()
    place = repository.place
    planned = [
        repository.do(*command, "--dry-run").splitlines()
        for command in (
            ("build", "1.5.0"),
            ("tag", "1.4.2"),
            ("promote", "1.4.2", "dev"),
            ("push", "1.4.2", place),
            ("build", "1.5.0", place),
            ("tag", "1.4.1", place),
            ("promote", "1.4.1", "dev", place),
        )
    ]
    assert (repository.here(), repository.there()) == before
    assert all(line.startswith("docker ") for lines in planned for line in lines)
    assert planned[1] == [
        f"docker tag {repository.name}:1.4.2 {repository.name}:{tag}" for tag in ("1.4", "1", "latest", repository.sha)
    ]
    # The printed commands are the real ones: they do it.
    for line in itertools.chain.from_iterable(planned[:4]):
        docker(*shlex.split(line)[1:], cwd=repository.project.folder)
    assert {"1.5.0", "1.4", "1", "latest", "dev"} <= repository.here().keys()
    assert "1.4.2" in repository.there()


def test_it_builds_its_own_project_whatever_the_folder(project, repository, tmp_path):
    (tmp_path / "link").symlink_to(project.folder / "scripts" / "image")
    environment = project.environment | {"IMAGE": repository.name, "CDPATH": f".:{tmp_path}"}
    command = [tmp_path / "link", "build", "1.0.0", "--dry-run"]
    printed = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert shlex.split(printed)[-1] == str(project.folder)
    assert f"REVISION={repository.commit} " in printed


def test_what_is_not_there(repository):
    name, remote, place = repository.name, repository.remote, repository.place
    assert repository.refusal("tag", "1.4.2") == f"{name}:1.4.2 is not there: scripts/image build 1.4.2"
    assert repository.refusal("promote", "1.4.2", "dev") == f"{name}:1.4.2 is not there: scripts/image build 1.4.2"
    assert repository.refusal("push", "1.4.2", place).startswith(
        f"{name}:1.4.2 is not on this machine: scripts/image b"
    )
    assert repository.refusal("list") == f"there is no {name}: scripts/image build VERSION"
    missing = f"{remote}:1.4.2 is not there: scripts/image push 1.4.2 {place}"
    assert repository.refusal("tag", "1.4.2", place) == missing
    assert repository.refusal("promote", "1.4.2", "dev", place) == missing


def test_a_registry_that_does_not_answer(repository):
    repository.give("1.4.2")
    host = f"localhost:{free_port()}"
    for command in (["build", "1.4.3"], ["tag", "1.4.2"], ["promote", "1.4.2", "dev"], ["push", "1.4.2"], ["list"]):
        assert repository.refusal(*command, f"{host}/team") == (
            f"the registry {host} does not answer: start it, or check its name"
        )


def test_a_version_in_the_registry_is_not_built_anew(repository):
    repository.give_registry("1.4.2")
    refused = "is there, and versions are immutable: build the next one"
    assert repository.refusal("build", "1.4.2", repository.place) == f"{repository.remote}:1.4.2 {refused}"


def docker_config(folder: Path, host: str, way: str) -> dict[str, str]:
    """A login as `docker login` leaves it: in its own file, or with a credential helper as Docker Desktop has one."""
    if way == "file":
        config = {"auths": {host: {"auth": LOGIN}}}
    else:
        config = {"auths": {host: {}}, "credsStore": "test"}
        helper = folder / "docker-credential-test"
        answer = json.dumps({"ServerURL": host, "Username": "ann", "Secret": "secret"})
        helper.write_text(f"#!/bin/sh\nread -r server\n[ \"$server\" = {host} ] && echo '{answer}'\n")
        helper.chmod(0o755)
    (folder / "config.json").write_text(json.dumps(config, indent="\t"))
    return {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_registry_that_asks_for_a_login(project, repository, tmp_path):
    (tmp_path / "htpasswd").write_text(USERS)
    options = ["--volume", f"{tmp_path}:/auth:ro", "--env", "REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd"]
    options += ["--env", "REGISTRY_AUTH_HTPASSWD_REALM=test"]
    repository.give("1.4.2", "1.4.3")
    with running_registry(f"{project.name}-locked", *options) as host:
        place, nobody = f"{host}/team", {"DOCKER_CONFIG": str(tmp_path / "nobody")}
        for command in (["build", "1.4.4"], ["tag", "1.4.2"], ["promote", "1.4.2", "dev"], ["push", "1.4.2"], ["list"]):
            assert repository.refusal(*command, place, **nobody) == (
                f"{host} does not let you read team/{repository.name}: docker login {host}, and run this again"
            )
        for version, way in (("1.4.2", "file"), ("1.4.3", "helper")):
            config = docker_config(tmp_path, host, way)
            repository.do("push", version, place, **config)
            assert version in repository.do("list", place, **config)
        docker("image", "rm", f"{place}/{repository.name}:1.4.2", f"{place}/{repository.name}:1.4.3")


class Gate(BaseHTTPRequestHandler):
    """Stands before a registry and asks for tokens as GHCR and Docker Hub do, who cannot be reached from a test; and
    answers one tag at a time, as they do with thousands.
    """

    registry: str
    repository: str
    is_there = True
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, host = self.path, self.headers["Host"]
        if path.startswith("/token?"):
            # For exactly this service, and for reading this repository.
            asked = parse_qs(urlsplit(path).query)
            allowed = self.headers["Authorization"] == f"Basic {LOGIN}" and asked.get("service") == ["the gate"]
            allowed = allowed and asked.get("scope") == [f"repository:{self.repository}:pull"]
            self.answer(200 if allowed else 401, b'{"token": "a-token"}' if allowed else b"{}")
        elif self.headers["Authorization"] != "Bearer a-token":
            challenge = (
                f'Bearer realm="http://{host}/token",service="the gate",scope="repository:{self.repository}:pull"'
            )
            self.answer(401, b"{}", {"WWW-Authenticate": challenge})
        elif not self.is_there:
            self.answer(403, b"{}")
        else:
            headers = {name: text for name, text in self.headers.items() if name == "Accept"}
            behind = requests.request(self.command, f"http://{self.registry}{path}", headers=headers, timeout=LIMIT)
            if "/tags/list" in path:
                self.answer_page(path, sorted(behind.json()["tags"]))
                return
            kept = {name: behind.headers[name] for name in ("Content-Type", "Docker-Content-Digest")}
            self.answer(behind.status_code, behind.content, kept, behind.headers["Content-Length"])

    def answer_page(self, path: str, tags: list[str]) -> None:
        last = parse_qs(urlsplit(path).query).get("last", [""])[0]
        page, *more = (tag for tag in tags if tag > last)
        link = {"Link": f'<{urlsplit(path).path}?n=1&last={page}>; rel="next"'} if more else {}
        self.answer(200, json.dumps({"name": self.repository, "tags": [page]}).encode(), link)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.close_connection = True
        self.answer(405, b"{}")  # Docker tries this way first, and then the one above

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, length: str = "") -> None:
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_gate(registry, repository, **facts):
    """The host of a gate before the registry."""
    gate = type("This", (Gate,), {"registry": registry, "repository": f"team/{repository.name}", **facts})
    server = ThreadingHTTPServer(("127.0.0.1", 0), gate)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("way", ["file", "helper"])
def test_a_registry_that_wants_tokens_and_answers_in_pages(repository, registry, tmp_path, way):
    repository.give_registry("1.4.2", "1.4.3", "1.10.0", "2.0.0-rc.1")
    with running_gate(registry, repository) as host:
        config = docker_config(tmp_path, host, way)
        listed = repository.do("list", f"{host}/team", **config)
        assert {line.split()[0] for line in listed.splitlines()[1:]} == {"1.4.2", "1.4.3", "1.10.0", "2.0.0-rc.1"}
        planned = repository.do("tag", "1.4.3", f"{host}/team", "--dry-run", **config)
        assert ":1.4 " in planned
        assert ":latest " not in planned
        refused = repository.refusal("list", f"{host}/team", DOCKER_CONFIG=str(tmp_path / "nobody"))
        assert refused.startswith(f"{host} does not let you read ")


def test_a_first_release_into_a_registry_that_forbids_what_is_not_there(repository, registry, tmp_path):
    with running_gate(registry, repository, is_there=False) as host:
        place, config = f"{host}/team", docker_config(tmp_path, host, "file")
        assert "docker buildx build" in repository.do("build", "1.4.2", place, "--dry-run", **config)
        for command in (["tag", "1.4.2"], ["list"]):
            assert repository.refusal(*command, place, **config).startswith(f"{host} does not let you read ")
        nobody = {"DOCKER_CONFIG": str(tmp_path / "nobody")}
        assert repository.refusal("build", "1.4.2", place, **nobody).startswith(f"{host} does not let you read ")


def test_a_manifest_list_stays_one_whatever_its_tags(repository):
    repository.do("build", "1.4.2")
    repository.do("push", "1.4.2", repository.place)
    arm = f"{repository.remote}:arm64"
    plan = f'FROM scratch\nLABEL org.opencontainers.image.title={repository.project.name}\nCMD ["x"]'
    docker("build", "--platform", "linux/arm64", "--provenance=false", "--tag", arm, "-", input=plan)
    docker("push", arm)
    docker("buildx", "imagetools", "create", "--tag", f"{repository.remote}:1.5.0", f"{repository.remote}:1.4.2", arm)
    repository.do("tag", "1.5.0", repository.place)
    repository.do("promote", "1.5.0", "prod", repository.place)
    there = repository.there()
    assert there["1.5.0"] == there["1.5"] == there["1"] == there["latest"] == there["prod"] == there[repository.sha]
    assert there["1.5.0"] != there["1.4.2"]
    assert f"{there['1.5.0']}\n" in repository.do("list", repository.place)


def test_one_platform(repository):
    repository.do("build", "1.4.2", "--platform", "linux/amd64")
    assert repository.here().keys() == {"1.4.2"}
    assert inspect(f"{repository.name}:1.4.2")["Architecture"] == "amd64"


def test_several_platforms(repository):
    command = ["build", "1.4.2", repository.place, "--platform", "linux/amd64,linux/arm/v7"]
    (line,) = repository.do(*command, "--dry-run").splitlines()
    planned = line.split()
    assert planned[planned.index("--platform") + 1] == "linux/amd64,linux/arm/v7"
    assert planned[planned.index("--tag") + 1] == f"{repository.remote}:1.4.2"
    assert {"--push", "--sbom=true", "--provenance=mode=max"} <= set(planned)
    # An engine with the containerd image store makes manifest lists itself.
    if "io.containerd.snapshotter" not in docker("info", "--format", "{{.DriverStatus}}").stdout:
        answer = repository.refusal(*command, BUILDX_BUILDER="default")
        assert answer.startswith("several platforms need a registry and another builder: ")
