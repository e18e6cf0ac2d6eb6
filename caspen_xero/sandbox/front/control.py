"""The sandbox's own controls below `/sandbox/`: its state, its clock, trouble on demand, and what a person does in Xero."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from caspen_xero.sandbox.books.wire import json_answer as document_answer
from caspen_xero.sandbox.exchange import BadRequest, Exchange, Handler, json_answer
from caspen_xero.sandbox.front.local import LocalXero
from caspen_xero.sandbox.organisation.organisations import Organisation
from caspen_xero.sandbox.seam import ApiAnswer

DONE = {"ok": True}


class Control:
    """The controls. `?tenant=ID` names the organisation; without it the first is meant."""

    def __init__(self, xero: LocalXero) -> None:
        self.xero = xero

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        return [
            ("GET", "/sandbox/state", self.state),
            ("GET", "/sandbox/requests", self.requests),
            ("DELETE", "/sandbox/requests", self.clear_requests),
            ("POST", "/sandbox/reset", self.reset),
            ("GET", "/sandbox/clock", self.clock),
            ("POST", "/sandbox/clock", self.move_clock),
            ("GET", "/sandbox/settings", self.settings),
            ("POST", "/sandbox/settings", self.turn_settings),
            ("GET", "/sandbox/faults", self.faults),
            ("POST", "/sandbox/faults", self.set_fault),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("GET", "/sandbox/organisations", self.organisations),
            ("POST", "/sandbox/organisations", self.add_organisation),
            ("POST", "/sandbox/organisation", self.change_organisation),
            ("POST", "/sandbox/contacts/{id}/archive", self.archive_contact),
            ("POST", "/sandbox/contacts/{id}/restore", self.restore_contact),
            ("POST", "/sandbox/contacts/{id}/merge", self.merge_contact),
            ("POST", "/sandbox/accounts/{id}/archive", self.archive_account),
            ("POST", "/sandbox/items", self.add_item),
            ("POST", "/sandbox/invoices/{id}/mark-paid", self.mark_paid),
            ("POST", "/sandbox/invoices/{id}/save-in-old-page", self.save_in_old_page),
            ("POST", "/sandbox/payments/{id}/reconcile", self.reconcile_payment),
        ]

    def unknown(self, exchange: Exchange) -> ApiAnswer:
        """What isn't there, with what is."""
        known = [f"{method} {path}" for method, path, _ in self.routes()]
        return json_answer({"error": "There is no such control.", "controls": known}, 404)

    # what there is

    def state(self, exchange: Exchange) -> ApiAnswer:
        """Every document of an organisation in full."""
        return document_answer(self.xero.api.state(self._tenant(exchange).tenant_id))

    def requests(self, exchange: Exchange) -> ApiAnswer:
        """Every request for sign-in and API, in order."""
        return json_answer({"requests": list(self.xero.log.requests())})

    def clear_requests(self, exchange: Exchange) -> ApiAnswer:
        self.xero.log.clear()
        return json_answer(DONE)

    def organisations(self, exchange: Exchange) -> ApiAnswer:
        return json_answer({"organisations": [_shown(one) for one in self.xero.tenants.all()]})

    # how it behaves

    def reset(self, exchange: Exchange) -> ApiAnswer:
        """Everything as it was at the start; apps that are signed in stay so."""
        self.xero.reset()
        return json_answer(DONE)

    def clock(self, exchange: Exchange) -> ApiAnswer:
        return json_answer({"now": f"{self.xero.clock.now():%Y-%m-%dT%H:%M:%S.%f}Z"})

    def move_clock(self, exchange: Exchange) -> ApiAnswer:
        """`{"seconds": N}` moves the clock on, `{"now": "2026-11-22T10:00:00Z"}` sets it (no zone: UTC)."""
        wishes = exchange.wishes()
        match wishes:
            case {"seconds": int() | float() as seconds}:
                by = _span(seconds)
            case {"now": str() as now}:
                by = _moment(now) - self.xero.clock.now()
            case _:
                raise BadRequest('Say {"seconds": N} or {"now": "2026-11-22T10:00:00Z"}.')
        self.xero.move_clock(by)
        return self.clock(exchange)

    def settings(self, exchange: Exchange) -> ApiAnswer:
        return json_answer(self.xero.settings.described())

    def turn_settings(self, exchange: Exchange) -> ApiAnswer:
        wishes = exchange.wishes()
        if "clock_offset" in wishes:
            raise BadRequest("The clock is moved by POST /sandbox/clock.")
        self.xero.settings.turn(wishes)
        return self.settings(exchange)

    def faults(self, exchange: Exchange) -> ApiAnswer:
        return json_answer({"faults": [fault.described() for fault in self.xero.faults.active]})

    def set_fault(self, exchange: Exchange) -> ApiAnswer:
        return json_answer(self.xero.faults.set(exchange.wishes()).described(), 201)

    def clear_faults(self, exchange: Exchange) -> ApiAnswer:
        self.xero.faults.clear()
        return json_answer(DONE)

    # what a person does in Xero

    def add_organisation(self, exchange: Exchange) -> ApiAnswer:
        """`{"Name": ..., "Country": "AU"}`; any other field as for changing one."""
        wishes = exchange.wishes()
        name, country = wishes.pop("Name", None), wishes.pop("Country", self.xero.country)
        if not isinstance(name, str) or not name:
            raise BadRequest("An organisation needs a Name.")
        try:
            return json_answer(_shown(self.xero.api.add_organisation(name, country, **wishes)), 201)
        except (ValueError, TypeError) as error:
            raise BadRequest(str(error)) from error

    def change_organisation(self, exchange: Exchange) -> ApiAnswer:
        """Lock dates, the approval limit and the other switches of an organisation."""
        try:
            self.xero.api.change_organisation(self._tenant(exchange).tenant_id, exchange.wishes())
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return json_answer(DONE)

    def archive_contact(self, exchange: Exchange) -> ApiAnswer:
        return self._in_xero(exchange, self.xero.api.archive_contact)

    def restore_contact(self, exchange: Exchange) -> ApiAnswer:
        return self._in_xero(exchange, self.xero.api.restore_contact)

    def merge_contact(self, exchange: Exchange) -> ApiAnswer:
        """Merges a contact into the one that `{"into": ID}` names."""
        into = str(exchange.wishes().get("into", ""))
        return self._in_xero(exchange, lambda tenant, contact: self.xero.api.merge_contacts(tenant, contact, into))

    def archive_account(self, exchange: Exchange) -> ApiAnswer:
        return self._in_xero(exchange, self.xero.api.archive_account)

    def add_item(self, exchange: Exchange) -> ApiAnswer:
        """`{"Code": "PHYSIO", "Name": "Physiotherapy"}`."""
        wishes = exchange.wishes()
        code, name = wishes.get("Code"), wishes.get("Name", "")
        if not isinstance(code, str) or not isinstance(name, str):
            raise BadRequest("An item needs a Code.")
        try:
            self.xero.api.add_item(self._tenant(exchange).tenant_id, code, name)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return json_answer(DONE, 201)

    def mark_paid(self, exchange: Exchange) -> ApiAnswer:
        """Pays what is due; `{"reconciled": true}` as if matched with a bank statement line."""
        reconciled = exchange.wishes().get("reconciled") is True

        def pay(tenant_id: str, invoice_id: str) -> str:
            return self.xero.api.mark_paid(tenant_id, invoice_id, reconciled=reconciled)

        return self._in_xero(exchange, pay, "PaymentID")

    def save_in_old_page(self, exchange: Exchange) -> ApiAnswer:
        return self._in_xero(exchange, self.xero.api.save_in_old_page)

    def reconcile_payment(self, exchange: Exchange) -> ApiAnswer:
        """Matches a payment with a bank statement line; `{"reconciled": false}` takes the match off."""
        reconciled = exchange.wishes().get("reconciled") is not False

        def reconcile(tenant_id: str, payment_id: str) -> None:
            self.xero.api.reconcile_payment(tenant_id, payment_id, reconciled=reconciled)

        return self._in_xero(exchange, reconcile)

    def _in_xero(self, exchange: Exchange, act: Callable[[str, str], Any], named: str = "") -> ApiAnswer:
        try:
            result = act(self._tenant(exchange).tenant_id, exchange.captured["id"])
        except (LookupError, ValueError) as error:
            raise BadRequest(str(error)) from error
        return json_answer(DONE | ({named: result} if named else {}))

    def _tenant(self, exchange: Exchange) -> Organisation:
        named = exchange.query.get("tenant")
        tenant = self.xero.tenants.by_id(named) if named else self.xero.tenants.first()
        if tenant is None:
            raise BadRequest(f"There is no organisation with the tenant id {named}.")
        return tenant


def _shown(organisation: Organisation) -> dict[str, str]:
    return {
        "TenantId": organisation.tenant_id,
        "OrganisationID": organisation.organisation_id,
        "Name": organisation.name,
        "CountryCode": organisation.country,
        "ShortCode": organisation.short_code,
    }


def _span(seconds: float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise BadRequest(f"The clock can't be moved by {seconds} seconds.") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text!r} is no time like 2026-11-22T10:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
