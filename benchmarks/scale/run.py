"""What it costs to run and roll up many programmes' month: 1, 10, 100, 832 simulated ones.

    python benchmarks/scale/run.py                     1, 10 and 100 programmes, and one county cold
    python benchmarks/scale/run.py --programmes 832    the whole country, about 10,000 workbooks a month
    python benchmarks/scale/run.py --only county       `ledger run` for the sample county and its split

Each way runs in a process of its own; its time on the clock, its computing time and the most memory
of all its processes together (PSS, looked at five times a second) are printed as a table's rows.
`--ways` picks among plain-1, plain-2, threads-2, dask-1 and dask-2: how many workers, and on what.
`--split 10` prints every ten seconds which processes have the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.scale import programmes
from benchmarks.scale.memory import Watch

ROOT = Path(__file__).resolve().parents[2]
LEDGER = str(Path(sys.executable).with_name("ledger"))
WAYS: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    f"{kind}-{workers}": (
        ["--plain"] if kind == "plain" else [],
        {
            "LEDGER_RUNNER__WORKERS": str(workers),
            "LEDGER_RUNNER__KIND": "dask" if kind == "dask" else "threads",
        },
    )
    for kind in ("plain", "threads", "dask")
    for workers in (1, 2)
}


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of computing in all processes, most memory at once (MB), and its
    split over time."""

    wall: float
    cpu: float
    memory: float
    output: str
    split: str

    @property
    def row(self) -> str:
        return f"{self.cpu:.1f} | {self.wall:.1f} | {self.memory:.0f}"


def timed(
    words: Sequence[str],
    variables: Mapping[str, str] | None = None,
    expect: Sequence[int] = (0,),
    every: float = 10,
) -> Cost:
    """Run a command and measure it. What its children's children compute counts once they have ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    process = subprocess.Popen(
        list(words),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(variables or {})},
        text=True,
    )
    watch = Watch(process.pid, every)
    watch.start()
    output, _ = process.communicate()
    wall = time.monotonic() - begun
    watch.ended.set()
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in expect:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {output[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, watch.highest.total, output, watch.table())


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


# --- many programmes


def measure(folder: Path, count: int, ways: Sequence[str], *, pages: bool, split: float | None) -> None:
    """A month of `count` programmes each way, from the same drop folders; what recording once more
    without anything new costs; a corrected workbook; the pages."""
    begun = time.monotonic()
    books = programmes.make(folder, count)
    print(f"\n{count} programmes, {books} workbooks a month (made in {time.monotonic() - begun:.0f} s)\n")
    print("| | workbooks | CPU s | clock s | memory MB | load |\n|---|---:|---:|---:|---:|---:|", flush=True)
    homes = folder / "homes"

    def run(what: str, month: str, way: str, *words: str) -> None:
        more, variables = WAYS[way]
        command = [LEDGER, "rollup", month, "--homes", str(homes), "--json", "--run", *more, *words]
        if not pages:
            command += ["--level", "nation"]
        before = load()
        cost = timed(command, variables, every=split or 10)
        outcome = json.loads(cost.output)
        assert outcome["state"] == "Completed", outcome["message"]
        print(f"| {what}, {way} | {outcome['recorded']} | {cost.row} | {before} |", flush=True)
        if split:
            print(f"\nMemory by process, MB (how many): {what}, {way}\n\n{cost.split}\n", flush=True)

    for number, way in enumerate(ways):
        if number:
            clear(homes)
        run("first month", str(programmes.FIRST), way)
    run("second month", str(programmes.MONTH), ways[-1])
    run("the same again, nothing new", str(programmes.MONTH), "plain-2")
    programmes.correct(folder, count // 2)
    run("one corrected workbook", str(programmes.MONTH), "plain-2")
    shutil.rmtree(folder)


def clear(homes: Path) -> None:
    """Back to the drop folders: nothing received, nothing recorded."""
    for home in (*homes.iterdir(), homes):
        for part in ("data/processed", "data/raw/originals", "data/raw/journal", "data/.locks", "reports"):
            shutil.rmtree(home / part, ignore_errors=True)


# --- one county


def county(folder: Path) -> None:
    """`ledger run` for the sample county: cold, again, after one corrected workbook; its split."""
    home = folder / "county"
    for part in ("registry", "plan", "2018-06", "2018-07", "2018-08", "2018-09"):
        shutil.copytree(ROOT / "data" / "raw" / part, home / "data" / "raw" / part)
    drop = home / "data" / "raw" / "2018-09"
    late, later = sorted(drop.glob("*.xlsx"))[3:5]
    for one in (late, later):
        shutil.move(one, folder / one.name)
    run = [LEDGER, "run", "2018-09", "--home", str(home), "--json"]
    print("\nOne county: its month with all PDFs\n")
    print("| | CPU s | clock s | memory MB | load |\n|---|---:|---:|---:|---:|", flush=True)

    def row(what: str, words: Sequence[str]) -> None:
        before = load()
        print(f"| {what} | {timed(words, expect=(0, 1)).row} | {before} |", flush=True)

    row("cold, on Prefect", run)
    row("again, nothing new", run)
    shutil.move(folder / late.name, late)
    row("one more workbook", run)
    with served(home):
        shutil.move(folder / later.name, later)
        row("one more workbook, while `ledger serve` runs", run)
        row("nothing new, while `ledger serve` runs", run)
    row("again, without Prefect", [*run, "--plain"])
    shutil.rmtree(home / "data" / "processed")
    shutil.rmtree(home / "reports")
    row("all anew, without Prefect", [*run, "--plain"])
    row("Python and the commands alone", [LEDGER, "--version"])
    row("import of Prefect and the flow", [sys.executable, "-c", "import flows.on_prefect"])
    row("start and stop of the server", [sys.executable, "-c", _SERVER, str(home)])


@contextmanager
def served(home: Path) -> Iterator[None]:
    """`ledger serve` for this home, as it is when it waits for the next thing to do."""
    words = [LEDGER, "serve", "--home", str(home), "--port", "4277"]
    service = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    try:
        while "已开始运行" not in service.stdout.readline():
            if service.poll() is not None:
                raise SystemExit("ledger serve did not start")
        time.sleep(SETTLED_SECONDS)
        yield
    finally:
        service.terminate()
        service.wait()


#: The service's first look at the inbox, and what Prefect does at its start, are over by then.
SETTLED_SECONDS = 45

_SERVER = """
import sys
from pathlib import Path
from flows.server import prefect_server
from ledger.home import Home
with prefect_server(Home(Path(sys.argv[1]))):
    pass
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--programmes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--ways", nargs="+", choices=sorted(WAYS), default=["plain-1", "plain-2", "threads-2", "dask-1", "dask-2"])  # fmt: skip
    parser.add_argument(
        "--pages", action="store_true", help="set the pages of every area, not the nation's alone"
    )
    parser.add_argument(
        "--split",
        type=float,
        metavar="SECONDS",
        help="print which processes have the memory, every so many seconds of a run over many programmes",
    )
    parser.add_argument("--only", choices=["county", "many"])
    parser.add_argument(
        "--folder", type=Path, help="where to make the programmes (default: a temporary folder)"
    )
    given = parser.parse_args()
    os.chdir(ROOT)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load()}")
    with tempfile.TemporaryDirectory(prefix="ledger-scale-", dir=given.folder) as name:
        folder = Path(name)
        if given.only != "many":
            county(folder)
        if given.only != "county":
            for count in given.programmes:
                measure(folder / str(count), count, given.ways, pages=given.pages, split=given.split)


if __name__ == "__main__":
    main()
