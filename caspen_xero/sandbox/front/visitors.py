"""Who is answered at all: whoever came by a name of this machine's or of Xero's, and no web page of somebody else's.

A client with Xero's hosts built in may be led here from them. A page on the web can have its own name lead to this machine
(DNS rebinding), and can send forms to any address; a browser says in `Host` by which name it came, and in `Origin` whose page
sends.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from caspen_xero.sandbox.exchange import json_answer
from caspen_xero.sandbox.identity.addresses import XERO_HOSTS
from caspen_xero.sandbox.seam import ApiAnswer

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
"""What a server listens on that is to be found under every address of its machine."""


class Visitors:
    """Tells those apart by the headers of a request (names in lower case). `host` is the address that is listened on."""

    def __init__(self, host: str) -> None:
        self._everywhere = host in EVERYWHERE
        self._names = {"localhost", host.lower()} | ({socket.gethostname().lower()} if self._everywhere else set())

    def refusal(self, headers: Mapping[str, str]) -> ApiAnswer | None:
        """The answer to who is not let in; None for everybody else."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(_name_in(f"//{host}")):
            return json_answer({"error": "This local sandbox answers only to names of its own machine."}, 421)
        if origin is not None and not _is_of(origin, host):  # a link that a person follows has none
            return json_answer({"error": "This local sandbox answers no web pages of others."}, 403)
        return None

    def _is_ours(self, name: str) -> bool:
        if name in self._names and name:
            return True
        if name in XERO_HOSTS:  # only Xero could have a page of these names lead here
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._everywhere or address.is_loopback  # an address, unlike a name, leads nowhere else


def _is_of(origin: str, host: str) -> bool:
    """Whether a page comes from the very host and port that the request went to."""
    scheme, _, rest = origin.partition("://")
    return scheme in {"http", "https"} and rest.lower() == host.lower()


def _name_in(url: str) -> str:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - looked at, as it raises for what is none
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""
