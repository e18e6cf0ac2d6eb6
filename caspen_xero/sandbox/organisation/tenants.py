"""The organisations, as sign-in, controls and pages look them up."""

from __future__ import annotations

from caspen_xero.sandbox.books.ledger import Books
from caspen_xero.sandbox.organisation.organisations import Organisation, all_organisations


class Tenants:
    """The organisations of the sandbox; there is always a first one."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def all(self) -> list[Organisation]:
        return all_organisations(self.books)

    def first(self) -> Organisation:
        return self.all()[0]

    def by_id(self, tenant_id: str) -> Organisation | None:
        """The organisation with this tenant id."""
        return next((one for one in self.all() if one.tenant_id == tenant_id), None)

    def by_short_code(self, short_code: str) -> Organisation | None:
        """The organisation with this short code (`!Qj35V`), as Xero's links name it."""
        return next((one for one in self.all() if one.short_code == short_code), None)

    def chosen(self, name_or_id: str) -> Organisation:
        """The organisation of that name or tenant id; the first one if there is none."""
        return next((one for one in self.all() if name_or_id in (one.name, one.tenant_id)), self.first())
