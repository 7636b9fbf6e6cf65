"""Opening a home's ledger: for writing, created or rebuilt where it must be; for reading, untouched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy.engine import Engine

from ledger.errors import LedgerError
from ledger.home import Home
from ledger.recording import database, tables
from ledger.recording.cursor import is_behind, load_cursor
from ledger.recording.fold import Fold
from ledger.recording.journal import Journal
from ledger.recording.rebuild import replace_ledger
from ledger.recording.seal import is_intact
from ledger.recording.tools import Tools
from ledger.registry import Registry


def open_for_writing(
    home: Home,
    registry: Registry,
    url: str | None,
    tools: Callable[[], Tools],
    alone: Callable[[Engine], AbstractContextManager[None]],
) -> tuple[Engine, str]:
    """The ledger's database, and what people should be told of it ('' = nothing).

    It is created where there is none and rebuilt where it is of another schema, or not as it was
    last written; `alone` holds it against every other writer meanwhile.
    """
    if url is None:
        try:
            home.processed.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError("data/processed 建不起来：请检查磁盘空间和写权限。") from error
        engine = database.sqlite_engine(home.database)
        present = home.database.exists()
    else:
        engine = database.url_engine(url)
        present = True
    intact = not (url is None and present) or is_intact(home.database)
    if intact and present and database.stored_schema(engine) == tables.SCHEMA_VERSION:
        return engine, ""
    told = ""
    with alone(engine):
        intact = intact or is_intact(home.database)
        present = bool(url) or home.database.exists()
        stored = database.stored_schema(engine) if present and intact else None
        if stored is None and intact:
            database.create(engine)
            return engine, ""
        if stored != tables.SCHEMA_VERSION:
            engine.dispose()
            replace_ledger(home, registry, url, tools())
            told = (
                "台帐文件是另一版程序的格式，已由原件和日志重建。"
                if intact
                else "台帐文件与上次写完时不同（磁盘出错或被别的程序改动），已由原件和日志重建。"
            )
    return (database.sqlite_engine(home.database) if url is None else database.url_engine(url)), told


def open_readonly(
    home: Home, registry: Registry, url: str | None, tools: Callable[[], Tools], journal: Journal
) -> Engine:
    """The ledger without writing to it: what the journal holds and it does not is applied in memory."""
    engine, writable = _readable(home, url)
    if engine is not None:
        usable = database.stored_schema(engine) == tables.SCHEMA_VERSION
        behind = usable and is_behind(load_cursor(engine), journal)
        if usable and not behind:
            return engine
        if not (usable and writable):
            engine.dispose()
            engine = None
    if engine is None:
        engine = database.memory_engine()
        database.create(engine)
    if is_behind(load_cursor(engine), journal):
        Fold(engine, home, registry, tools()).run()
    return engine


def _readable(home: Home, url: str | None) -> tuple[Engine | None, bool]:
    """The present ledger without writing to it, and whether it is a copy to be written in."""
    if url is not None:
        return database.url_engine(url), False
    if not home.database.exists() or not is_intact(home.database):
        return None, False
    content = database.snapshot(home.database)
    if content is not None:
        return database.memory_engine(content), True
    return database.sqlite_reader(home.database), False
