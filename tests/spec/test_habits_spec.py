"""What townships send, one real file a habit: how it is stored, laid out, written in its cells.

Every file holds the same figures of 景阳镇's project; what is written in a column is either read as
the one value, or refused with one code, or blank.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Alignment
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from ledger.reading.model import Filing, ReadRow, ReadTable, Submission
from ledger.reading.submission import read_submission
from schemas.month import Month, PartialDate
from tests.layouts import PROJECT, REGISTRY, SEPTEMBER, make, table
from tests.workbooks import FIRST_ROW, cell, letter, make_book, water
from tools.sample import formats
from tools.sample.sheets import Cell, Grid

CODE = "422822103"
NBSP, WIDE, ZERO = "\u00a0", "\u3000", "\u200b"


def read(data: bytes, name: str = "景阳镇9月.xlsx") -> Submission:
    return read_submission(data, name, "00", Filing(REGISTRY, SEPTEMBER))


def book(change: Callable[[Any], None] | None = None, **reported: Any) -> bytes:
    stream: Any = io.BytesIO()
    make_book(stream, "景阳镇", "2018年9月", projects=[water(**reported)])
    if change is None:
        return bytes(stream.getvalue())
    opened = openpyxl.load_workbook(stream)
    change(opened)
    saved = io.BytesIO()
    opened.save(saved)
    return saved.getvalue()


def only_table(submission: Submission) -> ReadTable:
    assert submission.unit_code == CODE, submission.findings
    assert submission.month == SEPTEMBER
    (one,) = submission.tables
    return one


def only_row(submission: Submission) -> ReadRow:
    (one,) = only_table(submission).rows
    return one


def figures(submission: Submission) -> dict[str, Any]:
    return {name: value.value for name, value in only_row(submission).values.items()}


PLAIN = figures(read(book()))

# --- formats


def grids() -> list[Grid]:
    """The plain workbook's cells, for the writers of other formats."""
    made = []
    for sheet in openpyxl.load_workbook(io.BytesIO(book())).worksheets:
        grid = Grid(sheet.title)
        grid.rows = [[Cell(value) for value in values] for values in sheet.iter_rows(values_only=True)]
        grid.merges = [(m.min_row, m.min_col, m.max_row, m.max_col) for m in sheet.merged_cells.ranges]
        made.append(grid)
    return made


