"""Files that are read against the same are read together: one filing for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.calendar import parse_moment
from ledger.reading.model import ReadJob, Submission
from ledger.recording.ledger import Ledger
from schemas.month import Month
from tests.fake_programme import REGISTRY, TOOLS, A, B, C, new_home, write_file, write_plan


def test_files_read_against_the_same_share_their_filing(tmp_path: Path) -> None:
    """The reading process is sent a filing once, and several files at a time that share it."""
    asked: list[list[ReadJob]] = []

    def read(jobs: Sequence[ReadJob], **how: Any) -> list[Submission]:
        asked.append(list(jobs))
        return TOOLS.read(jobs, **how)

    home = new_home(tmp_path / "home")
    with Ledger.open(home, REGISTRY, tools=replace(TOOLS, read=read)) as ledger:
        assert ledger.register_plan(write_plan(tmp_path), 2018).created
        for month, received in (("2018-06", "2018-07-03"), ("2018-07", "2018-08-03")):
            books = [write_file(tmp_path / f"{unit}-{month}.json", unit, month) for unit in (A, B, C)]
            ledger.receive(books, parse_moment(received), month=Month.parse(month))
        ledger.catch_up()
    (jobs,) = asked
    assert len(jobs) == 6
    assert [job.filing.month for job in jobs] == [Month(2018, 6)] * 3 + [Month(2018, 7)] * 3
    assert len({id(job.filing) for job in jobs}) == 2
