"""Opening the ledger for a command, with the registry of its home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry


@contextmanager
def open_ledger(
    home: Home, registry: Registry | None = None, *, url: str | None = None, readonly: bool = False
) -> Iterator[Ledger]:
    """The ledger of `home`, closed at the end; in its usual database, or the one that `url` names."""
    with Ledger.open(home, registry or Registry.load(home), url=url, readonly=readonly) as ledger:
        yield ledger
