"""Editions on record: what was approved, issued and not withdrawn since, by month."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.calendar import moment_text, parse_moment
from ledger.recording import events, tables
from ledger.recording.codec import dumps
from ledger.recording.journal import Event
from ledger.recording.model import Edition
from ledger.recording.moments import AsOf, known
from schemas.month import Month


def editions_of(connection: Connection, month: Month, as_of: AsOf = None) -> tuple[Edition, ...]:
    """The month's issued editions, in order, as of a moment."""
    return editions_between(connection, month, month, as_of)


def editions_between(
    connection: Connection, first: Month | None = None, last: Month | None = None, as_of: AsOf = None
) -> tuple[Edition, ...]:
    """The issued editions of the months from `first` to `last`, in order, as of a moment; without
    them of all months. Those withdrawn by then are left out."""
    table = tables.editions
    query = sa.select(table).where(~is_withdrawn(as_of)).order_by(table.c.month, table.c.edition)
    if first is not None:
        query = query.where(table.c.month >= first)
    if last is not None:
        query = query.where(table.c.month <= last)
    query = known(query, table.c.at, table.c.event_seq, as_of)
    return tuple(edition_of(line) for line in connection.execute(query))


def edition_of(line: sa.Row[Any]) -> Edition:
    """The edition that a row of the editions has."""
    return Edition(
        month=line.month,
        number=line.edition,
        at=line.at,
        by=line.by,
        upto=line.upto,
        plan_version=line.plan_version,
        registry_files=json.loads(line.registry),
        files=json.loads(line.files),
    )


def is_withdrawn(as_of: AsOf = None) -> sa.Exists:
    """In a query of the editions: whether the edition had been withdrawn by a moment."""
    back = tables.withdrawn_editions
    query = sa.select(back.c.event_seq).where(back.c.edition_seq == tables.editions.c.event_seq)
    return known(query, back.c.at, back.c.event_seq, as_of).exists()


def approved_only(connection: Connection, month: Month) -> Edition | None:
    """The edition that was approved and, the program having been stopped, not issued yet."""
    sent, back = tables.outgoing, tables.withdrawn_editions
    query = sa.select(sent.c.event_seq, sent.c.payload).where(
        sent.c.kind == events.APPROVED, sent.c.month == month
    )
    approved = [
        (line.event_seq, json.loads(line.payload))
        for line in connection.execute(query.order_by(sent.c.event_seq))
    ]
    issued = {edition.number for edition in editions_of(connection, month)}
    withdrawn = {
        line.edition: line.event_seq
        for line in connection.execute(
            sa.select(back.c.edition, back.c.event_seq)
            .where(back.c.month == month)
            .order_by(back.c.event_seq)
        )
    }
    left = [
        _edition(payload)
        for seq, payload in approved
        if (number := int(payload["edition"])) not in issued and seq > withdrawn.get(number, 0)
    ]
    return left[-1] if left else None


def payload_of(edition: Edition) -> dict[str, Any]:
    """The payload of an edition's events."""
    return {
        "month": str(edition.month),
        "edition": edition.number,
        "at": moment_text(edition.at),
        "by": edition.by,
        "upto": edition.upto,
        "plan_version": edition.plan_version,
        "registry": dict(edition.registry_files),
        "files": dict(edition.files),
    }


def edition_row(event: Event) -> dict[str, Any]:
    """The row of an ``edition_issued`` event."""
    edition = _edition(event.payload, upto=event.seq - 1, at=event.recorded_at)
    return {
        "month": edition.month,
        "edition": edition.number,
        "event_seq": event.seq,
        "at": edition.at,
        "by": edition.by,
        "upto": edition.upto,
        "plan_version": edition.plan_version,
        "registry": dumps(dict(edition.registry_files)),
        "files": dumps(dict(edition.files)),
    }


def _edition(payload: Mapping[str, Any], upto: int = 0, at: str = "") -> Edition:
    return Edition(
        month=Month.parse(payload["month"]),
        number=int(payload["edition"]),
        at=parse_moment(str(payload.get("at", at))),
        by=str(payload.get("by", "")),
        upto=int(payload.get("upto", upto)),
        plan_version=int(payload.get("plan_version", 0)),
        registry_files=payload.get("registry", {}),
        files=payload.get("files", {}),
    )
