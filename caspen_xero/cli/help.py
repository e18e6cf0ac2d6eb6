"""`caspen-xero help`: a topic, or the help of a command."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from caspen_xero.cli.output import Output
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("help")(help_)


def help_(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC|COMMAND", help="A topic, or a command. Without one the topics are listed."),
    ] = None,
) -> None:
    """Explain a topic, such as exit codes, the environment or privacy; or a command.

    \b
    caspen-xero help
    caspen-xero help exit-codes
    caspen-xero help invoices link
    """
    from caspen_xero.cli.help_screen import index_on_screen, topic_on_screen
    from caspen_xero.cli.topics import TOPICS

    wanted = list(words or [])
    if not wanted:
        typer.echo(index_on_screen(TOPICS))
        return
    name = "-".join(wanted).lower().replace("_", "-")
    found = next((topic for topic in TOPICS if topic.name in (name, f"{name}s")), None)
    typer.echo(topic_on_screen(found) if found else _help_of(context, wanted))


def _help_of(context: typer.Context, words: list[str]) -> str:
    at: Any = context.find_root()
    command = at.command
    for word in words:
        inner = command.get_command(at, word) if hasattr(command, "get_command") else None
        if inner is None:
            from caspen_xero.cli.topics import TOPICS

            topics = ", ".join(topic.name for topic in TOPICS)
            error = UserError(
                "unknown-topic",
                f"There is no topic and no command {plain(' '.join(words))}. The topics are {topics}.",
                "caspen-xero help",
                ExitCode.USAGE,
            )
            Output().error(error)
            sys.exit(error.exit_code)
        command, at = inner, inner.make_context(word, [], parent=at, resilient_parsing=True)
    return str(command.get_help(at))
