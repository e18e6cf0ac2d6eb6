"""A clinic that is connected to the local Xero, as the tests of a push see it: what was imported, sent, and now stands there."""

from __future__ import annotations

import json
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import loopback
import pytest
import request_log
from clinics import TAX_RATES
from conftest import sign_in
from typer.testing import CliRunner

from caspen_xero.cli.app import app
from caspen_xero.commands import each_command
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.xero.client import XeroClient

RATE_LINKS = (("GST", "OUTPUT"), ("GST free", "EXEMPTOUTPUT"), ("no tax", "BASEXCLUDED"))
FIGURES = (("subtotal", "SubTotal"), ("tax", "TotalTax"), ("total", "Total"))

_HTTP = loopback.Client()


@dataclass
class Clinic:
    """The default workspace and its Xero. Amounts are decimals on both sides."""

    cli: Callable[..., Any]
    sandbox: Sandbox
    home: Path
    imports: int = 0

    # what a person does

    def takes(self, *records: Mapping[str, Any]) -> Any:
        """Imports these records of Caspen's feed, as a file."""
        self.imports += 1
        file = self.home.parent / f"export-{self.imports}.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        result = self.cli("import", file)
        assert result.exit_code == 0, result.stderr
        return result

    def push(self, *arguments: str) -> Any:
        """`push --json`."""
        return self.cli("push", "--json", *arguments)

    def run(self, printed: str, which: int = 0) -> Any:
        """A command as it was printed, pasted into a shell: of those in a text the first, or `which`."""
        found = commands_in(printed)
        assert found, f"no command to paste: {printed}"
        return self.cli(*shlex.split(found[which])[1:])

    def chooses(self, row: Mapping[str, Any], answer: str = "") -> Any:
        """Pastes the fix of a row, which asks; as nobody can answer, then the command of the first answer that is called so."""
        asked = self.run(row["fix"].rsplit(", then: ")[-1])
        assert asked.exit_code == 2, (row["fix"], asked.stdout, asked.stderr)
        (command, *_) = [one["command"] for one in row["choices"] if answer in one["label"]]
        assert f"  {command}\n" in asked.stderr
        return self.run(command)

    def unsynced(self) -> list[dict[str, Any]]:
        """The rows of `unsynced --json`."""
        result = self.cli("unsynced", "--json")
        assert result.exit_code == 0
        return list(result.json["unsynced"])

    def problem(self, number: str = "INV-0001") -> dict[str, Any]:
        """The one problem of an invoice."""
        (row,) = [row for row in self.unsynced() if row["number"] == number]
        return row

    def answers(self, number: str = "INV-0001") -> list[str]:
        """The commands of the one problem of an invoice where several answers are possible, in the order in which they stand."""
        return commands_in(self.problem(number)["fix"])

    def listed(self) -> dict[str, dict[str, Any]]:
        """`invoices list --json`, by number."""
        return {row["number"]: row for row in self.cli("invoices", "list", "--json").json["invoices"]}

    # what Xero has

    def whole_state(self) -> dict[str, list[dict[str, Any]]]:
        """Every document in Xero, by kind."""
        answer = _HTTP.get(f"{self.sandbox.url}/sandbox/state")
        return dict(json.loads(answer.text, parse_float=Decimal))

    def state(self, kind: str) -> list[dict[str, Any]]:
        """Every document of a kind in Xero."""
        return self.whole_state()[kind]

    def in_xero(self) -> dict[str, dict[str, Any]]:
        """Xero's invoices by number; no number is there twice."""
        found = self.state("Invoices")
        doubled = [n for n, times in Counter(each["InvoiceNumber"] for each in found).items() if times > 1]
        assert not doubled, f"twice in Xero: {doubled}"
        return {each["InvoiceNumber"]: each for each in found}

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Xero's contacts by name; no ContactNumber is there twice."""
        found = self.state("Contacts")
        numbers = Counter(each["ContactNumber"] for each in found if each.get("ContactNumber"))
        assert not [n for n, times in numbers.items() if times > 1]
        return {each["Name"]: each for each in found}

    def requests(self) -> list[dict[str, Any]]:
        """Every call below /api.xro/ since the log was last cleared."""
        return [each for each in request_log.asked(self.sandbox.url) if each["path"].startswith("/api.xro/")]

    def calls(self) -> list[str]:
        """The calls as `PUT Invoices`."""
        return [f"{each['method']} {each['path'].removeprefix('/api.xro/2.0/')}" for each in self.requests()]

    def writes(self) -> list[str]:
        """Those calls that may change something."""
        return [call for call in self.calls() if not call.startswith("GET ")]

    def forget_calls(self) -> None:
        request_log.forget(self.sandbox.url)

    def control(self, what: str, /, **wishes: Any) -> None:
        """A control of the local Xero: what goes wrong there, or what a person does there."""
        _HTTP.post(f"{self.sandbox.url}/sandbox/{what}", json=wishes).raise_for_status()

    def put_in_xero(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A document that somebody else wrote in Xero."""
        tokens = json.loads((self.home / "default" / "tokens.json").read_text())
        token = json.loads(tokens["access"])["token"] if tokens["access"].startswith("{") else tokens["access"]
        answer = _HTTP.put(
            f"{self.sandbox.url}/api.xro/2.0/{kind}",
            json=fields,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Xero-tenant-id": self.tenant_id,
            },
        )
        assert answer.status_code == 200, answer.text
        self.forget_calls()
        return dict(answer.json()[kind][0])

    def faults(self) -> list[dict[str, Any]]:
        """The faults set at the moment, with how often each has struck."""
        return list(_HTTP.get(f"{self.sandbox.url}/sandbox/faults").json()["faults"])

    def all_is_well_in_xero(self) -> None:
        """No faults any more."""
        _HTTP.delete(f"{self.sandbox.url}/sandbox/faults").raise_for_status()

    @property
    def tenant_id(self) -> str:
        return self.sandbox.api.organisations()[0].tenant_id

    # what the store knows

    @property
    def store_file(self) -> Path:
        return self.home / "default" / "store.sqlite"

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """A statement on the store's file, as somebody with a SQLite tool would run it."""
        with closing(Store(self.store_file)) as store, store.write():
            return store.rows(statement, *values)


def commands_in(printed: str) -> list[str]:
    """The commands that a person would copy out of a text, in their order."""
    found: list[str] = []
    each_command(printed, lambda ours: found.append(ours) or ours)
    return found


def same_figures(record: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether Xero shows Caspen's subtotal, tax and total."""
    return all(Decimal(record[ours]) == document[theirs] for ours, theirs in FIGURES)


def finalised(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The invoices of an export that belong into Xero, by number."""
    found = [each for each in records if each["object"] == "invoice" and each["status"] in {"open", "paid"}]
    return {each["number"]: each for each in found}


def connected_to(box: Sandbox, cli: Callable[..., Any], home: Path) -> Clinic:
    """A clinic whose invoices can go, at a local Xero of its own."""
    sign_in(box.url, home)
    clinic = Clinic(cli, box, home)
    clinic.takes(*TAX_RATES)
    cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    for rate, tax_type in RATE_LINKS:
        assert cli("taxes", "map", rate, tax_type).exit_code == 0
    clinic.forget_calls()
    return clinic


@pytest.fixture
def clinic(cli: Callable[..., Any], sandbox: Sandbox, connected: Path) -> Clinic:
    """A connected clinic without records, accounts or tax links."""
    return Clinic(cli, sandbox, connected)


@pytest.fixture(scope="session")
def ready_home(signed_in_home: Path, running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a clinic whose invoices can go, made once as a person does it; copied, never used itself."""
    folder = tmp_path_factory.mktemp("ready") / "home"
    shutil.copytree(signed_in_home, folder)
    export = folder.parent / "rates.jsonl"
    export.write_text("".join(json.dumps(rate) + "\n" for rate in TAX_RATES))
    for command in (
        ("import", str(export)),
        ("settings", "set", "--sales-account", "200", "--payment-account", "090"),
        *(("taxes", "map", rate, tax_type) for rate, tax_type in RATE_LINKS),
    ):
        done = CliRunner().invoke(app, command, env={"CASPEN_XERO_HOME": str(folder), "XERO_URL": running_sandbox.url})
        assert done.exit_code == 0, done.output
    return folder


def begins_anew(clinic: Clinic, ready_home: Path) -> Clinic:
    """The clinic as `ready` gives it, whatever was before, as each example of a property needs it: nothing is in Xero."""
    clinic.control("reset")
    shutil.rmtree(clinic.home, ignore_errors=True)
    (clinic.home.parent / "caspen-updates.jsonl").unlink(missing_ok=True)
    shutil.copytree(ready_home, clinic.home)
    return clinic


@pytest.fixture
def ready(cli: Callable[..., Any], sandbox: Sandbox, ready_home: Path, home: Path) -> Clinic:
    """A connected clinic with a sales account, and GST and GST free linked: invoices can go."""
    shutil.copytree(ready_home, home)
    return Clinic(cli, sandbox, home)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes at once: the seconds that would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr("caspen_xero.sync.sending.push.Journal", partial(Journal, sleep=waited.append))
    monkeypatch.setattr("caspen_xero.xero.client.XeroClient", partial(XeroClient, sleep=waited.append))
    return waited
