"""HTTP to this machine, where nothing speaks TLS: without the certificates, whose loading takes longer than most tests."""

from __future__ import annotations

from functools import partial

import httpx

Client = partial(httpx.Client, verify=False)
delete = partial(httpx.delete, verify=False)
get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
put = partial(httpx.put, verify=False)
request = partial(httpx.request, verify=False)
