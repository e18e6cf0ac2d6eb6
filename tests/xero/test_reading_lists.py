"""The organisation's own lists: kept as Xero sent them, and only where every element of them can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.organisation import known_accounts, read_accounts, read_again
from caspen_xero.xero.errors import NoAnswer
from caspen_xero.xero.reading import ListKind
from tests.xero.told import TENANT, Reply, SignedIn, told

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BANK = {"AccountID": "a1", "Code": "090", "Class": "ASSET", "SomethingNew": {"Rate": 1}}


@pytest.fixture
def mappings(tmp_path: Path) -> Iterator[Mappings]:
    """A store in which nothing was read yet."""
    with closing(Store(tmp_path / "store.sqlite")) as store:
        yield Mappings(store, TENANT)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("Accounts", {"Accounts": [BANK, {"Code": "200", "Name": "Sales"}]}),
        ("Accounts", {"Accounts": [BANK, "200"]}),
        ("Accounts", {"Accounts": {"AccountID": "a1"}}),
        ("Accounts", {"Accounts": None}),
        ("Accounts", [BANK]),
        ("TaxRates", {"TaxRates": [{"Name": "GST", "TaxType": "OUTPUT", "EffectiveRate": "ten"}]}),
        ("Currencies", {"Currencies": [{"Description": "Australian Dollar"}]}),
        ("Organisation", {"Organisations": [{"Name": "Demo", "PeriodLockDate": "soon"}]}),
        ("Organisation", {"Organisations": []}),
    ],
)
def test_a_list_of_another_shape_is_no_answer_and_what_was_known_stays(
    signed_in: SignedIn, mappings: Mappings, kind: ListKind, answer: Any
) -> None:
    mappings.put_xero_list(kind, NOW, "[]")
    with told(Reply(200, json.dumps(answer))) as xero, pytest.raises(NoAnswer):
        read_again(signed_in.client(xero.url), mappings, kind, now=NOW)
    assert mappings.xero_list(kind) == (NOW, [])


def test_a_list_is_kept_as_it_came(signed_in: SignedIn, mappings: Mappings) -> None:
    with told(Reply(200, json.dumps({"Accounts": [BANK]}))) as xero:
        (account,) = read_accounts(signed_in.client(xero.url), mappings, now=NOW)
    assert (account.account_id, account.account_class) == ("a1", "ASSET")
    assert mappings.xero_list("Accounts") == (NOW, [BANK])
    assert known_accounts(mappings) == [account]
