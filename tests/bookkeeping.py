"""A bookkeeper at work in the local Xero, through Xero's own SDK: what she pays, reconciles, allocates and deletes there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from conftest import clean_environment, command_line
from pushing import Clinic
from xero_python.accounting import (
    Account,
    AccountingApi,
    Allocation,
    Allocations,
    BankTransaction,
    BankTransactions,
    BatchPayment,
    BatchPaymentDelete,
    BatchPayments,
    Contact,
    CreditNote,
    CreditNotes,
    Invoice,
    Invoices,
    LineAmountTypes,
    LineItem,
    Payment,
    PaymentDelete,
    Payments,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from caspen_xero.sandbox.identity.unauthorised import Refused
from caspen_xero.sandbox.trouble.faults import INTERNAL_ERROR
from tests.sandbox.signing_in import App

BANK, DAY = Account(code="090"), date(2026, 11, 20)


@dataclass
class Arrived:
    """What ought to reach Caspen of one payment or allocation."""

    invoice_number: str
    kind: str
    amount: Decimal
    reconciled: bool | None = None


@dataclass
class Bookkeeper:
    """Signed in with an app of her own. `made`: what stands in Xero by her doing, by the id that Caspen ought to be told."""

    url: str
    made: dict[str, Arrived] = field(default_factory=dict)

    def __post_init__(self) -> None:
        app = App(self.url)
        token = app.sign_in()["access_token"]
        self.tenant = app.http.headers["Xero-Tenant-Id"]
        app.http.close()
        held = {"access_token": token, "expires_in": 1800, "token_type": "Bearer", "scope": ["accounting.invoices"]}
        held |= {"refresh_token": "none", "expires_at": 9_999_999_999, "id_token": ""}
        configuration = Configuration()  # what is handed to it counts in the first one of a process only
        configuration.oauth2_token = OAuth2Token(client_id="bookkeeper", client_secret="none")
        client = ApiClient(configuration, oauth2_token_getter=lambda: held, oauth2_token_saver=lambda _: None)
        self.api = AccountingApi(client, base_url=f"{self.url}/api.xro/2.0")

    def invoices(self) -> dict[str, Invoice]:
        """The sales invoices as they are now, by number."""
        found = self.api.get_invoices(self.tenant, where='Type=="ACCREC"').invoices
        return {invoice.invoice_number: invoice for invoice in found}

    # payments

    def pays(self, number: str, amount: str, *, reconciled: bool = False, reference: str | None = None) -> str:
        """A payment by hand; `reconciled`: matched with a line of the bank statement."""
        wish = Payment(invoice=self._ref(number), account=BANK, amount=Decimal(amount), date=DAY, reference=reference)
        wish.is_reconciled = reconciled
        made = self.api.create_payments(self.tenant, Payments(payments=[wish])).payments[0]
        self.made[made.payment_id] = Arrived(number, "payment", Decimal(amount), reconciled)
        return str(made.payment_id)

    def pays_together(self, amounts: dict[str, str], *, reconciled: bool = False) -> str:
        """One amount in the bank for several invoices: the id of the batch."""
        members = [Payment(invoice=self._ref(number), amount=Decimal(amount)) for number, amount in amounts.items()]
        wish = BatchPayment(account=BANK, date=DAY, reference="HICAPS", payments=members)
        wish.is_reconciled = reconciled
        batch = self.api.create_batch_payment(self.tenant, BatchPayments(batch_payments=[wish])).batch_payments[0]
        for (number, amount), payment in zip(amounts.items(), batch.payments, strict=True):
            self.made[payment.payment_id] = Arrived(number, "batch_payment", Decimal(amount), reconciled)
        return str(batch.batch_payment_id)

    def deletes(self, payment_id: str) -> None:
        """Deletes a payment, or one that we pushed."""
        self.api.delete_payment(self.tenant, payment_id, PaymentDelete(status="DELETED"))
        self.made.pop(payment_id, None)

    def deletes_batch(self, batch_id: str) -> None:
        members = self.api.get_batch_payment(self.tenant, batch_id).batch_payments[0].payments
        self.api.delete_batch_payment(self.tenant, BatchPaymentDelete(status="DELETED", batch_payment_id=batch_id))
        for payment in members:
            self.made.pop(payment.payment_id, None)

    # credits

    def receives_overpayment(self, number: str, amount: str) -> str:
        """Money beyond what was owed, from the client of an invoice."""
        line = LineItem(description="Paid twice", quantity=1, unit_amount=Decimal(amount), account_code="610")
        return str(self._receives("RECEIVE-OVERPAYMENT", number, line).overpayment_id)

    def receives_prepayment(self, number: str, amount: str) -> str:
        """Money in advance, tax included."""
        line = LineItem(
            description="Deposit", quantity=1, unit_amount=Decimal(amount), account_code="200", tax_type="OUTPUT"
        )
        return str(self._receives("RECEIVE-PREPAYMENT", number, line).prepayment_id)

    def _receives(self, kind: str, number: str, line: LineItem) -> Any:
        wish = BankTransaction(
            type=kind,
            contact=Contact(contact_id=self.invoices()[number].contact.contact_id),
            bank_account=BANK,
            date=DAY,
            line_items=[line],
            line_amount_types=LineAmountTypes.NOTAX if kind == "RECEIVE-OVERPAYMENT" else LineAmountTypes.INCLUSIVE,
        )
        made = self.api.create_bank_transactions(self.tenant, BankTransactions(bank_transactions=[wish]))
        return made.bank_transactions[0]

    def issues_credit_note(self, number: str, amount: str) -> str:
        """A credit note in Xero for the client of an invoice, tax included, not yet allocated."""
        wish = CreditNote(
            type="ACCRECCREDIT",
            contact=Contact(contact_id=self.invoices()[number].contact.contact_id),
            date=DAY,
            status="AUTHORISED",
            line_amount_types=LineAmountTypes.INCLUSIVE,
            line_items=[
                LineItem(
                    description="Goodwill",
                    quantity=1,
                    unit_amount=Decimal(amount),
                    account_code="200",
                    tax_type="OUTPUT",
                )
            ],
        )
        made = self.api.create_credit_notes(self.tenant, CreditNotes(credit_notes=[wish])).credit_notes[0]
        return str(made.credit_note_id)

    def allocates(self, kind: str, credit_id: str, number: str, amount: str) -> str:
        """Allocates a part of a credit (`overpayment`, `prepayment`, `credit_note`) to an invoice: the allocation's id."""
        before = self._allocations(kind, credit_id)
        share = Allocation(invoice=self._ref(number), amount=Decimal(amount), date=DAY)
        getattr(self.api, f"create_{kind}_allocation" + ("s" if kind != "credit_note" else ""))(
            self.tenant, credit_id, Allocations(allocations=[share])
        )
        (made,) = self._allocations(kind, credit_id) - before
        self.made[made] = Arrived(number, kind, Decimal(amount))
        return made

    def takes_back(self, kind: str, credit_id: str, allocation_id: str) -> None:
        """Removes an allocation."""
        with suppress(ValueError):  # the SDK can't read Xero's answer (xero-python#159)
            getattr(self.api, f"delete_{kind}_allocations")(self.tenant, credit_id, allocation_id)
        assert allocation_id not in self._allocations(kind, credit_id)
        self.made.pop(allocation_id, None)

    def _allocations(self, kind: str, credit_id: str) -> set[str]:
        (credit,) = getattr(getattr(self.api, f"get_{kind}")(self.tenant, credit_id), f"{kind}s")
        return {allocation.allocation_id for allocation in credit.allocations or []}

    # invoices

    def changes(self, number: str, **fields: Any) -> None:
        """Edits an invoice in Xero."""
        found = self.invoices()[number]
        self.api.update_invoice(self.tenant, found.invoice_id, Invoices(invoices=[Invoice(**fields)]))

    def _ref(self, number: str) -> Invoice:
        return Invoice(invoice_id=self.invoices()[number].invoice_id)


