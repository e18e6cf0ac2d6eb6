"""The figures of a dry run are those of the push that follows: by kind, account and tax rate, to the cent, and what stays out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bookkeeping import killed_at
from clinics import CASH, EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic
from test_lifecycle import Story

from caspen_xero.store.store import Store

GONE = ("VOIDED", "DELETED")
COUNTED = {
    "synced": "create-invoice",
    "updated": "update-invoice",
    "voided": "void-invoice",
    "payments": "create-payment",
    "payments_deleted": "delete-payment",
    "credit_notes": "create-credit-note",
    "allocations": "allocate-credit-note",
    "contacts_created": "create-contact",
    "contacts_linked": "link-contact",
    "contacts_updated": "update-contact",
}
LINKED = {"link-contact", "keep-invoice", "adopt-payment", "note-removed-payment", "adopt-allocation"}
"""Steps by which only the store learns something."""
State = Mapping[str, list[dict[str, Any]]]


class Books:
    """What has come into Xero's books between two states of them."""

    def __init__(self, before: State, after: State) -> None:
        self.before, self.after = before, after

    def new(self, kind: str, key: str) -> list[dict[str, Any]]:
        """The documents that were not there before."""
        known = {one[key] for one in self.before[kind]}
        return [one for one in self.after[kind] if one[key] not in known]

    def gone(self, kind: str, key: str) -> list[dict[str, Any]]:
        """Those that are void or deleted now, and were not."""
        known = {one[key] for one in self.before[kind] if one["Status"] in GONE}
        return [one for one in self.after[kind] if one["Status"] in GONE and one[key] not in known]

    def allocated(self) -> Decimal:
        """What new allocations of credit notes come to."""
        known = {one["AllocationID"] for note in self.before["CreditNotes"] for one in note["Allocations"]}
        each = (one for note in self.after["CreditNotes"] for one in note["Allocations"])
        return sum((one["Amount"] for one in each if one["AllocationID"] not in known), Decimal(0))


def net(document: Mapping[str, Any], item: Mapping[str, Any]) -> Decimal:
    """A line without its tax."""
    amount, tax = item["LineAmount"], item.get("TaxAmount") or Decimal(0)
    return Decimal(amount - tax if document["LineAmountTypes"] == "Inclusive" else amount)


def by_rate(documents: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, Decimal, Decimal]]:
    """Lines, net and tax by tax type."""
    found: defaultdict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for document in documents:
        for each in document["LineItems"]:
            taxed = document["LineAmountTypes"] != "NoTax"
            tax = each.get("TaxAmount") or Decimal(0) if taxed else Decimal(0)
            found[each["TaxType"] if taxed else ""].append((net(document, each), tax))
    return {rate: (len(each), sum(n for n, _ in each), sum(t for _, t in each)) for rate, each in found.items()}


def money(sums: Mapping[str, str]) -> Decimal:
    """What a sum in Australian dollars comes to; there is no other."""
    assert set(sums) <= {"AUD"}
    return Decimal(sums.get("AUD", "0"))


def told_sum(summary: Mapping[str, Any], kind: str) -> Decimal:
    return money(summary["kinds"].get(kind, {"sums": {}})["sums"])


def told_rates(summary: Mapping[str, Any], what: str) -> dict[str, tuple[int, Decimal, Decimal]]:
    found: dict[str, tuple[int, Decimal, Decimal]] = {}
    for row in summary["tax_rates"]:
        if row["for"] == what:
            number, without, tax = found.get(row["tax_type"] or "", (0, Decimal(0), Decimal(0)))
            more = (number + row["lines"], without + money(row["net"]), tax + money(row["tax"]))
            found[row["tax_type"] or ""] = more
    return found


def written(clinic: Clinic) -> Counter[str]:
    """The documents that the log has, by kind of step."""
    return Counter(row["operation"] for row in clinic.cli("log", "--limit", "1000000", "--json").json["log"])


