"""`caspen-xero demo`: the whole story on a local Xero, in a throw-away home.

The commands are the real ones and speak real HTTP on this machine; only the person at the browser is stood in for. Nothing
of the user's is read or written: no settings, no keyring, no browser, no question on the terminal.
"""

from __future__ import annotations

import calendar
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import webbrowser
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Output
from caspen_xero.cli.sandbox import WITHOUT, Country, on_the_path
from caspen_xero.cli.session import Session
from caspen_xero.cli.streams import OUR_COLUMNS, NotTaken, leads_nowhere
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.cli.demo_clinics import DemoClinic
    from caspen_xero.sandbox.server import Sandbox

OURS = ("CASPEN_", "XERO_")
FINALISED = ("open", "paid")
WIDEST = 116
"""Columns of a paragraph, and of the tables where the story goes into a pipe or a file."""

INTRODUCTION = """\
A small clinic's invoices, payments and credit notes go to a local Xero that runs on this machine only. No account is
needed, and nothing of yours is touched: everything below happens in a throw-away folder, with the real commands."""

FOR_REAL = """\
For real:

  1. Create a free app at https://developer.xero.com/app/manage
     ("Mobile or desktop app"; step by step: caspen-xero help xero-app).
  2. caspen-xero connect --client-id YOUR_APPS_CLIENT_ID
  3. caspen-xero settings set --sales-account 200 --payment-account 090
     caspen-xero settings set --source YOUR_CASPEN_EXPORT
  4. caspen-xero taxes map
  5. caspen-xero push --dry-run       then, by hand or from cron:  caspen-xero push
  6. caspen-xero reconcile            at each month's end

To look at a local Xero in a browser first:  caspen-xero sandbox serve"""


class StoryBroke(UserError):
    """The demo did not come out as it should: a defect, or something on this machine in its way."""

    def __init__(self, message: str) -> None:
        again = "Run it again; if it fails again, please report it with this text."
        super().__init__("demo-failed", message, again)


def register(app: typer.Typer) -> None:
    """Adds `demo` to the command line."""

    def demo(
        session: Session,
        country: Annotated[Country, typer.Option(help="Where the clinic is: its taxes, money and words.")] = "AU",
    ) -> None:
        """Show the whole story on a local Xero: connect, push, what stays unsynced and why, the fix, and the proof.

        \b
        caspen-xero demo
        caspen-xero demo --country GB
        """
        from caspen_xero.cli.demo_clinics import CLINICS
        from caspen_xero.cli.sandbox import open_sandbox

        with (
            _nothing_said() if session.output.quiet else contextlib.nullcontext(),
            _throw_away_place() as place,
            open_sandbox(auto_approve=True, country=country) as box,
        ):
            _Story(box, place, CLINICS[country]).tell()

    command(app, "demo", begins="not-needed", without=WITHOUT)(demo)


