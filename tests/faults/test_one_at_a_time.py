"""One at a time: real processes at once, each done in turn or refused with exit code 4."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.errors import Busy
from ledger.home import Home
from ledger.recording.database import URL_VARIABLE
from ledger.recording.journal import Journal
from ledger.recording.month_lock import hold_month
from schemas.month import Month
from tests.faulty import LEDGER, ended, in_child, ledger, nothing_is_lost, real_home, said, small_books
from tests.workbooks import make_book, water

JUNE, JULY = Month(2018, 6), Month(2018, 7)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@contextmanager
def held_by_a_child(home: Home, month: Month):
    """Another process holds the month; killed at the end, with nothing said."""
    ready, told = os.pipe()

    def hold() -> None:
        with hold_month(home, month):
            os.write(told, b"1")
            time.sleep(60)

    child = in_child(hold)
    assert os.read(ready, 1) == b"1"
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        assert ended(child) == -signal.SIGKILL


def refused(home: Home, month: Month) -> bool:
    try:
        with hold_month(home, month):
            return False
    except Busy as busy:
        assert busy.exit_code == 4
        return True


def test_a_killed_holder_leaves_no_lock(home: Home) -> None:
    with held_by_a_child(home, JUNE) as child:
        assert refused(home, JUNE)
        assert not refused(home, JULY)
        with pytest.raises(Busy, match=f"进程 {child}"), hold_month(home, JUNE):
            pass
    assert not refused(home, JUNE)


def test_it_holds_though_processed_is_deleted(home: Home) -> None:
    home.processed.mkdir(parents=True)
    with held_by_a_child(home, JUNE):
        shutil.rmtree(home.processed)
        assert refused(home, JUNE)


def test_machines_that_share_only_the_database(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes stand for two machines whose files do not tell of each other's locks."""
    monkeypatch.setenv(URL_VARIABLE, postgres_url)
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    with held_by_a_child(one, JUNE):
        assert refused(other, JUNE)
        assert not refused(other, JULY)
    for _ in range(50):  # the server notices the broken connection in its own time
        if not refused(other, JUNE):
            break
        time.sleep(0.1)
    assert not refused(other, JUNE)


def test_two_runs_of_one_month(tmp_path: Path) -> None:
    home = real_home(tmp_path / "home")
    with held_by_a_child(home, JUNE) as child:
        said(ledger(home.root, "run", "2018-06", "--plain"), 4, str(child))
    environment = {**os.environ, "LEDGER_HOME": str(home.root)}
    runs = [
        subprocess.Popen(
            [LEDGER, "run", "2018-06", "--plain"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said_by = [run.communicate()[1] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes in ([0, 4], [1, 4], [0, 0], [1, 1]), said_by
    assert "Traceback" not in "".join(said_by)


@pytest.mark.slow
def test_a_run_and_ten_receives(tmp_path: Path) -> None:
    """Ten commands at once, and a run among them: every file once, in an unbroken journal."""
    home = real_home(tmp_path / "home")
    books = [
        make_book(tmp_path / f"{n}.xlsx", "景阳镇", "2018年6月", projects=[water(poor_households=100 + n)])
        for n in range(10)
    ]
    assert ledger(home.root, "receive", str(small_books(tmp_path)["july"])).returncode == 0
    orders = [["receive", str(book)] for book in books]
    orders.insert(3, ["run", "2018-07", "--plain"])
    with ThreadPoolExecutor(len(orders)) as pool:
        done = list(pool.map(lambda words: ledger(home.root, *words), orders))
    for words, one in zip(orders, done, strict=True):
        assert one.returncode in ((0, 1) if words[0] == "run" else (0,)), one.stderr
    received = [event for event in Journal(home.journal).events() if event.kind == "received"]
    assert len({event.payload["sha256"] for event in received}) == len(received) == 11
    nothing_is_lost(home, {})
    assert ledger(home.root, "status", "2018-06").returncode == 0
    assert ledger(home.root, "rebuild", "--verify").returncode == 0
