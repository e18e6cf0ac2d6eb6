"""Questions to a person at a terminal. Nothing here is ever asked where nobody can answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import typer

from caspen_xero.cli.output import Output, printable


def somebody_is_there(output: Output) -> bool:
    """Whether questions can be asked: a terminal on both sides, and no machine that reads JSON."""
    return not (output.json or output.quiet) and sys.stdin.isatty() and sys.stdout.isatty()


def pick(title: str, options: Sequence[str], *, chosen: int | None = None, otherwise: str = "skip") -> int | None:
    """Lets a person pick one of `options` by its number; the Enter key keeps `chosen`, or means `otherwise` (None)."""
    typer.echo("\n" + printable(title))
    for number, option in enumerate(options, start=1):
        mark = "*" if number - 1 == chosen else " "
        typer.echo(printable(f" {mark}{number:>3}  {option}"))
    keep = options[chosen] if chosen is not None else otherwise
    while True:
        answer = ask(f"Number (Enter: {keep})")
        if not answer:
            return chosen
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(options):
            return int(answer) - 1
        typer.echo(f"A number from 1 to {len(options)}, please.")


def ask(question: str, check: Callable[[str], object] | None = None) -> str:
    """A line of text from a person, "" for the Enter key alone; asked again while `check` raises one of our errors."""
    while True:
        answer = str(typer.prompt(printable(question), default="", show_default=False)).strip()
        if not answer or check is None:
            return answer
        try:
            check(answer)
        except Exception as error:
            if not hasattr(error, "message"):
                raise
            typer.echo(printable(error.message))
        else:
            return answer


def confirm(question: str) -> bool:
    """A yes or no from a person; the Enter key means no."""
    return typer.confirm(printable(question), default=False)
