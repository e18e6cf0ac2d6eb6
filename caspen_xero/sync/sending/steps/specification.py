"""What has to be known of one kind of step to carry it out: each kind is one class, and adding a kind is adding one.

A step that writes to Xero has a route; how an element of an answer names its document; what is recorded when it is done; how the
document is found again where no answer came; and what follows a refusal. A step that only links what is there has the record alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from caspen_xero.outside_text import MOST, said
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.compare import differences, document_shape, sent_shape, told_edits
from caspen_xero.sync.planning.kept import NotKept, not_kept
from caspen_xero.sync.planning.steps import AT_ONCE, Expected, ExpectedDocument, Step, StepKind
from caspen_xero.sync.sending.records import Records
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.answers import Answered
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, NO_ID, UNAPPROVED, CreditNote, Invoice
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import NotAnAddress

Found = dict[int, Element]
"""What Xero has of some steps' documents, by their place among the steps."""

_Document = TypeVar("_Document", bound=Element)

Priced = Invoice | CreditNote
"""A document with a number, a contact and a total."""


@dataclass(frozen=True)
class Route:
    """How steps travel: method, path (`{id}` is filled per step), the plural that wraps them, and how many go at once."""

    method: Literal["PUT", "POST", "DELETE"]
    path: str
    plural: str
    batch: int = AT_ONCE
    params: Mapping[str, str] = field(default_factory=dict)

    def path_of(self, step: Step) -> str:
        """The path with the step's ids in it. Raises `NotAnAddress` for one that has no id's form."""
        path = self.path
        for place, id_ in (("{id}", step.target), ("{other}", step.other)):
            if place in path and not is_id(id_):
                raise NotAnAddress(f"{said(id_, MOST)} is no id of Xero's")
            path = path.replace(place, id_)
        return path


LISTED = {"summarizeErrors": "false"}
PRICED = {"summarizeErrors": "false", "unitdp": "4"}


@dataclass(frozen=True)
class Count:
    """What steps of a kind are counted as: the key in the summary of a push, and the words in its table, if they stand there."""

    key: str
    words: str = ""


class Specification:
    """One kind of step."""

    kind: ClassVar[StepKind]
    counts_as: ClassVar[Count | None] = None
    expected: ClassVar[type[Expected]] = Expected

    def record(self, records: Records, step: Step, found: Element) -> str:
        """Keeps what the step has done; gives the Xero id of its document."""
        raise NotImplementedError

    def keep_as_sent(self, records: Records, step: Step, found: Element) -> str:
        """Of a document that was found by a look: what we wrote is what was sent, not what it shows by now.

        Gives what others have edited since, in words; "" for nothing.
        """
        return ""


class Link(Specification):
    """A step that links what is in Xero already: no call is made."""


