"""Approvals taken back: an edition may be withdrawn until something of it was sent or queued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.calendar import moment_text, parse_moment
from ledger.recording import tables
from ledger.recording.issued import approved_only, edition_of, editions_of
from ledger.recording.journal import Event
from ledger.recording.model import Edition
from ledger.recording.moments import AsOf, known
from schemas.month import Month


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An approval taken back: of which edition, when, by whom and why ('' = not said)."""

    month: Month
    edition: int
    at: datetime
    by: str
    reason: str

    def payload(self) -> dict[str, Any]:
        """The payload of its event."""
        return {
            "month": str(self.month),
            "edition": self.edition,
            "by": self.by,
            "reason": self.reason,
            "at": moment_text(self.at),
        }


def sent_or_queued(connection: Connection, month: Month, number: int) -> bool:
    """Whether anything of a month's edition was sent or waits to be sent."""
    mails = tables.deliveries
    query = sa.select(mails.c.event_seq).where(mails.c.month == month, mails.c.edition == number)
    return connection.execute(query.limit(1)).first() is not None


def withdrawal_row(connection: Connection, event: Event) -> dict[str, Any] | None:
    """The row of an ``approval_withdrawn`` event; None where its edition does not stand, or was sent."""
    payload = event.payload
    month, number = Month.parse(payload["month"]), int(payload["edition"])
    left = approved_only(connection, month)
    stands = {edition.number for edition in editions_of(connection, month)}
    stands |= {left.number} if left is not None else set()
    if number not in stands or sent_or_queued(connection, month, number):
        return None
    table = tables.editions
    issued_by = connection.scalar(
        sa.select(sa.func.max(table.c.event_seq)).where(table.c.month == month, table.c.edition == number)
    )
    return {
        "event_seq": event.seq,
        "month": month,
        "edition": number,
        "edition_seq": None if left is not None and left.number == number else issued_by,
        "at": parse_moment(str(payload.get("at", event.recorded_at))),
        "by": str(payload.get("by", "")),
        "reason": str(payload.get("reason", "")),
    }


def withdrawals_of(connection: Connection, month: Month, as_of: AsOf = None) -> tuple[Withdrawal, ...]:
    """The approvals of a month that were taken back, in order, as of a moment."""
    back = tables.withdrawn_editions
    query = known(sa.select(back).where(back.c.month == month), back.c.at, back.c.event_seq, as_of)
    return tuple(
        Withdrawal(line.month, line.edition, line.at, line.by, line.reason)
        for line in connection.execute(query.order_by(back.c.event_seq))
    )


def withdrawn_editions(connection: Connection, month: Month) -> tuple[Edition, ...]:
    """The editions of a month that were issued and then withdrawn, in the order of their issue."""
    table, back = tables.editions, tables.withdrawn_editions
    query = sa.select(table).join(back, back.c.edition_seq == table.c.event_seq)
    query = query.where(table.c.month == month).order_by(table.c.event_seq)
    return tuple(edition_of(line) for line in connection.execute(query))
