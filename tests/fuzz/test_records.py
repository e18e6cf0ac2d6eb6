"""Records as no clinic writes them, in every form: whatever comes, the books are right, and what is good goes on.

A small clinic's export is changed at some places, imported and pushed, then imported and pushed once more as it was. After each
push the books are held against what was read: no traceback, no money that Caspen does not speak of, and no finalised invoice that
stands nowhere.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import loopback
import pytest
from clinics import EFTPOS, TAX_RATES, client, credit_note, invoice, line, payment
from conftest import Cli, Result
from fuzzing import EXIT_CODES, corpus, fuzz, places, pool, written
from hypothesis import strategies as st
from pushing import Clinic

from caspen_xero.sandbox.server import Sandbox
from tests.caspen.caspen_server import Answer, CaspenServer, SeenRequest
from tests.caspen.export_forms import CSV_FILES, CSV_INSIDE, write_csv

Record = dict[str, Any]
LATER = "2026-12-01T00:00:00Z"

CLINIC: list[Record] = [
    *TAX_RATES,
    EFTPOS,
    client("1048237", email="nell@example.org", phone_number="+61400000001", address={"line1": "1 High St", "city": "Sydney"}),
    client("1048238", "Ana", "Lee"),
    {"object": "contact", "id": "con_77", "type": "plan_manager", "company": "Plan Partners", "email": "ap@example.org"},
    invoice("INV-0001", [line("150.00", discount=("percentage", "10")), line("12.50", "2", discount=("fixed", "5.00"))]),
    invoice("INV-0002", [line("200.00")], client_id="1048238", invoice_to_id="con_77"),
    invoice("INV-0003", [line("99.95", "1.25", rate="tax_free")], tax_mode="inclusive"),
    invoice("INV-0004", [line("80.00", rate=None)], client_id="1048238", tax_mode="none"),
    invoice("INV-0005", [line("60.00")], status="paid"),
    payment("100.00", ("inv_INV-0001", "60.00"), ("inv_INV-0003", "40.00"), id_="pay_1"),
    payment("66.00", ("inv_INV-0005", "66.00"), id_="pay_2"),
    payment("30.00", ("inv_INV-0002", "20.00"), id_="pay_3"),
    payment("15.00", id_="pay_4"),
    payment("22.00", ("inv_INV-0004", "22.00"), id_="pay_5", status="void"),
    credit_note("CN-0001", [line("40.00")], invoice_id="inv_INV-0002"),
]  # fmt: skip
FORMS = ("JSON Lines", "array", "page", "CSV", "HTTP")


@dataclass(frozen=True)
class Change:
    """One thing done to the export: at a place of a record `set`, `drop`, or the whole record `double`d with that change."""

    deed: str
    record: int
    place: tuple[Any, ...] = ()
    value: Any = None


def applied(records: list[Any], change: Change) -> list[Any]:
    """The export with that change; where an earlier one took the place away, as it was."""
    found = json.loads(json.dumps(records[change.record]))
    inner = found
    try:
        for step in change.place[:-1]:
            inner = inner[step]
        if change.deed == "drop":
            del inner[change.place[-1]]
        elif change.place:
            inner[change.place[-1]] = change.value
        else:
            found = change.value
    except (KeyError, IndexError, TypeError):
        return records
    if change.deed == "double":
        return [*records, found]
    return [*records[: change.record], found, *records[change.record + 1 :]]


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """A few changes, most of them to invoices and money."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        number = draw(st.integers(0, len(CLINIC) - 1))
        place = draw(st.sampled_from([(), *places(CLINIC[number])]))
        names = [step for step in place if isinstance(step, str)]
        odd = draw(st.sampled_from(pool("" if not names or not isinstance(place[-1], str) else names[-1])))
        deed = draw(st.sampled_from(("set", "set", "set", "double", "drop" if place else "set")))
        made.append(Change(deed, number, place, odd))
    return made


# --- the forms


def _jsonl(folder: Path, records: list[Any]) -> Path:
    return _file(folder / "export.jsonl", "".join(written(record) + "\n" for record in records))


def _array(folder: Path, records: list[Any]) -> Path:
    return _file(folder / "export.json", written(records))


def _page(folder: Path, records: list[Any]) -> Path:
    return _file(folder / "export.json", written({"data": records, "links": {"next": None}}))


