"""Where Caspen's records come from: a path or a URL, opened as a feed."""

import datetime as dt
from collections.abc import Mapping

from .feed import Feed, OnProgress
from .files import FileFeed


def is_url(source: str | None) -> bool:
    """Whether a source is a server, not a path."""
    return source is not None and source.lower().startswith(("http://", "https://"))


def open_feed(
    source: str,
    *,
    api_key: str | None = None,
    cursors: Mapping[str, dt.datetime] | None = None,
    on_progress: OnProgress | None = None,
) -> Feed:
    """The feed at a path or URL. `api_key` (from the keyring) and `cursors` (of the last reading) are for URLs only."""
    if is_url(source):
        from .api import ApiFeed  # only then: importing an HTTP client takes time

        return ApiFeed(source, api_key=api_key, cursors=cursors, on_progress=on_progress)
    return FileFeed([source], on_progress=on_progress)