def with_macros() -> bytes:
    """The workbook with the content type and the part that macros have."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book())) as source, zipfile.ZipFile(saved, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "[Content_Types].xml":
                plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
                assert plain in content
                content = content.replace(plain, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
            target.writestr(name, content)
        target.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + bytes(60))
    return saved.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "景阳镇9月.xlsx": book,
    "景阳镇9月.xlsm": with_macros,
    "景阳镇9月.xls": lambda: formats.xls(grids()),
    "景阳镇9月.et": lambda: formats.xls(grids()),
    "景阳镇9月.ods": lambda: formats.ods(grids()),
    "景阳镇9月.csv": lambda: formats.csv_file(grids()[1], "utf-8"),
    "景阳镇9月(带签名).csv": lambda: formats.csv_file(grids()[1], "utf-8-sig"),
    "景阳镇9月(国标).csv": lambda: formats.csv_file(grids()[1], "gb18030"),
    "其实是新格式.xls": book,
    "其实是旧格式.xlsx": lambda: formats.xls(grids()),
    "其实是文本.xls": lambda: formats.csv_file(grids()[1], "gb18030"),
    "没有扩展名": lambda: formats.ods(grids()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_figures_in_every_format_whatever_the_name(name: str) -> None:
    assert figures(read(FORMATS[name](), name)) == PLAIN


# --- layouts that tests/spec/test_layouts_spec.py has not


def upright(opened: Any) -> None:
    """Headings written from top to bottom, one character a line."""
    sheet = opened.worksheets[1]
    for name in ("status", "problems", "lead_unit"):
        heading = sheet[f"{letter('projects', name)}3"]
        heading.value = "\n".join(heading.value)
        heading.alignment = Alignment(textRotation=255, wrapText=True)


def last_month_left_in(opened: Any) -> None:
    old = opened.copy_worksheet(opened.worksheets[1])
    old.title = "8月"
    old["A1"], old["D2"] = "表1 援建项目进度(8月)", "月份：2018年8月"


def signatures(opened: Any) -> None:
    sheet = opened.worksheets[1]
    for number, text in enumerate(("填表人：张三", "审核人：李四（签字）", "注：数据截至9月底"), start=2):
        sheet.cell(FIRST_ROW + number, 2, text)


LAYOUTS = {
    "headings written upright": (upright, []),
    "last month's sheet left in": (last_month_left_in, ["F19"]),
    "signatures and notes below": (signatures, []),
    "a sheet of remarks beside": (lambda opened: opened.create_sheet("备注").append(["请审核"]), []),
    "an empty sheet in front": (lambda opened: opened.create_sheet("Sheet1", 0), []),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_figures_in_every_layout(name: str) -> None:
    change, codes = LAYOUTS[name]
    submission = read(book(change))
    assert figures(submission) == PLAIN
    assert [f.rule for f in submission.findings] == codes


def test_a_table_that_begins_at_c7_without_a_cover() -> None:
    data = make({"表1": table("projects", PROJECT)}, at=(7, 3))
    submission = read(data, "长梁镇.xlsx")
    assert submission.unit_code == "422822106"
    assert submission.tables[0].rows[0].values["seq"].cell == "C11"


# --- cells: what stands in 累计完成投资 or another column → the value, or the code that refuses it

CELLS: list[tuple[str, Any, Any]] = [
    ("invested_cum", 150, 150_000_000),
    ("invested_cum", "150", 150_000_000),
    ("invested_cum", "'150", 150_000_000),
    ("invested_cum", "１５０．５", 150_500_000),
    ("invested_cum", f"{NBSP}150{WIDE}", 150_000_000),
    ("invested_cum", f"1{ZERO}50", 150_000_000),
    ("invested_cum", "1,150.00", 1_150_000_000),
    ("invested_cum", "1，150", 1_150_000_000),
    ("invested_cum", "200万", 200_000_000),
    ("invested_cum", "200万元", 200_000_000),
    ("invested_cum", "1234567.45元", 123_456_745),
    ("invested_cum", (150.5, '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ '), 150_500_000),
    ("invested_cum", "—", "C06"),
    ("invested_cum", "#DIV/0!", "C07"),
    ("invested_cum", "=75*2", "C08"),
    ("invested_cum", "100-120", "C10"),
    ("invested_cum", "100～120", "C10"),
    ("invested_cum", "100—120", "C10"),
    ("invested_cum", "约150", "C10"),
    ("progress_pct", (1, "0%"), Decimal(100)),
    ("progress_pct", (0.65, "0%"), Decimal(65)),
    ("progress_pct", 0.65, Decimal(65)),
    ("progress_pct", "65％", Decimal(65)),
    ("progress_pct", "过半", "C10"),
    ("start_actual", datetime(2018, 5, 20), PartialDate(2018, 5, 20)),
    ("start_actual", "2018年5月", PartialDate(2018, 5)),
    ("start_actual", "2018.5", PartialDate(2018, 5)),
    ("start_actual", "2018.1", PartialDate(2018, 1)),
    ("start_actual", 2018.1, "C02"),
    ("start_actual", "5月底", PartialDate(2018, 5)),
    ("start_actual", "二〇一八年五月", PartialDate(2018, 5)),
    ("start_actual", (43_240, 'yyyy"年"m"月"d"日";@'), PartialDate(2018, 5, 20)),
    ("start_actual", 43_240, PartialDate(2018, 5, 20)),
    ("start_actual", "20180520", PartialDate(2018, 5, 20)),
    ("status", f"在{WIDE}建", "在建"),
    ("status", "建设中", "C05"),
    ("poor_persons", "629人", Decimal(629)),
    ("poor_persons", "无", None),
    ("problems", "无", None),
    ("place", "同上", "C14"),
]


@pytest.mark.parametrize(("name", "written", "expected"), CELLS)
def test_a_cell_is_one_value_one_refusal_or_blank(name: str, written: Any, expected: Any) -> None:
    rows = [water(), water(**{name: written})] if expected == "C14" else [water(**{name: written})]
    stream: Any = io.BytesIO()
    make_book(stream, "景阳镇", "2018年9月", projects=rows)
    one = only_table(read(stream.getvalue())).rows[-1]
    field = next(f for f in one.values if f in (name, f"{name}_fen"))
    value = one.values[field]
    codes = {f.rule for f in one.findings if f.cell == value.cell}
    assert value.cell == cell("projects", name, FIRST_ROW + len(rows) - 1)
    if isinstance(expected, str) and expected[0] == "C":
        assert expected in codes
        assert value.value is None or expected == "C14"
    else:
        assert value.value == expected
        assert codes <= {"C11"}


def test_a_workbook_that_counts_its_days_from_1904() -> None:
    def as_on_a_mac(opened: Any) -> None:
        opened.epoch = CALENDAR_MAC_1904

    data = book(as_on_a_mac, start_actual=datetime(2018, 5, 20))
    assert figures(read(data))["start_actual"] == PartialDate(2018, 5, 20)


def test_october_that_was_typed_as_a_number_and_shows() -> None:
    data = book(start_planned=(2018.1, "0.00"))
    assert figures(read(data))["start_planned"] == PartialDate(2018, 10)


def test_the_month_reported_is_the_month_of_the_file() -> None:
    assert read(book()).month == Month(2018, 9)
