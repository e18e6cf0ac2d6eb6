"""What is known of the organisation is asked of Xero once a day, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import request_log

from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.sync.setup.organisation import known_organisation, read_currencies, read_organisation
from caspen_xero.sync.setup.taxes import percentage_of

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def session(connected: Path) -> Iterator[Session]:
    session = Session(Output())
    yield session
    session.close()


def calls(sandbox: Sandbox) -> list[str]:
    """The paths asked for below /api.xro/ since the last look."""
    requests = request_log.asked(sandbox.url)
    request_log.forget(sandbox.url)
    return [path.rsplit("/", 1)[-1] for request in requests if "/api.xro/" in (path := request["path"])]


def test_organisation_accounts_and_tax_rates_are_read_once_a_day(session: Session, sandbox: Sandbox) -> None:
    assert known_organisation(session.mappings) is None
    read_organisation(session.client, session.mappings, now=NOW)
    assert calls(sandbox) == ["Organisation", "Accounts", "TaxRates"]
    read_organisation(session.client, session.mappings, now=NOW + timedelta(hours=24))
    assert calls(sandbox) == []
    read_organisation(session.client, session.mappings, now=NOW + timedelta(hours=25))
    assert len(calls(sandbox)) == 3
    read_organisation(session.client, session.mappings, now=NOW + timedelta(hours=26), refresh=True)
    assert len(calls(sandbox)) == 3
    read_organisation(
        session.client, session.mappings, now=NOW
    )  # the clock was set right: what was read lies a day ahead
    assert len(calls(sandbox)) == 3


def test_currencies_are_read_only_when_asked_for(session: Session, sandbox: Sandbox) -> None:
    assert read_organisation(session.client, session.mappings, now=NOW).currencies is None
    calls(sandbox)
    assert read_currencies(session.client, session.mappings, now=NOW) == ("AUD",)
    assert read_currencies(session.client, session.mappings, now=NOW) == ("AUD",)
    assert calls(sandbox) == ["Currencies"]
    known = known_organisation(session.mappings)
    assert known is not None
    assert known.currencies == ("AUD",)


def test_reference_is_the_same_when_read_back_and_its_percentages_are_exact(session: Session) -> None:
    read = read_organisation(session.client, session.mappings, now=NOW)
    assert known_organisation(session.mappings) == read
    output = read.tax_rate("OUTPUT")
    assert output is not None
    assert percentage_of(output) == Decimal(10)
    assert isinstance(output.effective_rate, Decimal)
    sales = next(account for account in read.accounts if account.code == "200")
    assert read.account(sales.account_id) == sales
    assert (read.account(None), read.tax_rate("NO SUCH TYPE")) == (None, None)
