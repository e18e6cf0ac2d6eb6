"""Shapes that the real Xero answered, and what the local one is held against them with. README.md says how."""
