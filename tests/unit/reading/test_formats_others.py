"""xls and ods: the same facts as xlsx; and one workbook saved by LibreOffice in every format."""

from __future__ import annotations

import io
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
import xlwt
from raw_packages import ods

from ledger.reading.formats import open_book
from ledger.reading.model import Book, Cell, CellKind, Sheet

DATA = Path(__file__).parents[2] / "data" / "formats"


def book_of(data: bytes, name: str) -> Book:
    book = open_book(data, name)
    assert isinstance(book, Book), book
    return book


def xls_of(write, **more) -> Book:
    book = xlwt.Workbook()
    for name, value in more.items():
        setattr(book, name, value)
    write(book.add_sheet("表1"))
    buffer = io.BytesIO()
    book.save(buffer)
    return book_of(buffer.getvalue(), "x.xls")


def style(code: str) -> xlwt.XFStyle:
    chosen = xlwt.XFStyle()
    chosen.num_format_str = code
    return chosen


def test_xls_values_formats_and_formulas() -> None:
    def write(sheet) -> None:
        sheet.write(0, 0, "长梁镇")
        sheet.write(0, 1, 120.1)
        sheet.write(0, 2, 0.65, style("0%"))
        sheet.write(0, 3, 43252, style('yyyy"年"m"月"'))
        sheet.write(0, 4, 0.3541666666666667, style("h:mm"))
        sheet.write(0, 5, True)
        sheet.write(0, 6, xlwt.Formula("1+1"))
        sheet.write(0, 7, 43252, style("0"))
        sheet.write(0, 8, "", style("0"))

    cells = list(xls_of(write).sheets[0].cells.values())
    assert [(c.kind, c.value, c.raw) for c in cells] == [
        (CellKind.TEXT, "长梁镇", "长梁镇"),
        (CellKind.NUMBER, Decimal("120.1"), "120.1"),
        (CellKind.NUMBER, Decimal("0.65"), "0.65"),
        (CellKind.DATE, datetime(2018, 6, 1), "2018-06-01"),
        (CellKind.DATE, time(8, 30), "08:30:00"),
        (CellKind.BOOLEAN, True, "TRUE"),
        (CellKind.FORMULA, None, ""),
        (CellKind.NUMBER, Decimal(43252), "43252"),
    ]
    assert cells[2].number_format == "0%"


def test_xls_1904_merges_and_what_is_hidden() -> None:
    def write(sheet) -> None:
        sheet.write_merge(0, 1, 0, 2, "标题")
        sheet.write(2, 0, 41790, style("yyyy/m/d"))
        sheet.write(3, 0, 1)
        sheet.write(3, 2, 1)
        sheet.row(3).hidden = True
        sheet.col(2).hidden = True
        sheet.visibility = 1

    book = xls_of(write, dates_1904=True)
    sheet = book.sheets[0]
    assert book.date1904
    assert sheet.cells[3, 1].value == datetime(2018, 6, 1)
    assert sheet.merges == [(1, 1, 2, 3)]
    assert (sheet.hidden, sheet.hidden_rows, sheet.hidden_columns) == (True, {4}, {3})


def ods_cells(row: str, **more: str) -> list[Cell]:
    table = f'<table:table table:name="表1"><table:table-row>{row}</table:table-row></table:table>'
    return list(book_of(ods(table, **more), "x.ods").sheets[0].cells.values())


def test_ods_values() -> None:
    row = (
        '<table:table-cell office:value-type="string"><text:p>长<text:span>梁</text:span>镇<text:s text:c="2"/>甲</text:p>'
        "<text:p>二</text:p><office:annotation><text:p>批注</text:p></office:annotation></table:table-cell>"
        '<table:table-cell office:value-type="float" office:value="120.09999999999999"><text:p>120</text:p></table:table-cell>'
        '<table:table-cell office:value-type="percentage" office:value="0.65"><text:p>65%</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2018-06-01"><text:p>18年6月</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2018-06-01T08:30:00"/>'
        '<table:table-cell office:value-type="time" office:time-value="PT08H30M00S"/>'
        '<table:table-cell office:value-type="time" office:time-value="PT30H30M00S"><text:p>30:30</text:p></table:table-cell>'
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
        '<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2"/>'
        '<table:table-cell table:formula="of:=1+1"/>'
        '<table:table-cell table:number-columns-repeated="16000"/>'
    )
    assert [(c.kind, c.value, c.is_formula) for c in ods_cells(row)] == [
        (CellKind.TEXT, "长梁镇  甲\n二", False),
        (CellKind.NUMBER, Decimal("120.1"), False),
        (CellKind.NUMBER, Decimal("0.65"), False),
        (CellKind.DATE, datetime(2018, 6, 1), False),
        (CellKind.DATE, datetime(2018, 6, 1, 8, 30), False),
        (CellKind.DATE, time(8, 30), False),
        (CellKind.TEXT, "30:30", False),
        (CellKind.BOOLEAN, True, False),
        (CellKind.ERROR, "#DIV/0!", True),
        (CellKind.NUMBER, Decimal(2), True),
        (CellKind.FORMULA, None, True),
    ]


def test_ods_a_percent_sign_that_is_only_shown_scales_nothing() -> None:
    """As LibreOffice writes 0"%" and 0%: only the second is a percentage's style."""
    styles = "".join(
        f'<number:{kind}-style style:name="{name}"><number:number number:decimal-places="0"/>'
        f"<number:text>%</number:text></number:{kind}-style>"
        f'<style:style style:name="c{name}" style:family="table-cell" style:data-style-name="{name}"/>'
        for kind, name in (("number", "N1"), ("percentage", "N2"))
    )
    row = (
        '<table:table-cell table:style-name="cN1" office:value-type="float" office:value="1"/>'
        '<table:table-cell table:style-name="cN2" office:value-type="percentage" office:value="1"/>'
    )
    assert [cell.number_format for cell in ods_cells(row, automatic_styles=styles)] == ['0"%"', "0%"]


