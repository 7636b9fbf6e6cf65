"""The ledger again from data/raw alone, and the proof that nothing differs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.errors import Damaged
from ledger.home import Home
from ledger.recording import database, events, tables
from ledger.recording.cursor import Cursor, is_behind, load_cursor, note_digest, noted_digest
from ledger.recording.database import reading
from ledger.recording.fold import Fold
from ledger.recording.head import note_head, require_end
from ledger.recording.holding import hold
from ledger.recording.journal import Journal, flush
from ledger.recording.originals import Originals
from ledger.recording.seal import break_seal, is_intact, set_seal
from ledger.recording.tools import Tools
from ledger.registry import Registry

#: How many differences are told one by one; the count is always whole.
_TOLD = 50


@dataclass
class Outcome:
    """What a rebuild or a verification found. `differences` is empty where all is the same."""

    lines: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def rebuild(
    home: Home,
    registry: Registry,
    *,
    url: str | None = None,
    tools: Tools | None = None,
    accept_loss: bool = False,
) -> Outcome:
    """Build the ledger anew and put it in the place of the present one, in one step. Works where
    the present one is damaged.

    Raises Damaged where the present one holds what the journal has lost: it is the last witness of
    it, and goes only with `accept_loss`.
    """
    outcome = Outcome()
    url = url or database.configured_url(home)
    tools = tools or Tools.real()
    journal = Journal(home.journal)
    engine = database.url_engine(url) if url else None
    with hold(home, engine):
        if not accept_loss:
            _refuse_loss(home, url, journal)
        cursor = replace_ledger(home, registry, url, tools, outcome)
        noted = noted_digest(journal)
        if noted is not None and noted.seq == cursor.seq and noted.digest != cursor.digest:
            outcome.lines.append("重建结果与日志记载的校验值不同：程序或登记资料有过变化，已按现行规则重建。")
        note_digest(journal, cursor)
        note_head(home, journal)
    if engine is not None:
        engine.dispose()
    outcome.lines.append(f"台帐已重建：{_told(outcome.counts)}。")
    return outcome


def _refuse_loss(home: Home, url: str | None, journal: Journal) -> None:
    """Raise Damaged where the present ledger, or the journal's head, knows events that are gone."""
    require_end(home, journal)
    if url is None and not (home.database.exists() and is_intact(home.database)):
        return
    try:
        with _present(home, url) as engine:
            cursor = None if engine is None else load_cursor(engine)
    except Damaged:
        return  # nothing can be read of it: it witnesses nothing
    if cursor is not None:
        is_behind(cursor, journal)


def verify(home: Home, registry: Registry, *, url: str | None = None, tools: Tools | None = None) -> Outcome:
    """Rebuild beside the present ledger and compare row for row; where there is none, with the
    digest in the journal. Also proves the journal's chain and every original. Changes nothing."""
    outcome = Outcome()
    tools = tools or Tools.real()
    journal = Journal(home.journal)
    try:
        _prove_raw(home, journal, outcome)
    except Damaged as damage:
        outcome.differences.append(damage.message)
        outcome.lines.append(damage.message)
        return outcome
    with beside(home) as path:
        fresh = database.sqlite_engine(path, flushed=False)
        database.create(fresh)
        cursor = fold_into(fresh, home, registry, tools)
        outcome.counts = _counts(fresh)
        with _present(home, url) as engine:
            if engine is not None:
                compare(engine, fresh, outcome)
                against = "现有台帐"
            else:
                compare_noted(journal, cursor, outcome)
                against = "日志中的校验值"
        fresh.dispose()
    verdict = "逐行一致" if not outcome.differences else f"有 {len(outcome.differences)} 处不同"
    outcome.lines.append(f"由原件和日志重建（{_told(outcome.counts)}），与{against}比较：{verdict}。")
    outcome.lines += [f"  {line}" for line in outcome.differences[:_TOLD]]
    return outcome


def replace_ledger(
    home: Home, registry: Registry, url: str | None, tools: Tools, outcome: Outcome | None = None
) -> Cursor:
    """Build a new ledger beside the present one and put it in its place; the caller holds it."""
    if url is not None and not url.startswith("sqlite"):
        return _replace_schema(home, registry, url, tools, outcome)
    path = home.database if url is None else Path(sa.make_url(url).database or "")
    with beside(home) as aside:
        engine = database.sqlite_engine(aside, flushed=False)
        database.create(engine)
        cursor = fold_into(engine, home, registry, tools)
        if outcome is not None:
            outcome.counts = _counts(engine)
        with engine.connect() as connection:
            connection.rollback()
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        flush(aside)
        break_seal(path)
        # a write-ahead log left by the old file would be taken for the new one's
        for old in (path, *_companions(path)):
            old.unlink(missing_ok=True)
        aside.replace(path)
        set_seal(path)
    return cursor


