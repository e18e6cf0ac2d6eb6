"""Steps as the journal keeps them: plain JSON values, and back again, whichever version wrote them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from pydantic import TypeAdapter

from caspen_xero.store.journal import Entry, EntryDocument
from caspen_xero.sync.planning.steps import Expected, Step, StepKind
from caspen_xero.sync.sending.steps import specification, write_of
from caspen_xero.xero.codec import decode


def as_document(place: int, step: Step) -> EntryDocument:
    """A step as a document of a journal entry."""
    told = _form(type(step.expected)).dump_python(step.expected, mode="json", exclude_none=True)
    return EntryDocument(
        position=place,
        operation=step.kind,
        caspen_id=step.caspen_id,
        invoice_id=step.invoice_id,
        number=step.number,
        expected={**told, "depends_on": step.depends_on, "target": step.target, "other": step.other},
    )


def as_steps(entry: Entry) -> list[Step]:
    """The steps that a journal entry is of, with the bodies that were sent."""
    write = write_of(cast(StepKind, entry.documents[0].operation))
    bodies = write.bodies(decode(entry.body)) if entry.body else []
    steps = [as_step(document) for document in entry.documents]
    if len(bodies) != len(steps):  # a write without a body
        return steps
    return [replace(step, body=body) for step, body in zip(steps, bodies, strict=True)]


def as_step(document: EntryDocument) -> Step:
    """The step that a document of a journal entry is of, without its body."""
    kind = cast(StepKind, document.operation)
    told = {name: value for name, value in document.expected.items() if value is not None}
    return Step(
        kind=kind,
        caspen_id=document.caspen_id,
        invoice_id=document.invoice_id,
        number=document.number,
        expected=_form(specification(kind).expected).validate_python(told),
        depends_on=str(told.get("depends_on", "")),
        target=str(told.get("target", "")),
        other=str(told.get("other", "")),
    )


_FORMS: dict[type[Expected], TypeAdapter[Any]] = {}


def _form(kind: type[Expected]) -> TypeAdapter[Any]:
    if kind not in _FORMS:
        _FORMS[kind] = TypeAdapter(kind)
    return _FORMS[kind]
