"""scripts/image: what it refuses before it asks an engine or a registry, and its help."""

import os
import re
import shutil
import subprocess

import pytest

from tests.support.repository import NAME, ROOT

VERBS = {
    "build": ["1.4.2"],
    "tag": ["1.4.2"],
    "promote": ["1.4.2", "prod"],
    "push": ["1.4.2", "ghcr.io/me"],
    "list": [],
}


def image(*arguments, **environment):
    # An engine that cannot be there: a check that came too late would say so.
    environment = os.environ | {"DOCKER_HOST": "unix:///nowhere.sock"} | environment
    return subprocess.run(
        [ROOT / "scripts/image", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def refusal(*arguments, **environment):
    done = image(*arguments, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


# tests/unit/test_images.py has all kinds of versions.
@pytest.mark.parametrize("verb", ["build", "tag", "promote", "push"])
def test_what_is_no_semantic_version(verb):
    assert refusal(verb, "v1.2.3").startswith("'v1.2.3' is no semantic version")


def test_a_version_must_be_given():
    assert refusal("tag").startswith("'' is no semantic version")
    assert refusal("promote").startswith("'' is no semantic version")


@pytest.mark.parametrize("verb", VERBS)
def test_no_engine(verb):
    assert refusal(verb, *VERBS[verb]).startswith("no Docker Engine answers: start Docker")
    assert refusal(verb, *VERBS[verb], "--dry-run").startswith("no Docker Engine answers: start Docker")


def test_a_tag_cannot_hold_build_metadata_or_more_than_128_characters():
    assert refusal("tag", "1.4.2+5") == "'1.4.2+5' has build metadata, which a tag cannot hold: take 1.4.2"
    assert refusal("tag", f"1.4.2-{'x' * 122}").startswith("no Docker Engine")
    assert refusal("tag", f"1.4.2-{'x' * 123}").endswith("has 129 characters, and a tag holds 128: shorten it")


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (["promote", "1.4.2"], "'' is no environment: give dev, staging or prod"),
        (["promote", "1.4.2", "qa"], "'qa' is no environment: give dev, staging or prod"),
        (["promote", "1.4.2", "prod|dev"], "'prod|dev' is no environment: give dev, staging or prod"),
        (["push", "1.4.2"], f"IMAGE {NAME!r} names no registry: scripts/image push 1.4.2 REGISTRY/NAMESPACE"),
        (["build", "1.4.2", "--platform"], "'' is no list of platforms: give one such as linux/amd64,linux/arm64"),
        (["build", "1.4.2", "--platform", "amd64"], "'amd64' is no list of platforms: "),
        (["tag", "1.4.2", "--allow-dirty"], "tag has no option --allow-dirty: scripts/image tag --help"),
        (["build", "1.4.2", "--force"], "build has no option --force: scripts/image build --help"),
        (["tag", "1.4.2", "ghcr.io/me", "more"], "tag does not take 'more': scripts/image tag --help"),
        (["list", "https://ghcr.io/me"], "'https://ghcr.io/me' is no REGISTRY/NAMESPACE: give one such as ghcr.io/me"),
        (["list", "ghcr.io/Me"], "'ghcr.io/Me' is no REGISTRY/NAMESPACE: "),
        (["list", "ghcr.io/me/"], "'ghcr.io/me/' is no REGISTRY/NAMESPACE: "),
    ],
)
def test_other_wrong_arguments(arguments, fix):
    assert refusal(*arguments).startswith(fix)


@pytest.mark.parametrize("name", ["App", "app:1", "a b", "-app", "app/", "a..b"])
def test_a_name_that_no_image_can_have(name):
    assert refusal("list", IMAGE=name).startswith(f"IMAGE is '{name}', which no image can be named: ")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself(verb):
    done = image(verb, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    usage, empty, about = done.stdout.splitlines()[:3]
    assert usage.startswith(f"scripts/image {verb} ")
    assert empty == ""
    assert re.match(r"[A-Z].*", about)


def test_the_script_explains_itself():
    told, asked, wrong = image("--help"), image("-h"), image("shove")
    assert told.returncode == asked.returncode == 0
    assert wrong.returncode == image().returncode == 2
    assert told.stdout == asked.stdout
    for verb in VERBS:
        assert f"scripts/image {verb} " in told.stdout
    assert "set -e" not in told.stdout


def test_it_runs_from_any_folder_and_through_a_link(tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "a b" / "scripts")
    (tmp_path / "link").symlink_to(tmp_path / "a b" / "scripts" / "image")
    environment = os.environ | {"CDPATH": f".:{tmp_path}", "DOCKER_HOST": "unix:///nowhere.sock"}
    for command in ("a b/scripts/image", "./link", tmp_path / "link"):
        done = subprocess.run(
            [command, "list"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "no Docker Engine answers: start Docker, and run this again\n"


@pytest.mark.parametrize("arguments", [["tag", "--dry-run", "1.4.2", "me"], ["tag", "1.4.2", "--dry-run", "me"]])
def test_options_may_stand_anywhere(arguments):
    assert refusal(*arguments).startswith("no Docker Engine answers: ")
