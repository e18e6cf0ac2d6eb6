"""Tracking categories and their options, and what a line names of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import ID, Choice, Fields, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger, key_of
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.resource import Resource
from caspen_xero.sandbox.books.wire import NOWHERE, new_id

_STATUS = Choice(frozenset({"ACTIVE", "ARCHIVED", "DELETED"}))
CATEGORY_FIELDS: Fields = {"TrackingCategoryID": ID, "Name": Text(100), "Status": _STATUS}
OPTION_FIELDS: Fields = {"TrackingOptionID": ID, "Name": Text(100), "Status": _STATUS}
MOST_ACTIVE = 2


def show_category(_desk: Desk, category: Body, view: str) -> Body:
    """A category with its options: in a list the active ones alone, unless it includes what is archived."""
    seen = ("ACTIVE",) if view == "list" else ("ACTIVE", "ARCHIVED")
    shown = {name: category[name] for name in ("Name", "Status", "TrackingCategoryID")}
    return shown | {"Options": [_shown(option) for option in category["Options"] if option["Status"] in seen]}


def _shown(option: Body) -> Body:
    status = option["Status"]
    shown = {name: option[name] for name in ("TrackingOptionID", "Name", "Status")}
    shown |= {"HasValidationErrors": False, "IsDeleted": status == "DELETED", "IsArchived": status == "ARCHIVED"}
    return shown | {"IsActive": status == "ACTIVE"}


def put_category(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """A new category, without options: those have an endpoint of their own. There are at most two active ones."""
    category: Body = {"TrackingCategoryID": new_id(), "Status": "ACTIVE", "Options": []}
    return _take(desk.ledger, category, {"Status": "ACTIVE"} | sent), []


def post_category(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """Renames a category, archives it or takes it back."""
    category = desk.ledger.find("TrackingCategories", sent.get("TrackingCategoryID", NOWHERE))
    if category is None:
        raise Refusal(messages.TRACKING_NOT_FOUND())
    return _take(desk.ledger, category, category | sent), []


def _take(ledger: Ledger, category: Body, wanted: dict[str, Any]) -> Body:
    if not wanted.get("Name", "").strip():
        raise Refusal(messages.TRACKING_NAME_MISSING())
    problems = too_long({"Name": wanted["Name"]}, CATEGORY_FIELDS)
    if wanted["Status"] == "ACTIVE":
        others = ledger.select("TrackingCategories", "status = 'ACTIVE' AND id != ?", (category["TrackingCategoryID"],))
        if any(key_of(other["Name"]) == key_of(wanted["Name"]) for other in others):
            problems.append(messages.TRACKING_CATEGORY_TAKEN())
        elif len(others) >= MOST_ACTIVE:
            problems.append(messages.TRACKING_CATEGORIES_FULL())
    if problems:
        raise Refusal(*problems)
    category |= {name: wanted[name] for name in ("Name", "Status")}
    ledger.save("TrackingCategories", category)
    return category


def delete_category(desk: Desk, category: Body) -> Body:
    category["Status"] = "DELETED"
    desk.ledger.save("TrackingCategories", category)
    return show_category(desk, category, "full")


@dataclass(frozen=True)
class TrackingOptions:
    """The options of one category. They are written like the elements of any other endpoint."""

    category_id: str

    def resource(self) -> Resource:
        """The `Options` endpoint below this category."""
        return Resource("Options", "TrackingOptionID", OPTION_FIELDS, self._show, self.put, self.post, single=True)

    def put(self, desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
        option: Body = {"TrackingOptionID": new_id(), "Status": "ACTIVE"}
        return self._take(desk, option, {"Status": "ACTIVE"} | sent), []

    def post(self, desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
        option = self.named(desk, sent.get("TrackingOptionID", NOWHERE))
        if option is None:
            raise Refusal(messages.TRACKING_NOT_FOUND())
        return self._take(desk, option, option | sent), []

    def named(self, desk: Desk, option_id: str) -> Body | None:
        """The option of that id."""
        options = self._category(desk)["Options"]
        return next((option for option in options if option["TrackingOptionID"] == option_id), None)

    def delete(self, desk: Desk, option: Body) -> Body:
        return self._show(desk, self._take(desk, option, option | {"Status": "DELETED"}), "full")

    def _take(self, desk: Desk, option: Body, wanted: dict[str, Any]) -> Body:
        category, name = self._category(desk), wanted.get("Name", "").strip()
        if not name:
            raise Refusal(messages.TRACKING_NAME_MISSING())
        problems = too_long({"Name": name}, OPTION_FIELDS)
        others = [one for one in category["Options"] if one["TrackingOptionID"] != option["TrackingOptionID"]]
        if any(key_of(one["Name"]) == key_of(name) and one["Status"] != "DELETED" for one in others):
            problems.append(messages.TRACKING_OPTION_TAKEN())
        if problems:
            raise Refusal(*problems)
        option |= {"Name": name, "Status": wanted["Status"]}
        if option not in category["Options"]:
            category["Options"].append(option)
        desk.ledger.save("TrackingCategories", category)
        return option

    def _category(self, desk: Desk) -> Body:
        category = desk.ledger.find("TrackingCategories", self.category_id)
        if category is None:
            raise LookupError(f"no tracking category {self.category_id}")
        return category

    def _show(self, _desk: Desk, option: Body, _view: str) -> Body:
        return _shown(option)


def tracked(ledger: Ledger, sent: list[dict[str, Any]]) -> list[Body]:
    """What a line names of categories and options, with the names and ids of those that there are; the rest as it was sent."""
    active = ledger.select("TrackingCategories", "status = 'ACTIVE'") if sent else []
    return [named | _found(active, named) for named in sent]


def _found(categories: list[Body], named: dict[str, Any]) -> Body:
    for category in categories:
        if not _is(category, named, "TrackingCategoryID", "Name"):
            continue
        for option in category["Options"]:
            if option["Status"] == "ACTIVE" and _is(option, named, "TrackingOptionID", "Option"):
                ids = {
                    "TrackingCategoryID": category["TrackingCategoryID"],
                    "TrackingOptionID": option["TrackingOptionID"],
                }
                return {"Name": category["Name"], "Option": option["Name"]} | ids
    return {}


def _is(there: Body, named: dict[str, Any], id_: str, name: str) -> bool:
    """Whether it is the one that is named: by its id, else by its name."""
    if id_ in named:
        return bool(there[id_] == named[id_])
    return key_of(there["Name"]) == key_of(named.get(name, ""))
