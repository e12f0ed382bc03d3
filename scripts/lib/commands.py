"""Run other programs."""

from __future__ import annotations

import subprocess


class CommandError(Exception):
    """A command failed. The message is one line for the user: what is wrong, then what to do."""


def run(*command: str, stdin: str = "", stdout: int | None = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run a command and capture its output. A command that is not installed fails like any other."""
    try:
        return subprocess.run(
            command, input=stdin, stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", check=False
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def need(*command: str, advice: str, stdout: int | None = subprocess.PIPE) -> str:
    """Run a command that must succeed, and return its output. The advice tells the user what to do if it fails."""
    result = run(*command, stdout=stdout)
    if result.returncode != 0:
        cause = result.stderr.strip().rpartition("\n")[2]
        raise CommandError(f"{' '.join(command[:3])} failed ({cause}): {advice}")
    return result.stdout
