"""What Task Scheduler starts: `caspen-xero` with variables of its own, where what it says goes to a file.

    pythonw -m caspen_xero.cli.unattended LOG NAME=VALUE... COMMAND...

Other systems give a job its variables, and keep what it says, themselves.
"""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime

from caspen_xero.times import local


def main(arguments: list[str]) -> int:
    """Runs the command; gives its exit code. A run that says nothing leaves nothing in the file."""
    log, *rest = arguments
    while rest and re.match(r"[A-Za-z_]\w*=", rest[0]):
        name, _, value = rest.pop(0).partition("=")
        os.environ[name] = value
    said = io.StringIO()
    sys.stdout = sys.stderr = said
    sys.argv = ["caspen-xero", *rest]
    code = 0
    try:
        from caspen_xero.cli.app import main as caspen_xero

        caspen_xero()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        if said.getvalue().strip():
            with suppress(OSError), open(log, "a", encoding="utf-8") as file:
                file.write(f"{local(datetime.now(UTC))}\n{said.getvalue().rstrip()}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
