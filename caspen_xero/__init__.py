"""Keeps a Caspen clinic's books in Xero."""

__version__ = "0.1.0"
