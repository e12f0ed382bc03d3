"""What the tool reports to its user, and what it asks."""

import sys


class CourseError(Exception):
    """A problem for the user. The message is one line: what is wrong, then how to fix it."""


def confirm(question: str) -> None:
    """Ask, and go on only after a yes. Raises CourseError otherwise."""
    print(f"{question} [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CourseError("Nothing was changed.")
