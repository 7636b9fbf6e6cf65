"""Receipts on their way into the ledger: in which batches they are read, and which are checked together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.reading.model import Submission
from ledger.recording import events, tables
from ledger.recording.events import Receipt
from ledger.recording.journal import Event
from ledger.registry import Registry
from schemas.month import Month
from schemas.plan import Plan

#: How many files are read ahead in one batch.
BATCH = 400


@dataclass(frozen=True, slots=True)
class Read1:
    """A receipt as read: its submission, month and plan; `plan` None where it must wait."""

    receipt: Receipt
    submission: Submission
    month: Month
    plan: Plan | None
    registry: Registry

    @property
    def unit(self) -> str:
        return self.submission.unit_code or ""


def runs(journal: Iterable[Event]) -> Iterator[tuple[list[Receipt], Event | None]]:
    """Receipts in batches, each with the other event that ends it."""
    batch: list[Receipt] = []
    for event in journal:
        if event.kind == events.RECEIVED:
            batch.append(events.receipt_of(event))
            if len(batch) == BATCH:
                yield batch, None
                batch = []
        elif event.kind not in events.NOT_APPLIED:
            yield batch, event
            batch = []
    if batch:
        yield batch, None


def month_of(receipt: Receipt, submission: Submission) -> Month:
    """The month a file is kept under: the one being filed, else the one it tells, else the due."""
    return receipt.folder or submission.month or receipt.month_due


class Wave:
    """Receipts that are checked together: of one month, every unit and every file once."""

    def __init__(self) -> None:
        self.reads: list[Read1] = []
        self._units: set[str] = set()
        self._files: set[str] = set()

    def takes(self, read: Read1) -> bool:
        """Whether `read` can be checked together with these."""
        if not self.reads:
            return True
        first = self.reads[0]
        same = read.month == first.month and (read.plan is None) == (first.plan is None)
        return same and read.unit not in self._units and read.receipt.sha256 not in self._files

    def add(self, read: Read1) -> None:
        self.reads.append(read)
        self._units.add(read.unit)
        self._files.add(read.receipt.sha256)


def receipt_row(receipt: Receipt) -> tuple[sa.Table, list[dict[str, Any]]]:
    line = {
        "event_seq": receipt.seq,
        "sha256": receipt.sha256,
        "ext": receipt.ext,
        "file_name": receipt.file_name,
        "folder": receipt.folder,
        "received_at": receipt.received_at,
    }
    return tables.receipts, [line]


def waiting_for(connection: Connection, year: int) -> list[Receipt]:
    """The receipts put off until the plan of `year` comes, in order."""
    late, sent, got = tables.put_off, tables.submissions, tables.receipts
    lines = connection.execute(
        sa.select(got, tables.events_applied.c.event_sha256)
        .join(late, late.c.event_seq == got.c.event_seq)
        .join(tables.events_applied, tables.events_applied.c.seq == got.c.event_seq)
        .outerjoin(sent, sent.c.submission_id == got.c.event_seq)
        .where(late.c.year == year, sent.c.submission_id.is_(None))
        .order_by(got.c.event_seq)
    )
    return [
        Receipt(
            line.event_seq,
            line.sha256,
            line.ext,
            line.file_name,
            line.received_at,
            line.folder,
            line.event_sha256,
        )
        for line in lines
    ]
