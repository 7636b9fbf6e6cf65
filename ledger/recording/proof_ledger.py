"""The ledger's part of `ledger verify`: against the journal, in itself, and row for row."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ledger.calendar import moment_text, parse_moment
from ledger.errors import Damaged, LedgerError
from ledger.home import Home
from ledger.recording import database, events, tables
from ledger.recording.cursor import load_cursor, noted_digest
from ledger.recording.database import reading
from ledger.recording.holding import hold
from ledger.recording.journal import Event, Journal
from ledger.recording.ledger import Ledger
from ledger.recording.proof_words import REBUILD, REBUILD_OR_NEW, Fault, Proof, Wrong
from ledger.recording.rebuild import Outcome, compare, compare_noted, fold_into
from ledger.recording.seal import is_intact
from ledger.recording.tools import Tools
from ledger.registry import Registry


@contextmanager
def held(home: Home, url: str | None) -> Iterator[None]:
    """Hold the ledger against writers, here and, on PostgreSQL, on other machines."""
    engine = database.url_engine(url) if url else None
    try:
        with hold(home, engine):
            yield
    finally:
        if engine is not None:
            engine.dispose()


@dataclass
class Present:
    """The present ledger as it was found: `engine` is None where it can't be read."""

    engine: Engine | None = None
    fault: Fault | None = None
    note: str = ""
    applied: Mapping[int, str] = field(default_factory=dict)
    seq: int = 0

    def __enter__(self) -> Present:
        return self

    def __exit__(self, *_: object) -> None:
        if self.engine is not None:
            self.engine.dispose()


def present_ledger(home: Home, url: str | None) -> Present:
    """The present ledger, read only; its faults are kept for when their turn comes."""
    name = home.relative(home.database)
    if url is None:
        if not home.database.exists():
            return Present(note="还没有台帐文件；运行任何命令都会由原件和日志重建。")
        if not is_intact(home.database):
            what = f"台帐文件 {name} 与上次写完时不同：磁盘出错，或被别的程序改动过。"
            return Present(fault=Fault(what, name, REBUILD))
    engine = database.url_engine(url) if url else database.sqlite_reader(home.database)
    try:
        stored = database.stored_schema(engine)
        if stored != tables.SCHEMA_VERSION:
            engine.dispose()
            return Present(note="台帐是旧格式或空的；下次运行时由原件和日志重建。")
        if url is None:
            _sound_pages(engine, name)
        applied = tables.events_applied
        with reading(engine) as connection:
            lines = connection.execute(sa.select(applied.c.seq, applied.c.event_sha256)).all()
        return Present(engine, applied={line.seq: line.event_sha256 for line in lines}, seq=_last(lines))
    except Wrong as wrong:
        engine.dispose()
        return Present(fault=wrong.fault)
    except Damaged:
        engine.dispose()
        return Present(fault=Fault(f"台帐文件 {name} 已损坏。", name, REBUILD))
    except LedgerError:
        engine.dispose()
        raise


def _last(lines: Sequence[sa.Row[tuple[int, str]]]) -> int:
    return max((line.seq for line in lines), default=0)


def _sound_pages(engine: Engine, name: str) -> None:
    """SQLite's own check of its file."""
    with reading(engine) as connection:
        said = [str(line[0]) for line in connection.exec_driver_sql("PRAGMA integrity_check(1)")]
    if said != ["ok"]:
        raise Wrong(f"台帐文件 {name} 的结构已损坏。", name, REBUILD)


# --- the ledger against the journal


def prove_records(
    home: Home, url: str | None, present: Present, journal: Sequence[Event], proof: Proof
) -> None:
    """What the ledger recorded of each event, its version chains, its digest."""
    if present.fault is not None:
        raise Wrong(present.fault.what, present.fault.where, present.fault.remedy)
    if present.engine is None:
        proof.notes.append(present.note)
        return
    where = home.relative(home.database) if url is None else "ledger"
    waiting = _waiting(present, journal)
    if waiting:
        proof.notes.append(f"日志中还有 {len(waiting)} 个事件没有入账；下次运行 ledger run 时入账。")
    with reading(present.engine) as connection:
        _receipts(connection, present, journal, where)
        _plans(connection, present, journal, where)
        _belongs(connection, where)
        versions = _chains(connection, where)
        cursor = load_cursor(present.engine)
    noted = noted_digest(Journal(home.journal))
    if noted is not None and noted.seq == cursor.seq and noted.digest != cursor.digest:
        what = "台帐的校验值与日志记载的不同：台帐不是由这些原件按记载的次序写成的。"
        raise Wrong(what, where, REBUILD_OR_NEW)
    proof.counts["versions"] = versions
    proof.lines.append(f"台帐：入账到第 {present.seq} 号事件，{versions} 个版次连续，与日志相符。")


