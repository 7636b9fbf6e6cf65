"""The ledger is the fold of the journal: each event, in order, once, in one transaction each.

What the ledger holds depends on the journal and the originals alone, however the events were cut
into runs: a receipt is checked against what the events before it left, and receipts are checked
together only where none can see another (one month, every unit once). A receipt of a year without
a plan is put off until the plan's event, then applied in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.calendar import moment_text, parse_moment
from ledger.checking.model import Checked, Context
from ledger.errors import Busy, Damaged
from ledger.home import Home
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.recording import events, tables
from ledger.recording.checks import check_rows
from ledger.recording.codec import dumps, plan_text
from ledger.recording.database import reading, writing
from ledger.recording.entry import Entry, make_entry, one_per_table, storable
from ledger.recording.events import Receipt
from ledger.recording.history import load_history, make_context
from ledger.recording.journal import Event, Journal
from ledger.recording.originals import Originals
from ledger.recording.outgoing import outgoing_rows
from ledger.recording.plans import Plans, effective_month
from ledger.recording.recheck import later_chains, later_submissions, overlaid, renewed
from ledger.recording.registries import Registries
from ledger.recording.scope import is_repeated, received_before, standing_of
from ledger.recording.standing import Chains, load_chains
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.money import plain
from schemas.month import Month, PartialDate
from schemas.plan import Plan

#: How many files are read ahead in one batch.
BATCH = 400
_NOTHING = hashlib.sha256(b"").hexdigest()


class Read(Protocol):
    def __call__(
        self, jobs: Sequence[ReadJob], *, workers: int = 1, progress: Callable[[str], None] | None = None
    ) -> list[Submission]: ...


class CheckPlan(Protocol):
    def __call__(
        self, data: bytes, name: str, year: int, version: int, registry: Registry
    ) -> Plan | list[Finding]: ...


Check = Callable[[Sequence[tuple[Submission, Context]]], list[Checked]]


@dataclass(frozen=True)
class Tools:
    """How files are read and checked: the real ones, or a test's."""

    read: Read
    check: Check
    check_plan: CheckPlan
    workers: int = 1

    @classmethod
    def real(cls) -> Tools:
        """The program's own; loaded only when something is to be applied."""
        from ledger.checking.plan import check_plan
        from ledger.checking.submission import check_batch
        from ledger.reading.batch import read_files

        return cls(read_files, check_batch, check_plan)


@dataclass(slots=True)
class Cursor:
    """How far the ledger is: the last position and event applied, and the digest so far."""

    position: int = 0
    seq: int = 0
    event_sha256: str | None = None
    digest: str = _NOTHING


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
            "台帐与日志不是一套（日志换过或少了）。请核对 data/raw/journal，再运行 ledger rebuild。"
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


