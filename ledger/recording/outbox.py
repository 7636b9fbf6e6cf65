"""The outbox: every mail that was ever queued, and what became of it.

A mail is queued whole (its words, its attachments by hash) in one event; what happens to it
afterwards is an event each. The newest says where it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.calendar import parse_moment
from ledger.recording import events, tables
from ledger.recording.journal import Event
from schemas.month import Month


class Kind(StrEnum):
    """What is sent."""

    EDITION = "edition"
    FORMS = "forms"
    RETURN = "return"
    REMINDER = "reminder"


class State(StrEnum):
    """Where a mail stands.

    ``queued``: not tried yet, or to be tried anew. ``attempted``: a dialogue began and its end is
    not on record (it goes on, or the program was stopped). ``sent``: the server took it.
    ``written``: it lies in the outbox folder. ``deferred``: not taken for now. ``refused``: not
    taken, for good. ``uncertain``: the server's word was lost. ``dropped``: left out, `detail` says
    why.
    """

    QUEUED = "queued"
    ATTEMPTED = "attempted"
    SENT = "sent"
    WRITTEN = "written"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DROPPED = "dropped"


#: States of a mail that is to be delivered by the next who delivers.
WAITING = frozenset({State.QUEUED, State.ATTEMPTED, State.DEFERRED, State.UNCERTAIN})
#: States in which its recipient holds it, or may.
HELD = frozenset({State.SENT, State.WRITTEN, State.UNCERTAIN, State.ATTEMPTED})
#: Dropped because a newer edition is sent instead.
SUPERSEDED = "superseded"

_OF_A_MAIL = frozenset(
    {
        events.MAIL_QUEUED,
        events.MAIL_ATTEMPTED,
        events.MAIL_FAILED,
        events.MAIL_AGAIN,
        events.MAIL_DROPPED,
        events.SENT,
    }
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail on record. `queued_seq` is the event that has its content, `state` where it stands
    since `at`. `doubtful` says that a try before the last ended without the server's word: its
    recipient may hold the same message twice."""

    message_id: str
    kind: Kind
    month: Month
    edition: int | None
    day: str | None
    unit_code: str | None
    recipient_key: str
    recipient_name: str
    address: str
    about: tuple[str, ...]
    queued_seq: int
    queued_at: datetime
    state: State
    at: datetime
    detail: str
    tries: int
    doubtful: bool

    @property
    def waiting(self) -> bool:
        return self.state in WAITING

    @property
    def held(self) -> bool:
        """Whether its recipient has it, or may have it."""
        return self.state in HELD or self.doubtful


def is_of_a_mail(event: Event) -> bool:
    """Whether an event is about a mail in the outbox."""
    return event.kind in _OF_A_MAIL and "message_id" in event.payload


def delivery_row(connection: Connection, event: Event) -> dict[str, Any] | None:
    """The row of a mail's event; None where the mail is queued already, or was never queued."""
    table = tables.deliveries
    payload = event.payload
    query = sa.select(table).where(table.c.message_id == payload["message_id"])
    last = connection.execute(query.order_by(table.c.event_seq.desc()).limit(1)).mappings().first()
    if (last is None) != (event.kind == events.MAIL_QUEUED):
        return None
    at = parse_moment(str(payload.get("at", event.recorded_at)))
    row = _queued_row(payload) if last is None else dict(last)
    return {
        **row,
        "event_seq": event.seq,
        "at": at,
        "address": str(payload.get("address") or row["address"]),
        "state": _state_after(event).value,
        "detail": str(payload.get("detail", "")),
    }


def _queued_row(payload: Mapping[str, Any]) -> dict[str, Any]:
    recipient = payload["recipient"]
    return {
        "message_id": str(payload["message_id"]),
        "month": Month.parse(payload["month"]),
        "kind": str(Kind(payload["kind"])),
        "edition": payload.get("edition"),
        "day": payload.get("day"),
        "unit_code": payload.get("unit"),
        "recipient_key": str(recipient["key"]),
        "recipient_name": str(recipient["name"]),
        "address": str(recipient["address"]),
        "about": " ".join(payload.get("about") or ()),
    }


def _state_after(event: Event) -> State:
    match event.kind:
        case events.MAIL_QUEUED | events.MAIL_AGAIN:
            return State.QUEUED
        case events.MAIL_ATTEMPTED:
            return State.ATTEMPTED
        case events.SENT:
            return State.WRITTEN if event.payload.get("via") == "file" else State.SENT
        case events.MAIL_DROPPED:
            return State.DROPPED
        case _:
            if event.payload.get("uncertain"):
                return State.UNCERTAIN
            return State.REFUSED if event.payload.get("permanent") else State.DEFERRED


def mails_of(connection: Connection, month: Month, kinds: Collection[Kind] | None = None) -> tuple[Mail, ...]:
    """The mails of a month in the order they were queued, of some kinds only where they are named."""
    table = tables.deliveries
    query = sa.select(table).where(table.c.month == month).order_by(table.c.event_seq)
    if kinds is not None:
        query = query.where(table.c.kind.in_([str(kind) for kind in kinds]))
    rows: dict[str, list[sa.Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.message_id, []).append(row)
    return tuple(_mail(lines) for lines in rows.values())


def _mail(rows: list[sa.Row[Any]]) -> Mail:
    first, last = rows[0], rows[-1]
    states = [State(row.state) for row in rows]
    unanswered = (State.ATTEMPTED, State.QUEUED, State.DROPPED)
    doubtful = any(
        one is State.UNCERTAIN or (one is State.ATTEMPTED and after in unanswered)
        for one, after in pairwise(states)
    )
    return Mail(
        message_id=last.message_id,
        kind=Kind(last.kind),
        month=last.month,
        edition=last.edition,
        day=last.day,
        unit_code=last.unit_code,
        recipient_key=last.recipient_key,
        recipient_name=last.recipient_name,
        address=last.address,
        about=tuple(last.about.split()),
        queued_seq=first.event_seq,
        queued_at=first.at,
        state=states[-1],
        at=last.at,
        detail=last.detail,
        tries=states.count(State.ATTEMPTED),
        doubtful=doubtful,
    )
