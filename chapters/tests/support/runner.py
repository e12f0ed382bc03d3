"""Runs a page's console blocks, in order, and says where what is printed is not what the page says."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from chapters.tests.support.page import Block, Command, Page, compare, difference, pattern
from chapters.tests.support.terminal import Terminal

PATIENCE = 60  # seconds for which a command marked `wait` is tried again


@dataclass
class Result:
    """What a command did, and what of it is not as the page says: nothing, where all is well."""

    block: Block
    command: Command
    got: list[str]
    wrong: str | None

    def report(self, page: Page) -> str:
        """The place, the command, and the difference."""
        prompted = self.command.text.replace("\n", "\n> ")
        lines = difference(self.command.output, self.got)
        return "\n".join([f"{page.path}:{self.command.line}: {self.wrong}", f"$ {prompted}", *lines])


def run(page: Page, open_terminal: Callable[[], Terminal], before: Callable[[str], None]) -> Iterator[Result]:
    """Run a page, command by command, and write the files that it has the reader write.

    Args:
        page: the page
        open_terminal: gives a new shell in the top folder of the clone
        before: called with a heading before the first block below it
    """
    terminals: dict[int, Terminal] = {}
    heading = None
    try:
        for block in page.steps:
            if block.heading != heading:
                heading = block.heading
                before(heading)
            if block.not_run:
                continue
            if block.terminal not in terminals:
                terminals[block.terminal] = open_terminal()
            for command in block.commands:
                yield _run(terminals[block.terminal], block, command)
    finally:
        for terminal in terminals.values():
            terminal.close()


def _run(terminal: Terminal, block: Block, command: Command) -> Result:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            wrong = _try(terminal, block, command)
        except (TimeoutError, ValueError) as error:
            return Result(block, command, terminal.screen(), str(error))
        if not wrong or not block.wait or time.monotonic() > end:
            return Result(block, command, terminal.screen(), wrong)
        time.sleep(0.5)  # between two tries, not for a result


def _try(terminal: Terminal, block: Block, command: Command) -> str | None:
    last = command is block.commands[-1]
    statuses = {block.status or 0} if last else {0}
    if command.text == "^C":
        if terminal.busy is None:
            return "nothing runs in this terminal that ^C could end"
        terminal.catch_up()
        if terminal.ended():
            return f"it ended by itself, with status {terminal.finish()}"
        terminal.send("\x03")
        if block.status is None:
            statuses = {0, 130}  # what was interrupted, or ended in good order when it was
    elif terminal.busy is not None:
        return f"this terminal is still busy with: {terminal.busy}"
    else:
        terminal.start(command.text)
        if last and block.keeps_running:
            return _let_run(terminal, block, command)
        if last and block.prompt:
            return _converse(terminal, block, command)
    return _end(terminal, block, command, statuses)


def _end(terminal: Terminal, block: Block, command: Command, statuses: set[int]) -> str | None:
    status = terminal.finish()
    if status not in statuses:
        return f"exit status {status}, not {' or '.join(map(str, sorted(statuses)))}"
    return None if compare(command.output, terminal.screen(), block.any_order) else "the output differs"


def _let_run(terminal: Terminal, block: Block, command: Command) -> str | None:
    def settled() -> bool:
        return terminal.ended() or compare(command.output, terminal.screen(), block.any_order)

    terminal.wait_until(settled, "the output that the page shows")
    if terminal.ended():
        return f"it ended by itself, with status {terminal.finish()}"
    terminal.clear()
    return None


def _converse(terminal: Terminal, block: Block, command: Command) -> str | None:
    """Type, at the prompt of a program, the lines of the output that begin with that prompt."""

    prompt = re.compile(pattern(block.prompt))

    def prompted(seen: int) -> bool:
        """Whether it has answered what was typed, and waits for more."""
        return terminal.ended() or (len(terminal.written) > seen and bool(prompt.fullmatch(last_line(terminal))))

    typing = re.compile(f"{pattern(block.prompt)} (?P<typed>.+)")
    for line in filter(typing.fullmatch, command.output):
        seen = len(terminal.written)
        terminal.wait_until(partial(prompted, seen), f"the prompt {block.prompt}")
        if terminal.ended():
            break
        terminal.send(typing.fullmatch(line)["typed"] + "\n")
    return _end(terminal, block, command, {block.status or 0})


def last_line(terminal: Terminal) -> str:
    return (terminal.screen() or [""])[-1]
