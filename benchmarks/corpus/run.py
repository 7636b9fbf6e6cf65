"""Workbooks nobody here wrote, read as a township's are: always a verdict, never a crash or a hang.

    python benchmarks/corpus/run.py [FOLDER …] [--count 3000] [--write]

Three kinds of files:

* found: what the installed packages and LibreOffice bring along, and whatever folders are named;
* written: workbooks of the sample programme, saved by LibreOffice in every format it writes; what
  comes in an accepted format must give the very values of the original, the rest must be refused;
* broken: mutations of all of them (benchmarks/fuzz_reading.py).

Every file goes to the reading process. The exit code is 1 where one ends that process, takes more
than 20 seconds, needs more than 2 GB, is refused though it was to be read, or reads as other values.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.fuzz_reading import DEATH, mutations, verdict
from ledger.home import CHECKOUT, Home
from ledger.reading import batch
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.registry import Registry
from schemas.month import Month

RESULTS = Path(__file__).parent / "README.md"
MONTH = Month(2018, 9)
LONGEST_SECONDS, MOST_MEMORY = 20, 2 << 30
SUFFIXES = {
    *(".xlsx", ".xlsm", ".xlsb", ".xls", ".xlt", ".xltx", ".et", ".ods", ".ots", ".fods", ".csv", ".tsv"),
    *(".dif", ".slk", ".dbf", ".sylk", ".uos", ".wk1", ".wks"),
}
_LARGEST = 4 << 20
#: The formats in which LibreOffice must find a reader here; by ending, with its own name of the filter.
ACCEPTED = {
    "xlsx": ("xlsx:Calc MS Excel 2007 XML", "xlsx:Calc Office Open XML"),
    "xlsm": ("xlsm:Calc MS Excel 2007 VBA XML",),
    "xls": ("xls:MS Excel 97", "xls:MS Excel 95"),
    "ods": ("ods:calc8",),
    "csv": ("csv:Text - txt - csv (StarCalc):44,34,76", "csv:Text - txt - csv (StarCalc):44,34,GB18030"),
}
#: What else it writes: read or refused, but with a verdict.
OTHERS = (
    *("xltx:Calc MS Excel 2007 XML Template", "xlt:MS Excel 97 Vorlage/Template", "ots:calc8_template"),
    *("fods:OpenDocument Spreadsheet Flat XML", "xml:MS Excel 2003 XML", "dif:DIF", "slk:SYLK"),
    *("dbf:dBase", "html:HTML (StarCalc)", "xhtml:XHTML Calc File", "uos:UOF spreadsheet"),
    *("pdf:calc_pdf_Export", "png:calc_png_Export"),
)
_CONVERT_SECONDS = 180


@dataclass
class Tally:
    """What came of one kind of files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    memory: int = 0
    bad: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        return sum(self.outcomes.values())


def memory_of_readers() -> int:
    """The most memory that a reading process now running has ever held, in bytes."""
    most = 0
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in listed.read_text(encoding="ascii").split():
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            held = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            most = max(most, *(int(kilobytes) * 1024 for kilobytes in held), 0)
    return most


def read(jobs: Sequence[ReadJob], tally: Tally) -> list[Submission]:
    """Read files one after the other, and note what came of them and how long they took."""
    begun = time.monotonic()
    taken: dict[str, float] = {}

    def watch(name: str) -> None:
        nonlocal begun
        now = time.monotonic()
        taken[name], begun = now - begun, now

    submissions = batch.read_files(jobs, progress=watch)
    tally.memory = max(tally.memory, memory_of_readers())
    if tally.memory > MOST_MEMORY:
        tally.bad.append(f"a reading process held {tally.memory >> 20} MB")
    for job, submission in zip(jobs, submissions, strict=True):
        tally.outcomes[verdict(submission)] += 1
        tally.longest = max(tally.longest, taken[job.name])
        if taken[job.name] > LONGEST_SECONDS:
            tally.bad.append(f"{job.name}: {taken[job.name]:.0f} s")
        tally.bad += [f"{job.name}: {f.message}" for f in submission.findings if DEATH in f.message]
    return submissions


def job_of(path: Path, name: str, filing: Filing) -> ReadJob:
    return ReadJob(path, name, hashlib.sha256(path.read_bytes()).hexdigest(), filing)


