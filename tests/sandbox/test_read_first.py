"""What clients read before anything else, and the ways in which they spell where it is."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper
from tests.sandbox.signing_in import App

API = "/api.xro/2.0"


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


# how a path and its parameters are spelt


@pytest.mark.parametrize(
    "path", ["Organisation", "Organisations", "organisation", "ORGANISATIONS", "Organisation/", "/Organisations//"]
)
def test_the_organisation_is_found_in_singular_and_plural(api_client: httpx.Client, path: str) -> None:
    answer = api_client.get(f"{API}/{path}")
    assert answer.json()["Organisations"][0]["Name"] == "Demo Company (AU)"
    assert api_client.get(f"{API}/{path.strip('/')}/Actions").json()["Actions"]


@pytest.mark.parametrize("path", ["Contacts", "Contact", "contacts", "CONTACT", "Contacts/", "/Contact/"])
def test_an_endpoint_is_found_in_singular_and_plural_and_any_letter_case(api_client: httpx.Client, path: str) -> None:
    made = api_client.put(f"{API}/{path}", json={"Name": "Ada"}).json()["Contacts"][0]
    assert api_client.get(f"{API}/{path}").json()["Contacts"][0]["ContactID"] == made["ContactID"]
    by_id = f"{API}/{path.rstrip('/')}/{made['ContactID']}/"
    assert api_client.get(by_id).json()["Contacts"][0]["Name"] == "Ada"
    assert api_client.post(by_id, json={"FirstName": "A"}).json()["Contacts"][0]["FirstName"] == "A"


@pytest.mark.parametrize("path", ["CreditNote", "TaxRate", "Currency", "BatchPayment", "Payment", "Account", "Invoice"])
def test_every_endpoint_has_its_singular(api_client: httpx.Client, path: str) -> None:
    assert api_client.get(f"{API}/{path}").status_code == 200


@pytest.mark.parametrize("path", ["Contacts", "contact", "/Contacts", "//contact/"])
def test_no_spelling_goes_past_the_scope(app: App, path: str) -> None:
    app.sign_in("offline_access accounting.settings")
    assert app.http.get(f"{API}/{path}").status_code == 401


def test_parameters_are_named_in_any_letter_case(b: Bookkeeper) -> None:
    """xero-php sends `SummarizeErrors`."""
    twice = {"Contacts": [{"Name": "Ada"}, {"Name": "Ada"}]}
    assert b.ask("PUT", "Contacts", twice, SummarizeErrors="false").status == 200
    b.contact("Bea")
    assert [one["Name"] for one in b.list("Contacts", Where='Name=="bea"')] == ["Bea"]
    assert [one["Name"] for one in b.list("Contacts", PAGE="2", pagesize="1")] == ["Bea"]


# lists that clients read at start


def test_the_person_who_connects_is_a_user(app: App) -> None:

    app.sign_in("offline_access accounting.settings")
    claims = app.http.headers["Authorization"].split(".")[1]
    person = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["xero_userid"]
    (user,) = app.http.get(f"{API}/Users").json()["Users"]
    assert (user["UserID"], user["IsSubscriber"], user["OrganisationRole"]) == (person, True, "STANDARD")
    assert set(user) == {
        *("UserID", "EmailAddress", "FirstName", "LastName", "UpdatedDateUTC", "IsSubscriber", "OrganisationRole")
    }
    assert app.http.get(f"{API}/Users/{person}").json()["Users"] == [user]
    assert app.http.get(f"{API}/Users", params={"where": "IsSubscriber==false"}).json()["Users"] == []
    app.http.post("/sandbox/organisation", json={"Adviser": True}).raise_for_status()
    assert app.http.get(f"{API}/Users").json()["Users"][0]["OrganisationRole"] == "FINANCIALADVISER"
    assert app.http.put(f"{API}/Users", json={"FirstName": "x"}).status_code == 501


def test_documents_have_the_standard_theme(b: Bookkeeper) -> None:
    (theme,) = b.list("BrandingThemes", where="whatever", order="whatever")
    assert (theme["Name"], theme["SortOrder"]) == ("Standard", 0)
    assert set(theme) == {"BrandingThemeID", "Name", "SortOrder", "CreatedDateUTC"}
    assert b.read("BrandingThemes", theme["BrandingThemeID"]) == theme
    assert b.invoice()["BrandingThemeID"] == theme["BrandingThemeID"]


@pytest.mark.parametrize(
    "kind",
    [
        "BankTransfers",
        "ContactGroups",
        "LinkedTransactions",
        "PurchaseOrders",
        "Quotes",
        "RepeatingInvoices",
        "Budgets",
    ],
)
def test_what_the_sandbox_has_none_of_is_an_empty_list(b: Bookkeeper, kind: str) -> None:
    assert b.list(kind, page="1", order="UpdatedDateUTC ASC", where='Status=="DRAFT"') == []
    assert b.ask("GET", f"{kind}/{NOWHERE}").status == 404
    assert b.ask("PUT", kind, {kind: [{"Name": "x"}]}).status == 501


def test_lists_that_were_never_there_ask_for_their_scope_all_the_same(app: App) -> None:
    app.sign_in("offline_access accounting.settings accounting.invoices")
    kinds = ("Quotes", "ManualJournals", "ContactGroups", "Journals", "PaymentServices")
    status = {kind: app.http.get(f"{API}/{kind}").status_code for kind in kinds}
    assert status == {
        "Quotes": 200,
        "ManualJournals": 401,
        "ContactGroups": 401,
        "Journals": 401,
        "PaymentServices": 401,
    }


def test_books_of_an_earlier_version_get_what_they_lack(box: Sandbox, api_client: httpx.Client) -> None:
    box.xero.db.execute("DELETE FROM documents WHERE kind IN ('Users', 'BrandingThemes')")
    assert api_client.get(f"{API}/Users").json()["Users"] == []
    for _ in range(2):
        box.xero.api.furnish_all()
        assert len(api_client.get(f"{API}/Users").json()["Users"]) == 1
        assert len(api_client.get(f"{API}/BrandingThemes").json()["BrandingThemes"]) == 1


# items


def test_the_life_of_an_item(b: Bookkeeper) -> None:
    sales = {"UnitPrice": "95.5555", "AccountCode": "200", "TaxType": "OUTPUT"}
    made = b.put("Items", {"Code": "PHYSIO", "Name": "Physiotherapy", "SalesDetails": sales, "Description": "45 min"})
    assert set(made) >= {"ItemID", "Code", "Name", "Description", "UpdatedDateUTC", "PurchaseDetails", "SalesDetails"}
    assert (made["IsSold"], made["IsPurchased"], made["IsTrackedAsInventory"]) == (True, True, False)
    assert (float(made["SalesDetails"]["UnitPrice"]), made["PurchaseDetails"]) == (95.56, {})
    fine = b.put("Items", {"Code": "PILATES", "SalesDetails": sales}, unitdp="4")
    assert [float(b.read("Items", fine["Code"], unitdp=places)["SalesDetails"]["UnitPrice"]) for places in "42"] == [
        95.5555,
        95.56,
    ]
    path = f"Items/{made['ItemID']}"
    changed = b.post(path, {"Code": "PHYSIO", "IsSold": False})
    assert (changed["Name"], changed["SalesDetails"], "Description" in changed) == ("Physiotherapy", {}, False)
    assert b.post("Items", {"Code": "physio", "Name": "By its code"})["ItemID"] == made["ItemID"]
    assert [one["Code"] for one in b.list("Items", where="IsSold==true")] == ["PILATES"]
    assert [one["Code"] for one in b.list("Items", order="Code DESC")] == ["physio", "PILATES"]
    later = {"if-modified-since": f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"}
    assert b.list("Items", headers=later) == []
    assert b.ask("DELETE", path).status == 204
    assert (b.ask("DELETE", path).status, b.ask("GET", path).status) == (404, 404)


def test_a_line_keeps_the_code_of_an_item_that_is_gone(b: Bookkeeper) -> None:
    item = b.put("Items", {"Code": "PHYSIO"})
    draft = b.invoice(b.line(ItemCode="physio"), Status="DRAFT")
    assert b.ask("DELETE", f"Items/{item['ItemID']}").status == 204
    line = {"LineItemID": draft["LineItems"][0]["LineItemID"], "Description": "Review"}
    (kept,) = b.post(f"Invoices/{draft['InvoiceID']}", {"LineItems": [line]})["LineItems"]
    assert (kept["ItemCode"], kept["Description"]) == ("physio", "Review")
    assert b.refused("PUT", "Invoices", b.draft(b.line(ItemCode="PHYSIO"))) == ["Item code 'PHYSIO' is not valid"]


def test_an_items_account_and_tax_rate_are_there(b: Bookkeeper) -> None:
    wrong = {"UnitPrice": 1, "AccountCode": "999", "TaxType": "MOON"}
    assert b.refused("PUT", "Items", {"Code": "x", "SalesDetails": wrong}) == [
        "Account code '999' is not a valid code for this document.",
        "The TaxType code MOON does not exist or cannot be used for this type of transaction",
    ]
    assert "Code field must not be longer than 30" in b.refused("PUT", "Items", {"Code": "x" * 31})[0]


# tracking categories


def category(b: Bookkeeper, name: str, *options: str) -> dict[str, Any]:
    made = b.put("TrackingCategories", {"Name": name})
    for option in options:
        b.put(f"TrackingCategories/{made['TrackingCategoryID']}/Options", {"Name": option})
    return b.read("TrackingCategories", made["TrackingCategoryID"])


def test_the_life_of_a_tracking_category(b: Bookkeeper) -> None:
    site = category(b, "Site", "North", "South")
    assert set(site) == {"Name", "Status", "TrackingCategoryID", "Options"}
    north = site["Options"][0]
    assert set(north) == {
        *("TrackingOptionID", "Name", "Status", "HasValidationErrors", "IsDeleted", "IsArchived", "IsActive")
    }
    path = f"TrackingCategories/{site['TrackingCategoryID']}"
    option = f"{path}/Options/{north['TrackingOptionID']}"
    renamed = b.post(option, {"Name": "Far north"})
    assert (renamed["Name"], renamed["TrackingOptionID"]) == ("Far north", north["TrackingOptionID"])
    assert b.post(option, {"Status": "ARCHIVED"})["IsArchived"] is True

    def options(**params: str) -> list[str]:
        return [one["Name"] for one in b.list("TrackingCategories", **params)[0]["Options"]]

    assert (options(), options(includeArchived="true")) == (["South"], ["Far north", "South"])
    assert b.ask("DELETE", option).status == 200
    assert options(includeArchived="true") == ["South"]

    assert b.post(path, {"Name": "Place"})["Name"] == "Place"
    team = category(b, "Team")
    assert b.post(path, {"Status": "ARCHIVED"})["Status"] == "ARCHIVED"
    assert [one["Name"] for one in b.list("TrackingCategories")] == ["Team"]
    assert [one["Name"] for one in b.list("TrackingCategories", includeArchived="true", order="Name")] == [
        "Place",
        "Team",
    ]
    assert [one["Name"] for one in b.list("TrackingCategories", where='Name=="Team"')] == ["Team"]
    assert b.ask("DELETE", f"TrackingCategories/{team['TrackingCategoryID']}").status == 200
    assert b.list("TrackingCategories") == []
    assert b.read("TrackingCategories", team["TrackingCategoryID"])["Status"] == "DELETED"


def test_tracking_options_that_are_not_there(b: Bookkeeper) -> None:
    path = f"TrackingCategories/{category(b, 'Site')['TrackingCategoryID']}/Options"
    assert b.ask("PUT", f"TrackingCategories/{NOWHERE}/Options", {"Name": "x"}).status == 404
    assert b.ask("POST", f"{path}/{NOWHERE}", {"Name": "x"}).status == 404
    assert b.ask("DELETE", f"{path}/{NOWHERE}").status == 404
    assert [b.ask(method, path).status for method in ("GET", "DELETE")] == [501, 501]


def test_a_line_shows_names_and_ids_of_the_tracking_that_there_is(b: Bookkeeper) -> None:
    site = category(b, "Site", "North", "South")
    north, south = site["Options"]
    by_name, by_id = {"Name": "SITE", "Option": "north"}, {"TrackingOptionID": south["TrackingOptionID"]}
    by_id["TrackingCategoryID"] = site["TrackingCategoryID"]
    unknown = {"Name": "Site", "Option": "West"}
    lines = b.invoice(*(b.line(Tracking=[one]) for one in (by_name, by_id, unknown)))["LineItems"]
    ids = {"TrackingCategoryID": site["TrackingCategoryID"]}
    assert [line["Tracking"] for line in lines] == [
        [{"Name": "Site", "Option": "North", "TrackingOptionID": north["TrackingOptionID"]} | ids],
        [{"Name": "Site", "Option": "South", "TrackingOptionID": south["TrackingOptionID"]} | ids],
        [unknown],
    ]
