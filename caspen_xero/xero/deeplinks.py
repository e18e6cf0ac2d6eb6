"""Addresses of documents in Xero's own pages, as Xero's command line builds them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from caspen_xero.xero.addresses import is_id


@dataclass(frozen=True)
class XeroPages:
    """Where an organisation's documents open in a browser. `short_code` is the organisation's, with its `!`; `base` "": nowhere."""

    short_code: str | None = None
    base: str = "https://go.xero.com"

    def invoice(self, xero_id: str | None) -> str | None:
        """Where a sales invoice opens; None for what is no id."""
        return self._page("invoicing/view", xero_id)

    def contact(self, xero_id: str | None) -> str | None:
        """Where a contact opens; None for what is no id."""
        return self._page("contacts/contact", xero_id)

    def there(self, xero_id: str | None) -> str:
        """Where an invoice is, in words: `in Xero (its page)`; without the page where it is not there, or nobody knows."""
        page = self.invoice(xero_id)
        return f"in Xero ({page})" if page else "in Xero"

    def _page(self, kind: str, xero_id: str | None) -> str | None:
        if not self.base or not is_id(xero_id or ""):
            return None
        return f"{self.base}/app/{quote(self.short_code or '', safe='!')}/{kind}/{xero_id}"
