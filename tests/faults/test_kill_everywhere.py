"""kill -9 before the durable steps of receiving, correcting and rebuilding: each flush, link,
replacement, removal and commit. Every third of them here, all of them in benchmarks/faults.py."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.home import Home
from ledger.recording import tables
from ledger.recording.database import reading
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import rebuild, verify
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, new_home, write_file, write_plan
from tests.faulty import RECEIVED, Killer, copied, ended, in_child, nothing_is_lost

EVERY = 3
JUNE, JULY = Month(2018, 6), Month(2018, 7)
Work = Callable[[Home, Callable[[int, str], None]], None]


def new_base(folder: Path) -> Home:
    home = new_home(folder / "base")
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.register_plan(write_plan(folder), 2018, RECEIVED)
    return home


def files_sent(folder: Path) -> list[Path]:
    """June and July of one unit, June's correction, which July stands on, and a row returned."""
    return [
        write_file(folder / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 5}, P2: {}}),
        write_file(folder / "2.json", A, "2018-07", projects={P1: {"fiscal_paid_cum_fen": 7}}),
        write_file(folder / "3.json", A, "2018-06", "改", projects={P1: {"fiscal_paid_cum_fen": 9}}),
        write_file(folder / "4.json", B, "2018-06", projects={P3: {"remarks": "退回"}}),
    ]


def receive_and_record(sent: list[Path]) -> Work:
    """Receive what is not yet journaled, one file at a time, and record each."""

    def work(home: Home, acknowledge: Callable[[int, str], None]) -> None:
        with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
            ledger.catch_up()
            with reading(ledger.engine) as connection:
                known = set(connection.scalars(sa.select(tables.receipts.c.file_name)))
            for file in sent:
                if file.name not in known:
                    (received,) = ledger.receive([file], RECEIVED)
                    acknowledge(received.seq, received.sha256)
                    ledger.catch_up()

    return work


def build_again(home: Home, acknowledge: Callable[[int, str], None]) -> None:
    rebuild(home, REGISTRY, tools=TOOLS)


def figures(home: Home) -> list[object]:
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.catch_up()
        names = ("projects", "submissions", "findings", "corrections")
        return [export(ledger, month, name) for month in (JUNE, JULY) for name in names]


def whole(home: Home) -> None:
    """What a reader sees: every event applied with all its rows, and none that is not."""
    if not home.database.exists():
        return
    with Ledger.open(home, REGISTRY, tools=TOOLS, readonly=True) as ledger, reading(ledger.engine) as seen:
        applied = seen.scalars(
            sa.select(tables.events_applied.c.seq).where(tables.events_applied.c.kind == "received")
        ).all()
        submissions = seen.scalars(sa.select(tables.submissions.c.submission_id)).all()
        versions = seen.scalars(sa.select(tables.table_versions.c.submission_id)).all()
        rows = seen.scalars(sa.select(tables.item_tables["projects"].c.submission_id)).all()
    assert sorted(applied) == sorted(submissions)
    assert set(rows) <= set(versions) <= set(submissions)


def killed_at_steps(base: Home, folder: Path, work: Work, every: int) -> int:
    """Kill `work` before every so many of its durable steps, each time in a fresh copy; how often."""

    def silent(seq: int, sha256: str) -> None:
        return None

    home = copied(base, folder / "whole")
    with Killer().armed() as counted:
        work(home, silent)
    expected = figures(home)
    kills = 0
    for at in range(1, counted.count + 1, every):
        home = copied(base, folder / "killed")
        reader, writer = os.pipe()

        def die(home: Home = home, at: int = at, writer: int = writer) -> None:
            with Killer(at).armed():
                work(home, lambda seq, sha256: os.write(writer, f"{seq} {sha256}\n".encode()) and None)

        assert ended(in_child(die)) == -signal.SIGKILL, at
        os.close(writer)
        kills += 1
        with os.fdopen(reader) as told:
            acknowledged = {int(line.split()[0]): line.split()[1] for line in told}
        nothing_is_lost(home, acknowledged)
        whole(home)
        work(home, silent)
        assert figures(home) == expected, at
        if at % 4 == 1:
            assert verify(home, REGISTRY, tools=TOOLS).differences == [], at
            assert not [path for path in home.processed.iterdir() if "new" in path.name], at
    return kills


def receiving_and_correcting(folder: Path, every: int) -> int:
    return killed_at_steps(new_base(folder), folder, receive_and_record(files_sent(folder)), every)


def rebuilding(folder: Path, every: int) -> int:
    base = new_base(folder)
    receive_and_record(files_sent(folder))(base, lambda seq, sha256: None)
    return killed_at_steps(base, folder, build_again, every)


@pytest.mark.slow
def test_receiving_and_correcting(tmp_path: Path) -> None:
    assert receiving_and_correcting(tmp_path, EVERY) > 30


@pytest.mark.slow
def test_rebuilding(tmp_path: Path) -> None:
    assert rebuilding(tmp_path, EVERY) >= 7
