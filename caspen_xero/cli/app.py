"""The command line: every command group in one place. Importing it stays cheap: commands import what they need."""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from importlib import import_module
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

from caspen_xero import __version__
from caspen_xero.cli.command import (
    BEFORE,
    carry_out,
    output_for,
    parameters_of,
    refuse_csv,
    shared_options,
    tell_plainly,
)
from caspen_xero.cli.defects import catch_threads, keep_defect, told_defect
from caspen_xero.cli.help_screen import Group, with_pages
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.cli.streams import NotTaken, write_no_more
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.interruption import behind, end_if_told
from caspen_xero.outside_text import MOST_WORDS, plain

HELP = """Keeps a Caspen clinic's books in Xero: invoices, payments and credit notes go there, payments come back.

\b
See it work, no account needed:
  caspen-xero demo

\b
Set it up once, led step by step; and see at any time where you stand:
  caspen-xero setup
  caspen-xero

\b
Every day, by hand or from cron:
  caspen-xero sync

\b
See what is not in Xero, why, and the command that fixes it:
  caspen-xero unsynced

\b
At the month's end, prove it:
  caspen-xero reconcile --html month.html
"""


GROUPS = {
    "setup": ("setup",),
    "connect": ("connect",),
    "disconnect": ("disconnect",),
    "settings": ("settings",),
    "taxes": ("taxes",),
    "import_": ("import",),
    "push": ("push",),
    "unsynced": ("unsynced",),
    "pull": ("pull",),
    "sync": ("sync",),
    "adopt": ("adopt",),
    "drift": ("drift",),
    "reconcile": ("reconcile",),
    "invoices": ("invoices",),
    "payments": ("payments",),
    "contacts": ("contacts",),
    "status": ("status",),
    "doctor": ("doctor",),
    "log": ("log",),
    "schedule": ("schedule",),
    "backup": ("backup", "restore"),
    "purge": ("purge",),
    "workspaces": ("workspaces",),
    "sandbox": ("sandbox",),
    "demo": ("demo",),
    "help": ("help",),
    "schema": ("schema",),
    "version": ("version",),
}
"""The commands of each module of this package, in the order of the help."""


