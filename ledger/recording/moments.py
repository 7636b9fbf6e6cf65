"""As of: what the ledger is asked to forget when it is read.

A moment (`datetime`) forgets what was received after it. An edition is frozen more sharply, by the
last event it holds: a file that comes in later is not in it, whatever time of receipt it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

Query = TypeVar("Query", bound="sa.Select[Any]")


@dataclass(frozen=True, slots=True)
class Frozen:
    """The ledger after event `upto`; `at` is the moment an edition froze (its date)."""

    upto: int
    at: datetime


#: None = now.
AsOf = datetime | Frozen | None


def known(query: Query, received_at: Any, seq: Any, as_of: AsOf) -> Query:
    """`query`, only for what was known: `received_at` and `seq` are its columns for that."""
    if as_of is None:
        return query
    if isinstance(as_of, Frozen):
        return query.where(seq <= as_of.upto)
    return query.where(received_at <= as_of)


def moment_of(as_of: AsOf) -> datetime | None:
    """The moment to show: an edition's own, else the one asked for, None = now."""
    return as_of.at if isinstance(as_of, Frozen) else as_of