class Write(Specification):
    """A step that writes to Xero.

    `id_field`: the document's field that holds its Xero id; None where an answer need not carry one. `named_by`: the field by which
    an element of an answer says which document it is (a number, or the id of an update); None where there is but one.
    `moves_money`: Xero takes it a second time without a word, so it is looked up before it is sent again. `makes_document`: what it
    makes can be paid, credited or allocated.
    """

    route: ClassVar[Route]
    id_field: ClassVar[str | None]
    named_by: ClassVar[str | None]
    adopted_as: ClassVar[str] = ""
    moves_money: ClassVar[bool] = False
    makes_document: ClassVar[bool] = False

    def names(self, step: Step) -> tuple[str, ...]:
        """What the document of a step may be called in an answer."""
        return tuple(name for name in (step.number, step.target) if name)

    def name_in(self, found: Element) -> str | None:
        """The name by which an element of an answer says which document it is; None where it says nothing."""
        name = getattr(found, self.named_by) if self.named_by else None
        return None if name in (None, "", NO_ID) else str(name)

    def has_id(self, found: Element) -> bool:
        """Whether an element shows a document that exists: a refused new one has an id of zeroes."""
        id_ = self._id_in(found)
        return self.id_field is None or (is_id(id_ or "") and id_ != NO_ID)

    def says(self, answered: Answered[Element]) -> bool:
        """Whether an element of an answer says what became of its document: that it was refused, or under which id it is there."""
        is_refused = answered.is_refused or bool(answered.messages)
        return is_refused or self.has_id(answered.document) or self._id_in(answered.document) == NO_ID

    def _id_in(self, found: Element) -> str | None:
        return getattr(found, self.id_field) if self.id_field else None

    def wrapped(self, steps: Sequence[Step]) -> dict[str, Any]:
        """The body that the steps travel in."""
        return {self.route.plural: [step.body for step in steps]}

    def bodies(self, wrapped: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The bodies of the steps that travelled in one: the way back from `wrapped`."""
        return list(wrapped.get(self.route.plural, ()))

    def not_kept(self, body: Mapping[str, Any], found: Element) -> list[NotKept]:
        """What the answer shows otherwise than it was sent, where that would be a loss."""
        return []

    def keep_lost(
        self, records: Records, step: Step, found: Element, lost: Sequence[NotKept], warnings: Sequence[str]
    ) -> list[str]:
        """Notes what Xero did not keep, with its warnings, on the invoice; gives what nobody need do anything about, in words."""
        return []

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        """When the invoice that a step is about was changed by it, as far as the answer says (UTC, by Xero's clock)."""
        return None

    def goes_first(self, step: Step) -> bool:
        """Whether a step's answer decides how the rest of its kind is sent."""
        return False

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        """What Xero has of steps whose answer never came. What is not found was never done."""
        raise NotImplementedError

    def adopt(self, client: Client, records: Records, steps: Sequence[Step]) -> set[str]:
        """Links those of the documents that Xero has already; gives their Caspen ids. None of them is wanted there any more."""
        return self.after_refusal(client, records, steps)

    def way_out(self, step: Step) -> str:
        """What mends a refusal in which Xero says what is wrong with the document; "" for the way out of its code."""
        return ""

    def is_touched(self, client: Client, steps: Sequence[Step]) -> bool:
        """Whether somebody has changed what a write is about since it was planned, so that its bytes must not go once more."""
        return False

    def read_back(self, client: Client, steps: Sequence[Step]) -> Found:
        """What Xero shows of steps that it has answered, where its answer alone proves nothing; else nothing is read."""
        return {}

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        """Looks whether Xero has the documents already, before a refusal becomes a problem; gives the Caspen ids that it linked."""
        return set()


class PricedWrite(Write):
    """An invoice or credit note that is sent whole: what Xero shows of it is held against that."""

    def not_kept(self, body: Mapping[str, Any], found: Element) -> list[NotKept]:
        assert isinstance(found, Invoice | CreditNote)
        return not_kept(body, found)


def has_other_figures(found: Priced, step: Step, lost: Sequence[NotKept]) -> bool:
    """Whether a document's figures are what is wrong, with no account or tax type missing: they are mended in their own way."""
    expected = step.expected
    assert isinstance(expected, ExpectedDocument)
    wanted = (expected.subtotal, expected.tax, expected.total)
    return (found.sub_total, found.total_tax, found.total) != wanted and not any(one.is_left_out for one in lost)


def edits_since(found: Priced, step: Step) -> str:
    """What others have edited in a document since a step wrote it, in words; "" for nothing."""
    expected = step.expected
    if not isinstance(expected, ExpectedDocument) or step.body is None or expected.total is None:
        return ""
    return told_edits(differences(sent_shape(step.body, expected.total, expected.tax), document_shape(found)))


def own_among(mappings: Mappings, steps: Sequence[Step], numbered: Mapping[str, tuple[str | None, Priced]]) -> Found:
    """Of documents found by number, each with its Xero id, those that are these steps' own: each for one step, and no other's."""
    left = dict(numbered)
    linked = mappings.links_to(id_ for id_, _ in numbered.values() if id_)
    refused = mappings.refused_links()
    own: Found = {}
    for place, step in enumerate(steps):
        id_, one = left.pop(step.number or "", (None, None))  # two of one number can't both be it
        link = linked.get(id_ or "")
        is_another = (f"invoice:{step.caspen_id}", id_) in refused or (link and link.caspen_id != step.caspen_id)
        if one is not None and same_document(one, step) and not is_another:
            own[place] = one
    return own


def same_document(found: Priced, step: Step) -> bool:
    """Whether an invoice or credit note in Xero is the one to be written: same contact, date, currency and total, and alive.

    What Caspen no longer says of one that is gone there makes no difference.
    """
    expected = step.expected
    return (
        isinstance(expected, ExpectedDocument)
        and found.contact is not None
        and expected.contact_id is not None
        and found.contact.contact_id == expected.contact_id
        and expected.total in (None, found.total)
        and expected.issued in (None, found.date)
        and (found.currency_code is None or expected.currency in (None, found.currency_code))
        and found.status not in GONE_STATUSES
    )


def is_as_we_would_write_it(found: Priced, step: Step) -> bool:
    """Whether a document that somebody else made shows just what we would have written: then it is as good as ours.

    Nothing that anybody else has put there could be lost by a later change of it. A draft is another's to approve.
    """
    expected, body = step.expected, step.body
    if not isinstance(expected, ExpectedDocument) or body is None or expected.total is None:
        return False
    if (found.sub_total, found.total_tax) != (expected.subtotal, expected.tax):
        return False
    if found.status in UNAPPROVED and found.status != body.get("Status"):
        return False
    return not differences(sent_shape(body, expected.total, expected.tax), document_shape(found))


def of_targets(steps: Sequence[Step], known: Mapping[str, _Document]) -> dict[int, _Document]:
    """What is known of the documents that steps change, by place."""
    return {place: known[step.target] for place, step in enumerate(steps) if step.target in known}
