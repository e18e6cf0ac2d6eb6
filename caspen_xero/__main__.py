"""`python -m caspen_xero` is `caspen-xero`."""

from caspen_xero.cli.app import main

main()
