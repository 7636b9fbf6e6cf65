"""Holding a home's ledger: one writer at a time, here and on other machines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy.engine import Engine

from ledger.errors import LedgerError
from ledger.home import Home
from ledger.recording import database
from ledger.recording.lock import PATIENCE, exclusive


@contextlib.contextmanager
def hold(home: Home, engine: Engine | None) -> Iterator[None]:
    """Hold the ledger of `home` against every other writer, here and, where `engine` is a
    PostgreSQL one, on other machines. Raises Busy after some seconds. Not re-entrant."""
    try:
        home.raw.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError("data/raw 建不起来：请检查磁盘空间和写权限。") from error
    with exclusive(home.raw, "台帐"):
        if engine is None:
            yield
        else:
            with database.advisory_lock(engine, PATIENCE):
                yield
