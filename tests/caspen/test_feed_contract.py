"""What every source of Caspen's records keeps, be it a file of any form or a server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caspen_server import CaspenServer
from export_forms import FILE_FORMS, Raw, clinic, invoice, payment

from caspen_xero.caspen.feed import BadRecord, Feed, FeedError
from caspen_xero.caspen.records import Record, parse_record
from caspen_xero.caspen.sources import open_feed

Opener = Callable[..., Feed]


@pytest.fixture(params=[*FILE_FORMS, "HTTP"])
def open_source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens a feed of the given records, in one form after the other."""
    servers: list[CaspenServer] = []

    def opener(records: list[Raw], **options: Any) -> Feed:
        if request.param != "HTTP":
            return open_feed(str(FILE_FORMS[request.param](tmp_path, records)), **options)
        servers.append(CaspenServer(records).__enter__())
        return open_feed(servers[-1].url, api_key="key-1", **options)

    yield opener
    for server in servers:
        server.__exit__(None, None, None)


def good(feed: Feed) -> dict[tuple[str, str], Record]:
    found = list(feed.records())
    bad = [record for record in found if isinstance(record, BadRecord)]
    assert bad == []
    records = [record for record in found if not isinstance(record, BadRecord)]
    by_id = {(record.object, record.id): record for record in records}
    assert len(by_id) == len(records), "a record came twice"
    return by_id


def test_every_record_arrives_once_and_exactly_as_written(open_source: Opener) -> None:
    export = clinic(invoices=250)
    assert good(open_source(export)) == {(raw["object"], raw["id"]): parse_record(raw) for raw in export}


def test_reading_again_gives_the_same_again(open_source: Opener) -> None:
    feed = open_source(clinic())
    assert good(feed) == good(feed)


def test_amounts_keep_every_digit(open_source: Opener) -> None:
    feed = open_source([invoice(total="999999999999.10", subtotal="0.1", tax="0.10")])
    read = good(feed)[("invoice", "inv_001")]
    assert read.object == "invoice"
    assert [str(read.total), str(read.subtotal), str(read.tax)] == ["999999999999.10", "0.1", "0.10"]


def test_a_bad_record_is_told_apart_and_the_good_ones_go_on(open_source: Opener) -> None:
    feed = open_source([invoice(1), invoice(2, total="1_000"), invoice(3), payment(4, date="3/11/2026")])
    found = list(feed.records())
    bad = {record.id: record for record in found if isinstance(record, BadRecord)}
    assert {record.id for record in found if not isinstance(record, BadRecord)} == {"inv_001", "inv_003"}
    assert (bad["inv_002"].kind, bad["inv_002"].field) == ("invoice", "total")
    assert bad["inv_002"].reason == "'1_000' is not a plain decimal number such as 150.00"
    assert (bad["pay_004"].kind, bad["pay_004"].field) == ("payment", "date")
    assert all(record.where.startswith(("line ", "record ", "row ")) and record.file for record in bad.values())


def test_a_bad_line_of_an_invoice_names_the_line_and_its_field(open_source: Opener) -> None:
    broken = invoice(1)
    broken["lines"][1]["quantity"] = "two"
    [bad] = open_source([broken]).records()
    assert isinstance(bad, BadRecord)
    assert (bad.id, bad.field) == ("inv_001", "lines[1].quantity")


def test_fields_that_the_feed_does_not_know_are_ignored(open_source: Opener) -> None:
    feed = open_source([invoice(practitioner="Dr Who", location_id="loc_1")])
    assert good(feed) == {("invoice", "inv_001"): parse_record(invoice())}


def test_money_that_came_from_xero_carries_its_xero_id(open_source: Opener) -> None:
    read = good(open_source([payment(1, xero_id="b26fd49a"), payment(2)]))
    assert {record.id: getattr(record, "xero_id", "") for record in read.values()} == {
        "pay_001": "b26fd49a",
        "pay_002": None,
    }


def test_progress_only_grows_and_ends_with_everything_read(open_source: Opener) -> None:
    calls: list[tuple[int, int]] = []
    list(open_source(clinic(), on_progress=lambda done, total: calls.append((done, total))).records())
    assert calls == sorted(calls)
    done, total = calls[-1]
    assert done > 1000
    assert total in (0, done)


def test_a_source_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FeedError) as missing:
        open_feed(str(tmp_path / "export.json"))
    assert (missing.value.code, missing.value.exit_code) == ("file-not-found", 1)
    with pytest.raises(FeedError) as empty:
        open_feed(str(tmp_path))
    assert empty.value.code == "no-feed-files"
    assert empty.value.fix
