"""How `caspen-xero` begins: a shell that asks what may stand next is answered before anything else is imported."""

from __future__ import annotations

import os


def main() -> None:
    """The `caspen-xero` command."""
    from caspen_xero.cli.completion import VARIABLE, answer

    if os.environ.get(VARIABLE) and answer(os.environ):
        return
    from caspen_xero.cli.app import main as run

    run()
