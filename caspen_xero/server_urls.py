"""The address of a server that a person gave, Xero's or Caspen's: over HTTPS, or over HTTP on this machine.

Tokens, keys and clients' records go to no other machine in the open, and no address that is kept or shown holds a password.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}\.?")
_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]*")


class NoServer(Exception):
    """A text is no such address: of none at all, of one with more in it than belongs there, or of one to reach in the open only."""

    def __init__(self, why: Literal["no-url", "holds-more", "in-the-open"]) -> None:
        super().__init__(why)
        self.why = why


def server_url(text: str) -> str:
    """The address in the one form in which it is remembered and compared: scheme and host in lower case, no slash at the end.

    Raises `NoServer`; of the three the text may be shown where it is `in-the-open`, as it has no user or password in it.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NoServer("no-url") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise NoServer("holds-more")
    if parts.scheme not in {"http", "https"} or port == 0 or not is_host(host) or not _PATH.fullmatch(parts.path):
        raise NoServer("no-url")
    host = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    if parts.scheme == "http" and not is_loopback(url):
        raise NoServer("in-the-open")
    return url


def is_host(text: str) -> bool:
    """Whether a text in lower case is the name of a server, in the letters that travel, or its address."""
    return _is_address(text) or _NAME.fullmatch(text) is not None


SANDBOX_PORT = 8790
"""Where a local Xero listens, if nothing else is said."""


def is_loopback(url: str) -> bool:
    """Whether a URL is on this machine, where no proxy belongs in between: by `localhost` or an address, as names lead anywhere."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