def test_ods_a_formula_without_value_is_an_empty_text_where_a_program_calculated() -> None:
    assert (
        ods_cells('<table:table-cell table:formula="of:=&quot;&quot;"/>', generator="LibreOffice/7.4") == []
    )


def test_ods_repeats_spans_and_what_is_hidden() -> None:
    table = (
        '<table:table table:name="表1" table:style-name="ta1">'
        '<table:table-column table:number-columns-repeated="2"/>'
        '<table:table-column table:visibility="collapse" table:number-columns-repeated="1022"/>'
        "<table:table-row>"
        '<table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="1" office:value-type="string"><text:p>题</text:p></table:table-cell>'
        '<table:covered-table-cell office:value-type="float" office:value="9"/>'
        '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="2"/>'
        "</table:table-row>"
        '<table:table-header-rows><table:table-row table:number-rows-repeated="2" table:visibility="filter">'
        '<table:table-cell office:value-type="float" office:value="2"/></table:table-row></table:table-header-rows>'
        '<table:table-row table:number-rows-repeated="1048573"><table:table-cell/></table:table-row>'
        "</table:table>"
    )
    hidden = '<style:style style:name="ta1" style:family="table"><style:table-properties table:display="false"/></style:style>'
    sheet = book_of(ods(table, automatic_styles=hidden), "x.ods").sheets[0]
    assert {place: cell.value for place, cell in sheet.cells.items()} == {
        (1, 1): "题",
        (1, 3): 1,
        (1, 4): 1,
        (2, 1): 2,
        (3, 1): 2,
    }
    assert [(cell.row, cell.column) for cell in sheet.cells.values()] == list(sheet.cells)
    assert sheet.merges == [(1, 1, 1, 2)]
    assert (sheet.hidden, sheet.hidden_rows, sheet.hidden_columns) == (True, {2, 3}, {3, 4})


def test_ods_what_is_no_sheet_is_not_read() -> None:
    old = '<table:table table:name="旧"><table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row></table:table>'
    book = book_of(
        ods(f'<table:tracked-changes>{old}</table:tracked-changes><table:table table:name="表1"/>'), "x.ods"
    )
    assert [sheet.name for sheet in book.sheets] == ["表1"]


LIBREOFFICE = [
    ("A1", CellKind.TEXT, "表1 援建项目进度"),
    ("B4", CellKind.NUMBER, Decimal("120.5")),
    ("D4", CellKind.NUMBER, Decimal(7)),
    ("B5", CellKind.NUMBER, Decimal("0.65")),
    ("B6", CellKind.NUMBER, Decimal(1)),
    ("B7", CellKind.NUMBER, Decimal(-3)),
    ("B8", CellKind.NUMBER, Decimal("1E-7")),
    ("B9", CellKind.NUMBER, Decimal("0.3")),
    ("B10", CellKind.TEXT, "累计支付 “财政”"),
    ("B11", CellKind.TEXT, "两\n行"),
    ("B12", CellKind.DATE, datetime(2018, 5, 1)),
    ("B13", CellKind.DATE, datetime(2018, 5, 1, 8, 30)),
    ("B14", CellKind.DATE, time(8, 30)),
    ("B15", CellKind.NUMBER, Decimal(2)),
    ("B16", CellKind.ERROR, "#DIV/0!"),
    ("B18", CellKind.TEXT, "完工"),
    ("B19", CellKind.ERROR, "#N/A"),
    ("B20", CellKind.TEXT, "2018.10"),
    ("B21", CellKind.TEXT, "  前后空格  "),
    ("B22", CellKind.NUMBER, Decimal("2018.1")),
]


@pytest.mark.parametrize("format_name", ["xlsx", "xls", "ods"])
@pytest.mark.parametrize("alias", ["九月.xlsx", "九月.et", "九月.csv", "无扩展名"])
def test_one_workbook_in_every_format_of_libreoffice(format_name: str, alias: str) -> None:
    book = book_of((DATA / f"libreoffice.{format_name}").read_bytes(), alias)
    assert book.format == format_name
    sheet, other = book.sheets
    assert [(c.address, c.kind, c.value) for c in sheet.cells.values()] == LIBREOFFICE
    assert [c.address for c in sheet.cells.values() if c.is_formula] == ["B15", "B16", "B18", "B19"]
    assert (sheet.merges, sheet.hidden_rows, sheet.hidden_columns) == ([(1, 1, 2, 4)], {5}, {4})
    assert (other.name, sheet.hidden, other.hidden) == ("藏", False, True)
    codes = {c.address: c.number_format for c in sheet.cells.values()}
    assert codes["B22"] == "0.00"
    assert (codes["B5"], codes["B6"]) == ("0%", "0%")


def test_the_same_as_csv() -> None:
    book = book_of((DATA / "libreoffice.csv").read_bytes(), "libreoffice.csv")
    sheet: Sheet = book.sheets[0]
    shown = {c.address: c.raw for c in sheet.cells.values()}
    assert list(shown) == [address for address, _, _ in LIBREOFFICE]
    assert (shown["B5"], shown["B12"], shown["B22"]) == ("65%", "2018年5月", "2018.10")
    assert sheet.cells[16, 2].kind is CellKind.ERROR
