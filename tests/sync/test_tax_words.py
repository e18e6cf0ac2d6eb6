"""What the tax is called follows the organisation; of nobody knows whom it is just tax."""

from __future__ import annotations

import pytest

from caspen_xero.sync.setup.tax_words import TaxWords, tax_words
from caspen_xero.xero.documents import Organisation


def of(version: str | None, country: str | None, named: str | None = None) -> TaxWords:
    return tax_words(Organisation(Version=version, CountryCode=country, TaxNumberName=named))


@pytest.mark.parametrize(
    ("organisation", "tax", "filed"),
    [
        (("AU", "AU"), "GST", "activity statement"),
        (("NZ", "NZ"), "GST", "GST return"),
        (("UK", "GB"), "VAT", "VAT return"),
        (("UKONRAMP", None), "VAT", "VAT return"),
        (("US", "US"), "sales tax", "sales tax return"),
        (("GLOBAL", "SG"), "GST", "GST return"),
        (("GLOBAL", "SG", "Tax reg"), "GST", "GST return"),
        (("GLOBAL", "IE"), "VAT", "VAT return"),
        (("GLOBAL", "MY", "vat no."), "VAT", "VAT return"),
        (("GLOBAL", "CA", "Tax reg"), "tax", "tax return"),
        (("GLOBAL", "CA", "Private number"), "tax", "tax return"),
        (("UK", "GB", "GST"), "VAT", "VAT return"),
        ((None, "NZ"), "GST", "GST return"),
        ((None, None), "tax", "tax return"),
    ],
)
def test_the_word_is_that_of_the_organisation(organisation: tuple[str, ...], tax: str, filed: str) -> None:
    assert of(*organisation) == TaxWords(tax, filed)


def test_before_an_organisation_is_linked_it_is_tax() -> None:
    assert tax_words(None) == TaxWords("tax", "tax return")
    assert (tax_words(None).heading, of("US", "US").heading, of("UK", "GB").heading) == ("Tax", "Sales tax", "VAT")
