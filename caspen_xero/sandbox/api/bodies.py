"""What stands in the body of a PUT or POST: JSON, XML, or a form that holds XML; all of it read into the form of JSON.

The body itself says which it is, whatever its Content-Type says (UNCONFIRMED: Xero may go by Content-Type).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from caspen_xero.sandbox.api.xml_bodies import elements_of_xml, holds_elements, read_xml
from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.refusals import bad_data, too_large
from caspen_xero.sandbox.books.resource import Resource
from caspen_xero.sandbox.books.wire import from_json

LARGEST_BODY = 3_500_000  # Xero's Requests page; another page of Xero's says 10 MB
_MARKS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")  # the latter with the mark of their encoding


def elements_of(body: bytes, resource: Resource) -> list[Any]:
    """The elements of a body: wrapped in their plural, one alone, or a bare list. Raises RequestRefused for anything else."""
    text = _xml_in(body)
    elements = _of_json(body, resource.kind) if text is None else elements_of_xml(text, resource)
    if not elements or not all(isinstance(element, dict) and element for element in elements):
        raise bad_data(messages.BODY_NOT_READABLE(reason=f"{resource.kind} were expected"))
    return elements


def has_elements(body: bytes, plural: str) -> bool:
    """False for an empty body, and for one that holds an empty list."""
    text = _xml_in(body)
    if text is not None:
        return holds_elements(read_xml(text))
    try:
        sent = from_json(body) if body.strip() else None
    except ValueError:
        return True
    return bool(_unwrapped(sent, plural))


def _xml_in(body: bytes) -> bytes | str | None:
    """The XML that a body is, or that its form holds in a field `xml` (as xeroizer sends it); None for a body of JSON."""
    if len(body) > LARGEST_BODY:
        raise too_large()
    start = body.lstrip()
    if start.startswith(_MARKS):
        return start
    if start.startswith(b"xml="):
        return dict(parse_qsl(start.decode("utf-8", "replace"), keep_blank_values=True))["xml"].strip()
    return None


def _of_json(body: bytes, plural: str) -> list[Any]:
    try:
        sent = from_json(body)
    except ValueError as error:
        raise bad_data(messages.BODY_NOT_READABLE(reason="it is not JSON")) from error
    sent = _unwrapped(sent, plural)
    return sent if isinstance(sent, list) else [sent]


def _unwrapped(sent: Any, plural: str) -> Any:
    """What the plural wraps, in whatever letter case it is written; anything else is given back."""
    found = sent
    for name, value in sent.items() if isinstance(sent, dict) else ():
        if name.lower() == plural.lower() and isinstance(value, list | dict):
            found = value
    return found
