"""The JSON Schema of the feed's records, made from their models."""

from __future__ import annotations

from typing import Any

from .records import FINALISED, RECORD_TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def feed_schema() -> dict[str, Any]:
    """The schema of one record of any kind.

    Fields that the feed does not know are ignored, so the schema allows them; it says what a field should hold, also where an odd
    value would only be left out.
    """
    defs: dict[str, Any] = {}
    for kind, model in RECORD_TYPES.items():
        schema = model.model_json_schema()
        defs |= {name: _bare(one) for name, one in schema.pop("$defs", {}).items()}
        defs[kind] = _bare(schema) | {"required": ["object", *schema.get("required", [])]}
    defs["invoice"] |= {
        "if": {"properties": {"status": {"enum": [*FINALISED, "void"]}}},
        "then": {
            "required": ["number", "subtotal", "tax", "total"],
            "properties": {name: {"not": {"type": "null"}} for name in ("number", "subtotal", "tax", "total")},
        },
    }
    return {
        "$schema": DIALECT,
        "title": "A record of the Caspen billing feed, version 1",
        "description": "One object of a JSON array or page, or one line of a JSON Lines file.",
        "type": "object",
        "required": ["object", "id"],
        "properties": {"object": {"enum": list(RECORD_TYPES)}},
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in RECORD_TYPES],
        "$defs": defs,
    }


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names, and with what the models take besides: null, and numbers for text."""
    found = {key: value for key, value in schema.items() if key not in ("title", "default") and value != []}
    if "properties" in found:
        found["properties"] = {name: _bare(one) for name, one in schema["properties"].items()}
    if "anyOf" in found:
        found["anyOf"] = [_bare(one) for one in schema["anyOf"]]
    if found.get("type") == "string" and not {"enum", "const", "pattern", "format"} & set(found):
        found["type"] = ["string", "number"]
    if "default" in schema and "type" in found and "const" not in found:
        types = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*types, "null"]
    return found
