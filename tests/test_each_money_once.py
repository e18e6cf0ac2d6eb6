"""Whatever is paid, moved, deleted, typed in and entered anew on both sides: each true money is told once and stands in Xero once.

A bookkeeper and the clinic's desk know what is true, the tool does not. Money of one amount on one invoice is one like the other:
where the tool takes one for the other, these have changed places.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import in_xero
from bookkeeping import told
from clinics import CASH, TAX_RATES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulling import CLINIC, payment
from pushing import Clinic, begins_anew, commands_in

from caspen_xero.sandbox.server import Sandbox

BOTH = ("INV-0001", "INV-0002")
Event = tuple[Any, ...]


@dataclass(eq=False)
class Money:
    """What was truly paid: how much, and for which invoice. `was_there`: it stands in Xero, or did.

    `is_known`: the tool knows what stands for it, or stood. Else only its day and account tell what it may be.
    """

    amount: str
    number: str
    was_there: bool = False
    is_known: bool = False


@dataclass
class Entry:
    """A payment in Caspen. `is_put`: it is on its invoice there."""

    money: Money
    day: str
    method: str
    is_put: bool
    xero_id: str | None = None


class Life:
    """Two invoices of one client, what was truly paid for them, and where that stands."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.changes, self.made = clinic, 0, 0
        self.records: dict[str, dict[str, Any]] = {}
        self.export = clinic.home.parent / "export.jsonl"
        self.monies: list[Money] = []
        self.caspen: dict[str, Entry] = {}  # the living ones, by their ids
        self.xero: dict[str, Money] = {}  # the living ones, by their ids
        self.told: dict[str, Money] = {}  # what Caspen was told of and has not taken in
        self.has_heard: set[str] = set()
        self.our_references: dict[Money, str] = {}
        self._says(*TAX_RATES, *CLINIC[:4], CASH)
        clinic.cli("settings", "set", "--source", self.export, "--payment-method", "Cash=091")
        clinic.cli("sync")
        self.numbers = {one["InvoiceID"]: number for number, one in clinic.in_xero().items()}

    # what happens; a person picks the nth of what there is, and does nothing where there is none

    def pays(self, amount: str, number: str, day: str, method: str, is_put: bool) -> None:
        """At the desk."""
        self._enters(Entry(self._new(amount, number), day, method, is_put))

    def receives(self, amount: str, number: str, day: str, account: str) -> None:
        """By the bank, and a bookkeeper records it."""
        self._records(self._new(amount, number), day, account, "Bank feed")

    def records_too(self, nth: int, days: int) -> None:
        """A bookkeeper records what the desk has entered, and what is not in Xero yet; of about the same day."""
        if entry := _pick(nth, [one for one in self.caspen.values() if not one.money.was_there]):
            self._records(entry.money, _after(entry.day, days % 4), "090", "Bank feed")

    def puts(self, nth: int) -> None:
        """What was on no invoice is put on its own."""
        if id_ := _pick(nth, [id_ for id_, one in self.caspen.items() if not one.is_put]):
            self.caspen[id_].is_put = True
            self._export(id_)

    def moves(self, nth: int) -> None:
        """It was for the other invoice."""
        if id_ := _pick(nth, [id_ for id_, one in self.caspen.items() if one.is_put]):
            money = self.caspen[id_].money
            money.number = next(number for number in BOTH if number != money.number)
            self._export(id_)

    def enters_anew(self, nth: int, days: int) -> None:
        """It is voided in Caspen, and entered once more."""
        if id_ := _pick(nth, list(self.caspen)):
            entry = self.caspen[id_]
            self._export(id_, status="void")
            del self.caspen[id_]
            self._enters(Entry(entry.money, _after(entry.day, days % 4), entry.method, entry.is_put))

    def deletes(self, nth: int) -> None:
        """A bookkeeper deletes it in Xero."""
        if id_ := _pick(nth, list(self.xero)):
            in_xero.writes(self.clinic, "POST", f"Payments/{id_}", {"Status": "DELETED"})
            del self.xero[id_]

    def records_anew(self, nth: int, days: int, account: str, is_ours: bool) -> None:
        """And records what was deleted once more, on whatever day and in whatever account."""
        if money := _pick(nth, [one for one in self._missing() if one.was_there]):
            reference = self.our_references.get(money) if is_ours else None
            day, account = (days, account) if money.is_known else (days % 4, "090")
            self._records(money, _after("2026-11-03", day), account, reference or "Deposit")

    def takes_in(self, nth: int, days: int, method: str, by_hand: bool) -> None:
        """What Caspen was told of is in its export from now on: by its id, or typed in by somebody."""
        if id_ := _pick(nth, list(self.told)):
            money, stands = self.told.pop(id_), id_ in self.xero
            if by_hand and stands:
                self._enters(Entry(money, _after("2026-11-03", days), method, True))
            elif by_hand:
                self._enters(Entry(money, "2026-11-03", "pmt_eftpos", True))
            else:
                self._enters(Entry(money, "2026-11-03", "pmt_eftpos", True, id_))

    def sync(self) -> None:
        result = self.clinic.cli("sync", "--json")
        assert result.exit_code in (0, 3), result.stderr
        self._looks()

    def answers(self) -> None:
        self.a_person_answers()

    # how a person settles it

    def a_person_answers(self) -> bool:
        """One question, by what is true and by the printed command; whether there was one to which there is a true answer."""
        rows = self.rows()
        for command in (command for row in rows for command in commands_in(row["fix"])):
            if command.startswith("caspen-xero invoices link") and self._is_the_same(command.split()[-1]):
                return self._runs(command)
        for row in rows:
            if "put it on" in row["fix"] and self._puts_what_is(row):
                return True
        for command in (command for row in rows for command in commands_in(row["fix"])):
            if "--pay-anyway" in command and not self._overlaps(command.split()[-1]):
                return self._runs(command)
        for row in rows:  # what Caspen was told of is gone in Xero, and is in both otherwise by now
            if (
                row["code"] == "payment-removed-in-xero"
                and "told of it" in row["reason"]
                and self._is_equal(row["number"])
            ):
                return self._runs(commands_in(row["fix"])[-1])
        return False

    def rows(self) -> list[dict[str, Any]]:
        """All that is listed."""
        payments = self.clinic.cli("payments", "list", "--json").json["payments"]
        return [*self.clinic.unsynced(), *(row for row in payments if row.get("fix"))]

    def a_person_mends(self) -> bool:
        """What is listed and no answer of the tool's: in Caspen or in Xero, as the words say."""
        for id_, money in self.xero.items():
            if self._where(id_) != money.number:  # moved in Caspen alone
                in_xero.writes(self.clinic, "POST", f"Payments/{id_}", {"Status": "DELETED"})
                del self.xero[id_]
                self._records(money, "2026-11-20", "091", "Deposit")
                return True
        for id_, entry in self.caspen.items():
            if entry.xero_id is not None and entry.xero_id not in self.xero and entry.money in self.there:
                entry.xero_id = next(xero_id for xero_id, money in self.xero.items() if money is entry.money)
                self._export(id_)
                return True
        return False

    def settle(self, by_hand: bool) -> None:
        for _ in range(30):
            self.sync()
            while self.told:
                self.takes_in(0, 17, CASH["id"], by_hand)
                self.sync()
            if self.a_person_answers() or self.a_person_mends():
                continue
            for id_ in [id_ for id_, one in self.caspen.items() if not one.is_put]:
                self.caspen[id_].is_put = True
                self._export(id_)
                break
            else:
                if not self._missing():
                    return
                self.records_anew(0, 12, "091", False)
        rows = [(row["number"], row["reason"], row["fix"]) for row in self.rows()]
        raise AssertionError(f"without end: {rows}, {self.caspen}, {self.xero}, {self._links()}")

    def is_settled(self) -> None:
        """Both sides hold each money once, and nothing is listed, sent or told any more."""
        self.sync()
        before = (in_xero.payments(self.clinic), told(self.clinic))
        for command in ("pull", "push", "sync"):
            self.clinic.cli(command)
        assert (in_xero.payments(self.clinic), told(self.clinic)) == before
        true = Counter((one.amount, one.number) for one in self.monies)
        assert Counter((one.money.amount, one.money.number) for one in self.caspen.values()) == true
        assert Counter((one.amount, self._where(id_)) for id_, one in self.xero.items()) == true
        assert (rows := self.rows()) == [], json.dumps(rows)
        assert self.clinic.cli("payments", "list", "--json").json["payments"] == []

    # the truth

    @property
    def there(self) -> list[Money]:
        return list(self.xero.values())

    def _new(self, amount: str, number: str) -> Money:
        self.monies.append(Money(amount, number))
        return self.monies[-1]

    def _missing(self) -> list[Money]:
        return [one for one in self.monies if one not in self.there]

    def _is_equal(self, number: str) -> bool:
        """Whether both sides hold what was truly paid for an invoice."""
        true = [one for one in self.monies if one.number == number]
        return all(one in self._in_caspen() and one in self.there for one in true)

    def _in_caspen(self) -> list[Money]:
        return [one.money for one in self.caspen.values()]

    def _where(self, xero_id: str) -> str:
        one = next(one for one in in_xero.payments(self.clinic) if one["PaymentID"] == xero_id)
        return self.numbers[one["Invoice"]["InvoiceID"]]

    def _links(self) -> dict[str, str]:
        """Caspen's payment by Xero's id."""
        rows = self.clinic.sql(
            "SELECT caspen_id, xero_id FROM links WHERE kind = 'payment' AND status IS NOT 'DELETED'"
        )
        named = {one.xero_id: id_ for id_, one in self.caspen.items() if one.xero_id is not None}
        return named | {row["xero_id"]: row["caspen_id"].split("/")[0] for row in rows}

    def _unlinked(self, number: str) -> list[tuple[str, Money]]:
        links = self._links()
        return [
            (id_, one)
            for id_, one in self.xero.items()
            if links.get(id_) not in self.caspen and self._where(id_) == number
        ]

    def _overlaps(self, number: str) -> bool:
        """Whether anything that stands on an invoice in Xero for none of Caspen's is truly in Caspen, or told."""
        return any(
            one in self._in_caspen() or any(money is one and id_ != xero_id for id_, money in self.told.items())
            for xero_id, one in self._unlinked(number)
        )

    def _is_the_same(self, xero_id: str) -> bool:
        money, links = self.xero.get(xero_id), self._links()
        return money in self._in_caspen() and links.get(xero_id) not in self.caspen

    def _puts_what_is(self, row: dict[str, Any]) -> bool:
        money = self.xero.get(row.get("xero_id") or "")
        for id_, entry in self.caspen.items():
            if entry.money is money and not entry.is_put:
                entry.is_put = True
                self._export(id_)
                self.sync()
                return True
        return False

    # how it is done

    def _enters(self, entry: Entry) -> None:
        self.made += 1
        self.caspen[f"pay_{self.made}"] = entry
        self._export(f"pay_{self.made}")

    def _export(self, id_: str, **more: Any) -> None:
        one = self.caspen[id_]
        on = (
            []
            if not one.is_put
            else [{"id": f"all_{id_}", "invoice_id": f"inv_{one.money.number}", "amount": one.money.amount}]
        )
        more = {"status": "allocated" if on else "unallocated", "xero_id": one.xero_id, **more}
        nth = int(id_.removeprefix("pay_"))
        shape = {**payment(nth, one.money.number, one.money.amount), "date": one.day, "method_id": one.method}
        self._says({**shape, "allocations": on, **more})

    def _says(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.changes += 1
            minute, second = divmod(self.changes, 60)
            self.records[record["id"]] = {**record, "updated_at": f"2026-12-01T00:{minute:02d}:{second:02d}Z"}
        self.export.write_text("".join(json.dumps(record) + "\n" for record in self.records.values()))

    def _records(self, money: Money, day: str, account: str, reference: str) -> None:
        money.was_there = True
        body = {"Account": {"Code": account}, "Amount": money.amount, "Date": day, "Reference": reference}
        made = in_xero.writes(self.clinic, "PUT", "Payments", {"Invoice": {"InvoiceNumber": money.number}, **body})
        self.xero[str(made["Payments"][0]["PaymentID"])] = money

    def _runs(self, command: str) -> bool:
        assert self.clinic.run(command).exit_code in (0, 3), command
        self._looks()
        return True

    def _looks(self) -> None:
        """What the tool has sent, taken back, linked and told since."""
        living = {str(one["PaymentID"]): one for one in in_xero.payments(self.clinic)}
        self.xero = {id_: one for id_, one in self.xero.items() if id_ in living}
        for id_ in living.keys() - self.xero.keys():
            self._was_sent(id_, str(living[id_]["Reference"]))
        for xero_id, caspen_id in self._links().items():
            if xero_id in self.xero and caspen_id in self.caspen:
                self._were_linked(xero_id, caspen_id)
        ids = [record["id"] for record in told(self.clinic)]
        assert len(ids) == len(set(ids)), "told twice"
        for id_ in [id_ for id_ in ids if id_ not in self.has_heard]:
            self.has_heard.add(id_)
            self._was_told(id_)

    def _was_sent(self, xero_id: str, reference: str) -> None:
        money = self.caspen[reference.split()[-1].split("/")[0]].money
        links = self._links()
        stands = next((id_ for id_, one in self.xero.items() if one is money), None)
        if stands is not None:
            free = [one for one in self._in_caspen() if _alike(one, money) and one not in self.there]
            is_free = links.get(stands) not in self.caspen
            assert free, f"sent though it stands in Xero: {reference} {stands}"
            assert is_free, f"sent though it stands in Xero: {reference} {stands}"
            self.xero[stands] = free[0]
        self.xero[xero_id] = money
        money.was_there = money.is_known = True
        self.our_references[money] = reference

    def _were_linked(self, xero_id: str, caspen_id: str) -> None:
        """One of Caspen's stands for one in Xero: those of one amount on one invoice have changed places."""
        entry, money = self.caspen[caspen_id], self.xero[xero_id]
        entry.money.is_known = money.is_known = True
        if entry.money is money:
            return
        other = next((one for one in self.caspen.values() if one.money is money), None)
        assert _alike(entry.money, money), "linked to other money"
        if other is not None:
            entry.money, other.money = money, entry.money
            return
        stands = next((id_ for id_, one in self.xero.items() if one is entry.money), None)
        self.xero[xero_id] = entry.money
        if stands is not None:
            self.xero[stands] = money

    def _was_told(self, xero_id: str) -> None:
        money = self.xero.get(xero_id)
        if money is None:
            return
        has = [*self._in_caspen(), *self.told.values()]
        if money in has:
            links = self._links()
            free = [id_ for id_, one in self.xero.items() if _alike(one, money) and one not in has and id_ not in links]
            is_free = links.get(xero_id) not in self.caspen
            assert free, f"told what Caspen has: {xero_id}"
            assert is_free, f"told what Caspen has: {xero_id}"
            self.xero[xero_id], self.xero[free[0]] = self.xero[free[0]], money
        self.told[xero_id] = self.xero[xero_id]
        self.told[xero_id].is_known = True


def _alike(one: Money, other: Money) -> bool:
    return (one.amount, one.number) == (other.amount, other.number)


def _after(day: str, days: int) -> str:
    return str(date.fromisoformat(day) + timedelta(days))


T = TypeVar("T")


def _pick(nth: int, some: Sequence[T]) -> T | None:
    return some[nth % len(some)] if some else None


NTH, FAR, BY_HAND = st.integers(0, 3), st.sampled_from([0, 1, 17]), st.booleans()
AMOUNT, ON = st.sampled_from(["5.00", "5.00", "7.00"]), st.sampled_from(BOTH)
DAY, METHOD = st.sampled_from(["2026-11-03", "2026-11-04"]), st.sampled_from(["pmt_eftpos", CASH["id"]])
ACCOUNT = st.sampled_from(["090", "091"])
EVENTS = st.one_of(
    st.tuples(st.just("pays"), AMOUNT, ON, DAY, st.just("pmt_eftpos"), st.booleans()),
    st.tuples(st.just("receives"), AMOUNT, ON, DAY, st.just("090")),
    st.tuples(st.sampled_from(["puts", "moves", "deletes", "deletes"]), NTH),
    st.tuples(st.sampled_from(["records_too", "enters_anew"]), NTH, st.integers(0, 3)),
    st.tuples(st.just("records_anew"), NTH, FAR, ACCOUNT, st.booleans()),
    st.tuples(st.just("records_anew"), NTH, FAR, ACCOUNT, st.booleans()),
    st.tuples(st.just("takes_in"), NTH, FAR, METHOD, BY_HAND),
    st.tuples(st.sampled_from(["sync", "sync", "sync", "answers"])),
)


@settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENTS, min_size=2, max_size=12), st.booleans())
def test_whatever_happens_each_true_money_is_told_once_and_stands_in_xero_once(
    sandbox: Sandbox, ready_home: Path, cli: Callable[..., Any], home: Path, events: list[Event], by_hand: bool
) -> None:
    life = Life(begins_anew(Clinic(cli, sandbox, home), ready_home))
    for what, *how in events:
        getattr(life, what)(*how)
    life.settle(by_hand)
    life.is_settled()
