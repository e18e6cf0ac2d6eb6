"""Which organisation a sign-in means, and which host a workspace's tokens may go to."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Cli

from caspen_xero.store.store import Store
from caspen_xero.xero.connection import Connection, check_same_host, url_from_environment
from caspen_xero.xero.connections import Linked, candidates
from caspen_xero.xero.errors import SignInFailed, XeroError
from caspen_xero.xero.hosts import Hosts
from tests.xero_side.told import a_connection

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def linked(name: str, tenant: str = "", *, age: timedelta = timedelta()) -> Linked:
    return Linked(f"link-{tenant or name}", tenant or name, name, NOW - age, NOW)


A, B, TWIN = linked("Clinic A", "tenant-a"), linked("Clinic B", "tenant-b"), linked("Clinic A", "twin")


@pytest.mark.parametrize(
    ("fresh", "everything", "wanted", "bound", "meant"),
    [
        ([A], [A], None, None, [A]),
        ([B], [A, B], None, None, [B]),  # the default is the one of this sign-in
        ([A, B], [A, B], None, None, [A, B]),
        ([A, B], [A, B], None, "tenant-b", [B]),
        ([], [A, B], None, None, [A, B]),
        ([], [A, B], None, "tenant-a", [A]),
        ([B], [A, B], None, "tenant-a", [B]),  # signed in to another one: to be refused, not passed over
        ([B], [A, B], "clinic a ", None, [A]),
        ([B], [A, B], "link-tenant-a", None, [A]),
        ([TWIN], [A, TWIN], "Clinic A", None, [TWIN]),
        ([], [A, TWIN], "Clinic A", None, [A, TWIN]),
        ([], [A, TWIN], "twin", None, [TWIN]),
    ],
)
def test_what_a_sign_in_means(
    fresh: list[Linked], everything: list[Linked], wanted: str | None, bound: str | None, meant: list[Linked]
) -> None:
    assert candidates(fresh, everything, wanted=wanted, bound=bound) == meant


@pytest.mark.parametrize(
    ("everything", "wanted", "code"), [([], None, "no-organisation"), ([A], "Clinic Z", "organisation-not-found")]
)
def test_a_sign_in_that_means_none_says_so(everything: list[Linked], wanted: str | None, code: str) -> None:
    with pytest.raises(SignInFailed) as caught:
        candidates([], everything, wanted=wanted, bound=None)
    assert caught.value.code == code


def test_a_link_is_new_if_it_was_not_there_before_the_sign_in() -> None:
    assert linked("New", age=timedelta(milliseconds=2)).is_new
    assert not linked("Old", age=timedelta(minutes=5)).is_new
    assert not replace(A, created=None).is_new


def test_a_connection_is_remembered_whole() -> None:
    connection = a_connection("http://localhost:8790")
    assert Connection.from_dict(connection.to_dict()) == connection


def test_xero_itself_has_three_hosts_and_a_base_url_stands_for_all_of_them() -> None:
    real, local = Hosts.of(None), Hosts.of("http://LOCALHOST:8790/")
    assert real.token == "https://identity.xero.com/connect/token"
    assert real.connections == "https://api.xero.com/connections"
    assert real.api == "https://api.xero.com/api.xro/2.0/"
    assert local.authorize == "http://localhost:8790/identity/connect/authorize"
    assert local.api == "http://localhost:8790/api.xro/2.0/"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "xero",
            "ftp://x",
            "http://",
            "http://x:port",
            "http://x/?a=1",
            "https://a..b",
            "https://xn--",
            "https://x:0",
        ),
        *("https://x y", "https://x/\u202e", "https://[::1%25eth0]", f"https://{'x' * 70_000}", "http://u:secret@x"),
        *("ftp://u:secret@x", "https://u:secret@x:port", "https://u:secret@[::1", "https://u:secret@x/?a=1"),
    ],
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(XeroError) as caught:
        Hosts.of(url)
    assert (caught.value.code, caught.value.exit_code) == ("bad-xero-url", 2)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://xero.example",
        "HTTP://xero.example:8790/",
        "http://192.168.1.5:8790",
        "http://0.0.0.0:8790",
        "http://localhost.example",
        "http://xero.localhost",
        "http://2130706433",
        "http://127.1",
        "http://127.0.0.1.example",
        "http://[2001:db8::1]",
        "http://xero.example/?http://localhost",
        "http://localhost@xero.example",
        "http://xero.example#@localhost",
        "http:\\\\localhost",
    ],
)
def test_tokens_go_to_no_other_machine_in_the_open(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XERO_URL", url)
    for refused in (url_from_environment, lambda: Hosts.of(url)):
        with pytest.raises(XeroError) as caught:
            refused()
        assert (caught.value.code, caught.value.exit_code) == ("bad-xero-url", 2)


@pytest.mark.parametrize(
    "url", ["http://localhost:8790", "http://127.0.0.1", "http://[::1]:1", "http://127.3.2.1", "https://xero.example"]
)
def test_they_may_go_to_this_machine_or_over_https(url: str) -> None:
    assert Hosts.of(url).token == f"{url}/connect/token"


def test_a_token_goes_only_to_the_host_that_issued_it(monkeypatch: pytest.MonkeyPatch) -> None:
    here, at_xero = a_connection("http://localhost:8790"), replace(a_connection(""), xero_url=None)
    monkeypatch.delenv("XERO_URL", raising=False)
    assert url_from_environment() is None
    check_same_host(here)
    check_same_host(at_xero)
    monkeypatch.setenv("XERO_URL", "http://Localhost:8790/")
    check_same_host(here)
    with pytest.raises(XeroError) as caught:
        check_same_host(at_xero)
    assert (caught.value.code, caught.value.exit_code) == ("other-host", 4)
    monkeypatch.setenv("XERO_URL", "http://localhost:8791")
    with pytest.raises(XeroError):
        check_same_host(here)


@pytest.mark.parametrize("is_set", [True, False])
def test_a_workspace_that_an_earlier_version_connected_in_the_open_is_told_the_way_out(
    is_set: bool, cli: Cli, connected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store(connected / "default" / "store.sqlite")) as store:
        stored = store.connection()
        assert stored is not None
        store.set_connection({**stored, "xero_url": "http://192.0.2.5:8790"})
    monkeypatch.setenv("XERO_URL", "http://192.0.2.5:8790") if is_set else monkeypatch.delenv("XERO_URL")
    for command in ("connect", "disconnect"):
        refused = cli(command, "--json")
        error = refused.json["error"]
        assert (refused.exit_code, error["code"]) == (2, "bad-xero-url")
        assert "caspen-xero disconnect --local-only" in error["fix"]
    monkeypatch.delenv("XERO_URL", raising=False)
    assert cli("status").exit_code == 0
    assert cli("disconnect", "--local-only").exit_code == 0
    assert cli("connect", "--json").json["error"]["code"] == "trial-and-real"
    assert cli("connect", "--yes", "--json").json["error"]["code"] == "client-id-missing"
