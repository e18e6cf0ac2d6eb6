"""Text from outside in whatever we say: it forges no line of ours, moves no cursor, and fills no screen."""

from __future__ import annotations

import ast
import json
import re
import sys
import unicodedata
from collections.abc import Container
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, TAX_RATES, client, credit_note, invoice, line, payment
from conftest import Cli
from house import HOUSE, MODULES, tree_of
from httpx import Headers
from hypothesis import given
from hypothesis import strategies as st
from pushing import Clinic

from caspen_xero.outside_text import MOST, UNSEEN, plain, said
from caspen_xero.xero.transport import Answer, Transport

FORGING = (
    "\nError: forged\r\n  -> caspen-xero push forged\x85Warning: forged\u2028Error: forged\x1b[2J\x1b]0;forged\x07\x9b2J\x00"
    "\u202e\u2066\u061c\u200b\ufeff\U000e0041 [red]forged[/red] :boom:" + " " * 300 + "Error: forged"
)
HOSTILE = {"forging": FORGING, "long": "x" * 50_000}
FORGED = re.compile(r"\s*(Error: forged|Warning: forged|-> caspen-xero push forged)")
LONGEST_LINE, LONGEST_OUTPUT = 5_000, 60_000

COMMANDS = (
    ("push",),
    ("unsynced",),
    ("status",),
    ("invoices", "list"),
    ("pull",),
    ("drift",),
    ("reconcile",),
    ("payments", "list"),
    ("payments", "list", "--to-enter"),
    ("log",),
    ("log", "--warnings"),
    ("doctor",),
    ("taxes", "list"),
    ("settings", "show"),
    ("settings", "accounts"),
    ("push", "--dry-run"),
)


def is_ours(said: str) -> None:
    """Every line is one that we made."""
    for row in said.splitlines():
        assert not FORGED.match(row), row
        assert not UNSEEN.search(row.replace("\t", " ")), row  # a tab is between two cells of a list
        assert len(row) <= LONGEST_LINE
    assert len(said) <= LONGEST_OUTPUT


def whatever_is_said(clinic: Clinic, *more: tuple[str, ...]) -> None:
    for command in (*COMMANDS, *more):
        result = clinic.cli(*command)
        is_ours(result.stdout + "\n" + result.stderr)
    for command in (("push", "--dry-run"), ("unsynced",), ("invoices", "list"), ("drift",), ("doctor",)):
        told = clinic.cli(*command, "--json")
        json.loads(told.stdout)
        assert not UNSEEN.search(told.stdout.replace("\n", ""))


def records() -> list[dict[str, Any]]:
    """A clinic with one of each record, and with what goes wrong: a rate and a payer nobody knows, figures that don't add up."""
    taken = invoice("INV-0003", reference="for June", client_id="2")
    return [
        *deepcopy(TAX_RATES),
        {"object": "tax_rate", "id": "tax_new", "name": "New tax", "rate": "5", "archived": False},
        dict(EFTPOS),
        client("1048237", email="nell@example.com", address={"line_1": "1 High St", "city": "Perth"}),
        client("2", "Bo", "Li"),
        {"object": "contact", "id": "con_1", "name": "Fund", "email": "fund@example.com"},
        invoice("INV-0001", [line("200.00")], reference="ref", discount=None),
        invoice("INV-0002", [line("200.00", rate="tax_new")]),
        taken,
        invoice("INV-0004", client_id="unknown"),
        invoice("INV-0005", subtotal="1.00", tax="0.00", total="1.00"),
        invoice("INV-0006", [line("10.00", rate="tax_unknown")]),
        payment("50.00", ("inv_INV-0001", "50.00")),
        payment("20.00", ("inv_INV-0003", "20.00"), id_="pay_2", xero_id="nonsense"),
        credit_note("CN-0001"),
    ]


