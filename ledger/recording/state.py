"""Where the ledger is and in what state, found without writing and without proving its rows."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import database, tables
from ledger.recording.seal import is_intact

#: How long a database on another machine may take to answer, seconds.
_PATIENCE = "5"


@dataclass(frozen=True, slots=True)
class LedgerState:
    """`where` names the kind and place without a password; `missing` where there is none yet;
    `intact` False where the file was changed since it was written; `current` whether its tables are
    this program's."""

    where: str
    missing: bool = False
    intact: bool = True
    current: bool = True


def ledger_state(home: Home, *, url: str | None = None) -> LedgerState:
    """The state of a home's ledger. Raises LedgerError where the database can't be reached, UsageError
    where its address can't be used."""
    url = url or os.environ.get(database.URL_VARIABLE) or None
    if url is not None:
        return _by_url(url)
    where = f"SQLite {home.relative(home.database)}"
    if not home.database.is_file():
        return LedgerState(where, missing=True)
    if not is_intact(home.database):
        return LedgerState(where, intact=False)
    engine = database.sqlite_reader(home.database)
    try:
        return LedgerState(where, current=database.stored_schema(engine) == tables.SCHEMA_VERSION)
    finally:
        engine.dispose()


def _by_url(url: str) -> LedgerState:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError("LEDGER_DATABASE_URL 不是可用的数据库地址，请核对。") from error
    if parsed.get_backend_name() == "sqlite":
        where = "SQLite（LEDGER_DATABASE_URL 所指）"
    else:
        where = f"PostgreSQL {parsed.host or ''}/{parsed.database or ''}".replace(" /", " ")
        if "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": _PATIENCE})
    engine = database.url_engine(parsed.render_as_string(hide_password=False))
    try:
        stored = database.stored_schema(engine)
    finally:
        engine.dispose()
    return LedgerState(where, missing=stored is None, current=stored in (None, tables.SCHEMA_VERSION))