class _Story:
    """The story, told command by command."""

    def __init__(self, box: Sandbox, place: Path, clinic: DemoClinic) -> None:
        from caspen_xero.cli.app import app  # not above: the command line imports this file

        self._commands = typer.main.get_command(app)
        self._box, self._place, self._clinic = box, place, clinic
        self._left_over = 0
        self._output = Output()
        self._is_read = not leads_nowhere(sys.stdout)

    def tell(self) -> None:
        """Tells it. Raises `StoryBroke` where it does not come out as it should."""
        with (
            _environment(CASPEN_XERO_HOME=str(self._place / "home"), XERO_URL=self._box.url),
            _nobody_at_the_terminal(),
        ):
            self._say(INTRODUCTION)
            self._connect()
            export = self._set_up()
            self._push_with_some_left_over()
            self._fix_it()
            self._everything_is_there(export)
            self._it_is_proved(export)
        self._say(self._sum_up(export))
        self._output.say("", *FOR_REAL.split("\n"))
        if line := on_the_path():
            self._output.say("", "First, so that the shell finds the program:", f"  {line}")

    def _connect(self) -> None:
        self._say(
            f"1. Connect. The local Xero is at {self._box.url}. With Xero itself a browser opens, and you sign in, choose the\n"
            "   organisation and allow access; here the demo acts as the browser, and the local Xero says yes by itself."
        )
        with _browser() as browser:
            self._run("connect", "--client-id", "DEMO", "--token-store", "file")
        self._say(f'   (The browser shows "{browser.page_title()}".)')

    def _set_up(self) -> Path:
        export = self._place / "caspen-export"
        export.mkdir()
        shutil.copy(self._clinic.sample, export)
        self._say("2. Say which accounts are meant, and where Caspen's export is.")
        accounts = ("--sales-account", "200", "--payment-account", "090")
        self._run("settings", "set", *accounts, "--source", str(export))
        self._say("3. Caspen's tax rates, and the Xero rates that stand for them: none is linked yet.")
        self._run("taxes", "list")
        return export / self._clinic.sample.name

    def _push_with_some_left_over(self) -> None:
        self._say(f"4. Push. {self._clinic.about_links}")
        self._run("push", expected=ExitCode.PARTLY)
        self._say("5. What is not in Xero, why, and the command that fixes it.")
        self._run("unsynced")
        rows = self._unsynced()
        codes = [row["code"] for row in rows]
        if {*codes} != {"tax-rate-not-linked"}:
            raise StoryBroke(f"Some should be unsynced for their tax rate alone, but there is: {codes or 'none'}.")
        self._left_over = len({row["invoice_id"] for row in rows})

    def _fix_it(self) -> None:
        choices = {one["label"]: one["command"] for row in self._unsynced() for one in row["choices"]}
        self._say(
            "6. On a terminal that command asks which of Xero's rates it is; here the demo answers. Then the push again: only\n"
            "   what was left over is sent."
        )
        for meant in self._clinic.answers:
            commands = [command for label, command in choices.items() if label.startswith(f"{meant} (")]
            if len(commands) != 1:
                raise StoryBroke(f"{meant} should be one of the rates to choose from: {', '.join(choices) or 'none'}.")
            self._run(*shlex.split(commands[0])[1:])
        self._run("push")

    def _everything_is_there(self, export: Path) -> None:
        self._say("7. Nothing is left over.")
        self._run("unsynced")
        self._run("invoices", "list")
        if left := self._unsynced():
            raise StoryBroke(
                f"Nothing should be unsynced any more, but there is {plain(left[0]['number'])}: {left[0]['reason']}."
            )
        if wrong := _differences(_records(export), self._invoices_in_xero()):
            raise StoryBroke("The local Xero does not hold what Caspen says: " + "; ".join(wrong) + ".")

    def _it_is_proved(self, export: Path) -> None:
        self._say(
            "8. The proof, as at a month's end: all is read anew from the local Xero and compared with Caspen, document by\n"
            "   document and in sums. With --html FILE it is a page to print and to file."
        )
        first, last = _whole_months(_records(export))
        self._run("reconcile", "--from", first.isoformat(), "--to", last.isoformat())

    def _sum_up(self, export: Path) -> str:
        invoices = [record for record in _records(export) if record["object"] == "invoice"]
        sent = [invoice for invoice in invoices if invoice["status"] in FINALISED]
        total = f"{sum((Decimal(invoice['total']) for invoice in sent), Decimal(0)):,.2f} {sent[0]['currency']}"
        some = "One invoice was" if self._left_over == 1 else f"{self._left_over} invoices were"
        fixed = "the command that" if self._clinic.sole else "the commands that"
        return (
            f"What you saw: of {len(invoices)} invoices the {len(sent)} finalised ones are in the local Xero exactly once, with\n"
            f"Caspen's subtotal, tax, total and amount due to the cent ({total} in all), and so are their lines, payments\n"
            "and credit notes: that was just proved. A draft and a void invoice stayed out.\n"
            f"{some} unsynced, with the reason and {fixed} fixed it."
        )

    # --- how it is told

    def _run(self, *arguments: str, expected: int = ExitCode.ALL_WELL) -> None:
        """Shows a command and runs it. Raises `StoryBroke` where it ends with another exit code than expected."""
        self._output.say("", f"$ {shlex.join(['caspen-xero', *arguments])}")
        code = self._exit_code(*arguments)
        if self._is_read and leads_nowhere(sys.stdout):
            raise NotTaken(BrokenPipeError())  # who read it has seen enough
        if code == ExitCode.INTERRUPTED:
            raise UserError("demo-failed", "The demo was interrupted.", exit_code=ExitCode.INTERRUPTED)
        if code != expected:
            raise StoryBroke(f"caspen-xero {arguments[0]} ended with exit code {code}, not {expected}.")

    def _exit_code(self, *arguments: str) -> int:
        code = self._commands.main(list(arguments), prog_name="caspen-xero", standalone_mode=False)
        return code if isinstance(code, int) else ExitCode.ALL_WELL

    def _say(self, text: str) -> None:
        """A paragraph, as wide as the screen; what belongs to a step is set in below its number."""
        from caspen_xero.cli.tables import wrapped

        inner = "   " if text[0].isdigit() or text[0] == " " else ""
        first = text[: len(text) - len(text.lstrip())]
        first_line, *others = wrapped(" ".join(text.split()), min(self._output.width, WIDEST) - len(inner))
        lines = [f"{first}{first_line}", *(f"{inner}{line}" for line in others)]
        self._output.say("", *lines)

    def _unsynced(self) -> list[dict[str, Any]]:
        """What `unsynced --json` says."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self._exit_code("unsynced", "--json")
        rows: list[dict[str, Any]] = json.loads(said.getvalue())["unsynced"]
        return rows

    def _invoices_in_xero(self) -> list[dict[str, Any]]:
        with _direct().open(f"{self._box.url}/sandbox/state", timeout=10) as answer:
            state = json.load(answer, parse_float=Decimal)
        invoices: list[dict[str, Any]] = state["Invoices"]
        return invoices


def _records(export: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]


def _whole_months(records: list[dict[str, Any]]) -> tuple[date, date]:
    """The first and the last day of the months in which the documents are dated."""
    days = [day for record in records if (day := record.get("issue_date") or record.get("date"))]
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    return first.replace(day=1), last.replace(day=calendar.monthrange(last.year, last.month)[1])


def _figures_in_caspen(records: list[dict[str, Any]]) -> dict[str, tuple[Decimal, ...]]:
    """Subtotal, tax, total and amount due of each finalised invoice, by its number."""
    settled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record["object"] == "payment" and record["status"] == "allocated":
            for allocation in record["allocations"]:
                settled[allocation["invoice_id"]] += Decimal(allocation["amount"])
        if record["object"] == "credit_note" and record["status"] == "issued":
            settled[record["invoice_id"]] += Decimal(record["total"])
    return {
        record["number"]: (
            *(Decimal(record[figure]) for figure in ("subtotal", "tax", "total")),
            Decimal(record["total"]) - settled[record["id"]],
        )
        for record in records
        if record["object"] == "invoice" and record["status"] in FINALISED
    }


def _differences(records: list[dict[str, Any]], xero: list[dict[str, Any]]) -> list[str]:
    """What keeps the finalised invoices from being in Xero exactly once, to the cent, and no other."""
    wanted = _figures_in_caspen(records)
    found = [invoice["InvoiceNumber"] for invoice in xero]
    wrong = [f"{number} is there {found.count(number)} times" for number in wanted if found.count(number) != 1]
    wrong += [f"{number} should not be there" for number in sorted({*found} - {*wanted})]
    for invoice in xero:
        number = invoice["InvoiceNumber"]
        figures = tuple(Decimal(invoice[figure]) for figure in ("SubTotal", "TotalTax", "Total", "AmountDue"))
        if number in wanted and figures != wanted[number]:
            wrong.append(f"{number} shows {_shown(figures)}, not {_shown(wanted[number])}")
    return wrong


def _shown(figures: tuple[Decimal, ...]) -> str:
    return ", ".join(f"{figure:.2f}" for figure in figures)


# --- the stage


@contextlib.contextmanager
def _nothing_said() -> Iterator[None]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@contextlib.contextmanager
def _throw_away_place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="caspen-xero-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _environment(**ours: str) -> Iterator[None]:
    """Only these of the variables that concern caspen-xero; afterwards all are as before. In a pipe tables are as on a screen."""
    before = dict(os.environ)
    if not sys.stdout.isatty():
        ours[OUR_COLUMNS] = before.get(OUR_COLUMNS, str(WIDEST))
    for name in [name for name in before if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _nobody_at_the_terminal() -> Iterator[None]:
    """No command asks anything, and what they say stands in one stream, in order."""
    before = sys.stdin
    with open(os.devnull, encoding="utf-8") as nothing, contextlib.redirect_stderr(sys.stdout):
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = before


class _Browser(webbrowser.BaseBrowser):
    """Opens an address as a browser does: follows the redirects and reads the page, while the command goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.retired = False
        self._page = ""
        self._thread: threading.Thread | None = None

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        if self.retired:
            return False
        self._thread = threading.Thread(target=self._read, args=(url,), daemon=True)
        self._thread.start()
        return True

    def page_title(self) -> str:
        """The title of the page where it ended up."""
        if self._thread is not None:
            self._thread.join(10)
        found = re.search(r"<title>(.*?)</title>", self._page, re.DOTALL)
        return found[1].split(" - ")[0] if found else "nothing"

    def _read(self, url: str) -> None:
        try:
            with _direct().open(url, timeout=20) as answer:
                self._page = answer.read().decode()
        except urllib.error.URLError as error:
            self._page = f"<title>{error.reason}</title>"


@contextlib.contextmanager
def _browser() -> Iterator[_Browser]:
    """The demo's own browser as the system's first choice; afterwards it passes every address on to the next one."""
    browser = _Browser()
    webbrowser.register("caspen-xero-demo", None, browser, preferred=True)
    try:
        yield browser
    finally:
        browser.retired = True


def _direct() -> urllib.request.OpenerDirector:
    """Opens addresses on this machine, whatever proxy is set."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
