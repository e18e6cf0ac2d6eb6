"""Holds: what keeps a step from being sent for now, until it is released, due again, or what it depends on has changed.

Of seven kinds: Xero refused the step; Xero took it, but not as it was sent; a look into Xero has found what speaks against it; a
draft was looked at lately (`look-at-draft`); only a person can say or restore a party's contact (`match-contact`); the
organisation's plan has no approvals left for invoices of a month (`approve`); Xero refused something by a lock date, so all like it
waits (`post-in-period`, `draft-in-period`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time

APPROVE = "approve"
ORGANISATION = "organisation"
"""What stands for the record in a hold on the organisation as a whole."""
ALIKE = (APPROVE, "post-in-period", "draft-in-period")
"""The steps of holds that are on no invoice of their own. As text, also a list of SQL's."""

_FIRST_WAIT = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=24)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Hold:
    """What keeps one step of one record from being sent. An empty `fix` stands for the way out of its code.

    `code` is one of a problem. `depends_on` names the state that it belongs to: once that is another, the hold is void.
    `about`: the Xero ids, between spaces, of what a person is asked about who has to decide.
    `attempts` counts how often the step was held; times are UTC, and `release_at` is when it is tried again by itself.
    """

    step: str
    caspen_id: str
    code: str
    reason: str
    fix: str = ""
    depends_on: str = ""
    xero_says: str | None = None
    about: str = ""
    attempts: int = 0
    first_held_at: datetime = _NEVER
    last_held_at: datetime = _NEVER
    release_at: datetime = _NEVER


def hold(mappings: Mappings, wanted: Hold, now: datetime) -> None:
    """Holds a step; each further time the same one waits twice as long before it is tried again by itself."""
    before = next(iter(on(mappings, wanted.step, [wanted.caspen_id])), None)
    attempts = before.attempts + 1 if before else 1
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    first = before.first_held_at if before else now
    _put(mappings, replace(wanted, attempts=attempts, first_held_at=first, last_held_at=now, release_at=now + wait))


def release(mappings: Mappings, step: str, caspen_ids: Iterable[str]) -> None:
    """Forgets the holds on a step of some records."""
    with mappings.store.write():
        for caspen_id in caspen_ids:
            mappings.store.run(
                "DELETE FROM holds WHERE tenant_id = ? AND step = ? AND caspen_id = ?",
                mappings.tenant_id,
                step,
                caspen_id,
            )


def make_due(mappings: Mappings, caspen_ids: Iterable[str] | None = None) -> None:
    """Lets held steps (all, or those of some records) be tried again at once; the tries so far still count."""
    with mappings.store.write():
        if caspen_ids is None:
            mappings.store.run("UPDATE holds SET release_at = '' WHERE tenant_id = ?", mappings.tenant_id)
            return
        for caspen_id in caspen_ids:
            mappings.store.run(
                "UPDATE holds SET release_at = '' WHERE tenant_id = ? AND caspen_id = ?",
                mappings.tenant_id,
                caspen_id,
            )


def make_invoices_due(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Lets what is held of invoices and of all that belongs to them be tried at once: a person asked for these by name."""
    store = mappings.store
    for invoice_id in invoice_ids:
        ids = {invoice_id}
        for row in store.rows(
            "SELECT client_id, record ->> 'invoice_to_id' AS payer FROM invoices WHERE id = ?", invoice_id
        ):
            ids |= {f"client:{row['client_id']}", f"payer:{row['payer']}"}
        ids |= {row["key"] for row in store.rows("SELECT key FROM allocations WHERE invoice_id = ?", invoice_id)}
        ids |= {link.caspen_id for link in mappings.links_of_invoices("payment", [invoice_id])}  # removed ones too
        ids |= {row["id"] for row in store.rows("SELECT id FROM credit_notes WHERE invoice_id = ?", invoice_id)}
        make_due(mappings, ids)


def standing(mappings: Mappings, now: datetime) -> dict[tuple[str, str], Hold]:
    """The holds that are not yet due, by step and record; one that a clock far ahead of now has made is due."""
    rows = mappings.store.rows(
        "SELECT * FROM holds WHERE tenant_id = ? AND release_at > ? AND last_held_at <= ?",
        mappings.tenant_id,
        utc_text(now),
        utc_text(now + _FIRST_WAIT),
    )
    return {(row["step"], row["caspen_id"]): _hold(row) for row in rows}


def on(mappings: Mappings, step: str, caspen_ids: Iterable[str]) -> list[Hold]:
    """The holds on a step of some records, due ones too."""
    sql = "SELECT * FROM holds WHERE tenant_id = ? AND step = ? AND caspen_id = ?"
    rows = (mappings.store.row(sql, mappings.tenant_id, step, caspen_id) for caspen_id in caspen_ids)
    return [_hold(row) for row in rows if row is not None]


def said(mappings: Mappings, step: str, caspen_id: str) -> str | None:
    """All that Xero said when it refused a step, as it is held; None where it is not held."""
    return next((held.xero_says for held in on(mappings, step, [caspen_id])), None)


def hold_approvals(mappings: Mappings, step: str, months: Mapping[str, str], code: str, now: datetime) -> None:
    """Where the organisation's plan has no approvals left (`code`): one hold for each month, on the first of it, and no more tries.

    `months`: that of each invoice's date, by Caspen id.
    """
    limited: dict[str, list[Hold]] = {}
    for one in on(mappings, step, months):
        if one.code == code:
            limited.setdefault(months[one.caspen_id], []).append(one)
    for month, those in limited.items():
        hold(mappings, Hold(APPROVE, month, code, those[0].reason), now)
        release(mappings, step, [one.caspen_id for one in those[1:]])


def make_organisation_due(mappings: Mappings) -> None:
    """Lets what was held for all invoices alike be tried at once: a person asks for another try."""
    mappings.store.run(
        f"UPDATE holds SET release_at = '' WHERE tenant_id = ? AND step IN {ALIKE}",
        mappings.tenant_id,
    )


def month_of(day: date) -> str:
    """A month as holds name it, `2026-11`."""
    return f"{day:%Y-%m}"


def _put(mappings: Mappings, held: Hold) -> None:
    row: dict[str, Any] = {"tenant_id": mappings.tenant_id, **vars(held)}
    for column in ("first_held_at", "last_held_at", "release_at"):
        row[column] = utc_text(row[column])
    mappings.store.run(
        f"INSERT OR REPLACE INTO holds ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values()
    )


def _hold(row: Any) -> Hold:
    told: dict[str, Any] = {name: row[name] for name in row.keys() if name != "tenant_id"}  # noqa: SIM118 - no dict
    for column in ("first_held_at", "last_held_at", "release_at"):
        told[column] = utc_time(row[column]) or _NEVER
    return Hold(**told)
