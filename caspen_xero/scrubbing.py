"""The run's own secrets, kept out of whatever comes from the other side: a gateway's page may repeat the whole request.

What brings a secret into the run says `keep_secret`. Answers are scrubbed where they enter (`xero/transport.py`,
`caspen/connection.py`), so that nothing behind them, such as the store and the log, can hold one; once more before the terminal.
"""

from __future__ import annotations

import base64
import html
import re
from urllib.parse import quote, quote_plus

MARK = "(secret)"
SHORTEST = 8
"""Characters. What is shorter is no secret worth the name, and stands in many a word."""

_needles: dict[str, None] = {}  # every form of every secret, in lower case


def keep_secret(*secrets: str | None) -> None:
    """From now on none of these is shown or stored of what comes from outside."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST and secret.lower() not in _needles:
            _needles.update(dict.fromkeys(form.lower() for form in _forms(secret)))


def scrubbed(text: str) -> str:
    """The text with every secret of this run, in whatever form, replaced by `MARK`."""
    if not _needles:
        return text
    lowered = text.lower()
    found = [needle for needle in _needles if needle in lowered]
    if not found:
        return text
    return re.sub("|".join(map(re.escape, sorted(found, key=len, reverse=True))), MARK, text, flags=re.IGNORECASE)


def scrubbed_bytes(body: bytes) -> bytes:
    """The same for a body, whatever it is."""
    # Each byte is one character here, so what is no UTF-8 stays as it is.
    return scrubbed(body.decode("latin-1")).encode("latin-1") if _needles else body


def _forms(secret: str) -> set[str]:
    """How a secret may be written by who repeats it: as it is, and as an address, HTML, JSON or Base64 has it."""
    written = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret),
        html.escape(secret),
        repr(secret)[1:-1],
    }
    escaped = {secret.replace("/", "\\/"), secret.replace("\\", "\\\\").replace('"', '\\"')}
    as_bytes = {
        form.encode("utf-8", "surrogateescape").decode("latin-1") for form in written
    }  # as a body of UTF-8 is read
    return {form for form in written | escaped | as_bytes | _in_base64(secret) if len(form) >= SHORTEST}


def _in_base64(secret: str) -> set[str]:
    """What is the same in every Base64 text that has the secret in it, whatever stands before it (`client id:secret`)."""
    plain = secret.encode("utf-8", "surrogateescape")
    found = set()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + plain).decode().rstrip("=")
        whole = text[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]  # without what its neighbours share
        found |= {whole, whole.replace("+", "-").replace("/", "_"), quote(whole, safe="")}
    return found
