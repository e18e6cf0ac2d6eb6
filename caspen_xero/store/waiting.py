"""Invoices that wait though nothing is wrong with them: for a person's approval in Xero, or for next month's approvals.

That an invoice is a draft in Xero, its link shows; only what no link shows is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text


class WhyLike(Protocol):
    """Why an invoice waits (the engine's `Waiting`)."""

    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Why:
    """Why an invoice waits, as the last push that looked at it left it."""

    code: str
    reason: str


def replace(mappings: Mappings, invoice_ids: Iterable[str], waiting: Mapping[str, WhyLike], now: datetime) -> None:
    """Of these invoices, those in `waiting` wait, and the others do not."""
    with mappings.store.write():
        for invoice_id in set(invoice_ids) & (_known(mappings) - set(waiting)):
            _drop(mappings, invoice_id)
        for invoice_id, why in waiting.items():
            mappings.store.run(
                "INSERT INTO waiting (tenant_id, invoice_id, code, reason, since) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (tenant_id, invoice_id) DO UPDATE SET code = excluded.code, reason = excluded.reason",
                mappings.tenant_id,
                invoice_id,
                why.code,
                why.reason,
                utc_text(now),
            )


def drop_others(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Invoices that a push has nothing to do with any more wait for nothing."""
    with mappings.store.write():
        for invoice_id in _known(mappings) - set(invoice_ids):
            _drop(mappings, invoice_id)


def drop(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """These invoices wait for nothing."""
    for invoice_id in invoice_ids:
        _drop(mappings, invoice_id)


def drafts(mappings: Mappings) -> set[str]:
    """The invoices that are drafts in Xero while payments or credit notes of them are not there."""
    rows = mappings.store.rows(
        "SELECT v.caspen_id FROM links v WHERE v.tenant_id = ? AND v.kind = 'invoice' AND v.status IN ('DRAFT', 'SUBMITTED') "
        "AND EXISTS (SELECT 1 FROM paid_in_caspen p WHERE p.invoice_id = v.caspen_id AND p.kind IN ('payment', 'credit_note') "
        "AND NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = v.tenant_id AND l.kind = p.kind AND l.caspen_id = p.id))",
        mappings.tenant_id,
    )
    return {row["caspen_id"] for row in rows}


def whys(mappings: Mappings) -> dict[str, Why]:
    """Why other invoices wait, by invoice id."""
    rows = mappings.store.rows("SELECT invoice_id, code, reason FROM waiting WHERE tenant_id = ?", mappings.tenant_id)
    return {row["invoice_id"]: Why(row["code"], row["reason"]) for row in rows}


def _known(mappings: Mappings) -> set[str]:
    rows = mappings.store.rows("SELECT invoice_id FROM waiting WHERE tenant_id = ?", mappings.tenant_id)
    return {row["invoice_id"] for row in rows}


def _drop(mappings: Mappings, invoice_id: str) -> None:
    mappings.store.run("DELETE FROM waiting WHERE tenant_id = ? AND invoice_id = ?", mappings.tenant_id, invoice_id)
