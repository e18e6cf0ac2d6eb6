"""How every command is made: the options they share, and one place where errors become words and exit codes."""

from __future__ import annotations

import functools
import inspect
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Annotated, Any, get_type_hints

import typer

from caspen_xero.cli.defects import keep_defect, told_defect
from caspen_xero.cli.news import tell_news
from caspen_xero.cli.output import NotTaken, Output, tell, write_no_more
from caspen_xero.cli.runs import all_end
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.paths import is_text

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
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only; of push, pull and sync what is new.")]


def command(
    app: typer.Typer, name: str, *, options: Sequence[inspect.Parameter] = (), **settings: Any
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Registers a function `(session, ...) -> exit code or None` as a command with `--workspace`, `--json` and `--quiet`.

    `options`: those made from declarations, which the function takes as its `**` argument.
    Whatever goes wrong ends the command in words: a `UserError`, trouble with the system or the store's file, and a fault of ours.
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
            if parameter.name != "session" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        own += options
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
    session = Session(output, workspace, function.__name__.strip("_"))
    try:
        code = _run(session, function, arguments)
    except BaseException:
        with suppress(Exception):
            session.close()
        raise
    try:
        with _whatever_happens(session, code):
            all_end(session, code)
        session.close()
    except Exception as error:  # noqa: BLE001 - the last net: its result was given already
        if folder := session.known_folder():
            keep_defect(folder, error, "the end of a command")
        output.warn(told_defect(error).message)
        return code or ExitCode.FAILED
    return code


@contextmanager
def _whatever_happens(session: Session, code: int) -> Iterator[None]:
    """What a run has kept to its end is said after this, also where this goes wrong."""
    try:
        yield
    finally:
        tell_news(session, code)


def _run(session: Session, function: Callable[..., int | None], arguments: dict[str, Any]) -> int:
    try:
        _refuse_what_is_no_text(arguments)
        return function(session, **arguments) or ExitCode.ALL_WELL
    except typer.Exit as exit_:
        return exit_.exit_code
    except (KeyboardInterrupt, typer.Abort):
        words = "Interrupted. Nothing is lost: run the same command again to go on."
        return _end(session, UserError("interrupted", words, exit_code=ExitCode.INTERRUPTED))
    except NotTaken as error:
        session.ended_by = error
        return _end_unread(session.output, error)
    except Exception as error:  # noqa: BLE001 - the last net
        return _end(session, _in_words(session, error))


def _end(session: Session, error: UserError) -> int:
    session.ended_by = error
    try:
        session.output.error(error, session.so_far())
    except NotTaken as unread:
        if not unread.reader_left:
            replace(session.output, json=False).error(error)
        return _end_unread(session.output, unread) if error.exit_code == ExitCode.FAILED else error.exit_code
    except Exception as worse:  # noqa: BLE001 - what was to be told can't be put into words: then the error alone
        if folder := session.known_folder():
            keep_defect(folder, worse, "the end of a command")
        tell_plainly(session.output, error)
    return error.exit_code


def tell_plainly(output: Output, error: UserError) -> None:
    """The same with as little as can go wrong."""
    try:
        output.error(error)
    except NotTaken:
        write_no_more(sys.stdout)
    except Exception:  # noqa: BLE001 - not even that
        tell(f"Error: {error.code}\n")


def _end_unread(output: Output, error: NotTaken) -> int:
    """The end of a run whose result nobody can have: said on stderr, unless whoever read us has gone."""
    if not error.reader_left:
        replace(output, json=False).error(error)
    return error.exit_code


def _refuse_what_is_no_text(arguments: dict[str, Any]) -> None:
    """Raises a `UserError` (usage) for an argument that is not UTF-8: no store, server or file can hold it."""
    for given in arguments.values():
        for text in given if isinstance(given, list | tuple) else [given]:
            if isinstance(text, str) and not is_text(text):
                fix = "Rename what it names, or write it in UTF-8."
                raise UserError("no-text", f"The argument {plain(text)} is no text in UTF-8.", fix, ExitCode.USAGE)


def _in_words(session: Session, error: Exception) -> UserError:
    """The error as people are told of it; what nobody thought of is kept, and said to be a fault of ours."""
    if isinstance(error, UserError):
        return error
    with suppress(Exception):
        if isinstance(error, sqlite3.DatabaseError):
            from caspen_xero.store.damage import explained

            return explained(session.store_file, error)
        if isinstance(error, OSError):
            return UserError(
                "system-error",
                f"{plain(error.strerror or error, MOST_WORDS)}: {plain(error.filename or 'the system refused')}.",
            )
    if folder := session.known_folder():
        keep_defect(folder, error, session.command)
    return told_defect(error)
