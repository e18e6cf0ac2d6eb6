"""What is wrong with a record, in plain words, with its field: the models' findings as people are told of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from caspen_xero.outside_text import plain

from .exact_json import Twice
from .values import quoted

LONGEST_ID = 1_000
"""Characters of an id or number: more is none, and would be printed wherever it is named."""


class RecordError(ValueError):
    """A record that breaks the feed's shape. `field` is a path such as `lines[0].quantity`; `reason` is plain words."""

    def __init__(self, kind: str | None, record_id: str | None, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.kind = kind
        self.record_id = record_id
        self.field = field
        self.reason = reason


def id_of(data: Mapping[str, Any]) -> str | None:
    """The id that a decoded record gives itself, if it is one."""
    found = data.get("id")
    is_one = isinstance(found, str | int) and not isinstance(found, bool) and found != ""
    return str(found)[:LONGEST_ID] if is_one else None


def as_record_error(kind: str, data: Mapping[str, Any], error: ValidationError) -> RecordError:
    """The first thing that the models found wrong, in words, with the names of the other fields that are wrong too."""
    wrong = [(_field_of(detail), _reason_of(detail)) for detail in error.errors(include_url=False)]
    field, reason = wrong[0]
    others = list(dict.fromkeys(name for name, _ in wrong[1:] if name != field))
    if others:
        reason += f" (also wrong: {', '.join(map(plain, others[:5]))})"
    return RecordError(kind, id_of(data), field, reason)


def _field_of(detail: ErrorDetails) -> str:
    steps = [*detail["loc"], *([detail["ctx"]["field"]] if "field" in detail.get("ctx", {}) else [])]
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _reason_of(detail: ErrorDetails) -> str:
    value = detail["input"]
    if isinstance(value, Twice):
        return "is there twice, with two values"
    if value is None and detail["type"] != "feed":
        return "is missing"
    match detail["type"]:
        case "missing":
            return "is missing"
        case "string_type":
            return "is not text"
        case "string_unicode":
            return "is not valid Unicode text"
        case "string_pattern_mismatch":
            return (
                "is empty"
                if not str(value).strip()
                else f"{quoted(value)} is not three capital letters, as in AUD or GBP"
            )
        case "string_too_long":
            return f"has more than {detail['ctx']['max_length']:,} characters"
        case "literal_error":
            return f"{quoted(value)} is not {detail['ctx']['expected']}"
        case "tuple_type":
            return "is not a list"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "is not an object with fields"
        case "bool_type" | "bool_parsing":
            return f"{quoted(value)} is neither true nor false"
        case _:
            return detail["msg"]
