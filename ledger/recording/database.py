"""Opening the ledger's database: SQLite in the home by default, PostgreSQL by URL."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from ledger.errors import Busy, Damaged, LedgerError, UsageError
from ledger.home import Home
from ledger.recording import tables
from schemas.month import Month

#: Names the ledger's database; without it the ledger is a SQLite file in the home.
URL_VARIABLE = "LEDGER_DATABASE_URL"
#: The schema the tables stand in on PostgreSQL.
PG_SCHEMA = "ledger"
_WAIT_MS = 15_000
#: Advisory locks on PostgreSQL are (this, 0) for the ledger, (this, a month's index) for a month and
#: (this, minus a month's index) for the sending of its mails.
_LEDGER_KEY = zlib.crc32(b"ledger") & 0x7FFFFFFF
_LOCK_NOT_AVAILABLE = "55P03"
_NOT_WRITABLE = ("full", "readonly", "read-only", "unable to open", "disk i/o error")
_LARGEST_SNAPSHOT = 256 << 20


def configured_url(home: Home) -> str | None:
    """The URL of the database that the ledger of `home` is in; None = the file in the home."""
    return os.environ.get(URL_VARIABLE) or None


def sqlite_engine(path: Path, *, flushed: bool = True) -> Engine:
    """An engine on a SQLite file: WAL, flushed at every commit, transactions of our own making.

    A file that is only being built needs no flushing (`flushed` False) until it is done.
    """
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    _own_transactions(engine, durable=True, flushed=flushed)
    return engine


def sqlite_reader(path: Path) -> Engine:
    """An engine that can't write. On a ledger in use it may leave SQLite's own helper files."""
    immutable = "" if os.access(path.parent, os.W_OK) else "&immutable=1"
    uri = f"{path.resolve().as_uri()}?mode=ro{immutable}"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool)
    _own_transactions(engine, durable=False)
    return engine


def memory_engine(content: bytes | None = None) -> Engine:
    """A ledger in memory: empty, or the database file with this content."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    if content:

        @sa.event.listens_for(engine, "connect")
        def _load(connection: sqlite3.Connection, _record: Any) -> None:
            connection.deserialize(content)

    _own_transactions(engine, durable=False)
    return engine


def snapshot(path: Path) -> bytes | None:
    """The content of a ledger file as it rests, for `memory_engine`; reads and nothing else.

    None where another process is at work on it, or it is too large to hold: read it in place then.
    """
    log = path.with_name(path.name + "-wal")
    before = path.stat()
    if before.st_size > _LARGEST_SNAPSHOT or log.exists():
        return None
    data = bytearray(path.read_bytes())
    after = path.stat()
    if log.exists() or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return None
    # bytes 18 and 19 say "write-ahead log", which a database in memory can't have
    if data[18:20] == b"\x02\x02":
        data[18:20] = b"\x01\x01"
    return bytes(data)


def _own_transactions(engine: Engine, *, durable: bool, flushed: bool = True) -> None:
    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        if durable:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if flushed else 'OFF'}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def url_engine(url: str, schema: str = PG_SCHEMA, *, flushed: bool = True) -> Engine:
    """An engine on a database named by URL; on PostgreSQL its tables stand in `schema`, which is
    being built, and need not survive a power failure, where `flushed` is False.

    Raises UsageError for a URL that can't be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError("LEDGER_DATABASE_URL 不是可用的数据库地址，请核对。") from error
    name = parsed.get_backend_name()
    if name == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            return memory_engine()
        return sqlite_engine(Path(parsed.database))
    if name not in ("postgresql", "postgres"):
        raise UsageError("LEDGER_DATABASE_URL 只支持 SQLite 和 PostgreSQL，请核对。")
    engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f'SET search_path TO "{schema}"')
        if not flushed:
            connection.execute("SET synchronous_commit TO off")
        connection.autocommit = False

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    return engine


def is_postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


@contextmanager
def faults(where: str = "ledger.db") -> Iterator[None]:
    """Turn the database's own failures into operators' problems that say what to do."""
    try:
        yield
    except OperationalError as error:
        text = str(error.orig).lower()
        if "locked" in text or "busy" in text:
            raise Busy("另一个程序正在写台帐，请等它结束后再运行。") from error
        if any(words in text for words in _NOT_WRITABLE):
            raise LedgerError("台帐写不进去：请检查磁盘空间和 data/processed 的写权限。") from error
        raise LedgerError(
            f"台帐数据库连不上或中断（{where}）。请检查数据库后重新运行；已收文件不受影响。"
        ) from error
    except InterfaceError as error:
        raise LedgerError(
            f"台帐数据库的连接断了（{where}）。请检查数据库后重新运行；已收文件不受影响。"
        ) from error
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(
            error.orig, sqlite3.IntegrityError | sqlite3.ProgrammingError
        ):
            raise Damaged(f"台帐文件 {where} 已损坏。请运行 ledger rebuild 由原件和日志重建。") from error
        raise


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection in one consistent transaction that writes nothing."""
    with faults(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction, committed at the end, undone on any error."""
    with faults(), engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


def stored_schema(engine: Engine) -> int | None:
    """The schema version of a database, None where it holds no ledger."""
    with faults(), engine.connect() as connection, connection.begin():
        if is_postgres(engine):
            found = connection.exec_driver_sql("SELECT to_regclass('meta')").scalar()
        else:
            found = sa.inspect(connection).has_table("meta")
        if not found:
            return None
        value = connection.scalar(sa.select(tables.meta.c.value).where(tables.meta.c.key == "schema"))
        return None if value is None else int(value)


def create(engine: Engine, schema: str = PG_SCHEMA) -> None:
    """Create the ledger's tables and triggers in an empty database, in one transaction."""
    with writing(engine) as connection:
        if is_postgres(engine):
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        tables.metadata.create_all(connection, checkfirst=False)
        connection.execute(tables.meta.insert(), [{"key": "schema", "value": str(tables.SCHEMA_VERSION)}])


@contextmanager
def advisory_lock(engine: Engine, wait: float) -> Iterator[None]:
    """On PostgreSQL, hold the ledger against writers on other machines. Raises Busy."""
    if not is_postgres(engine):
        yield
        return
    with faults(), engine.connect() as raw:
        connection = raw.execution_options(isolation_level="AUTOCOMMIT", writing=True)
        connection.exec_driver_sql(f"SET lock_timeout = '{int(wait * 1000)}ms'")
        try:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LEDGER_KEY}, 0)")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise Busy("另一台机器上的程序正在写台帐，请等它结束后再运行。") from error
        try:
            yield
        finally:
            _let_go(connection, 0)


@contextmanager
def advisory_month(engine: Engine, month: Month, *, sending: bool = False) -> Iterator[None]:
    """On PostgreSQL, hold a month, or the `sending` of its mails, against runs on other machines.
    Raises Busy at once."""
    key = -month.index if sending else month.index
    if not is_postgres(engine):
        yield
        return
    with faults(), engine.connect() as raw:
        connection = raw.execution_options(isolation_level="AUTOCOMMIT", writing=True)
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LEDGER_KEY}, {key})").scalar_one():
            raise Busy(f"{month.chinese}正在由另一台机器上的运行处理；请等它结束后再试。")
        try:
            yield
        finally:
            _let_go(connection, key)


def _let_go(connection: Connection, key: int) -> None:
    """Give an advisory lock back. A connection that broke has lost it, and its session, already."""
    with suppress(DBAPIError):
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LEDGER_KEY}, {key})")
        connection.exec_driver_sql("RESET lock_timeout")
