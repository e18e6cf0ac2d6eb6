"""The same life of an invoice, told to the sandbox by clients that other people wrote."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import loopback
import pytest
import xero.auth
from xero import Xero
from xero.auth import OAuth2PKCECredentials
from xero.exceptions import XeroBadRequest, XeroForbidden, XeroRateLimitExceeded, XeroUnauthorized

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.drivers import DAY, DUE, Client, Sdk, WithPyxero, WithSdk, pyxero
from tests.sandbox.signing_in import ALL_SCOPES

NAME = "Zoë Smith & Söhne"
ELSEWHERE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def py(box: Sandbox, api_client: httpx.Client) -> Xero:
    return pyxero(box.url, api_client)


@pytest.fixture(params=["pyxero", "xero-python"])
def client(request: pytest.FixtureRequest, box: Sandbox, api_client: httpx.Client) -> Iterator[Client]:
    if request.param == "pyxero":
        yield WithPyxero(pyxero(box.url, api_client))
        return
    sdk = Sdk(box.url)
    yield WithSdk(sdk)
    sdk.close()


def test_the_life_of_an_invoice(client: Client, box: Sandbox) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    who = client.contact(NAME)
    assert client.refused(lambda: client.contact(NAME.upper())) == [
        f"The contact name {NAME.upper()} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    ]

    draft = client.draft(who, "Consultation, 45 min; knee < hip & 'back' ☺", "1.5", "100.00")
    assert (draft.number, draft.status, draft.open, draft.due) == ("INV-0001", "DRAFT", Decimal(165), DUE)
    approved = client.approve(draft.id)
    assert (approved.id, approved.status) == (draft.id, "AUTHORISED")
    assert client.invoice("INV-0001") == client.invoice(draft.id) == approved

    other = client.draft(who, "Review", "1", "50.00")
    assert client.found('Status=="AUTHORISED"', "Date", 1) == ["INV-0001"]
    assert client.found('InvoiceNumber.StartsWith("INV")', "InvoiceNumber DESC", 1) == ["INV-0002", "INV-0001"]
    assert client.found('InvoiceNumber.StartsWith("INV")', "InvoiceNumber DESC", 2) == []
    assert set(client.changed_since(before)) == {"INV-0001", "INV-0002"}
    assert client.changed_since(datetime.now(UTC) + timedelta(minutes=1)) == []

    payment = client.pay(draft.id, "65.00")
    assert (client.invoice(draft.id).status, client.invoice(draft.id).open) == ("AUTHORISED", 100)
    words = ["Payment amount exceeds the amount outstanding on this document"]
    assert client.refused(lambda: client.pay(draft.id, "100.01")) == words
    client.pay(draft.id, "100.00")
    assert (client.invoice(draft.id).status, client.invoice(draft.id).open) == ("PAID", 0)
    client.take_back(payment)
    assert (client.invoice(draft.id).status, client.invoice(draft.id).open) == ("AUTHORISED", 65)

    note = client.credit(who, "50.00")
    client.allocate(note.id, draft.id, "33.00")
    read, (allocation,) = client.note(note.id)
    assert (read.number, read.open, client.invoice(draft.id).open) == ("CN-0001", 22, 32)
    client.undo(note.id, allocation)
    assert client.note(note.id)[1] == []
    assert client.invoice(draft.id).open == 65

    client.approve(other.id)
    assert client.void(other.id).status == "VOIDED"
    assert client.refused(lambda: client.approve(other.id)) == ["Invoice not of valid status for modification"]
    assert client.misses(lambda: client.invoice(ELSEWHERE))

    state = box.xero.api.state(box.xero.tenants.first().tenant_id)
    assert [one["Name"] for one in state["Contacts"]] == [NAME]
    assert state["Invoices"][0]["LineItems"][0]["Description"] == "Consultation, 45 min; knee < hip & 'back' ☺"
    assert [one["Status"] for one in state["Payments"]] == ["DELETED", "AUTHORISED"]


# pyxero alone


def an_invoice(py: Xero, **fields: Any) -> dict[str, Any]:
    line = {"Description": "Consultation", "Quantity": "1", "UnitAmount": "100.00", "AccountCode": "200"}
    wish = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "Date": DAY, "DueDate": DUE, "LineItems": [line]}
    made: dict[str, Any] = py.invoices.put(wish | {"Status": "AUTHORISED"} | fields)[0]
    return made


def test_what_pyxero_filters_by_is_found(py: Xero) -> None:
    py.contacts.put([{"Name": "Ada", "EmailAddress": "ada@example.com"}, {"Name": "Bea"}])
    first, second = an_invoice(py, Reference="Session 1"), an_invoice(py, Date=date(2026, 9, 15), Reference="Session 2")
    who = first["Contact"]["ContactID"]

    def numbers(**terms: Any) -> list[str]:
        return [one["InvoiceNumber"] for one in py.invoices.filter(**terms)]

    both = [first["InvoiceNumber"], second["InvoiceNumber"]]
    assert numbers(InvoiceNumber__startswith="INV") == both
    assert numbers(Reference__endswith="2", Status="AUTHORISED") == both[1:]
    assert numbers(Reference__tolower="session 1") == both[:1]
    assert numbers(Date__gt=date(2026, 9, 14)) == both[1:]
    assert numbers(Date__lte=date(2026, 9, 14), Type="ACCREC") == both[:1]
    assert numbers(Contact_ContactID=who) == numbers(Contact_Name="Ada") == both
    assert numbers(InvoiceID=second["InvoiceID"]) == both[1:]
    assert numbers(raw="AmountDue > 100", SentToContact=False, order="Date DESC") == both[::-1]
    assert numbers(IDs=[first["InvoiceID"]]) == numbers(InvoiceNumbers=both[:1]) == both[:1]
    assert numbers(ContactIDs=[who], Statuses=["AUTHORISED", "PAID"], createdByMyApp=True) == both
    assert numbers(page=2, pageSize=1) == both[1:]
    assert [one["Name"] for one in py.contacts.filter(EmailAddress__isnull=False, EmailAddress__contains="@")] == [
        "Ada"
    ]
    assert [one["Name"] for one in py.contacts.filter(searchTerm="be", includeArchived=True)] == ["Bea"]


def test_pyxero_sends_a_read_document_back_and_nothing_changes(py: Xero) -> None:
    made = an_invoice(py)
    read = py.invoices.get(made["InvoiceID"])[0]
    assert py.invoices.save(read)[0]["LineItems"] == made["LineItems"]
    again = py.invoices.get(made["InvoiceID"])[0]
    assert {name for name in read if read[name] != again[name]} == set()


def test_pyxero_reads_what_becomes_of_each_of_many(py: Xero) -> None:
    answers = py.contacts.put([{"Name": "Ada"}, {"Name": "ADA"}, {"Name": "Bea"}], summarize_errors=False)
    assert [one["StatusAttributeString"] for one in answers] == ["OK", "ERROR", "OK"]
    with pytest.raises(XeroBadRequest) as refusal:
        py.contacts.put([{"Name": "ADA"}, {"Name": ""}])
    assert len(refusal.value.errors) == 2


def test_pyxero_reads_settings_and_writes_items_and_tracking(py: Xero) -> None:
    assert py.organisations.all()[0]["Name"] == "Demo Company (AU)"
    assert [one["Name"] for one in py.brandingthemes.all()] == ["Standard"]
    assert [one["OrganisationRole"] for one in py.users.filter(IsSubscriber=True)] == ["STANDARD"]
    assert [one["Code"] for one in py.currencies.all()] == ["AUD"]
    details = {"UnitPrice": "95.50", "AccountCode": "200", "TaxType": "OUTPUT"}
    py.items.put({"Code": "PHYSIO", "Name": "Physiotherapy", "IsPurchased": False, "SalesDetails": details})
    (item,) = py.items.filter(IsSold=True)
    assert (item["Code"], item["SalesDetails"]["UnitPrice"], item["IsPurchased"]) == ("PHYSIO", 95.5, False)
    (site,) = py.trackingcategories.put({"Name": "Site"})
    tracking = [{"Name": "Site", "Option": "North"}]
    line = {"Description": "x", "UnitAmount": "1", "AccountCode": "200", "ItemCode": "PHYSIO", "Tracking": tracking}
    kept = an_invoice(py, LineItems=[line])["LineItems"][0]
    assert (kept["ItemCode"], kept["Tracking"], site["Options"]) == ("PHYSIO", tracking, [])


def test_pyxero_knows_the_doors_that_it_is_shown(box: Sandbox, py: Xero, api_client: httpx.Client) -> None:
    box.xero.faults.set({"kind": "429-minute"})
    with pytest.raises(XeroRateLimitExceeded):
        py.contacts.all()
    py.contacts.all()
    py.contacts.credentials.tenant_id = ELSEWHERE
    with pytest.raises(XeroForbidden):
        py.contacts.all()
    api_client.headers["Authorization"] = "Bearer none"
    py.contacts.credentials.tenant_id = api_client.headers["Xero-Tenant-Id"]
    with pytest.raises(XeroUnauthorized):
        pyxero(box.url, api_client).contacts.all()


def test_pyxero_signs_in_with_pkce(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it signs in is a constant of its module, and turned there."""
    monkeypatch.setattr(xero.auth, "XERO_OAUTH2_AUTHORIZE_URL", f"{box.url}/identity/connect/authorize")
    monkeypatch.setattr(xero.auth, "XERO_OAUTH2_TOKEN_URL", f"{box.url}/connect/token")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(webbrowser, "open", lambda url: threading.Thread(target=_browse, args=(url,)).start())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    credentials = OAuth2PKCECredentials("test-app", None, port=port, scope=ALL_SCOPES.split())
    credentials.base_url = box.url
    credentials.logon()
    credentials.set_default_tenant()
    assert credentials.token["refresh_token"]
    assert Xero(credentials).organisations.all()[0]["Name"] == "Demo Company (AU)"


def _browse(url: str) -> None:
    """A browser that is sent back to pyxero's listener: which opens after the browser does, and hangs up without a word."""
    back = loopback.get(url).headers["Location"]
    for _ in range(100):
        try:
            loopback.get(back)
        except httpx.ConnectError:
            time.sleep(0.05)
        except httpx.RemoteProtocolError:
            return