def dry_run_and_push(clinic: Clinic) -> None:
    """Everything that the dry run has said is what the push then does."""
    planned = clinic.push("--dry-run").json
    before, logged = clinic.whole_state(), written(clinic)
    pushed = clinic.push()
    assert pushed.exit_code == 0
    after = clinic.whole_state()
    summary, steps = planned["summary"], Counter(step["operation"] for step in planned["plan"])
    assert {kind: number for kind, number in steps.items() if kind not in LINKED} == written(clinic) - logged
    assert {kind: told["number"] for kind, told in summary["kinds"].items()} == steps
    assert {key: steps[kind] for key, kind in COUNTED.items()} == {key: pushed.json[key] for key in COUNTED}
    books = Books(before, after)
    invoices, notes = books.new("Invoices", "InvoiceID"), books.new("CreditNotes", "CreditNoteID")
    payments = books.new("Payments", "PaymentID")
    assert told_sum(summary, "create-invoice") == sum(one["Total"] for one in invoices)
    assert told_sum(summary, "create-credit-note") == sum(one["Total"] for one in notes)
    assert told_sum(summary, "create-payment") == sum(one["Amount"] for one in payments)
    assert told_sum(summary, "allocate-credit-note") == books.allocated()
    assert told_sum(summary, "delete-payment") == sum(one["Amount"] for one in books.gone("Payments", "PaymentID"))
    assert told_rates(summary, "invoice-lines") == by_rate(invoices)
    assert told_rates(summary, "credit-note-lines") == by_rate(notes)
    accounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in summary["accounts"]:
        if row["for"] == "payments":
            accounts[row["account_id"]] += money(row["sums"])
    in_xero: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in payments:
        in_xero[one["Account"]["AccountID"]] += one["Amount"]
    assert accounts == in_xero
    if invoices:
        days = sorted(one["DateString"][:10] for one in invoices)
        told = summary["kinds"]["create-invoice"]
        assert (told["oldest"], told["newest"]) == (days[0], days[-1])


@pytest.mark.parametrize(("seed", "together"), [(1, 1000), (2, 4)])
def test_the_figures_of_a_dry_run_are_those_of_the_push(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, seed: int, together: int
) -> None:
    monkeypatch.setattr("caspen_xero.sync.sending.push.SLICE", together)
    story = Story(ready, seed, 12)
    for _ in range(3):
        dry_run_and_push(ready)
        story.life.happens(12)
        story.export()
        ready.push("--max-writes", str(story.random.randint(0, 8)))  # leaves drafts, say, for the next one to approve


