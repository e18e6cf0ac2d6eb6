"""What goes into an address of Xero's: nothing but names and ids, and never a query string that Xero's gateway refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caspen_xero.xero.addresses import (
    LONGEST_QUERY,
    MOST_VALUES,
    Params,
    can_be_named,
    ids_in,
    in_calls,
    is_id,
    named,
    with_query,
)
from caspen_xero.xero.connections import Connections
from caspen_xero.xero.errors import NotAnAddress
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.transport import Transport
from tests.xero_side.told import Reply, SignedIn, told

ID = "3f2b6a51-9c1e-4b7e-8a35-0d9f6c1a2b3c"
PAGE = {"page": "1", "pageSize": "100"}
LISTS: dict[str, Callable[[Sequence[str]], Params]] = {
    "ids": lambda some: {"IDs": ",".join(some), "includeArchived": "true", **PAGE},
    "numbers": lambda some: {"InvoiceNumbers": ",".join(some), **PAGE, "unitdp": "4"},
    "filter": lambda some: {
        "where": " OR ".join(named("CreditNoteNumber", number) for number in some),
        **PAGE,
        "unitdp": "4",
    },
}
TEXTS = st.one_of(
    st.text(st.sampled_from(' ,"%+&=#/éß漢🦷aB9-'), min_size=1, max_size=60),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=160),
    st.integers(1, 1_900).map(lambda length: "9" * length),
)


def sent(params: Params) -> str:
    """The query string of a call with these parameters."""
    return with_query("", params).removeprefix("?")


def fewest(values: Sequence[str], params: Callable[[Sequence[str]], Params], most: int) -> int:
    """The least number of calls for these values in order, found by trying every way to part them."""
    best = [0]
    for end in range(1, len(values) + 1):
        fitting = [
            best[start] + 1
            for start in range(max(0, end - most), end)
            if len(sent(params(values[start:end]))) <= LONGEST_QUERY
        ]
        best.append(min(fitting))
    return best[-1]


@pytest.mark.parametrize("kind", LISTS)
@settings(deadline=None, max_examples=60)
@given(values=st.lists(TEXTS, max_size=50), most=st.sampled_from([1, 3, MOST_VALUES]))
@example(values=['"' * 255] * 3 + [ID] * 2, most=MOST_VALUES)
@example(values=[f"INV-{number:04}" for number in range(121)], most=MOST_VALUES)
@example(values=[f"{number:03}" + "x" * 250 for number in range(60)], most=MOST_VALUES)
def test_every_value_is_asked_once_in_the_fewest_calls_that_fit(kind: str, values: list[str], most: int) -> None:
    params = LISTS[kind]
    once = [value for value in dict.fromkeys(values) if len(sent(params([value]))) <= LONGEST_QUERY]
    made: list[tuple[Params, list[str]]] = []

    def noted(some: Sequence[str]) -> Params:
        made.append((params(some), list(some)))
        return made[-1][0]

    calls = in_calls(once * 2, noted, most)
    lists = [some for call in calls for of, some in made if of is call]
    assert [value for some in lists for value in some] == once
    assert all(len(some) <= most for some in lists)
    assert all(len(sent(call)) <= LONGEST_QUERY for call in calls)
    assert len(calls) == fewest(once, params, most)


@given(TEXTS, TEXTS)
def test_what_is_measured_is_what_is_sent(name: str, value: str) -> None:
    import httpx

    query = sent({name: value, "page": 1})
    assert httpx.Request("GET", with_query("http://localhost/x", {name: value, "page": 1})).url.query == query.encode()
    assert parse_qsl(query) == [(name, value), ("page", "1")]


def test_what_is_measured_arrives(signed_in: SignedIn) -> None:
    (params,) = in_calls([f'{number:02} "a", b & c+d=ü' for number in range(12)], LISTS["filter"])
    with told(Reply(200, "{}")) as xero:
        signed_in.client(xero.url).get("CreditNotes", params)
    assert xero.seen[0].query_string == sent(params)
    assert xero.seen[0].query == params


@pytest.mark.parametrize(("kind", "count", "calls"), [("ids", 40, 1), ("ids", 41, 2), ("ids", 120, 3), ("ids", 0, 0)])
def test_forty_ids_go_in_one_call_and_none_make_none(kind: str, count: int, calls: int) -> None:
    assert len(in_calls([f"{ID[:-4]}{number:04}" for number in range(count)], LISTS[kind])) == calls


def test_a_list_goes_up_to_the_very_limit_and_no_further() -> None:
    room = LONGEST_QUERY - len(sent(LISTS["numbers"](["a", ""])))
    (full,) = in_calls(["a", "9" * room], LISTS["numbers"])
    assert len(sent(full)) == LONGEST_QUERY
    assert len(in_calls(["a", "9" * (room + 1)], LISTS["numbers"])) == 2


def test_a_value_too_long_by_itself_is_an_error_and_not_an_answer() -> None:
    """What was never asked for must not be taken for what is not there: it would be written once more."""
    with pytest.raises(NotAnAddress):
        in_calls(["short", "9" * LONGEST_QUERY], LISTS["numbers"])


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=700))
@example('"' * 255)
@example("漢" * 200)
@example("漢" * 255)
@example("CN\\1")
def test_whatever_can_be_named_can_be_looked_up(number: str) -> None:
    if can_be_named("CreditNoteNumber", number):
        assert "\\" not in number
        assert len(in_calls([number], LISTS["filter"])) == 1
    else:
        assert "\\" in number or len(number.encode()) > 300


# --- ids and paths


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.title(), "00000000-0000-0000-0000-000000000000"])
def test_an_id(text: str) -> None:
    assert is_id(text)
    assert ids_in(f"https://go.xero.com/app/!abc/invoicing/view/{text}?x=1") == [text]


NO_IDS = (
    *(
        "",
        ".",
        "..",
        "nonsense",
        "../../../connections",
        f"{ID}/..",
        f" {ID}",
        f"{ID}\n",
        f"{{{ID}}}",
        ID.replace("-", ""),
    ),
    *(
        ID[:-1],
        f"{ID}0",
        ID.replace("3f", "3g"),
        ID.replace("0", "\u0660"),
        f"{ID}?x=1",
        f"{ID},{ID}",
        f'{ID}") OR 1==1',
    ),
)


@pytest.mark.parametrize("text", NO_IDS)
def test_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "..", ".", "/Payments", "Payments/", "Payments//x", "Payments/.", "Payments/..", "Payments/%2e%2e"),
        *("Payments/../../../connections", f"Payments/{ID}/../..", f"Payments/{ID}\n", "Payments/a b", "Payments/1"),
        *(
            "../connections",
            "..\\connections",
            "Payments?x=1",
            "Payments#x",
            "Payments;x",
            "Päyments",
            "Payments/\u0660",
        ),
        *("//example.org", "https://example.org/", "@example.org", "Payments/\uff0e\uff0e/x"),
    ],
)
def test_a_path_that_is_none_never_leaves_with_the_token(signed_in: SignedIn, path: str) -> None:
    with told(Reply(200, "{}")) as xero:
        client = signed_in.client(xero.url)
        with pytest.raises(NotAnAddress) as caught:
            client.get(path)
        for method in ("PUT", "POST", "DELETE"):
            with pytest.raises(NotAnAddress):
                client.send(method, path, b"{}", idempotency_key="k")
        with pytest.raises(NotAnAddress):
            list(client.pages(path, key="Payments"))
        assert (client.calls, xero.seen) == (0, [])
    assert "Nothing was sent" in caught.value.message


@pytest.mark.parametrize("path", ["Invoices", f"Invoices/{ID}", f"CreditNotes/{ID.upper()}/Allocations/{ID}"])
def test_paths_of_names_and_ids_are_sent(signed_in: SignedIn, path: str) -> None:
    with told(Reply(200, "{}")) as xero:
        signed_in.client(xero.url).get(path)
        assert [seen.path for seen in xero.seen] == [f"/api.xro/2.0/{path}"]


def test_a_query_string_that_is_too_long_is_never_sent(signed_in: SignedIn) -> None:
    """Its 404 would read as "not there"."""
    with told(Reply(404, "<html>404.15</html>")) as xero:
        with pytest.raises(NotAnAddress):
            signed_in.client(xero.url).get("Invoices", {"where": "9" * LONGEST_QUERY})
        assert xero.seen == []


@pytest.mark.parametrize("link", [text for text in NO_IDS if text != ID])
def test_only_a_link_is_ended_by_ending_a_link(link: str) -> None:
    with told(Reply(204, b"")) as xero:
        transport = Transport(xero.url)
        with pytest.raises(NotAnAddress) as caught:
            Connections(transport, Hosts.of(xero.url), "the-access-token").remove(link)
        transport.close()
        assert xero.seen == []
    assert caught.value.fix == "caspen-xero disconnect --local-only"
