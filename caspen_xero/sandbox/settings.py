"""Switches of the sandbox that a test or a person can turn while it runs; they outlive a restart."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from caspen_xero.sandbox.exchange import BadRequest


@dataclass(frozen=True)
class Ways:
    """What Xero does where sources disagree, or one source alone says it: the words that each may be turned to.

    The default is what the better source says; the README's rules name the sources.

    `edit_of_paid`: other amounts for lines of an invoice with payments or credits are ignored, the rest of the edit taken; or all
    of it is refused. `discount_in_lists`: a discounted line shows percentage and amount in lists too, or its percentage alone.
    `zero_price_lines`: a line whose price is 0 keeps its account and tax type, or is stripped of them.
    `discount_at_approval`: when a draft is approved its discounts are kept, or those sent as amounts recomputed from percentages
    of 2 places.
    `draft_in_locked_period`: whether drafts may be dated, edited and deleted on or before a lock date.
    `approval_limit_counts`: whether a plan's approvals are counted by the month of approval, or by that of the invoice's date.
    `batch_member_id`: where the id of a batch stands as the PaymentID of its members. "own": nowhere; "invoice": in an invoice read
    by its id; "batch": in a payment read by its id too; "lists": in lists of invoices too.
    `batch_reconciled`: whether the members of a batch say that it is reconciled, or only the batch itself.
    `absent_keys`: keys that would say nothing, such as a contact's `EmailAddress` where there is none.
    `unknown_account_in_draft`, `unknown_tax_type_in_draft`: a draft's line that names one which can't stand there is made without
    it, with a warning, or refused. `early_payment`: a payment dated before its invoice is taken with a warning, or refused.
    `undone_allocation`: the answer to the DELETE of an allocation wraps it as any other answer does, or is the allocation itself.
    `whole_discount`: a discount that takes off all of a line is taken, refused where the line's LineAmount of 0.00 is sent with it,
    or refused always. `number_of_deleted_draft`: a POST with the number of a deleted draft is refused, or edits that draft.
    `unnamed_organisation`: of a request that names no organisation, where the app is connected to just one: taken with an empty
    header, taken without a header too ("any"), or refused. `without_accept`: a request that asks for no format gets JSON, or 406.
    `missing_scope`: the status of a call that the token's scopes do not allow.
    """

    edit_of_paid: Literal["ignored", "refused"] = "ignored"
    discount_in_lists: Literal["whole", "rate"] = "whole"
    zero_price_lines: Literal["kept", "stripped"] = "kept"
    discount_at_approval: Literal["kept", "recomputed"] = "kept"
    draft_in_locked_period: Literal["taken", "refused"] = "taken"
    approval_limit_counts: Literal["approval-month", "invoice-date"] = "approval-month"
    batch_member_id: Literal["own", "invoice", "batch", "lists"] = "batch"
    batch_reconciled: Literal["batch-only", "members-too"] = "batch-only"
    absent_keys: Literal["left-out", "shown"] = "left-out"
    unknown_account_in_draft: Literal["warned", "refused"] = "warned"
    unknown_tax_type_in_draft: Literal["warned", "refused"] = "warned"
    early_payment: Literal["warned", "refused"] = "warned"
    undone_allocation: Literal["wrapped", "bare"] = "wrapped"
    whole_discount: Literal["taken", "line-amount-refused", "refused"] = "line-amount-refused"
    number_of_deleted_draft: Literal["refused", "edited"] = "refused"
    unnamed_organisation: Literal["empty-header", "any", "refused"] = "empty-header"
    without_accept: Literal["json", "refused"] = "json"
    missing_scope: Literal["401", "403"] = "401"


@dataclass(frozen=True)
class Switches(Ways):
    """How the sandbox behaves where Xero's person or Xero itself may go either way.

    `auto_approve`: no consent page. `approval`: what it then decides, "allow" or "cancel". `next_organisation`: name or
    tenant id that it then allows, and the one of a custom connection (default: the first). `redirect_uris`: those
    registered, if only they may be used. `clients`: the client ids registered, each with its secret ("" for an app without one),
    if only they are known. `insufficient_scope`: what WWW-Authenticate says. `refresh_drops_successor`: a second
    use of an old refresh token ends the one that the first use gave (UNCONFIRMED which of the two Xero does).
    `state_with_errors`: whether the app's state goes back with a refusal (UNCONFIRMED).
    `clock_offset`: seconds that the clock is ahead of the machine's. `date_header`: whether answers tell the time in a header.
    """

    auto_approve: bool = False
    approval: str = "allow"
    next_organisation: str = ""
    redirect_uris: list[str] = field(default_factory=list)
    clients: dict[str, str] = field(default_factory=dict)
    insufficient_scope: str = "insufficient_scope"
    refresh_drops_successor: bool = False
    state_with_errors: bool = True
    clock_offset: float = 0.0
    date_header: bool = True


class Settings:
    """The switches as they stand, kept in the sandbox's database."""

    def __init__(self, db: sqlite3.Connection, starting: Switches, ways: Mapping[str, str] | None = None) -> None:
        """`ways`: switches of the books that are asked for now, whatever was turned before. Raises `BadRequest`."""
        asked = ways_of(ways or {})
        starting = replace(starting, **asked)
        self.db, self.starting = db, starting
        db.execute("CREATE TABLE IF NOT EXISTS sandbox_switches (name TEXT PRIMARY KEY, value TEXT)")
        kept = {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM sandbox_switches")}
        kept |= {"auto_approve": True} if starting.auto_approve else {}  # asked for now, whatever was turned before
        kept |= {"clients": starting.clients} if starting.clients else {}
        kept |= asked
        self.now = replace(starting, **kept)

    def turn(self, wishes: dict[str, Any]) -> Switches:
        """Turns some; raises `BadRequest` for an unknown switch or a value of another kind."""
        check_wishes(wishes)
        self.now = replace(self.now, **wishes)
        self.db.executemany(
            "INSERT OR REPLACE INTO sandbox_switches VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in wishes.items()],
        )
        return self.now

    def as_started(self) -> None:
        """Every switch as it was when the sandbox first started."""
        self.db.execute("DELETE FROM sandbox_switches")
        self.now = self.starting

    def described(self) -> dict[str, Any]:
        return asdict(self.now)


def check_wishes(wishes: Mapping[str, Any]) -> None:
    """Raises `BadRequest` for an unknown switch, or for a value that it can't be turned to."""
    known = {one.name for one in fields(Switches)}
    for name, value in wishes.items():
        if name not in known:
            raise BadRequest(f"There is no switch {name!r}; there are {', '.join(sorted(known))}.")
        words = get_args(get_type_hints(Switches)[name])
        if isinstance(getattr(Switches(), name), str) and words and value not in words:
            raise BadRequest(f"{name} is {' or '.join(repr(word) for word in words)}, not {value!r}.")
        if type(value) is not type(getattr(Switches(), name)):
            raise BadRequest(f"{name} can't be {value!r}.")
    if not all(isinstance(secret, str) for secret in wishes.get("clients", {}).values()):
        raise BadRequest('clients is {"CLIENT_ID": "SECRET"}, with "" for an app without a secret.')
    if wishes.get("approval", "allow") not in {"allow", "cancel"}:
        raise BadRequest('approval is "allow" or "cancel".')


def ways_of(wishes: Mapping[str, str]) -> dict[str, Any]:
    """Wishes for the books alone, as a command line names them. Raises `BadRequest` as `check_wishes` does."""
    known = {one.name for one in fields(Ways)}
    for name in wishes:
        if name not in known:
            raise BadRequest(f"There is no switch {name!r}; there are {', '.join(sorted(known))}.")
    check_wishes(wishes)
    return dict(wishes)
