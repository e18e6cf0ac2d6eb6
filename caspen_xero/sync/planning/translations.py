"""Invoices as Xero's documents, each translated once: plans are made again and again while they are carried out."""

from __future__ import annotations

from dataclasses import replace

from caspen_xero.sync.planning.line_items import Terms
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.translate import Document, translate_invoice


class Translations:
    """What was translated, by invoice, with the terms that it was translated by."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, bool], tuple[Terms, Document]] = {}

    def of(self, state: InvoiceState, terms: Terms, *, certain: bool = False) -> Document:
        """The invoice as it is to stand in Xero, its body free to be added to. Raises `CannotTranslate`."""
        key = (state.invoice.id, state.fingerprint, certain)
        known = self._known.get(key)
        if known is None or known[0] != terms:
            document = translate_invoice(state.invoice, terms, state.payer_name, certain=certain)
            known = self._known[key] = (terms, document)
        return replace(known[1], body=dict(known[1].body))
