"""Another run in the workspace, and what it must find there as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from filelock import FileLock
from pushing import Clinic


@contextmanager
def another_run(clinic: Clinic) -> Iterator[None]:
    """While it lasts, another run is active in the workspace."""
    with FileLock(clinic.home / "default" / "run.lock"):
        yield


def contents(clinic: Clinic) -> list[str]:
    """All that stands in the store."""
    with closing(sqlite3.connect(clinic.store_file)) as store:
        return list(store.iterdump())
