"""Under which addresses this Xero is found, by who asks: its own one, or those of Xero that a client was led here from.

Xero has three hosts, the sandbox has one. Clients with Xero's hosts built in can have them led here by whatever stands
between (a proxy, a hosts file, a hook); their requests then still say in `Host` whom they meant, and are answered so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

XERO_HOSTS = frozenset({"identity.xero.com", "login.xero.com", "api.xero.com"})


@dataclass(frozen=True)
class Addresses:
    """The base of sign-in: `issuer` is what tokens name, `login` where the person goes."""

    issuer: str
    login: str


XEROS = Addresses("https://identity.xero.com", "https://login.xero.com")


def addresses(headers: Mapping[str, str]) -> Addresses:
    """Those that a request (header names in lower case) came by."""
    host = headers.get("host", "")
    if host.lower().partition(":")[0] in XERO_HOSTS:
        return XEROS
    scheme = "https" if headers.get("x-forwarded-proto", "").lower() == "https" else "http"
    return Addresses(f"{scheme}://{host}", f"{scheme}://{host}")
