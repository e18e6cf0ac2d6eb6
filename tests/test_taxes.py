"""`caspen-xero taxes`: a Caspen rate is linked to a Xero rate that charges the same, or nobody linked it by guessing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import request_log
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.sandbox.books.ledger import Ledger
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.tax_links import link_sole_candidates
from caspen_xero.sync.setup.taxes import NO_TAX_RATE, applies_to_sales, candidates, percentage_of, sole_candidate
from caspen_xero.xero.documents import TaxRate as XeroRate

GST = {"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10"}
FREE = {"object": "tax_rate", "id": "tax_free", "name": "GST free", "rate": "0"}
OLD = {"object": "tax_rate", "id": "tax_old", "name": "Old GST", "rate": "12.5", "archived": True}


def invoice(id_: str, tax_rate_id: str | None, tax_mode: str = "exclusive", status: str = "open") -> dict[str, Any]:
    return {
        "object": "invoice",
        "id": id_,
        "number": id_.upper(),
        "status": status,
        "client_id": "1",
        "issue_date": "2026-11-02",
        "currency": "AUD",
        "tax_mode": tax_mode,
        "lines": [{"id": "l", "quantity": "1", "unit_price": "10.00", "tax_rate_id": tax_rate_id}],
        "subtotal": "10.00",
        "tax": "0.00",
        "total": "10.00",
    }


@pytest.fixture
def rates(connected: Path, caspen: Callable[..., None]) -> None:
    """A connected workspace with GST, GST free, and an archived rate that nothing uses."""
    caspen(GST, FREE, OLD)


def listed(cli: Callable[..., Any]) -> dict[str, Any]:
    result = cli("taxes", "list", "--json")
    assert result.exit_code == 0
    return {row["name"]: row for row in result.json["taxes"]}


def tax_types(cli: Callable[..., Any]) -> dict[str, str | None]:
    return {name: row["tax_type"] for name, row in listed(cli).items()}


def calls_for_tax_rates(sandbox: Sandbox) -> int:
    return sum("/TaxRates" in str(request) for request in request_log.asked(sandbox.url))


# --- taxes list


def test_list_shows_each_rate_with_its_xero_status(rates: None, cli: Callable[..., Any]) -> None:
    assert cli("taxes", "map", "GST", "OUTPUT").exit_code == 0
    assert listed(cli)["GST"] == {
        "id": "tax_gst",
        "name": "GST",
        "rate": "10",
        "archived": False,
        "status": "Synced",
        "tax_type": "OUTPUT",
        "xero_name": "GST on Income",
        "xero_rate": "10",
        "linked_by": "person",
        "problem": None,
    }
    assert listed(cli)["GST free"]["status"] == "Not synced"
    table = cli("taxes", "list").stdout
    gst, free = (line for line in table.splitlines() if line.strip().startswith("GST"))
    assert "Synced" in gst
    assert "GST on Income" in gst
    assert "Not synced" in free


def test_the_command_to_link_an_oddly_named_rate_is_one_that_a_shell_takes(
    connected: Path, caspen: Callable[..., None], cli: Callable[..., Any]
) -> None:
    name = 'GST "$(id)" `x`'
    caspen({"object": "tax_rate", "id": "tax_odd", "name": name, "rate": "0"})
    told = cli("taxes", "list").stderr.split("Link a rate: ")[1]
    assert shlex.split(told) == ["caspen-xero", "taxes", "map", name]


def test_archived_rate_is_listed_only_where_it_is_used_or_linked(
    rates: None, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    assert "Old GST" not in listed(cli)
    caspen(invoice("inv_void", "tax_old", status="void"), invoice("inv_untaxed", "tax_old", tax_mode="none"))
    assert "Old GST" not in listed(cli)
    caspen(invoice("inv_1", "tax_old"))
    assert "Old GST" in listed(cli)


def test_no_tax_is_a_row_only_where_a_taxed_invoice_has_a_line_without_a_rate(
    rates: None, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    caspen(invoice("inv_untaxed", None, tax_mode="none"), invoice("inv_1", "tax_gst"))
    assert "no tax" not in listed(cli)
    caspen(invoice("inv_2", None, tax_mode="inclusive"))
    assert listed(cli)["no tax"]["status"] == "Not synced"
    assert cli("taxes", "map", "no tax", "BASEXCLUDED").exit_code == 0
    assert listed(cli)["no tax"]["tax_type"] == "BASEXCLUDED"


def test_rate_deleted_in_xero_since_is_not_synced_any_more(
    rates: None, cli: Callable[..., Any], sandbox: Sandbox
) -> None:
    cli("taxes", "map", "GST", "OUTPUT")
    keep_in_xero(sandbox, "OUTPUT", Status="DELETED")
    cli("taxes", "map", "GST free", "NO SUCH RATE")  # a rate that is not found has Xero asked again
    assert listed(cli)["GST"]["status"] == "Not synced"
    assert "deleted in Xero" in listed(cli)["GST"]["problem"]


# --- taxes map RATE TAX_TYPE


@pytest.mark.parametrize(
    ("rate", "xero"), [("GST", "OUTPUT"), ("tax_gst", "output"), ("gst", "GST on Income"), ("TAX_GST", "gst on income")]
)
def test_rates_are_named_by_name_id_or_tax_type(rates: None, cli: Callable[..., Any], rate: str, xero: str) -> None:
    done = cli("taxes", "map", rate, xero)
    assert (done.exit_code, done.stdout) == (0, "GST is linked to GST on Income (OUTPUT, 10 %).\n")
    assert tax_types(cli)["GST"] == "OUTPUT"


@pytest.mark.parametrize(
    ("rate", "xero", "code", "says"),
    [
        ("GSST", "OUTPUT", "tax-rate-not-found", "Did you mean GST (tax_gst, 10 %)"),
        ("GST", "OUTPUTT", "xero-tax-rate-not-found", "Did you mean GST on Income (OUTPUT, 10 %)"),
        ("GST", "INPUT", "tax-rate-unfit", "can't be used on sales"),
        ("GST", "TAX001", "tax-rate-unfit", "is deleted in Xero"),
        ("GST", "BASEXCLUDED", "percentage-differs", "GST is 10 % in Caspen"),
        ("GST free", "OUTPUT", "percentage-differs", "GST on Income (OUTPUT) is 10 % in Xero"),
        ("no tax", "OUTPUT", "percentage-differs", "no tax is 0 % in Caspen"),
    ],
)
def test_link_that_would_be_wrong_is_refused(
    rates: None, cli: Callable[..., Any], rate: str, xero: str, code: str, says: str
) -> None:
    refused = cli("taxes", "map", rate, xero, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, code)
    assert says in refused.json["error"]["message"]
    assert set(tax_types(cli).values()) == {None}


def test_differing_percentage_needs_force_and_force_forgives_nothing_else(rates: None, cli: Callable[..., Any]) -> None:
    assert "--force" in cli("taxes", "map", "GST", "EXEMPTOUTPUT").stderr
    assert cli("taxes", "map", "GST", "EXEMPTOUTPUT", "--force").exit_code == 0
    assert listed(cli)["GST"]["xero_rate"] == "0"
    assert cli("taxes", "map", "GST", "INPUT", "--force").exit_code == 1


def test_rate_just_added_in_xero_is_found(rates: None, cli: Callable[..., Any], sandbox: Sandbox) -> None:
    cli("taxes", "list")
    keep_in_xero(sandbox, "TAX009", like="OUTPUT", Name="Clinic GST")
    assert cli("taxes", "map", "GST", "Clinic GST").exit_code == 0
    assert tax_types(cli)["GST"] == "TAX009"


def test_known_tax_rates_are_not_asked_for_again(rates: None, cli: Callable[..., Any], sandbox: Sandbox) -> None:
    cli("taxes", "map", "GST", "OUTPUT")
    cli("taxes", "map", "GST free", "EXEMPTOUTPUT")
    cli("taxes", "list")
    assert calls_for_tax_rates(sandbox) == 1


def test_link_made_before_the_first_import_comes_true_with_it(
    connected: Path, cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    for rate, xero in (("GST free", "EXEMPTOUTPUT"), ("tax_gst", "GST on Income"), ("Old GST", "OUTPUT")):
        assert cli("taxes", "map", rate, xero).exit_code == 0
    caspen(GST, FREE, OLD, invoice("inv_1", "tax_old"))
    first = cli("taxes", "list", "--json")
    assert "Not linked: Old GST is 12.5 % in Caspen" in first.stderr
    assert tax_types(cli) == {"GST": "OUTPUT", "GST free": "EXEMPTOUTPUT", "Old GST": None}


def test_rates_are_read_from_the_source_where_none_is_known_yet(
    connected: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "export.json").write_text(json.dumps([GST, FREE]))
    cli("settings", "set", "--source", tmp_path / "export.json")
    assert cli("taxes", "map", "GST free", "EXEMPTOUTPUT").exit_code == 0
    assert tax_types(cli) == {"GST": None, "GST free": "EXEMPTOUTPUT"}


# --- taxes map --suggest, taxes unmap


def test_suggest_links_what_only_one_rate_fits_and_never_guesses_a_zero(rates: None, cli: Callable[..., Any]) -> None:
    done = cli("taxes", "map", "--suggest", "--json")
    assert (done.exit_code, done.json["linked"]) == (3, ["tax_gst"])
    assert tax_types(cli) == {"GST": "OUTPUT", "GST free": None}
    assert listed(cli)["GST"]["linked_by"] == "rule"
    cli("taxes", "map", "GST free", "EXEMPTOUTPUT")
    assert cli("taxes", "map", "--suggest").exit_code == 0


def test_suggest_guesses_nothing_where_two_rates_fit(rates: None, cli: Callable[..., Any], sandbox: Sandbox) -> None:
    keep_in_xero(sandbox, "TAX009", like="OUTPUT", Name="Clinic GST")
    assert cli("taxes", "map", "--suggest").exit_code == 3
    assert tax_types(cli) == {"GST": None, "GST free": None}


def test_suggest_leaves_a_persons_link_alone(rates: None, cli: Callable[..., Any]) -> None:
    cli("taxes", "map", "GST", "EXEMPTOUTPUT", "--force")
    cli("taxes", "map", "--suggest")
    assert tax_types(cli)["GST"] == "EXEMPTOUTPUT"


def test_unmapped_rate_is_linked_again_only_when_asked_for(
    rates: None, cli: Callable[..., Any], connected: Path
) -> None:
    cli("taxes", "map", "--suggest")
    assert cli("taxes", "unmap", "gst").exit_code == 0
    assert tax_types(cli)["GST"] is None
    store = Store(connected / "default" / "store.sqlite")
    mappings = Mappings(store, (store.connection() or {})["tenant_id"])
    output = XeroRate(name="GST", tax_type="OUTPUT", status="ACTIVE", can_apply_to_revenue=True, effective_rate=10)
    assert link_sole_candidates(store, mappings, [output]) == []
    store.close()
    cli("taxes", "map", "--suggest")
    assert tax_types(cli)["GST"] == "OUTPUT"


def test_unmap_says_when_there_is_nothing_to_take_away(rates: None, cli: Callable[..., Any]) -> None:
    assert "was not linked" in cli("taxes", "unmap", "GST").stdout
    assert cli("taxes", "unmap", "no such rate").exit_code == 1


# --- asking


def test_without_arguments_and_without_a_terminal_nothing_is_asked(rates: None, cli: Callable[..., Any]) -> None:
    refused = cli("taxes", "map")
    assert refused.exit_code == 2
    assert "--suggest" in refused.stderr


def test_a_person_at_a_terminal_goes_through_the_unlinked_rates(
    rates: None, cli: Callable[..., Any], terminal: Callable[..., Any]
) -> None:
    done = terminal("taxes", "map", typing=[("Caspen's GST (10 %)", "1"), ("Caspen's GST free (0 %)", "")])
    assert done.exit_code == 3, done.stdout
    assert "Missing here? Add it in Xero" in done.stdout
    assert tax_types(cli) == {"GST": "OUTPUT", "GST free": None}
    menu = done.stdout.split("Caspen's GST free (0 %)")[1]
    assert menu.index("BAS Excluded") < menu.index("GST on Income")
    again = terminal("taxes", "map", typing=[("Caspen's GST free (0 %)", "5"), ("all the same?", "n")])
    assert "GST free is 0 % in Caspen, but GST on Income (OUTPUT) is 10 % in Xero" in again.stdout
    assert tax_types(cli)["GST free"] is None


# --- which rates fit

percentages = st.sampled_from(["0", "5", "10", "10.0000", "12.5"]).map(Decimal)
xero_rates = st.lists(
    st.fixed_dictionaries(
        {
            "Name": st.sampled_from(["GST", "Free", "Old", "Export"]),
            "TaxType": st.uuids().map(str),
            "Status": st.sampled_from(["ACTIVE", "DELETED", "ARCHIVED"]),
            "CanApplyToRevenue": st.booleans(),
            "EffectiveRate": percentages,
        }
    ).map(XeroRate.model_validate)
)


@given(percentages, xero_rates)
def test_candidates_all_fit_and_those_of_equal_percentage_come_first(
    percentage: Decimal, rates: list[XeroRate]
) -> None:
    found = candidates(percentage, rates)
    assert {rate.tax_type for rate in found} == {rate.tax_type for rate in rates if applies_to_sales(rate)}
    differs = [percentage_of(rate) != percentage for rate in found]
    assert differs == sorted(differs)


@given(percentages, xero_rates)
def test_what_is_guessed_is_the_only_rate_of_its_percentage_and_never_zero(
    percentage: Decimal, rates: list[XeroRate]
) -> None:
    guess = sole_candidate(CaspenRate(id="t", name="t", rate=percentage), rates)
    equal = [rate for rate in rates if applies_to_sales(rate) and percentage_of(rate) == percentage]
    assert (guess is not None) == (len(equal) == 1 and percentage != 0)
    assert guess is None or guess is equal[0]
    assert sole_candidate(NO_TAX_RATE, rates) is None


@pytest.mark.parametrize(
    ("figures", "percentage"),
    [
        ({"EffectiveRate": "15.5000", "DisplayTaxRate": "15.0"}, "15.5"),
        ({"DisplayTaxRate": Decimal("12.5")}, "12.5"),
        ({"TaxComponents": [{"Name": "GST", "Rate": "5"}, {"Name": "PST", "Rate": Decimal("7.0")}]}, "12"),
    ],
)
def test_percentage_is_the_effective_one_also_where_xero_writes_it_as_text(
    figures: dict[str, Any], percentage: str
) -> None:
    rate = XeroRate.model_validate({"Name": "GST", "TaxType": "TAX001", "CanApplyToRevenue": "true"} | figures)
    assert percentage_of(rate) == Decimal(percentage)
    assert rate.can_apply_to_revenue is True


def keep_in_xero(sandbox: Sandbox, tax_type: str, *, like: str | None = None, **fields: Any) -> None:
    """What a person does with a tax rate in Xero's own screens: add one like another, or change one."""
    with sandbox.xero.transaction():
        ledger = Ledger(sandbox.xero.api.books, sandbox.xero.api.organisations()[0].tenant_id)
        known = ledger.find("TaxRates", like or tax_type)
        assert known is not None
        ledger.save("TaxRates", {**known, "TaxType": tax_type, **fields})


def test_a_rate_that_only_xero_itself_can_use_is_neither_guessed_nor_offered() -> None:
    """US organisations list those of automated sales tax, whose tax types are GUIDs, and Avalara's as if they could be used."""
    fields = {"Status": "ACTIVE", "CanApplyToRevenue": True, "EffectiveRate": "8.25"}
    automated, avalara, own = (
        XeroRate.model_validate({"Name": "A", "TaxType": tax_type, "ReportTaxType": report, **fields})
        for tax_type, report in (("6f1d4c0a", "USSALESTAX"), ("AVALARA", "AVALARA"), ("OUTPUT", "OUTPUT"))
    )
    rate = CaspenRate(id="tax", name="Sales tax", rate=Decimal("8.25"))
    assert [applies_to_sales(one) for one in (automated, avalara, own)] == [False, False, True]
    assert candidates(rate.rate, [automated, avalara, own]) == [own]
    assert sole_candidate(rate, [automated, avalara, own]) == own
