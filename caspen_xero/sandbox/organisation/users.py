"""The people of an organisation, as `Users` shows them: there is one, who connects every app."""

from __future__ import annotations

import uuid

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.wire import xero_time
from caspen_xero.sandbox.organisation.organisations import switch

PERSON = uuid.uuid5(uuid.NAMESPACE_URL, "caspen-xero sandbox: the one person in it")
FIRST_NAME, LAST_NAME, EMAIL = "Sandbox", "Person", "person@sandbox.invalid"


def add_person(ledger: Ledger) -> None:
    """Makes the one person of an organisation, unless it is there."""
    if ledger.find("Users", str(PERSON)) is not None:
        return
    person = {"UserID": str(PERSON), "EmailAddress": EMAIL, "FirstName": FIRST_NAME, "LastName": LAST_NAME}
    ledger.save("Users", person | {"IsSubscriber": True})


def show_user(desk: Desk, user: Body, _view: str) -> Body:
    """A user; the role is that of the organisation's switch `Adviser`."""
    role = "FINANCIALADVISER" if switch(desk.ledger, "Adviser", False) else "STANDARD"
    shown = {name: user[name] for name in ("UserID", "EmailAddress", "FirstName", "LastName")}
    shown |= {"UpdatedDateUTC": xero_time(user["Updated"]), "IsSubscriber": user["IsSubscriber"]}
    return shown | {"OrganisationRole": role}
