"""A home on a read-only disk: everything can be looked at, nothing is received, and it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.home import Home
from tests.faulty import ledger, read_only, real_home, said, small_books


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict[str, Path]]]:
    """A home with one month recorded and one file received since, its disk then closed."""
    folder = tmp_path_factory.mktemp("closed")
    books = small_books(folder / "books")
    home = real_home(folder / "home")
    assert ledger(home.root, "receive", str(books["june"]), "--at", "2018-07-03T09:00").returncode == 0
    assert ledger(home.root, "status", "2018-06").returncode == 0
    assert ledger(home.root, "receive", str(books["july"]), "--at", "2018-08-03T09:00").returncode == 0
    with read_only(home.root):
        yield home, books


def test_it_can_be_looked_at(closed: tuple[Home, dict[str, Path]]) -> None:
    home, books = closed
    exported = ledger(home.root, "export", "2018-07", "--table", "projects")
    assert exported.returncode == 0, exported.stderr
    assert "景阳镇" in exported.stdout, "what the journal holds and the ledger does not is shown too"
    assert ledger(home.root, "status", "2018-06").returncode == 0
    assert ledger(home.root, "explain", "2018-06", "2018-A1-04", "fiscal_paid_cum").returncode == 0
    assert ledger(home.root, "check", str(books["correction"])).returncode in (0, 1)


@pytest.mark.parametrize(
    "words", [["run", "2018-06", "--plain"], ["forms", "2018-06"], ["rebuild"]], ids=lambda words: words[0]
)
def test_what_writes_is_refused_in_words(closed: tuple[Home, dict[str, Path]], words: list[str]) -> None:
    home, _ = closed
    said(ledger(home.root, *words), 5, "写")


def test_nothing_is_received(closed: tuple[Home, dict[str, Path]]) -> None:
    home, books = closed
    before = sorted(home.raw.rglob("*"))
    said(ledger(home.root, "receive", str(books["correction"])), 5, "写")
    assert sorted(home.raw.rglob("*")) == before
