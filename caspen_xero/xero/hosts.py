"""Where Xero is: its three hosts, or one base URL that stands for all of them (`XERO_URL`, for the sandbox)."""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.server_urls import NoServer, server_url
from caspen_xero.xero.errors import XeroError


@dataclass(frozen=True)
class Hosts:
    """The addresses of Xero's sign-in and API. `api` ends in a slash. Source: Xero's pages on the authorisation flow."""

    authorize: str
    token: str
    connections: str
    api: str

    @classmethod
    def of(cls, xero_url: str | None) -> Hosts:
        """Xero's own hosts for None, else those addresses below one base URL; raises `XeroError` `bad-xero-url`."""
        if xero_url is None:
            login, identity, api = "https://login.xero.com", "https://identity.xero.com", "https://api.xero.com"
        else:
            login = identity = api = base_url(xero_url)
        return cls(
            authorize=f"{login}/identity/connect/authorize",
            token=f"{identity}/connect/token",
            connections=f"{api}/connections",
            api=f"{api}/api.xro/2.0/",
        )


def base_url(xero_url: str) -> str:
    """`XERO_URL` in the one form in which it is remembered and compared; raises `XeroError` `bad-xero-url`."""
    try:
        return server_url(xero_url)
    except NoServer as error:
        raise (_in_the_open(xero_url) if error.why == "in-the-open" else _bad(error.why == "holds-more")) from None


def _in_the_open(xero_url: str) -> XeroError:
    return XeroError(
        "bad-xero-url",
        f"{plain(xero_url)} is not HTTPS, and not on this machine: tokens and secrets would travel in the open.",
        "Set XERO_URL to an https:// address, or to one such as http://localhost:8790 for a Xero on this machine. A workspace that "
        "is connected to that address: caspen-xero disconnect --local-only",
        exit_code=ExitCode.USAGE,
    )


def _bad(holds_more: bool) -> XeroError:
    more = ": it holds a user name, a password, a query or a fragment" if holds_more else ""
    return XeroError(
        "bad-xero-url",
        f"XERO_URL is not the base URL of a Xero{more}.",
        "Set it to something like http://localhost:8790, or unset it to use Xero itself.",
        exit_code=ExitCode.USAGE,
    )
