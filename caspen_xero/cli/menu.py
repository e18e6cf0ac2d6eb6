"""Questions to a person at a terminal. Nothing here is ever asked where nobody can answer, and no progress bar paints over it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from typing import TextIO

import typer

from caspen_xero.cli.output import Output, one_line
from caspen_xero.cli.streams import width_of
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain


def somebody_is_there(output: Output) -> bool:
    """Whether questions can be asked: a keyboard, a screen, and no machine that reads JSON."""
    return not (output.json or output.quiet) and sys.stdin.isatty() and _screen() is not None


def has_browser() -> bool:
    """Whether a browser with a window can open here: there is one, and on Linux a display for it (or `BROWSER` names it)."""
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    is_of_the_terminal = type(found) is webbrowser.GenericBrowser  # such as lynx, which would take the screen
    return has_display or not sys.platform.startswith("linux") or not is_of_the_terminal


def on_a_terminal() -> bool:
    """Whether a person sees what is said as it is said: neither result nor talk goes into a pipe or a file."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def pick(
    output: Output,
    title: str,
    options: Sequence[str],
    *,
    chosen: int | None = None,
    otherwise: str = "skip",
    named: Callable[[str], int] | None = None,
) -> int | None:
    """Lets a person pick one of `options` by its number; the Enter key (or Esc) keeps `chosen`, or means `otherwise` (None).

    `named`: finds one by what else it is called, such as an account's code; it raises one of our errors where nothing is.
    """
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
            is_number = answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(options)
            by_number = int(answer) - 1 if is_number else None
            by_name, why = _named(named, answer)
            if by_number is not None and by_name not in (None, by_number):
                _show(f"{answer} is number {answer} here, and the code of {options[by_name or 0]}: type the name.")
            elif (found := by_number if by_number is not None else by_name) is not None:
                return found
            else:
                _show(why or f"A number from 1 to {len(options)}, please.")


def _named(named: Callable[[str], int] | None, answer: str) -> tuple[int | None, str]:
    """What an answer names, or why it names nothing, where names are taken."""
    if named is None:
        return None, ""
    try:
        return named(answer), ""
    except UserError as error:
        return None, error.message


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
    from caspen_xero.cli.tables import folded

    screen = _screen() or sys.stderr
    width, spare = width_of(screen), len(end.rstrip("\n"))
    shown = [folded(one_line(line), width - (spare if line is lines[-1] else 0)) for line in lines]
    screen.write("\n".join(part for parts in shown for part in parts) + end)
    screen.flush()