def found_files(folders: Sequence[Path]) -> list[Path]:
    """The spreadsheets in some folders, each content once."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size < _LARGEST:
                found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return list(found.values())


def bystanders() -> list[Path]:
    """The folders of other people's files on this machine: installed packages, LibreOffice's own."""
    folders = [Path(sysconfig.get_path("purelib"))]
    office = shutil.which("soffice")
    if office is not None:
        folders.append(Path(office).resolve().parent.parent)
    return folders


def converted(sources: Sequence[Path], target: str, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Each source with its copy as LibreOffice saves it in a format; nothing where it can't."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *("soffice", "--headless", "--norestore", f"-env:UserInstallation={folder.as_uri()}/profile"),
        *("--convert-to", target, "--outdir", str(folder), *map(str, sources)),
    ]
    subprocess.run(command, capture_output=True, timeout=_CONVERT_SECONDS, check=False)
    for source in sources:
        copy = folder / f"{source.stem}.{target.partition(':')[0]}"
        if copy.is_file():
            yield source, copy


def values_of(submission: Submission) -> dict[str, list[dict[str, object]]]:
    """The figures of a file: by table its rows' values."""
    return {
        table.table: [{name: value.value for name, value in row.values.items()} for row in table.rows]
        for table in submission.tables
    }


def written(sources: Sequence[Path], folder: Path, filing: Filing) -> tuple[Tally, list[Path]]:
    """LibreOffice's copies read; those in an accepted format compared with the originals."""
    tally = Tally()
    copies: list[Path] = []
    originals = read([job_of(path, path.name, filing) for path in sources], Tally())
    expected = {path: values_of(one) for path, one in zip(sources, originals, strict=True)}
    wanted = [(target, True) for targets in ACCEPTED.values() for target in targets]
    for number, (target, accepted) in enumerate([*wanted, *((target, False) for target in OTHERS)]):
        pairs = list(converted(sources, target, folder / str(number)))
        names = [f"{number}-{copy.name}" for _, copy in pairs]
        jobs = [job_of(copy, name, filing) for (_, copy), name in zip(pairs, names, strict=True)]
        for (source, copy), submission in zip(pairs, read(jobs, tally) if jobs else [], strict=True):
            copies.append(copy)
            if not accepted:
                continue
            if verdict(submission) != "read":
                tally.bad.append(f"{target} {copy.name}: {submission.findings[0].message}")
            elif copy.suffix != ".csv" and values_of(submission) != expected[source]:
                tally.bad.append(f"{target} {copy.name}: other values than the original")
    return tally, copies


def broken(seeds: Sequence[Path], count: int, seed: int, filing: Filing) -> Tally:
    """Mutations of files, in batches of two hundred."""
    tally = Tally()
    source = mutations([(path.name, path.read_bytes()) for path in seeds], count, seed)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(0, count, 200):
            jobs: list[ReadJob] = []
            for name, data in (pair for _, pair in zip(range(200), source, strict=False)):
                path = Path(folder) / str(len(jobs))
                path.write_bytes(data)
                jobs.append(job_of(path, name, filing))
            if jobs:
                read(jobs, tally)
    return tally


def sample_files() -> list[Path]:
    """A few workbooks of the sample month, of each kind of layout."""
    folder = CHECKOUT / "data" / "raw" / str(MONTH)
    return sorted(path for path in folder.iterdir() if path.suffix in (".xlsx", ".xls", ".ods"))


def report(tallies: dict[str, Tally], seeds: int) -> str:
    lines = [
        "# Workbooks nobody here wrote",
        "",
        f"`python benchmarks/corpus/run.py`; {seeds} files found and written were the seeds of the broken ones.",
        "",
        "| files | how many | read | F01 damaged | F02 locked | F03 no spreadsheet | F04 out of bounds "
        "| longest, s | memory, MB | bad |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, tally in tallies.items():
        counts = " | ".join(str(tally.outcomes[key]) for key in ("read", "F01", "F02", "F03", "F04"))
        lines.append(
            f"| {name} | {tally.files} | {counts} | {tally.longest:.1f} | {tally.memory >> 20} | {len(tally.bad)} |"
        )
    lines += [
        "",
        "Bad is what ends the reading process, takes over 20 s or 2 GB, is refused though its format is an accepted one "
        "and LibreOffice wrote it, or reads as other values than the original. "
        f"{date.today().isoformat()}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the result in README.md")
    given = parser.parse_args()
    filing = Filing(Registry.load(Home(CHECKOUT)), MONTH)
    tallies: dict[str, Tally] = {"found": Tally()}
    found = found_files([*bystanders(), *given.folders])
    with tempfile.TemporaryDirectory() as folder:
        read([job_of(path, f"{n}-{path.name}", filing) for n, path in enumerate(found)], tallies["found"])
        tallies["written by LibreOffice"], copies = written(sample_files(), Path(folder), filing)
        seeds = [path for path in (*found, *copies) if path.stat().st_size < 1 << 19]
        tallies["broken"] = broken(seeds, given.count, given.seed, filing)
    text = report(tallies, len(seeds))
    sys.stdout.write(text)
    bad = [line for tally in tallies.values() for line in tally.bad]
    sys.stdout.write("".join(f"bad: {line}\n" for line in bad))
    if given.write:
        RESULTS.write_text(text, encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
