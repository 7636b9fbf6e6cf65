"""What an event of approving, issuing, withdrawing or sending adds to the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.calendar import parse_moment
from ledger.recording import events, tables
from ledger.recording.codec import dumps
from ledger.recording.issued import edition_row, editions_of
from ledger.recording.journal import Event
from ledger.recording.outbox import delivery_row, is_of_a_mail
from ledger.recording.withdrawn import withdrawal_row
from schemas.month import Month

Rows = list[tuple[sa.Table, list[dict[str, Any]]]]


def outgoing_rows(connection: Connection, event: Event) -> tuple[str, Rows]:
    """What becomes of an event, and its rows: the event itself, and the edition that it issues or
    takes back; of a mail, its delivery. It is ``refused`` where its number stands already, where
    nothing is left to be taken back, or where a mail is queued twice; the event is on record all
    the same."""
    if is_of_a_mail(event):
        row = delivery_row(connection, event)
        return ("refused", []) if row is None else ("applied", [(tables.deliveries, [row])])
    month = event.payload.get("month")
    line = {
        "event_seq": event.seq,
        "kind": event.kind,
        "month": None if month is None else Month.parse(month),
        "at": parse_moment(str(event.payload.get("at", event.recorded_at))),
        "payload": dumps(dict(event.payload)),
    }
    rows: Rows = [(tables.outgoing, [line])]
    match event.kind:
        case events.EDITION_ISSUED:
            row = edition_row(event)
            taken = {one.number for one in editions_of(connection, row["month"])}
            if row["edition"] in taken:
                return "refused", rows
            rows.append((tables.editions, [row]))
        case events.APPROVAL_WITHDRAWN:
            back = withdrawal_row(connection, event)
            if back is None:
                return "refused", rows
            rows.append((tables.withdrawn_editions, [back]))
    return "applied", rows
