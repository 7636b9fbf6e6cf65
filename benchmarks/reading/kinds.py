"""What reading costs by format, by rows, for the marked return, and for a large batch on two cores.

    python benchmarks/reading/kinds.py [--write]

prints tables of processor time (this process and its children) and of the clock's; `--write` keeps
them in kinds.md beside this script.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import platform
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.reading.run import keep_bytecode
from benchmarks.reading.workbooks import MONTH, Batch, make_batch
from ledger.checking.model import Checked, Context, History
from ledger.checking.submission import check_batch
from ledger.home import CHECKOUT, Home
from ledger.reading.batch import close_readers, read_files
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.registry import Registry
from ledger.returning.returns import return_bytes
from tools.sample import formats
from tools.sample.sheets import Cell, Grid

RESULTS = Path(__file__).parent / "kinds.md"
ROWS = (40, 400, 4_000, 50_000)
_FILES = 50
_LARGE = 1_000
_ROUNDS = 3


class Clock:
    """Processor seconds of this process and of its children, and the wall's, since the start."""

    def __init__(self) -> None:
        close_readers()
        self._begun, self._wall = os.times(), time.monotonic()

    def stop(self) -> tuple[float, float, float]:
        close_readers()  # a child's time counts once it has ended
        now, begun = os.times(), self._begun
        parent = now.user + now.system - begun.user - begun.system
        child = now.children_user + now.children_system - begun.children_user - begun.children_system
        return parent, child, time.monotonic() - self._wall


def measured(work: Callable[[], object], rounds: int = _ROUNDS) -> tuple[float, float, float]:
    """The round with the median of the processor time; where there are several, after one that warms up."""
    if rounds > 1:
        work()
    results = []
    for _ in range(rounds):
        clock = Clock()
        work()
        results.append(clock.stop())
    return statistics.median_low(sorted(results, key=lambda one: one[0] + one[1]))


def say(what: str) -> None:
    """Tell on standard error how far it has come."""
    sys.stderr.write(f"{time.monotonic():.0f} s: {what}\n")


def job_of(path: Path, filing: Filing) -> ReadJob:
    return ReadJob(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), filing)


# --- by format


def in_format(batch: Batch, suffix: str, folder: Path) -> list[ReadJob]:
    """The batch's workbooks written anew in another format; a CSV holds only 表1."""
    jobs = []
    for job in batch.jobs[:_FILES]:
        opened = openpyxl.load_workbook(job.path)
        grids = []
        for sheet in opened.worksheets:
            grid = Grid(sheet.title)
            grid.rows = [[Cell(value) for value in values] for values in sheet.iter_rows(values_only=True)]
            grid.merges = [(m.min_row, m.min_col, m.max_row, m.max_col) for m in sheet.merged_cells.ranges]
            grids.append(grid)
        writers: dict[str, Callable[[], bytes]] = {
            ".xlsx": job.path.read_bytes,
            ".xls": lambda grids=grids: formats.xls(grids),  # type: ignore[misc]
            ".ods": lambda grids=grids: formats.ods(grids),  # type: ignore[misc]
            ".csv": lambda grids=grids: formats.csv_file(grids[1], "gb18030"),  # type: ignore[misc]
        }
        path = folder / f"{job.path.stem}{suffix}"
        path.write_bytes(writers[suffix]())
        jobs.append(job_of(path, job.filing))
    return jobs


def by_format(batch: Batch, folder: Path) -> list[str]:
    lines = [
        "| format | KB | ms a workbook | of it in the reading process |",
        "|---|---:|---:|---:|",
    ]
    for suffix in (".xlsx", ".xls", ".ods", ".csv"):
        say(suffix)
        jobs = in_format(batch, suffix, folder)
        pairs = list(zip(jobs, batch.contexts, strict=False))
        read = read_files(jobs)
        tables = {len(one.tables) for one in read}
        if tables != ({1} if suffix == ".csv" else {3}):
            raise ValueError((suffix, tables, read[0].findings))

        def work(pairs: Sequence[tuple[ReadJob, Context]] = pairs) -> None:
            check_all(read_files([job for job, _ in pairs]), [context for _, context in pairs])

        parent, child, _ = measured(work)
        kilobytes = sum(job.path.stat().st_size for job in jobs) / 1024 / len(jobs)
        total = parent + child
        lines.append(
            f"| {suffix} | {kilobytes:.0f} | {1000 * total / len(jobs):.2f} | {100 * child / total:.0f} % |"
        )
    return lines


def check_all(read: Sequence[Submission], contexts: Sequence[Context]) -> list[Checked]:
    return check_batch(list(zip(read, contexts, strict=True)))


# --- by rows


