"""A clinic in each country that the local Xero has: the whole way, in its money and with its taxes, to the cent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, Record, Rounding, client, credit_note, dollars, invoice, line, payment, random_clinic
from conftest import sign_in
from pulling import pull
from pushing import Clinic, finalised, same_figures

from caspen_xero.sandbox.server import Sandbox


@dataclass(frozen=True)
class Place:
    """A country: its edition, its money, Caspen's two rates there, and what these and a line without a rate are in Xero."""

    edition: str
    currency: str
    rate: str
    name: str
    untaxed: str
    types: tuple[str, str, str]
    word: str

    @property
    def rates(self) -> dict[str | None, Decimal]:
        return {"tax_gst": Decimal(self.rate), "tax_free": Decimal(0), None: Decimal(0)}

    @property
    def links(self) -> list[tuple[str, str]]:
        return list(zip((self.name, self.untaxed, "no tax"), self.types, strict=True))

    def moved(self, records: Sequence[Record], roundings: Sequence[Rounding] = (Rounding(),)) -> list[Record]:
        """These records as a clinic there has them; totals are worked out anew, in the mode of each document's invoice."""
        random, modes = Random(1), {each["id"]: each["tax_mode"] for each in records if each["object"] == "invoice"}
        return [self._moved(each, modes, random.choice(roundings)) for each in records]

    def _moved(self, record: Record, modes: dict[str, Any], rounding: Rounding) -> Record:
        if record["object"] == "tax_rate":
            is_usual = record["id"] == "tax_gst"
            return record | {"name": self.name if is_usual else self.untaxed, "rate": self.rate if is_usual else "0"}
        if record["object"] not in ("invoice", "credit_note"):
            return record
        own = record["object"] == "invoice"
        totals = rounding.totals(record["lines"], modes[record["id" if own else "invoice_id"]], self.rates)
        figures = {name: dollars(getattr(totals, name)) for name in ("subtotal", "tax", "total")}
        return record | figures | ({"currency": self.currency} if own else {})


PLACES = {
    "AU": Place("AU", "AUD", "10", "GST", "GST free", ("OUTPUT", "EXEMPTOUTPUT", "BASEXCLUDED"), "GST"),
    "NZ": Place("NZ", "NZD", "15", "GST", "Zero rated", ("OUTPUT2", "ZERORATED", "NONE"), "GST"),
    "GB": Place("UK", "GBP", "20", "VAT", "VAT exempt", ("OUTPUT2", "EXEMPTOUTPUT", "NONE"), "VAT"),
    "US": Place("US", "USD", "8.25", "Sales tax", "Not taxed", ("OUTPUT", "NONE", "NONE"), "Sales tax"),
    "SG": Place("Global", "SGD", "9", "GST", "Zero-rated", ("OUTPUTY24", "ZERORATEDOUTPUT", "NONE"), "GST"),
}
USUAL = {
    "AU": "GST on Income",
    "NZ": "15% GST on Income",
    "GB": "20% (VAT on Income)",
    "US": "Tax on Sales",
    "SG": "Standard-Rated Supplies",
}
GUESSED = {"AU", "NZ", "GB"}
"""Where the usual rate can only mean one of Xero's: in the US purchase rates fit sales too, in Singapore many are 9 %."""

TAX_RATES = [
    {"object": "tax_rate", "id": "tax_gst", "name": "", "rate": "", "archived": False},
    {"object": "tax_rate", "id": "tax_free", "name": "", "rate": "", "archived": False},
]
BAND, SESSION = (
    line("12.50", "3", discount=("fixed", "5.00")),
    line("95.00", discount=("percentage", "12.5"), rate="tax_free"),
)


