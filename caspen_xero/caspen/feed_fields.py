"""Every field of the feed, flat, as the records' models declare it: columns files and docs/feed.md are made of this."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from .field_types import Amount, Day, Id, Moment, Percentage
from .records import RECORD_TYPES

FieldType = Literal["id", "text", "amount", "percentage", "date", "time", "yes/no", "word", "texts", "object", "list"]


@dataclass(frozen=True)
class Inside:
    """The parts of a kind: the field that holds them, and in CSV their own file, and the column that says whose they are."""

    stem: str
    field: str
    owner: str


KINDS = {
    "tax_rates": "tax_rate",
    "payment_methods": "payment_method",
    "clients": "client",
    "contacts": "contact",
    "invoices": "invoice",
    "payments": "payment",
    "credit_notes": "credit_note",
}
"""The kind of record that each CSV file holds, by the file's name."""
INSIDE = {
    "invoices": Inside("invoice_lines", "lines", "invoice_id"),
    "payments": Inside("allocations", "allocations", "payment_id"),
    "credit_notes": Inside("credit_note_lines", "lines", "credit_note_id"),
}
OUTSIDE = {inside.stem: stem for stem, inside in INSIDE.items()}
"""The CSV file of the whole, by that of its parts."""
_IDS = {
    "tax_rate": "tax_gst",
    "payment_method": "pmt_eftpos",
    "client": "1048237",
    "contact": "con_77",
    "invoice": "inv_001",
    "payment": "pay_001",
    "credit_note": "crn_001",
}
WHEN_FINALISED = "unless it is a draft or deleted"


@dataclass(frozen=True)
class FeedField:
    """A field. `path`: as in `lines.discount.value`; `needed`: "yes", "no", or when; `words`: those that it may hold, where few."""

    path: str
    type: FieldType
    needed: str
    meaning: str
    example: object
    words: tuple[str, ...] = ()

    @property
    def is_one_cell(self) -> bool:
        """Whether it stands in one cell of a spreadsheet, and not in many."""
        return self.type not in ("object", "list")


@cache
def fields_of(kind: str) -> tuple[FeedField, ...]:
    """All fields of a kind of record, those inside others after them."""
    schema = RECORD_TYPES[kind].model_json_schema()
    return tuple(_fields(schema, schema.get("$defs", {}), "", kind))


@cache
def cells_of(stem: str) -> dict[str, FeedField]:
    """The fields of a CSV file that stand in one cell, by their column's name."""
    if stem in OUTSIDE:
        inside = INSIDE[OUTSIDE[stem]]
        whole = KINDS[OUTSIDE[stem]]
        before = f"{inside.field}."
        parts = {one.path.removeprefix(before): one for one in fields_of(whole) if one.path.startswith(before)}
        owner = FeedField(inside.owner, "id", "yes", f"Id of the {whole.replace('_', ' ')} that it is in", "inv_001")
        return {inside.owner: owner} | {name: one for name, one in parts.items() if one.is_one_cell}
    return {one.path: one for one in fields_of(KINDS[stem]) if one.is_one_cell and one.path != "object"}


def _fields(schema: dict[str, Any], defs: dict[str, Any], before: str, kind: str) -> list[FeedField]:
    found: list[FeedField] = []
    for name, said in sorted(schema["properties"].items(), key=lambda item: item[0] != "object"):
        inner, type_ = _inner(said, defs)
        needed = "yes" if name in schema.get("required", ()) or name == "object" else "no"
        if kind == "invoice" and not before and name in ("number", "subtotal", "tax", "total"):
            needed = WHEN_FINALISED
        words = tuple(inner.get("enum", ())) if type_ == "word" else ()
        meaning = said.get("description", "The kind of record" if name == "object" else "")
        example = (said.get("examples") or [""])[0]
        if not before and name in ("object", "id"):
            example = kind if name == "object" else _IDS[kind]
        found.append(FeedField(before + name, type_, needed, meaning, example, words))
        if type_ in ("object", "list"):
            found += _fields(inner, defs, f"{before}{name}.", kind)
    return found


def _inner(said: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any], FieldType]:
    for one in said.get("anyOf", [said]):
        if one.get("type") == "null":
            continue
        if "$ref" in one:
            return defs[one["$ref"].rsplit("/", 1)[1]], "object"
        if one.get("type") == "array":
            items = one["items"]
            return (defs[items["$ref"].rsplit("/", 1)[1]], "list") if "$ref" in items else (one, "texts")
        return one, _type(one)
    raise AssertionError(f"a field of no type: {said}")


def _type(said: dict[str, Any]) -> FieldType:
    if "enum" in said or "const" in said:
        return "word"
    for type_, given in _types().items():
        if all(said.get(key) == value for key, value in given.items()):
            return type_
    return "yes/no" if said.get("type") == "boolean" else "text"


@cache
def _types() -> dict[FieldType, dict[str, Any]]:
    from pydantic import TypeAdapter

    types: dict[FieldType, Any] = {"id": Id, "percentage": Percentage, "amount": Amount, "date": Day, "time": Moment}
    return {name: TypeAdapter(one).json_schema() for name, one in types.items()}
