"""Never double, never echo: whatever befalls the homes of a clinic, nothing is twice in Xero, nothing falsely told to Caspen, and
all else is in Xero or told. `just soak 20m` lives hundreds of such lives.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import loopback
import pytest
from desk import due_by_number, key_of, living
from home_lives import TwoHomes, Wrong
from in_xero import edits, pays, writes

from caspen_xero.sandbox.server import Sandbox

STEPS = 24


@pytest.fixture(scope="module")
def another_xero() -> Iterator[Sandbox]:
    """One where clocks go wrong and sign-ins end, which no other test is to feel."""
    with Sandbox(auto_approve=True, minute_limit=1_000_000, day_limit=1_000_000) as box:
        yield box


@pytest.fixture
def sandbox(another_xero: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The same, as new."""
    loopback.post(f"{another_xero.url}/sandbox/reset").raise_for_status()
    monkeypatch.setenv("XERO_URL", another_xero.url)
    return another_xero


def test_whatever_befalls_the_homes_nothing_is_double_and_nothing_untold(
    sandbox: Sandbox, tmp_path: Path, life_seed: int, request: pytest.FixtureRequest
) -> None:
    wrong = _lived(life_seed, sandbox, tmp_path / "life", ())
    if wrong is not None:
        shrinks = request.config.getoption("--shrink")
        pytest.fail(_shortest(life_seed, sandbox, tmp_path, wrong) if shrinks else wrong, pytrace=False)


# --- what is asked after each life does find what is wrong


@pytest.fixture
def homes(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoHomes]:
    """A clinic that was pushed once, and is in order."""
    made = TwoHomes(3, sandbox, tmp_path, monkeypatch)
    made.lives(0)
    assert made.machines[0].run("push", "--json").exit_code == 0
    assert (made.wrong_by_now(), made.untold()) == ([], [])
    yield made
    made.caspen.close()


def test_a_payment_that_stands_twice_is_found(homes: TwoHomes) -> None:
    state, clinic = homes.state(), homes.machines[0].clinic
    due = due_by_number(state)
    ours = next(one for one in living(state) if one["Amount"] <= due.get(one["Invoice"]["InvoiceNumber"], 0))
    number, amount = ours["Invoice"]["InvoiceNumber"], ours["Amount"]
    pays(clinic, number, str(amount), reference=ours["Reference"])
    assert homes.wrong_by_now() == [
        f"payment {key_of(ours)} stands 2 times in Xero: {amount} on {number}, {amount} on {number}"
    ]


def test_a_payment_beside_the_one_that_was_entered_by_hand_is_found(homes: TwoHomes) -> None:
    state = homes.state()
    payment = living(state)[0]
    homes.desk.stand_ins[living(state)[1]["PaymentID"]] = homes.parts[key_of(payment)]
    (wrong,) = homes.wrong_by_now()
    assert wrong.startswith(f"payment {key_of(payment)} stands beside the {payment['Amount']:.2f} ")


def test_an_echo_is_found(homes: TwoHomes) -> None:
    payment = living(homes.state())[0]
    record = {"kind": "payment", "id": payment["PaymentID"], "amount": "1.00", "invoice_number": "INV-1"}
    homes.caspen.told += [record, record]
    twice, own = homes.wrong_by_now()[:2]
    assert twice == f"{payment['PaymentID']} was told 2 times"
    assert own.endswith(f"it is Caspen's own {payment['Reference']}")


def test_what_is_not_in_xero_as_caspen_has_it_is_found(homes: TwoHomes) -> None:
    clinic = homes.machines[0].clinic
    payment = living(homes.state())[0]
    number, key = payment["Invoice"]["InvoiceNumber"], key_of(payment)
    writes(clinic, "POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    edits(clinic, number, Reference="By somebody")
    found = homes.untold()
    assert (number, f"payment {key} of {payment['Amount']:.2f}: None in Xero") in found
    assert [words for about, words in found if about == number and words.startswith("Reference: ")]


def test_an_edit_that_was_overwritten_is_found(homes: TwoHomes) -> None:
    number = living(homes.state())[0]["Invoice"]["InvoiceNumber"]
    homes.desk.edits[number, "DueDate"] = "2027-01-31"
    ((about, words),) = homes.untold()
    assert (about, words[:44]) == (number, "DueDate 2027-01-31 was written by hand, 2026")


def _lived(life: int, sandbox: Sandbox, folder: Path, without: Collection[int]) -> str | None:
    """A life, but for some of its steps; what is wrong with it."""
    loopback.post(f"{sandbox.url}/sandbox/reset").raise_for_status()
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        homes = TwoHomes(life, sandbox, folder, patch)
        try:
            homes.lives(STEPS, without)
            homes.settles()
        except Wrong as wrong:
            return str(wrong)
        finally:
            homes.caspen.close()
    return None


def _shortest(life: int, sandbox: Sandbox, folder: Path, wrong: str) -> str:
    """The same life without the steps that it goes wrong without."""
    without: set[int] = set()
    for step in reversed(range(STEPS + 2)):
        shorter = _lived(life, sandbox, folder / f"without-{step}", {*without, step})
        if shorter is not None and _kind(shorter) == _kind(wrong):
            without.add(step)
            wrong = shorter
    return wrong


def _kind(wrong: str) -> str:
    """What is wrong, whatever it is wrong with."""
    return re.sub(r"[-0-9a-f]*[0-9][-0-9a-f]*", "", wrong.partition("WRONG:\n")[2].partition("\n")[0])
