"""Leads an SDK's requests for Xero's hosts to a local Xero, below the SDK, where a network would: it stays as it comes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import urllib3

XEROS = {"identity.xero.com", "login.xero.com", "api.xero.com"}


class LedHere(urllib3.PoolManager):
    """For `api_client.rest_client.pool_manager`. A request still says in `Host` whom it meant; others than Xero are not called."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:
        meant = urlsplit(url)
        assert (meant.scheme, meant.hostname in XEROS) == ("https", True), url
        options["headers"] = {**(options.get("headers") or {}), "Host": meant.netloc}
        return super().urlopen(
            method, f"{self.url}{meant._replace(scheme='', netloc='').geturl()}", redirect, **options
        )
