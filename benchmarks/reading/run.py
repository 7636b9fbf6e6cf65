"""CPU a workbook for reading and checking a batch, beside a bare read and a plain script.

    python benchmarks/reading/run.py [--files 200] [--rounds 5] [--write]

prints a table; `--write` keeps it in README.md beside this script. Measured is processor time (this process
and its children), the median of several rounds; the first round of each only warms up.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from time import process_time

from python_calamine import CalamineWorkbook

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.reading.plain_script import read_and_check
from benchmarks.reading.workbooks import MONTH, Batch, make_batch
from ledger.checking.submission import check_batch
from ledger.reading.batch import close_readers, read_files
from ledger.reading.formats import open_book
from ledger.reading.model import Book, ReadJob
from ledger.reading.submission import read_book

RESULTS = Path(__file__).parent / "README.md"
_AIM_MS, _AIM_TIMES = 2, 10
_PACKAGES = ("python-calamine", "pandas", "pandera", "openpyxl")


def cpu() -> float:
    """Processor seconds of this process and of its ended children."""
    times = os.times()
    return process_time() + times.children_user + times.children_system


def measured(work: Callable[[], object], rounds: int) -> float:
    """The median CPU seconds of `rounds` runs after one that warms up."""
    seconds = []
    for _ in range(rounds + 1):
        gc.collect()
        start = cpu()
        work()
        seconds.append(cpu() - start)
    return statistics.median(seconds[1:])


def bare_read(batch: Batch) -> int:
    """calamine alone: every sheet of every file into lists of values."""
    cells = 0
    for path in batch.paths:
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        for name in book.sheet_names:
            cells += sum(len(row) for row in book.get_sheet_by_name(name).to_python())
    return cells


def open_one(job: ReadJob) -> Book:
    book = open_book(job.path.read_bytes(), job.name)
    if not isinstance(book, Book):
        raise TypeError(book.message)
    return book


def open_each(batch: Batch) -> None:
    """Open every workbook and let it go again, as the reading process does."""
    for job in batch.jobs:
        open_one(job)


def plain(batch: Batch) -> int:
    rows = 0
    for path, context in zip(batch.paths, batch.contexts, strict=True):
        before = {}
        for item_id, months in context.history.rows.items():
            paid = months[MONTH.plus(-1)].get("fiscal_paid_cum_fen")
            if isinstance(paid, int) and context.plan is not None:
                before[context.plan.by_id[item_id].name] = paid / 1_000_000
        read, problems = read_and_check(path, before)
        if problems:
            raise ValueError(problems[0])
        rows += read
    return rows


def check(batch: Batch) -> Callable[[], object]:
    """The checking phase, on what a batch read in children gives; all of it must be in order."""
    submissions = read_files(batch.jobs)
    pairs = list(zip(submissions, batch.contexts, strict=True))
    for checked in check_batch(pairs):
        if checked.verdict.value != "accepted" or checked.has_errors:
            raise ValueError([f.message for f in checked.findings][:3])
    return lambda: check_batch(pairs)


def in_children(jobs: Sequence[ReadJob]) -> Callable[[], object]:
    """Read files in a reading process of their own, its start and end included."""

    def work() -> None:
        read_files(jobs)
        close_readers()

    return work


def phases(batch: Batch, rounds: int) -> dict[str, float]:
    """CPU milliseconds a workbook, by what is done."""
    files = len(batch.paths)
    jobs = [(open_one(job), job) for job in batch.jobs]

    def tables() -> None:
        for book, job in jobs:
            read_book(book, job.name, job.sha256, job.filing)

    seconds = {
        "bare": measured(lambda: bare_read(batch), rounds),
        "cells": measured(lambda: open_each(batch), rounds),
        "tables": measured(tables, rounds),
        "check": measured(check(batch), rounds),
        "children": measured(in_children(batch.jobs), rounds),
        "start": measured(in_children(batch.jobs[:1]), rounds),
        "plain": measured(lambda: plain(batch), max(1, rounds // 2)),
    }
    return {name: 1000 * value / files for name, value in seconds.items()}


def report(ms: dict[str, float], files: int, kilobytes: float) -> str:
    """The result as Markdown."""
    total = ms["children"] + ms["check"]
    border = ms["children"] - ms["start"] - ms["cells"] - ms["tables"]
    load = os.getloadavg()[0]
    aim = "reached" if total <= _AIM_MS and ms["plain"] / total >= _AIM_TIMES else "not reached yet"
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        "# Reading and checking a batch",
        "",
        f"{files} workbooks ({kilobytes:.0f} KB each on average: cover, three tables, five rows a table), made by",
        "`benchmarks/reading/workbooks.py`. CPU milliseconds a workbook, median; run with `python benchmarks/reading/run.py`.",
        "",
        "| what | ms a workbook |",
        "|---|---:|",
        f"| calamine's bare read (values only, nothing checked) | {ms['bare']:.2f} |",
        f"| **read and check a batch, in a reading process** | **{total:.2f}** |",
        f"| plain script, pandas + openpyxl + pandera, file by file | {ms['plain']:.2f} |",
        "",
        f"{ms['plain'] / total:.1f} times faster than the plain script; {total / ms['bare']:.1f} times the bare read. "
        f"The aim (at most {_AIM_MS} ms, {_AIM_TIMES} times faster than the plain script) is {aim}.",
        "",
        "## What the distance to the bare read is made of",
        "",
        "| phase | ms a workbook |",
        "|---|---:|",
        f"| cells with address, kind, number format, formula, merges, what is hidden (bare read: {ms['bare']:.2f}) | {ms['cells']:.2f} |",
        f"| cover, captions, headers, rows, each value typed with its finding | {ms['tables']:.2f} |",
        f"| starting the reading process once, divided by {files} (it is kept for later batches) | {ms['start']:.2f} |",
        f"| its limits, handing over files and results | {border:.2f} |",
        f"| plan, history, totals, pandera once a table for the batch | {ms['check']:.2f} |",
        "",
        f"{date.today().isoformat()}, Python {platform.python_version()}, {packages}; "
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}.",
        "",
    ]
    return "\n".join(lines)


def keep_bytecode(folder: Path) -> None:
    """Let the reading processes find their modules compiled, as in any installation."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the result in README.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keep_bytecode(Path(folder) / "bytecode")
        batch = make_batch(Path(folder), given.files)
        kilobytes = sum(path.stat().st_size for path in batch.paths) / 1024 / given.files
        text = report(phases(batch, given.rounds), given.files, kilobytes)
    sys.stdout.write(text)
    if given.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
