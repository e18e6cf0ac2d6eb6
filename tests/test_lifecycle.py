"""A clinic's whole life in Xero: after every push each invoice, payment, credit note and allocation is there once, to the cent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import loopback
import pytest
from clinic_life import Life
from life_in_xero import differences, found_in
from pushing import Clinic, connected_to

from caspen_xero.cli.session import Session
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.sync.sending.push import Push
from caspen_xero.xero.client import XeroClient

FAULTS = ("drop-before", "drop-after", "500-before", "500-after", "truncate", "html", "503", "429-minute", "429-day")


class Killed(BaseException):
    """The machine was switched off."""


class Story:
    """A clinic that lives, is exported, pushed, and held against Xero."""

    def __init__(self, clinic: Clinic, seed: int, invoices: int) -> None:
        self.clinic, self.life, self.exports = clinic, Life.begun(seed, invoices), 0
        self.random = self.life.random
        self.export()
        done = clinic.cli("settings", "set", "--payment-account", "090", "--payment-method", "Cash=880")
        assert done.exit_code == 0, done.stderr
        ids = {account.get("Code"): account["AccountID"] for account in clinic.state("Accounts")}
        self.accounts: dict[str | None, str] = {None: ids["090"], "pmt_cash": ids["880"]}
        self.later = 0

    def export(self) -> None:
        """Imports what Caspen has: all of it, or what has changed."""
        whole = self.exports == 0 or self.random.random() < 0.5
        self.exports += 1
        imported = self.clinic.cli(
            "import", self.life.export(self.clinic.home.parent / f"life-{self.exports}", whole=whole)
        )
        assert imported.exit_code == 0, imported.stderr
        self.life.pushed()

    def push_and_compare(self) -> None:
        """After a push Xero shows what Caspen says, and another push has nothing to do and asks nothing."""
        pushed = self.clinic.push()
        left = [(row["number"], row["code"], row["reason"], row["xero_says"]) for row in self.clinic.unsynced()]
        assert (left, pushed.exit_code) == ([], 0), left
        state = {kind: self.clinic.state(kind) for kind in ("Invoices", "Payments", "CreditNotes", "Contacts")}
        assert differences(self.life.expected(self.accounts), found_in(state)) == []
        self.clinic.forget_calls()
        again = self.clinic.push()
        assert (again.exit_code, again.json["api_calls"], self.clinic.calls()) == (0, 0, [])

    # --- what comes in between

    def push_in_trouble(self, patch: pytest.MonkeyPatch) -> None:
        """A push that is not to end well: cut off, refused, killed, or told to do only a part."""
        choose = self.random.choice
        choose(
            (self._push_with_faults, self._push_with_faults, self._push_some, self._push_a_few_writes, self._killed)
        )(patch)
        loopback.delete(f"{self.clinic.sandbox.url}/sandbox/faults").raise_for_status()
        if self.later < 1000 and choose((True, False)):  # a sign-in lasts 1,800 seconds
            self._time_passes(patch, 400)

    def _push_with_faults(self, patch: pytest.MonkeyPatch) -> None:
        for kind in self.random.sample(FAULTS, 2):
            wishes = {"probability": self.random.choice((0.1, 0.3, 0.7)), "count": self.random.randint(1, 6)}
            self.clinic.control("faults", kind=kind, path="/api.xro/", seed=self.random.randint(0, 99), **wishes)
        assert self.clinic.push().exit_code in (0, 3, 6)

    def _push_some(self, patch: pytest.MonkeyPatch) -> None:
        some = self.random.sample(list(self.life.invoices), 3)
        assert self.clinic.push(*some).exit_code in (0, 3)

    def _push_a_few_writes(self, patch: pytest.MonkeyPatch) -> None:
        assert self.clinic.push("--max-writes", str(self.random.randint(0, 30))).exit_code in (0, 3)

    def _killed(self, patch: pytest.MonkeyPatch) -> None:
        """The push dies at one of its writes, before or after Xero has done it; nothing is noted any more."""
        at, after, send, writes = self.random.randint(1, 12), self.random.random() < 0.5, XeroClient.send, 0

        def dying(client: XeroClient, *arguments: Any, **more: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == at and after:
                send(client, *arguments, **more)
            if writes >= at:
                raise Killed
            return send(client, *arguments, **more)

        note = Push._note

        def dead(push: Push, *arguments: Any) -> None:
            if writes < at:
                note(push, *arguments)

        with patch.context() as patched:
            patched.setattr(XeroClient, "send", dying)
            patched.setattr(Push, "_note", dead)
            with contextlib.suppress(Killed):
                self.clinic.push()

    def _time_passes(self, patch: pytest.MonkeyPatch, seconds: int) -> None:
        self.later += seconds
        self.clinic.control("clock", seconds=seconds)
        by = timedelta(seconds=self.later)
        patch.setattr(Session, "now", lambda session: datetime.now(UTC) + by)


@pytest.mark.parametrize("seed", range(4))
def test_a_clinics_life_arrives_once_and_to_the_cent(ready: Clinic, seed: int) -> None:
    story = Story(ready, seed, invoices=25)
    story.push_and_compare()
    for events in (3, 20, 40):
        story.life.happens(events)
        story.export()
        story.push_and_compare()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_in_between_the_end_is_the_same(
    ready: Clinic, waits: list[float], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    story = Story(ready, seed, invoices=20)
    for events in (20, 20, 20):
        story.push_in_trouble(monkeypatch)
        story.push_in_trouble(monkeypatch)
        story.push_and_compare()
        story.life.happens(events)
        story.export()
    story.push_and_compare()


def test_it_is_the_same_where_xero_rounds_half_cents_to_even(
    home: Path, cli: Callable[..., Any], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(auto_approve=True, minute_limit=100_000, day_limit=100_000, rounding="half-even") as box:
        monkeypatch.setenv("XERO_URL", box.url)
        story = Story(connected_to(box, cli, home), seed=11, invoices=40)
        story.push_and_compare()
        for _ in range(3):
            story.life.happens(25)
            story.export()
            story.push_in_trouble(monkeypatch)
            story.push_and_compare()


def test_a_push_of_one_invoice_takes_moved_money_off_the_other(ready: Clinic) -> None:
    story = Story(ready, seed=3, invoices=12)
    story.push_and_compare()
    while "allocation_moved" not in story.life.happened:
        story.life.happens(1)
    story.export()
    for number in [invoice["number"] for invoice in story.life.invoices.values()]:
        ready.push(number)  # one by one, in any order
    story.push_and_compare()
