"""A learner's machine: a container with a Docker Engine of its own, a clone of this repository, and nothing else."""

import subprocess
import tempfile
from pathlib import Path

from chapters.tests.support.course import real_course
from chapters.tests.support.terminal import Terminal
from tests.support.docker import docker
from tests.support.repository import NAME, ROOT
from tests.support.waiting import wait_for

# What the pages pull. Where no registry can be reached, the machine's own mirror answers with what the outer engine has.
BASE_IMAGES = ("python:3.13-slim-trixie", "mongo:8.0", "registry:3", "nginx:1.30", "hello-world:latest")
MIRROR = "127.0.0.1:6000/library"
CLONE = f"/home/learner/{NAME}"
ORIGIN = f"/srv/{NAME}"
# What a learner's clone keeps: things that the scripts make, for the next time.
KEPT = (".venv/", "__pycache__/", ".pytest_cache/")


class Machine:
    """The container of this name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self) -> None:
        """Start the machine; making it, where it is not there yet, takes half a minute."""
        there = docker("container", "inspect", self.name, check=False).returncode == 0
        if there:
            docker("start", self.name)
        else:
            self._make()
        wait_for(lambda: self.try_root("docker version && curl --silent 127.0.0.1:6000").returncode == 0, "the engine")
        if not there:
            self._fill_mirror()

    def _make(self) -> None:
        folder = Path(__file__).parent / "machine-image"
        docker("build", "--quiet", "--tag", self.name, "--build-context", f"ci={ROOT / '.ci'}", folder)
        docker("run", "--detach", "--init", "--privileged", "--name", self.name, "--hostname", "learner", self.name)

    def _fill_mirror(self) -> None:
        # All at once: images share layers.
        with subprocess.Popen(["docker", "save", *BASE_IMAGES], stdout=subprocess.PIPE) as save:
            docker("exec", "--interactive", self.name, "docker", "load", "--quiet", stdin=save.stdout)
        for image in BASE_IMAGES:
            self.root(f"docker tag {image} {MIRROR}/{image} && docker push --quiet {MIRROR}/{image}")
        self.empty()

    def remove(self) -> None:
        """Remove the machine, with all that its engine has."""
        docker("rm", "--force", "--volumes", self.name, check=False)
        docker("image", "rm", "--force", self.name, check=False)

    def try_root(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script on the machine, as root."""
        return docker("exec", self.name, "bash", "-euo", "pipefail", "-c", script, check=False)

    def root(self, script: str) -> str:
        """Run a script on the machine, as root, which must succeed; returns what it printed."""
        done = self.try_root(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def learner(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as the learner, in the clone."""
        return docker(*self._exec(), self.name, "bash", "-c", script, check=False)

    def _exec(self) -> tuple[str, ...]:
        # Compose's menu moves the cursor to absolute places of the screen, and is not what a page is about.
        variables = ("USER=learner", "HOME=/home/learner", "TERM=xterm-256color", "LANG=C.UTF-8", "COMPOSE_MENU=false")
        return ("exec", "--user", "learner", "--workdir", CLONE, *(f"--env={variable}" for variable in variables))

    def terminal(self) -> Terminal:
        """A new window with a shell, in the clone."""
        return Terminal("docker", *self._exec(), "--interactive", "--tty", self.name, "bash")

    def empty(self) -> None:
        """Take everything out of the engine, the builder's cache too, and end what the learner runs."""
        self.root(
            "pkill --signal KILL --uid learner || true;"
            "docker swarm leave --force 2>&1 || true;"
            "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes;"
            "docker volume ls --quiet | xargs --no-run-if-empty docker volume rm;"
            "docker system prune --all --force"
        )

    def clone(self) -> None:
        """Give the learner a new clone of this repository as it is here, changes that are not committed included."""
        with tempfile.TemporaryDirectory() as temporary:
            course = real_course(Path(temporary) / NAME)
            self.root(f"rm -rf {ORIGIN} /home/learner/*")  # what a page made beside its clone, too
            docker("cp", "--quiet", course.folder, f"{self.name}:{ORIGIN}")
        self.root(f"chown -R learner: {ORIGIN} && sudo -u learner git clone --quiet {ORIGIN} {CLONE}")

    def go(self, chapter: str) -> subprocess.CompletedProcess[str]:
        """Move the clone to a chapter, as the learner does."""
        return self.learner(f"scripts/chapter go {chapter}")

    def check(self, chapter: str) -> subprocess.CompletedProcess[str]:
        """Have the learner's work at a chapter checked."""
        return self.learner(f"scripts/chapter check {chapter}")

    def traces(self) -> set[str]:
        """What is there that was not there in the beginning. Base images are kept, as on any machine."""
        listed = self.root(
            "docker ps --all --format 'container {{.Names}}';"
            "docker volume ls --format 'volume {{.Name}}';"
            "docker network ls --filter type=custom --format 'network {{.Name}}';"
            "docker image ls --all --format 'image {{.Repository}}:{{.Tag}}';"
            "pgrep --uid learner --list-full | sed 's/^[0-9]*/process/' || true;"
            f"sudo -u learner git -C {CLONE} status --short --ignored | sed 's/^/file /'"
        ).splitlines()
        base = {f"image {image}" for image in BASE_IMAGES}
        return {line for line in listed if line not in base and not line.endswith(KEPT)}
