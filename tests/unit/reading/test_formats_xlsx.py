"""xlsx: what stands in the XML is what is read, in whatever way it is written."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

import pytest
from raw_packages import (
    MAIN,
    STRICT_MAIN,
    STRICT_RELATIONS,
    shared_strings,
    styles,
    worksheet,
    xlsx,
)

from ledger.reading.formats import open_book
from ledger.reading.model import Book, Cell, CellKind, Sheet
from schemas.finding import Finding


def book_of(data: bytes) -> Book:
    book = open_book(data, "x.xlsx")
    assert isinstance(book, Book), book
    return book


def sheet_of(body: str, **more: str) -> Sheet:
    return book_of(xlsx(worksheet(body), **more)).sheets[0]


def cell_of(cell: str, **more: str) -> Cell:
    """The one cell of a row, read by both roads: plain, and through the parser."""
    plain = sheet_of(f'<row r="1">{cell}</row>', **more)
    parsed = sheet_of(f'<!-- --><row r="1">{cell}</row>', **more)
    assert plain == parsed
    (found,) = plain.cells.values()
    return found


@pytest.mark.parametrize(
    ("stored", "value", "raw"),
    [
        ("120.5", "120.5", "120.5"),
        ("120.09999999999999", "120.1", "120.1"),
        ("0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
        ("0.65000000000000002", "0.65", "0.65"),
        ("1.2E-2", "0.012", "0.012"),
        ("1E3", "1000", "1000"),
        ("-0.5", "-0.5", "-0.5"),
        ("2018.1", "2018.1", "2018.1"),
        ("123456789012345", "123456789012345", "123456789012345"),
        ("0", "0", "0"),
        (" 7 ", "7", "7"),
    ],
)
def test_numbers_are_exact(stored: str, value: str, raw: str) -> None:
    cell = cell_of(f'<c r="A1"><v>{stored}</v></c>')
    assert (cell.kind, cell.value, cell.raw) == (CellKind.NUMBER, Decimal(value), raw)


@pytest.mark.parametrize("stored", ["abc", "NaN", "INF", "1,5", "0x10", "1_000"])
def test_a_number_that_is_none_is_text(stored: str) -> None:
    cell = cell_of(f'<c r="A1"><v>{stored}</v></c>')
    assert (cell.kind, cell.value) == (CellKind.TEXT, stored)


def test_shared_rich_and_phonetic_text() -> None:
    strings = shared_strings(
        "<t>长梁镇</t>",
        "<r><rPr><b/></rPr><t>富</t></r><r><t xml:space='preserve'> 文本</t></r><rPh sb='0' eb='1'><t>fu</t></rPh>",
        "<t>甲&amp;乙 &lt;丙&gt; _x000D_换行_x005F_x000D_</t>",
    )
    body = "".join(f'<c r="{column}1" t="s"><v>{n}</v></c>' for n, column in enumerate("ABC"))
    sheet = sheet_of(f'<row r="1">{body}</row>', strings=strings)
    assert [c.value for c in sheet.cells.values()] == ["长梁镇", "富 文本", "甲&乙 <丙> \r换行_x000D_"]


@pytest.mark.parametrize(
    "inline",
    [
        "<is><t>长梁镇</t></is>",
        '<is><t xml:space="preserve">长梁镇</t></is>',
        "<is><r><t>长梁</t></r><r><t>镇</t></r><rPh sb='0' eb='1'><t>zhen</t></rPh></is>",
    ],
)
def test_inline_text(inline: str) -> None:
    assert cell_of(f'<c r="A1" t="inlineStr">{inline}</c>').value == "长梁镇"


def test_entities_in_text() -> None:
    assert cell_of('<c r="A1" t="str"><v>&lt;&#38;&#x4e00;&gt;</v></c>').value == "<&一>"


def test_errors_booleans_and_iso_dates() -> None:
    assert cell_of('<c r="A1" t="e"><v>#REF!</v></c>')[2:5] == (CellKind.ERROR, "#REF!", "#REF!")
    assert cell_of('<c r="A1" t="b"><v>1</v></c>')[2:5] == (CellKind.BOOLEAN, True, "TRUE")
    cell = cell_of('<c r="A1" t="d"><v>2018-06-01T00:00:00</v></c>')
    assert cell[2:5] == (CellKind.DATE, datetime(2018, 6, 1), "2018-06-01")


@pytest.mark.parametrize(
    ("inside", "kind", "value"),
    [
        ("<f>1+1</f><v>2</v>", CellKind.NUMBER, Decimal(2)),
        ("<f>1+1</f>", CellKind.FORMULA, None),
        ("<f>1+1</f><v/>", CellKind.FORMULA, None),
        ("<f>1+1</f><v></v>", CellKind.FORMULA, None),
        ('<f t="shared" si="0"/><v>3</v>', CellKind.NUMBER, Decimal(3)),
        ('<f t="shared" ref="A1:A2" si="0">A&lt;2</f>', CellKind.FORMULA, None),
    ],
)
def test_formulas_with_and_without_results(inside: str, kind: CellKind, value: object) -> None:
    cell = cell_of(f'<c r="A1">{inside}</c>')
    assert (cell.kind, cell.value, cell.is_formula) == (kind, value, True)


def test_a_formula_with_an_empty_text_as_result_is_blank() -> None:
    assert sheet_of('<row r="1"><c r="A1" t="str"><f>""</f><v></v></c></row>').cells == {}
    assert cell_of('<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>').kind is CellKind.ERROR
    assert cell_of('<c r="A1" t="str"><f>"x"</f><v>x</v></c>').is_formula


@pytest.mark.parametrize(
    ("code", "stored", "value", "raw"),
    [
        ("yyyy&quot;年&quot;m&quot;月&quot;", "43252", datetime(2018, 6, 1), "2018-06-01"),
        (
            "[$-804]yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@",
            "43252",
            datetime(2018, 6, 1),
            "2018-06-01",
        ),
        ("[DBNum1][$-804]yyyy年m月", "43252", datetime(2018, 6, 1), "2018-06-01"),
        ("yyyy\\-mm\\-dd\\ h:mm", "43252.354166666664", datetime(2018, 6, 1, 8, 30), "2018-06-01 08:30:00"),
        ("h:mm", "0.3541666666666667", time(8, 30), "08:30:00"),
        ("mmm\\-yy", "61", datetime(1900, 3, 1), "1900-03-01"),
        ("d/m/yy", "59", datetime(1900, 2, 28), "1900-02-28"),
        ("e&quot;年&quot;m&quot;月&quot;", "43252", datetime(2018, 6, 1), "2018-06-01"),
    ],
)
def test_dates_by_number_format(code: str, stored: str, value: object, raw: str) -> None:
    cell = cell_of(f'<c r="A1" s="1"><v>{stored}</v></c>', style_sheet=styles(code))
    assert (cell.kind, cell.value, cell.raw) == (CellKind.DATE, value, raw)


@pytest.mark.parametrize(
    "code",
    [
        "0%",
        "#,##0.00_);[Red]\\(#,##0.00\\)",
        "0.00E+00",
        "0.00&quot; days&quot;",
        "G/通用格式",
        "General",
        "@",
        "[h]:mm",
        "[Red]0.0",
        "0\\d",
        "_-* #,##0_-",
        "0&quot;元&quot;",
        "[$¥-804]#,##0.00",
    ],
)
def test_formats_that_are_no_dates(code: str) -> None:
    cell = cell_of('<c r="A1" s="1"><v>43252</v></c>', style_sheet=styles(code))
    assert (cell.kind, cell.value) == (CellKind.NUMBER, Decimal(43252))
    assert cell.number_format == code.replace("&quot;", '"')


def test_the_day_that_never_was_and_days_beyond_the_calendar_stay_numbers() -> None:
    for stored in ("60", "-5", "2958466"):
        cell = cell_of(f'<c r="A1" s="1"><v>{stored}</v></c>', style_sheet=styles("yyyy/m/d"))
        assert cell.kind is CellKind.NUMBER


def test_1904() -> None:
    data = xlsx(
        worksheet('<row r="1"><c r="A1" s="1"><v>41790</v></c></row>'),
        style_sheet=styles("yyyy/m/d"),
        workbook_extra='<workbookPr date1904="1"/>',
    )
    book = book_of(data)
    assert book.date1904
    assert book.sheets[0].cells[1, 1].value == datetime(2018, 6, 1)


def test_built_in_chinese_formats_are_dates() -> None:
    sheet = styles("x").replace('<xf numFmtId="164" applyNumberFormat="1"/>', '<xf numFmtId="57"/>')
    assert cell_of('<c r="A1" s="1"><v>43252</v></c>', style_sheet=sheet).kind is CellKind.DATE


def test_hidden_rows_columns_and_sheets() -> None:
    body = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="C1"><v>1</v></c></row>'
        '<row r="2" spans="1:3" hidden="1"><c r="A2"><v>2</v></c></row>'
        '<row r="3" ht="0" customHeight="1"><c r="A3"><v>3</v></c></row>'
    )
    columns = '<cols><col min="2" max="2" width="9"/><col min="3" max="16384" hidden="1" width="9"/></cols>'
    sheet = book_of(xlsx(worksheet(body, before=columns))).sheets[0]
    assert (sheet.hidden_rows, sheet.hidden_columns, sheet.hidden) == ({2, 3}, {3}, False)
    data = xlsx(worksheet(body), name='表1" state="veryHidden')
    assert book_of(data).sheets[0].hidden


def test_only_the_upper_left_cell_of_a_merged_range_counts() -> None:
    body = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="C2"><v>3</v></c></row>'
    )
    merges = '<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>'
    sheet = book_of(xlsx(worksheet(body, after=merges))).sheets[0]
    assert sheet.merges == [(1, 1, 2, 2)]
    assert set(sheet.cells) == {(1, 1), (2, 3)}


ODD_FORMS = {
    "prefixed": (
        f'<?xml version="1.0"?><x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="2"><x:c r="B2" t="n">'
        "<x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    ),
    "no addresses": worksheet("<row/><row><c/><c><v>5</v></c></row>"),
    "spread over lines": worksheet('\n <row r="2">\n  <c r="B2">\n   <v>5</v>\n  </c>\n </row>\n'),
    "single quotes": worksheet("<row r='2'><c r='B2'><v>5</v></c></row>"),
    "attributes in another order": worksheet('<row r="2"><c t="n" s="0" r="B2"><v>5</v></c></row>'),
    "comment inside": worksheet('<row r="2"><!-- 5 --><c r="B2"><v>5</v></c></row>'),
    "cdata": worksheet('<row r="2"><c r="B2"><v><![CDATA[5]]></v></c></row>'),
    "utf-16": worksheet('<row r="2"><c r="B2"><v>5</v></c></row>')
    .replace("UTF-8", "UTF-16")
    .encode("utf-16"),
    "lower case address": worksheet('<row r="2"><c r="b2"><v>5</v></c></row>'),
    "plain": worksheet(
        '<row r="2" spans="1:2" x14ac:dyDescent="0.2"><c r="A2" s="0"/><c r="B2"><v>5</v></c></row>'
    ).replace("<worksheet ", '<worksheet xmlns:x14ac="y" '),
}


@pytest.mark.parametrize("form", ODD_FORMS.values(), ids=ODD_FORMS)
def test_every_way_to_write_one_cell(form: str) -> None:
    sheet = book_of(xlsx(form)).sheets[0]
    assert {place: cell.value for place, cell in sheet.cells.items()} == {(2, 2): Decimal(5)}


def test_strict_namespaces() -> None:
    data = xlsx(
        worksheet('<row r="1"><c r="A1"><v>5</v></c></row>', main=STRICT_MAIN),
        main=STRICT_MAIN,
        base=STRICT_RELATIONS,
    )
    assert book_of(data).sheets[0].cells[1, 1].value == 5


@pytest.mark.parametrize(
    "sheet",
    [
        worksheet('<row r="1"><c r="A1"><v>5</v></c>'),
        worksheet('<row r="1"><c r="A1"><v>5</c></row>'),
        worksheet('<row r="1"><c r="A1"><v>&nope;</v></c></row>'),
        worksheet('<row r="1"><c r="A1"><v>\x01</v></c></row>'),
        worksheet('<row r="1"><c r="A1" t="s"><v>9</v></c></row>'),
        worksheet('<row r="1"><c r="A1048577"><v>9</v></c></row>'),
        worksheet('<row r="1"><c r="XFE1"><v>9</v></c></row>'),
        worksheet('<row r="1"><c r="A1"><v>5</v></c></row>').replace("</worksheet>", ""),
        "no xml",
        "",
    ],
)
def test_damaged_sheets(sheet: str) -> None:
    found = open_book(xlsx(sheet), "x.xlsx")
    assert isinstance(found, Finding)
    assert found.rule == "F01"


def test_missing_parts() -> None:
    from raw_packages import zipped

    for parts in (
        {"[Content_Types].xml": "<Types/>"},
        {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook><sheets/></workbook>"},
    ):
        found = open_book(zipped(dict(parts)), "x.xlsx")
        assert isinstance(found, Finding)
        assert found.rule == "F01"