@pytest.fixture(params=PLACES)
def country(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(country: str) -> Place:
    return PLACES[country]


@pytest.fixture
def abroad(country: str, cli: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A clinic there that is connected and has chosen its accounts; no rate is linked."""
    options: dict[str, Any] = {"minute_limit": 1_000_000, "day_limit": 1_000_000}
    with Sandbox(auto_approve=True, country=country, **options) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        sign_in(box.url, home)
        clinic = Clinic(cli, box, home)
        accounts = ("--sales-account", "200", "--payment-account", "090", "--payment-method", "EFTPOS=855")
        clinic.takes(*PLACES[country].moved(TAX_RATES), EFTPOS, client("1048237"))
        assert cli("settings", "set", *accounts).exit_code == 0
        yield clinic


@pytest.fixture
def linked(abroad: Clinic, place: Place) -> Clinic:
    """The same, with its tax rates linked."""
    for rate, tax_type in place.links:
        assert abroad.cli("taxes", "map", rate, tax_type).exit_code == 0
    return abroad


def test_a_clinic_goes_the_whole_way_and_all_is_in_order(linked: Clinic, place: Place) -> None:
    modes = ("exclusive", "inclusive", "none")
    invoices = [
        invoice(f"INV-000{n}", [line("150.00"), BAND, SESSION, line("7.77", rate=None)], tax_mode=mode)
        for n, mode in enumerate((*modes, *modes), 1)
    ]
    note = credit_note(lines=[line("40.00")], invoice_id="inv_INV-0002")
    records = place.moved([*invoices, note])
    linked.takes(*records)
    total = records[0]["total"]
    linked.takes(payment(total, ("inv_INV-0001", total)), payment("30.00", ("inv_INV-0003", "30.00"), id_="pay_2"))

    judged = linked.cli("push", "--dry-run")
    assert f" Net {place.word} " in " ".join(judged.stdout.split())
    assert linked.push().json["synced"] == len(invoices)

    there = linked.in_xero()
    assert {one["CurrencyCode"] for one in there.values()} == {place.currency}
    for number, record in finalised(records).items():
        assert same_figures(record, there[number])
    usual, free, none = place.types
    assert [each["TaxType"] for each in there["INV-0001"]["LineItems"]] == [usual, usual, free, none]
    assert (there["INV-0001"]["Status"], there["INV-0003"]["AmountPaid"]) == ("PAID", 30)
    assert there["INV-0002"]["AmountCredited"] == Decimal(records[-1]["total"])
    assert {one["Account"]["Code"] for one in linked.state("Payments")} == {"855"}

    paid = in_xero.pays(linked, "INV-0004", "50.00")
    Bookkeeper(linked.sandbox.url).pays("INV-0005", "20.00")
    pulled = pull(linked)
    assert {(one["invoice_number"], one["amount"]) for one in pulled["new"]} == {
        ("INV-0004", "50.00"),
        ("INV-0005", "20.00"),
    }
    assert paid in {one["id"] for one in pulled["new"]}
    assert linked.cli("status", "--json").json["organisation"] == f"Demo Company ({place.edition})"
    assert linked.unsynced() == []
    assert linked.cli("drift", "--json").json["drift"] == []
    assert in_xero.silent(linked)


def test_a_usual_rate_is_linked_where_it_is_the_only_one_and_one_of_no_tax_never(
    abroad: Clinic, country: str, place: Place
) -> None:
    abroad.takes(*place.moved([invoice("INV-0001", [line()]), invoice("INV-0002", [line(rate="tax_free")])]))
    abroad.push()
    waits = {row["number"]: row["code"] for row in abroad.unsynced()}
    expected = ["INV-0002"] if country in GUESSED else ["INV-0001", "INV-0002"]
    assert waits == dict.fromkeys(expected, "tax-rate-not-linked")
    for number, tax_type in zip(("INV-0002", "INV-0001"), place.types[1::-1], strict=True):
        if number in waits:
            abroad.chooses(abroad.problem(number), f"({tax_type}, ")
    assert abroad.push().exit_code == 0
    assert abroad.unsynced() == []
    assert {each["LineItems"][0]["TaxType"] for each in abroad.in_xero().values()} == set(place.types[:2])


def test_no_rate_of_purchases_or_of_xero_alone_is_offered_for_sales(abroad: Clinic, place: Place) -> None:
    asked = abroad.cli("taxes", "map", place.name)
    told = asked.stdout + asked.stderr
    assert f"({place.types[0]}, {place.rate} %)" in told
    assert "USSALESTAX" not in told
    assert "Harbor City" not in told
    assert "on Expenses" not in told
    assert "Imports" not in told


def test_what_is_filed_is_called_as_people_there_call_it(abroad: Clinic, country: str) -> None:
    filed = {"AU": "activity statement", "NZ": "GST return", "GB": "VAT return", "US": "sales tax return"}
    shown = abroad.cli("taxes", "list")
    assert f"differ on the {filed.get(country, 'GST return')}." in shown.stderr


def test_money_of_another_country_waits_until_it_is_enabled_there(linked: Clinic, place: Place) -> None:
    abroad = invoice("INV-0001", [line("200.00", rate="tax_free")]) | {"currency": "EUR"}
    linked.takes(abroad)
    linked.push()
    assert linked.problem()["code"] == "currency-not-enabled"
    in_xero.writes(linked, "PUT", "Currencies", {"Code": "EUR"})
    assert linked.push("--refresh").exit_code == 0
    (made,) = linked.in_xero().values()
    assert (made["CurrencyCode"], made["Total"]) == ("EUR", 200)
    assert made["CurrencyRate"] != 1


def test_a_random_clinic_arrives_to_the_cent(linked: Clinic, place: Place) -> None:
    roundings = [Rounding(per, half) for per in ("line", "document") for half in ("up", "even")]
    records = place.moved([one for one in random_clinic(5, 60) if one["object"] != "tax_rate"], roundings)
    linked.takes(*records)
    pushed = linked.push()
    left = [(row["number"], row["code"], row["reason"]) for row in linked.unsynced()]
    assert (left, pushed.exit_code) == ([], 0)
    there = linked.in_xero()
    for number, record in finalised(records).items():
        assert same_figures(record, there[number]), number


def test_xeros_own_client_knows_every_word_of_each_country(abroad: Clinic, country: str) -> None:
    """It refuses an edition, a time zone, a period, a currency or a report type that Xero does not have."""
    person = Bookkeeper(abroad.sandbox.url)
    (organisation,) = person.api.get_organisations(person.tenant).organisations
    assert organisation.country_code.value == country
    usual = next(rate for rate in person.api.get_tax_rates(person.tenant).tax_rates if rate.name == USUAL[country])
    assert (usual.tax_type, usual.effective_rate) == (PLACES[country].types[0], float(PLACES[country].rate))
    assert len(person.api.get_accounts(person.tenant).accounts) > 30


def test_where_the_organisation_does_not_answer_its_tax_is_just_tax(abroad: Clinic) -> None:
    abroad.control("faults", kind="500-before", path="/api.xro/2.0/Organisation", count=99)
    shown = abroad.cli("taxes", "list")
    assert "differ on the tax return." in shown.stderr
