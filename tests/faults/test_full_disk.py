"""A disk that fills up, a real one: nothing received is lost, the command says what to do, and once
there is room the next run does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.home import Home
from ledger.recording.journal import Journal
from schemas.month import Month
from tests.faulty import (
    copied,
    fill,
    ledger,
    mounted,
    nothing_is_lost,
    real_home,
    said,
    small_books,
)

ROOM = 24 << 20
JUNE = Month(2018, 6)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return real_home(tmp_path_factory.mktemp("base") / "home")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={ROOM}", "none") as folder:
        yield folder


@pytest.mark.slow
def test_commands_on_a_full_disk(base: Home, disk: Path, tmp_path: Path) -> None:
    books = small_books(tmp_path / "books")
    home = copied(base, disk / "home")
    ballast = fill(disk, 0)
    before = Journal(home.journal).names()
    said(ledger(home.root, "receive", str(books["june"])), 5, "磁盘")
    assert Journal(home.journal).names() == before
    ballast.unlink()
    assert ledger(home.root, "receive", str(books["june"]), "--at", "2018-07-03T09:00").returncode == 0
    for leave in (0, 400_000):
        ballast = fill(disk, leave)
        said(ledger(home.root, "run", "2018-06", "--plain"), 5, "磁盘")
        nothing_is_lost(home, {})
        ballast.unlink()
    done = ledger(home.root, "run", "2018-06", "--plain")
    assert done.returncode in (0, 1), done.stderr
    assert "景阳镇" in ledger(home.root, "export", "2018-06", "--table", "projects").stdout
    assert [path.name for path in home.reports(JUNE).iterdir() if path.name.startswith(".")] == []
    assert ledger(home.root, "rebuild", "--verify").returncode == 0
