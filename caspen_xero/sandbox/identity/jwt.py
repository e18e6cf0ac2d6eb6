"""Tokens as Xero gives them: JWTs signed with RSA (RS256), and the public half of the key for whoever checks them.

The header's fields are those of tokens that Xero gave (a `kid` of 40 hexadecimal digits, `x5t` the same bytes in Base64).
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
_BITS = 2_048


class Signer:
    """Signs with the sandbox's own key, which is kept in its database: what was given out stays good over a restart."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE IF NOT EXISTS identity_rsa_key (pem TEXT)")
        db.execute(
            "INSERT INTO identity_rsa_key SELECT ? WHERE NOT EXISTS (SELECT * FROM identity_rsa_key)", (_new_key(),)
        )
        self._key = _imported(db.execute("SELECT pem FROM identity_rsa_key").fetchone()[0])
        print_of_key = hashlib.sha1(self._key.as_der(private=False), usedforsecurity=False)
        self.key_id = print_of_key.hexdigest().upper()
        self._x5t = base64url(print_of_key.digest())

    def signed(self, claims: dict[str, Any]) -> str:
        """The claims as a JWT."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.key_id, "typ": "JWT", "x5t": self._x5t}, claims, self._key)

    def key_set(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "use": "sig", "alg": ALGORITHM, "kid": self.key_id}]}


def base64url(data: bytes) -> str:
    """Base64 as tokens have it, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def _new_key() -> str:
    """A key, one for each process: making one takes a tenth of a second."""
    return RSAKey.generate_key(_BITS).as_pem(private=True).decode()


@cache
def _imported(pem: str) -> RSAKey:
    return RSAKey.import_key(pem)
