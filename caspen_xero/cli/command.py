"""How every command is made: the options they share, and one place where errors become words and exit codes.

Exit codes: 0 all well, 1 failed, 2 usage, 3 partly, 4 connect needed, 5 nothing could be sent, 6 try again later,
7 another run is active, 130 interrupted.
"""

from __future__ import annotations

import functools
import inspect
import os
import sqlite3
import sys
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session

Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        envvar="CASPEN_XERO_WORKSPACE",
        metavar="NAME",
        help="Which clinic's books (one per Xero organisation).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only; for cron.")]


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Registers a function `(session, ...) -> exit code or None` as a command with `--workspace`, `--json` and `--quiet`.

    Errors that carry `code`, `message`, `fix` and `exit_code` end the command in those words; the rest is a defect.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        @functools.wraps(function)
        def run(*, workspace: str | None = None, as_json: bool = False, quiet: bool = False, **arguments: Any) -> None:
            named = workspace if workspace != os.environ.get("CASPEN_XERO_WORKSPACE") else None
            output = Output(json=as_json, quiet=quiet, workspace=named)
            raise typer.Exit(_carry_out(function, workspace, output, arguments))

        hints = get_type_hints(function, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in inspect.signature(function).parameters.values()
            if parameter.name != "session"
        ]
        shared = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for option, annotation, default in (
                ("workspace", Workspace, None),
                ("as_json", AsJson, False),
                ("quiet", Quiet, False),
            )
        ]
        run.__signature__ = inspect.Signature(own + shared)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in own + shared}
        del run.__wrapped__
        app.command(name, **settings)(run)
        return function

    return register


def _carry_out(
    function: Callable[..., int | None], workspace: str | None, output: Output, arguments: dict[str, Any]
) -> int:
    session = Session(output, workspace)
    try:
        return function(session, **arguments) or 0
    except typer.Exit as exit_:
        return exit_.exit_code
    except (KeyboardInterrupt, typer.Abort):
        output.error("interrupted", "Interrupted. Nothing is lost: run the same command again to go on.", "", 130)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has gone; say no more
        return 1
    except Exception as error:
        told = _in_words(error)
        if told is None:
            raise
        output.error(*told)
        return told[3]
    finally:
        session.close()


def _in_words(error: Exception) -> tuple[str, str, str, int] | None:
    """Code, message, fix and exit code of an error meant for people; None where the error is a defect of ours."""
    if all(hasattr(error, name) for name in ("code", "message", "fix", "exit_code")):
        return (error.code, error.message, error.fix, error.exit_code)  # type: ignore[attr-defined]
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return ("store-locked", "The local store is in use by another program.", "Close it, then run this again.", 7)
    if isinstance(error, sqlite3.DatabaseError):
        return ("store-unusable", f"The local store can't be used: {error}.", "Check disk space and permissions.", 1)
    if isinstance(error, OSError):
        return ("system-error", f"{error.strerror or error}: {error.filename or 'the system refused'}.", "", 1)
    return None
