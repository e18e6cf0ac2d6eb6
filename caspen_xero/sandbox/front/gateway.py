"""What a request below `/api.xro/2.0/` passes before it reaches the books: length, token, organisation, scope, limits, keys.

The order is Xero's where it is known: a limit refuses before an idempotency key is looked at (Xero's guide on
idempotent requests); a key's answer is given again before anything is done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.exchange import Exchange
from caspen_xero.sandbox.identity.identity import Access, Identity
from caspen_xero.sandbox.identity.unauthorised import Refused, admitted, insufficient_scope, not_connected
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest
from caspen_xero.sandbox.settings import Settings
from caspen_xero.sandbox.trouble.faults import INTERNAL_ERROR, Fault
from caspen_xero.sandbox.trouble.idempotency import IdempotencyKeys
from caspen_xero.sandbox.trouble.limits import Caller, Limits, Problem

BASE = "/api.xro/2.0/"
NOT_JSON = ApiAnswer(
    406,
    b"This local sandbox speaks JSON only: send 'Accept: application/json'. (Xero itself would answer in XML.)",
    "text/plain; charset=utf-8",
)
LONGEST_QUERY = 2_048
TOO_LONG = ApiAnswer(
    404,
    b"<html><head><title>IIS Detailed Error - 404.15 - Not Found</title></head><body><h1>HTTP Error 404.15 - Not Found</h1>"
    b"<p>The request filtering module is configured to deny a request where the query string is too long.</p></body></html>",
    "text/html",
)
_FORCED: dict[str, Problem] = {"429-minute": "minute", "429-day": "day", "429-concurrent": "concurrent"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Admission:
    """A request that was let in: it counts against its caller's limits until it leaves."""

    request: ApiRequest
    caller: Caller


class Gateway:
    """The door of the API."""

    def __init__(self, api: Api, identity: Identity, limits: Limits, keys: IdempotencyKeys, settings: Settings) -> None:
        self.api, self.identity, self.limits, self.keys, self.settings = api, identity, limits, keys, settings

    def admit(self, exchange: Exchange, fault: Fault | None) -> Admission:
        """Lets a request in, or raises `Refused` with the 401, 403, 404, 406 or 429."""
        if len(exchange.query_string) > LONGEST_QUERY:
            # The web server answers, before Xero itself sees anything (UNCONFIRMED).
            raise Refused(TOO_LONG)
        access = admitted(exchange.headers, self.identity)
        if fault is not None and fault.kind == "revoke-token":
            self.identity.revoke_everything(access.client_id)
            access = admitted(exchange.headers, self.identity)
        tenant_id = self._tenant(access, exchange.headers.get("xero-tenant-id"))
        path = exchange.path.removeprefix(BASE)
        needed = self.api.required_scope(exchange.method, path)
        if needed is not None and not needed & access.scopes:
            switches = self.settings.now
            raise Refused(insufficient_scope(switches.insufficient_scope, int(switches.missing_scope)))
        caller = (access.client_id, tenant_id)
        if fault is not None and fault.kind in _FORCED:
            seconds = None if fault.seconds is None else max(0, round(fault.seconds))
            raise Refused(self.limits.refusal(caller, _FORCED[fault.kind], seconds))
        refusal = self.limits.admit(caller)
        if refusal is not None:
            raise Refused(refusal)
        request = ApiRequest(
            exchange.method,
            path,
            exchange.query,
            exchange.headers,
            exchange.body,
            tenant_id,
            access.client_id,
        )
        return Admission(request, caller)

    def leave(self, admission: Admission) -> None:
        """The request has its answer."""
        self.limits.leave(admission.caller)

    def answer(self, admission: Admission, exchange: Exchange, fault: Fault | None) -> ApiAnswer:
        """The answer of the books, or the one kept under the request's idempotency key; with the limits' headers."""
        answer = self._kept_or_new(admission, exchange, fault)
        headers = {**answer.headers, **self.limits.headers(admission.caller)}
        return ApiAnswer(answer.status, answer.body, answer.content_type, headers)

    def _kept_or_new(self, admission: Admission, exchange: Exchange, fault: Fault | None) -> ApiAnswer:
        request, client_id = admission.request, admission.caller[0]
        if not _takes_json(exchange.headers.get("accept", ""), self.settings.now.without_accept == "json"):
            return NOT_JSON
        key = self.keys.key_of(request)
        if key is None:
            return self._new(request, fault)
        kept = self.keys.replay(client_id, key, request, exchange.url)
        if kept is not None:
            return kept
        answer = self._new(request, fault)
        self.keys.keep(client_id, key, request, exchange.url, answer)
        return answer

    def _new(self, request: ApiRequest, fault: Fault | None) -> ApiAnswer:
        if fault is not None and fault.kind == "500-before":
            return INTERNAL_ERROR
        db = self.identity.db
        db.execute("SAVEPOINT books")
        try:
            answer = self.api.handle(request)
        except Exception:  # noqa: BLE001 - a defect of the sandbox is an internal error to its client, like Xero's own
            _log.exception("The sandbox failed at %s %s", request.method, request.path)
            db.execute("ROLLBACK TO books")
            answer = INTERNAL_ERROR
        finally:
            db.execute("RELEASE books")
        return INTERNAL_ERROR if fault is not None and fault.kind == "500-after" else answer

    def _tenant(self, access: Access, named: str | None) -> str:
        """The organisation that the request works in; a custom connection needn't name its own."""
        if not named and access.custom_tenant_id is not None:
            return access.custom_tenant_id
        connected = [one.tenant_id for one in self.identity.connections(access)]
        if not named and len(connected) == 1 and self._goes_without(named):
            return connected[0]
        if named is None or named.lower() not in connected:
            raise Refused(not_connected())
        return named.lower()

    def _goes_without(self, named: str | None) -> bool:
        """Whether a request need not name the one organisation that there is."""
        way = self.settings.now.unnamed_organisation
        return way == "any" or (way == "empty-header" and named is not None)


def _takes_json(accept: str, undecided: bool) -> bool:
    """Whether a request may be answered in JSON; `undecided` where it asks for no format (`*/*`, or no `Accept` at all)."""
    kinds = [one.partition(";")[0].strip().lower() for one in accept.split(",")]
    return "json" in accept.lower() or (undecided and bool({"", "*/*", "application/*"} & set(kinds)))