def _receipts(connection: Connection, present: Present, journal: Sequence[Event], where: str) -> None:
    got = {line.event_seq: line for line in connection.execute(sa.select(tables.receipts))}
    stated = {event.seq: event for event in journal if event.kind == events.RECEIVED}
    for seq in sorted(got.keys() | {seq for seq in stated if seq <= present.seq}):
        event, line = stated.get(seq), got.get(seq)
        if event is None:
            raise Wrong(f"台帐中有一份日志没有的收件（第 {seq} 号）。", f"{where} receipts {seq}", REBUILD)
        name = event.payload.get("file_name")
        if line is None:
            raise Wrong(f"台帐中缺少第 {seq} 号收件（{name}）。", f"{where} receipts {seq}", REBUILD)
        moment = parse_moment(str(event.payload["received_at"]))
        same = (line.sha256, line.ext) == (event.payload["sha256"], event.payload["ext"])
        if not same or moment_text(line.received_at) != moment_text(moment):
            raise Wrong(f"台帐中第 {seq} 号收件（{name}）与日志不同。", f"{where} receipts {seq}", REBUILD)


def _plans(connection: Connection, present: Present, journal: Sequence[Event], where: str) -> None:
    stored = {line.event_seq: line for line in connection.execute(sa.select(tables.plan_versions))}
    applied = tables.events_applied
    query = sa.select(applied.c.seq).where(
        applied.c.kind == events.PLAN_REGISTERED, applied.c.outcome == "applied"
    )
    due = set(connection.scalars(query))
    stated = {event.seq: event for event in journal if event.kind == events.PLAN_REGISTERED}
    for seq in sorted(stored.keys() | due):
        event, line = stated.get(seq), stored.get(seq)
        if event is None or line is None or line.sha256 != event.payload["sha256"]:
            raise Wrong(f"台帐中第 {seq} 号事件登记的计划与日志不同。", f"{where} plan_versions", REBUILD)


def _belongs(connection: Connection, where: str) -> None:
    """Nothing in the ledger is without the receipt it came from."""
    sent, got = tables.submissions, tables.receipts
    parts = [
        (sent, sent.c.submission_id, got.c.event_seq, got),
        *(
            (table, table.c.submission_id, sent.c.submission_id, sent)
            for table in (
                tables.submission_tables,
                tables.table_versions,
                tables.checks,
                tables.findings,
                tables.corrections,
                *tables.item_tables.values(),
            )
        ),
    ]
    for table, column, target, owner in parts:
        query = sa.select(column).outerjoin(owner, column == target).where(target.is_(None)).limit(1)
        orphan = connection.execute(query).scalar()
        if orphan is not None:
            raise Wrong(
                f"台帐的 {table.name} 中有来历不明的行（第 {orphan} 号收件不存在）。",
                f"{where} {table.name} {orphan}",
                REBUILD,
            )


def _chains(connection: Connection, where: str) -> int:
    """Every chain runs 1, 2, 3 …; how many versions there are."""
    table = tables.table_versions
    query = (
        sa.select(
            table.c.month,
            table.c.unit_code,
            table.c.table_key,
            sa.func.count().label("many"),
            sa.func.min(table.c.version).label("first"),
            sa.func.max(table.c.version).label("last"),
        )
        .group_by(table.c.month, table.c.unit_code, table.c.table_key)
        .order_by(table.c.month, table.c.unit_code, table.c.table_key)
    )
    count = 0
    for line in connection.execute(query):
        count += line.many
        if line.first != 1 or line.last != line.many:
            scope = f"{line.month} {line.unit_code} {line.table_key}"
            raise Wrong(f"台帐中 {scope} 的版次不连续。", f"{where} table_versions {scope}", REBUILD)
    return count


# --- row for row


def prove_rows(
    home: Home,
    registry: Registry,
    url: str | None,
    tools: Tools,
    present: Present,
    journal: Sequence[Event],
    proof: Proof,
) -> None:
    """The ledger built again beside the present one and compared."""
    behind = bool(_waiting(present, journal))
    if behind and url is not None:
        proof.notes.append("还有事件没有入账，没有逐行比较；入账后请再运行一次。")
        return
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        fresh = database.sqlite_engine(Path(folder) / "ledger.db")
        try:
            database.create(fresh)
            cursor = fold_into(fresh, home, registry, tools)
            rows = _count(fresh)
            if present.engine is None:
                compare_noted(Journal(home.journal), cursor, outcome)
                proof.notes += outcome.lines
            elif behind:
                with Ledger.open(home, registry, readonly=True, tools=tools) as caught_up:
                    compare(caught_up.engine, fresh, outcome)
            else:
                compare(present.engine, fresh, outcome)
        finally:
            fresh.dispose()
    if outcome.differences:
        first, more = outcome.differences[0], len(outcome.differences) - 1
        told = f"台帐与由原件重建的不同：{first}" + (f"，另有 {more} 处" if more else "") + "。"
        raise Wrong(told, first, REBUILD_OR_NEW)
    proof.counts["rows"] = rows
    proof.lines.append(f"重建：由原件重新读、核、记账，{rows} 行逐行一致。")


def _waiting(present: Present, journal: Sequence[Event]) -> list[Event]:
    """The events that the ledger has not applied yet."""
    if present.engine is None:
        return []
    return [e for e in journal if e.seq > present.seq and e.kind not in events.NOT_APPLIED]


def _count(engine: Engine) -> int:
    with reading(engine) as connection:
        return sum(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        )
