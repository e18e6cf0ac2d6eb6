"""Choices made before Caspen's first export was read: they wait, by the name that was typed, for their record.

So a machine can be set up in any order: `settings set` and `taxes map` first, `import` later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.commands import handle
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.accounts import account_label, method_purpose
from caspen_xero.sync.setup.candidates import account_chosen
from caspen_xero.sync.setup.choices import ChoiceError, choose
from caspen_xero.sync.setup.organisation import known_accounts
from caspen_xero.sync.setup.tax_links import link_rate
from caspen_xero.sync.setup.taxes import find_caspen_rate, find_xero_rate, why_not
from caspen_xero.xero.documents import TaxRate as XeroRate

_KEY = "awaited_choices"


@dataclass(frozen=True)
class Awaited:
    """A choice that waits: for a tax rate, `target` is the Xero tax type; for a payment method, the AccountID."""

    kind: Literal["tax_rate", "payment_method"]
    name: str
    target: str
    force: bool = False


def awaited(mappings: Mappings) -> list[Awaited]:
    """The choices that wait."""
    return [Awaited(**choice) for choice in json.loads(mappings.setting(_KEY) or "[]")]


def wait_for(mappings: Mappings, choice: Awaited) -> None:
    """Lets a choice wait; a later one of the same name replaces it."""
    with mappings.store.write():
        _keep(mappings, [*_others(mappings, choice.kind, choice.name), choice])


def stop_waiting(mappings: Mappings, kind: Literal["tax_rate", "payment_method"], name: str) -> bool:
    """Forgets a choice that waits; False where none does."""
    with mappings.store.write():
        before, others = awaited(mappings), _others(mappings, kind, name)
        _keep(mappings, others)
    return len(others) < len(before)


def apply_awaited(store: Store, mappings: Mappings, xero_rates: Sequence[XeroRate]) -> list[str]:
    """Carries out the choices whose record is known by now; gives a sentence for each. The rest go on waiting."""
    if not awaited(mappings):
        return []
    said = []
    with mappings.store.write():
        for choice in awaited(mappings):
            try:
                said.append(_apply(store, mappings, choice, xero_rates))
            except ChoiceError:
                continue
            _keep(mappings, _others(mappings, choice.kind, choice.name))
    return said


def find_payment_method(methods: Sequence[PaymentMethod], text: str) -> PaymentMethod:
    """Caspen's payment method with that id or name. Raises `ChoiceError` `payment-method-not-found` or `-ambiguous`."""
    return choose(
        text,
        methods,
        kind="payment-method",
        called="payment method in Caspen",
        names=(lambda method: method.id, lambda method: method.name, lambda method: handle(method.id)),
        label=lambda method: f"{plain(method.name)} ({plain(method.id)})",
        fix="Caspen's payment methods: " + (", ".join(method.name for method in methods) or "none are known yet"),
    )


def _apply(store: Store, mappings: Mappings, choice: Awaited, xero_rates: Sequence[XeroRate]) -> str:
    if choice.kind == "payment_method":
        method = find_payment_method(clinic.payment_methods(store), choice.name)
        mappings.link_account(method_purpose(method.id), choice.target)
        account_chosen(mappings, method_purpose(method.id))
        chosen = [account for account in known_accounts(mappings) or () if account.account_id == choice.target]
        return f"{plain(method.name)} payments go to {account_label(chosen[0]) if chosen else 'the account chosen for them'}."
    rate = find_caspen_rate(clinic.tax_rates(store), choice.name)
    xero_rate = find_xero_rate(xero_rates, choice.target)
    problem = why_not(rate, xero_rate)
    if problem and not choice.force:
        return f"Not linked: {problem}."
    link_rate(mappings, rate.id, xero_rate.tax_type)
    return f"{plain(rate.name)} is linked to {plain(xero_rate.name)} ({plain(xero_rate.tax_type)})."


def _others(mappings: Mappings, kind: str, name: str) -> list[Awaited]:
    return [choice for choice in awaited(mappings) if (choice.kind, choice.name.casefold()) != (kind, name.casefold())]


def _keep(mappings: Mappings, choices: Iterable[Awaited]) -> None:
    kept = [asdict(choice) for choice in choices]
    mappings.set_setting(_KEY, json.dumps(kept) if kept else None)
