"""scripts/lib/images.py: which tags go with a version, and what may be a name."""

import pytest
from lib.images import VERSION, commit_tag, floating_tags, matches, web_address

NOT_SEMANTIC = ["", "v1.2.3", "v1.2", "1.2", "1", "01.2.3", "1.02.3", "1.2.03", "1.2.3.4", "latest", "1.2.3 "]
NOT_SEMANTIC += ["1.2.3-", "1.2.3-rc..1", "1.2.3-01", "1.2.3-ä", "1.2.3-rc_1", "1.2.3/4"]


@pytest.mark.parametrize("version", NOT_SEMANTIC)
def test_what_is_no_semantic_version(version):
    assert not matches(VERSION, version)


@pytest.mark.parametrize("version", ["0.0.0", "1.4.2", "10.20.30", "2.0.0-rc.1", "1.0.0--", "1.0.0-0a.x-y.0"])
def test_a_semantic_version(version):
    assert matches(VERSION, version)


ORDERS = [
    ([], "1.4.2", "1.4 1 latest"),
    (["1.9.0"], "1.10.0", "1.10 1 latest"),
    (["1.10.0"], "1.9.0", "1.9"),
    (["1.4.0"], "1.3.9", "1.3"),
    (["1.4.10"], "1.4.9", ""),
    (["1.4.9"], "1.4.10", "1.4 1 latest"),
    (["2.0.0", "1.4.1"], "1.4.2", "1.4 1"),
    (["10.0.0"], "9.0.0", "9.0 9"),
    (["11.4.0"], "1.4.0", "1.4 1"),
    (["20000000000000000000000.0.0"], "3.0.0", "3.0 3"),
    (["0.9.0"], "0.10.0", "0.10 latest"),
    (["0.10.0"], "0.9.0", "0.9"),
    (["1.0.0-rc.1"], "1.0.0", "1.0 1 latest"),
    (["2.0.0-rc.1", "latest", "prod", "3"], "1.4.2", "1.4 1 latest"),
    (["1.4.2"], "2.0.0-rc.1", ""),
    ([], "2.0.0-rc.1", ""),
]


@pytest.mark.parametrize(("present", "version", "floating"), ORDERS)
def test_floating_tags_never_move_backwards(present, version, floating):
    for tags in ([*present, version], [version, *present], present):
        lines = floating_tags(version, tags)
        assert [tag for tag, highest in lines.items() if highest == version] == floating.split()
        assert set(lines.values()) <= {version, *present}


def test_a_floating_tag_that_stays_comes_with_the_release_that_has_it():
    assert floating_tags("1.4.2", ["1.5.0", "2.0.0", "1.5.1"]) == {"1.4": "1.4.2", "1": "1.5.1", "latest": "2.0.0"}


@pytest.mark.parametrize(
    ("revision", "tag"),
    [
        ("4949b78c1f7bd6a58d8a7f8c2f1e3e5d0a9b8c7d", "sha-4949b78"),
        ("4949b78c1f7bd6a58d8a7f8c2f1e3e5d0a9b8c7d-dirty", "sha-4949b78-dirty"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_the_tag_of_a_commit(revision, tag):
    assert commit_tag(revision) == tag


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:me/app.git", "https://github.com/me/app"),
        ("git@github.com:2222/app.git", "https://github.com/2222/app"),
        ("ssh://git@github.com/me/app", "https://github.com/me/app"),
        ("ssh://git@git.example.org:2222/me/app.git", "https://git.example.org/me/app"),
        ("https://token@github.com/me/app", "https://github.com/me/app"),
        ("https://ann:p@ss@example.org/me/app.git", "https://example.org/me/app"),
        ("http://localhost:3001/me/app", "http://localhost:3001/me/app"),
        ("https://example.org/me/my app", ""),
        ("../app", ""),
        ("/srv/git/app.git", ""),
        ("", ""),
    ],
)
def test_the_web_address_of_a_remote(remote, address):
    assert web_address(remote) == address
