"""Whatever values a library writes come back equal, and our reading agrees with other readers'."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import pytest
import python_calamine
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reading.formats import open_book
from ledger.reading.model import Book, Cell, CellKind

ROOT = Path(__file__).parents[2]

#: Characters that XML 1.0 can hold and spreadsheets keep as they are.
TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn"), blacklist_characters="_\ufffe\uffff\ufeff"),
    min_size=1,
    max_size=12,
).filter(lambda text: not text.startswith(("=", "#")))
NUMBER = st.one_of(
    st.integers(-(10**9), 10**9),
    st.decimals(-(10**6), 10**6, places=2, allow_nan=False).map(float),
    st.floats(-1e12, 1e12, allow_nan=False).filter(lambda n: n == 0 or abs(n) > 1e-9),
)
DATE = st.datetimes(datetime(1901, 1, 1), datetime(2199, 12, 31)).map(lambda d: d.replace(microsecond=0))
VALUE = st.one_of(st.none(), TEXT, NUMBER, st.booleans(), DATE)
TABLE = st.lists(st.lists(VALUE, min_size=1, max_size=6), min_size=1, max_size=8)


def places(table: list[list[object]]) -> dict[tuple[int, int], object]:
    return {
        (row, column): value
        for row, values in enumerate(table, start=1)
        for column, value in enumerate(values, start=1)
        if value is not None
    }


def expected(value: object, digits: int = 17) -> tuple[CellKind, object]:
    if isinstance(value, bool):
        return CellKind.BOOLEAN, value
    if isinstance(value, datetime):
        return CellKind.DATE, value
    if isinstance(value, int | float):
        written = float(format(value, f".{digits}g"))
        return CellKind.NUMBER, Decimal(repr(written))
    return CellKind.TEXT, value


def cells_of(data: bytes, name: str) -> dict[tuple[int, int], Cell]:
    book = open_book(data, name)
    assert isinstance(book, Book), book
    assert all((cell.row, cell.column) == place for place, cell in book.sheets[0].cells.items())
    return book.sheets[0].cells


def compare(found: dict[tuple[int, int], Cell], wanted: dict[tuple[int, int], object], digits: int) -> None:
    assert set(found) == set(wanted)
    for place, value in wanted.items():
        assert (found[place].kind, found[place].value) == expected(value, digits), place


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TABLE)
def test_what_openpyxl_writes_comes_back(table: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for (row, column), value in places(table).items():
        book.active.cell(row, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    # openpyxl writes 16 digits of a number
    compare(cells_of(buffer.getvalue(), "x.xlsx"), places(table), 16)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TABLE)
def test_what_xlwt_writes_comes_back(table: list[list[object]]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表1")
    date = xlwt.XFStyle()
    date.num_format_str = "yyyy-mm-dd hh:mm:ss"
    wanted = places(table)
    for (row, column), value in wanted.items():
        if isinstance(value, datetime):
            sheet.write(row - 1, column - 1, value, date)
        else:
            sheet.write(row - 1, column - 1, value)
    buffer = io.BytesIO()
    book.save(buffer)
    compare(cells_of(buffer.getvalue(), "x.xls"), wanted, 17)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(TEXT | st.just(""), min_size=3, max_size=3), min_size=2, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_what_csv_writes_comes_back(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    rows = [["序号", "项目名称", "备注"], *rows]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    found = cells_of(buffer.getvalue().encode(encoding), "x.csv")
    wanted = {place: value for place, value in places([list(row) for row in rows]).items() if value}
    assert {place: cell.value for place, cell in found.items()} == wanted


def ods_cell(value: object) -> str:
    """A cell as the standard writes it, by hand."""
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
    if isinstance(value, datetime):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
    # runs of spaces are an element of their own in this format
    words = "".join(
        f'<text:s text:c="{len(piece)}"/>' if piece.isspace() else escape(piece)
        for piece in re.split("( +)", str(value))
    )
    return f'<table:table-cell office:value-type="string"><text:p>{words}</text:p></table:table-cell>'


def ods_bytes(table: list[list[object]]) -> bytes:
    rows = "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in table)
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<office:document-content{names}><office:body><office:spreadsheet><table:table table:name="表1">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
    return buffer.getvalue()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TABLE)
def test_what_an_ods_says_comes_back(table: list[list[object]]) -> None:
    compare(cells_of(ods_bytes(table), "x.ods"), places(table), 17)


def agree(data: bytes) -> int:
    """Compare with calamine cell by cell; the number of cells compared."""
    ours = open_book(data, "x")
    assert isinstance(ours, Book), ours
    theirs = python_calamine.load_workbook(io.BytesIO(data))
    assert [sheet.name for sheet in ours.sheets] == theirs.sheet_names
    compared = 0
    for sheet in ours.sheets:
        rows = theirs.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
        for row, values in enumerate(rows, start=1):
            for column, value in enumerate(values, start=1):
                cell = sheet.cells.get((row, column))
                if cell is None or cell.kind in (CellKind.ERROR, CellKind.FORMULA, CellKind.DATE):
                    continue  # calamine knows neither errors nor formulas; dates it gives as days
                compared += 1
                if cell.kind is CellKind.NUMBER:
                    assert float(cell.value) == value
                else:
                    assert cell.value == value
    return compared


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "tests" / "data" / "formats").glob("libreoffice.[xo]*"))
    + sorted((ROOT / "data" / "raw").rglob("*.xlsx"))[:40],
    ids=lambda path: path.name,
)
def test_our_reading_agrees_with_calamine(path: Path) -> None:
    assert agree(path.read_bytes()) > 0
