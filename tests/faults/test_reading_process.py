"""A file may kill, hang or starve the reading process: it gets a finding, the others are read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ledger.home import CHECKOUT, Home
from ledger.reading import batch
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.registry import Registry
from schemas.month import Month

CHILD = Path(__file__).with_name("misbehaving_child.py")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load(Home(CHECKOUT))


@pytest.fixture(autouse=True)
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    batch.close_readers()
    monkeypatch.setattr(batch, "CHILD", (str(CHILD),))
    monkeypatch.setattr(batch, "FILE_TIMEOUT", 1.0)
    yield
    batch.close_readers()


def jobs_of(folder: Path, names: Sequence[str], *filings: Filing) -> list[ReadJob]:
    made = []
    for number, name in enumerate(names):
        path = folder / f"{number}-{name}"
        path.write_bytes(b"x" * number)
        made.append(ReadJob(path, name, f"{number:064x}", filings[number % len(filings)]))
    return made


def outcome(submission: Submission) -> str:
    return submission.findings[0].rule if submission.findings else "read"


def test_the_others_are_read_whatever_one_file_does(tmp_path: Path, registry: Registry) -> None:
    names = ["a", "abort", "b", "memory", "c", "hang", "sleep", "bug", "segfault", "kill", "d", "exit", "e"]
    seen: list[str] = []
    done = batch.read_files(jobs_of(tmp_path, names, Filing(registry)), progress=seen.append)
    assert seen == names
    assert [submission.file for submission in done] == names
    assert [submission.sha256 for submission in done] == [f"{n:064x}" for n in range(len(names))]
    assert dict(zip(names, map(outcome, done), strict=True)) == {
        **dict.fromkeys("abcde", "read"),
        "abort": "F01",
        "segfault": "F01",
        "bug": "F01",
        "exit": "F01",
        "memory": "F04",
        "kill": "F04",
        "hang": "F04",
        "sleep": "F04",
    }
    for submission in done:
        for found in submission.findings:
            assert found.file == submission.file
            assert found.message
            assert found.remedy
            assert found.returns_file


def test_a_hanging_file_costs_its_time_and_no_more(tmp_path: Path, registry: Registry) -> None:
    begun = time.monotonic()
    done = batch.read_files(jobs_of(tmp_path, ["hang", "a"], Filing(registry)))
    assert [outcome(submission) for submission in done] == ["F04", "read"]
    assert time.monotonic() - begun < 10


def test_what_is_printed_does_not_get_among_the_answers(tmp_path: Path, registry: Registry) -> None:
    done = batch.read_files(jobs_of(tmp_path, ["noise", "a"], Filing(registry)))
    assert [outcome(submission) for submission in done] == ["read", "read"]


def test_one_process_serves_many_batches(tmp_path: Path, registry: Registry) -> None:
    filing = Filing(registry)
    first = batch.read_files(jobs_of(tmp_path, list("abcdefghijkl"), filing))
    second = batch.read_files(jobs_of(tmp_path, list("abc"), filing))
    pids = {submission.cover["pid"] for submission in (*first, *second)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}
    assert [submission.cover["bytes"] for submission in second] == ["0", "1", "2"]


def test_each_file_is_read_against_its_own_filing(tmp_path: Path, registry: Registry) -> None:
    filings = [Filing(registry, Month(2018, month)) for month in (6, 7, 8)]
    done = batch.read_files(jobs_of(tmp_path, list("abcdefghi"), *filings))
    assert [submission.cover["month"] for submission in done] == ["2018-06", "2018-07", "2018-08"] * 3


def test_several_workers_share_the_work_and_keep_the_order(tmp_path: Path, registry: Registry) -> None:
    names = [f"{n}" for n in range(60)]
    names[7], names[31] = "abort", "bug"
    done = batch.read_files(jobs_of(tmp_path, names, Filing(registry)), workers=2)
    assert [submission.file for submission in done] == names
    assert {name for name, s in zip(names, done, strict=True) if outcome(s) != "read"} == {"abort", "bug"}


def test_an_idle_process_that_was_killed_is_replaced(tmp_path: Path, registry: Registry) -> None:
    filing = Filing(registry)
    (one,) = batch.read_files(jobs_of(tmp_path, ["a"], filing))
    os.kill(int(one.cover["pid"]), 9)
    time.sleep(0.2)
    (two,) = batch.read_files(jobs_of(tmp_path, ["a"], filing))
    assert outcome(two) == "read"
    assert two.cover["pid"] != one.cover["pid"]


def test_a_file_that_is_gone(tmp_path: Path, registry: Registry) -> None:
    (job,) = jobs_of(tmp_path, ["a"], Filing(registry))
    job.path.unlink()
    assert [outcome(submission) for submission in batch.read_files([job])] == ["F01"]


def test_a_broken_installation_is_no_damaged_file(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER_DOES_NOT_START", "1")
    for workers in (1, 2):
        with pytest.raises(batch.ReaderFault) as fault:
            batch.read_files(
                jobs_of(tmp_path, list("abcdefghijklmnopqrst"), Filing(registry)), workers=workers
            )
        assert fault.value.exit_code == 5


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "CHILD", ("no such program",))
    assert batch.read_files([]) == []
