"""`caspen-xero help`: a topic, or the help of a command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "help", begins="not-needed", without=("workspace", "as_json"))(help_)


def help_(
    session: Session,
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
        session.output.text(f"{index_on_screen(TOPICS)}\n")
        return
    name = "-".join(wanted).lower().replace("_", "-")
    found = next((topic for topic in TOPICS if topic.name in (name, f"{name}s")), None)
    session.output.text(f"{topic_on_screen(found) if found else _help_of(wanted)}\n")


def _help_of(words: list[str]) -> str:
    from caspen_xero.cli.app import app  # not above: the command line imports this file

    one: Any = typer.main.get_command(app)
    at = one.make_context("caspen-xero", [], resilient_parsing=True)
    for word in words:
        inner = one.get_command(at, word) if hasattr(one, "get_command") else None
        if inner is None:
            from caspen_xero.cli.topics import TOPICS

            topics = ", ".join(topic.name for topic in TOPICS)
            raise UserError(
                "unknown-topic",
                f"There is no topic and no command {plain(' '.join(words))}. The topics are {topics}.",
                "caspen-xero help",
                ExitCode.USAGE,
            )
        one, at = inner, inner.make_context(word, [], parent=at, resilient_parsing=True)
    return str(one.get_help(at))
