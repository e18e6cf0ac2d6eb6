"""Questions to a person at a terminal. Nothing here is ever asked where nobody can answer, and no progress bar paints over it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from typing import TextIO

import typer

from caspen_xero.cli.output import Output, one_line
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain


def somebody_is_there(output: Output) -> bool:
    """Whether questions can be asked: a keyboard, a screen, and no machine that reads JSON."""
    return not (output.json or output.quiet) and sys.stdin.isatty() and _screen() is not None


def pick(
    output: Output, title: str, options: Sequence[str], *, chosen: int | None = None, otherwise: str = "skip"
) -> int | None:
    """Lets a person pick one of `options` by its number; the Enter key (or Esc) keeps `chosen`, or means `otherwise` (None)."""
    options = [plain(option) for option in options]
    keep = options[chosen] if chosen is not None else otherwise
    with output.without_bar():
        _show("", title)
        for number, option in enumerate(options, start=1):
            mark = "*" if number - 1 == chosen else " "
            _show(f" {mark}{number:>3}  {option}")
        while True:
            answer = _answer(output, f"Number (Enter: {keep}):")
            if not answer.strip("\x1b"):
                return chosen
            if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(options):
                return int(answer) - 1
            _show(f"A number from 1 to {len(options)}, please.")


def ask(
    output: Output, question: str, check: Callable[[str], object] | None = None, *, before: Sequence[str] = ()
) -> str:
    """A line of text from a person, "" for the Enter key alone; asked again while `check` raises one of our errors.

    `before`: lines that are shown above the question.
    """
    while True:
        answer = _answer(output, f"{question}:", before)
        if not answer or check is None:
            return answer
        try:
            check(answer)
        except UserError as error:
            _show(error.message)
        else:
            return answer


def ask_secret(output: Output, question: str) -> str:
    """The same for what is not shown while it is typed."""
    with output.without_bar():
        try:
            return getpass(f"{one_line(question)}: ").strip()
        except (EOFError, KeyboardInterrupt):
            _show()
            raise typer.Abort from None


def confirm(output: Output, question: str, *, before: Sequence[str] = ()) -> bool:
    """A yes or no from a person; the Enter key means no. `before`: lines that are shown above the question."""
    while True:
        answer = _answer(output, f"{question} [y/N]", before).casefold()
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False
        question, before = "Yes or no?", ()


def _answer(output: Output, question: str, before: Sequence[str] = ()) -> str:
    """What a person types after a question. Raises `Abort` where they interrupt it (Ctrl-C), or end the input (Ctrl-D)."""
    with output.without_bar():
        _show(*before, question, end=" ")
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        if not line:
            _show()
            raise typer.Abort
        return line.strip()


def _screen() -> TextIO | None:
    """Where a person sees a question: stderr, as stdout may be on its way into a file or a program; else stdout."""
    return next((stream for stream in (sys.stderr, sys.stdout) if stream.isatty()), None)


def _show(*lines: str, end: str = "\n") -> None:
    screen = _screen() or sys.stderr
    screen.write("\n".join(map(one_line, lines)) + end)
    screen.flush()