def with_rows(source: bytes, count: int) -> bytes:
    """A workbook whose 表1 has so many rows: its first one again and again, under other names."""
    saved = io.BytesIO()
    say(f"{count} rows")
    with (
        zipfile.ZipFile(io.BytesIO(source)) as package,
        zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in package.namelist():
            content = package.read(name)
            if name.endswith("sheet2.xml"):
                text = content.decode()
                begin, end = text.index('<row r="5"'), text.index('<row r="6"')
                row = text[begin:end]
                stop = text.index("</sheetData>")
                many = (
                    row.replace('r="5"', f'r="{n}"').replace('5" s=', f'{n}" s=').replace("号", f"号之{n}")
                    for n in range(5, 5 + count)
                )
                content = (text[:begin] + "".join(many) + text[stop:]).encode()
            target.writestr(name, content)
    return saved.getvalue()


def by_rows(batch: Batch, folder: Path) -> list[str]:
    lines = [
        "| rows of 表1 | MB | reading, s | checking, s | in the reading process | by the clock, s |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    source = batch.jobs[0].path.read_bytes()
    registry = batch.jobs[0].filing.registry
    for count in ROWS:
        path = folder / f"{count}.xlsx"
        path.write_bytes(with_rows(source, count))
        job = job_of(path, Filing(registry, MONTH))
        context = Context(None, History(), registry.first_month, registry.names)
        (submission,) = read_files([job])
        rows = submission.table("projects")
        if rows is None or len(rows.rows) != count:
            raise ValueError((count, submission.findings))
        rounds = 1 if count > 400 else _ROUNDS
        parent, child, wall = measured(lambda job=job: read_files([job]), rounds)  # type: ignore[misc]
        checks = measured(lambda one=submission, c=context: check_batch([(one, c)]), rounds)  # type: ignore[misc]
        checking = checks[0] + checks[1]
        lines.append(
            f"| {count:,} | {path.stat().st_size / (1 << 20):.1f} | {parent + child:.2f} | {checking:.2f} "
            f"| {100 * child / (parent + child):.0f} % | {wall:.2f} |"
        )
    return lines


# --- the marked return


def marked(batch: Batch, folder: Path) -> list[str]:
    """A sample workbook with wrong figures: the bytes that go back."""
    path = folder / "marked.xlsx"
    opened = openpyxl.load_workbook(batch.jobs[0].path)
    sheet = opened.worksheets[1]
    for row in range(5, 10):
        sheet.cell(row, 21).value = "约30"
        sheet.cell(row, 18).value = 9_999_999
    opened.save(path)
    job = job_of(path, batch.jobs[0].filing)
    (checked,) = check_all(read_files([job]), batch.contexts[:1])
    registry = batch.jobs[0].filing.registry
    data = path.read_bytes()
    parent, child, _ = measured(lambda: [return_bytes(registry, checked, data) for _ in range(20)])
    return [f"{1000 * (parent + child) / 20:.1f} ms for a workbook with {len(checked.findings)} findings."]


# --- a large batch


def large(batch: Batch) -> list[str]:
    """The batch's files five times over."""
    times = _LARGE // len(batch.jobs)
    jobs = [replace(job, name=f"{n}-{job.name}") for n in range(times) for job in batch.jobs]
    contexts = [context for _ in range(times) for context in batch.contexts]
    lines = [
        "| reading processes | by the clock, s | processor, s | in the reading processes | workbooks a second |",
        "|---:|---:|---:|---:|---:|",
    ]
    for workers in (1, 2):
        say(f"{workers} reading processes")

        def work(workers: int = workers) -> None:
            check_all(read_files(jobs, workers=workers), contexts)

        parent, child, wall = measured(work, 1)
        total = parent + child
        lines.append(
            f"| {workers} | {wall:.1f} | {total:.1f} | {100 * child / total:.0f} % | {len(jobs) / wall:.0f} |"
        )
    return lines


def report(folder: Path) -> str:
    registry = Registry.load(Home(CHECKOUT))
    batch = make_batch(folder, 200)
    parts = [
        "# What reading costs, by kind",
        "",
        f"`python benchmarks/reading/kinds.py`. Processor time, this process and its children, reading and checking "
        f"together unless told otherwise; the start of the reading process (once a run) included. "
        f"Registered units of the sample: {len(registry.units)}.",
        "",
        f"## By format ({_FILES} workbooks; the CSV holds one table of three)",
        "",
        *by_format(batch, folder),
        "",
        "## By rows (one workbook, one table, no plan)",
        "",
        *by_rows(batch, folder),
        "",
        "## The marked return",
        "",
        *marked(batch, folder),
        "",
        f"## {_LARGE:,} workbooks (200 files five times) on two cores",
        "",
        *large(batch),
        "",
        f"{date.today().isoformat()}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.",
        "",
    ]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the result in kinds.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keep_bytecode(Path(folder) / "bytecode")
        text = report(Path(folder))
    sys.stdout.write(text)
    if given.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
