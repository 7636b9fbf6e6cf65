"""Real workbooks from grids of values, written by openpyxl and read as bytes, for the specs.

`sheets` are grids of values by sheet name, a pair being (value, number format); `merge` are ranges.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

from ledger.home import Home
from ledger.reading.model import Filing, ReadTable, Submission
from ledger.reading.submission import read_submission
from ledger.registry import Registry
from schemas.month import Month
from tests.workbooks import SHEETS

REGISTRY = Registry.load(Home.find())
SEPTEMBER = Month(2018, 9)
Grid = list[list[Any]]

PROJECT = [
    1, "建始县长梁镇", "后三溪村发展民宿旅游业", 200, 200, 50, 150, "2018年5月", "2018年10月", "长梁镇政府",
    "在建", "2018年5月", None, None, 65, 50, 100, 120, 10, 5, 40, 60, 12, 45, "雨季停工", "督促复工", None,
]  # fmt: skip
SECOND = [
    2, "建始县高坪镇", "异地置业扶贫", 175, 175, 150, 25, "2018年6月", "2018年10月", "高坪镇政府",
    "未开工", None, None, None, 0, 150, 0, 0, 0, 0, 0, 0, None, None, None, None, None,
]  # fmt: skip
NEED = [
    1, "建始县", "马铃薯基地建设及销售项目", "2018-2019", None, 500, 200, 300, "产业合作",
    "洽谈中", "某公司", None, 0, 0, "正在洽谈", None,
]  # fmt: skip
INDICATOR = ["2018-T-01", "贫困村出列数", "个(村)", 19, 3, 5, "台账", None]


def titles(table: str) -> Grid:
    """The header in two rows, groups above their first leaf."""
    upper, lower, before = [], [], ""
    for _, group, leaf in SHEETS[table][2]:
        upper.append(None if leaf and group == before else group)
        lower.append(leaf or None)
        before = group
    return [upper, lower]


def one_row(table: str, joint: str = "—") -> Grid:
    return [[f"{group}{joint}{leaf}" if leaf else group for _, group, leaf in SHEETS[table][2]]]


def caption(
    table: str, unit: str = "长梁镇", month: str | None = "2018年9月", money: str | None = "万元"
) -> Grid:
    line: list[Any] = [f"报送单位：{unit}" if unit else None]
    line += [None, f"月份：{month}" if month else None, None, f"单位：{money}" if money else None]
    return [[SHEETS[table][1]], line]


def table(name: str, *rows: Sequence[Any], header: Grid | None = None, **said: Any) -> Grid:
    return [*caption(name, **said), *(header or titles(name)), *[list(row) for row in rows]]


def make(
    sheets: Mapping[str, Grid],
    *,
    at: tuple[int, int] = (1, 1),
    merge: Sequence[str] = (),
    hide: Any = None,
) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, grid in sheets.items():
        ws = book.create_sheet(name)
        for r, values in enumerate(grid, start=at[0]):
            for c, value in enumerate(values, start=at[1]):
                if isinstance(value, tuple):
                    ws.cell(r, c, value[0]).number_format = value[1]
                elif value is not None:
                    ws.cell(r, c, value)
        for span in merge:
            ws.merge_cells(span)
        if hide:
            hide(ws)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(
    sheets: Mapping[str, Grid], *, month: Month | None = SEPTEMBER, name: str = "报表.xlsx", **how: Any
) -> Submission:
    return read_submission(make(sheets, **how), name, "00", Filing(REGISTRY, month))


def projects(grid: Grid, **how: Any) -> ReadTable:
    submission = read({"表1 援建项目": grid}, **how)
    assert not submission.findings, submission.findings
    found = submission.table("projects")
    assert found is not None
    return found


def rules(found: Submission | ReadTable) -> list[str]:
    """All findings' codes, in order: file's or table's, then those of the rows."""
    codes = [f.rule for f in found.findings]
    for part in found.tables if isinstance(found, Submission) else ():
        codes += rules(part)
    for row in found.rows if isinstance(found, ReadTable) else ():
        codes += [f.rule for f in row.findings]
    return codes


def cells(table: ReadTable, row: int = 0) -> dict[str, str]:
    """Field → address of the cell its value comes from, where it has one."""
    return {n: v.cell for n, v in table.rows[row].values.items() if v.value is not None}


EXPECTED = {
    "seq": 1,
    "item_name": "后三溪村发展民宿旅游业",
    "funds_total_fen": 200_000_000,
    "fiscal_planned_fen": 50_000_000,
    "self_planned_fen": 150_000_000,
    "status": "在建",
    "fiscal_received_cum_fen": 50_000_000,
    "self_received_cum_fen": 100_000_000,
    "invested_cum_fen": 120_000_000,
    "fiscal_paid_month_fen": 10_000_000,
    "self_paid_month_fen": 5_000_000,
    "fiscal_paid_cum_fen": 40_000_000,
    "self_paid_cum_fen": 60_000_000,
    "poor_persons": 45,
    "problems": "雨季停工",
}


def stands(table: ReadTable, row: int = 0) -> None:
    assert {name: table.rows[row].value(name) for name in EXPECTED} == EXPECTED
