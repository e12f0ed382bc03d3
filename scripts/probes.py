"""What this machine says when scripts/doctor asks it: all questions at once, each with a time limit.

Python's standard library alone, from Python 3.8 on: the doctor may be the first thing that a person runs.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from threading import Thread
from typing import Any, Callable
from urllib.error import HTTPError
from urllib.request import urlopen

LIMIT = 2  # seconds that one command or one request may take
TOO_LATE = f"no answer within {LIMIT} s"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Machine:
    """What the machine answered; what it did not answer in time is as here."""

    endpoint: str = ""  # where the client looks for the engine
    engine: dict[str, Any] = field(default_factory=dict)  # as the function engine gives it
    containers: list[dict[str, str]] | None = None
    volumes: list[dict[str, str]] | None = None
    networks: list[dict[str, str]] | None = None
    images: dict[str, bool] = field(default_factory=dict)  # whether the engine has those asked for
    ports: dict[int, bool] = field(default_factory=dict)  # whether something listens on those asked for
    registries: dict[str, float | None] = field(default_factory=dict)  # as registry_ahead gives it


def examine(ports: set[int], images: set[str]) -> Machine:
    """Ask for everything; takes LIMIT and half a second at most."""
    hosts = {registry_of(image) for image in images}
    every = {
        "endpoint": lambda: docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")[0].strip(),
        "engine": engine,
        # Without their sizes, for which the engine would read all their files.
        "containers": lambda: table("ps", "--all", "--no-trunc", "--size=false"),
        "volumes": lambda: table("volume", "ls"),
        "networks": lambda: table("network", "ls"),
        "images": lambda: at_once({image: partial(has, image) for image in images}, LIMIT + 0.2),
        "ports": lambda: {port: listens(port) for port in ports},
        "registries": lambda: at_once({host: partial(registry_ahead, host) for host in hosts}, LIMIT + 0.2),
    }
    return Machine(**at_once(every, LIMIT + 0.4))


def at_once(questions: dict[str, Callable[[], Any]], limit: float) -> dict[str, Any]:
    """Ask each question in a thread of its own. What has no answer after `limit` seconds is not in the result."""
    answers: dict[str, Any] = {}

    def ask(name: str) -> None:
        with contextlib.suppress(ValueError):  # docker printed something else than JSON
            answers[name] = questions[name]()

    # Daemons: one that a slow name server keeps waiting does not keep the script from ending.
    threads = [Thread(target=ask, args=(name,), daemon=True) for name in questions]
    end = time.monotonic() + limit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return answers.copy()


def docker(*arguments: str) -> tuple[str, str]:
    """What docker prints, and what it complains of."""
    pipe = subprocess.PIPE
    try:
        # A session of its own: what docker may have started (ssh, to an engine elsewhere) is ended with it.
        process = subprocess.Popen(
            ["docker", *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        return "", str(error)
    with process:
        try:
            output, complaint = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "", TOO_LATE
    return output.decode(errors="replace"), complaint.decode(errors="replace").strip()


def table(*arguments: str) -> list[dict[str, Any]] | None:
    """What docker lists: one JSON object a line. None where it did not answer in time."""
    output, complaint = docker(*arguments, "--format", "{{json .}}")
    return None if complaint == TOO_LATE else [json.loads(line) for line in output.splitlines()]


def has(image: str) -> bool:
    return docker("image", "inspect", "--format", "{{.Id}}", image)[0] != ""


def engine() -> dict[str, Any]:
    """What the engine and the client know of themselves. Besides that, `complaint`: what the client says where there is
    no engine; and `ahead`: the seconds that the engine's clock is ahead of this machine's, None where there is none.
    """
    output, complaint = docker("info", "--format", "{{json .}}")
    now = time.time()
    facts = json.loads(output or "{}")
    ahead = moment(facts["SystemTime"]) - now if facts.get("SystemTime") else None
    return {**facts, "complaint": complaint, "ahead": ahead}


def moment(timestamp: str) -> float:
    """Seconds since 1970 of an RFC 3339 timestamp, whose fraction may have nine digits."""
    whole, zone = timestamp[:19], timestamp[19:].lstrip(".0123456789")
    return datetime.strptime(whole + zone, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def listens(port: int) -> bool:
    """Whether something on this machine has the port."""
    # Asked in two ways: a Mac lets us bind 127.0.0.1 beside one who has all addresses; and not all accept connections.
    with socket.socket() as probe:
        probe.settimeout(LIMIT)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE  # a port below 1024 is only not ours to bind: Docker may
    return False


def registry_of(image: str) -> str:
    """The host that the engine pulls an image from: registry:5000/python names one, library/python does not."""
    host, slash, _ = image.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host) and host != "docker.io":
        return host
    return "registry-1.docker.io"


def registry_ahead(host: str) -> float | None:
    """Seconds by which the registry's clock is ahead of this machine's; None where no registry answers."""
    scheme = "http" if is_loopback(host) else "https"  # as docker does
    # Reached is enough: whom the engine trusts is its own affair, and Python's list of authorities may be another one.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        try:
            answer = urlopen(f"{scheme}://{host}/v2/", timeout=LIMIT, context=context)  # noqa: S310 - one of these two
        except HTTPError as error:
            answer = error
        with answer:
            if answer.code not in (200, 401):  # what a registry says to a stranger
                return None
            return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
    except (OSError, HTTPException, TypeError, ValueError):
        return None


def is_loopback(host: str) -> bool:
    """Whether host[:port] is this machine."""
    return host in LOOPBACK or host.rpartition(":")[0] in LOOPBACK
