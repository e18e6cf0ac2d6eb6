"""`caspen-xero sandbox serve`: a local Xero for trying and testing."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.commands import PROGRAM
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.packages import to_install
from caspen_xero.paths import given_path
from caspen_xero.server_urls import SANDBOX_PORT, is_loopback

if TYPE_CHECKING:
    from caspen_xero.sandbox.server import Sandbox

WITHOUT = ("workspace", "as_json")
"""What a command does not take that works in no workspace, and speaks only to people."""
Country = Literal["AU", "NZ", "GB", "US", "SG"]
"""The countries of the sandbox; Singapore has Xero's global edition."""


class SandboxMissing(UserError):
    """The packages that only the sandbox needs are not installed."""

    def __init__(self) -> None:
        what = "The sandbox needs three more packages, starlette, uvicorn and joserfc."
        super().__init__("sandbox-not-installed", what, to_install("sandbox"))


def register(app: typer.Typer) -> None:
    """Adds the group to the command line."""
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="sandbox", help="A local Xero that keeps Xero's rules, for trying and testing.")
    command(group, "serve", begins="not-needed", without=WITHOUT)(serve)


def serve(
    session: Session,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = SANDBOX_PORT,
    data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Keep everything in this file. [default: in memory]"),
    ] = None,
    country: Annotated[Country, typer.Option(help="Whose chart and tax rates.")] = "AU",
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Allow access without the consent page.")
    ] = False,
    minute_limit: Annotated[int, typer.Option(min=1, help="Calls allowed in a minute.")] = 60,
    minute_seconds: Annotated[float, typer.Option(min=0.1, help="How long a minute lasts.")] = 60.0,
    day_limit: Annotated[int, typer.Option(min=1, help="Calls allowed in a day.")] = 1_000,
    rounding: Annotated[Literal["half-up", "half-even"], typer.Option(help="Where half a cent goes.")] = "half-up",
    switch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WORD", help="What Xero does where sources disagree; its README lists them. Repeatable."
        ),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[:SECRET]",
            help="Know only the apps named so, with their secrets. Repeatable. [default: any id and secret]",
        ),
    ] = None,
    organisation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One more organisation. Repeatable.")
    ] = None,
) -> None:
    """Run a local Xero until Ctrl-C. It is a stand-in: nothing reaches the real Xero.

    \b
    caspen-xero sandbox serve
    caspen-xero sandbox serve --data xero.db
    """
    output = session.output
    if organisation and data is not None and given_path(data).exists():
        words = f"{plain(given_path(data))} is there already, with its organisations: --organisation is for a new file."
        output.warn(words)
    box = open_sandbox(
        host=host,
        port=port,
        data=given_path(data) if data is not None else None,
        country=country,
        organisations=organisation or (),
        auto_approve=auto_approve,
        minute_limit=minute_limit,
        minute_seconds=minute_seconds,
        day_limit=day_limit,
        rounding=rounding,
        switches=_by_name(switch or (), "="),
        clients=_by_name(client or (), ":"),
    )
    if box.is_open_to_others:
        output.warn(
            f"On {host} whoever reaches this machine can read and change these books: the sandbox asks nobody for a password. "
            "caspen-xero itself works with it only on this machine, at localhost, or through HTTPS."
        )
    _run(box, output, given_path(data) if data is not None else None, country)


def _by_name(told: Sequence[str], joint: str) -> dict[str, str]:
    """What was said of each name, as NAME=WORD or ID:SECRET; whether there can be such is for the sandbox to say."""
    return {name: word for name, _, word in (one.partition(joint) for one in told)}


def open_sandbox(**options: Any) -> Sandbox:
    """A sandbox that does not serve yet. Raises `SandboxMissing`, or where it can't run what its own error says.

    Only here is the web server imported; the sandbox stands alone and knows nothing of our errors.
    """
    try:
        from caspen_xero.sandbox.server import Sandbox, SandboxError
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn", "h11", "anyio", "joserfc", "cryptography"}:
            raise
        raise SandboxMissing from error
    try:
        return Sandbox(**options)
    except SandboxError as error:
        exit_code = ExitCode.USAGE if error.code == "unknown-switch" else ExitCode.FAILED
        raise UserError(error.code, error.message, error.fix, exit_code) from error


def _run(box: Sandbox, output: Output, data: Path | None, country: Country) -> None:
    """Serves until a signal to stop."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with box:
        output.say(*_welcome(box.url, data, country).splitlines())
        while box.running and not stop.wait(0.2):
            pass
    output.say("The local Xero has stopped.")


def sample_of(country: Country) -> Path:
    """A whole export of a clinic there."""
    name = "sample_clinic.jsonl" if country == "AU" else f"sample_clinic_{country.lower()}.jsonl"
    return Path(__file__).parent / name


def on_the_path() -> str:
    """The line after which a shell finds this program, where it does not by itself, as in a virtual environment; else ""."""
    folder = Path(sys.executable).parent
    if os.name != "posix" or shutil.which(PROGRAM) or not (folder / PROGRAM).exists():
        return ""
    return f'export PATH={shlex.quote(str(folder))}:"$PATH"'


def _welcome(url: str, data: Path | None, country: Country) -> str:
    """What to do with it: in a home of its own, so that no real workspace, sign-in or keyring is touched."""
    home = shlex.quote(f"{data.absolute()}-home") if data is not None else '"$(mktemp -d)"'
    running = f"""A local Xero is running: {url}
Open that in a browser to look at its books. It is a sandbox, not Xero. Ctrl-C ends it.
"""
    if not is_loopback(url):  # nothing that caspen-xero would take
        return running
    sample = shlex.quote(str(sample_of(country)))
    path = f"    {line}\n" if (line := on_the_path()) else ""
    return f"""{running}
In another terminal, where it is tried in a home of its own and touches nothing of yours:

{path}    export CASPEN_XERO_HOME={home}
    export XERO_URL={url}
    export XERO_CLIENT_ID=sandbox
    caspen-xero connect --token-store file
    caspen-xero settings set --sales-account 200 --payment-account 090
    cp {sample} "$CASPEN_XERO_HOME/export.jsonl"
    caspen-xero import "$CASPEN_XERO_HOME/export.jsonl"
    caspen-xero push --dry-run
"""
