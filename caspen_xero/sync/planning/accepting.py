"""By what a difference is known that a person may be content with: ids, amounts, dates and statuses, never words. Pure.

Of an invoice itself a person is content with one version of Caspen's beside what Xero shows: then Xero's stays as it is, and
payments and credits go on there. Once either of the two is another, it is asked about again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256

from caspen_xero.caspen.records import Invoice as CaspenInvoice
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.compare import FIGURES, HEADING, invoice_shape, is_detail, text_of
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import Invoice

_HEADING = ("number", "client_id", "invoice_to_id", "issue_date", "currency", "tax_mode")
_FIGURES = ("subtotal", "tax", "total")
_FIGURE = re.compile(r"\S*\d\S*")
"""What counts of what either side has in words: amounts, dates, numbers and ids."""


def key_of(*parts: str) -> str:
    """What two of the same have in common, without any text of theirs."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def key_of_all(keys: Iterable[str]) -> str:
    """The key of what is told, and accepted, as one."""
    several = sorted(set(keys))
    return several[0] if len(several) == 1 else key_of(*several)


def key_of_find(invoice_id: str, code: str, subject: str, caspen: str, xero: str) -> str:
    """The key of what a reconciliation finds, or would find. `caspen`, `xero`: either side in words, without names."""
    figures = [*_figures(caspen), "", *_figures(xero)]
    return key_of(ProblemCode.NOT_EQUAL_IN_XERO, invoice_id, code, subject, *figures)


def _figures(words: str) -> list[str]:
    """What of words is kept in a key: the figures; where there are none, as of a status, the words."""
    return _FIGURE.findall(words) or [words]


def seal_of(found: Invoice, before: Link | None, *, is_ours: bool) -> str | None:
    """A seal of all that has to agree of what Xero shows of an invoice: of one that we did not make, no lines.

    An answer without lines, or without what every invoice has, tells no more than its figures: where these are others than
    `before`, None.
    """
    shape = invoice_shape(found)
    if found.line_items and shape.keys() >= {*HEADING, *FIGURES}:
        counts = [name for name in shape if (not is_detail(name) if is_ours else name in HEADING or name in FIGURES)]
        return key_of(*(f"{name}: {shape[name]}" for name in sorted(counts)))
    if before is None or any(
        now not in (None, was)
        for now, was in ((found.sub_total, before.subtotal), (found.total_tax, before.tax), (found.total, before.total))
    ):
        return None
    return before.shown


def document_key(invoice: CaspenInvoice, shown: str | None) -> str:
    """The key of Caspen's version of an invoice beside what Xero shows (`Link.shown`); "" where that is not known.

    Of Caspen's too only what has to agree counts: who has another due date, reference or text there is asked nothing anew.
    """
    return key_of("document", invoice.id, *_counting(invoice), shown) if shown is not None else ""


def _counting(invoice: CaspenInvoice) -> Iterator[str]:
    for name in _HEADING:
        yield f"{name}: {getattr(invoice, name)}"
    for name in _FIGURES:
        yield f"{name}: {text_of(getattr(invoice, name))}"
    for line in invoice.lines:
        figures = [text_of(one) for one in (line.quantity, line.unit_price, line.tax)]
        yield " ".join(["line:", *figures, line.discount.model_dump_json() if line.discount else ""])
