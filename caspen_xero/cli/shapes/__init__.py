"""What commands give with `--json`, each as a type: `caspen-xero schema` and the tests are made from these."""
