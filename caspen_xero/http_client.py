"""An HTTP client as this machine wants it: its proxies, its certificates; a clear word where these can't be used.

httpx reads the same variables, but fails on them with errors of its own, and on proxies that the address does not need.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from caspen_xero.credentials import credential
from caspen_xero.errors import UserError
from caspen_xero.outside_text import MOST_OF_A_PATH, plain, said
from caspen_xero.packages import to_install
from caspen_xero.scrubbing import keep_secret
from caspen_xero.server_urls import is_host

_SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Believes no certificate. Where nothing speaks TLS: loading those that are believed takes longer than many a command."""


def http_client(*urls: str, direct: bool, **options: Any) -> httpx.Client:
    """A client for these addresses' hosts. `direct`: they are on this machine, where nothing belongs in between.

    Raises `UserError`: `proxy-unusable`, `certificates-unusable`, which name the variable and the way out, and `no-server`.
    """
    for url in urls:
        _check_name(url)
    certificates = _certificates() if any(urlsplit(url).scheme == "https" for url in urls) else _NOBODY
    if direct:
        return httpx.Client(trust_env=False, verify=certificates, **options)
    mounts = {_pattern(url): _way_to(url, certificates) for url in urls}
    return httpx.Client(trust_env=False, verify=certificates, mounts=mounts, **options)


def _check_name(url: str) -> None:
    """Raises `UserError` for a name that httpx can't read: an `xn--` that stands for none."""
    try:
        _ = httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        raise UserError(
            "no-server", f"{urlsplit(url).hostname} is no name of a server.", "Look at how it is written."
        ) from None


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """The variable and the proxy that it names for an address; None where the way is direct.

    On macOS and Windows a proxy may come from the system's settings. `NO_PROXY` may hold `*`, names (with all below them), `.name`,
    `*.name`, addresses, networks (`10.0.0.0/8`), and each with a port.
    """
    parts = urlsplit(url)
    for scheme in (parts.scheme, "all"):
        variable = f"{scheme}_proxy".upper()
        if proxy := getproxies().get(scheme, "").strip():
            names = (variable.lower(), variable)
            variable = next((name for name in names if environ.get(name)), "the system's settings")
        else:
            proxy = credential(variable)
        if proxy:
            if _is_left_out(parts, environ):
                return None
            return variable, proxy if "://" in proxy else f"http://{proxy}"
    return None


def _way_to(url: str, certificates: ssl.SSLContext) -> httpx.HTTPTransport:
    found = proxy_for(url)
    if found is None:
        return httpx.HTTPTransport(verify=certificates)
    variable, proxy = found
    parts = _checked(variable, proxy)
    keep_secret(parts.password, unquote(parts.password or ""))
    try:
        return httpx.HTTPTransport(
            verify=certificates, proxy=httpx.Proxy(proxy, ssl_context=_certificates(parts.scheme))
        )
    except ImportError:
        raise UserError(
            "proxy-unusable",
            f"{variable} names a SOCKS proxy, which needs one more package.",
            to_install("socks"),
        ) from None
    except (httpx.InvalidURL, ValueError):
        raise _no_proxy(variable, "is no address of a proxy") from None


def _checked(variable: str, proxy: str) -> SplitResult:
    try:
        parts = urlsplit(proxy)
        is_whole = is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise _no_proxy(variable, "is no address of a proxy")
    if parts.scheme not in _SCHEMES:
        raise _no_proxy(variable, f"names a proxy of the kind {said(parts.scheme, 20)}, which can't be used")
    return parts


def _no_proxy(variable: str, wrong: str) -> UserError:
    """The error without the value itself: it may hold a password."""
    fix = f"Set {variable} to something like http://proxy.example:3128 or socks5://proxy.example:1080, or unset it."
    return UserError("proxy-unusable", f"{variable} {wrong}.", fix)


def _pattern(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"all://[{host}]" if ":" in host else f"all://{host}"


def _is_left_out(url: SplitResult, environ: Mapping[str, str]) -> bool:
    left_out = environ.get("no_proxy") or environ.get("NO_PROXY")
    if left_out is None:
        return bool(proxy_bypass(url.hostname or ""))  # the exceptions in the system's settings
    return any(_names(entry, url) for entry in left_out.replace(",", " ").split())


def _names(entry: str, url: SplitResult) -> bool:
    """Whether an entry of `NO_PROXY` means this address."""
    entry = entry.lower().partition("://")[2] or entry.lower()
    host = (url.hostname or "").lower()
    with suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    name, port = _without_port(entry)
    if port and port != str(_port(url)):
        return False
    if name == "*":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host) == ipaddress.ip_address(name)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _without_port(entry: str) -> tuple[str, str]:
    name, colon, port = entry.rpartition(":")
    return (name.strip("[]"), port) if colon and port.isdigit() else (entry.strip("[]"), "")


def _port(url: SplitResult) -> int | None:
    with suppress(ValueError):
        return url.port or _PORTS.get(url.scheme)
    return None


def _certificates(scheme: str = "https") -> Any:
    """Whom to believe: `SSL_CERT_FILE`, else `SSL_CERT_DIR`, else those that httpx brings. None for a proxy without TLS."""
    if scheme != "https":
        return None
    for variable, option, is_there in (
        ("SSL_CERT_FILE", "cafile", os.path.isfile),
        ("SSL_CERT_DIR", "capath", _hold_files),
    ):
        if place := os.environ.get(variable):
            return _believed(variable, option, place, is_there)
    return httpx.create_ssl_context(trust_env=False)


def _believed(variable: str, option: str, place: str, is_there: Callable[[str], bool]) -> ssl.SSLContext:
    try:
        if is_there(place):
            return ssl.create_default_context(**{option: place})  # type: ignore[arg-type]
        wrong = "which is no file" if option == "cafile" else "which is no folder with certificates"
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        wrong = "which holds no certificates" if isinstance(error, ssl.SSLError) else "which can't be read"
    raise UserError(
        "certificates-unusable",
        f"{variable} names {plain(place, MOST_OF_A_PATH)}, {wrong}.",
        f"Set {variable} to the certificates to believe (PEM), or unset it.",
    )


def _hold_files(folders: str) -> bool:
    """Whether any of the folders, of which OpenSSL takes several, has something in it."""
    return any(os.path.isdir(folder) and os.listdir(folder) for folder in folders.split(os.pathsep))
