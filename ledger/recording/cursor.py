"""How far the ledger is in the journal, and the digest of all its rows so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.calendar import moment_text
from ledger.errors import Damaged
from ledger.recording import events, tables
from ledger.recording.database import reading
from ledger.recording.journal import Journal
from schemas.money import plain
from schemas.month import Month, PartialDate

#: The rows of one event, by table, in the order in which they are inserted.
Rows = Sequence[tuple[sa.Table, list[dict[str, Any]]]]
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(slots=True)
class Cursor:
    """How far the ledger is: the last position and event applied, and the digest so far."""

    position: int = 0
    seq: int = 0
    event_sha256: str | None = None
    digest: str = _NOTHING


def load_cursor(engine: Engine) -> Cursor:
    applied = tables.events_applied
    with reading(engine) as connection:
        last = connection.execute(sa.select(applied).order_by(applied.c.position.desc()).limit(1)).first()
        if last is None:
            return Cursor()
        newest = connection.execute(sa.select(applied).order_by(applied.c.seq.desc()).limit(1)).one()
        return Cursor(last.position, newest.seq, newest.event_sha256, last.digest)


def is_behind(cursor: Cursor, journal: Journal) -> bool:
    """Whether the journal holds events that the ledger does not. Raises Damaged where the ledger
    is ahead of the journal, or was made from another."""
    names = journal.names()
    if cursor.seq > len(names) or (cursor.seq and journal.sha256_of(cursor.seq) != cursor.event_sha256):
        raise Damaged(
            f"台帐与日志不是一套：台帐已经入账到第 {cursor.seq} 号事件，data/raw/journal 里的不是入账的"
            "那一份，或少了文件。请先核对 --home 和数据库地址是不是这个县的；是的，从备份恢复 "
            "data/raw/journal；没有备份、愿意舍弃缺少的事件的，运行 ledger rebuild --accept-loss。"
        )
    silent = tuple(f"-{kind}.json" for kind in events.NOT_APPLIED)
    return any(not name.endswith(silent) for name in names[cursor.seq :])


def noted_digest(journal: Journal) -> Cursor | None:
    """The last digest in the journal, None where there is none."""
    event = journal.last_of_kind(events.DIGEST)
    if event is None:
        return None
    return Cursor(seq=int(event.payload["upto"]), digest=str(event.payload["digest"]))


def note_digest(journal: Journal, cursor: Cursor) -> None:
    """Journal the ledger's digest, so that a later rebuild can be compared with it."""
    last = noted_digest(journal)
    if cursor.seq and (last is None or (last.seq, last.digest) != (cursor.seq, cursor.digest)):
        journal.append(
            events.DIGEST,
            {"upto": cursor.seq, "digest": cursor.digest, "schema": tables.SCHEMA_VERSION},
        )


def digest_after(
    before: str,
    seq: int,
    kind: str,
    outcome: str,
    event_sha256: str,
    rows: Rows,
) -> str:
    """The digest of all rows so far, these included."""
    content = [seq, kind, outcome, event_sha256, [[table.name, lines] for table, lines in rows]]
    text = _ROWS_JSON.encode(content)
    return hashlib.sha256((before + text).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> str:
    """A value of a row that JSON doesn't know, as text."""
    match value:
        case Decimal():
            return plain(value)
        case datetime():
            return moment_text(value)
        case Month() | PartialDate() | Path():
            return str(value)
        case _:
            raise TypeError(f"no row holds a {type(value).__name__}")


_ROWS_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
