"""The reading process serves programme after programme and keeps nothing of those before."""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.home import CHECKOUT, Home
from ledger.reading import batch, cover
from ledger.reading.model import Filing, ReadJob
from ledger.registry import Registry, Unit
from schemas.month import Month

SEPTEMBER = Month(2018, 9)
BOOK = sorted((CHECKOUT / "data" / "raw" / "2018-09").glob("三里乡*.xlsx"))[0]
#: A registry this large is a megabyte in the reading process: one that is kept is seen.
UNITS = 1500
MOST_GROWTH_MB = 6.0


def registry_of(number: int, units: int) -> Registry:
    """A programme of its own, with nothing in common with another's but the way it is written."""
    made = tuple(
        Unit(f"99{number:04d}-{n}", f"第{number}县第{n}镇", "乡镇", f"第{number}县第{n}镇人民政府", ())
        for n in range(units)
    )
    return replace(Registry.load(Home(CHECKOUT)), units=made)


@pytest.fixture
def reading_process() -> Iterator[None]:
    """A reading process of this test's own."""
    batch.close_readers()
    yield
    batch.close_readers()


def child() -> int:
    """The process id of the one reading process below this process."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"ledger.reading.child" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(int(pid))
    (pid,) = found
    return pid


def own_megabytes(pid: int) -> float:
    """What a process has for itself alone: what others' files in memory do does not move it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    held = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(held) / 1024


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not tell")
def test_the_reading_process_does_not_grow_with_the_programmes(reading_process: None) -> None:
    sha256 = hashlib.sha256(BOOK.read_bytes()).hexdigest()

    def read(programmes: range) -> float:
        for number in programmes:
            filing = Filing(registry_of(number, UNITS), SEPTEMBER)
            (submission,) = batch.read_files([ReadJob(BOOK, BOOK.name, sha256, filing)])
            assert submission.tables
        return own_megabytes(child())

    after_20 = read(range(20))
    pid = child()
    after_60 = read(range(20, 60))
    assert child() == pid
    assert after_60 - after_20 < MOST_GROWTH_MB


def test_names_of_registries_long_past_are_forgotten() -> None:
    held = []
    for number in range(20):
        registry = registry_of(number, 3)
        assert cover.units_in_words(f"第{number}县第2镇9月", registry) == {f"99{number:04d}-2"}
        held.append(weakref.ref(registry))
    del registry
    gc.collect()
    assert not any(one() for one in held[:10])
