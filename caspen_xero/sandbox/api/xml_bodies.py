"""Bodies of XML, read into the form of JSON: what older clients send (pyxero, xeroizer, xero-php).

A name counts as it is spelt. One that an element has twice, and those that stand in answers of JSON alone, are refused
(pyxero#105, pyxero#156, Xero-Net#257). Any other unknown name is passed over: `LineItemId` was, unseen (xeroizer#480).
No document type is read: no entity can be declared, nothing from outside is fetched, and nothing grows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.fields import DATE, FLAG, Fields, Many, One, Text
from caspen_xero.sandbox.books.refusals import bad_data
from caspen_xero.sandbox.books.resource import Resource

_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
_DEEPEST = 30
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T[0-9:.]+)?(Z|[+-]\d{2}:\d{2})?\Z")
_FLAGS = {"1": "true", "0": "false"}
# pyxero has learnt to leave these out; StatusAttributeString is Xero-Net's.
_OF_JSON_ALONE = {
    *("HasValidationErrors", "HasErrors", "HasAccount", "IsDiscounted", "DateString", "DueDateString", "ID"),
    "StatusAttributeString",
}


@dataclass
class Node:
    """One element: its name without namespace, its own text, and the elements in it."""

    name: str
    is_nil: bool = False
    pieces: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class _Builder:
    """Takes what the parser meets."""

    def __init__(self) -> None:
        self.top = Node("")
        self.open = [self.top]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) > _DEEPEST:
            raise _unreadable("nested too deeply")
        node = Node(name.rpartition(" ")[2], attributes.get(_NIL) in ("true", "1"))
        self.open[-1].children.append(node)
        self.open.append(node)

    def end(self, _name: str) -> None:
        self.open.pop()

    def data(self, text: str) -> None:
        self.open[-1].pieces.append(text)

    def doctype(self, *_: Any) -> None:
        raise _unreadable("For security reasons DTD is prohibited in this XML document.")


def read_xml(text: bytes | str) -> Node:
    """The root of a document. Raises RequestRefused (400, 14) for what is no XML, or has a document type."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, builder.doctype
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an encoding that is none
        raise _unreadable(str(error)) from error
    return builder.top.children[0]


def holds_elements(root: Node) -> bool:
    """Whether there is anything in the root."""
    return bool(root.children)


def elements_of_xml(text: bytes | str, resource: Resource) -> list[dict[str, Any]]:
    """The elements of a document: those in a root of the resource's plural, or the root itself in its singular."""
    root = read_xml(text)
    if root.name == resource.kind:
        return [_read(node, resource.fields) for node in root.children]
    if root.name == resource.singular:
        return [_read(root, resource.fields)]
    raise bad_data(messages.XML_NOT_RECOGNISED(name=root.name))


def _read(node: Node, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in node.children:
        if child.name in _OF_JSON_ALONE or child.name in found:
            raise bad_data(messages.XML_NOT_RECOGNISED(name=child.name))
        if child.name in fields:
            found[child.name] = None if child.is_nil else _value(child, fields[child.name])
    return found


def _value(node: Node, field: Any) -> Any:
    if isinstance(field, Many):  # whatever its elements are called: `Tracking` holds `TrackingCategory`
        return [_read(child, field.fields) for child in node.children]
    if isinstance(field, One):
        return _read(node, field.fields)
    if node.children:
        raise bad_data(messages.XML_NOT_RECOGNISED(name=node.children[0].name))
    if isinstance(field, Text):
        return node.text
    text = node.text.strip()
    if field == DATE and text and not _DATE.match(text):
        raise bad_data(messages.XML_DATE_NOT_VALID(value=text))
    return _FLAGS.get(text, text) if field == FLAG else text


def _unreadable(reason: str) -> Exception:
    return bad_data(messages.XML_NOT_READABLE(reason=reason))
