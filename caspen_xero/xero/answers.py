"""The one door for Xero's answers: bodies, and the elements in them, become typed documents here, or one class of error.

    NoAnswer       a body that is no JSON object, or lacks the list that was asked for
    Unreadable     one element that has no such document's shape; what else is in the answer counts

Nobody concludes from either that something is not there, or was not done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from caspen_xero.outside_text import plain
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Answer
from caspen_xero.xero.codec import parse_timestamp
from caspen_xero.xero.documents import NO_ID, Allocation, Contact, CreditNote, Invoice, Payment
from caspen_xero.xero.elements import Element, Verdict, messages_of, warnings_of
from caspen_xero.xero.errors import NoAnswer, Unreadable

Plural = str
_Document = TypeVar("_Document", bound=Element)

_SPEAKS = re.compile(rb'"(?:ValidationErrors|Warnings)"\s*:\s*\[\s*[^\]\s]')
_LONGEST_NAME = 80

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


# --- bodies


def fields(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that an answer is; nothing for an empty body (a 304, a 204). Raises `NoAnswer` for anything else."""
    body = answer.json()
    if not isinstance(body, Mapping):
        raise NoAnswer(f"HTTP {answer.status} with something else than a JSON object", status=answer.status)
    return body


def elements(answer: Answer, plural: Plural) -> list[Any]:
    """What an answer lists under a plural, unread; nothing where it says that nothing has changed (304).

    Raises `NoAnswer` where it has no such list: that is not an empty one.
    """
    if answer.status == 304:
        return []
    return listed(fields(answer), plural)


def listed(body: Mapping[str, Any], plural: Plural) -> list[Any]:
    """The list under a plural of a body, as `elements`."""
    found = body.get(plural)
    if not isinstance(found, list):
        raise NoAnswer(f"its answer holds no list of {plural}")
    return found


def pages_of(body: Mapping[str, Any]) -> int | None:
    """How many pages a list has, by its own count; None where it says nothing that could be so."""
    return _counted(body, "pageCount")


def items_of(body: Mapping[str, Any]) -> int | None:
    """How many elements a list has in all, as `pages_of`."""
    return _counted(body, "itemCount")


def _counted(body: Mapping[str, Any], name: str) -> int | None:
    told = body.get("pagination")
    number = told.get(name) if isinstance(told, Mapping) else None
    is_count = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9
    return number if is_count else None


# --- elements


def read(kind: type[_Document], element: object) -> _Document:
    """One element as a document. Raises `Unreadable` where it has no such shape."""
    if not isinstance(element, Mapping):
        raise Unreadable(f"{_article(kind.called)} that can't be read at all")
    try:
        document = kind.model_validate(element)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in wrong["loc"])
        raise Unreadable(
            f"the {kind.called} {name_of(kind, element)} has a {plain(place)} that can't be read"
        ) from None
    if kind.own_id and not is_id(getattr(document, kind.own_id) or NO_ID):
        raise Unreadable(f"the {kind.called} {name_of(kind, element)} has an id that can't be read")
    return document


def name_of(kind: type[Element], element: Mapping[str, Any]) -> str:
    """What an element that can't be read as a whole is called by the first of its names that can, in one short line."""
    names = (element.get(name) for name in kind.known_by)
    found = next((name for name in names if isinstance(name, str) and name.strip()), "without a name")
    return plain(found, _LONGEST_NAME)


def text_in(element: object, name: str) -> str | None:
    """The text in one field of an element that is not read as a whole; None where there is none that can be read."""
    found = element.get(name) if isinstance(element, Mapping) else None
    return found if isinstance(found, str) and found else None


def moment_in(told: str | None) -> datetime | None:
    """The moment (UTC) that a text is; None where it is none."""
    try:
        return parse_timestamp(told)
    except ValueError:
        return None


def readable(kind: type[_Document], found: Iterable[object]) -> tuple[list[_Document], list[Unreadable]]:
    """Elements as documents, and those that can't be read."""
    documents: list[_Document] = []
    odd: list[Unreadable] = []
    for element in found:
        try:
            documents.append(read(kind, element))
        except Unreadable as error:
            odd.append(error)
    return documents, odd


_Thing = TypeVar("_Thing")


def apart(
    things: Sequence[_Thing], look: Callable[[Sequence[_Thing]], None], odd: Callable[[_Thing, Unreadable], None]
) -> None:
    """Looks at things together; where one of them can't be read, at ever fewer, till that one is left and is `odd`."""
    if not things:
        return
    try:
        look(things)
    except Unreadable as error:
        if len(things) == 1:
            odd(things[0], error)
            return
        middle = len(things) // 2
        apart(things[:middle], look, odd)
        apart(things[middle:], look, odd)


# --- answers to writes


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
    is_refused: bool = False
    has_errors: bool = False
    shown: _Document | None = None


def speaks(answer: Answer) -> bool:
    """Whether an answer holds any error or warning at all: one of thousands of elements is not searched for nothing."""
    return _SPEAKS.search(answer.body) is not None


def answered(plural: Plural, found: Iterable[object], *, is_silent: bool = False) -> list[Answered[Element]]:
    """The elements of an answer to a write, or those that a refusal names. `is_silent`: nothing in it `speaks`.

    One that can't be read is left out: of its document nothing is known.
    """
    kind = DOCUMENTS[plural]
    known = []
    for element in found:
        try:
            document, verdict = read(kind, element), read(Verdict, element)
        except Unreadable:
            continue
        said = ([], []) if is_silent else (messages_of(element), warnings_of(element))
        is_refused = verdict.status_attribute_string == "ERROR"
        known.append(Answered(document, *said, is_refused=is_refused, has_errors=verdict.has_errors is True))
    return known


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
