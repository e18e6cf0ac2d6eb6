"""What a sign-in is told in OAuth's words: an error's code and description, which come through the browser or from a server."""

from __future__ import annotations

import re

from caspen_xero.outside_text import plain

LONGEST = 200
"""Characters. Xero's own descriptions are a sentence."""

_NO_WORDS = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]+")


def oauth_words(text: object) -> str:
    """A code or description in one short line, in the characters that OAuth allows there (RFC 6749, 4.1.2.1 and 5.2)."""
    return plain(_NO_WORDS.sub(" ", str(text)[: 4 * LONGEST]), LONGEST)