def _replace_schema(
    home: Home, registry: Registry, url: str, tools: Tools, outcome: Outcome | None
) -> Cursor:
    """On PostgreSQL: a new schema, renamed into place in one transaction."""
    name, aside = database.PG_SCHEMA, f"{database.PG_SCHEMA}_new"
    fresh = database.url_engine(url, aside, flushed=False)
    with database.writing(fresh) as connection:
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{aside}" CASCADE')
    database.create(fresh, aside)
    cursor = fold_into(fresh, home, registry, tools)
    if outcome is not None:
        outcome.counts = _counts(fresh)
    with database.writing(fresh) as connection:
        # flushed, and with it all that was committed before
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO on")
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')
        connection.exec_driver_sql(f'ALTER SCHEMA "{aside}" RENAME TO "{name}"')
    fresh.dispose()
    return cursor


def fold_into(engine: Engine, home: Home, registry: Registry, tools: Tools) -> Cursor:
    """Apply the whole journal to an empty ledger."""
    fold = Fold(engine, home, registry, tools)
    fold.run()
    return fold.cursor


@contextlib.contextmanager
def beside(home: Home) -> Iterator[Path]:
    """A file beside the ledger for building a new one, gone afterwards."""
    home.processed.mkdir(parents=True, exist_ok=True)
    for left in home.processed.glob("ledger.db.new-*"):
        left.unlink(missing_ok=True)
    path = home.processed / f"ledger.db.new-{os.getpid()}"
    try:
        yield path
    finally:
        for old in (path, *_companions(path)):
            old.unlink(missing_ok=True)


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


@contextlib.contextmanager
def _present(home: Home, url: str | None) -> Iterator[Engine | None]:
    """The present ledger, None where there is none of this schema."""
    url = url or database.configured_url(home)
    if url is None and not home.database.exists():
        yield None
        return
    engine = database.url_engine(url) if url else database.sqlite_reader(home.database)
    try:
        stored = database.stored_schema(engine)
        yield engine if stored == tables.SCHEMA_VERSION else None
    finally:
        engine.dispose()


def _prove_raw(home: Home, journal: Journal, outcome: Outcome) -> None:
    """Read the whole chain and every original it names. Raises Damaged at the first that is wrong."""
    originals = Originals(home.originals)
    proved: set[str] = set()
    count = 0
    for event in journal.events():
        count += 1
        for sha256, ext in events.originals_of(event):
            if sha256 not in proved:
                originals.read(sha256, ext)
                proved.add(sha256)
    outcome.lines.append(f"日志 {count} 个事件、原件 {len(proved)} 个，均与记载相符。")


def compare(present: Engine, fresh: Engine, outcome: Outcome) -> None:
    """Compare two ledgers table by table, row for row."""
    behind = load_cursor(present).position
    with reading(present) as ours, reading(fresh) as theirs:
        for table in tables.metadata.sorted_tables:
            key = list(table.primary_key)
            shown = [column for column in table.c if column.name != "digest"]
            query = sa.select(*shown).order_by(*key)
            places = [shown.index(column) for column in key]
            left = {tuple(row[n] for n in places): tuple(row) for row in ours.execute(query)}
            right = {tuple(row[n] for n in places): tuple(row) for row in theirs.execute(query)}
            for place in sorted(left.keys() | right.keys(), key=str):
                if left.get(place) != right.get(place):
                    where = ", ".join(str(value) for value in place)
                    how = _how(place in left, place in right)
                    outcome.differences.append(f"{table.name}（{where}）：{how}")
    if outcome.differences and behind < load_cursor(fresh).position:
        outcome.lines.append("现有台帐还没有赶上日志；请先运行 ledger status 再核对。")


def _how(in_present: bool, in_fresh: bool) -> str:
    if in_present and in_fresh:
        return "内容不同"
    return "只在现有台帐中" if in_present else "只在重建结果中"


def compare_noted(journal: Journal, cursor: Cursor, outcome: Outcome) -> None:
    """Compare a rebuilt ledger's digest with the journal's."""
    noted = noted_digest(journal)
    if noted is None:
        outcome.lines.append("日志中还没有校验值，无从比较。")
    elif noted.seq == cursor.seq and noted.digest != cursor.digest:
        outcome.differences.append("重建结果与日志中的校验值不同")
    elif noted.seq != cursor.seq:
        outcome.lines.append("日志中最后的校验值早于最后的事件，只能确认重建成功。")


def _counts(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
            if table.name not in ("meta", "put_off")
        }


def _told(counts: dict[str, int]) -> str:
    rows = sum(counts.get(table.name, 0) for table in tables.item_tables.values())
    return (
        f"收件 {counts.get('receipts', 0)} 件、版次 {counts.get('table_versions', 0)} 个、"
        f"数据 {rows} 行、问题 {counts.get('findings', 0)} 条"
    )
