"""Whether the organisation keeps our explicit tax amounts: found out by sending some, and kept in the store.

A run learns it on its way, so it is read anew for every plan; a person's settings stay what they were when the run began.
"""

from __future__ import annotations

from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.steps import KeepsTax

_KEY = "keeps_tax_amount"


def keeps_tax(mappings: Mappings) -> KeepsTax:
    """What the organisation has shown so far."""
    kept = mappings.setting(_KEY)
    return "yes" if kept == "yes" else "half-cents" if kept == "half-cents" else "unknown"


def has_kept_tax(mappings: Mappings, *, tells_tax: bool) -> None:
    """It has returned our tax amounts unchanged; `tells_tax`: also such as Xero could not have reached by itself."""
    if tells_tax:
        mappings.set_setting(_KEY, "yes")
    elif mappings.setting(_KEY) is None:
        mappings.set_setting(_KEY, "half-cents")
