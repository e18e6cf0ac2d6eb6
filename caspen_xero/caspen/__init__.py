"""The Caspen side: the billing feed's records, and where they come from."""
