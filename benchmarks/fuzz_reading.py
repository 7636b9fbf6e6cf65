"""Throw mutations of real workbooks at the reader: always a verdict, never a crash or a hang.

    python benchmarks/fuzz_reading.py --count 5000 --seed 1

The corpus is the sample programme's workbooks, the fixtures in tests/data/formats and whatever
folders are named. Mutations: flipped, cut, repeated and exchanged bytes; and, inside zip packages,
the same in one part packed again, with numbers and tags of the XML exchanged. Every file goes the
way of `ledger check`: the reading process with its limits. The files that end it, or take more
than ten seconds, are kept in --keep; the exit code is 1 where there are any.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.home import CHECKOUT, Home
from ledger.reading import batch
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.registry import Registry
from schemas.month import Month

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".et", ".ods", ".csv")
#: Numbers that have broken readers before.
NUMBERS = (
    b"0",
    b"-1",
    b"65536",
    b"1048577",
    b"16385",
    b"99999999999999999999",
    b"1e999",
    b"NaN",
    b"",
    b"\xff",
)
DEATH = "异常中止"


def corpus(folders: Sequence[Path]) -> list[tuple[str, bytes]]:
    found = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.stat().st_size < 1 << 20
    ]
    return [(path.name, path.read_bytes()) for path in found]


def mutate_bytes(data: bytes, rnd: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rnd.choice((1, 1, 2, 4, 16))):
        if not out:
            break
        at = rnd.randrange(len(out))
        size = min(rnd.choice((1, 1, 2, 4, 8, 64, 512)), len(out) - at)
        match rnd.randrange(7):
            case 0:
                out[at] ^= 1 << rnd.randrange(8)
            case 1:
                out[at : at + size] = rnd.randbytes(size)
            case 2:
                del out[at : at + size]
            case 3:
                out[at:at] = out[at : at + size] * rnd.choice((1, 2, 50))
            case 4:
                del out[at:]
            case 5:
                out[at : at + size] = rnd.choice((b"\x00", b"\xff", b"\x7f\xff", b"\x80\x00")) * size
            case _:
                other = rnd.randrange(len(out))
                out[at : at + size], out[other : other + size] = (
                    out[other : other + size],
                    out[at : at + size],
                )
    return bytes(out)


def mutate_xml(data: bytes, rnd: random.Random) -> bytes:
    """Exchange numbers, attribute values or tags: well-formed more often than not."""
    marks = {0: b'"', 1: b">", 2: b"<"}[rnd.randrange(3)]
    pieces = data.split(marks)
    for _ in range(rnd.choice((1, 1, 3, 10))):
        one, other = rnd.randrange(len(pieces)), rnd.randrange(len(pieces))
        match rnd.randrange(4):
            case 0:
                pieces[one] = rnd.choice(NUMBERS)
            case 1:
                pieces[one], pieces[other] = pieces[other], pieces[one]
            case 2:
                pieces[one] = pieces[other]
            case _:
                pieces[one:one] = pieces[one : one + 5] * rnd.choice((1, 3, 200))
    return marks.join(pieces)


def mutate_package(data: bytes, rnd: random.Random) -> bytes:
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(buffer, "w") as mutated:
            names = package.namelist()
            chosen = rnd.choice(names)
            dropped = rnd.choice(names) if rnd.random() < 0.05 else ""
            for name in names:
                content = package.read(name)
                if name == chosen:
                    content = rnd.choice((mutate_xml, mutate_xml, mutate_bytes))(content, rnd)
                if name != dropped:
                    mutated.writestr(name, content, zipfile.ZIP_DEFLATED)
    except zipfile.BadZipFile:
        return mutate_bytes(data, rnd)
    return buffer.getvalue()


def mutations(seeds: list[tuple[str, bytes]], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    rnd = random.Random(seed)
    for number in range(count):
        name, data = rnd.choice(seeds)
        packed = data.startswith(b"PK") and rnd.random() < 0.8
        yield f"{number}-{name}", mutate_package(data, rnd) if packed else mutate_bytes(data, rnd)


def verdict(submission: Submission) -> str:
    for found in submission.findings:
        if found.rule in ("F01", "F02", "F03", "F04"):
            return found.rule
    return "read"


class _Watch:
    """Notes the files that took more than ten seconds."""

    def __init__(self) -> None:
        self.slow: list[str] = []
        self._last = time.monotonic()

    def __call__(self, name: str) -> None:
        now = time.monotonic()
        if now - self._last > 10:
            self.slow.append(name)
        self._last = now


def run(seeds: list[tuple[str, bytes]], count: int, seed: int, keep: Path) -> tuple[Counter[str], list[str]]:
    """Read `count` mutations in batches of 200; what came of them, and the names of the bad ones."""
    filing = Filing(Registry.load(Home(CHECKOUT)), Month(2018, 9))
    outcomes: Counter[str] = Counter()
    bad: list[str] = []
    source = mutations(seeds, count, seed)
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, count, 200):
            jobs: list[ReadJob] = []
            for name, data in (pair for _, pair in zip(range(200), source, strict=False)):
                path = Path(folder) / str(len(jobs))
                path.write_bytes(data)
                jobs.append(ReadJob(path, name, hashlib.sha256(data).hexdigest(), filing))
            watch = _Watch()
            for job, submission in zip(jobs, batch.read_files(jobs, progress=watch), strict=True):
                outcomes[verdict(submission)] += 1
                died = any(DEATH in found.message for found in submission.findings)
                if died or job.name in watch.slow:
                    bad.append(job.name)
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}-{job.name}").write_bytes(job.path.read_bytes())
            print(f"{begin + len(jobs)} of {count}: {dict(outcomes)}, bad: {len(bad)}", flush=True)
    return outcomes, bad


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-failures")
    arguments = parser.parse_args()
    own = [CHECKOUT / "tests" / "data" / "formats", CHECKOUT / "data" / "raw"]
    seeds = corpus([*own, *arguments.folders])
    outcomes, bad = run(seeds, arguments.count, arguments.seed, arguments.keep)
    print(f"{len(seeds)} seeds, {sum(outcomes.values())} mutations: {dict(outcomes)}; bad: {bad or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