@dataclass
class RandomDay:
    """Things that a bookkeeper does, in random order, on invoices with these numbers."""

    bookkeeper: Bookkeeper
    numbers: list[str]
    random: Random
    credits: list[tuple[str, str, str]] = field(default_factory=list)
    allocations: list[tuple[str, str, str]] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)

    def do(self) -> None:
        """One of them; what Xero would refuse (nothing due any more) is left out."""
        self.random.choice(
            (self._pay, self._pay, self._pay_together, self._receive, self._allocate, self._allocate, self._undo)
        )()

    def _open(self) -> dict[str, int]:
        """Whole dollars that are due, by number."""
        found = self.bookkeeper.invoices()
        return {n: int(found[n].amount_due) for n in self.numbers if n in found and found[n].amount_due >= 1}

    def _some(self, most: int) -> str:
        return f"{self.random.randint(1, max(1, most // 3))}.00"

    def _pay(self) -> None:
        due = self._open()
        if due:
            number = self.random.choice(list(due))
            amount = f"{due[number]}.00" if self.random.random() < 0.2 else self._some(due[number])
            reconciled = self.random.random() < 0.5
            self.payments.append(self.bookkeeper.pays(number, amount, reconciled=reconciled))

    def _pay_together(self) -> None:
        due = self._open()
        if len(due) > 1:
            chosen = self.random.sample(list(due), self.random.randint(2, min(3, len(due))))
            amounts = {number: self._some(due[number]) for number in chosen}
            self.batches.append(self.bookkeeper.pays_together(amounts, reconciled=False))

    def _receive(self) -> None:
        number, kind = (
            self.random.choice(self.numbers),
            self.random.choice(("overpayment", "prepayment", "credit_note")),
        )
        act = (
            self.bookkeeper.issues_credit_note
            if kind == "credit_note"
            else getattr(self.bookkeeper, f"receives_{kind}")
        )
        self.credits.append((kind, act(number, "60.00"), number))

    def _allocate(self) -> None:
        due = self._open()
        usable = [one for one in self.credits if one[2] in due]
        if usable:
            kind, credit_id, number = self.random.choice(usable)
            used = sum(1 for _, of, _ in self.allocations if of == credit_id)
            if used < 5:
                amount = f"{min(due[number], self.random.randint(1, 10))}.00"
                made = self.bookkeeper.allocates(kind, credit_id, number, amount)
                self.allocations.append((kind, credit_id, made))

    def _undo(self) -> None:
        what = self.random.choice(("payment", "allocation", "batch"))
        if what == "payment":
            free = [id_ for id_ in self.payments if not self.bookkeeper.made[id_].reconciled]
            if free:
                gone = self.random.choice(free)
                self.payments.remove(gone)
                self.bookkeeper.deletes(gone)
        elif what == "allocation" and self.allocations:
            self.bookkeeper.takes_back(*self.allocations.pop(self.random.randrange(len(self.allocations))))
        elif what == "batch" and self.batches:
            self.bookkeeper.deletes_batch(self.batches.pop(self.random.randrange(len(self.batches))))


