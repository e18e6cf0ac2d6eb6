"""Command lines as the program itself reads them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import typer

from caspen_xero.cli.app import app


def why_not_taken(words: Sequence[str]) -> str:
    """Why the command line would not take these words, `caspen-xero` first; "" where it would. Nothing is carried out."""
    command, left = typer.main.get_command(app), list(words[1:])
    context = command.make_context(words[0], [], resilient_parsing=True)
    while hasattr(command, "get_command"):
        if not left:  # a group shows what is in it
            return ""
        inner = command.get_command(context, left[0])
        if inner is None:
            return f"there is no {shlex.join(words)}"
        command, left = inner, left[1:]
    try:
        command.make_context(words[0], left, parent=context)
    except Exception as error:
        if hasattr(error, "format_message"):
            return str(error.format_message())
        if type(error).__name__ == "Exit":  # that was --help
            return ""
        raise
    return ""
