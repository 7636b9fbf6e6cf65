"""kill -9 at random moments of receiving and recording, and many at once: nothing is lost, nothing
is half there, and no lock stays behind."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.calendar import parse_moment
from ledger.errors import LedgerError
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.database import reading
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.originals import Originals
from ledger.recording.rebuild import rebuild, verify
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, new_home, write_file, write_plan

KILLS = int(os.environ.get("LEDGER_TEST_KILLS", "60"))
MOMENT = parse_moment("2018-07-03T09:00")


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except LedgerError as problem:
        os._exit(problem.exit_code)
    finally:
        sys.stdout.flush()
        if sys.exc_info()[0] is not None and not isinstance(sys.exc_info()[1], LedgerError):
            os._exit(99)
    os._exit(0)


def ended(child: int) -> int:
    """How a child ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = new_home(tmp_path / "home")
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.register_plan(write_plan(tmp_path), 2018)
    return home


def books(folder: Path, count: int) -> list[Path]:
    """Files of two units that replace one another, some rows returned."""
    return [
        write_file(
            folder / f"{n}.json",
            A if n % 3 else B,
            "2018-06",
            "更正",
            projects={P1: {"fiscal_paid_cum_fen": n}, P2: {"remarks": "退回" if n % 4 == 0 else "在建"}}
            if n % 3
            else {P3: {"fiscal_paid_cum_fen": n}},
        )
        for n in range(count)
    ]


def whole(home: Home) -> None:
    """Every event applied is there with all its rows, and none that is not."""
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger, reading(ledger.engine) as connection:
        applied = connection.scalars(
            sa.select(tables.events_applied.c.seq).where(tables.events_applied.c.kind == "received")
        ).all()
        sent = connection.scalars(sa.select(tables.submissions.c.submission_id)).all()
        versions = connection.scalars(sa.select(tables.table_versions.c.submission_id)).all()
        rows = connection.scalars(sa.select(tables.item_tables["projects"].c.submission_id)).all()
    assert sorted(applied) == sorted(sent)
    assert set(rows) == set(versions) <= set(sent)


@pytest.mark.slow
def test_killed_at_any_moment(home: Home, tmp_path: Path) -> None:
    chance = random.Random(2018)
    files = books(tmp_path, 400)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    acknowledged = b""
    for turn in range(KILLS):

        def work(first: int = turn * 6) -> None:
            with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
                for file in files[first : first + 6]:
                    (received,) = ledger.receive([file], MOMENT)
                    os.write(writer, f"{received.seq} {received.sha256}\n".encode())
                    ledger.catch_up()

        child = in_child(work)
        time.sleep(chance.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        assert ended(child) in (-signal.SIGKILL, 0)
        whole(home)
        if turn % 10 == 9:
            with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
                ledger.catch_up()
    acknowledged = os.read(reader, 1 << 20)
    assert len(acknowledged.splitlines()) > KILLS // 4
    journaled = {event.seq: event for event in Journal(home.journal).events()}
    originals = Originals(home.originals)
    for line in acknowledged.decode().splitlines():
        seq, sha256 = line.split()
        assert journaled[int(seq)].payload["sha256"] == sha256
        originals.read(sha256, journaled[int(seq)].payload["ext"])
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.catch_up()
    assert verify(home, REGISTRY, tools=TOOLS).differences == []


@pytest.mark.slow
def test_killed_while_rebuilding(home: Home, tmp_path: Path) -> None:
    chance = random.Random(9)
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        ledger.receive(books(tmp_path, 40), MOMENT)
        ledger.catch_up()
    for _ in range(max(KILLS // 8, 5)):
        child = in_child(lambda: rebuild(home, REGISTRY, tools=TOOLS) and None)
        time.sleep(chance.uniform(0, 0.5))
        os.kill(child, signal.SIGKILL)
        ended(child)
        with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
            ledger.catch_up()
        assert verify(home, REGISTRY, tools=TOOLS).differences == []
    assert [path.name for path in home.processed.iterdir() if "new" in path.name] == []


def test_ten_at_once(home: Home, tmp_path: Path) -> None:
    def receive(file: Path) -> None:
        with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
            ledger.receive([file], MOMENT)
            ledger.catch_up()

    children = [in_child(lambda file=file: receive(file)) for file in books(tmp_path, 10)]
    assert [ended(child) for child in children] == [0] * 10
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        assert ledger.catch_up() == []
    received = [event for event in Journal(home.journal).events() if event.kind == "received"]
    assert len({event.payload["sha256"] for event in received}) == 10
    whole(home)
    assert verify(home, REGISTRY, tools=TOOLS).differences == []


def test_runs_at_once_take_each_file_in_once(home: Home) -> None:

    for file in books(home.drop(Month(2018, 6)), 8):
        assert file.exists()

    def run() -> None:
        with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
            ledger.take_in(Month(2018, 6), MOMENT)
            ledger.catch_up()

    children = [in_child(run) for _ in range(4)]
    assert [ended(child) for child in children] == [0] * 4
    received = [event for event in Journal(home.journal).events() if event.kind == "received"]
    assert sorted(event.payload["file_name"] for event in received) == [f"{n}.json" for n in range(8)]


def test_a_disk_that_is_full(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves nothing behind, and says what to do."""
    files = books(tmp_path, 2)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    before = Journal(home.journal).names()
    with Ledger.open(home, REGISTRY, tools=TOOLS) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(LedgerError, match="磁盘"):
                ledger.receive(files, MOMENT)
        assert Journal(home.journal).names() == before
        assert [path for path in home.originals.iterdir() if path.name.startswith(".")] == []
        assert len(ledger.receive(files, MOMENT)) == 2
        assert len(ledger.catch_up()) == 2
