"""scripts/image, against a real engine and a real registry."""

import json
import re

import pytest
import requests

from tests.containers.conftest import docker, inspect, need_image
from tests.support import LIMIT, free_port, wait_for


@pytest.fixture(scope="module")
def registry(copy):
    """An empty registry on this machine; gives its REGISTRY/NAMESPACE."""
    need_image("registry:3")
    port = free_port()
    docker("run", "--detach", "--name", f"{copy.name}-registry", "--publish", f"127.0.0.1:{port}:5000", "registry:3")
    wait_for(lambda: requests.get(f"http://127.0.0.1:{port}/v2/", timeout=LIMIT).ok, "the registry to answer")
    return f"localhost:{port}/team"


@pytest.fixture
def image(copy, registry):
    """Runs scripts/image, which must succeed; all images of the test before are gone, here and in the registry."""
    folder = f"/var/lib/registry/docker/registry/v2/repositories/team/{copy.name}"
    docker("exec", f"{copy.name}-registry", "rm", "-rf", folder)
    docker("restart", "--timeout", "0", f"{copy.name}-registry")  # it keeps in memory what it knew of them
    wait_for(lambda: requests.get(f"http://{registry.split('/')[0]}/v2/", timeout=LIMIT).ok, "the registry to answer")
    for tag in local(copy):
        docker("image", "rm", "--force", f"{copy.name}:{tag}")

    def run(*arguments):
        done = copy.script("image", *arguments)
        assert done.returncode == 0, done.stderr
        return done

    return run


def refusal(copy, *arguments):
    """What scripts/image says when it refuses: one line; neither this machine nor the registry is changed by it."""
    before = local(copy)
    done = copy.script("image", *arguments)
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    assert local(copy) == before
    return done.stderr


def local(copy):
    """The tags of this machine, and the id of the image that each names."""
    listed = docker("image", "ls", "--no-trunc", "--format", "{{.Tag}} {{.ID}}", copy.name).stdout
    return dict(line.split() for line in listed.splitlines() if "<none>" not in line)


def remote(copy, registry):
    """The tags of the registry, and the digest of the manifest that each names."""
    base = f"http://{registry.replace('/', '/v2/', 1)}/{copy.name}"
    accept = {
        "Accept": "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
    }
    tags = requests.get(f"{base}/tags/list", timeout=LIMIT).json().get("tags") or []
    heads = {tag: requests.head(f"{base}/manifests/{tag}", headers=accept, timeout=LIMIT) for tag in tags}
    return {tag: head.headers["Docker-Content-Digest"] for tag, head in heads.items()}


def short(copy):
    """The tag of the commit."""
    return f"sha-{copy.commit('Another commit, so another image')[:7]}"


def test_build_labels_the_image_with_the_version_and_the_commit(copy, image):
    commit = copy.commit("A commit")
    image("build", "1.4.2")
    labels = inspect(f"{copy.name}:1.4.2")["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "1.4.2"
    assert labels["org.opencontainers.image.revision"] == commit
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", labels["org.opencontainers.image.created"])
    again = local(copy)
    image("build", "1.4.2")
    assert local(copy) == again  # one commit, one image


def test_build_takes_what_is_committed_only(copy, image):
    readme = copy.folder / "README.md"
    before = readme.read_text()
    readme.write_text(before + "changed\n")
    assert refusal(copy, "build", "1.0.0").startswith("there are changes in no commit (git status): ")
    image("build", "1.0.0", "--allow-dirty")
    readme.write_text(before)
    revision = inspect(f"{copy.name}:1.0.0")["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert revision.endswith("-dirty")
    image("tag", "1.0.0")
    assert f"sha-{revision[:7]}-dirty" in local(copy)


def test_all_tags_of_a_version_are_one_image(copy, image):
    sha = short(copy)
    image("build", "1.4.2")
    image("tag", "1.4.2")
    assert local(copy).keys() == {"1.4.2", "1.4", "1", "latest", sha}
    assert len(set(local(copy).values())) == 1


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["1.4.0", "1.3.9"], {"1.3": "1.3.9", "1.4": "1.4.0", "1": "1.4.0", "latest": "1.4.0"}),
        (["1.9.0", "1.10.0"], {"1.9": "1.9.0", "1.10": "1.10.0", "1": "1.10.0", "latest": "1.10.0"}),
        (["1.10.0", "1.9.0"], {"1.9": "1.9.0", "1.10": "1.10.0", "1": "1.10.0", "latest": "1.10.0"}),
        (["1.0.0", "2.0.0-rc.1"], {"1.0": "1.0.0", "1": "1.0.0", "latest": "1.0.0"}),
        (["2.0.0-rc.1", "2.0.0"], {"2.0": "2.0.0", "2": "2.0.0", "latest": "2.0.0"}),
        (["0.9.0", "0.10.1"], {"0.9": "0.9.0", "0.10": "0.10.1", "latest": "0.10.1"}),
        (["10.0.0", "9.9.9", "1.99.0"], {"10": "10.0.0", "9": "9.9.9", "1": "1.99.0", "latest": "10.0.0"}),
    ],
)
def test_floating_tags_never_move_backwards(copy, image, versions, expected):
    for version in versions:
        copy.commit("Another commit, so another image")
        image("build", version)
        image("tag", version)
    ids = local(copy)
    floating = {tag for tag in ids if not tag.startswith("sha-") and tag not in versions}
    assert {
        tag: next(version for version in versions if ids[version] == ids[tag]) for tag in floating
    }.items() >= expected.items()
    assert floating - expected.keys() <= {"10.0", "9.9", "1.99"}


