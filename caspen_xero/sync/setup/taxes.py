"""Which of Xero's tax rates can stand for one of Caspen's, and which one a person means. Pure.

TaxTypes mean different rates in different countries (OUTPUT is 10 % in Australia, an old 12.5 % in New Zealand, and what the
organisation says in the US), so only the percentages and flags that the organisation itself reports are looked at, never the code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.commands import Choice, handle, name_for, to_paste
from caspen_xero.outside_text import plain
from caspen_xero.sync.setup.choices import ChoiceError, choose, name_apart
from caspen_xero.xero.documents import Account
from caspen_xero.xero.documents import TaxRate as XeroRate

NO_TAX = "no tax"
"""The id under which the Xero rate is kept for a line without a tax rate in a taxed invoice."""

NO_TAX_RATE = CaspenRate(id=NO_TAX, name=NO_TAX, rate=Decimal(0))
"""That line's rate, as if it were one of Caspen's."""

_NOT_FOR_APPS = frozenset({"USSALESTAX", "AVALARA"})
"""Report types of rates that US organisations list and only Xero itself can use; the tax type of the former is a GUID."""


def percentage_of(rate: XeroRate) -> Decimal:
    """What Xero charges by this rate, in percent: its effective rate, which counts compound parts."""
    for figure in (rate.effective_rate, rate.display_tax_rate):
        if figure is not None:
            return figure
    return sum((component.rate or Decimal(0) for component in rate.tax_components), Decimal(0))


def percent_text(percentage: Decimal) -> str:
    """A percentage as people write it: `10 %`, `12.5 %`."""
    return f"{percent_digits(percentage)} %"


def percent_digits(percentage: Decimal) -> str:
    """A percentage's digits without empty places: `10`, `12.5`."""
    digits = f"{percentage:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def rate_label(rate: XeroRate) -> str:
    """What a bookkeeper calls a Xero rate: its name, tax type and percentage."""
    return f"{plain(rate.name)} ({plain(rate.tax_type)}, {percent_text(percentage_of(rate))})"


def why_not_sales(rate: XeroRate, account: Account | None = None) -> str | None:
    """Why this rate can't stand on a sales line (of that account), or None."""
    if rate.status != "ACTIVE":
        return f"{plain(rate.name)} ({plain(rate.tax_type)}) is {plain((rate.status or 'not active').lower())} in Xero"
    if _NOT_FOR_APPS & {rate.tax_type, rate.report_tax_type}:
        return f"{plain(rate.name)} ({plain(rate.tax_type)}) can be used by Xero itself only"
    if not rate.can_apply_to_revenue:
        return f"{plain(rate.name)} ({plain(rate.tax_type)}) can't be used on sales in Xero"
    if account is not None and account.account_class not in (None, "REVENUE"):
        return f"{plain(rate.name)} ({plain(rate.tax_type)}) can't be used with account {plain(account.code or account.name)}"
    return None


def applies_to_sales(rate: XeroRate, account: Account | None = None) -> bool:
    """Whether this rate can stand on a sales line (of that account): active, and allowed on income accounts."""
    return why_not_sales(rate, account) is None


def why_not(caspen_rate: CaspenRate, xero_rate: XeroRate) -> str | None:
    """Why this Xero rate can't stand for this Caspen rate, or None: not usable on sales, or another percentage."""
    return why_not_sales(xero_rate) or why_percentage_differs(caspen_rate, xero_rate)


def why_percentage_differs(caspen_rate: CaspenRate, xero_rate: XeroRate) -> str | None:
    """Both percentages in words where they differ, else None."""
    if percentage_of(xero_rate) == caspen_rate.rate:
        return None
    return (
        f"{plain(caspen_rate.name)} is {percent_text(caspen_rate.rate)} in Caspen, "
        f"but {plain(xero_rate.name)} ({plain(xero_rate.tax_type)}) is {percent_text(percentage_of(xero_rate))} in Xero"
    )


def candidates(percentage: Decimal, rates: Iterable[XeroRate]) -> list[XeroRate]:
    """The rates that can stand on sales lines: those of equal percentage first, then the others; each part by name.

    Of those that charge something, the ones that Xero reports as plain sales come before special ones, and those of purchases.
    """
    fit = [rate for rate in rates if applies_to_sales(rate)]

    def order(rate: XeroRate) -> tuple[bool, bool, str, str]:
        charged = percentage_of(rate)
        special = charged != 0 and rate.report_tax_type != "OUTPUT"
        return charged != percentage, special, rate.name.casefold(), rate.tax_type

    return sorted(fit, key=order)


