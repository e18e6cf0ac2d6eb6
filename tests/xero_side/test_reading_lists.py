"""The organisation's own lists: kept only as far as they can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.organisation import (
    known_accounts,
    known_organisation,
    known_tax_rates,
    left_out,
    read_accounts,
    read_currencies,
    read_organisation,
    read_tax_rates,
)
from caspen_xero.xero.errors import NoAnswer
from tests.xero_side.told import TENANT, Reply, SignedIn, told

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BANK = {"AccountID": "a1", "Code": "090", "Class": "ASSET", "SomethingNew": {"Rate": 1}}


@pytest.fixture
def mappings(tmp_path: Path) -> Iterator[Mappings]:
    """A store in which nothing was read yet."""
    with closing(Store(tmp_path / "store.sqlite")) as store:
        yield Mappings(store, TENANT)


@pytest.mark.parametrize(
    "answer",
    [{"Accounts": {"AccountID": "a1"}}, {"Accounts": None}, {"Accounts": ["200"]}, {}, [BANK], 200, "Accounts", None],
)
def test_an_answer_without_the_list_is_none_and_what_was_known_stays(
    signed_in: SignedIn, mappings: Mappings, answer: Any
) -> None:
    with told(Reply(200, json.dumps({"Accounts": [BANK]}))) as xero:
        known = read_accounts(signed_in.client(xero.url), mappings, now=NOW)
    with told(Reply(200, json.dumps(answer))) as xero, pytest.raises(NoAnswer):
        read_accounts(signed_in.client(xero.url), mappings, now=NOW + timedelta(days=1))
    assert known_accounts(mappings) == known


@pytest.mark.parametrize(
    "odd",
    [
        {"Code": "200", "Name": "Sales"},
        {"AccountID": 200},
        {"AccountID": "a2", "Status": ["ACTIVE"]},
        "200",
        None,
        [],
        1,
    ],
)
def test_an_odd_account_is_left_out_with_a_sentence_and_the_others_count(
    signed_in: SignedIn, mappings: Mappings, odd: Any
) -> None:
    with told(Reply(200, json.dumps({"Accounts": [odd, BANK]}))) as xero:
        (account,) = read_accounts(signed_in.client(xero.url), mappings, now=NOW)
    assert (account.account_id, account.account_class) == ("a1", "ASSET")
    assert known_accounts(mappings) == [account]
    (sentence,) = left_out(mappings, "Accounts")
    assert "can't be read" in sentence


@pytest.mark.parametrize("field", ["Description", "TaxType", "ReportingCode", "StatusAttributeString", "HasErrors"])
def test_a_field_that_nothing_reads_changes_nothing(signed_in: SignedIn, mappings: Mappings, field: str) -> None:
    with told(Reply(200, json.dumps({"Accounts": [BANK | {field: [{"a": 1}]}]}))) as xero:
        assert len(read_accounts(signed_in.client(xero.url), mappings, now=NOW)) == 1
    assert left_out(mappings, "Accounts") == []


@pytest.mark.parametrize(
    "body", ["{}", "nonsense", "[1]", '[{"Name": "GST", "TaxType": "OUTPUT", "EffectiveRate": "ten"}]']
)
def test_what_an_earlier_version_kept_unchecked_is_read_anew(
    signed_in: SignedIn, mappings: Mappings, body: str
) -> None:
    mappings.put_xero_list("TaxRates", NOW, body)
    assert known_tax_rates(mappings) is None
    rate = {"Name": "GST", "TaxType": "OUTPUT", "EffectiveRate": 10}
    with told(Reply(200, json.dumps({"TaxRates": [rate]}))) as xero:
        (found,) = read_tax_rates(signed_in.client(xero.url), mappings, now=NOW)
    assert found.tax_type == "OUTPUT"


def test_what_only_tells_people_of_the_organisation_ends_nothing(signed_in: SignedIn, mappings: Mappings) -> None:
    answer = {
        "Organisations": [{"Name": ["Demo"], "BaseCurrency": "AUD", "PeriodLockDate": "soon"}],
        "Accounts": [BANK],
        "TaxRates": [],
        "Currencies": [{"Code": "AUD"}, {"Description": "Australian Dollar"}],
    }
    with told(Reply(200, json.dumps(answer))) as xero:
        facts = read_organisation(signed_in.client(xero.url), mappings, now=NOW)
        assert (facts.organisation.name, facts.organisation.base_currency) == (None, "AUD")
        assert facts.organisation.period_lock_date is None
        assert read_currencies(signed_in.client(xero.url), mappings, now=NOW) == ("AUD",)
    known = known_organisation(mappings)
    assert known is not None
    assert known.left_out == ("Left out: the currency Australian Dollar has a Code that can't be read.",)
