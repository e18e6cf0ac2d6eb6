"""Things of ours in Xero that this store did not send: a lost or restored store's, or those of another home.

A payment's Reference has Caspen's ids, and the journal has a row for each write of this store's own that may have reached Xero;
so one without a row was sent by somebody else. The first such find has all of ours looked up (`adopt.py`). One that was made after
that, by Xero's clock, shows that another home is alive: then nothing more is sent until a person has ended one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from caspen_xero.cents import money_text
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic, other_homes
from caspen_xero.store.journal import sent_from_here
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.other_homes import Sighting
from caspen_xero.store.store import utc_text
from caspen_xero.sync.planning.steps import StepKind
from caspen_xero.times import local
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Payment
from caspen_xero.xero.reading import payments_by_id

END_ONE = "On the other machine: caspen-xero disconnect --local-only; then here: caspen-xero adopt"


class AnotherHome(UserError):
    """Another home sends to the same organisation (`another-home`): nothing is sent until a person has ended one of the two."""

    def __init__(self, seen: Sighting) -> None:
        super().__init__(
            "another-home",
            f"Another copy of this workspace sends to Xero too: it made the payment of {seen.amount} on "
            f"{plain(seen.number)} ({plain(seen.reference)}) on {local(seen.made_at, seconds=True)}, after this one had taken "
            "in all of ours on "
            f"{local(seen.adopted_at, seconds=True)}. Nothing is sent until one of the two is ended.",
            END_ONE,
        )


@dataclass
class FoundInXero:
    """What of ours was in Xero already though this store did not send it: invoices, payments by their keys, and credit notes."""

    invoices: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    credit_notes: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.invoices or self.payments or self.credit_notes)

    def add(self, other: FoundInXero) -> None:
        """Counts what another look has found."""
        self.invoices |= other.invoices
        self.payments |= other.payments
        self.credit_notes |= other.credit_notes

    def as_json(self) -> dict[str, int]:
        """The numbers, as `--json` shows them."""
        found = {"invoices": self.invoices, "payments": self.payments, "credit_notes": self.credit_notes}
        return {name: len(ids) for name, ids in found.items()}

    def in_words(self) -> str:
        """The same in a sentence."""
        counts = [(number, name.replace("_", " ")) for name, number in self.as_json().items() if number]
        told = [f"{number} {what.removesuffix('s') if number == 1 else what}" for number, what in counts]
        listed = " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
        were = "was" if sum(number for number, _ in counts) == 1 else "were"
        return f"{listed} of ours {were} in Xero already; this store did not know {'it' if were == 'was' else 'them'}."


def found_documents(mappings: Mappings, kind: StepKind, ids: set[str]) -> FoundInXero:
    """Of the invoices or credit notes that a step of this kind would have made, those that were not sent from here."""
    unsent = ids - sent_from_here(mappings, kind, ids)
    return FoundInXero(invoices=unsent) if kind == "create-invoice" else FoundInXero(credit_notes=unsent)


@dataclass(frozen=True)
class OurPayment:
    """A payment in Xero that carries the ids of one of Caspen's: that one's key and invoice, and what Xero shows of it."""

    key: str
    invoice_id: str
    xero_id: str
    amount: Decimal
    reference: str


@dataclass(frozen=True)
class Find:
    """Payments that were not sent from here, and of those the one, if any, that shows that another home is alive."""

    payments: Sequence[OurPayment] = ()
    alive: Sighting | None = None


class OtherHomes:
    """Notices, in one run, what was not sent from here. `found`: all of it so far."""

    def __init__(self, mappings: Mappings, client: Callable[[], Client]) -> None:
        self.mappings, self._client = mappings, client
        self.found = FoundInXero()

    def look_at(self, payments: Iterable[OurPayment]) -> Find:
        """Which of these payments were not sent from here, before they are linked; asks Xero when they were made, if it matters."""
        by_key = {payment.key: payment for payment in payments}
        sent = sent_from_here(self.mappings, "create-payment", by_key)
        unsent = [payment for key, payment in by_key.items() if key not in sent]
        since = other_homes.adopted_at(self.mappings)
        if not unsent or since is None or self.mappings.store.adopt_is_due:
            return Find(unsent)
        there = payments_by_id(self._client(), [payment.xero_id for payment in unsent])
        later = [(payment, there[payment.xero_id]) for payment in unsent if payment.xero_id in there]
        later = [(ours, shown) for ours, shown in later if shown.updated_date_utc and shown.updated_date_utc > since]
        return Find(unsent, self._sighting(*later[0], since) if later else None)

    def keep(self, find: Find) -> None:
        """Keeps what follows from a find, in the transaction that links it."""
        self._count(FoundInXero(payments={payment.key for payment in find.payments}))
        if find.alive is not None:
            other_homes.keep_another_home(self.mappings, find.alive)

    def documents_found(self, kind: StepKind, ids: Iterable[str]) -> None:
        """Keeps what follows from invoices or credit notes whose number was taken, by the very same document."""
        self._count(found_documents(self.mappings, kind, set(ids)))

    def _count(self, found: FoundInXero) -> None:
        self.found.add(found)
        if found and other_homes.adopted_at(self.mappings) is None:
            self.mappings.store.set_adopt_due(True)

    def _sighting(self, ours: OurPayment, shown: Payment, since: datetime) -> Sighting:
        number = clinic.invoice_numbers(self.mappings.store, [ours.invoice_id]).get(ours.invoice_id, ours.invoice_id)
        made_at = utc_text(shown.updated_date_utc) if shown.updated_date_utc else ""
        return Sighting(ours.xero_id, number, money_text(ours.amount), ours.reference, made_at, utc_text(since))


def another_home(mappings: Mappings) -> AnotherHome | None:
    """What is said for as long as another home is known to be alive."""
    seen = other_homes.another_home(mappings)
    return AnotherHome(seen) if seen is not None else None
