"""How every command is made: the options they share, and one place where errors become words and exit codes."""

from __future__ import annotations

import functools
import inspect
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Annotated, Any, get_type_hints

import typer

from caspen_xero.cli.defects import keep_defect, told_defect
from caspen_xero.cli.interrupted import interrupted, same_command
from caspen_xero.cli.logs import noting
from caspen_xero.cli.news import tell_news
from caspen_xero.cli.output import Output
from caspen_xero.cli.runs import all_end
from caspen_xero.cli.session import Session
from caspen_xero.cli.streams import NotTaken, tell, write_no_more
from caspen_xero.cli.workspace_folders import Begins, must_be_there
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.interruption import behind, on_told
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.paths import is_text

Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        envvar="CASPEN_XERO_WORKSPACE",
        metavar="NAME",
        help="Work on this clinic's books (one workspace per Xero organisation).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout, for scripts.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Write the list as CSV to stdout, for a spreadsheet.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say errors only; of push, pull and sync also what is new.")]
AllWorkspaces = Annotated[
    bool,
    typer.Option("--all-workspaces", help="Do it in each workspace in turn; one's failure does not stop the others."),
]

Verbose = Annotated[bool, typer.Option("--verbose", help="Say on stderr what is done, step by step.")]
Debug = Annotated[
    bool, typer.Option("--debug", help="Say on stderr every request too: no contents, no secrets, no names.")
]

SHARED = (
    ("workspace", Workspace, None),
    ("as_json", AsJson, False),
    ("quiet", Quiet, False),
    ("verbose", Verbose, False),
    ("debug", Debug, False),
)
"""The options of every command: name, declaration, default."""
OF_LISTS = ("as_csv", AsCsv, False)
"""That of a command which shows a list."""
BEFORE = (*SHARED, OF_LISTS)
"""What the program takes before a command too."""


def parameters_of(options: Sequence[tuple[str, Any, Any]]) -> list[inspect.Parameter]:
    """Such options as parameters of a command, or of the program."""
    return [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for option, annotation, default in options
    ]


def shared_options(context: Any) -> dict[str, Any]:
    """What the shared options come to: as typed after the command, else before it, else as the environment or we have it."""
    given = {
        option: default if option == OF_LISTS[0] else context.params.get(option, default)
        for option, _, default in BEFORE
    }
    return given | _typed(context)


def refuse_csv(context: Any) -> None:
    """Ends a command that shows no list, before which `--csv` stands, as wrong usage."""
    own = next((one for one in context.command.params if "--csv" in one.opts and one.name != OF_LISTS[0]), None)
    path = context.command_path.partition(" ")[2]
    words = f"{path} takes no --csv: it shows no list." if path else "Without a command there is no list for --csv."
    context.fail(f"--csv {own.metavar} of {path} stands after the command." if own else words)


def _typed(context: Any) -> dict[str, Any]:
    """The shared options that were typed: after the command, else before it."""
    typed: dict[str, Any] = {}
    around = context
    while around is not None:
        for option, _, _ in BEFORE:
            source = around.get_parameter_source(option)
            if option not in typed and source is not None and source.name == "COMMANDLINE":
                typed[option] = around.params[option]
        around = around.parent
    return typed


