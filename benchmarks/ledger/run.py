"""What the ledger costs: receipts a second, recording, an export as of a moment, a rebuild.

    python benchmarks/ledger/run.py --units 12000 --submissions 24000

On SQLite, and on a PostgreSQL started for it where one is installed (`--only postgresql` stops where
none is). Files are read and checked at no cost (benchmarks/ledger/synthetic.py): only the journal and
the ledger are measured. Receiving alone journals and asks no database; received and recorded, a file
is in the database too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.ledger import synthetic
from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording.exports import export
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import rebuild
from schemas.month import Month
from tests import postgres

JANUARY = Month(2018, 1)
BEFORE = parse_moment("2018-03-01T00:00")


@contextlib.contextmanager
def timed(what: str, count: int = 0) -> Iterator[None]:
    wall, cpu = time.monotonic(), time.process_time()
    yield
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    rate = f"  {count / wall:8.0f} a second" if count else ""
    print(f"{what:<58}{wall:8.2f} s  (CPU {cpu:7.2f} s){rate}", flush=True)


@contextlib.contextmanager
def unflushed() -> Iterator[None]:
    """Files of the preparation need not survive a power failure."""
    real = os.fsync
    os.fsync = lambda _: None
    try:
        yield
    finally:
        os.fsync = real


def receipts(home: Home, folder: Path, url: str | None, units: int) -> None:
    """Files received for good (flushed, journaled, flushed), alone and with their way into the ledger."""
    files = []
    for n in range(800):
        path = folder / f"{n}.json"
        path.write_bytes(synthetic.content(n % units, JANUARY, n))
        files.append(path)
    with Ledger.open(home, synthetic.registry(units), url=url, tools=synthetic.tools(units)) as ledger:
        ledger.register_plan(synthetic.write_plan(folder), 2018, parse_moment("2018-01-02"))
        with timed("receive, one file a call", 200):
            for path in files[:200]:
                ledger.receive([path], BEFORE)
        ledger.catch_up()
        with timed("receive, 500 files in one call", 500):
            ledger.receive(files[200:700], BEFORE)
        with timed("record what was received in one call", 500):
            ledger.catch_up()
        with timed("receive and record, one file a call", 100):
            for path in files[700:]:
                ledger.receive([path], BEFORE)
                ledger.catch_up()


def prepare(home: Home, units: int, submissions: int) -> list[list[synthetic.Item]]:
    """Journal items: every unit's January, corrections of a tenth of them, further months."""
    first = [(unit, JANUARY, 1_000_000 + unit) for unit in range(units)]
    corrections = [(unit, JANUARY, 2_000_000 + unit) for unit in range(0, units, 10)]
    rest: list[synthetic.Given] = []
    month = JANUARY
    while len(first) + len(corrections) + len(rest) < submissions:
        month = month.plus(1)
        rest += [(unit, month, 3_000_000 + unit) for unit in range(units)]
    rest = rest[: max(submissions - len(first) - len(corrections), 0)]
    return [
        synthetic.write_originals(home, first, "2018-02-03T09:00:00+08:00"),
        synthetic.write_originals(home, corrections, "2018-04-03T09:00:00+08:00"),
        synthetic.write_originals(home, rest, "2018-12-03T09:00:00+08:00"),
    ]


def measure(home: Home, folder: Path, url: str | None, units: int, submissions: int) -> None:
    reg, tools = synthetic.registry(units), synthetic.tools(units)
    first, corrections, rest = prepare(home, units, submissions)
    with Ledger.open(home, reg, url=url, tools=tools) as ledger:
        ledger.register_plan(synthetic.write_plan(folder), 2018, parse_moment("2018-01-02"))
        for what, items in (("January of every unit", first), ("a tenth corrected", corrections)):
            with unflushed():
                Journal(home.journal).append_all(items)
            with timed(f"record {len(items)} submissions: {what}", len(items)):
                ledger.catch_up()
        for table in ("projects", "submissions", "findings", "corrections"):
            with timed(f"export January's {table} as of then"):
                rows = export(ledger, JANUARY, table, as_of=BEFORE)[1]
            print(f"    {len(rows)} rows")
        with timed("January's view, now"):
            ledger.view(JANUARY)
        with timed("what goes back to the units, January"):
            ledger.returns_due(JANUARY)
    with unflushed():
        Journal(home.journal).append_all(rest)
    with timed(f"rebuild {submissions} submissions", submissions):
        rebuild(home, reg, url=url, tools=tools)
    with (
        timed("January's projects as of then, from the whole year"),
        Ledger.open(home, reg, url=url, tools=tools) as ledger,
    ):
        export(ledger, JANUARY, "projects", as_of=BEFORE)
    print(
        f"    most memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB", flush=True
    )


def both(folder: Path, new_database: Callable[[], str | None], units: int, submissions: int) -> None:
    """Receipts, then all the rest, each in a home and a database of its own."""
    for part in ("receipts", "measured"):
        home = Home(folder / part)
        home.raw.mkdir(parents=True)
        if part == "receipts":
            receipts(home, folder, new_database(), units)
        else:
            measure(home, folder, new_database(), units, submissions)
        shutil.rmtree(home.root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--submissions", type=int, default=5000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    print(f"{given.units} units, {given.submissions} submissions, load {os.getloadavg()[0]:.1f}")
    if given.only == "postgresql" and not postgres.is_installed():
        parser.error("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as name:
        folder = Path(name)
        if given.only != "postgresql":
            print("SQLite")
            both(folder / "sqlite", lambda: None, given.units, given.submissions)
        if given.only != "sqlite" and postgres.is_installed():
            print("PostgreSQL")
            with postgres.server("fsync=on") as server:
                both(folder / "postgresql", server.database, given.units, given.submissions)


if __name__ == "__main__":
    main()