def test_push_brings_every_tag_with_one_digest_and_a_pull_brings_the_same_back(copy, image, registry):
    sha = short(copy)
    image("build", "1.4.2")
    image("tag", "1.4.2")
    told = image("push", "1.4.2", registry).stdout
    tags = remote(copy, registry)
    assert tags.keys() == {"1.4.2", "1.4", "1", "latest", sha}
    assert set(tags.values()) == {told.strip().rpartition("digest: ")[2]}

    before = local(copy)["1.4.2"]
    for tag in local(copy):
        docker("image", "rm", f"{copy.name}:{tag}")
    docker("image", "rm", f"{registry}/{copy.name}:1.4.2", check=False)
    docker("pull", f"{registry}/{copy.name}:latest")
    assert inspect(f"{registry}/{copy.name}:latest")["Id"] == before
    docker("image", "rm", f"{registry}/{copy.name}:latest")


def test_a_version_in_a_registry_is_immutable(copy, image, registry):
    image("build", "1.4.2")
    image("push", "1.4.2", registry)
    first = remote(copy, registry)
    image("push", "1.4.2", registry)  # the same image again
    assert remote(copy, registry) == first
    copy.commit("Another commit, so another image")
    image("build", "1.4.2")
    image("tag", "1.4.2")
    assert "1.4.2 is another image, and versions are immutable" in refusal(copy, "push", "1.4.2", registry)
    assert remote(copy, registry) == first


def test_floating_tags_do_not_move_backwards_in_a_registry_either(copy, image, registry):
    for version in ("1.4.0", "1.3.9"):  # built by two machines: the second has never seen 1.4.0
        copy.commit("Another commit, so another image")
        image("build", version)
        image("tag", version)
        image("push", version, registry)
        for tag in local(copy):
            docker("image", "rm", "--force", f"{copy.name}:{tag}")
    tags = remote(copy, registry)
    assert tags["latest"] == tags["1"] == tags["1.4"] == tags["1.4.0"]
    assert tags["1.3"] == tags["1.3.9"] != tags["1.4.0"]


@pytest.mark.parametrize("where", ["here", "registry"])
def test_promote_moves_the_very_image_and_says_how_to_move_it_back(copy, image, registry, where):
    place = [] if where == "here" else [registry]
    for version in ("1.0.0", "1.1.0"):
        copy.commit("Another commit, so another image")
        image("build", version)
        image("push", version, registry)

    def tags():
        return local(copy) if where == "here" else remote(copy, registry)

    assert " moved from nothing to 1.0.0 " in image("promote", "1.0.0", "prod", *place).stdout
    assert tags()["prod"] == tags()["1.0.0"]
    told = image("promote", "1.1.0", "prod", *place).stdout
    assert f" moved from 1.0.0 ({tags()['1.0.0']}) to 1.1.0 ({tags()['1.1.0']})" in told
    assert tags()["prod"] == tags()["1.1.0"]
    docker(*told.partition("to move it back: docker ")[2].split())
    assert tags()["prod"] == tags()["1.0.0"]


def test_an_image_survives_save_and_load(copy, image, tmp_path):
    image("build", "1.4.2")
    image("tag", "1.4.2")
    before = local(copy)
    docker("save", "--output", tmp_path / "image.tar", *(f"{copy.name}:{tag}" for tag in before))
    for tag in before:
        docker("image", "rm", f"{copy.name}:{tag}")
    assert local(copy) == {}
    docker("load", "--input", tmp_path / "image.tar")
    assert local(copy) == before