def planted(value: Any, text: str, meant: Container[str], key: str = "") -> Any:
    """A record with the text at the end of every field that is meant."""
    if isinstance(value, dict):
        return {name: planted(inner, text, meant, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [planted(inner, text, meant, key) for inner in value]
    return value + text if isinstance(value, str) and key in meant else value


NAMES = {"name", "first_name", "last_name", "email", "line_1", "city", "description", "reference", "reason", "xero_id"}
IDS = {"id", "client_id", "invoice_id", "method_id", "tax_rate_id"}
DATA = {
    "date",
    "issue_date",
    "due_date",
    "amount",
    "total",
    "quantity",
    "rate",
    "status",
    "currency",
    "tax_mode",
    "updated_at",
}
PLANTS = {"names": NAMES | {"number"}, "ids": IDS, "all": NAMES | IDS | {"number"}, "data": DATA, "kinds": {"object"}}


def imported(clinic: Clinic, feed: list[dict[str, Any]]) -> None:
    file = clinic.home.parent / "export.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in feed))
    for format_ in ((), ("--json",)):
        result = clinic.cli("import", file, *format_)
        if format_:
            json.loads(result.stdout)
        else:
            is_ours(result.stdout + "\n" + result.stderr)


@pytest.mark.parametrize(("text", "plant"), [*(("forging", plant) for plant in PLANTS), ("long", "all")])
def test_no_field_of_caspens_forges_a_line(ready: Clinic, text: str, plant: str) -> None:
    feed = records()
    imported(ready, [planted(record, HOSTILE[text], PLANTS[plant]) for record in feed])
    whatever_is_said(
        ready, ("invoices", "show", "INV-0001" + HOSTILE[text]), ("invoices", "skip", "INV-0002" + HOSTILE[text])
    )


WORDS_OF_XERO = {
    "Name",
    "LegalName",
    "Message",
    "Reference",
    "Description",
    "Detail",
    "Title",
    "tenantName",
    "ShortCode",
}


@dataclass
class Words:
    """What Xero puts at the end of every word of its own; and the status with which it answers all, where it is not 200."""

    text: str = ""
    status: int = 200
    as_page: bool = False


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    words = Words()
    request = Transport.request

    def asked(*arguments: Any, **more: Any) -> Answer:
        answer = request(*arguments, **more)
        if not words.text or more.get("brings_secrets"):
            return answer
        said = {"Title": words.text, "Detail": f"No. {words.text}", "Message": words.text, "Type": words.text}
        told = planted(json.loads(answer.body), words.text, WORDS_OF_XERO) if words.status == 200 else said
        body = f"<p>No{words.text}</p>" if words.as_page else json.dumps(told)
        headers = (
            {**answer.headers, "content-type": "text/html" + words.text[-50:].encode("ascii", "ignore").decode()}
            if words.as_page
            else answer.headers
        )
        return Answer(words.status, Headers(headers), body.encode())

    monkeypatch.setattr(Transport, "request", asked)
    return words


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.usefixtures("waits")
def test_no_word_of_xeros_forges_a_line(ready: Clinic, words: Words, text: str) -> None:
    by_hand = {"Type": "ACCREC", "Contact": {"Name": "Bo"}, "Date": "2026-11-01", "DueDate": "2026-12-01"}
    lines = [{"Description": "x", "UnitAmount": 5, "AccountCode": "200"}]
    ready.put_in_xero("Invoices", **by_hand, InvoiceNumber="INV-0003", LineItems=lines, Status="AUTHORISED")
    ready.takes(*records())
    ready.push()
    in_xero.pays(ready, "INV-0001", "10.00")
    in_xero.edits(ready, "INV-0001", Reference="edited")
    ready.takes(
        invoice("INV-0001", [line("210.00")], updated_at="2026-11-20T00:00:00Z"),
        invoice("INV-0007", [line("99999999.00", "200")], client_id="2"),
    )
    words.text = HOSTILE[text][:1_000]
    whatever_is_said(
        ready,
        ("pull", "--full"),
        ("push", "--refresh"),
        ("invoices", "show", "INV-0001"),
        ("invoices", "show", "INV-0007"),
        ("invoices", "link", "INV-0003", "x" + HOSTILE[text]),
        ("settings", "set", "--sales-account", "cash" + HOSTILE[text]),
        ("taxes", "map", "GST" + HOSTILE[text], "OUTPUT"),
        ("taxes", "map", "GST", "OUT" + HOSTILE[text]),
    )
    for words.as_page in (False, True):
        for words.status in (400, 401, 403, 404, 500):
            said = ready.cli("push", "--refresh")
            is_ours(said.stdout + "\n" + said.stderr)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_argument_and_no_file_forges_a_line(ready: Clinic, tmp_path: Path, text: str) -> None:
    odd = HOSTILE[text]
    name = re.sub(r"[\0/]", "", odd)[:100]
    (tmp_path / name).mkdir()
    (tmp_path / name / f"export{name}.jsonl").write_text('{"object": "client", "id": ')
    for arguments in (
        ("import", tmp_path / name),
        ("import", tmp_path / name / f"export{name}.jsonl"),
        ("import", odd),
        ("settings", "set", "--source", odd),
        ("settings", "set", "--source", f"http://{odd}"),
        ("settings", "set", "--start-date", odd),
        ("settings", "set", "--payment-method", odd),
        ("invoices", "list", "--status", odd),
        ("invoices", "show", odd),
        ("status", "--max-age", odd),
        ("status", "--workspace", odd),
        ("log", "--invoice", odd),
        ("push", "INV-0001", odd),
        ("backup", tmp_path / name / "copy"),
        ("restore", tmp_path / name / "none"),
        ("taxes", "unmap", odd),
        ("connect", "--client-id", odd, "--custom-connection"),
        (odd,),
        ("push", f"--{odd}"),
        ("push", "--max-writes", odd),
        ("invoices", odd),
        ("invoices", "show", "INV-0001", odd),
    ):
        result = ready.cli(*arguments)
        is_ours(result.stdout + "\n" + result.stderr)


@pytest.mark.parametrize(
    "variable", ["XERO_URL", "CASPEN_XERO_HOME", "CASPEN_API_KEY_FILE", "SSL_CERT_FILE", "HTTPS_PROXY"]
)
def test_no_value_of_the_environment_forges_a_line(cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for text in HOSTILE.values():
        monkeypatch.setenv(variable, "/nowhere" + text.replace("\0", "")[:3_000])
        for arguments in (
            ("status",),
            ("connect", "--client-id", "X"),
            ("settings", "set", "--source", "https://x.example"),
        ):
            result = cli(*arguments)
            is_ours(result.stdout + "\n" + result.stderr)


# The piece by itself


@given(st.text(), st.text(alphabet=st.characters()))
def test_a_piece_is_one_short_line_without_what_nobody_sees(first: str, second: str) -> None:
    for text in (first, second, f"{first}\nError: {second}", (first or "x") * 1_000):
        told = plain(text)
        assert len(told) <= MOST + 10
        assert told.splitlines() in ([told], [])
        assert not UNSEEN.search(told)
        assert "  " not in told
        assert not re.search(r"(Error|Warning): |->|caspen-xero ", told)
        quoted = said(text)
        assert quoted[0] == quoted[-1]
        assert quoted[0] not in quoted[1:-1]


@pytest.mark.parametrize(
    "name", ["Nell O'Brien-Smith", "診療所 №1", "אבג", "Zoë", "INV-0042/7", "a@b.example", "50 % off: x"]
)
def test_what_people_write_is_shown_as_it_is(name: str) -> None:
    assert plain(name) == name


def test_every_character_that_nobody_sees_is_known() -> None:
    unseen = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    every = (chr(number) for number in range(sys.maxunicode + 1))
    assert not [hex(ord(one)) for one in every if unicodedata.category(one) in unseen and not UNSEEN.match(one)]


def test_ten_million_characters_are_not_printed(ready: Clinic) -> None:
    long = "x" * 10_000_000
    export = ready.home.parent / "long.json"
    records = (client("1048237"), invoice("INV-0001"), invoice("INV-0002", id=long), invoice(long, id="inv_3"))
    export.write_text(json.dumps(records))
    for arguments in (
        ("import", str(export)),
        ("import", str(export), "--json"),
        ("push", "--json"),
        ("unsynced", "--json"),
        ("invoices", "list", "--json"),
        ("unsynced",),
        ("invoices", "list"),
        ("invoices", "show", long),
        ("status",),
        ("push", "--dry-run"),
    ):
        result = ready.cli(*arguments)
        is_ours(result.stdout + "\n" + result.stderr)
    assert set(ready.in_xero()) == {"INV-0001"}
    rows = {row["number"] or row["invoice_id"]: row for row in ready.unsynced()}
    assert {name: row["code"] for name, row in rows.items()} == {"INV-0002": "bad-record", "inv_3": "bad-record"}
    assert all(len(row["reason"]) < 1_000 for row in rows.values())


# Nobody forgets it

OUTSIDE = {
    *(
        "name",
        "number",
        "reference",
        "tenant_name",
        "caspen_id",
        "payment_id",
        "invoice_id",
        "invoice_number",
        "tenant_id",
    ),
    *(
        "xero_id",
        "xero_url",
        "client_id",
        "currency",
        "currency_code",
        "email",
        "description",
        "filename",
        "source",
        "tax_type",
    ),
}
"""What holds text from outside, or a name made of it."""
OUR_OWN = {
    *("line.number", "row.number", "first.number", "self.number", "doubtful.number"),
    *("store.name", "old.name", "before.name", "self._store.name", "arrival.description"),
    *("place.name", "other.name", "job.description"),
}
"""Numbers of lines and rows; names of places where tokens are kept; OAuth's words, made safe by `oauth_words` when they came; what
runs a schedule, and which workspace it is for."""
NO_MESSAGE = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY)\b")
MADE_ELSEWHERE = ("sandbox", "cli/demo.py", "xero/callback_page.py", "sync/planning/payment_references.py")
"""Another program; a demo with texts of its own; a page of HTML, escaped; what is sent to Xero."""


def test_no_message_has_a_piece_from_outside_as_it_is() -> None:
    bare = []
    for name, file in MODULES.items():
        if str(file.relative_to(HOUSE)).startswith(MADE_ELSEWHERE):
            continue
        for text in (node for node in ast.walk(tree_of(file)) if isinstance(node, ast.JoinedStr)):
            words = "".join(str(part.value) for part in text.values if isinstance(part, ast.Constant))
            if " " not in words or NO_MESSAGE.search(words):
                continue
            pieces = [part.value for part in text.values if isinstance(part, ast.FormattedValue)]
            bare += [
                (name, ast.unparse(piece))
                for piece in pieces
                if isinstance(piece, ast.Attribute) and piece.attr in OUTSIDE
            ]
    assert {piece for piece in bare if piece[1] not in OUR_OWN} == set()


def test_marks_are_not_stacked_over_other_lines() -> None:
    assert plain("Z" + "\u0301" * 500 + "oe 診療所") == "Z" + "\u0301" * 4 + "oe 診療所"
