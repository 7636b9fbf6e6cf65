"""The ledger is the fold of the journal: each event, in order, once, whole or not at all.

What the ledger holds depends on the journal and the originals alone, however the events were cut
into runs: a receipt is checked against what the events before it left, and receipts are checked
together only where none can see another (one month, every unit once); such a wave is one transaction.
A receipt of a year without a plan is put off until the plan's event, then applied in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.calendar import parse_moment
from ledger.checking.model import Checked, Context
from ledger.errors import Busy
from ledger.home import Home
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.recording import events, tables
from ledger.recording.checks import check_rows
from ledger.recording.codec import plan_text
from ledger.recording.cursor import Cursor, Rows, digest_after, load_cursor
from ledger.recording.database import reading, writing
from ledger.recording.entry import Entry, make_entry, one_per_table, storable
from ledger.recording.events import Receipt
from ledger.recording.history import load_history, make_context
from ledger.recording.journal import Event, Journal
from ledger.recording.originals import Originals
from ledger.recording.outgoing import outgoing_rows
from ledger.recording.plans import Plans, effective_month
from ledger.recording.recheck import (
    Later,
    Renews,
    by_history,
    by_plan,
    later_chains,
    later_submissions,
    overlaid,
    renewed,
    standing_submissions,
)
from ledger.recording.registries import Registries
from ledger.recording.scope import is_repeated, received_before, standing_of
from ledger.recording.standing import Chains, load_chains
from ledger.recording.tools import Tools
from ledger.recording.waves import Read1, Wave, month_of, receipt_row, runs, waiting_for
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import Plan


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
        self._pending: dict[sa.Table, list[dict[str, Any]]] = {}
        with reading(self.engine) as connection:
            self._plans = Plans.load(connection)

    def run(self) -> list[Checked]:
        """Apply what is missing; the submissions applied, in order. May be repeated at will."""
        for year in self._plans.years:
            self._take_up(year, self._first_plan_seq(year))
        for receipts, other in runs(self._journal.events(after=self._cursor.seq)):
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
        self._note(event.seq, event.kind, outcome, event.sha256, rows)
        self._commit()

    def _apply_plan(self, event: Event) -> None:
        payload = event.payload
        year = int(payload["year"])
        version = self._plans.next_version(year)
        data = self._originals.read(payload["sha256"], payload["ext"])
        plan = self.tools.check_plan(
            data, payload["file_name"], year, version, self._registries.at(event.seq)
        )
        if not isinstance(plan, Plan):
            self._note(event.seq, event.kind, "refused", event.sha256, [])
            self._commit()
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
        rows: Rows = [(tables.plan_versions, [line]), *self._check_by_plan(event, plan, effective)]
        self._note(event.seq, event.kind, "applied", event.sha256, rows)
        self._commit()

    def _check_by_plan(self, event: Event, plan: Plan, effective: Month) -> Rows:
        """Take up `plan`; the rows of the checks of what stands in months that it is now in force for."""
        self._plans.add(plan, effective)
        year = [Month(plan.year, number) for number in range(1, 13)]
        months = [month for month in year if self._plans.at(month) is plan]
        if plan.version == 1 or not months:
            return []
        registry = self._registries.at(event.seq)
        registered_at = parse_moment(event.payload["registered_at"])
        rows: list[tuple[sa.Table, list[dict[str, Any]]]] = []
        with reading(self.engine) as connection:
            due = standing_submissions(connection, months)
            contexts = {}
            for month in {one.month for one in due}:
                units = {one.unit for one in due if one.month == month}
                history = load_history(connection, plan, month, units, self._plans.before(month))
                contexts[month] = make_context(plan, history, registry)
            against = [contexts[one.month] for one in due]
            for place, found in self._again(connection, due, against, [registry] * len(due), by_plan):
                receipt = due[place].receipt
                moment = max(registered_at, receipt.received_at)
                rows += check_rows(receipt.seq, event.seq, moment, found)
        return [(table, lines) for table, lines in rows if lines]

    # --- receipts

    def _receive(self, receipts: Sequence[Receipt], at: int = 0) -> None:
        """Apply receipts, by the registry of their own time, or of event `at` where it is later."""
        if not receipts:
            return
        wave = Wave()
        for read in self._read(receipts, [max(one.seq, at) for one in receipts]):
            if not wave.takes(read):
                self._record(wave.reads)
                wave = Wave()
            wave.add(read)
        self._record(wave.reads)

    def _first_plan_seq(self, year: int) -> int:
        plans = tables.plan_versions
        with reading(self.engine) as connection:
            query = sa.select(plans.c.event_seq).where(plans.c.year == year, plans.c.version == 1)
            return int(connection.execute(query).scalar_one())

    def _take_up(self, year: int, at: int) -> None:
        """Apply the receipts that waited for the plan of `year`, which came with event `at`."""
        with reading(self.engine) as connection:
            waiting = waiting_for(connection, year)
        self._receive(waiting, at)

    def _read(self, receipts: Sequence[Receipt], seqs: Sequence[int]) -> Iterator[Read1]:
        """Read files in one batch, each against the plan of the year it is about."""
        registries = [self._registries.at(seq) for seq in seqs]
        plans = [self._plans.at(receipt.month_due) for receipt in receipts]
        submissions = self._read_files(receipts, plans, registries)
        months = [month_of(one, sent) for one, sent in zip(receipts, submissions, strict=True)]
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
        # one filing for all that are read against the same: it is sent to the reading process once
        filings: dict[tuple[int, Month | None, int], Filing] = {}
        for receipt, plan, registry in zip(receipts, plans, registries, strict=True):
            self._originals.read(receipt.sha256, receipt.ext)
            path = self._originals.path(receipt.sha256, receipt.ext)
            same = (id(registry), receipt.folder, id(plan))
            filing = filings.setdefault(same, Filing(registry, receipt.folder, plan))
            jobs.append(ReadJob(path, receipt.file_name, receipt.sha256, filing))
        return list(self.tools.read(jobs, workers=self.tools.workers, progress=self.progress))

    def _record(self, wave: Sequence[Read1]) -> None:
        """Check a wave together and record it in one transaction."""
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
        self._commit()
        self.applied += [entries[read.receipt.seq].checked for read in ready]

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
            contexts = []
            for read, entry, one in due:
                plan = self._plans.at(one.month)
                assert plan is not None, "what stands was checked by a plan"
                before = self._plans.before(one.month)
                history = load_history(connection, plan, one.month, {read.unit}, before)
                history = overlaid(history, read.month, read.unit, entry.changes)
                contexts.append(make_context(plan, history, read.registry))
            standing = [later for _, _, later in due]
            registries = [read.registry for read, _, _ in due]
            for place, found in self._again(connection, standing, contexts, registries, by_history):
                read, entry, one = due[place]
                moment = max(read.receipt.received_at, one.receipt.received_at)
                rows = check_rows(one.receipt.seq, read.receipt.seq, moment, found)
                entry.rows += [(table, lines) for table, lines in rows if lines]

    def _again(
        self,
        connection: Connection,
        due: Sequence[Later],
        contexts: Sequence[Context],
        registries: Sequence[Registry],
        renews: Renews,
    ) -> Iterator[tuple[int, list[Finding]]]:
        """Check what stands again, each against its context: its place, and its findings where they
        are not what is on record."""
        if not due:
            return
        plans = [context.plan for context in contexts]
        submissions = self._read_files([one.receipt for one in due], plans, registries)
        checked = self.tools.check(list(zip(submissions, contexts, strict=True)))
        for place, (one, again) in enumerate(zip(due, checked, strict=True)):
            found = renewed(connection, one, again, renews)
            if found is not None:
                yield place, found

    def _enter(self, receipt: Receipt, entry: Entry) -> None:
        rows = entry.rows if self._is_put_off(receipt) else [receipt_row(receipt), *entry.rows]
        outcome = "repeated" if entry.repeated else "applied"
        self._note(receipt.seq, events.RECEIVED, outcome, receipt.event_sha256, rows)

    def _is_put_off(self, receipt: Receipt) -> bool:
        return receipt.seq <= self._cursor.seq

    def _put_off(self, read: Read1) -> None:
        receipt = read.receipt
        line = {"event_seq": receipt.seq, "year": read.month.year}
        rows = [receipt_row(receipt), (tables.put_off, [line])]
        self._note(receipt.seq, events.RECEIVED, "put_off", receipt.event_sha256, rows)

    # --- writing

    def _note(self, seq: int, kind: str, outcome: str, event_sha256: str, rows: Rows) -> None:
        """Have the rows of one event, and its mark, written with the next commit."""
        digest = digest_after(self._cursor.digest, seq, kind, outcome, event_sha256, rows)
        position = self._cursor.position + 1
        mark = {
            "position": position,
            "seq": seq,
            "kind": kind,
            "outcome": outcome,
            "event_sha256": event_sha256,
            "digest": digest,
        }
        for table, lines in [(tables.events_applied, [mark]), *rows]:
            self._pending.setdefault(table, []).extend(lines)
        if seq > self._cursor.seq:
            self._cursor.seq, self._cursor.event_sha256 = seq, event_sha256
        self._cursor.position, self._cursor.digest = position, digest

    def _commit(self) -> None:
        """Write what was noted, in one transaction. A fold that could not is of no further use."""
        pending, self._pending = self._pending, {}
        marks = pending.pop(tables.events_applied, [])
        if not marks:
            return
        with writing(self.engine) as connection:
            try:
                connection.execute(tables.events_applied.insert(), marks)
            except IntegrityError as error:
                raise Busy("另一台机器上的程序同时在入账，本次没有写入；请等它结束后再运行。") from error
            for table, lines in pending.items():
                connection.execute(table.insert(), lines)


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
