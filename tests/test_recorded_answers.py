"""What the real Xero was recorded to answer is read: every shape, in every format, whatever of it is left out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_elements import elements

from caspen_xero.xero.answers import read
from caspen_xero.xero.codec import decode, encode
from caspen_xero.xero.documents import (
    Account,
    Contact,
    ContactEntry,
    CreditNote,
    Invoice,
    Line,
    Organisation,
    Payment,
    TaxRate,
)
from caspen_xero.xero.elements import Element, Verdict, messages_of
from tests.sandbox.recorded.shape import NAMES

KINDS: dict[str, tuple[type[Element], ...]] = {
    "invoice": (Invoice, Verdict),
    "bill": (Invoice,),
    "contact": (Contact, ContactEntry),
    "credit_note": (CreditNote,),
    "payment": (Payment,),
    "line": (Line,),
    "account": (Account,),
    "bank_account": (Account,),
    "organisation": (Organisation,),
    "tax_rate": (TaxRate,),
}
NOT_READ = {"bank_transaction", "connection", "envelope"}
"""Money in the bank is looked at by nobody here; `test_connections.py` and `test_reading_pages.py` have the others."""
READ = [(name, kind) for name in NAMES for kind in KINDS.get(name.partition(".")[0], ())]


def told(document: Element, element: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The fields of a document with one name at Xero: their keys, what was told under those (None: not told), what was read."""
    for name, about in type(document).model_fields.items():
        if isinstance(key := about.validation_alias, str):
            yield key, element.get(key), getattr(document, name)


def test_every_shape_is_read_or_known_not_to_be() -> None:
    assert {name.partition(".")[0] for name in NAMES} == set(KINDS) | NOT_READ


@pytest.mark.parametrize(("name", "kind"), READ, ids=lambda one: one if isinstance(one, str) else one.__name__)
@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_recorded_answer_is_read_as_it_is_told(name: str, kind: type[Element], data: st.DataObject) -> None:
    element = decode(encode(data.draw(elements(name))))
    document = read(kind, element)
    for key, one, found in told(document, element):
        if one is None:
            assert found in (None, []), f"{key} is told by nobody"
        elif isinstance(found, str | Decimal | bool):
            assert found == one, key
        else:
            assert found is not None or one == "", key


@given(st.one_of(*(elements(name) for name in NAMES if "refused" in name)))
@settings(max_examples=60, deadline=None)
def test_a_recorded_refusal_says_why(element: dict[str, Any]) -> None:
    assert messages_of(element) == list(dict.fromkeys(error["Message"] for error in element["ValidationErrors"]))
