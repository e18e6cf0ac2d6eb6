"""The answers that are possible where a setting keeps an invoice out of Xero: as of now, whenever the problem was noted.

Which problems are about which setting is said here: a choice that a person makes ends them at once, and the next push takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.commands import Choice
from caspen_xero.store import clinic, problems
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.setup.accounts import PAYMENTS, SALES, account_answers, account_fix, fit_for, problem_subject
from caspen_xero.sync.setup.organisation import known_accounts, known_tax_rates
from caspen_xero.sync.setup.taxes import NO_TAX, NO_TAX_RATE, rate_answers, rate_fix, why_not_sales
from caspen_xero.xero.documents import Account
from caspen_xero.xero.documents import TaxRate as XeroRate

_RATES = (ProblemCode.TAX_RATE_NOT_LINKED, ProblemCode.TAX_RATE_UNFIT)
_SALES = (ProblemCode.SALES_ACCOUNT_MISSING, ProblemCode.SALES_ACCOUNT_UNFIT)
_PAYMENTS = (ProblemCode.PAYMENT_ACCOUNT_MISSING, ProblemCode.PAYMENT_ACCOUNT_UNFIT)


def rate_chosen(mappings: Mappings, tax_rate_id: str) -> None:
    """Forgets the problems that a rate had until it was linked just now."""
    problems.drop_problems_about(mappings, tax_rate_id, _RATES)


def account_chosen(mappings: Mappings, purpose: str) -> None:
    """Forgets the problems that the lack of an account made until it was chosen just now."""
    problems.drop_problems_about(mappings, problem_subject(purpose), _SALES if purpose == SALES else _PAYMENTS)


def _purpose(code: str, subject: str) -> str | None:
    """The purpose of the account that a problem is about; None where it is about none."""
    if code in _SALES:
        return SALES
    return subject or PAYMENTS if code in _PAYMENTS else None


@dataclass(frozen=True)
class _Found:
    """What is known of a problem with a setting; nothing of another problem."""

    is_in_order: bool
    fix: str
    answers: tuple[Choice, ...]


class Candidates:
    """The answers by what Xero's lists and Caspen's records say now; each is read once, and only where it is needed."""

    def __init__(self, store: Store, mappings: Mappings | None) -> None:
        self._store, self._mappings = store, mappings
        self._found: dict[tuple[str, str], _Found] = {}

    def of(self, code: str, subject: str) -> tuple[Choice, ...]:
        """The answers to a problem, by its code and subject, each with its command; none where nobody has to choose."""
        return self._find(code, subject).answers

    def as_of_now(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The `reason`, `fix` and `choices` of a problem (a row with its code, subject, reason, fix, number and invoice_id).

        The fix is made anew, so that it is the one of `doctor`. Where a person has put the setting in order in Xero since, as its
        lists were last read, only a push is missing.
        """
        found = self._find(row["code"], row["subject"])
        if found.is_in_order:
            reason = f"{row['reason']}; by now that is in order, and no push has come since"
            return {"reason": reason, "fix": push_command(row["number"], row["invoice_id"]), "choices": ()}
        return {"reason": row["reason"], "fix": found.fix or row["fix"], "choices": found.answers}

    def _is_in_order(self, code: str, subject: str) -> bool:
        if self._mappings is None:
            return False
        if code in _RATES:
            tax_type = self._mappings.tax_links().get(subject)
            return any(why_not_sales(rate) is None for rate in self._xero_rates if rate.tax_type == tax_type)
        if (purpose := _purpose(code, subject)) is None:
            return False
        account_id = self._mappings.account_links().get(purpose)
        return any(account.account_id == account_id for account in fit_for(purpose, self._chart))

    def _find(self, code: str, subject: str) -> _Found:
        if (code, subject) not in self._found:
            self._found[code, subject] = _Found(self._is_in_order(code, subject), *self._look(code, subject))
        return self._found[code, subject]

    def _look(self, code: str, subject: str) -> tuple[str, tuple[Choice, ...]]:
        if code in _RATES:
            known = [NO_TAX_RATE] if subject == NO_TAX else [rate for rate in self._rates if rate.id == subject]
            about = (known[0], self._rates, self._xero_rates) if known else None
            return (rate_fix(*about), rate_answers(*about)) if about else ("", ())
        if (purpose := _purpose(code, subject)) is None:
            return "", ()
        return account_fix(purpose, self._chart, self._methods), account_answers(purpose, self._chart, self._methods)

    @cached_property
    def _chart(self) -> list[Account]:
        return (known_accounts(self._mappings) if self._mappings else None) or []

    @cached_property
    def _xero_rates(self) -> list[XeroRate]:
        return (known_tax_rates(self._mappings) if self._mappings else None) or []

    @cached_property
    def _rates(self) -> list[CaspenRate]:
        return clinic.tax_rates(self._store)

    @cached_property
    def _methods(self) -> list[PaymentMethod]:
        return clinic.payment_methods(self._store)
