"""What the store says of tax rates: which of Caspen's the clinic's documents use, and who linked them."""

from __future__ import annotations

from caspen_xero.caspen.records import FINALISED
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store

_USED = f"""
SELECT json_extract(line.value, '$.tax_rate_id') AS rate_id
FROM invoices, json_each(invoices.record, '$.lines') AS line
WHERE invoices.status IN {("draft", *FINALISED)} AND json_extract(invoices.record, '$.tax_mode') <> 'none'
UNION
SELECT json_extract(line.value, '$.tax_rate_id')
FROM credit_notes JOIN invoices ON invoices.id = credit_notes.invoice_id,
    json_each(credit_notes.record, '$.lines') AS line
WHERE credit_notes.status = 'issued' AND json_extract(invoices.record, '$.tax_mode') <> 'none'
"""


def rates_in_use(store: Store) -> set[str | None]:
    """The tax rate ids on the lines of taxed invoices and credit notes; None among them: some line has no rate.

    Documents that are void or deleted don't count; a document without tax (`tax_mode` none) needs no rate.
    """
    return {row["rate_id"] for row in store.rows(_USED)}


def linked_by(mappings: Mappings) -> dict[str, str]:
    """Who linked each Caspen rate, by its id: a `person`, or the `rule` that only one Xero rate fits."""
    sql = "SELECT tax_rate_id, linked_by FROM tax_rate_links WHERE tenant_id = ?"
    return {row["tax_rate_id"]: row["linked_by"] for row in mappings.store.rows(sql, mappings.tenant_id)}
