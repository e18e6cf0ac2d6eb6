"""What tests need: a local Xero on loopback, a state folder of their own, and the command line as people type it."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import loopback
import pytest
import typer.testing
from emulator import on_screen
from json_shapes import hold_against_its_schema
from typer.testing import CliRunner

from caspen_xero import scrubbing
from caspen_xero.caspen.records import parse_record
from caspen_xero.cli.app import app
from caspen_xero.sandbox.identity import claims, identity
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.schedules import asking
from caspen_xero.store.imports import import_records
from caspen_xero.store.store import Store

typer.testing._get_command = functools.cache(typer.testing._get_command)  # type: ignore[attr-defined]
"""The command line is built once, and not anew for each of tens of thousands of commands, which takes a quarter of their time."""
pytest_plugins = ["pushing", "pulling", "another_home", "oddities"]
"""Where the clinics that tests begin with are made, and the way on which answers become odd."""

OURS = ("CASPEN_", "XERO_")
LIVES = 12
"""How many lives of `test_two_homes.py` are lived where nobody says otherwise."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lives", type=int, default=LIVES, help="how many lives test_two_homes.py lives")
    parser.addoption("--first-life", type=int, default=0, help="the seed of the first of them")
    parser.addoption(
        "--shrink", action="store_true", help="tell a life that went wrong without the steps that don't matter"
    )


def pytest_configure() -> None:
    """Ctrl-C counts in what the tests start, also where they were started in the background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Python looks once, and only once, which browsers there are: whichever test comes first, for a test with BROWSER there is one.
    webbrowser.register("true", None, webbrowser.GenericBrowser("true"), preferred=True)
    os.environ.pop("COLUMNS", None)  # what runs tests in several processes sets it


@pytest.fixture(autouse=True)
def _no_secrets_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was a secret in one test is an ordinary word in the next."""
    for name in ("_kept", "_short", "_pieces"):
        monkeypatch.setattr(scrubbing, name, set())


@pytest.fixture(autouse=True)
def _no_schedule_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test asks this machine's cron, systemd or launchd for anything: only programs that a test has made itself are run."""
    run = asking.run_program

    def only_of_a_test(command: Sequence[str], given: bytes | None) -> Any:
        found = shutil.which(command[0])
        if found is None or not Path(found).resolve().is_relative_to(tmp_path_factory.getbasetemp().resolve()):
            raise FileNotFoundError(command[0])
        return run(command, given)

    monkeypatch.setattr(asking, "run_program", only_of_a_test)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`life_seed` is the seed of a life."""
    if "life_seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-life")
        metafunc.parametrize("life_seed", range(first, first + metafunc.config.getoption("--lives")))


@dataclass(frozen=True)
class Result:
    """What one run of the command line gave. `screen`: at a terminal, what a person sees there when it has ended."""

    exit_code: int
    stdout: str
    stderr: str
    screen: str = ""

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


Cli = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder; none of the machine's own settings reach the test."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("CASPEN_XERO_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """One local Xero for all tests, without limits that would slow them down."""
    with Sandbox(auto_approve=True, minute_limit=1_000_000, day_limit=1_000_000) as box:
        yield box


OF_SIGN_INS = [f"identity_{what}" for what in ("access_tokens", "refresh_tokens", "connections", "consents")]
LONGER_THAN_ALL_TESTS = timedelta(hours=12)
SIGN_INS: dict[Sandbox, dict[str, list[Any]]] = {}
"""The one sign-in of the local Xero that all tests share, as it was made."""


def put_back_sign_ins(box: Sandbox) -> None:
    """A test may end the sign-in that others share, or use up its tokens."""
    with box.xero.transaction():
        for table, rows in SIGN_INS.get(box, {}).items():
            box.xero.db.execute(f"DELETE FROM {table}")
            for row in rows:
                box.xero.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", tuple(row))


@pytest.fixture
def sandbox(running_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The local Xero as new, with `XERO_URL` pointing to it. Who is signed in stays so, whatever other tests did with that."""
    loopback.post(f"{running_sandbox.url}/sandbox/reset").raise_for_status()
    put_back_sign_ins(running_sandbox)
    monkeypatch.setenv("XERO_URL", running_sandbox.url)
    return running_sandbox


