"""The wish to have an edition sent as soon as it is signed (签发后随即发送).

It is part of the approval's own event, so that no kill comes between the two, and is settled by an
event of its own once every mail of the edition is queued; a mail that is queued is the outbox's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ledger.calendar import moment_text, now
from ledger.home import Home
from ledger.recording import events, tables
from ledger.recording.database import reading
from ledger.recording.issued import editions_between
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from schemas.month import Month


@dataclass(frozen=True, slots=True)
class Wish:
    """An issued edition that is to be sent and is not wholly queued yet; signed at `at`."""

    month: Month
    edition: int
    at: datetime


def ever_wished(home: Home) -> bool:
    """Whether any approval came with the wish: told from the journal, without the ledger."""
    return any(
        event.payload.get(events.THEN_SEND) for event in Journal(home.journal).of_kind(events.APPROVED)
    )


def open_wishes(ledger: Ledger, month: Month | None = None) -> list[Wish]:
    """The wishes, of one month or of all, that are still to be done, in the order of the approvals.

    The ledger must have caught up. A withdrawn approval takes its wish with it, a newer edition that
    of the one before; one that is approved and not issued yet is not to be sent.
    """
    sent, back = tables.outgoing, tables.withdrawn_editions
    kinds = (events.APPROVED, events.EDITION_QUEUED)
    told = sa.select(sent.c.event_seq, sent.c.kind, sent.c.payload).where(sent.c.kind.in_(kinds))
    taken_back = sa.select(back.c.event_seq, back.c.month, back.c.edition)
    with reading(ledger.engine) as connection:
        steps = [(line.event_seq, line.kind, json.loads(line.payload)) for line in connection.execute(told)]
        steps += [
            (line.event_seq, "", {"month": str(line.month), "edition": line.edition})
            for line in connection.execute(taken_back)
        ]
        last = {edition.month: edition for edition in editions_between(connection, month, month)}
    wished: dict[tuple[Month, int], None] = {}
    for _, kind, payload in sorted(steps, key=lambda step: step[0]):
        key = Month.parse(payload["month"]), int(payload["edition"])
        if kind != events.APPROVED:
            wished.pop(key, None)
        elif payload.get(events.THEN_SEND):
            wished[key] = None
    return [
        Wish(of, number, last[of].at) for of, number in wished if of in last and last[of].number == number
    ]


def settle_wish(ledger: Ledger, month: Month, number: int) -> None:
    """Journal that every mail of an edition is queued, where that was wished for."""
    if any(wish.edition == number for wish in open_wishes(ledger, month)):
        told = {"month": str(month), "edition": number, "at": moment_text(now())}
        ledger.note(events.EDITION_QUEUED, told)