# --- what Caspen was told


def told(clinic: Clinic) -> list[dict[str, Any]]:
    """The records in `caspen-updates.jsonl` beside the last import."""
    file = clinic.home.parent / "caspen-updates.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def as_arrived(record: dict[str, Any]) -> Arrived:
    return Arrived(record["invoice_number"], record["kind"], Decimal(record["amount"]), record["reconciled"])


def told_once(records: list[dict[str, Any]]) -> dict[str, Arrived]:
    """What was told, by id; no id is there twice."""
    assert len({record["id"] for record in records}) == len(records), "told twice"
    return {record["id"]: as_arrived(record) for record in records}


# --- killed


@contextmanager
def killed_at(
    clinic: Clinic, call: int, moment: str, *command: str, **environment: str
) -> Iterator[Callable[[], bool]]:
    """Runs a command as a process of its own and kills it at that call to Xero: before Xero does it, or before the answer.

    Gives a function that tells whether the process lived long enough to be killed.
    """
    door = clinic.sandbox.xero.gateway
    admit, leave = door.admit, door.leave
    seen = 0
    process = subprocess.Popen(
        command_line(*command, "--quiet"),
        env=clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def before(exchange: Any, fault: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == call and moment == "before":
            os.kill(process.pid, signal.SIGKILL)
            raise Refused(INTERNAL_ERROR)
        return admit(exchange, fault)

    def after(admission: Any) -> None:
        leave(admission)
        if seen == call and moment == "after":
            os.kill(process.pid, signal.SIGKILL)

    door.admit, door.leave = before, after  # type: ignore[method-assign]
    try:
        process.wait(timeout=30)
        yield lambda: process.returncode == -signal.SIGKILL
    finally:
        door.admit, door.leave = admit, leave  # type: ignore[method-assign]


def killed_before(clinic: Clinic, function: str, **environment: str) -> int:
    """Runs a pull that dies at the moment it would call that function of ours; gives its return code."""
    module, name = function.rsplit(".", 1)
    program = (
        f"import os, signal, {module}\n"
        f"{module}.{name} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from caspen_xero.cli.app import app\n"
        "app(['pull', '--quiet'])\n"
    )
    command = [command_line()[0], "-c", program]
    env = clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url, **environment)
    return subprocess.run(command, env=env, check=False, cwd=Path(__file__).parents[1]).returncode
