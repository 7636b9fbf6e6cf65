"""csv: encodings and delimiters by content; every cell is the text that was written."""

from __future__ import annotations

import codecs

import pytest

from ledger.reading.formats import open_book
from ledger.reading.model import Book, CellKind, Sheet
from schemas.finding import Finding

ROWS = [["序号", "项目名称", "备注"], ["1", "长梁镇“喆”字桥，二期", 'say "hi"'], ["2", "两\n行", " 外空 "]]


def text_of(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    def quoted(field: str) -> str:
        return '"' + field.replace('"', '""') + '"' if any(c in field for c in '",;\t\n') else field

    return end.join(delimiter.join(quoted(field) for field in row) for row in rows) + end


def sheet_of(data: bytes, name: str = "长梁镇 9月.csv") -> Sheet:
    book = open_book(data, name)
    assert isinstance(book, Book), book
    assert (book.format, len(book.sheets)) == ("csv", 1)
    return book.sheets[0]


def values(sheet: Sheet) -> list[list[str]]:
    assert {cell.kind for cell in sheet.cells.values()} == {CellKind.TEXT}
    return [
        [str(sheet.cells[row, column].value) for column in range(1, sheet.last_column + 1)]
        for row in range(1, sheet.last_row + 1)
    ]


ENCODED = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with BOM": lambda text: codecs.BOM_UTF8 + text.encode(),
    "gb18030": lambda text: text.encode("gb18030"),
    "utf-16": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "DOS end mark": lambda text: text.encode("gb18030") + b"\x1a",
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
def test_encodings_and_delimiters(encode, delimiter: str) -> None:
    sheet = sheet_of(encode(text_of(ROWS, delimiter)))
    assert sheet.name == "长梁镇 9月"
    assert values(sheet) == ROWS


def test_line_ends_blank_lines_and_the_separator_line() -> None:
    for end in ("\n", "\r\n", "\r"):
        assert values(sheet_of(text_of(ROWS, end=end).encode())) == ROWS
    spaced = sheet_of(("表1\n\n" + text_of(ROWS)).encode())
    assert spaced.cells[3, 1].value == "序号"
    assert values(sheet_of(("sep=;\r\n" + text_of(ROWS, ";")).encode())) == ROWS


def test_excel_errors_in_a_csv_are_errors() -> None:
    sheet = sheet_of(b"a,b,c\n1,#REF!,2\n")
    assert (sheet.cells[2, 2].kind, sheet.cells[2, 2].value) == (CellKind.ERROR, "#REF!")


def test_numbers_stay_text() -> None:
    sheet = sheet_of("序号,金额,日期\n001,1,5\n".encode())
    assert sheet.cells[2, 1].value == "001"


def test_lines_of_equal_width_are_a_table() -> None:
    assert sheet_of("零报告,,\n,,\n".encode()).cells[1, 1].value == "零报告"


def test_a_quotation_mark_never_closed_is_damage_not_a_guess() -> None:
    found = open_book('a,b,c\n1,"长梁镇,2\n3,4,5\n'.encode(), "x.csv")
    assert isinstance(found, Finding)
    assert found.rule == "F01"
    assert "第 2 行" in found.message


def test_text_in_no_encoding() -> None:
    found = open_book(b"a,b,c\n\xff\xff\xff,1,2\n", "x.csv")
    assert isinstance(found, Finding)
    assert found.rule == "F01"
