"""The catalogue of messages: each is said for the deed that it is about, word for word, and each has a source."""

from __future__ import annotations

import pytest

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.messages import Message
from tests.sandbox import provoked_by_documents, provoked_by_money, provoked_by_names, provoked_by_settings
from tests.sandbox.bookkeeper import Bookkeeper
from tests.sandbox.provocations import PROVOCATIONS, Provocation

FILES = (provoked_by_documents, provoked_by_money, provoked_by_names, provoked_by_settings)
CATALOGUE = {name: value for name, value in vars(messages).items() if isinstance(value, Message)}


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda one: one.deed.__name__)
def test_the_words(provocation: Provocation) -> None:
    assert provocation.words in provocation.deed(Bookkeeper())


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_message_has_a_deed_that_provokes_it(name: str) -> None:
    assert any(one.message is CATALOGUE[name] for one in PROVOCATIONS)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_message_has_a_source(name: str) -> None:
    assert CATALOGUE[name].source
