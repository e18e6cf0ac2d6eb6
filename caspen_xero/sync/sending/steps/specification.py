"""What has to be known of one kind of step to carry it out: each kind is one class, and adding a kind is adding one.

A step that writes to Xero has a route; how an element of an answer names its document; what is recorded when it is done; how the
document is found again where no answer came; and what follows a refusal. A step that only links what is there has the record alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.steps import Expected, Step, StepKind
from caspen_xero.sync.sending.records import Records
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import NO_ID, Element
from caspen_xero.xero.errors import NotAnAddress

Found = dict[int, Element]
"""What Xero has of some steps' documents, by their place among the steps."""


@dataclass(frozen=True)
class Route:
    """How steps travel: method, path (`{id}` is filled per step), the plural that wraps them, and how many go at once."""

    method: Literal["PUT", "POST", "DELETE"]
    path: str
    plural: str
    batch: int = 50
    params: Mapping[str, str] = field(default_factory=dict)

    def path_of(self, step: Step) -> str:
        """The path with the step's ids in it. Raises `NotAnAddress` for one that has no id's form."""
        path = self.path
        for place, id_ in (("{id}", step.target), ("{other}", step.other)):
            if place in path and not is_id(id_):
                raise NotAnAddress(f"{id_!r} is no id of Xero's")
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


class Link(Specification):
    """A step that links what is in Xero already: no call is made."""


class Write(Specification):
    """A step that writes to Xero.

    `id_field`: the document's field that holds its Xero id; None where an answer need not carry one. `named_by`: the field by which
    an element of an answer says which document it is (a number, or the id of an update); None where there is but one.
    `first`: which of a kind's steps go first, in batches of their own.
    """

    route: ClassVar[Route]
    id_field: ClassVar[str | None]
    named_by: ClassVar[str | None]
    adopted_as: ClassVar[str] = ""

    def names(self, step: Step) -> tuple[str, ...]:
        """What the document of a step may be called in an answer."""
        return tuple(name for name in (step.number, step.target) if name)

    def name_in(self, found: Element) -> str | None:
        """The name by which an element of an answer says which document it is; None where it says nothing."""
        name = getattr(found, self.named_by) if self.named_by else None
        return None if name in (None, "", NO_ID) else str(name)

    def has_id(self, found: Element) -> bool:
        """Whether an element shows a document that exists: a refused new one has an id of zeroes."""
        return self.id_field is None or getattr(found, self.id_field) not in (None, "", NO_ID)

    def wrapped(self, steps: Sequence[Step]) -> dict[str, Any]:
        """The body that the steps travel in."""
        return {self.route.plural: [step.body for step in steps]}

    def goes_first(self, step: Step) -> bool:
        """Whether a step's answer decides how the rest of its kind is sent."""
        return False

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        """What Xero has of steps whose answer never came. What is not found was never done."""
        raise NotImplementedError

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        """Looks whether Xero has the documents already, before a refusal becomes a problem; gives the Caspen ids that it linked."""
        return set()


def of_targets(steps: Sequence[Step], known: Mapping[str, Element]) -> Found:
    """What is known of the documents that steps change, by place."""
    return {place: known[step.target] for place, step in enumerate(steps) if step.target in known}
