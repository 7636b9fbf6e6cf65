"""The sample programme: its files are those the generator writes, and they say what its story says.

The workbooks are read here with openpyxl, xlrd, zipfile and csv alone, so that a slip of our own
reader can't hide a slip of our own generator.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest
import xlrd

from ledger.calendar import deadline, parse_moment
from ledger.home import CHECKOUT
from schemas.month import Month
from tools.make_sample import DISTURBED, OFFICES, Sample, received_csv
from tools.sample.needs import NEEDS
from tools.sample.projects import PROJECTS
from tools.sample.story import MONTHS
from tools.sample.targets import INDICATORS

RAW = CHECKOUT / "data" / "raw"


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, bytes]]:
    sample = Sample()
    months = {}
    for name in MONTHS:
        filed = sample.month(Month.parse(name))
        months[name] = {one.name: one.data for one in filed} | {"received.csv": received_csv(filed)}
    return months


def content(data: bytes) -> object:
    """A file's content: of a package its parts, since compressors differ between machines."""
    if data[:2] != b"PK":
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return [(info.filename, info.date_time, package.read(info)) for info in package.infolist()]


@pytest.mark.parametrize("month", MONTHS)
def test_the_committed_files_are_those_the_generator_writes(
    month: str, written: dict[str, dict[str, bytes]]
) -> None:
    kept = {path.name: path.read_bytes() for path in (RAW / month).iterdir()}
    assert sorted(kept) == sorted(written[month])
    for name, data in kept.items():
        assert content(data) == content(written[month][name]), name


@pytest.mark.parametrize("month", MONTHS)
def test_every_file_is_in_received_csv_and_timely_but_for_those_named(month: str) -> None:
    with (RAW / month / "received.csv").open(encoding="utf-8", newline="") as file:
        received = {line["file_name"]: parse_moment(line["received_at"]) for line in csv.DictReader(file)}
    assert sorted([*received, "received.csv"]) == sorted(path.name for path in (RAW / month).iterdir())
    due = deadline(Month.parse(month)).moment
    late = {name for name, moment in received.items() if moment > due}
    expected = {
        office.file.format(m=int(month[-2:]))
        for code, office in OFFICES.items()
        if DISTURBED.get((month, code), "").startswith("late")
    }
    assert {name for name in late if "更正" not in name} == expected


def cells(path: Path) -> Iterator[str]:
    """Every cell's text, whatever the format."""
    data = path.read_bytes()
    if path.suffix == ".xlsx":
        for sheet in openpyxl.load_workbook(path, data_only=True).worksheets:
            yield from (str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None)
    elif path.suffix == ".xls":
        for sheet in xlrd.open_workbook(path).sheets():
            yield from (str(c.value) for row in sheet.get_rows() for c in row if c.value != "")
    elif path.suffix == ".ods":
        with zipfile.ZipFile(path) as package:
            text = package.read("content.xml").decode()
        yield from re.findall(r"<text:p>([^<]*)</text:p>", text)
    else:
        encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "gb18030"
        for line in csv.reader(io.StringIO(data.decode(encoding))):
            yield from (value for value in line if value)


@pytest.mark.parametrize("month", MONTHS)
def test_every_word_of_the_story_stands_in_the_workbooks(month: str) -> None:
    place = MONTHS.index(month)
    texts = {text for path in (RAW / month).iterdir() if path.name != "received.csv" for text in cells(path)}
    told = [m[place].problems for m in PROJECTS.values()] + [m[place].measures for m in PROJECTS.values()]
    told += [m[place].progress for m in NEEDS.values()] + [m[place].partner for m in NEEDS.values()]
    if month != "2018-09":
        told += [target.evidence[place] for target in INDICATORS.values()]
    assert len([text for text in told if text]) > 20
    assert not [text for text in told if text and text not in texts]


def test_the_story_itself_is_consistent() -> None:
    pairs = (("fiscal_paid", "fiscal_received"), ("self_paid", "self_received"))
    rising = (
        "progress",
        "fiscal_received",
        "self_received",
        "invested",
        "fiscal_paid",
        "self_paid",
        "households",
        "persons",
    )
    for item, months in PROJECTS.items():
        for before, after in pairwise(months):
            for name in rising:
                assert float(getattr(before, name)) <= float(getattr(after, name)), (item, name)
        for month in months:
            for paid, received in pairs:
                assert float(getattr(month, paid)) <= float(getattr(month, received)), (item, paid)
            assert (month.status == "未开工") == (not month.start), item
