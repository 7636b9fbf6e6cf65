"""Hostile files through the real reading process: each gets its code, and the good one beside is read."""

from __future__ import annotations

import hashlib
import io
import resource
import time
import zipfile
from pathlib import Path

import pytest

from ledger.home import CHECKOUT, Home
from ledger.reading import batch
from ledger.reading.model import Filing, ReadJob
from ledger.registry import Registry
from schemas.month import Month

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = ("[Content_Types].xml", "<Types/>")
_WORKBOOK = (
    "xl/workbook.xml",
    f'<workbook xmlns="{_MAIN}" xmlns:r="r"><sheets><sheet name="表1" sheetId="1" r:id="rId1"/></sheets></workbook>',
)
_RELATIONS = (
    "xl/_rels/workbook.xml.rels",
    '<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="rId2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
)


def packed(*parts: tuple[str, str | bytes], repeated: tuple[str, bytes, int] | None = None) -> bytes:
    """A package; `repeated` is a part that holds the same bytes many times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in parts:
            package.writestr(name, content)
        if repeated is not None:
            name, piece, times = repeated
            with package.open(name, "w", force_zip64=True) as part:
                for _ in range(times):
                    part.write(piece)
    return buffer.getvalue()


def sheet(body: str) -> tuple[str, str]:
    return "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'


def package(body: str, *more: tuple[str, str | bytes]) -> bytes:
    return packed(_TYPES, _WORKBOOK, _RELATIONS, sheet(body), *more)


def strings_of(text: str) -> tuple[str, str]:
    return "xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}"><si><t>{text}</t></si></sst>'


def all_rows(cell: str, rows: int) -> str:
    return "".join(f'<row r="{row}">' + cell.replace("#", str(row)) + "</row>" for row in range(1, rows + 1))


HOSTILE = {
    "a gigabyte of nothing": (
        "F04",
        lambda: packed(
            _TYPES, _WORKBOOK, _RELATIONS, repeated=("xl/worksheets/sheet1.xml", bytes(1 << 20), 1024)
        ),
    ),
    "a gigabyte of shared texts": (
        "F04",
        lambda: packed(
            _TYPES,
            _WORKBOOK,
            _RELATIONS,
            sheet(""),
            repeated=("xl/sharedStrings.xml", b"<si><t>abcdefgh</t></si>" * 40_000, 1024),
        ),
    ),
    "one text in every cell": (
        "F04",
        lambda: package(
            all_rows("".join(f'<c r="{c}#" t="s"><v>0</v></c>' for c in "ABCDEFGHIJ"), 3000),
            strings_of("长" * 32_000),
        ),
    ),
}


@pytest.fixture(scope="module")
def filing() -> Filing:
    return Filing(Registry.load(Home(CHECKOUT)), Month(2018, 9))


@pytest.mark.parametrize(("code", "make"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_get_their_code(code: str, make, filing: Filing, tmp_path: Path) -> None:
    bad, good = tmp_path / "坏.xlsx", tmp_path / "好.xlsx"
    bad.write_bytes(make())
    good.write_bytes(package('<row r="1"><c r="A1"><v>1</v></c></row>', strings_of("x")))
    jobs = [
        ReadJob(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), filing)
        for path in (bad, good)
    ]
    begun = time.monotonic()
    first, second = batch.read_files(jobs)
    assert time.monotonic() - begun < 90
    assert [found.rule for found in first.findings] == [code]
    assert "F05" in {found.rule for found in second.findings}  # read, and no table of ours in it


def test_starting_the_process_and_reading_one_file_cost_little(filing: Filing) -> None:
    path = CHECKOUT / "tests" / "data" / "formats" / "libreoffice.xls"
    batch.close_readers()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    batch.read_files([ReadJob(path, path.name, "0" * 64, filing)])
    batch.close_readers()  # a child's time is known when it has ended
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
