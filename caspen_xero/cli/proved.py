"""What the last reconciliation has proved, as far as that still holds; and one that has not come to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.session import Session
from caspen_xero.times import local_day

if TYPE_CHECKING:
    from caspen_xero.store.proofs import KeptProof
    from caspen_xero.sync.books.books import Books

AGAIN = "caspen-xero reconcile"


@dataclass(frozen=True)
class Proved:
    """The last proof, and what became of its finds.

    `differ`: the invoices of which something that it found stands, and nobody is content with it; `accepted`: those with which a
    person is content by now; `changed_since`: the invoices that are new, or others, or were sent since.
    """

    proof: KeptProof
    differ: int
    accepted: int
    changed_since: int

    @property
    def mended(self) -> int:
        """Of how many invoices nothing of what was found stands."""
        return max(0, self.proof.differ + self.proof.accepted - self.differ - self.accepted)

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        from caspen_xero.store.store import utc_text

        proof = self.proof
        return {
            "read_at": utc_text(proof.read_at),
            "from": proof.first.isoformat() if proof.first else None,
            "to": proof.last.isoformat(),
            "as_at": proof.as_at.isoformat(),
            "compared": proof.compared,
            "proved": proof.proved,
            "differ": self.differ,
            "accepted": self.accepted + proof.settled,
            "unknown": proof.unknown,
            "not_yet": proof.not_yet,
            "money_not_yet": proof.money_not_yet,
            "unexplained": proof.unexplained,
            "changed_since": self.changed_since,
            "equal": proof.was_equal,
            "api_calls": proof.calls,
        }

    def in_words(self) -> str:
        """The same for people, in a line, with the command that proves anew where that is of use."""
        accepted = self.accepted + self.proof.settled
        proof, on = self.proof, in_few_words(local_day(self.proof.read_at))
        all_of_it = f"{proof.compared:,} {'invoice' if proof.compared == 1 else 'invoices'}{_of_days(proof)}"
        is_part = proof.unknown or proof.not_yet or proof.money_not_yet
        if self.differ:
            differ = "differs" if self.differ == 1 else "differ"
            told = f"{self.differ:,} of {all_of_it} {differ} ({on})"
            if self.differ > proof.compared - proof.proved:  # a month's proof compares what is owed from before it too
                of_these = "it is" if self.differ == 1 else "some are"
                invoices = "invoice" if self.differ == 1 else "invoices"
                told = f"{self.differ:,} {invoices} {differ} ({on}), {of_these} from outside the period; {all_of_it} compared"
        elif proof.differ and self.mended:
            told = f"{proof.differ:,} of {all_of_it} differed on {on}, and {self.mended:,} changed since"
        elif proof.unexplained:
            told = f"sums differed on {on}, of {all_of_it}"
        elif proof.compared:
            then = max(accepted, proof.accepted + proof.settled)
            but = f" but for {then:,} that a person accepted" if then else ""
            told = f"equal to the cent{but} on {on}, {all_of_it}"
            if is_part:
                whole = "not equal" if proof.unknown else "not complete"
                told = f"{whole} on {on}, though what is on both sides is equal to the cent{but}, {all_of_it}"
        else:
            told = f"no invoice was to be compared on {on}{_of_days(proof)}"
        more = [
            f"{accepted:,} more as accepted" if self.differ and accepted else "",
            f"{proof.unknown:,} in Xero that Caspen does not know" if proof.unknown else "",
            f"{proof.not_yet:,} not in Xero yet then" if proof.not_yet else "",
            f"{_money(proof.money_not_yet)} not in Xero yet then" if proof.money_not_yet else "",
            f"{self.changed_since:,} new, changed or sent since" if self.changed_since else "",
        ]
        is_open = self.differ or is_part or proof.unexplained or (proof.differ and self.mended)
        again = f": {AGAIN}" if is_open else ""
        return "; ".join(filter(None, [told, *more])) + again


def proved(session: Session, books: Books) -> Proved | None:
    """What the last reconciliation of this organisation has proved; None where there was none."""
    from caspen_xero.store import proofs

    mappings = session.known_mappings
    proof = proofs.last(mappings) if mappings else None
    if mappings is None or proof is None:
        return None
    found, accepted = proofs.standing_of(mappings, proof), {one.invoice_id for one in books.accepted}
    differ = found & books.troubles_of.keys()
    return Proved(proof, len(differ), len(found & accepted - differ), proofs.changed_since(mappings, proof))


def under_way(session: Session) -> dict[str, Any] | None:
    """A reading of Xero that was begun and did not come to its end, with the command that goes on with it; None for none."""
    from caspen_xero.store import readings
    from caspen_xero.store.store import utc_text
    from caspen_xero.sync.fix_commands import reconcile_command

    mappings = session.known_mappings
    reading = readings.under_way(mappings, session.now()) if mappings else None
    if reading is None:
        return None
    return {
        "began_at": utc_text(reading.began_at),
        "documents": reading.documents,
        "fix": session.output.command(reconcile_command(reading.first, reading.last, reading.as_at)),
    }


def _money(number: int) -> str:
    return f"{number:,} payment or credit note" if number == 1 else f"{number:,} payments or credit notes"


def in_few_words(day: date) -> str:
    """A day as people say it: `28 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def _of_days(proof: KeptProof) -> str:
    """Of which days the invoices are, where a period was asked for."""
    if proof.is_of_all:
        return ""
    last = in_few_words(proof.last)
    return f" of {in_few_words(proof.first)} to {last}" if proof.first else f" up to {last}"
