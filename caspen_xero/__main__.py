"""`python -m caspen_xero` is `caspen-xero`."""

from caspen_xero.cli.start import main

main()