@dataclass
class Fold:
    """Applies outstanding events to the ledger in `engine`."""

    engine: Engine
    home: Home
    registry: Registry
    tools: Tools
    progress: Callable[[str], None] | None = None
    applied: list[Checked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._journal = Journal(self.home.journal)
        self._originals = Originals(self.home.originals)
        self._registries = Registries(self.home, self._journal, self.registry)
        self._cursor = load_cursor(self.engine)
        with reading(self.engine) as connection:
            self._plans = Plans.load(connection)

    def run(self) -> list[Checked]:
        """Apply what is missing; the submissions applied, in order. May be repeated at will."""
        for year in self._plans.years:
            self._take_up(year, self._first_plan_seq(year))
        for receipts, other in _runs(self._journal.events(after=self._cursor.seq)):
            self._receive(receipts)
            if other is not None:
                self._apply_other(other)
        return self.applied

    @property
    def cursor(self) -> Cursor:
        return self._cursor

    # --- events other than receipts

    def _apply_other(self, event: Event) -> None:
        if event.kind == events.PLAN_REGISTERED:
            self._apply_plan(event)
            self._take_up(int(event.payload["year"]), event.seq)
            return
        with reading(self.engine) as connection:
            outcome, rows = outgoing_rows(connection, event)
        self._commit(event.seq, event.kind, outcome, event.sha256, rows)

    def _apply_plan(self, event: Event) -> None:
        payload = event.payload
        year = int(payload["year"])
        version = self._plans.next_version(year)
        data = self._originals.read(payload["sha256"], payload["ext"])
        plan = self.tools.check_plan(
            data, payload["file_name"], year, version, self._registries.at(event.seq)
        )
        if not isinstance(plan, Plan):
            self._commit(event.seq, event.kind, "refused", event.sha256, [])
            return
        plan = self._plans.identified(plan)
        effective = effective_month(payload, year)
        line = {
            "year": year,
            "version": version,
            "event_seq": event.seq,
            "sha256": payload["sha256"],
            "file_name": payload["file_name"],
            "registered_at": parse_moment(payload["registered_at"]),
            "effective_from": effective,
            "plan": plan_text(plan),
        }
        self._commit(event.seq, event.kind, "applied", event.sha256, [(tables.plan_versions, [line])])
        self._plans.add(plan, effective)

    # --- receipts

    def _receive(self, receipts: Sequence[Receipt], at: int = 0) -> None:
        """Apply receipts, by the registry of their own time, or of event `at` where it is later."""
        if not receipts:
            return
        wave: list[Read1] = []
        for read in self._read(receipts, [max(one.seq, at) for one in receipts]):
            if wave and not _joins(wave, read):
                self._record(wave)
                wave = []
            wave.append(read)
        self._record(wave)

    def _first_plan_seq(self, year: int) -> int:
        plans = tables.plan_versions
        with reading(self.engine) as connection:
            query = sa.select(plans.c.event_seq).where(plans.c.year == year, plans.c.version == 1)
            return int(connection.execute(query).scalar_one())

    def _take_up(self, year: int, at: int) -> None:
        """Apply the receipts that waited for the plan of `year`, which came with event `at`."""
        late, sent, got = tables.put_off, tables.submissions, tables.receipts
        with reading(self.engine) as connection:
            waiting = connection.execute(
                sa.select(got, tables.events_applied.c.event_sha256)
                .join(late, late.c.event_seq == got.c.event_seq)
                .join(tables.events_applied, tables.events_applied.c.seq == got.c.event_seq)
                .outerjoin(sent, sent.c.submission_id == got.c.event_seq)
                .where(late.c.year == year, sent.c.submission_id.is_(None))
                .order_by(got.c.event_seq)
            ).all()
        self._receive(
            [
                Receipt(
                    line.event_seq,
                    line.sha256,
                    line.ext,
                    line.file_name,
                    line.received_at,
                    line.folder,
                    line.event_sha256,
                )
                for line in waiting
            ],
            at,
        )

    def _read(self, receipts: Sequence[Receipt], seqs: Sequence[int]) -> Iterator[Read1]:
        """Read files in one batch, each against the plan of the year it is about."""
        registries = [self._registries.at(seq) for seq in seqs]
        plans = [self._plans.at(receipt.month_due) for receipt in receipts]
        submissions = self._read_files(receipts, plans, registries)
        months = [_month_of(one, sent) for one, sent in zip(receipts, submissions, strict=True)]
        again = [
            place
            for place, month in enumerate(months)
            if self._plans.at(month) is not None and self._plans.at(month) is not plans[place]
        ]
        if again:
            right = [self._plans.at(months[place]) for place in again]
            found = self._read_files(
                [receipts[place] for place in again], right, [registries[place] for place in again]
            )
            for place, sent in zip(again, found, strict=True):
                submissions[place] = sent
        for receipt, submission, month, registry in zip(
            receipts, submissions, months, registries, strict=True
        ):
            yield Read1(receipt, submission, month, self._plans.at(month), registry)

    def _read_files(
        self, receipts: Sequence[Receipt], plans: Sequence[Plan | None], registries: Sequence[Registry]
    ) -> list[Submission]:
        jobs = []
        for receipt, plan, registry in zip(receipts, plans, registries, strict=True):
            self._originals.read(receipt.sha256, receipt.ext)
            path = self._originals.path(receipt.sha256, receipt.ext)
            filing = Filing(registry, receipt.folder, plan)
            jobs.append(ReadJob(path, receipt.file_name, receipt.sha256, filing))
        return list(self.tools.read(jobs, workers=self.tools.workers, progress=self.progress))

    def _record(self, wave: Sequence[Read1]) -> None:
        """Check a wave together, then record each of it in a transaction of its own."""
        ready = [read for read in wave if read.plan is not None]
        checks: dict[int, Checked] = {}
        if ready:
            plan, month = ready[0].plan, ready[0].month
            assert plan is not None
            with reading(self.engine) as connection:
                units = {read.unit for read in ready if read.unit}
                history = load_history(connection, plan, month, units, self._plans.before(month))
                before = received_before(connection, [read.receipt for read in wave])
            items = [
                (
                    read.submission,
                    make_context(plan, history, read.registry, before.get(read.receipt.seq, frozenset())),
                )
                for read in ready
            ]
            found = self.tools.check(items)
            checks = {read.receipt.seq: checked for read, checked in zip(ready, found, strict=True)}
        with reading(self.engine) as connection:
            units = {read.unit for read in ready}
            chains = load_chains(connection, wave[0].month, wave[0].month, units=units)
            entries = {
                seq: _make(connection, read, checks[seq], chains)
                for read in ready
                for seq in [read.receipt.seq]
            }
        self._check_later(ready, entries)
        for read in wave:
            entry = entries.get(read.receipt.seq)
            if entry is None:
                self._put_off(read)
            else:
                self._enter(read.receipt, entry)

    def _check_later(self, wave: Sequence[Read1], entries: Mapping[int, Entry]) -> None:
        """Check later months again that stand on what the wave changes; add it to its entries."""
        changing = [read for read in wave if entries[read.receipt.seq].changes]
        if not changing:
            return
        with reading(self.engine) as connection:
            chains = later_chains(connection, changing[0].month, {read.unit for read in changing})
            due = [
                (read, entries[read.receipt.seq], later)
                for read in changing
                for later in later_submissions(
                    connection, read.month, read.unit, entries[read.receipt.seq].changes, chains
                )
            ]
            if not due:
                return
            plans = [self._plans.version(one.month.year, one.plan_version) for _, _, one in due]
            submissions = self._read_files(
                [one.receipt for _, _, one in due], plans, [read.registry for read, _, _ in due]
            )
            items = []
            for (read, entry, one), plan, sent in zip(due, plans, submissions, strict=True):
                before = self._plans.before(one.month)
                history = load_history(connection, plan, one.month, {read.unit}, before)
                history = overlaid(history, read.month, read.unit, entry.changes)
                items.append((sent, make_context(plan, history, read.registry)))
            for (read, entry, one), again in zip(due, self.tools.check(items), strict=True):
                found = renewed(connection, one, again)
                if found is not None:
                    moment = max(read.receipt.received_at, one.receipt.received_at)
                    rows = check_rows(one.receipt.seq, read.receipt.seq, moment, found)
                    entry.rows += [(table, lines) for table, lines in rows if lines]

    def _enter(self, receipt: Receipt, entry: Entry) -> None:
        rows = entry.rows if self._is_put_off(receipt) else [_receipt_row(receipt), *entry.rows]
        outcome = "repeated" if entry.repeated else "applied"
        self._commit(receipt.seq, events.RECEIVED, outcome, receipt.event_sha256, rows)
        self.applied.append(entry.checked)

    def _is_put_off(self, receipt: Receipt) -> bool:
        return receipt.seq <= self._cursor.seq

    def _put_off(self, read: Read1) -> None:
        receipt = read.receipt
        line = {"event_seq": receipt.seq, "year": read.month.year}
        rows = [_receipt_row(receipt), (tables.put_off, [line])]
        self._commit(receipt.seq, events.RECEIVED, "put_off", receipt.event_sha256, rows)

    # --- writing

    def _commit(
        self,
        seq: int,
        kind: str,
        outcome: str,
        event_sha256: str,
        rows: Sequence[tuple[sa.Table, list[dict[str, Any]]]],
    ) -> None:
        """Insert the rows of one event and its mark in one transaction."""
        digest = _digest(self._cursor.digest, seq, kind, outcome, event_sha256, rows)
        position = self._cursor.position + 1
        mark = {
            "position": position,
            "seq": seq,
            "kind": kind,
            "outcome": outcome,
            "event_sha256": event_sha256,
            "digest": digest,
        }
        with writing(self.engine) as connection:
            try:
                connection.execute(tables.events_applied.insert(), [mark])
            except IntegrityError as error:
                raise Busy("另一台机器上的程序同时在入账，本次没有写入；请等它结束后再运行。") from error
            for table, lines in rows:
                connection.execute(table.insert(), lines)
        if seq > self._cursor.seq:
            self._cursor.seq, self._cursor.event_sha256 = seq, event_sha256
        self._cursor.position, self._cursor.digest = position, digest


def _runs(journal: Iterable[Event]) -> Iterator[tuple[list[Receipt], Event | None]]:
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


def _make(connection: Connection, read: Read1, checked: Checked, chains: Chains) -> Entry:
    """The rows of one checked submission, against what stands."""
    assert read.plan is not None
    checked = storable(checked)
    standing = {
        key: found
        for key in one_per_table(checked)
        if (found := standing_of(connection, read.month, read.unit, key, chains)) is not None
    }
    repeated = is_repeated(connection, read.receipt, read.month, read.unit, checked, standing)
    return make_entry(read.receipt, checked, read.month, read.unit, read.plan.version, standing, repeated)


def _month_of(receipt: Receipt, submission: Submission) -> Month:
    """The month a file is kept under: the one being filed, else the one it tells, else the due."""
    return receipt.folder or submission.month or receipt.month_due


def _joins(wave: Sequence[Read1], read: Read1) -> bool:
    """Whether `read` can be checked together with `wave`: the same month, another unit."""
    first = wave[0]
    same = read.month == first.month and (read.plan is None) == (first.plan is None)
    return same and all(
        read.unit != other.unit and read.receipt.sha256 != other.receipt.sha256 for other in wave
    )


def _receipt_row(receipt: Receipt) -> tuple[sa.Table, list[dict[str, Any]]]:
    line = {
        "event_seq": receipt.seq,
        "sha256": receipt.sha256,
        "ext": receipt.ext,
        "file_name": receipt.file_name,
        "folder": receipt.folder,
        "received_at": receipt.received_at,
    }
    return tables.receipts, [line]


def _digest(
    before: str,
    seq: int,
    kind: str,
    outcome: str,
    event_sha256: str,
    rows: Sequence[tuple[sa.Table, list[dict[str, Any]]]],
) -> str:
    """The digest of all rows so far, these included."""
    content = [seq, kind, outcome, event_sha256, [[table.name, lines] for table, lines in rows]]
    text = dumps(_plain(content))
    return hashlib.sha256((before + text).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case Decimal():
            return plain(value)
        case datetime():
            return moment_text(value)
        case Month() | PartialDate() | Path():
            return str(value)
        case _:
            return value
