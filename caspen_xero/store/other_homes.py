"""Things of ours in Xero that this store did not send: when all of ours was last taken in, and what shows that a home is alive."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from caspen_xero.caspen.records import FINALISED, PAYS
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_text, utc_time

_ADOPTED_AT, _ANOTHER, _LOOKED = "adopted_at", "another_home", "looked_for_gone_ones"
_NOT_RECOGNISED = "not_recognised"
_DUE_TO_SEND = "adopt_due_to_send"


@dataclass(frozen=True)
class Sighting:
    """A payment with our ids that another home made: its amount as text, and when it was made and we last took all in (ISO 8601).

    `number`: the invoice's. Both times are by Xero's clock.
    """

    payment_id: str
    number: str
    amount: str
    reference: str
    made_at: str
    adopted_at: str


def invoices_to_adopt(mappings: Mappings, start_date: str | None) -> list[str]:
    """Ids of the invoices of which something may be in Xero that this store does not know, oldest first.

    Those that are not linked and have a number, void ones and drafts too, which may have gone there before (but not where another
    one has the number now); and linked ones with a payment or credit note that is not. As for a push, neither those that are set
    aside nor unlinked ones dated before `start_date` (`YYYY-MM-DD`).
    """
    unlinked = "NOT EXISTS (SELECT 1 FROM links o WHERE o.tenant_id = ? AND o.kind = '{}' AND o.caspen_id = {})"
    rows = mappings.store.rows(
        "SELECT i.id FROM invoices i LEFT JOIN links l ON l.tenant_id = ? AND l.kind = 'invoice' AND l.caspen_id = i.id "
        f"WHERE ((l.xero_id IS NULL AND i.number IS NOT NULL AND i.issue_date >= ? AND (i.status IN {FINALISED} OR NOT EXISTS "
        f"(SELECT 1 FROM invoices n WHERE n.number = i.number AND n.status IN {FINALISED}))) OR (l.xero_id IS NOT NULL AND ("
        "EXISTS (SELECT 1 FROM allocations a JOIN payments p ON p.id = a.payment_id WHERE a.invoice_id = i.id "
        f"AND p.status = '{PAYS}' AND p.xero_id IS NULL AND {unlinked.format('payment', 'a.key')}) "
        "OR EXISTS (SELECT 1 FROM credit_notes c WHERE c.invoice_id = i.id AND ((c.status = 'issued' "
        f"AND {unlinked.format('allocation', 'c.id')}) OR (c.status <> 'issued' AND {unlinked.format('credit_note', 'c.id')})))))) "
        "AND i.id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id",
        mappings.tenant_id,
        start_date or "",
        mappings.tenant_id,
        mappings.tenant_id,
        mappings.tenant_id,
    )
    return [row["id"] for row in rows]


def has_to_look_for_gone_ones(mappings: Mappings) -> bool:
    """Whether any invoice that is not linked, and may have gone to Xero before, is void, deleted or a draft; once."""
    if mappings.setting(_LOOKED) is not None:
        return False
    sql = (
        f"SELECT 1 FROM invoices i WHERE i.number IS NOT NULL AND i.status NOT IN {FINALISED} AND NOT EXISTS "
        "(SELECT 1 FROM links l WHERE l.tenant_id = ? AND l.kind = 'invoice' AND l.caspen_id = i.id) LIMIT 1"
    )
    return mappings.store.row(sql, mappings.tenant_id) is not None


def has_gone_ones_numbered(mappings: Mappings, numbers: Iterable[str]) -> bool:
    """Whether any of these numbers is that of such an invoice."""
    sql = (
        f"SELECT 1 FROM invoices i WHERE i.status NOT IN {FINALISED} AND NOT EXISTS "
        "(SELECT 1 FROM links l WHERE l.tenant_id = ? AND l.kind = 'invoice' AND l.caspen_id = i.id) AND i.number IN ({})"
    )
    return bool(mappings.store.rows_among(sql, numbers, mappings.tenant_id))


def gone_ones_held(mappings: Mappings, code: str) -> list[str]:
    """Ids of the invoices that were held under that code while Caspen had them finalised, and that it has taken back since."""
    rows = mappings.store.rows(
        "SELECT i.id FROM holds h JOIN invoices i ON i.id = h.caspen_id WHERE h.tenant_id = ? AND h.step = 'create-invoice' "
        f"AND h.code = ? AND i.status NOT IN {FINALISED}",
        mappings.tenant_id,
        code,
    )
    return [row["id"] for row in rows]


def has_looked_for_gone_ones(mappings: Mappings) -> None:
    """That is done."""
    mappings.set_setting(_LOOKED, "yes")


# --- all of ours taken in


def adopt_is_due_to_send(store: Store) -> bool:
    """Whether all of ours is to be looked up now that something is to be sent."""
    return store.adopt_is_due or store.setting(_DUE_TO_SEND) is not None


def set_adopt_due_to_send(store: Store) -> None:
    """Has all of ours looked up before anything else is sent, and not earlier."""
    store.set_setting(_DUE_TO_SEND, "1")


def adopted_at(mappings: Mappings) -> datetime | None:
    """When all of ours in Xero was last taken in, by Xero's clock; None if never."""
    return utc_time(mappings.setting(_ADOPTED_AT))


def last_change_seen(mappings: Mappings) -> datetime | None:
    """The newest moment at which Xero showed an invoice of ours to have changed, by its clock."""
    sql = "SELECT MAX(xero_updated_at) AS last FROM links WHERE tenant_id = ? AND kind = 'invoice'"
    row = mappings.store.row(sql, mappings.tenant_id)
    return utc_time(row["last"]) if row else None


def not_recognised(mappings: Mappings) -> set[str]:
    """Ids of the invoices that could not be looked for when all of ours was last taken in, as they could not be translated then."""
    return set(json.loads(mappings.setting(_NOT_RECOGNISED) or "[]"))


def has_adopted(mappings: Mappings, moment: datetime, not_recognised: Iterable[str]) -> None:
    """All of ours that was in Xero at that moment of Xero's clock is taken in, but for these invoices, if they were there."""
    with mappings.store.write():
        mappings.set_setting(_NOT_RECOGNISED, json.dumps(sorted(not_recognised)))
        mappings.set_setting(_ADOPTED_AT, utc_text(moment))
        mappings.store.set_adopt_due(False)
        mappings.store.set_setting(_DUE_TO_SEND, None)


# --- another home alive


def another_home(mappings: Mappings) -> Sighting | None:
    """What shows that another home sends to this organisation too, until a person has ended one of the two."""
    kept = mappings.setting(_ANOTHER)
    return Sighting(**json.loads(kept)) if kept else None


def keep_another_home(mappings: Mappings, seen: Sighting | None) -> None:
    """Keeps it, the first one for as long as it stands; None forgets it."""
    if seen is None or mappings.setting(_ANOTHER) is None:
        mappings.set_setting(_ANOTHER, json.dumps(asdict(seen)) if seen else None)
