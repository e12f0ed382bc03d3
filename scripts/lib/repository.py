"""Ask Docker and registries about the images of one name. Nothing here changes an image or a tag."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

from lib.commands import need, run
from lib.registry import list_tags


@dataclass(frozen=True)
class Image:
    """An image and its labels. In a registry, the id is the digest."""

    id: str
    labels: dict[str, str]

    def label(self, name: str, default: str = "") -> str:
        """A label by its short name: https://specs.opencontainers.org/image-spec/annotations/"""
        return self.labels.get(f"org.opencontainers.image.{name}", default)


class Repository:
    """The images of one name: on this machine or, with a place such as ghcr.io/me, in a registry."""

    def __init__(self, name: str, place: str = "") -> None:
        if place and not re.match(r"(localhost|[^/]*[.:][^/]*)(/|$)", place):
            place = f"docker.io/{place}"  # as Docker does: without a host, it is a namespace of Docker Hub
        self.place = place
        self.name = f"{place}/{name}" if place else name
        self.host, _, self.path = self.name.partition("/")

    @cached_property
    def tags(self) -> list[str]:
        """All tags of this name."""
        if self.place:
            return list_tags(self.host, self.path)
        listed = self.docker("image", "ls", "--format", "{{.Tag}}", self.name.removeprefix("docker.io/"))
        return [tag for tag in listed.split() if tag != "<none>"]

    def image(self, tag: str) -> Image:
        """The image that a tag names. A manifest list has several images, whose labels are merged."""
        if not self.place:
            found = json.loads(self.docker("image", "inspect", f"{self.name}:{tag}"))[0]
            return Image(found["Id"], found["Config"].get("Labels") or {})
        template = "{{println .Manifest.Digest}}{{json .Image}}"
        answer = self.docker("buildx", "imagetools", "inspect", "--format", template, f"{self.name}:{tag}")
        digest, _, text = answer.partition("\n")
        found = json.loads(text) or {}
        labels: dict[str, str] = {}
        for image in [found] if "config" in found else found.values():
            labels.update(image.get("config", {}).get("Labels") or {})
        return Image(digest, labels)

    def by_id(self, image: Image) -> str:
        """A name for an image that needs no tag."""
        return f"{self.name}@{image.id}" if self.place else image.id

    def tagging(self, image: str, tags: list[str]) -> list[list[str]]:
        """The commands that make these tags names of an image."""
        if not self.place:
            return [["docker", "tag", image, f"{self.name}:{tag}"] for tag in tags]
        names = [f"--tag={self.name}:{tag}" for tag in tags]
        # prefer-index=false keeps the manifest as it is. A new list around it would have another digest.
        return [["docker", "buildx", "imagetools", "create", "--prefer-index=false", *names, image]] if tags else []

    def is_local_image(self, version: str, id: str) -> bool:
        """Whether a version in this registry is the image with this id on this machine.

        An engine with the containerd image store identifies an image by that digest. Other engines use the digest of its
        configuration, which the manifest contains.
        """
        digest = self.image(version).id
        pulled = run("docker", "image", "inspect", "--format", "{{.RepoDigests}}", id).stdout
        if digest == id or f"@{digest}" in pulled:
            return True
        manifest = json.loads(self.docker("buildx", "imagetools", "inspect", "--raw", f"{self.name}:{version}"))
        return bool(manifest.get("config", {}).get("digest") == id)

    @property
    def advice(self) -> str:
        """What the user can do if a command fails."""
        login = f"docker login {self.host} as a user who may read and push there, and "
        return f"{login if self.place else ''}run this again"

    def docker(self, *arguments: str) -> str:
        """The output of a docker command that must succeed."""
        return need("docker", *arguments, advice=self.advice)
