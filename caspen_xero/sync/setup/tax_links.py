"""Caspen's tax rates with the Xero rates that stand for them, and the links that need no question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.tax_rates import linked_by, rates_in_use
from caspen_xero.sync.setup.candidates import rate_chosen
from caspen_xero.sync.setup.organisation import left_out
from caspen_xero.sync.setup.taxes import NO_TAX, NO_TAX_RATE, percentage_of, rate_label, sole_candidate, why_not_sales
from caspen_xero.xero.documents import TaxRate as XeroRate

_UNMAPPED = "unmapped_tax_rates"


@dataclass(frozen=True)
class RateLink:
    """A Caspen rate and the Xero rate linked to it. Percentages; `problem` says why the link is of no use any more."""

    rate: CaspenRate
    tax_type: str | None = None
    xero_rate: XeroRate | None = None
    linked_by: str | None = None
    problem: str | None = None

    @property
    def synced(self) -> bool:
        """Whether lines of this rate can go to Xero."""
        return self.tax_type is not None and self.problem is None

    @property
    def xero_percentage(self) -> Decimal | None:
        """What Xero charges by the linked rate, in percent."""
        return percentage_of(self.xero_rate) if self.xero_rate else None


def rates_to_link(store: Store, linked: Iterable[str] = ()) -> list[CaspenRate]:
    """Caspen's rates that matter: those in force, archived ones that are used or linked, and `no tax` where it is."""
    wanted = rates_in_use(store) | set(linked)
    rates = [rate for rate in clinic.tax_rates(store) if not rate.archived or rate.id in wanted]
    return [*rates, NO_TAX_RATE] if wanted & {None, NO_TAX} else rates


def rate_links(store: Store, mappings: Mappings | None, xero_rates: Sequence[XeroRate] | None) -> list[RateLink]:
    """Each of Caspen's rates with its link. `xero_rates` None (never read): links are taken as they are."""
    links = mappings.tax_links() if mappings else {}
    makers = linked_by(mappings) if mappings else {}
    by_type = {rate.tax_type: rate for rate in sorted(xero_rates or (), key=lambda rate: rate.status == "ACTIVE")}
    found = []
    for rate in rates_to_link(store, links):
        tax_type = links.get(rate.id)
        xero_rate = by_type.get(tax_type or "")
        problem = None
        if tax_type and xero_rates is not None:
            problem = why_not_sales(xero_rate) if xero_rate else f"the tax rate {plain(tax_type)} is gone from Xero"
        found.append(RateLink(rate, tax_type, xero_rate, makers.get(rate.id), problem))
    return found


def sole_candidates(
    store: Store, mappings: Mappings, xero_rates: Sequence[XeroRate], *, asked: bool = False
) -> list[RateLink]:
    """The links that need no question: each unlinked Caspen rate that only one Xero rate fits.

    A rate that a person unmapped is left alone, unless this was `asked` for. Where some of Xero's rates can't be read, none is the
    only one.
    """
    if left_out(mappings, "TaxRates"):
        return []
    decided = set(mappings.tax_links()) | (set() if asked else unmapped(mappings))
    open_rates = [rate for rate in clinic.tax_rates(store) if rate.id not in decided]
    found = [
        RateLink(rate, candidate.tax_type, candidate, "rule")
        for rate in open_rates
        if (candidate := sole_candidate(rate, xero_rates)) is not None
    ]
    if any(link.rate.archived for link in found):  # asked only then: it reads every line in the store
        used = rates_in_use(store)
        found = [link for link in found if not link.rate.archived or link.rate.id in used]
    return found


def link_sole_candidates(
    store: Store, mappings: Mappings, xero_rates: Sequence[XeroRate], *, asked: bool = False
) -> list[RateLink]:
    """Makes the links of `sole_candidates`, and gives them."""
    with mappings.store.write():
        found = sole_candidates(store, mappings, xero_rates, asked=asked)
        for link in found:
            link_rate(mappings, link.rate.id, link.tax_type or "", by_rule=True)
    return found


def links_in_words(links: Iterable[RateLink], said: str = "is now") -> list[str]:
    """A sentence for each of these links that were, or would be, made without a question."""
    return [
        f"Tax rate {plain(link.rate.name)} {said} linked to {rate_label(link.xero_rate)}, the only one that fits."
        for link in links
        if link.xero_rate
    ]


def link_rate(mappings: Mappings, tax_rate_id: str, tax_type: str, *, by_rule: bool = False) -> None:
    """Links a Caspen rate to a Xero tax type."""
    with mappings.store.write():
        mappings.link_tax_rate(tax_rate_id, tax_type, "rule" if by_rule else "person")
        _set_unmapped(mappings, unmapped(mappings) - {tax_rate_id})
        rate_chosen(mappings, tax_rate_id)


def unlink_rate(mappings: Mappings, tax_rate_id: str) -> bool:
    """Takes a link away, and lets no rule bring it back; False where there was none."""
    with mappings.store.write():
        _set_unmapped(mappings, unmapped(mappings) | {tax_rate_id})
        return mappings.unlink_tax_rate(tax_rate_id)


def unmapped(mappings: Mappings) -> set[str]:
    """The Caspen rates whose link a person took away: no rule links them again."""
    return set(json.loads(mappings.setting(_UNMAPPED) or "[]"))


def _set_unmapped(mappings: Mappings, rate_ids: set[str]) -> None:
    mappings.set_setting(_UNMAPPED, json.dumps(sorted(rate_ids)) if rate_ids else None)