def test_as_many_are_approved_as_prove_that_half_cents_are_kept(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{place:04d}", [line("0.05")]) for place in range(53)))
    dry_run_and_push(ready)
    assert written(ready)["authorise-invoice"] == 50


def test_a_client_is_counted_once_however_many_invoices_are_looked_at_together(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.sync.sending.push.SLICE", 1)
    ready.put_in_xero("Contacts", Name="Mei Tanaka (Caspen 00002)")
    people = [client("1"), client("3"), client("2", "Mei", "Tanaka"), client("5", "Mei", "Tanaka (Caspen 00002)")]
    ready.takes(*people, *(invoice(f"INV-{place:04d}", client_id=str(place % 3 + 1)) for place in range(6)))
    ready.takes(invoice("INV-0007", client_id="5"))
    dry_run_and_push(ready)


# --- what goes and what stays out are all that there is

STRANGE = {"object": "tax_rate", "id": "tax_other", "name": "NDIS", "rate": "5"}


def any_clinic(random: Random) -> list[dict[str, Any]]:
    """Invoices of which some can go and some can't, for many reasons, with payments and credit notes on them."""
    records: list[dict[str, Any]] = []
    for place in range(1, 25):
        price = f"{random.randint(100, 90000) / 100:.2f}"
        one = invoice(
            f"INV-{place:04d}",
            [
                line(
                    random.choice([price] * 7 + ["-5.00"]),
                    rate=random.choice(["tax_gst"] * 4 + ["tax_free", "tax_other"]),
                )
            ],
            client_id=random.choice(["1048237", "1048237", "1048238", "9"]),
            status=random.choice(["open"] * 6 + ["draft", "void"]),
            issue_date=random.choice(["2026-11-02"] * 5 + ["2026-06-30"]),
            currency=random.choice(["AUD"] * 5 + ["NZD"]),
        )
        records.append(one)
        key = f"inv_INV-{place:04d}"
        if random.random() < 0.4:
            method = {"method_id": "pmt_cash"} if random.random() < 0.5 else {}
            records.append(payment("1.00", (key, "1.00"), id_=f"pay_{place}", **method))
        if random.random() < 0.4:
            note = credit_note(f"CN-{place:04d}", [line("0.50")], invoice_id=key, currency=one["currency"])
            records.append({**note, "status": random.choice(["issued", "issued", "void"])})
    return records


Sums = dict[str, tuple[int, Decimal]]


def added_up(rows: Iterable[tuple[str, Decimal]]) -> Sums:
    """By currency how many, and what they come to."""
    found: defaultdict[str, list[Decimal]] = defaultdict(list)
    for currency, amount in rows:
        found[currency].append(amount)
    return {currency: (len(amounts), sum(amounts, Decimal(0))) for currency, amounts in found.items()}


def told_in_all(*tallies: Mapping[str, Any]) -> tuple[int, dict[str, Decimal]]:
    """What several figures of a dry run come to together: how many, and by currency how much."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for tally in tallies:
        for currency, amount in tally["sums"].items():
            sums[currency] += Decimal(amount)
    return sum(tally["number"] for tally in tallies), dict(sums)


@pytest.mark.parametrize("seed", range(4))
def test_what_goes_waits_and_stays_out_is_all_that_is_not_in_xero(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("caspen_xero.sync.sending.push.SLICE", (1000, 5)[seed % 2])
    random = Random(seed)
    records = any_clinic(random)
    ready.takes(EFTPOS, CASH, STRANGE, client("1048237"), client("1048238", "Mei", "Tanaka"), *records)
    ready.cli("settings", "set", "--start-date", "2026-07-01", *random.choice([(), ("--invoice-status", "draft")]))
    aside = random.sample([one["number"] for one in records if one["object"] == "invoice"], 3)
    for number in aside:
        assert ready.cli("invoices", "skip", number).exit_code == 0
    invoices = {one["id"]: one for one in records if one["object"] == "invoice"}
    due = {
        id_
        for id_, one in invoices.items()
        if one["status"] == "open" and one["issue_date"] > "2026-07-01" and one["number"] not in aside
    }
    for _ in range(3):
        told = ready.push("--dry-run").json["summary"]
        there = ready.in_xero()
        absent = [one for one in invoices.values() if one["number"] not in there]
        goes = [told["kinds"][kind] for kind in ("create-invoice",) if kind in told["kinds"]]
        number, sums = told_in_all(*goes, *told["invoices_kept_back"].values(), *told["left_out"].values())
        expected = added_up((one["currency"], Decimal(one["total"])) for one in absent)
        assert number == len(absent)
        assert sums == {currency: amount for currency, (_, amount) in expected.items()}
        known = {note["CreditNoteNumber"] for note in ready.state("CreditNotes")}
        notes = [
            one
            for one in records
            if one["object"] == "credit_note" and one["status"] == "issued" and one["invoice_id"] in due
            if one["number"] not in known
        ]
        goes = [told["kinds"][kind] for kind in ("create-credit-note",) if kind in told["kinds"]]
        assert told_in_all(*goes, *told["credit_notes_kept_back"].values())[0] == len(notes)
        paid = {one["Reference"].split()[1].split("/")[0] for one in ready.state("Payments")}
        payments = [
            one
            for one in records
            if one["object"] == "payment" and one["allocations"][0]["invoice_id"] in due and one["id"] not in paid
        ]
        goes = [told["kinds"][kind] for kind in ("create-payment",) if kind in told["kinds"]]
        assert told_in_all(*goes, *told["payments_kept_back"].values())[0] == len(payments)
        assert told["codes"] == {code: tally["number"] for code, tally in told["problems"].items()}
        ready.push("--max-writes", str(random.randint(1, 12)))


def test_credit_notes_stay_out_with_their_invoice_and_that_is_said(ready: Clinic) -> None:
    ready.takes(STRANGE, client("1048237"), invoice("INV-0001", [line("70.00", rate="tax_other")]), credit_note())
    assert ready.push("--dry-run").json["summary"]["credit_notes_kept_back"] == {
        "problem": {"number": 1, "sums": {"AUD": "44.00"}, "oldest": "2026-11-05", "newest": "2026-11-05"}
    }
    shown = " ".join(ready.cli("push", "--dry-run").stdout.split())
    assert "credit notes: something is wrong, see below 1 44.00 AUD" in shown


# --- what a person sees


def odd(ready: Clinic) -> None:
    """A clinic of which some can go, and some can't for every reason that there is."""
    ready.takes(
        EFTPOS,
        CASH,
        {"object": "tax_rate", "id": "tax_other", "name": "NDIS", "rate": "5"},
        client("1048237"),
        invoice("INV-0001", [line("1000.00"), line("50.00", rate="tax_free")], issue_date="2026-10-09"),
        invoice("INV-0002", [line("11.00"), line("5.00", rate=None)], tax_mode="inclusive"),
        invoice("INV-0003", [line("20.00")], tax_mode="none", currency="AUD"),
        invoice("INV-0004", [line("70.00", rate="tax_other")]),
        invoice("INV-0005", status="draft"),
        invoice("INV-0006", status="void"),
        invoice("INV-0007", issue_date="2026-06-30"),
        invoice("INV-0008"),
        payment("110.00", ("inv_INV-0001", "100.00"), ("inv_INV-0002", "10.00")),
        payment("20.00", ("inv_INV-0003", "20.00"), id_="pay_2", method_id="pmt_cash"),
        payment("7.00", ("inv_INV-0004", "7.00"), id_="pay_3"),
        credit_note(),
    )
    ready.cli("settings", "set", "--start-date", "2026-07-01", "--payment-method", "Cash=855")
    ready.cli("invoices", "skip", "INV-0008")


SEEN = """\
To Demo Company (AU)    Number       Sum       Oldest      Newest
─────────────────────────────────────────────────────────────────────
Invoices to create           3  1,186.00  AUD  2026-10-09  2026-11-02
Payments to create           3    130.00  AUD  2026-11-03  2026-11-03
Credit notes to create       1     44.00  AUD  2026-11-05  2026-11-05
Allocations to make          1     44.00  AUD  2026-11-05  2026-11-05
Contacts to create           1


Account                       What goes there    Number       Sum
──────────────────────────────────────────────────────────────────────
200 Sales                     invoices, net           5  1,085.00  AUD
200 Sales                     credit notes, net       1     40.00  AUD
855 Card and HICAPS Clearing  Cash payments           1     20.00  AUD
090 Business Bank Account     EFTPOS payments         2    110.00  AUD


Caspen rate         Tax type      Lines of      Number       Net     GST
─────────────────────────────────────────────────────────────────────────────
prices without GST                invoices           1     20.00    0.00  AUD
no tax              BASEXCLUDED   invoices           1      5.00    0.00  AUD
GST free (0 %)      EXEMPTOUTPUT  invoices           1     50.00    0.00  AUD
GST (10 %)          OUTPUT        invoices           2  1,010.00  101.00  AUD
GST (10 %)          OUTPUT        credit notes       1     40.00    4.00  AUD


Would stay out                               Number     Sum
────────────────────────────────────────────────────────────────
invoices: something is wrong, see below           1   70.00  AUD
invoices set aside                                1  165.00  AUD
drafts in Caspen                                  1  165.00  AUD
void in Caspen, never sent                        1  165.00  AUD
invoices before the start date (2026-07-01)       1  165.00  AUD
payments: something is wrong, see below           1    7.00  AUD


Problems, and why some wait  Invoices    Sum
─────────────────────────────────────────────────
tax-rate-not-linked                 1  70.00  AUD

What to do:
"""


def test_a_dry_run_can_be_judged_on_a_narrow_screen(ready: Clinic, screen: Callable[..., Any]) -> None:
    odd(ready)
    shown = screen("push", "--dry-run", columns=80)
    assert shown.exit_code == 3
    marking, _, below = shown.screen.lstrip("\n").partition("\n")
    assert marking.startswith("[Demo Company (AU): local Xero at ")
    assert below.lstrip("\n").startswith(SEEN)
    assert shown.screen.endswith("\n9 steps; nothing was written to Xero.\n1 invoice would not be wholly in Xero.\n")
    assert ready.in_xero() == {}


@pytest.mark.parametrize(
    ("settings", "kept_back"),
    [
        (("--payments", "off"), {"payments-off": 3}),
        (("--invoice-status", "draft"), {"waits": 2, "problem": 1}),
        ((), {"from-xero": 1, "problem": 1}),
    ],
)
def test_payments_that_stay_out_are_counted_with_the_reason(
    ready: Clinic, settings: tuple[str, ...], kept_back: dict[str, int]
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002", [line(rate="tax_other")]))
    ready.takes({"object": "tax_rate", "id": "tax_other", "name": "NDIS", "rate": "5"})
    ready.takes(payment("30.00", ("inv_INV-0001", "10.00"), ("inv_INV-0001", "20.00")))
    ready.takes(payment("5.00", ("inv_INV-0002", "5.00"), id_="pay_2"))
    if settings:
        ready.cli("settings", "set", *settings)
    else:
        ready.takes(payment("30.00", ("inv_INV-0001", "30.00"), xero_id="8a1cbc10-1f5e-4f4e-9d3f-2f0f9f3f0f0f"))
    told = ready.push("--dry-run").json["summary"]
    assert {why: tally["number"] for why, tally in told["payments_kept_back"].items()} == kept_back
    assert "create-payment" not in told["kinds"]


def test_forty_steps_are_shown_and_all_with_all(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{place:04d}") for place in range(60)))
    shown = ready.cli("push", "--dry-run")
    assert shown.stdout.count("\ncreate invoice ") == 39
    assert "\n... and 21 more: --all shows them\n61 steps; " in shown.stdout
    whole = ready.cli("push", "--dry-run", "--all")
    assert whole.stdout.count("\ncreate invoice ") == 60
    assert "more" not in whole.stdout
    assert len(ready.push("--dry-run").json["plan"]) == 61


def test_forty_things_to_do_are_shown_and_all_with_all(ready: Clinic) -> None:
    ready.takes(client("1048237"), *(invoice(f"INV-{place:04d}", [line("-5.00")]) for place in range(50)))
    shown = ready.cli("push", "--dry-run")
    assert shown.stdout.count("negative-total: ") == 40
    assert "\n... and 10 more: --all shows them\n" in shown.stdout
    assert ready.cli("push", "--dry-run", "--all").stdout.count("negative-total: ") == 50


def test_all_is_no_way_to_send(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    refused = ready.cli("push", "--all")
    assert (refused.exit_code, "caspen-xero push --dry-run --all" in refused.stderr) == (2, True)
    assert ready.in_xero() == {}


def test_where_there_is_nothing_to_send_that_is_said(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    assert "There is nothing to send" not in ready.cli("push", "--dry-run").stdout
    assert ready.push().exit_code == 0
    shown = ready.cli("push", "--dry-run")
    assert shown.stdout == "There is nothing to send to Demo Company (AU).\n0 steps; nothing was written to Xero.\n"


def test_before_anything_is_imported_that_is_said(ready: Clinic) -> None:
    shown = ready.cli("push", "--dry-run")
    assert "No invoice has been imported yet: caspen-xero import PATH\n" in shown.stdout


def test_without_a_connection_a_dry_run_says_so(cli: Callable[..., Any], home: Path) -> None:
    refused = cli("push", "--dry-run")
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "caspen-xero connect" in refused.stderr


def test_what_could_not_be_looked_at_is_said(ready: Clinic, waits: list[float]) -> None:
    ready.takes(client("1048237"), invoice())
    ready.control("faults", kind="503", path="/api.xro/", count=50)
    shown = ready.cli("push", "--dry-run")
    assert shown.exit_code == 6
    assert "This is not all: 1 invoice could not be looked at.\n" in shown.stdout
    assert "There is nothing to send" not in shown.stdout


def test_what_a_push_does_first_is_said(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), invoice("INV-0002"))
    assert ready.cli("push", "--dry-run").stderr == ""
    some = ready.cli("push", "--dry-run", "--max-writes", "1")
    assert "--max-writes 1 writes no more than that many documents of this plan" in some.stderr
    with killed_at(ready, 3, "after", "push") as was_killed:
        assert was_killed()
    assert "an earlier run was broken off" in ready.cli("push", "--dry-run").stderr
    ready.cli("push")
    assert ready.cli("push", "--dry-run").stderr == ""
    Store(ready.store_file).set_adopt_due(True)
    assert "this store may not know all of ours in Xero" in ready.cli("push", "--dry-run").stderr


def test_what_caspen_calls_paid_without_a_payment_is_said_to_be_owed_wherever_it_is_looked_at(ready: Clinic) -> None:
    said = "1 invoice is paid in Caspen, but its records have no payment of 90.00 AUD: Xero {} that as owed."
    ready.takes(
        client("1048237"), EFTPOS, *(invoice(n, [line("100.00")], status="paid") for n in ("INV-0001", "INV-0002"))
    )
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")), payment("110.00", ("inv_INV-0002", "110.00"), id_="pay_2"))

    def told(*command: str) -> str:
        done = ready.cli(*command)
        return " ".join((done.stdout + done.stderr).split())

    assert said.format("will show") in told("push", "--dry-run")
    owed = ready.cli("push", "--dry-run", "--json").json["summary"]["paid_without_payment"]
    assert (owed["number"], owed["sums"]) == (1, {"AUD": "90.00"})
    assert told("push").count(said.format("shows")) == 1
    assert "as owed" not in told("push")  # once it is there, nothing new is to be said
    assert said.format("shows") in told("reconcile")
    assert said.format("shows") in told("invoices", "show", "INV-0001")
    assert "owed" not in told("invoices", "show", "INV-0002")
    ready.cli("settings", "set", "--payments", "off")
    assert "as owed" not in told("reconcile")  # where the bank's feed brings the payments
