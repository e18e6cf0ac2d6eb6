"""A contact's number is no proof of who it is: other systems number theirs too. Where only a person can say, a person is asked."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import in_xero
import pytest
from another_home import Home
from clinics import client, invoice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pushing import Clinic, begins_anew, commands_in

from caspen_xero.caspen.records import parse_record
from caspen_xero.sandbox.seam import ApiRequest
from caspen_xero.sync.planning.contact_matching import Party
from caspen_xero.sync.planning.contact_numbers import PartyKind, own_numbers

NELL = "Nell Okafor (Caspen 48201)"
HARBOUR = {"object": "contact", "id": "7", "type": "insurer", "company": "Harbour Insurance"}


def goes_to(clinic: Clinic, number: str = "INV-0001") -> str:
    """The ContactID of an invoice in Xero."""
    return str(clinic.in_xero()[number]["Contact"]["ContactID"])


def theirs(clinic: Clinic, name: str, number: str | None = "1048201", *, archived: bool = False) -> str:
    """A contact that somebody else made; gives its ContactID."""
    contact = clinic.put_in_xero("Contacts", Name=name, **({"ContactNumber": number} if number else {}))
    if archived:
        clinic.control(f"contacts/{contact['ContactID']}/archive")
    return str(contact["ContactID"])


def nell(clinic: Clinic, *more: Mapping[str, Any]) -> Any:
    """Caspen's client 1048201 with an invoice, pushed."""
    clinic.takes(client("1048201"), invoice("INV-0001", client_id="1048201"), *more)
    return clinic.push()


# --- whose is a number


@pytest.mark.parametrize(
    ("name", "number", "is_hers"),
    [
        ("Harbour Street Studio", "1048201", False),
        ("Moana Rangi (Caspen 48201)", "1048201", False),
        ("Nell Okafor Pty Ltd", "1048201", False),
        ("Nell Okafor", "1048201", True),
        ("nell  OKAFOR", "1048201", True),
        (NELL, "1048201", True),
        ("Nell Okafor (Caspen 1048201)", "1048201", True),
        ("Nell Okafor (Caspen 1048201) 3", "1048201", True),
        ("Ms Okafor", "caspen-1048201", True),  # ours: a bookkeeper calls it so
        ("Nell Smith (Caspen 48201)", "caspen-1048201", True),
        (NELL, None, True),
        (NELL, "8891", False),
        ("Nell Okafor", None, False),
    ],
)
@pytest.mark.parametrize("archived", [False, True])
def test_a_number_without_our_prefix_counts_only_with_the_name(
    ready: Clinic, name: str, number: str | None, is_hers: bool, archived: bool
) -> None:
    contact = theirs(ready, " ".join(name.split()), number, archived=archived)
    pushed = nell(ready)
    if archived and is_hers:
        assert ready.problem()["code"] == "contact-archived"
        return
    assert pushed.exit_code == 0
    assert (goes_to(ready) == contact) is is_hers
    assert pushed.json["contacts_created"] == int(not is_hers)
    if not is_hers:
        made = next(one for one in ready.state("Contacts") if one["ContactID"] == goes_to(ready))
        assert made["ContactNumber"] == "caspen-1048201"
        assert made["Name"].startswith("Nell Okafor (Caspen ")


def test_our_number_on_a_contact_that_has_nothing_of_the_name_is_for_a_person(ready: Clinic) -> None:
    theirs(ready, "Harbour Street Studio", "caspen-1048201")
    nell(ready)
    problem = ready.problem()
    assert problem["code"] == "contact-number-taken"
    assert all(part in problem["reason"] for part in ("Harbour Street Studio", "Nell Okafor", "1048201"))
    assert ready.in_xero() == {}
    assert ready.run(problem["fix"]).exit_code == 0
    assert ready.push().exit_code == 0


def test_a_client_whose_number_another_system_uses_makes_no_new_store_look_for_an_earlier_one(ready: Clinic) -> None:
    theirs(ready, "Harbour Street Studio")
    nell(ready)
    assert [call for call in ready.calls() if "Contacts" in call] == ["GET Contacts", "PUT Contacts"]
    assert "GET Payments" not in ready.calls()


