"""Names, versions and tags of images. Pure functions: nothing here asks Docker."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Names as Docker takes them: https://pkg.go.dev/github.com/distribution/reference
HOST = "[a-zA-Z0-9.-]+(:[0-9]+)?"
SEGMENT = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
IMAGE = rf"({HOST}/)?{SEGMENT}(/{SEGMENT})*"
PLACE = rf"{HOST}(/{SEGMENT})*"  # of a registry and a namespace in it
PLATFORM = "[a-z0-9]+(/[a-z0-9]+){1,2}"
PLATFORMS = f"{PLATFORM}(,{PLATFORM})*"

# Semantic versions (https://semver.org), without build metadata: a tag cannot hold its "+".
NUMBER = "(0|[1-9][0-9]*)"
IDENTIFIER = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
RELEASE = rf"{NUMBER}\.{NUMBER}\.{NUMBER}"
VERSION = rf"{RELEASE}(-{IDENTIFIER}(\.{IDENTIFIER})*)?"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text has this form."""
    return re.fullmatch(pattern, text) is not None


def release(tag: str) -> tuple[int, ...]:
    """The three numbers of a release, which compare as releases do; empty for any other tag, a pre-release included."""
    numbers = re.fullmatch(RELEASE, tag)
    return tuple(map(int, numbers.groups())) if numbers else ()


def floating_tags(version: str, present: Iterable[str]) -> dict[str, str]:
    """The floating tags of a version's lines, each with the highest release of its line: this version, or one present.

    Where 1.5.0 is present, 1.4.2 gives {"1.4": "1.4.2", "1": "1.5.0", "latest": "1.5.0"}. A pre-release has no floating
    tags, and 0.4.2 no "0": before 1.0.0, any minor version may break the one before.
    """
    if not release(version):
        return {}
    major, minor, _ = release(version)
    lines = {f"{major}.{minor}": (major, minor), str(major): (major,), "latest": ()}
    if major == 0:
        del lines["0"]
    releases = sorted(filter(release, [*present, version]), key=release)
    return {tag: [each for each in releases if release(each)[: len(line)] == line][-1] for tag, line in lines.items()}


def commit_tag(revision: str) -> str:
    """The tag for the commit that an image was built from, such as sha-4949b78; empty if that is unknown."""
    commit = re.fullmatch("([0-9a-f]{7})[0-9a-f]+(-dirty)?", revision)
    return f"sha-{commit[1]}{commit[2] or ''}" if commit else ""


def web_address(remote: str) -> str:
    """The web address of a git remote, without a login; empty if it has none."""
    address = re.sub("^ssh://git@([^:/]+)(:[0-9]+)?/", r"https://\1/", remote)
    address = re.sub("^git@([^:/]+):", r"https://\1/", address)
    address = re.sub("//[^/]*@", "//", address)
    return re.sub(r"\.git$", "", address) if re.fullmatch(r"https?://\S+", address) else ""
