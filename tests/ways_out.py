"""Troubles and their ways out: how a row of `unsynced` comes about, what a person then does, and which commands they paste."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, invoice
from oddities import OddWay
from pushing import Clinic

from caspen_xero.caspen.records import parse_record
from caspen_xero.cli.session import Session
from caspen_xero.sandbox.books.refusals import refused
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest
from caspen_xero.sync.problems import ProblemCode

NUMBER, ID = "INV-0001", "inv_INV-0001"
NELL = client("1048237")
Record = Mapping[str, Any]


@dataclass
class Scene:
    """A clinic with its Xero, and what a person has at hand for the words in capitals of a command (`PATH`, `XERO_ID`)."""

    clinic: Clinic
    way: OddWay
    patch: pytest.MonkeyPatch
    meanwhile: ExitStack
    means: dict[str, str] = field(default_factory=dict)

    def begins(self, *records: Record, push: bool = True) -> None:
        """Imports these beside Nell and EFTPOS, and pushes."""
        self.clinic.takes(EFTPOS, NELL, *records)
        if push:
            self.clinic.push()

    def sent(self, *records: Record) -> None:
        """Nell's invoice of 165.00, and these records, are in Xero and nothing is wrong."""
        self.begins(invoice(), *records, push=False)
        assert self.clinic.push().exit_code == 0

    def then_caspen_says(self, *records: Record) -> None:
        self.clinic.takes(*records)
        self.clinic.push()

    def exports(self, *records: Record) -> None:
        """What Caspen's next export has, for whoever imports it as told."""
        file = self.clinic.home.parent / "corrected.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        self.means["PATH"] = str(file)

    def in_caspen(self, *records: Record) -> None:
        """What is put right in Caspen, for which a clean record is needed."""
        for record in records:
            parse_record(record)
        self.exports(*records)

    def xero_says(self, method: str, path: str, words: str) -> None:
        """From now on Xero refuses these calls in those words."""
        api = self.clinic.sandbox.xero.api
        true_handle = api.handle

        def handle(request: ApiRequest) -> ApiAnswer:
            if request.method == method and request.path.startswith(path):
                return refused(400, 10, "ValidationException", words).answer
            return true_handle(request)

        self.patch.setattr(api, "handle", handle)
        self.meanwhile.callback(lambda: self.patch.setattr(api, "handle", true_handle))

    def xero_is_right_again(self) -> None:
        self.meanwhile.close()

    def later(self, days: int) -> None:
        self.patch.setattr(Session, "now", lambda session: datetime.now(UTC) + timedelta(days=days))

    def invoice_id(self, number: str = NUMBER) -> str:
        return str(self.clinic.in_xero()[number]["InvoiceID"])

    def approves(self, number: str = NUMBER) -> None:
        in_xero.edits(self.clinic, number, Status="AUTHORISED")

    def deletes_payment(self, payment_id: str) -> None:
        in_xero.writes(self.clinic, "POST", f"Payments/{payment_id}", {"Status": "DELETED"})

    def only_payment(self) -> str:
        (there,) = in_xero.payments(self.clinic)
        return str(there["PaymentID"])

    def reconciles(self, payment_id: str, *, reconciled: bool = True) -> None:
        self.clinic.control(f"payments/{payment_id}/reconcile", reconciled=reconciled)


Story = Callable[[Scene], Iterator[None]]
"""First the trouble; after the `yield` what a person does as told. Then the commands are pasted."""


@dataclass(frozen=True)
class Case:
    """One trouble and one way out of it.

    `runs`: which of the printed commands are pasted after the act; None: all, in their order. `then`: the codes that the invoice
    may have afterwards, each nearer to the end; none: all is well. `apart`: a person leaves the two sides as they are, so they
    need not agree. `by_reason`: the commands are those of the reason.
    """

    code: ProblemCode
    story: Story
    runs: Sequence[int] | None = None
    then: frozenset[str] = frozenset()
    apart: bool = False
    by_reason: bool = False

    @property
    def name(self) -> str:
        return f"{self.code}: {self.story.__name__.replace('_', ' ')}"


@dataclass
class Cases:
    """Cases, as a file of them declares them."""

    found: list[Case] = field(default_factory=list)

    def way(
        self,
        code: ProblemCode,
        *runs: int,
        then: Sequence[str] = (),
        apart: bool = False,
        by_reason: bool = False,
    ) -> Callable[[Story], Story]:
        """Declares a case; `runs` empty: all the commands that are printed."""

        def declare(story: Story) -> Story:
            self.found.append(Case(code, story, runs or None, frozenset(then), apart, by_reason))
            return story

        return declare


def made_in_xero(clinic: Clinic) -> tuple[list[Any], ...]:
    """What stands in Xero, such that whatever is made, paid or taken back shows: nothing of that may happen twice."""
    state = clinic.whole_state()
    return (
        sorted(
            (one["InvoiceID"], one["Status"], str(one["Total"]), str(one["AmountDue"])) for one in state["Invoices"]
        ),
        sorted((one["PaymentID"], one["Status"], str(one["Amount"])) for one in state["Payments"]),
        sorted(
            (one["CreditNoteID"], one["Status"], [str(part["Amount"]) for part in one["Allocations"]])
            for one in state["CreditNotes"]
        ),
        sorted((one["ContactID"], one["ContactStatus"]) for one in state["Contacts"]),
    )