@pytest.mark.parametrize("name", ["Ms Okafor", NELL])
def test_a_new_store_knows_the_contacts_that_an_earlier_one_has_made(ready: Clinic, anew: Home, name: str) -> None:
    nell(ready)
    contact = goes_to(ready)
    in_xero.writes(ready, "POST", f"Contacts/{contact}", {"ContactID": contact, "Name": name})
    store = anew(ready)
    pushed = nell(store)
    assert (pushed.json["found_in_xero"]["invoices"], pushed.json["contacts_created"]) == (1, 0)
    assert store.writes() == []


# --- the prefix


def test_the_prefix_is_a_setting_and_contacts_that_are_there_keep_their_numbers(ready: Clinic) -> None:
    nell(ready)
    assert ready.cli("settings", "set", "--contact-prefix", "shore:").exit_code == 0
    assert ready.cli("settings", "show", "--json").json["settings"]["contact_prefix"] == "shore:"
    assert "shore:" in ready.cli("settings", "show").stdout
    ready.takes(client("1048202", "Tomas", "Reyes"), invoice("INV-0002", client_id="1048202"))
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert ready.writes() == ["PUT Contacts", "PUT Invoices"]
    ready.takes(client("1048201", "Nell", "Smith"))  # its update sends no number
    assert ready.push().json["contacts_updated"] == 1
    numbers = {name: each["ContactNumber"] for name, each in ready.contacts().items()}
    assert numbers == {"Nell Smith (Caspen 48201)": "caspen-1048201", "Tomas Reyes (Caspen 48202)": "shore:1048202"}


def test_after_an_upgrade_or_with_another_prefix_a_client_who_is_as_before_is_not_sent_again(ready: Clinic) -> None:
    ready.cli("settings", "set", "--contact-prefix", "none")  # as the version before numbered them
    nell(ready)
    ready.cli("settings", "set", "--contact-prefix", "caspen-")
    ready.takes(client("1048201", title="Ms"))  # what shows nowhere in Xero
    assert in_xero.silent(ready)