def _csv(folder: Path, records: list[Any]) -> Path:
    """What can stand in CSV of it: each value as the text that it is."""
    export = folder / "csv"
    export.mkdir()
    kinds = {
        str(kind): [one for one in records if isinstance(one, dict) and one.get("object") == kind] for kind in CSV_FILES
    }
    for kind, found in kinds.items():
        field, inside, owner = CSV_INSIDE.get(kind, ("", "", ""))
        if inside:
            parts = [
                {**part, owner: record.get("id")}
                for record in found
                for part in (record.get(field) if isinstance(record.get(field), list) else [])
                if isinstance(part, dict)
            ]
            write_csv(export / f"{inside}.csv", _texts(parts), owner)
        write_csv(
            export / f"{CSV_FILES[kind]}.csv",
            _texts([{k: v for k, v in one.items() if k != field} for one in found]),
            "id",
        )
    return export


def _texts(value: Any) -> Any:
    """The same as cells of CSV hold it: raw pieces as the text that they are."""
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return value.removeprefix("raw:") if isinstance(value, str) else value


FILES: dict[str, Callable[[Path, list[Any]], Path]] = {
    "JSON Lines": _jsonl,
    "array": _array,
    "page": _page,
    "CSV": _csv,
}


def _file(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8", newline="")
    return file


class Serving(CaspenServer):
    """Serves records of any shape, each in the list of the kind that it once was."""

    def __init__(self, records: list[tuple[str, Any]]) -> None:
        super().__init__([])
        self.takes(records)

    def takes(self, records: list[tuple[str, Any]]) -> None:
        self.records = {(kind, str(number)): record for number, (kind, record) in enumerate(records)}

    def answer(self, request: SeenRequest) -> Answer:
        kind = request.path.rpartition("/")[2].replace("-", "_").removesuffix("s")
        found = [record for (of, _), record in self.records.items() if of == kind]
        return Answer(200, written({"data": found, "links": {"prev": None, "next": None}}).encode())


# --- the run


@dataclass
class Run:
    """A ready clinic of its own for each case."""

    clinic: Clinic
    ready_home: Path
    folder: Path

    def begins(self) -> None:
        loopback.post(f"{self.clinic.sandbox.url}/sandbox/reset").raise_for_status()
        for place in (self.clinic.home, self.folder):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.ready_home, self.clinic.home)
        self.folder.mkdir()

    def does(self, *arguments: str | Path) -> Any:
        """A command with `--json`: one document, a documented exit code, and no defect."""
        result: Result = self.clinic.cli(*arguments, "--json")
        told = result.json
        assert result.exit_code in EXIT_CODES, result
        assert told.get("error", {}).get("code") != "defect", result
        assert result.exit_code not in (0, 3) or "error" not in told, result
        return told

    def reads(self, form: str, records: list[tuple[str, Any]]) -> Any:
        """Takes the records in, in that form."""
        if form != "HTTP":
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            return self.does("import", FILES[form](self.folder, [record for _, record in records]))
        with Serving(records) as caspen:
            self.clinic.cli("settings", "set", "--source", caspen.url)
            read = self.does("push", "--dry-run")
            self.clinic.cli("settings", "set", "--source", "")
        return read


