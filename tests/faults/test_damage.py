"""Files that are not what was written: the command heals what it can, and names what it can't."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from ledger.home import Home
from ledger.recording.originals import Originals, hash_file
from tests.faulty import copied, ledger, real_home, said, small_books


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small_books(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, books: dict[str, Path]) -> Home:
    home = real_home(tmp_path_factory.mktemp("base") / "home")
    assert ledger(home.root, "receive", str(books["june"]), "--at", "2018-07-03T09:00").returncode == 0
    assert ledger(home.root, "status", "2018-06").returncode == 0
    return home


@pytest.fixture
def home(base: Home, tmp_path: Path) -> Home:
    return copied(base, tmp_path / "home")


def changed(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def exported(home: Home) -> str:
    done = ledger(home.root, "export", "2018-06", "--table", "projects")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.ledger_file
@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_byte_in_the_ledger(home: Home, seed: int) -> None:
    """Built anew from the journal, and said so: no wrong figure is shown."""
    before = exported(home)
    data = bytearray(home.database.read_bytes())
    place = random.Random(seed).randrange(len(data))
    data[place] ^= 0x10
    changed(home.database, bytes(data))
    done = ledger(home.root, "export", "2018-06", "--table", "projects")
    assert done.returncode == 0, done.stderr
    assert done.stdout == before
    assert "已由原件和日志重建" in done.stderr
    assert ledger(home.root, "rebuild", "--verify").returncode == 0


@pytest.mark.ledger_file
def test_a_figure_changed_in_the_ledger_by_hand(home: Home) -> None:
    before = exported(home)
    with sqlite3.connect(home.database) as connection:
        for name in ("update", "delete"):
            connection.execute(f"DROP TRIGGER no_{name}_projects_rows")
        connection.execute("UPDATE projects_rows SET fiscal_paid_cum_fen = 1")
    connection.close()
    assert exported(home) == before


@pytest.mark.ledger_file
@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_a_truncated_ledger(home: Home, part: float) -> None:
    before = exported(home)
    data = home.database.read_bytes()
    changed(home.database, data[: int(len(data) * part)])
    assert exported(home) == before


def test_a_truncated_journal_file(home: Home, books: dict[str, Path]) -> None:
    """The last event can't be read: it is named, and nothing is written after it."""
    assert ledger(home.root, "status", "2018-06").returncode == 0
    last = sorted(path for path in home.journal.iterdir() if "received" in path.name)[-1]
    whole = last.read_bytes()
    changed(last, whole[:60])
    names = sorted(path.name for path in home.journal.iterdir())
    said(ledger(home.root, "rebuild"), 5, last.name, "备份")
    said(ledger(home.root, "run", "2018-06", "--plain"), 5, last.name, "备份")
    assert sorted(path.name for path in home.journal.iterdir()) == names
    changed(last, whole)
    assert ledger(home.root, "rebuild", "--verify").returncode == 0


def test_a_flipped_byte_in_an_original(home: Home, books: dict[str, Path]) -> None:
    """Named; the same file received again puts it right."""
    before = exported(home)
    original = Originals(home.originals).path(hash_file(books["june"]), "xlsx")
    data = bytearray(original.read_bytes())
    data[len(data) // 2] ^= 1
    changed(original, bytes(data))
    said(ledger(home.root, "rebuild"), 5, original.name, "备份")
    assert exported(home) == before, "the ledger at hand still stands"
    assert ledger(home.root, "receive", str(books["june"]), "--at", "2018-07-04").returncode == 0
    assert ledger(home.root, "rebuild").returncode == 0
    assert exported(home) == before
