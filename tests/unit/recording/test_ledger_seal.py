"""The seal of a ledger file at rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.recording.seal import break_seal, is_intact, set_seal


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"figures")
    set_seal(path)
    return path


def _seal(database: Path) -> Path:
    return database.with_name("ledger.db.seal")


def test_what_was_sealed_is_intact_and_what_was_changed_is_not(database: Path) -> None:
    assert is_intact(database)
    database.write_bytes(b"figureS")
    assert not is_intact(database)
    assert not is_intact(database), "a file that failed is not taken for proved"
    database.write_bytes(b"figures")
    assert is_intact(database)


def test_a_change_that_keeps_size_and_time_is_seen_by_another_process(database: Path) -> None:
    before = database.stat()
    database.write_bytes(b"figureS")
    os.utime(database, ns=(before.st_atime_ns, before.st_mtime_ns))
    child = os.fork()
    if not child:
        from ledger.recording import seal

        seal._proved.clear()  # as in a process just started
        os._exit(0 if is_intact(database) else 7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_nothing_is_said_without_a_seal_of_the_resting_file(database: Path) -> None:
    database.write_bytes(b"figureS")
    log = database.with_name("ledger.db-wal")
    log.write_bytes(b"frames of a killed run")
    assert is_intact(database), "SQLite's log answers for it"
    log.unlink()
    _seal(database).write_text("killed while sea", encoding="ascii")
    assert is_intact(database)
    break_seal(database)
    assert is_intact(database)
    break_seal(database)
