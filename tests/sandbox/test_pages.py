"""What a person sees of the sandbox in a browser, and the one thing that they can press there."""

from __future__ import annotations

import re

import httpx

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.invoicing import make_invoice


def test_the_front_page_shows_organisation_documents_and_requests(api_client: httpx.Client) -> None:
    make_invoice(api_client)
    page = api_client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for words in (
        "Local sandbox, not Xero.",
        "Demo Company (AU)",
        "INV-1",
        "Ada Lovelace",
        "110.00",
        "PUT /api.xro/2.0/Invoices",
    ):
        assert words in page.text


def test_the_button_pays_an_invoice_and_shows_it_paid(api_client: httpx.Client) -> None:
    invoice = make_invoice(api_client)
    target = re.search(r'action="([^"]+/paid)"', api_client.get("/").text)
    assert target
    answer = api_client.post(target[1])
    assert answer.status_code == 303
    page = api_client.get(answer.headers["location"]).text
    assert "PAID" in page
    assert "Mark as paid" not in page
    now = api_client.get(f"/api.xro/2.0/Invoices/{invoice['InvoiceID']}").json()["Invoices"][0]
    assert (now["Status"], now["AmountPaid"]) == ("PAID", 110)


def test_paying_twice_is_a_page_that_says_why_not(api_client: httpx.Client) -> None:
    pay = f"/app/{short(api_client)}/invoicing/view/{make_invoice(api_client)['InvoiceID']}/paid"
    assert api_client.post(pay).status_code == 303
    again = api_client.post(pay)
    assert (again.status_code, again.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "Not paid" in again.text


def test_xeros_links_to_an_invoice_and_a_contact_work_here(box: Sandbox, api_client: httpx.Client) -> None:
    invoice = make_invoice(api_client)
    short_code = box.api.organisations()[0].short_code
    assert short_code.startswith("!")
    page = api_client.get(f"/app/{short_code}/invoicing/view/{invoice['InvoiceID']}").text
    for words in ("Invoice INV-1", "Consultation", "100.00", "10.00", "110.00 AUD", "2026-11-30"):
        assert words in page
    assert (
        "Ada Lovelace" in api_client.get(f"/app/{short_code}/contacts/contact/{invoice['Contact']['ContactID']}").text
    )


def test_what_does_not_exist_is_a_page_that_says_so(box: Sandbox, api_client: httpx.Client) -> None:
    short_code = box.api.organisations()[0].short_code
    for path in (
        f"/app/{short_code}/invoicing/view/unknown",
        "/app/!none/invoicing",
        "/requests/99",
        "/?organisation=x",
    ):
        answer = api_client.get(path)
        assert answer.status_code == 404
        assert "There is no such" in answer.text


def test_names_and_descriptions_never_become_markup(api_client: httpx.Client) -> None:
    contact = "O'Brien & <Sons>".replace("<", "(").replace(">", ")")
    invoice = make_invoice(api_client, number='"><script>alert(1)</script>', contact=contact)
    for page in ("/", f"/app/{short(api_client)}/invoicing/view/{invoice['InvoiceID']}", "/requests/4"):
        text = api_client.get(page).text
        assert "<script" not in text
        assert "O&#x27;Brien &amp; (Sons)" in text


def test_long_lists_go_on_over_pages(api_client: httpx.Client) -> None:
    body = {"Contacts": [{"Name": f"Client {number:03d}"} for number in range(120)]}
    api_client.put("/api.xro/2.0/Contacts", json=body).raise_for_status()
    assert "All 120" in api_client.get("/").text
    first = api_client.get(f"/app/{short(api_client)}/contacts").text
    second = api_client.get(f"/app/{short(api_client)}/contacts?page=2").text
    assert (first.count("Client "), second.count("Client ")) == (100, 20)


def test_a_request_can_be_looked_at_without_its_secrets(api_client: httpx.Client) -> None:
    make_invoice(api_client)
    page = api_client.get("/requests/4").text
    assert "PUT /api.xro/2.0/Invoices" in page
    assert "authorization: Bearer (redacted)" in page
    assert "&quot;Total&quot;: 110.0" in page


def short(client: httpx.Client) -> str:
    code: str = client.get("/sandbox/organisations").json()["organisations"][0]["ShortCode"]
    return code
