"""A bash on a terminal, as a person has it: commands go in one by one, and what the screen shows comes out."""

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable

import pyte

MARK = "\x1e"  # a record separator, which no program prints: it encloses the prompts
PROMPT = re.compile(f"{MARK}(\\d+){MARK}$")
CONTINUATION = re.compile(f"{MARK}>{MARK}$")

COLUMNS = 120


def shown(written: str) -> list[str]:
    """The lines that a terminal shows after a program wrote this: colours dropped, cursor movements obeyed, as in the
    progress of a build, which is drawn over and over. A line that is longer than the terminal is wide stays whole.
    """
    lines = written.expandtabs().split("\n")
    # Large enough that nothing wraps or scrolls; a character may be two columns wide. The first row is that of the
    # command: a progress moves up to it, and down again.
    columns = max(COLUMNS, *(2 * len(line) for line in lines))
    screen = pyte.Screen(columns, len(lines) + 1)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed("\n" + written)
    rows = (screen.buffer[row] for row in range(1, screen.lines))
    text = ["".join(row[column].data for column in range(max(row, default=-1) + 1)).rstrip() for row in rows]
    while text and not text[-1]:
        text.pop()
    return text


class Terminal:
    """One shell.

    Attributes:
        limit: seconds that a command may take before its page has failed; a build downloads what it needs
        written: the raw output of the command that runs, or ran last
        busy: the command that keeps the shell
    """

    limit = 300.0

    def __init__(self, *command: str) -> None:
        """Start the command given, with a bash behind it: bash itself, or docker exec … bash."""
        self.clear()
        self.busy: str | None = None
        ours, theirs = pty.openpty()
        self._file = ours
        bash = [*command, "--noprofile", "--norc", "--noediting", "-i"]
        self._process = subprocess.Popen(bash, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        # A screen of a fixed width, so that a page is the same everywhere, and so high that nothing scrolls or is paged.
        # The prompt is written in two parts: the echo of this line must not look like one.
        self.send(f"stty -echo columns {COLUMNS} rows 500; PS1='{MARK}$?''{MARK}' PS2='{MARK}>''{MARK}'\n")
        self.wait_until(lambda: PROMPT.search(self.written), "bash's first prompt")

    def send(self, text: str) -> None:
        os.write(self._file, text.encode())

    def wait_until(self, condition: Callable[[], object], what: str, limit: float | None = None) -> None:
        """Read until the condition is true of what has been written.

        Raises:
            TimeoutError: not in time, or the shell has ended
        """
        limit = self.limit if limit is None else limit
        end = time.monotonic() + limit
        while not condition():
            ready = select.select([self._file], [], [], max(end - time.monotonic(), 0))[0]
            if not ready:
                raise TimeoutError(f"waited {limit:.0f} s for {what}")
            try:
                chunk = os.read(self._file, 65536)
            except OSError:  # what Linux says of a terminal whose last program has ended
                chunk = b""
            if not chunk:
                raise TimeoutError(f"the shell ended, while waiting for {what}")
            self._bytes += chunk
            self.written = self._bytes.decode(errors="replace")

    def start(self, command: str) -> None:
        """Type a command, line by line, and leave it running.

        Raises:
            ValueError: it is complete before its last line
        """
        self.clear()
        self.busy = command
        first, *rest = command.split("\n")
        self.send(first + "\n")
        for line in rest:
            self.wait_until(lambda: CONTINUATION.search(self.written) or self.ended(), f"the line before: {line}")
            if self.ended():
                self.busy = None
                raise ValueError(f"bash did not wait for the line that continues it: {line}")
            self.clear()
            self.send(line + "\n")

    def clear(self) -> None:
        """Forget what has been written."""
        self._bytes, self.written = b"", ""

    def catch_up(self) -> None:
        """Read what has been written, without waiting for more."""
        with contextlib.suppress(TimeoutError):
            self.wait_until(lambda: False, "more", limit=0)

    def ended(self) -> bool:
        """Whether the prompt is there again."""
        return bool(PROMPT.search(self.written))

    def finish(self) -> int:
        """Wait for the end of the command, and return its exit status.

        Raises:
            ValueError: bash waits for a line more
        """
        self.wait_until(lambda: self.ended() or CONTINUATION.search(self.written), f"the end of: {self.busy}")
        incomplete = not self.ended()
        if incomplete:
            self.send("\x03")
            self.wait_until(self.ended, "bash to give up a line")
        self.busy = None
        if incomplete:
            raise ValueError("bash waits for another line: a quote or a bracket is open")
        return int(PROMPT.search(self.written)[1])

    def screen(self) -> list[str]:
        """What the screen shows of the command's output."""
        return shown(PROMPT.sub("", self.written).replace("\r\n", "\n"))

    def close(self) -> None:
        """Leave the shell, and hang up."""
        with contextlib.suppress(OSError, TimeoutError):
            if self.busy is not None:
                self.clear()
                self.send("\x03")
                self.wait_until(self.ended, "the end", limit=10)
            self.send("exit\n")
            self.wait_until(lambda: False, "the end", limit=10)
        with contextlib.suppress(OSError):
            os.close(self._file)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
