"""A PUT or POST of one or many elements: each is carried out or refused by itself, and the request answers for all.

`summarizeErrors` is true unless the request says false (Xero's description says otherwise, recorded answers don't): one
refused element refuses the request with 400, and nothing of it is kept (UNCONFIRMED: nothing). With false the answer is
200 and each element has its status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import echo, read
from caspen_xero.sandbox.books.refusals import Refusal, RequestRefused, not_implemented
from caspen_xero.sandbox.books.resource import Resource, Writer
from caspen_xero.sandbox.books.wire import NOWHERE, json_answer

Result = TypeVar("Result")


def summarizes(resource: Resource, params: Mapping[str, str]) -> bool:
    """Whether one error makes the whole request an error; so it is unless the request says otherwise."""
    return resource.single or params.get("summarizeErrors", "true").lower() != "false"


def delete_one(desk: Desk, delete: Callable[[], Result]) -> Result:
    """Carries out a DELETE. Raises RequestRefused (400) where it is refused."""
    try:
        with desk.ledger.all_or_nothing("request"):
            return delete()
    except Refusal as refusal:
        element = {"ValidationErrors": [{"Message": text} for text in refusal.messages]}
        raise _summary([element]) from refusal


def write(
    desk: Desk, resource: Resource, writer: Writer | None, sent: list[Any], summarize: bool
) -> list[dict[str, Any]]:
    """Carries out the elements in order, and gives each as Xero answers it. Raises RequestRefused (400) for a summarized error."""
    if writer is None:
        raise not_implemented()
    elements = [read(element, resource.fields) for element in sent]
    shown: list[dict[str, Any]] = []
    refusals: list[dict[str, Any]] = []
    with desk.ledger.all_or_nothing("request"):
        for element in elements:
            try:
                shown.append(_write_one(desk, resource, writer, element, summarize))
            except Refusal as refusal:
                shown.append(_refused(resource, element, refusal, summarize))
                refusals.append(shown[-1])
        if refusals and summarize:
            raise _summary(refusals)
    return shown


def _write_one(
    desk: Desk, resource: Resource, writer: Writer, element: dict[str, Any], summarize: bool
) -> dict[str, Any]:
    with desk.ledger.all_or_nothing("element"):
        document, warnings = writer(desk, element)
        answer = resource.answer(desk, document, "created")
    if warnings:
        answer["Warnings"] = [{"Message": text} for text in warnings]
    if not summarize:
        answer["StatusAttributeString"] = "WARNING" if warnings else "OK"
    return answer


def _refused(resource: Resource, element: dict[str, Any], refusal: Refusal, summarize: bool) -> dict[str, Any]:
    """A refused element: what was sent over what stands, the document's own id (all zeroes for a new one), and why."""
    standing = refusal.shown or ({resource.id: NOWHERE} if resource.id.endswith("ID") else {})
    answer = standing | echo(element, resource.fields)
    if resource.id in standing:
        answer[resource.id] = standing[resource.id]
    answer = resource.show_refused(answer)
    for (name, position), texts in refusal.inside.items():
        parts = answer.get(name)
        part = parts[position] if isinstance(parts, list) and position < len(parts) else parts
        if isinstance(part, dict):
            part["ValidationErrors"] = [{"Message": text} for text in texts]
            if "HasValidationErrors" in part:
                part["HasValidationErrors"] = True
    if resource.flag:
        answer[resource.flag] = True
    answer["ValidationErrors"] = [{"Message": text} for text in refusal.messages]
    if not summarize:
        answer["StatusAttributeString"] = "ERROR"
    return answer


def _summary(refusals: list[dict[str, Any]]) -> RequestRefused:
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": messages.VALIDATION(),
        "Elements": refusals,
    }
    return RequestRefused(json_answer(body, 400))