def sole_candidate(rate: CaspenRate, rates: Iterable[XeroRate]) -> XeroRate | None:
    """The one Xero rate that a Caspen rate can only mean: the only one of its percentage on sales. Else None.

    A rate of 0 % is never guessed: GST free, BAS excluded, zero rated, exempt and no VAT are all 0 %, and differ on the return.
    """
    if rate.rate == 0 or rate.id == NO_TAX:
        return None
    equal = _equal(rate, rates)
    return equal[0] if len(equal) == 1 else None


def rate_name(rate: CaspenRate, rates: Iterable[CaspenRate]) -> str:
    """What names one of Caspen's rates in a command."""
    return name_apart(rate.id, rate.name, ((other.id, other.name) for other in [*rates, NO_TAX_RATE]))


def rate_fix(rate: CaspenRate, rates: Collection[CaspenRate], xero_rates: Collection[XeroRate]) -> str:
    """What ends the lack of a link: the command that asks which Xero rate it is; where none is of its percentage, first what to do.

    Empty `xero_rates` say nothing: they were never read.
    """
    ask = to_paste("taxes map", rate_name(rate, rates))
    if not xero_rates or _equal(rate, xero_rates):
        return ask
    return f"Add a tax rate of {percent_text(rate.rate)} for sales in Xero (Accounting > Tax rates), then: {ask}"


def rate_answers(rate: CaspenRate, rates: Collection[CaspenRate], xero_rates: Iterable[XeroRate]) -> tuple[Choice, ...]:
    """The Xero rates that can stand for a Caspen rate and charge the same, each with the command that links it."""
    name = rate_name(rate, rates)
    return tuple(
        Choice(to_paste("taxes map", name, name_for(one.tax_type)), rate_label(one)) for one in _equal(rate, xero_rates)
    )


def _equal(rate: CaspenRate, xero_rates: Iterable[XeroRate]) -> list[XeroRate]:
    return [one for one in candidates(rate.rate, xero_rates) if percentage_of(one) == rate.rate]


def find_xero_rate(rates: Sequence[XeroRate], text: str) -> XeroRate:
    """The Xero rate with that tax type or name, deleted ones included (`why_not_sales` tells).

    Raises `ChoiceError` `xero-tax-rate-not-found` with near matches, or `xero-tax-rate-ambiguous`.
    """
    return choose(
        text,
        rates,
        kind="xero-tax-rate",
        called="tax rate in Xero",
        names=(lambda rate: rate.tax_type, lambda rate: rate.name, lambda rate: handle(rate.tax_type)),
        label=rate_label,
        alive=applies_to_sales,
        fix="Missing? Add it in Xero (Accounting > Tax rates), then run this again.",
    )


def find_caspen_rate(rates: Sequence[CaspenRate], text: str) -> CaspenRate:
    """The Caspen rate with that id or name; `no tax` is the rate of lines that have none.

    Raises `ChoiceError` `tax-rate-not-found` with near matches, or `tax-rate-ambiguous`.
    """
    return choose(
        text,
        [*rates, NO_TAX_RATE],
        kind="tax-rate",
        called="tax rate in Caspen",
        names=(lambda rate: rate.id, lambda rate: rate.name, lambda rate: handle(rate.id)),
        label=lambda rate: (
            rate.name if rate.id == NO_TAX else f"{plain(rate.name)} ({plain(rate.id)}, {percent_text(rate.rate)})"
        ),
        alive=lambda rate: not rate.archived,
        fix="caspen-xero taxes list",
    )


def choose_xero_rate(
    rates: Sequence[XeroRate], text: str, caspen_rate: CaspenRate | None = None, *, force: bool = False
) -> XeroRate:
    """The Xero rate that `text` names, fit for sales and of the Caspen rate's percentage (with `force`: of any).

    Raises `ChoiceError`: not found, ambiguous, `tax-rate-unfit`, or `percentage-differs`.
    """
    rate = find_xero_rate(rates, text)
    if why := why_not_sales(rate):
        fit = candidates(caspen_rate.rate if caspen_rate else Decimal(0), rates)[:5]
        raise ChoiceError("tax-rate-unfit", f"{why}.", "These can be used: " + ", ".join(map(rate_label, fit)))
    if caspen_rate and not force and (why := why_percentage_differs(caspen_rate, rate)):
        anyway = to_paste("taxes map --force", name_for(caspen_rate.id), name_for(rate.tax_type))
        raise ChoiceError("percentage-differs", f"{why}.", f"Choose another, or, if this is meant: {anyway}")
    return rate
