"""A slice of the corpus run (benchmarks/corpus): other people's files and broken ones get a verdict."""

from __future__ import annotations

from itertools import islice

from benchmarks.corpus.run import MONTH, Tally, broken, bystanders, found_files, job_of, read, sample_files
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Filing
from ledger.registry import Registry

FILING = Filing(Registry.load(Home(CHECKOUT)), MONTH)
DATA = CHECKOUT / "tests" / "data" / "formats"


def test_files_of_installed_packages_get_a_verdict() -> None:
    files = list(islice(found_files([DATA, *bystanders()]), 60))
    assert len(files) >= 5
    tally = Tally()
    read([job_of(path, f"{number}-{path.name}", FILING) for number, path in enumerate(files)], tally)
    assert tally.files == len(files)
    assert not tally.bad
    assert tally.outcomes["read"] >= 4


def test_broken_workbooks_get_a_verdict() -> None:
    seeds = [*sample_files(), *sorted(DATA.iterdir())]
    tally = broken(seeds, 150, 2018, FILING)
    assert tally.files == 150
    assert not tally.bad
    assert tally.outcomes["read"] > 10
    assert tally.outcomes["F01"] > 10
