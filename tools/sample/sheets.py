"""How the sample's units write their figures down: the county's own form, and two of their own.

A sheet is a grid of cells; tools/sample/formats.py turns grids into files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.columns import Column, Kind
from schemas.month import Month, PartialDate
from schemas.tables import Table

Scalar = str | int | Decimal | date | None
Row = Mapping[str, Scalar]


@dataclass(frozen=True)
class Cell:
    """One cell: `look` is one of title, caption, head, body; `number_format` '' for none."""

    value: Scalar
    look: str = "body"
    number_format: str = ""


@dataclass
class Grid:
    """One sheet; `merges` are (first row, first column, last row, last column) from 1."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def add(self, values: Sequence[Scalar], look: str = "body") -> None:
        self.rows.append([Cell(value, look) for value in values])


@dataclass(frozen=True)
class Habit:
    """How a unit writes: dates as `date`, `text` or `dotted`; a percentage as `number`, `share`
    (0.65 shown as 65%) or `text` (65%); amounts in 元 or 万元; a 合计 row below the items.
    """

    dates: str = "text"
    percent: str = "number"
    yuan: bool = False
    total: bool = False


_DAY_FORMAT = 'yyyy"年"m"月"d"日"'


def written(column: Column, value: Scalar, habit: Habit) -> Cell:
    """A figure as this unit writes it into a cell."""
    if value is None or value == "":
        return Cell(None)
    if column.kind is Kind.DATE:
        return _written_date(str(value), habit)
    if column.kind is Kind.PERCENT and habit.percent != "number":
        share = Decimal(str(value))
        return Cell(f"{share}%") if habit.percent == "text" else Cell(share / 100, "body", "0%")
    if column.kind is Kind.MONEY:
        amount = Decimal(str(value)) * (10_000 if habit.yuan else 1)
        return Cell(amount, "body", "#,##0.00" if habit.yuan else "")
    if column.kind in {Kind.COUNT, Kind.QUANTITY, Kind.PERCENT}:
        return Cell(Decimal(str(value)))
    return Cell(value)


def _written_date(text: str, habit: Habit) -> Cell:
    day = PartialDate.parse(text)
    if habit.dates == "date" and day.day is not None:
        return Cell(date(day.year, day.month, day.day), "body", _DAY_FORMAT)
    if habit.dates == "dotted":
        return Cell(".".join(str(part) for part in (day.year, day.month, day.day) if part))
    return Cell(day.chinese)


def cover(unit: str, month: Month, filled: str, writer: str, reason: str = "") -> Grid:
    """The sheet 封面; `filled` is the 填报日期, `writer` the 填报人."""
    grid = Grid("封面", widths=[16, 46])
    grid.add(["东西部扶贫协作项目资金月报", None], "title")
    grid.merges.append((1, 1, 1, 2))
    fields = {
        "报送单位": unit,
        "月份": month.chinese,
        "填报人": writer,
        "联系电话": "0718-0000000",
        "审核人": "李四",
        "填报日期": filled,
        "更正说明": reason or None,
    }
    for label, value in fields.items():
        grid.rows.append([Cell(label, "head"), Cell(value)])
    return grid


def official(
    table: Table,
    unit: str,
    month: Month,
    rows: Sequence[Row],
    habit: Habit,
    titles: Mapping[str, str] | None = None,
) -> Grid:
    """A table as the county's form has it: caption block, header of two rows, a row an item.

    Without rows it says 零报告. `titles` replaces a column's title (group and leaf joined by —).
    """
    grid = _captioned(table, unit, month, len(table.fields), habit)
    top = len(grid.rows) + 1
    groups: list[Cell] = []
    leaves: list[Cell] = []
    named = {column.field: (titles or {}).get(column.field, column.title) for column in table}
    if habit.yuan:
        named = {name: title.replace("(万元)", "") for name, title in named.items()}
    for place, column in enumerate(table, start=1):
        group, joint, leaf = named[column.field].partition("—")
        repeated = bool(joint) and place > 1 and _group(named[table.fields[place - 2]]) == group
        groups.append(Cell(None if repeated else group, "head"))
        leaves.append(Cell(leaf or None, "head"))
        if not joint:
            grid.merges.append((top, place, top + 1, place))
        elif not repeated:
            width = sum(_group(title) == group for title in named.values())
            grid.merges.append((top, place, top, place + width - 1))
    grid.rows += [groups, leaves]
    grid.widths = [column.width for column in table]
    _body(grid, list(table), rows, habit, table.name_field)
    return grid


def compact(
    table: Table, unit: str, month: Month, rows: Sequence[Row], habit: Habit, titles: Mapping[str, str]
) -> Grid:
    """A table as a unit draws it itself: one header row, its own order and wording of columns."""
    columns = [table.by_field[name] for name in titles]
    grid = _captioned(table, unit, month, len(columns), habit)
    grid.add(list(titles.values()), "head")
    grid.widths = [max(8, column.width) for column in columns]
    _body(grid, columns, rows, habit, table.name_field)
    return grid


def _group(title: str) -> str:
    group, joint, _ = title.partition("—")
    return group if joint else ""


def _captioned(table: Table, unit: str, month: Month, width: int, habit: Habit) -> Grid:
    grid = Grid(table.sheet)
    grid.add([f"{table.number} {table.title}"], "title")
    grid.merges.append((1, 1, 1, width))
    caption: list[Scalar] = [None] * width
    caption[0] = f"报送单位：{unit}"
    caption[width // 2] = f"月份：{month.chinese}"
    caption[width - 1] = f"单位：{'元' if habit.yuan else '万元'}"
    grid.add(caption, "caption")
    return grid


def _body(grid: Grid, columns: Sequence[Column], rows: Sequence[Row], habit: Habit, name: str) -> None:
    if not rows:
        grid.add(["零报告"] + [None] * (len(columns) - 1))
        return
    for row in rows:
        grid.rows.append([written(column, row.get(column.field), habit) for column in columns])
    if habit.total:
        grid.rows.append([_total(column, rows, habit, name) for column in columns])


def _total(column: Column, rows: Sequence[Row], habit: Habit, name: str) -> Cell:
    if column.field == name:
        return Cell("合计")
    if column.kind not in {Kind.MONEY, Kind.COUNT}:
        return Cell(None)
    amounts = [Decimal(str(row[column.field])) for row in rows if row.get(column.field) not in (None, "")]
    return written(column, sum(amounts, Decimal(0)), habit)
