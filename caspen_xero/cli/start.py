"""How `caspen-xero` begins: a shell that asks what may stand next is answered before anything else is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `caspen-xero` command. Ctrl-C while it is loaded ends it in words as soon as it is."""
    try:
        from caspen_xero.interruption import noted, take_no_more, take_signals

        take_signals()
        try:
            with noted():
                from caspen_xero.cli.completion import VARIABLE, answer

                if os.environ.get(VARIABLE) and answer(os.environ):
                    return
                from caspen_xero.cli.app import main as run

            run()
        finally:
            take_no_more()
    except KeyboardInterrupt:  # before anything could be loaded that says more, or a second time
        from caspen_xero.errors import ExitCode

        sys.stderr.write("Error: Interrupted.\n")
        sys.exit(ExitCode.INTERRUPTED)
