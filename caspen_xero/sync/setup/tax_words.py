"""What the tax on sales is called where the linked organisation is: the one place for GST, VAT, sales tax. Pure.

Before anything is known of the organisation it is just "tax". What people named themselves (Caspen's and Xero's rates) is shown
as they named it, and a tax rate is a tax rate in every edition of Xero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from caspen_xero.xero.documents import Organisation

_EUROPEAN_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_VAT = frozenset(f"{_EUROPEAN_UNION} GB IM CH NO ZA KE NG AE".split())
_GST = frozenset({"AU", "NZ", "SG", "IN"})
_OF_EDITION = {"AU": "AU", "NZ": "NZ", "UK": "GB", "US": "US"}
_NAMED = re.compile(r"\b(GST|VAT)\b", re.IGNORECASE)


@dataclass(frozen=True)
class TaxWords:
    """The tax on sales, and what is filed of it, in the middle of a sentence: `VAT`, `VAT return`."""

    tax: str = "tax"
    tax_return: str = "tax return"

    @property
    def heading(self) -> str:
        """The tax at the head of a column: `VAT`, `Sales tax`."""
        return self.tax[0].upper() + self.tax[1:]


def tax_words(organisation: Organisation | None) -> TaxWords:
    """By the edition of Xero; in the global one by what the organisation calls its tax number, then by its country."""
    if organisation is None:
        return TaxWords()
    edition = (organisation.version or "").removesuffix("ONRAMP")
    country = _OF_EDITION.get(edition, organisation.country_code or "")
    if country == "AU":
        return TaxWords("GST", "activity statement")
    if country == "US":
        return TaxWords("sales tax", "sales tax return")
    named = _NAMED.search(organisation.tax_number_name or "") if edition not in _OF_EDITION else None
    word = named[1].upper() if named else "GST" if country in _GST else "VAT" if country in _VAT else "tax"
    return TaxWords(word, f"{word} return")