@pytest.fixture
def run(
    cli: Cli, sandbox: Sandbox, ready_home: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("CASPEN_API_KEY", "key-1")
    return Run(Clinic(cli, sandbox, home), ready_home, tmp_path / "exports")


def held_against_the_store(clinic: Clinic) -> Iterator[str]:
    """What is wrong in Xero's books, by what the store has read."""
    state = clinic.whole_state()
    problems = {row["invoice_id"] for row in clinic.unsynced()}
    there = {one["InvoiceID"]: one for one in state["Invoices"]}
    linked = {row["caspen_id"]: row["xero_id"] for row in clinic.sql("SELECT * FROM links WHERE kind = 'invoice'")}
    numbers = Counter(one["InvoiceNumber"] for one in there.values() if one["Status"] not in ("VOIDED", "DELETED"))
    yield from (f"{number} is {times} times in Xero" for number, times in numbers.items() if times > 1)
    if len(set(linked.values())) < len(linked):
        yield "two invoices of Caspen's are one in Xero"
    for row in clinic.sql("SELECT * FROM invoices WHERE status IN ('open', 'paid')"):
        if row["id"] in problems:
            continue
        shown = there.get(linked.get(row["id"], ""))
        if shown is None:
            yield f"{row['number']!r} is finalised and stands nowhere"
        elif any(
            Decimal(row[ours]) != shown[name]
            for ours, name in (("subtotal", "SubTotal"), ("tax", "TotalTax"), ("total", "Total"))
        ):
            yield f"{row['number']!r} is not equal to the cent"
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in clinic.sql(
        "SELECT a.* FROM allocations a JOIN payments p ON p.id = a.payment_id WHERE p.status = 'allocated'"
    ):
        owed[linked.get(row["invoice_id"], "")] += Decimal(row["amount"])
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in state["Payments"]:
        if one["Status"] != "DELETED":
            paid[one["Invoice"]["InvoiceID"]] += one["Amount"]
    told = {linked.get(id_) for id_ in problems}
    yield from (f"{paid[id_]} is paid of {owed[id_]}" for id_ in paid if paid[id_] > owed[id_] and id_ not in told)


def held_against_the_clinic(clinic: Clinic, but: set[str]) -> Iterator[str]:
    """What is wrong in Xero's books, by the clinic as it is; `but`: the ids of invoices that are excused."""
    state = clinic.whole_state()
    problems = {row["invoice_id"] for row in clinic.unsynced()}
    there = {one["InvoiceNumber"]: one for one in state["Invoices"]}
    for record in CLINIC:
        if record["object"] == "invoice" and record["id"] not in problems | but:
            shown = there.get(record["number"])
            if shown is None or shown["Total"] != Decimal(record["total"]):
                yield f"{record['number']}: {record['total']} in Caspen, {shown and shown['Total']} in Xero"
        if record["object"] == "payment" and record["status"] == "allocated":
            for part in record["allocations"]:
                key = f"{record['id']}/{part['id']}"
                found = [
                    one["Amount"] for one in state["Payments"] if key in one["Reference"] and one["Status"] != "DELETED"
                ]
                if found != [Decimal(part["amount"])] and part["invoice_id"] not in problems | but:
                    yield f"payment {key} of {part['amount']} is in Xero as {found}"
                if sum(found) > Decimal(part["amount"]) and part["invoice_id"] not in problems:
                    yield f"payment {key} of {part['amount']} is in Xero as {found}, which nobody was told"


def concerned(made: list[Change]) -> set[str] | None:
    """The ids of the clinic's invoices that changes may concern; None where it may be all of them."""
    found: set[str] = set()
    values = {value for one in CLINIC for value in (one["id"], one.get("number"))}
    for change in made:
        record = CLINIC[change.record]
        if record["object"] not in ("invoice", "payment", "credit_note") or written(change.value).strip('"') in values:
            return None
        found |= {record["id"], str(record.get("invoice_id"))} | {
            one["invoice_id"] for one in record.get("allocations", ())
        }
    return found


def looked_at(run: Run, form: str, is_known: bool, made: list[Change]) -> None:
    """`is_known`: the clinic as it is was imported and pushed before."""
    run.begins()
    if is_known:
        run.reads(form, [(one["object"], one) for one in CLINIC])
        assert run.does("push")["synced"] == 5
    odd = CLINIC
    for change in made:
        odd = applied(odd, change)
    kinds = [one["object"] for one in CLINIC] + [CLINIC[one.record]["object"] for one in made if one.deed == "double"]
    read = run.reads(form, list(zip(kinds, odd, strict=False)))
    run.does("push")
    wrong = list(held_against_the_store(run.clinic))
    others = concerned(made)
    if "error" not in read and others is not None and form != "CSV":
        wrong += held_against_the_clinic(run.clinic, others)
    assert not wrong, wrong
    clean = [{**one, "updated_at": LATER} for one in CLINIC]
    assert "error" not in run.reads(form, [(one["object"], one) for one in clean])
    run.does("push")
    wrong = [*held_against_the_store(run.clinic), *held_against_the_clinic(run.clinic, set())]
    assert not wrong, wrong


def test_whatever_records_come_the_books_are_right(run: Run) -> None:
    fuzz(lambda case: looked_at(run, *case), st.tuples(st.sampled_from(FORMS), st.booleans(), changes()), examples=8)


@pytest.mark.parametrize("case", corpus("records"), ids=lambda file: file.stem)
def test_what_was_wrong_once_stays_right(case: Path, run: Run) -> None:
    told = json.loads(case.read_text("utf-8"))
    made = [Change(one["deed"], one["record"], tuple(one["place"]), one["value"]) for one in told["changes"]]
    for is_known in (False, True):
        looked_at(run, told["form"], is_known, made)
