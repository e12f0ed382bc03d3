"""The scripts of this repository, run as a person runs them."""

import os
import subprocess

from tests.support.repository import ROOT


def run_tests(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/test, without REQUIRE_ALL."""
    command = [ROOT / "scripts/test", "-q", "-p", "no:cacheprovider", *arguments]
    here = {name: value for name, value in os.environ.items() if name != "REQUIRE_ALL"}
    return subprocess.run(command, env=here | variables, capture_output=True, text=True, check=False)


def unread(*command: object, **options: object) -> str:
    """What a command complains of when nobody reads what it prints: as with `| head`, but without a race."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, **options)
    return done.stderr