class _Commands(Group):
    """The top group: imports only the module whose command is called; with `--json`, tells wrong usage in JSON too."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        for module, names in GROUPS.items():
            if cmd_name in names:
                self._load(module)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        for module in GROUPS:
            self._load(module)
        return [name for names in GROUPS.values() for name in names if name in self.commands]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            self.list_commands(ctx)  # so that near names can be suggested
        return super().resolve_command(ctx, args)

    def make_context(self, *given: Any, **more: Any) -> Any:
        with _harmless_usage():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        with _harmless_usage():
            return super().invoke(ctx)

    def _load(self, module: str) -> None:
        if GROUPS[module][0] in self.commands:
            return
        group = typer.Typer(rich_markup_mode=None)
        import_module(f"caspen_xero.cli.{module}").register(group)
        made = get_group(with_pages(group)).commands
        for inner in made.values():
            if isinstance(inner, TyperGroup) and inner.callback is None:  # `settings --json show` works too
                for one in self.params:
                    if one.name in _SHARED:
                        shared: Any = copy(one)
                        shared.hidden = True
                        inner.params.append(shared)
        self.commands.update(made)

    def main(self, args: Any = None, *more: Any, **settings: Any) -> Any:
        if not _asks_for_json(sys.argv[1:] if args is None else args) or not settings.get("standalone_mode", True):
            return super().main(args, *more, **settings)
        try:
            code = super().main(args, *more, **settings | {"standalone_mode": False})
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            code = getattr(error, "exit_code", ExitCode.USAGE)
            where = getattr(getattr(error, "ctx", None), "command_path", "caspen-xero")
            Output(json=True).error(UserError("usage", error.format_message(), f"{where} --help", code))
        sys.exit(code if isinstance(code, int) else ExitCode.ALL_WELL)


app = typer.Typer(
    name="caspen-xero",
    help=HELP,
    cls=_Commands,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


class _Interrupted(Exception):
    """The program was broken off before a command began, or after it."""


@contextmanager
def _harmless_usage() -> Iterator[None]:
    """What is said of wrong usage repeats arguments: they begin no line of their own, and fill no screen.

    Raises `_Interrupted` for Ctrl-C before a command has begun, as Typer would end without a word.
    """
    try:
        yield
    except KeyboardInterrupt as ending:
        raise _Interrupted from ending
    except Exception as error:
        is_help = type(error).__name__ == "NoArgsIsHelpError"  # our own words, on many lines
        if (
            not is_help
            and hasattr(error, "format_message")
            and isinstance(message := getattr(error, "message", None), str)
        ):
            told = plain(message.removeprefix("Value error, "), MOST_WORDS)
            error.message = told  # type: ignore[attr-defined]
            if numbers := _numbers_taken(getattr(error, "param", None)):
                error.format_message = lambda: numbers
        raise


def _numbers_taken(param: Any) -> str:
    """Which numbers an option takes, as a sentence; "" for one that takes no number, or any."""
    kind = getattr(param, "type", param)  # where Typer before 0.26 keeps it
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is None:
        return ""
    what = "a number" if isinstance(least, float) else "a whole number"
    return f"{param.opts[0]} takes {what} {f'of {least:,} or more' if most is None else f'from {least:,} to {most:,}'}."


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caspen-xero {__version__}")
        raise typer.Exit


_SHARED = {option for option, _, _ in BEFORE}


def _top(context: Any, **_: Any) -> None:
    """What stands before the command holds for it; without a command, one is told where one stands."""
    shared = shared_options(context)
    if context.invoked_subcommand is None:
        if shared["as_csv"]:
            refuse_csv(context)
        from caspen_xero.cli.overview import overview

        raise typer.Exit(carry_out(overview, shared["workspace"], output_for(shared), {}))


_VERSION = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Show the version and exit.")
]
_TAKEN = [
    inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
    *parameters_of(BEFORE),
    inspect.Parameter("version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION),
]
_top.__signature__ = inspect.Signature(_TAKEN)  # type: ignore[attr-defined]
_top.__annotations__ = {parameter.name: parameter.annotation for parameter in _TAKEN}
app.callback()(_top)


def main() -> None:
    """The `caspen-xero` command. Whatever goes wrong, also before a command begins, ends it in words."""
    _take_any_text()
    os.umask(0o077)  # what we make is for nobody else, the folders above it too
    output = Output(json=_asks_for_json(sys.argv[1:]), workspace=_workspace_given())
    try:
        end_if_told()
        catch_threads(_folder)
        app(prog_name="caspen-xero")
    except (OSError, NotTaken) as error:  # the help, say, on a full disk; commands tell theirs themselves
        write_no_more(sys.stdout)
        unread = error if isinstance(error, NotTaken) else NotTaken(error)
        if not unread.reader_left:
            Output().error(unread)
        sys.exit(ExitCode.FAILED)
    except (KeyboardInterrupt, typer.Abort, _Interrupted):
        _interrupted(output)
    except Exception as error:  # noqa: BLE001 - the last net: a command's module can't be loaded, an argument can't be read
        if isinstance(behind(error), KeyboardInterrupt):
            _interrupted(output)
        if folder := _folder():
            keep_defect(folder, error, "the command line")
        tell_plainly(output, told_defect(error))
        sys.exit(ExitCode.FAILED)


def _interrupted(output: Output) -> NoReturn:
    tell_plainly(output, UserError("interrupted", "Interrupted.", exit_code=ExitCode.INTERRUPTED))
    sys.exit(ExitCode.INTERRUPTED)


def _options_among(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line that can be options: what stands after `--` is none, whatever it looks like."""
    return takewhile(lambda word: word != "--", words)


def _asks_for_json(words: Sequence[str]) -> bool:
    return "--json" in _options_among(words)


def _workspace_given() -> str | None:
    """The workspace that the command line names, where it does."""
    pairs = pairwise([*_options_among(sys.argv[1:]), ""])
    named = [word.partition("=")[2] or after for word, after in pairs if word.partition("=")[0] == "--workspace"]
    return named[-1] if named else None


def _folder() -> Path | None:
    """The folder of the workspace that the command line or the environment names, where that can be known."""
    return Session(Output(), _workspace_given() or os.environ.get("CASPEN_XERO_WORKSPACE")).known_folder()


def _take_any_text() -> None:
    """A name that the terminal's encoding lacks, or an output that was closed, never ends a command."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
