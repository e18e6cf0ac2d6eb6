"""Elements of answers, read into documents in this one place; what has no document's shape is `NoAnswer`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from caspen_xero.xero.calls import Answer
from caspen_xero.xero.documents import (
    Allocation,
    Contact,
    CreditNote,
    Element,
    Invoice,
    Payment,
    messages_of,
    warnings_of,
)
from caspen_xero.xero.errors import NoAnswer

Plural = str
_Document = TypeVar("_Document", bound=Element)

_SPEAKS = re.compile(rb'"(?:ValidationErrors|Warnings)"\s*:\s*\[\s*[^\]\s]')

DOCUMENTS: Mapping[Plural, type[Element]] = {
    "Contacts": Contact,
    "Invoices": Invoice,
    "Payments": Payment,
    "CreditNotes": CreditNote,
    "Overpayments": CreditNote,
    "Prepayments": CreditNote,
    "Allocations": Allocation,
}
"""What the elements under each plural are."""


@dataclass(frozen=True)
class Answered(Generic[_Document]):
    """One element of the answer to a write: the document that it shows, and Xero's words about it.

    `messages`: its errors; `warnings`: what it has to say of what it took all the same.
    `is_refused`: Xero marks it as wrong by its own status; `has_errors`: by a flag that it also puts on what it has kept.
    `shown`: the document as it was read after that answer, where it alone proves nothing.
    """

    document: _Document
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    shown: _Document | None = None

    @property
    def is_refused(self) -> bool:
        """Whether Xero calls the element an error."""
        return self.document.status_attribute_string == "ERROR"

    @property
    def has_errors(self) -> bool:
        """Whether Xero says that there are errors about it."""
        return self.document.has_errors is True


def read(kind: type[_Document], element: object) -> _Document:
    """One element as a document. Raises `NoAnswer` where it has no such shape."""
    try:
        return kind.model_validate(element)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in wrong["loc"]) or "the element"
        raise NoAnswer(f"{kind.__name__} with a {place} that can't be read") from None


def elements(answer: Answer, plural: Plural) -> list[dict[str, Any]]:
    """What an answer lists under a plural, as it came; nothing where it lists nothing."""
    body = answer.json()
    listed = body.get(plural) if isinstance(body, Mapping) else None
    return [element for element in listed if isinstance(element, dict)] if isinstance(listed, list) else []


def speaks(answer: Answer) -> bool:
    """Whether an answer holds any error or warning at all: one of thousands of elements is not searched for nothing."""
    return _SPEAKS.search(answer.body) is not None


def answered(
    plural: Plural, listed: Iterable[Mapping[str, Any]], *, is_silent: bool = False
) -> list[Answered[Element]]:
    """The elements of an answer to a write, or those that a refusal names. `is_silent`: nothing in it `speaks`."""
    kind = DOCUMENTS[plural]
    if is_silent:
        return [Answered(read(kind, element)) for element in listed]
    return [Answered(read(kind, element), messages_of(element), warnings_of(element)) for element in listed]
