"""Whatever is on a sheet and whatever is marked: every cell reads as before, every mark is there."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from ledger.checking.model import Checked, Verdict
from ledger.reading.formats import open_book
from ledger.reading.model import Book, Submission
from ledger.returning.marking import mark_package
from ledger.returning.marks import lines
from ledger.returning.notice import SHEET, Notice
from ledger.returning.style_edit import ERROR_FILL
from schemas.finding import finding

PLACES = st.tuples(st.integers(1, 12), st.integers(1, 30))
VALUES = st.one_of(
    st.integers(-(10**9), 10**9),
    st.decimals(-1000, 1000, places=4, allow_nan=False),
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=12
    ),
    st.booleans(),
)


def _book(data: bytes) -> dict:
    book = open_book(data, "x.xlsx")
    assert isinstance(book, Book)
    return {
        sheet.name: (
            {k: (c.kind, c.value, c.raw, c.is_formula) for k, c in sheet.cells.items()},
            sheet.merges,
        )
        for sheet in book.sheets
        if sheet.name != SHEET
    }


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    cells=st.dictionaries(PLACES, VALUES, min_size=1, max_size=30),
    coloured=st.sets(PLACES, max_size=5),
    noted=st.sets(PLACES, max_size=4),
    marks=st.lists(st.sets(PLACES, min_size=1, max_size=10), min_size=1, max_size=3),
)
def test_marks_change_no_figure_however_often_a_file_comes_back(cells, coloured, noted, marks) -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "表<1> & '甲'"
    for place, value in cells.items():
        cell = sheet.cell(*place)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
    for place in coloured:
        sheet.cell(*place).fill = PatternFill("solid", fgColor="FF00B0F0")
    for place in noted:
        sheet.cell(*place).comment = Comment("单位的批注", "某人")
    written = BytesIO()
    workbook.save(written)
    data = original = written.getvalue()
    for places in marks:
        findings = [
            finding(
                "C01",
                "须填数字",
                sheet=sheet.title,
                cell=f"{get_column_letter(c)}{r}",
                row=r,
                table="projects",
            )
            for r, c in sorted(places)
        ]
        submission = Submission("x.xlsx", "0" * 64)
        listed = lines(Checked(submission, [], findings, Verdict.RETURNED))
        data, _ = mark_package(data, Notice("某镇", "2018年9月", "x.xlsx", "", "", listed))
        assert _book(data) == _book(original)
        seen = load_workbook(BytesIO(data))[sheet.title]
        red = {(c.row, c.column) for row in seen.iter_rows() for c in row if c.fill.fgColor.rgb == ERROR_FILL}
        assert red == places
        blue = {
            (c.row, c.column) for row in seen.iter_rows() for c in row if c.fill.fgColor.rgb == "FF00B0F0"
        }
        assert blue == coloured - places
        notes = {(c.row, c.column): c.comment.text for row in seen.iter_rows() for c in row if c.comment}
        assert set(notes) == places | noted
        assert all(notes[place].startswith("单位的批注") for place in noted)
        assert {place for place, text in notes.items() if "【退回核对】" in text} == places
