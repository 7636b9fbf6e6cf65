"""Whether a ledger file is still what was written: its SHA-256 beside it while it is at rest.

SQLite notices a broken page, not a changed figure. The seal is broken before anything is written
and set when all is in the file; a file that differs from its seal was changed by the disk or by
another program, and is built anew from the journal. A run that was killed leaves no seal, and
SQLite's own log then answers for what is half written.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy.engine import Engine

from ledger.recording.journal import sync_folder

_SUFFIX = ".seal"
_WHOLE = 64
#: States of files that this process has proved or sealed already: (path, inode, size, time).
_proved: set[tuple[str, int, int, int]] = set()


def break_seal(database: Path) -> None:
    """Called before the first write, by whoever holds the ledger."""
    _seal(database).unlink(missing_ok=True)


def set_seal(database: Path, engine: Engine | None = None) -> None:
    """Bring SQLite's log into the file and seal it; called by whoever holds the ledger.

    Where a reader keeps the log from being emptied the file stays without a seal.
    """
    if engine is not None and not _settled(engine):
        return
    _seal(database).write_text(_digest(database), encoding="ascii")
    sync_folder(database.parent)
    _proved.add(_state(database))


def is_intact(database: Path) -> bool:
    """False where the file at rest is not what was sealed; True also where nothing can be said.

    Certain only while the ledger is held: a writer may be at work otherwise.
    """
    try:
        stated = _seal(database).read_text(encoding="ascii", errors="replace")
        if len(stated) < _WHOLE:
            return True  # killed while sealing
        if _log_size(database) or _state(database) in _proved:
            return True
        state = _state(database)
        if _digest(database) != stated:
            return False
    except FileNotFoundError:
        return True
    _proved.add(state)
    return True


def _seal(database: Path) -> Path:
    return database.with_name(database.name + _SUFFIX)


def _log_size(database: Path) -> int:
    log = database.with_name(database.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def _state(database: Path) -> tuple[str, int, int, int]:
    found = database.stat()
    return str(database), found.st_ino, found.st_size, found.st_mtime_ns


def _digest(database: Path) -> str:
    with database.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settled(engine: Engine) -> bool:
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        connection.rollback()
        busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
