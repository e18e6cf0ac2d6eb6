"""What runs with `--quiet` have told already, so that it is told once. Of each thing only a seal is kept, no text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from caspen_xero.store.store import Store, utc_text

_LENGTH = 16


def told_since(store: Store, tenant_id: str, scope: str, before: datetime | None = None) -> set[str]:
    """The seals of what was told in a scope, and stands still; `before`: only what was told last after that moment (UTC)."""
    rows = store.rows(
        "SELECT key FROM told WHERE tenant_id = ? AND scope = ? AND told_at > ?",
        tenant_id,
        scope,
        utc_text(before) if before else "",
    )
    return {row["key"] for row in rows}


def tell(store: Store, tenant_id: str, scope: str, seals: Iterable[str], now: datetime) -> None:
    """Remembers that this is told now."""
    for one in seals:
        store.run(
            "INSERT INTO told (tenant_id, scope, key, since, told_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant_id, scope, key) DO UPDATE SET told_at = excluded.told_at",
            tenant_id,
            scope,
            one,
            utc_text(now),
            utc_text(now),
        )


def forget(store: Store, tenant_id: str, scope: str, but: Iterable[str] = (), of: Iterable[str] = ()) -> None:
    """Forgets what stands no more, so that it is news when it comes again: all `but` these, and what is `of` these."""
    beginnings = {_of(one) for one in of}
    for gone in told_since(store, tenant_id, scope) - set(but):
        if gone[:_LENGTH] in beginnings:
            continue
        store.run("DELETE FROM told WHERE tenant_id = ? AND scope = ? AND key = ?", tenant_id, scope, gone)


def seal(text: str, of: str = "") -> str:
    """By what a text is known again; `of`: what it is about, so that all that is of that is known too."""
    whole = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return _of(of) + whole if of else whole


def _of(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