@pytest.fixture(scope="session")
def signed_in_home(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose workspace was connected as a person does it, once for all tests; copied, never used itself."""
    folder = tmp_path_factory.mktemp("signed-in") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for module in (claims, identity):
            patch.setattr(module, "ACCESS_LIFE", LONGER_THAN_ALL_TESTS)
        sign_in(running_sandbox.url, folder)
    with running_sandbox.xero.transaction():
        rows = running_sandbox.xero.db.execute
        SIGN_INS[running_sandbox] = {table: rows(f"SELECT * FROM {table}").fetchall() for table in OF_SIGN_INS}
    return folder


@pytest.fixture
def connected(sandbox: Sandbox, signed_in_home: Path, home: Path) -> Path:
    """The state folder of a workspace that is connected to the sandbox's organisation; nothing else is set."""
    shutil.copytree(signed_in_home, home)
    return home


@pytest.fixture
def cli(home: Path) -> Cli:
    """Runs `caspen-xero` with these arguments, without a terminal. A fault of its own is one of the test."""
    runner = CliRunner()

    def run(*arguments: str | Path, stdin: str | None = None) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "a fault of caspen-xero's own" not in result.output, result.output
        options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        if "--json" in options:
            hold_against_its_schema([str(argument) for argument in arguments], result.stdout)
        return Result(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def caspen(home: Path) -> Callable[..., None]:
    """Puts records of Caspen's feed into the default workspace's store."""

    def put(*records: Mapping[str, Any]) -> None:
        folder = home / "default"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(Store(folder / "store.sqlite")) as store:
            result = import_records(store, [parse_record(record) for record in records])
        assert not result.bad

    return put


@pytest.fixture
def terminal(home: Path) -> Callable[..., Result]:
    """Runs `caspen-xero` at a pseudo-terminal and types: for each (words, answer), the answer once the words are on screen."""

    def run(*arguments: str, typing: Sequence[tuple[str, str]] = ()) -> Result:
        lines = [(words, f"{answer}\n") for words, answer in typing]
        return _at_a_terminal(command_line(*arguments), lines, COLUMNS="120", TERM="dumb")

    return run


@pytest.fixture
def screen(home: Path) -> Callable[..., Result]:
    """The same at a terminal of that width that shows progress bars; nothing may appear after a question before its answer.

    Keys are typed as they are (`"y\\n"`, `"\\x03"`). `shell`: what follows the command on its line, such as `| cat`; `program`:
    Python to run instead of `caspen-xero`. Gives what was shown, without the control sequences.
    """

    def run(
        *arguments: str,
        typing: Sequence[tuple[str, str]] = (),
        columns: int = 80,
        shell: str = "",
        program: str | None = None,
    ) -> Result:
        command = command_line(*arguments) if program is None else [sys.executable, "-c", program]
        if shell:
            command = ["bash", "-c", f"set -o pipefail; {shlex.join(command)} {shell}"]
        shown = _at_a_terminal(command, typing, columns=columns, undisturbed=True, TERM="xterm-256color")
        plain = CONTROL.sub("", shown.stdout).replace("\r", "")
        return replace(shown, stdout=plain, screen=on_screen(shown.stdout, columns))

    return run


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONG_ENOUGH = 0.4  # seconds in which a progress bar is painted several times


def _at_a_terminal(
    command: Sequence[str],
    typing: Sequence[tuple[str, str]],
    *,
    columns: int = 120,
    undisturbed: bool = False,
    **environment: str,
) -> Result:
    """Runs a command at a terminal of its own. `undisturbed`: nothing may appear between a question and its answer."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    own = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    process = subprocess.Popen(
        command,
        env={name: value for name, value in clean_environment().items() if name not in ("COLUMNS", "LINES")}
        | own
        | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    shown, seen = "", 0
    waiting, latest = list(typing), time.monotonic() + 40
    for piece in _pieces(ours):
        shown += piece
        if time.monotonic() > latest:  # a bar that is painted for ever, over a question perhaps
            process.kill()
        while waiting and (place := shown.find(waiting[0][0], seen)) >= 0:
            seen = place + len(waiting[0][0])
            if undisturbed:
                time.sleep(LONG_ENOUGH)
                shown += "".join(_pieces(ours, patience=0))
                assert shown[seen:].strip() == "", f"painted over the question: {shown[seen:]!r}"
            os.write(ours, waiting.pop(0)[1].encode())
    os.close(ours)
    assert not waiting, f"never asked for {waiting[0][0]!r}:\n{shown}"
    return Result(process.wait(timeout=10), shown.replace("\r\n", "\n"), "")


def _pieces(end: int, patience: float = 20) -> Iterator[str]:
    """What appears on the terminal, until the process ends or says nothing for so many seconds."""
    while select.select([end], [], [], patience)[0]:
        try:
            piece = os.read(end, 4096)
        except OSError:  # Linux's way to say that the other side has closed
            return
        if not piece:
            return
        yield piece.decode(errors="replace")


def sign_in(xero_url: str, home: Path, *options: str, client_id: str = "TEST-APP") -> None:
    """`connect --no-browser`, with somebody else following the printed link to a Xero that approves by itself."""
    process = subprocess.Popen(
        command_line("connect", "--no-browser", "--token-store", "file", "--client-id", client_id, *options),
        env=clean_environment(CASPEN_XERO_HOME=str(home), XERO_URL=xero_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(xero_url):
            loopback.get(line.strip(), follow_redirects=True).raise_for_status()
    assert process.wait(timeout=20) == 0, "".join(said)


def command_line(*arguments: str) -> list[str]:
    """`caspen-xero` as a process of its own."""
    return [sys.executable, "-m", "caspen_xero", *arguments]


def clean_environment(**ours: str) -> dict[str, str]:
    """This machine's environment without what concerns caspen-xero, but for `ours`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | ours
