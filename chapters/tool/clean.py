"""Remove what the chapters made in Docker."""

from __future__ import annotations

import argparse
import shutil
import subprocess

from chapters.tool.user import CourseError, confirm

NAME = "flask-mongo-app"  # the image and the Compose project
NETWORK = f"{NAME}-net"
VOLUMES = (f"{NAME}-data", f"{NAME}-config", f"{NAME}-guestbook")
# The containers that the pages start by hand with --name. Compose names its own flask-mongo-app-app-1 and so on.
CONTAINERS = ("app", "mongodb", "c1", "c2", "web", "hello", "registry", "guestbook")


def clean(arguments: argparse.Namespace) -> None:
    """Remove what the chapters made in Docker: containers, networks, volumes and images, found only by their names."""
    things = {kind: made(kind) for kind in ("container", "network", "volume", "image")}
    if not any(things.values()):
        print("Docker has nothing of the course.")
        return
    for kind, names in things.items():
        for name in names:
            print(f"{kind} {name}")
    if not arguments.yes:
        confirm("Remove these, and the data in these volumes?")
    for kind, names in things.items():
        options = {"container": ["--force", "--volumes"], "image": ["--force"]}.get(kind, [])
        if names:
            docker(kind, "rm", *options, *names)
    print("All removed.")


def made(kind: str) -> list[str]:
    """The names of the objects that the chapters made: those with the names above, and those that Compose labelled."""
    if kind == "image":  # including tags for a registry: localhost:5000/flask-mongo-app
        form = '{{.Repository}} {{if eq .Tag "<none>"}}@{{.Digest}}{{else}}:{{.Tag}}{{end}}'
        pairs = [line.split(" ") for line in docker("image", "ls", "--all", "--digests", "--format", form)]
        return sorted({name + tag for name, tag in pairs if name.split("/")[-1] == NAME})
    every = ["--all"] if kind == "container" else []
    key = "{{.Names}}" if kind == "container" else "{{.Name}}"
    names = {"container": CONTAINERS, "network": (NETWORK,), "volume": VOLUMES}[kind]
    listed = docker(kind, "ls", *every, "--format", key + ' {{.Label "com.docker.compose.project"}}')
    pairs = [line.split(" ") for line in listed]
    return [name for name, project in pairs if name in names or project == NAME]


def docker(*arguments: str) -> list[str]:
    """The lines that docker prints. Raises CourseError if docker is missing or fails."""
    if shutil.which("docker") is None:
        raise CourseError("Docker is not installed: get it from https://docs.docker.com/get-started/get-docker/")
    result = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CourseError(f"docker: {(result.stderr.strip().splitlines() or [f'exit status {result.returncode}'])[-1]}")
    return result.stdout.splitlines()