@pytest.mark.parametrize("text", ["a,b", 'a"', "a'b", "a\nb", "a b", "ü-", "x" * 13, "payer-", "Payer-x", "a\x1b[2J"])
def test_a_prefix_is_a_few_plain_characters(ready: Clinic, text: str) -> None:
    refused = ready.cli("settings", "set", "--contact-prefix", text, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (2, "bad-contact-prefix")
    assert ready.cli("settings", "show", "--json").json["settings"]["contact_prefix"] == "caspen-"


IDS = st.text("aAbB7-_ é\n", min_size=1, max_size=4).filter(str.strip)
ODD_IDS = st.builds(
    lambda before, id_, after: before + id_ + after,
    st.sampled_from(["", "payer-", "PAYER-", "caspen-", "caspen-payer-", "all-clients", "x" * 40]),
    IDS,
    st.sampled_from(["", "-0123456789abcdef", "x" * 40]),
)


@settings(max_examples=300)
@given(
    st.sets(st.tuples(st.sampled_from(["client", "payer"]), ODD_IDS), min_size=2),
    st.sampled_from(["caspen-", "", "a:"]),
)
def test_no_two_parties_have_one_number_whatever_their_ids(parties: set[tuple[PartyKind, str]], prefix: str) -> None:
    """Ids that differ in letter case only share none but in that; their last ones not even so."""
    parties |= {("client", number) for kind, id_ in parties for number in own_numbers(kind, id_, prefix)}
    numbers = [own_numbers(kind, id_, prefix) for kind, id_ in {*parties, ("client", "all-clients")}]
    numbers.append(own_numbers("client", "all-clients", prefix, is_generic=True))
    assert all(0 < len(number) <= 50 for some in numbers for number in some)
    assert len(set().union(*numbers)) == sum(map(len, numbers)), "one number for two"
    assert len({some[-1].casefold() for some in numbers}) == len(numbers)


def test_ids_that_differ_in_letter_case_only_are_two_contacts(ready: Clinic) -> None:
    ids = ("cli_a", "cli_A", "payer-7", "caspen-cli_a", "all-clients")
    ready.takes(*(client(id_) for id_ in ids), *(invoice(f"INV-{n}", client_id=id_) for n, id_ in enumerate(ids)))
    assert ready.push().json["contacts_created"] == 5
    assert len({goes_to(ready, f"INV-{n}") for n in range(5)}) == 5
    ready.takes(client("CLI_A"), invoice("INV-9", client_id="CLI_A"))
    assert ready.push().exit_code == 0
    assert len(ready.contacts()) == 6


def test_a_payer_has_a_number_of_its_own_and_so_has_the_contact_of_all_clients(ready: Clinic) -> None:
    ready.cli("settings", "set", "--contact", "payer")
    ready.takes(HARBOUR, client("7"), client("payer-7"))
    for nth, more in enumerate([{"invoice_to_id": "7"}, {}, {"client_id": "payer-7"}]):
        ready.takes(invoice(f"INV-{nth}", **{"client_id": "7", **more}))
    assert ready.push().json["synced"] == 3
    ready.cli("settings", "set", "--privacy", "generic")
    ready.takes(invoice("INV-9", client_id="7"))
    assert ready.push().json["synced"] == 1
    numbers = {name: each["ContactNumber"] for name, each in ready.contacts().items()}
    assert numbers["Harbour Insurance (Caspen 00007)"] == "caspen-payer-7"
    assert numbers["Clients (Caspen)"] == "caspen-all-clients"
    assert sorted(numbers.values())[:2] == ["caspen-7", "caspen-all-clients"]
    assert len(numbers) == 4


# --- a person decides


def taken(clinic: Clinic) -> tuple[str, dict[str, Any]]:
    """Bare numbers are wanted, and another system has that of Nell; gives its contact, and the problem."""
    clinic.cli("settings", "set", "--contact-prefix", "none")
    contact = theirs(clinic, "Harbour Street Studio")
    assert nell(clinic).exit_code == 3
    return contact, clinic.problem()


def test_where_the_number_is_taken_both_are_shown_and_nothing_is_sent(ready: Clinic) -> None:
    contact, row = taken(ready)
    assert row["code"] == "contact-number-taken"
    for shown in ("Nell Okafor", "(1048201)", "Harbour Street Studio", contact, f"/contacts/contact/{contact}"):
        assert shown in row["reason"]
    assert commands_in(row["fix"])[0] == f"caspen-xero contacts link 1048201 {contact}"
    assert ready.writes() == []
    assert in_xero.silent(ready)
    (again,) = ready.unsynced()
    assert again["reason"] == row["reason"]


def test_a_person_links_the_contact_and_takes_that_back(ready: Clinic) -> None:
    contact, row = taken(ready)
    done = ready.run(commands_in(row["fix"])[0] + " --json")
    assert done.exit_code == 0, done.stdout
    assert done.json == {
        "client": "1048201",
        "kind": "client",
        "contact_id": contact,
        "contact": "Harbour Street Studio",
        "done": "linked",
    }
    assert ready.unsynced()[0]["code"] == "not-pushed-yet"
    assert ready.push().exit_code == 0
    assert goes_to(ready) == contact
    ready.takes(client("1048201", email="new@example.org"), invoice("INV-0002", client_id="1048201"))
    assert ready.push().exit_code == 0
    assert (goes_to(ready, "INV-0002"), ready.contacts()["Harbour Street Studio"]["EmailAddress"]) == (contact, "")

    said = ready.cli("contacts", "unlink", "1048201")
    assert said.exit_code == 0
    assert "2 invoices in Xero are made out to that contact, and stay so." in said.stdout
    assert in_xero.silent(ready)
    ready.takes(invoice("INV-0003", client_id="1048201"))
    assert ready.push().exit_code == 3
    assert ready.problem("INV-0003")["code"] == "contact-number-taken"
    assert goes_to(ready) == goes_to(ready, "INV-0002") == contact


def test_a_contact_that_a_person_has_taken_off_a_client_is_not_linked_again_by_itself(ready: Clinic) -> None:
    contact = theirs(ready, NELL, None)
    nell(ready)
    assert goes_to(ready) == contact
    assert ready.cli("contacts", "unlink", "Nell Okafor", "--json").json["invoices_there"] == 1
    ready.takes(invoice("INV-0002", client_id="1048201"))
    assert ready.push().json["contacts_created"] == 1
    assert goes_to(ready, "INV-0002") != contact == goes_to(ready)
    again = ready.cli("contacts", "link", "1048201", contact, "--json").json["error"]
    assert again["fix"] == "caspen-xero contacts unlink 1048201"
    assert ready.run(again["fix"]).exit_code == 0
    assert ready.cli("contacts", "link", "1048201", contact).exit_code == 0
    ready.takes(invoice("INV-0003", client_id="1048201"))
    assert ready.push().exit_code == 0
    assert goes_to(ready, "INV-0003") == contact


def test_the_contact_of_one_client_is_never_linked_to_another(ready: Clinic) -> None:
    nell(ready, client("1048202", "Tomas", "Reyes"))
    refused = ready.cli("contacts", "link", "1048202", goes_to(ready), "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "link-does-not-fit")
    assert refused.json["error"]["fix"] == "caspen-xero contacts unlink 1048201"
    # Taken off her and given to him, it has the number that she would get.
    assert ready.run(refused.json["error"]["fix"]).exit_code == 0
    assert ready.cli("contacts", "link", "Tomas Reyes", goes_to(ready)).exit_code == 0
    ready.takes(invoice("INV-0002", client_id="1048201"))
    assert ready.push().exit_code == 3
    row = ready.problem("INV-0002")
    assert (row["code"], commands_in(row["fix"])[0]) == ("contact-number-taken", "caspen-xero contacts unlink 1048202")
    assert "which is linked to the client 1048202" in row["reason"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("link", "1048201", "60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1"), "link-not-found"),
        (("link", "1048201", "Harbour Street Studio"), "link-not-an-id"),
        (("link", "1048201", "ARCHIVED"), "link-does-not-fit"),
        (("link", "1048201", "MERGED"), "link-does-not-fit"),
        (("link", "nobody", "ACTIVE"), "client-not-found"),
        (("link", "Sam Reid", "ACTIVE"), "client-ambiguous"),
        (("unlink", "1048201"), "contact-not-linked"),
        (("unlink", "payer:1048201"), "client-not-found"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(ready: Clinic, arguments: Sequence[str], code: str) -> None:
    ids = {
        "ACTIVE": theirs(ready, "Harbour Street Studio", None),
        "ARCHIVED": theirs(ready, "Old Studio", None, archived=True),
        "MERGED": theirs(ready, "Merged Studio", None),
    }
    ready.sandbox.api.merge_contacts(ready.tenant_id, ids["MERGED"], ids["ACTIVE"])
    ready.takes(client("1048201"), client("1", "Sam", "Reid"), client("2", "Sam", "Reid"), client("3", "Sam", "Reid"))
    refused = ready.cli("contacts", *(ids.get(one, one) for one in arguments), "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, code)
    if code == "client-ambiguous":
        assert refused.json["error"]["fix"] == "Use the id: 1, 2, 3"
    if arguments[-1] == "MERGED":
        assert ready.run(refused.json["error"]["fix"]).exit_code == 0
    assert ready.writes() == []


@pytest.mark.parametrize("id_", ["-7", "it's 7", "payer:7", "O; rm -rf"])
def test_the_command_that_is_printed_names_the_client_whatever_its_id(ready: Clinic, id_: str) -> None:
    ready.cli("settings", "set", "--contact-prefix", "none")
    contact = theirs(ready, "Harbour Street Studio", id_)
    ready.takes(client(id_), invoice("INV-0001", client_id=id_))
    ready.push()
    assert ready.run(ready.problem()["fix"]).exit_code == 0
    assert ready.push().exit_code == 0
    assert goes_to(ready) == contact


def as_an_earlier_version_left_it(clinic: Clinic) -> None:
    """Takes back the step of the store that came with the prefix: the next command makes it again."""
    with closing(sqlite3.connect(clinic.store_file)) as store:
        store.execute("DELETE FROM _sqlite_migrations WHERE name = 'contacts_that_are_not_who_they_seem'")
        store.execute("DROP TABLE refused_contacts")
        store.commit()


@pytest.mark.parametrize("decision", ["link", "unlink"])
def test_what_an_earlier_version_linked_by_the_number_alone_is_judged_anew(ready: Clinic, decision: str) -> None:
    contact, row = taken(ready)
    ready.run(row["fix"])
    ready.push()
    ready.cli("settings", "set", "--contact-prefix", "caspen-")
    as_an_earlier_version_left_it(ready)
    assert in_xero.silent(ready)  # what is there stays
    ready.takes(invoice("INV-0002", client_id="1048201"))
    assert ready.push().exit_code == 3
    row = ready.problem("INV-0002")
    assert row["code"] == "contact-number-taken"
    assert "in Caspen Nell Okafor (1048201), in Xero Harbour Street Studio" in row["reason"]
    ways = [f"caspen-xero contacts link 1048201 {contact}", "caspen-xero contacts unlink 1048201"]
    assert commands_in(row["fix"]) == ways
    assert in_xero.silent(ready)
    assert ready.run(ways[0 if decision == "link" else 1]).exit_code == 0
    assert ready.push().exit_code == 0
    assert goes_to(ready) == contact
    assert (goes_to(ready, "INV-0002") == contact) is (decision == "link")


@pytest.mark.parametrize("name", [NELL, "nell okafor", "Nell Smith (Caspen 48201)"])
def test_after_the_upgrade_a_contact_linked_by_its_number_is_kept_where_its_name_agrees(
    ready: Clinic, name: str
) -> None:
    contact = theirs(ready, name)
    ready.takes(client("1048201"))
    ready.cli("contacts", "link", "1048201", contact)
    as_an_earlier_version_left_it(ready)
    assert nell(ready).exit_code == 0
    assert goes_to(ready) == contact


def test_a_contact_that_the_journal_says_we_made_is_ours_whatever_its_number_and_name(ready: Clinic) -> None:
    ready.cli("settings", "set", "--contact-prefix", "none")
    nell(ready)
    ready.cli("settings", "set", "--contact-prefix", "caspen-")
    contact = goes_to(ready)
    in_xero.writes(ready, "POST", f"Contacts/{contact}", {"ContactID": contact, "Name": "Ms Okafor"})
    ready.sql("DELETE FROM links WHERE kind = 'client'")
    ready.takes(invoice("INV-0002", client_id="1048201"))
    assert ready.push().json["contacts_linked"] == 1
    assert goes_to(ready, "INV-0002") == contact


def test_payers_are_linked_too(ready: Clinic) -> None:
    ready.cli("settings", "set", "--contact", "payer", "--contact-prefix", "none")
    contact = theirs(ready, "Somebody Else", "payer-7")
    ready.takes(HARBOUR, client("7"), invoice("INV-0001", client_id="7", invoice_to_id="7"))
    ready.push()
    assert commands_in(ready.problem()["fix"])[0] == f"caspen-xero contacts link payer:7 {contact}"
    assert ready.run(ready.problem()["fix"]).exit_code == 0
    assert ready.push().exit_code == 0
    assert goes_to(ready) == contact


# --- whatever stands in Xero

CLIENTS = [("1048201", "Nell Okafor"), ("2048201", "Nell Okafor"), ("7", "Tomas Reyes"), ("payer-7", "Tomas Reyes")]
CLIENTS += [("cli_a", "Mei Tan"), ("cli_A", "Mei Tan"), ("1048202", "Sam Reid"), ("all-clients", "Sam Reid")]


@st.composite
def contacts(draw: st.DrawFn) -> dict[str, Any]:
    """A contact of somebody else's: a name and a number that are a client's, or like it, or neither."""
    id_, name = draw(st.sampled_from(CLIENTS))
    digits = "".join(char for char in id_ if char.isdigit())[-5:].rjust(5, "0")
    name = draw(st.sampled_from([name, name, "Harbour Studio", "Moana Rangi"]))
    suffix = draw(st.sampled_from(["", "", f" (Caspen {digits})", f" (Caspen {id_})", f" (Caspen {id_}) 2", " Pty"]))
    number = draw(st.sampled_from([id_, id_, id_.upper(), f"payer-{id_}", f"CASPEN-{id_}", "8891", ""]))
    name = draw(st.sampled_from([str, str.upper]))(name + suffix)
    return {"Name": name, "ContactNumber": number, "archived": draw(st.booleans())}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(contacts(), max_size=16), st.permutations(CLIENTS), st.sampled_from(["caspen-", "none"]))
def test_no_invoice_goes_to_a_contact_of_another_name_that_we_did_not_make(
    sandbox: Any,
    ready_home: Path,
    cli: Callable[..., Any],
    home: Path,
    there: list[dict[str, Any]],
    clients: list[tuple[str, str]],
    prefix: str,
) -> None:
    clinic = begins_anew(Clinic(cli, sandbox, home), ready_home)
    for wish in there:
        is_made_by_hand(clinic, **wish)
    foreign = {one["ContactID"]: one for one in clinic.state("Contacts")}
    clinic.cli("settings", "set", "--contact-prefix", prefix)
    people = {f"INV-{nth}": person for nth, person in enumerate(clients)}
    clinic.takes(
        *(client(id_, *name.split()) for id_, name in clients),
        *(invoice(number, client_id=id_) for number, (id_, _) in people.items()),
    )
    clinic.push()
    listed, sent = {row["number"]: row["code"] for row in clinic.unsynced()}, clinic.in_xero()
    assert sorted([*listed, *sent]) == sorted(people), "neither in Xero nor listed"
    assert set(listed.values()) <= {"contact-number-taken", "contact-archived"}
    whose = {number: each["Contact"]["ContactID"] for number, each in sent.items()}
    assert len(set(whose.values())) == len(whose), "two clients in one contact"
    for number, contact_id in whose.items():
        contact = foreign.get(contact_id)
        assert contact is None or is_called(contact["Name"], *people[number]), (people[number], contact)
    after = {one["ContactID"]: one for one in clinic.state("Contacts")}
    known_by = ("Name", "ContactNumber", "EmailAddress", "ContactStatus")
    assert all(after[id_].get(part) == one.get(part) for id_, one in foreign.items() for part in known_by)
    clinic.contacts()  # no number is there twice
    assert in_xero.silent(clinic)


def is_made_by_hand(clinic: Clinic, *, archived: bool, **fields: str) -> None:
    """A contact, if Xero takes it."""
    body = json.dumps({name: text for name, text in fields.items() if text}).encode()
    answer = clinic.sandbox.api.handle(ApiRequest("PUT", "Contacts", {}, {}, body, clinic.tenant_id))
    if answer.status == 200 and archived:
        clinic.control(f"contacts/{json.loads(answer.body)['Contacts'][0]['ContactID']}/archive")


def is_called(name: str, id_: str, full_name: str) -> bool:
    """Whether a name is a client's, with or without what we put behind it."""
    digits = "".join(char for char in id_ if char.isdigit())[-5:].rjust(5, "0")
    suffix = rf"( \(caspen ({digits}|{re.escape(id_.casefold())})\)( [0-9]+)?)?"
    return re.fullmatch(re.escape(full_name.casefold()) + suffix, name.casefold()) is not None


# --- a contact whose answer was lost


def test_a_bare_number_is_no_proof_of_a_lost_contact_either(ready: Clinic, waits: list[float]) -> None:
    """Of a contact that an earlier version sent under the bare number: another one that has it by now is not ours."""
    ready.cli("settings", "set", "--contact-prefix", "none")
    ready.control("faults", kind="drop-before", path="/Contacts", method="PUT", count=10)
    assert nell(ready).exit_code == 6
    ready.all_is_well_in_xero()
    contact = theirs(ready, "Harbour Street Studio")
    ready.sql("UPDATE journal SET first_sent_at = '2026-01-01T00:00:00Z', first_sent_at_xero = '2026-01-01T00:00:00Z'")
    ready.cli("settings", "set", "--contact-prefix", "caspen-")
    assert ready.push().exit_code == 0
    assert goes_to(ready) != contact
    assert ready.contacts()[NELL]["ContactNumber"] == "caspen-1048201"


def test_the_suffix_of_a_name_is_known_in_all_its_forms() -> None:
    record = parse_record(client("cli_01HQ", "N" * 300, "Okafor"))
    assert record.object == "client"
    someone = Party("client", record.id, record)
    names = [
        someone.name(),
        someone.name(unique=True),
        *(someone.name(unique=True, attempt=n) for n in (1, 2, 11, 120)),
    ]
    assert all(someone.is_called(name.swapcase()) for name in names)
    assert not any(someone.is_called(name + " Pty") for name in names)


def test_a_client_is_named_as_the_screen_shows_it(ready: Clinic) -> None:
    assert nell(ready).exit_code == 0
    for name in ("48201", NELL):
        assert ready.cli("contacts", "unlink", name).exit_code == 0
        assert ready.cli("contacts", "link", name, goes_to(ready)).exit_code == 0
    unknown = ready.cli("contacts", "unlink", "48202")
    assert "caspen-xero contacts list; if the client is new" in unknown.stderr.replace("\n     ", " ")