def test_a_dry_run_prints_commands_and_changes_nothing(copy, image, registry):
    image("build", "1.0.0")
    image("push", "1.0.0", registry)
    image("build", "1.4.2")
    before = local(copy), remote(copy, registry)
    for arguments in (
        ["build", "2.0.0"],
        ["build", "2.0.0", registry, "--platform", "linux/amd64,linux/arm64", "--platform-tags"],
        ["tag", "1.4.2"],
        ["promote", "1.4.2", "prod"],
        ["promote", "1.0.0", "prod", registry],
        ["push", "1.4.2", registry],
    ):
        told = image(*arguments, "--dry-run").stdout
        assert told
        assert all(line.startswith("docker ") for line in told.splitlines()), told
    assert (local(copy), remote(copy, registry)) == before


def test_platforms_go_into_one_name_or_where_asked_for_into_tags(copy, image, registry):
    two = ["--platform", "linux/amd64,linux/arm64", "--dry-run"]
    told = image("build", "1.4.2", registry, *two).stdout
    assert told.count("--tag") == 1
    assert "--sbom=true --provenance=mode=max" in told
    told = image("build", "1.4.2", registry, *two, "--platform-tags").stdout
    assert re.findall(r"--tag \S+:(\S+)", told) == ["1.4.2", "1.4.2-amd64", "1.4.2-arm64"]
    image("build", "1.4.2", "--platform", "linux/amd64", "--platform-tags")
    assert local(copy).keys() == {"1.4.2", "1.4.2-amd64"}


def test_list_shows_what_floats(copy, image, registry):
    image("build", "1.4.2")
    image("tag", "1.4.2")
    image("push", "1.4.2", registry)
    for place in ([], [registry]):
        head, *rows = (line.split() for line in image("list", *place).stdout.splitlines())
        assert head == ["TAG", "KIND", "CREATED", "IMAGE"]
        kinds = {row[0]: row[1] for row in rows}
        assert kinds["1.4.2"] == "version"
        assert [kind for tag, kind in kinds.items() if tag.startswith("sha-")] == ["commit"]
        assert kinds["latest"] == kinds["1"] == kinds["1.4"] == "floating"
        assert len({row[3] for row in rows}) == 1


def test_what_is_not_there_or_does_not_answer(copy, image, registry):
    nowhere = f"localhost:{free_port()}/team"
    assert "9.9.9 is not there: scripts/image build 9.9.9" in refusal(copy, "tag", "9.9.9")
    assert "9.9.9 is not there: scripts/image build 9.9.9" in refusal(copy, "promote", "9.9.9", "prod")
    assert "9.9.9 is not on this machine: scripts/image build 9.9.9" in refusal(copy, "push", "9.9.9", registry)
    image("build", "1.4.2")
    assert "does not answer: start it, or check its name" in refusal(copy, "push", "1.4.2", nowhere)
    assert "does not answer: start it, or check its name" in refusal(copy, "list", nowhere)


def test_a_registry_that_wants_a_login(copy, image, registry, tmp_path):
    # Its own refusal, given for every request: what a registry says to who is not logged in.
    config = {"version": 0.1, "storage": {"inmemory": {}}, "http": {"addr": ":5000"}}
    config["auth"] = {"htpasswd": {"realm": "team", "path": "/etc/distribution/htpasswd"}}
    (tmp_path / "config.yml").write_text(json.dumps(config))
    (tmp_path / "htpasswd").write_text("ann:$2y$05$OB/UYdxnQAP6TYAq.4UAEeqDLpeAnNcblbOCwQFlc.1gfDVu.D2W.\n")
    tmp_path.chmod(0o755)
    port = free_port()
    name = f"{copy.name}-locked"
    mount = f"{tmp_path}:/etc/distribution:ro"
    docker("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5000", "--volume", mount, "registry:3")
    wait_for(lambda: requests.get(f"http://127.0.0.1:{port}/v2/", timeout=LIMIT).status_code == 401, "the registry")
    image("build", "1.4.2")
    mend = f"docker login localhost:{port}, and run this again"
    for arguments in (["push", "1.4.2"], ["promote", "1.4.2", "prod"], ["list"]):
        assert mend in refusal(copy, *arguments, f"localhost:{port}/team")
