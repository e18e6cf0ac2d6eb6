"""The clinics of the demo, one for each country of the local Xero: their exports, and which of Xero's rates their own are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from caspen_xero.cli.sandbox import Country, sample_of
from caspen_xero.sync.setup.tax_words import tax_words
from caspen_xero.xero.documents import Organisation


@dataclass(frozen=True)
class DemoClinic:
    """A clinic's export, and what a person there answers: Xero's rate, as its label begins, for each rate that is asked about.

    `taxed` is its usual rate in words, `untaxed` the one of 0 %; `sole`: whether the former can only mean one of Xero's.
    """

    sample: Path
    taxed: str
    untaxed: str
    answers: tuple[str, ...]
    tax_return: str

    @property
    def sole(self) -> bool:
        """Whether only the rate of 0 % is asked about."""
        return len(self.answers) == 1

    @property
    def about_links(self) -> str:
        """What becomes of these rates in a push, before anybody has linked one."""
        if self.sole:
            return (
                f"Caspen's {self.taxed} can only mean one of Xero's rates, so it is linked by itself. {self.untaxed} could mean "
                f"several 0 % rates that differ on the {self.tax_return}, so it is never guessed: an invoice that has it "
                "stays behind."
            )
        return (
            f"Caspen's {self.taxed} could mean more than one of Xero's rates, and {self.untaxed} is a rate of 0 %, which is never "
            f"guessed: they differ on the {self.tax_return}. An invoice that has one of these stays behind."
        )


def _clinic(country: Country, taxed: str, untaxed: str, *answers: str) -> DemoClinic:
    words = tax_words(Organisation.model_validate({"CountryCode": country}))
    return DemoClinic(sample_of(country), taxed, untaxed, answers, words.tax_return)


CLINICS: Mapping[Country, DemoClinic] = {
    "AU": _clinic("AU", "10 % GST", "GST free", "GST Free Income"),
    "NZ": _clinic("NZ", "15 % GST", "Zero rated", "Zero Rated"),
    "GB": _clinic("GB", "20 % VAT", "VAT exempt", "Exempt Income"),
    "US": _clinic("US", "8.25 % sales tax", "Not taxed", "Tax on Sales", "Tax Exempt"),
    "SG": _clinic("SG", "9 % GST", "Zero-rated", "Standard-Rated Supplies", "Zero-Rated Supplies"),
}