def command(
    app: typer.Typer,
    name: str,
    *,
    options: Sequence[inspect.Parameter] = (),
    begins: Begins = "no",
    in_all: bool = False,
    lists: bool = False,
    without: Sequence[str] = (),
    **settings: Any,
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Registers a function `(session, ...) -> exit code or None` as a command with `--workspace`, `--json` and `--quiet`.

    `options`: those made from declarations, which the function takes as its `**` argument. `begins`: whether it may begin a
    workspace that is not there (see `workspace_folders.must_be_there`). `in_all`: it has `--all-workspaces` too.
    `lists`: it shows a list, so it has `--csv` too, and gives that to `Output.listed`. `without`: the shared options that it takes
    neither before its name nor after it.
    Whatever goes wrong ends the command in words: a `UserError`, trouble with the system or the store's file, and a fault of ours.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        @functools.wraps(function)
        def run(*, context: Any, all_workspaces: bool = False, **arguments: Any) -> None:
            shared = shared_options(context)
            for option in shared:
                arguments.pop(option, None)
            as_csv = shared.pop(OF_LISTS[0])
            if refused := next((one for one in _typed(context) if one in without), None):
                option = next(one.opts[0] for one in context.find_root().command.params if one.name == refused)
                context.fail(f"{context.command_path.partition(' ')[2]} takes no {option}.")
            if as_csv and not lists:
                refuse_csv(context)
            name = function.__name__.strip("_")

            def noted(workspace: str | None, output: Output, begins: Begins = "no") -> int:
                with noting(output, context.command_path, verbose=shared["verbose"], debug=shared["debug"]) as ended:
                    code = carry_out(
                        function, workspace, output, dict(arguments), begins=begins, again=lambda: same_command(context)
                    )
                    ended(code)
                return code

            if all_workspaces and as_csv:
                context.fail("--csv is of one workspace; of all of them there is --json.")
            if all_workspaces and not is_own:
                from caspen_xero.cli.all_workspaces import in_each

                one = shared["workspace"] if "workspace" in _typed(context) else None
                raise typer.Exit(in_each(noted, name, shared | {"workspace": one}, arguments))
            if is_own:
                arguments["all_workspaces"] = all_workspaces
            raise typer.Exit(noted(shared["workspace"], replace(output_for(shared), csv=as_csv), begins))

        hints = get_type_hints(function, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in inspect.signature(function).parameters.values()
            if parameter.name != "session" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        is_own = any(parameter.name == "all_workspaces" for parameter in own)
        own += options
        if lists:
            own += parameters_of([OF_LISTS])
        if in_all:
            own.append(_ALL_WORKSPACES)
        taken = [_CONTEXT, *own, *parameters_of([one for one in SHARED if one[0] not in without])]
        run.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in taken}
        del run.__wrapped__
        app.command(name, **settings)(run)
        return function

    return register


_CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
_ALL_WORKSPACES = inspect.Parameter(
    "all_workspaces", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AllWorkspaces
)


def output_for(shared: Mapping[str, Any]) -> Output:
    """The way of speaking that the shared options ask for."""
    workspace = shared["workspace"]
    named = workspace if workspace != os.environ.get("CASPEN_XERO_WORKSPACE") else None
    return Output(json=shared["as_json"], quiet=shared["quiet"], workspace=named)


def carry_out(
    function: Callable[..., int | None],
    workspace: str | None,
    output: Output,
    arguments: dict[str, Any],
    *,
    begins: Begins = "no",
    again: Callable[[], str] | None = None,
) -> int:
    """Carries a command out in a session of its own, to its exit code. Whatever goes wrong is told.

    `again` gives the same command to be pasted, for whoever breaks it off.
    """
    session = Session(output, workspace, function.__name__.strip("_"))
    session.to_go_on = again or session.to_go_on
    on_told(output.is_told_to_end)
    try:
        code = _run(session, function, arguments, begins)
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


def _run(session: Session, function: Callable[..., int | None], arguments: dict[str, Any], begins: Begins) -> int:
    try:
        _refuse_what_is_no_text(arguments)
        if session.output.json and session.output.csv:
            raise UserError("csv-or-json", "Only one of --csv and --json can be written.", "", ExitCode.USAGE)
        must_be_there(session.workspace, session.output, begins)
        return function(session, **arguments) or ExitCode.ALL_WELL
    except typer.Exit as exit_:
        return exit_.exit_code
    except (KeyboardInterrupt, typer.Abort) as ending:
        return _end(session, interrupted(session, ending))
    except NotTaken as error:
        session.ended_by = error
        return _end_unread(session, error)
    except Exception as error:  # noqa: BLE001 - the last net
        cause = behind(error)
        return _end(session, interrupted(session, cause) if cause is not error else _in_words(session, error))


def _end(session: Session, error: UserError) -> int:
    session.ended_by = error
    try:
        session.output.error(error, session.so_far())
    except NotTaken as unread:
        if not unread.reader_left:
            replace(session.output, json=False).error(error)
        return _end_unread(session, unread) if error.exit_code == ExitCode.FAILED else error.exit_code
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


def _end_unread(session: Session, error: NotTaken) -> int:
    """The end of a run whose result nobody can have: said on stderr, unless whoever read us has gone."""
    if not error.reader_left:
        from caspen_xero.store.log import COMMANDS

        error.fix = "What was done is done: caspen-xero log" if session.command in COMMANDS else ""
        replace(session.output, json=False).error(error)
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
