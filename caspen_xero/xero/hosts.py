"""Where Xero is: its three hosts, or one base URL that stands for all of them (`XERO_URL`, for the sandbox)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from caspen_xero.errors import ExitCode
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
    """`XERO_URL` in the one form in which it is remembered and compared: no slash at the end, lower-case host.

    HTTPS, or HTTP on this machine: tokens and secrets go to no other in the open.
    """
    try:
        parts = urlsplit(xero_url.strip())
        port = parts.port
    except ValueError:
        raise _bad(xero_url) from None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise _bad(xero_url)
    if parts.username is not None or parts.password is not None:
        raise _bad("(one that holds a user name or password)")
    if parts.scheme.lower() == "http" and not is_loopback(xero_url.strip()):
        raise _in_the_open(xero_url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def is_loopback(url: str) -> bool:
    """Whether a URL is on this machine, where no proxy belongs in between."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_the_open(xero_url: str) -> XeroError:
    return XeroError(
        "bad-xero-url",
        f"{xero_url} is not HTTPS, and not on this machine: tokens and secrets would travel in the open.",
        "Set XERO_URL to an https:// address, or to one such as http://localhost:8790 for a Xero on this machine. A workspace that "
        "is connected to that address: caspen-xero disconnect --local-only",
        exit_code=ExitCode.USAGE,
    )


def _bad(xero_url: str) -> XeroError:
    return XeroError(
        "bad-xero-url",
        f"XERO_URL is not the base URL of a Xero: {xero_url}",
        "Set it to something like http://localhost:8790, or unset it to use Xero itself.",
        exit_code=ExitCode.USAGE,
    )
