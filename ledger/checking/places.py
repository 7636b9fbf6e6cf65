"""Where a finding stands and how a figure is shown in it; the rows while they are being checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from ledger.reading.model import ReadRow, ReadTable, ReadValue
from schemas.columns import JOINT, Column, Kind
from schemas.finding import Finding, finding
from schemas.money import NOISE, plain, wan, wan_text
from schemas.month import PartialDate
from schemas.plan import PlanItem, Value
from schemas.tables import Table

_UNIT_IN_BRACKETS = re.compile(r"[(（][^)）]*[)）]")
BLANK = "空白"


def label(column: Column) -> str:
    """A column's title as it reads in a sentence: 累计到位资金(万元)—自筹资金 → 累计到位自筹资金."""
    upper, joint, lower = _UNIT_IN_BRACKETS.sub("", column.title).partition(JOINT)
    return upper.removesuffix("资金") + lower if joint else upper


def plain_text(value: Value, column: Column) -> str:
    """A value as exports show it: money in 万元, no trailing zeros, dates YYYY-MM(-DD)."""
    if value is None:
        return ""
    if column.kind is Kind.MONEY and isinstance(value, int):
        return wan_text(value)
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)


def shown(value: Value, column: Column) -> str:
    """A value as it reads in a sentence: 120.5 万元, 65%, 2018年5月."""
    if value is None:
        return BLANK
    if isinstance(value, PartialDate):
        return value.chinese
    text = plain_text(value, column)
    if column.unit == "%":
        return f"{text}%"
    return f"{text} {column.unit}" if column.unit else text


def difference(value: Value, other: Value) -> Decimal | None:
    """`value` − `other` in the column's unit (万元 for 分), None where they are no numbers."""
    if isinstance(value, int) and isinstance(other, int):
        return wan(value - other)
    if isinstance(value, Decimal) and isinstance(other, Decimal):
        return value - other
    return None


def same(one: Value, other: Value) -> bool:
    """Whether two figures are equal; a spreadsheet's floating-point noise is no difference."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= NOISE * max(abs(one), abs(other))
    return one == other


class _Addressed(Protocol):
    """A data row or a stated total: a sheet row whose values know their cells."""

    @property
    def row(self) -> int: ...

    @property
    def values(self) -> Mapping[str, ReadValue]: ...


def at_cell(
    code: str,
    table: Table,
    sheet: str,
    place: _Addressed,
    name: str,
    text: str,
    *,
    item: str | None = None,
    **more: Any,
) -> Finding:
    """A finding at the cell of column `name` in a row; at the row where it has no such cell.

    `more` takes expected, difference, severity, effect and remedy. `value` is the cell's raw text.
    """
    read = place.values.get(name)
    cell = read.cell if read is not None and read.cell else None
    return finding(
        code,
        f"{sheet} {cell or f'第 {place.row} 行'}：{text}",
        sheet=sheet,
        row=place.row,
        cell=cell,
        column=table.by_field[name].title,
        value=(read.raw or None) if read is not None else None,
        item=item,
        table=table.key,
        **more,
    )


def at_table(code: str, table: Table, text: str, *, item: str | None = None, **more: Any) -> Finding:
    """A finding about a whole table."""
    return finding(code, f"{table.number}：{text}", item=item, table=table.key, **more)


@dataclass(slots=True)
class Row:
    """One data row in hand: as read, the plan item it names, and the findings so far.

    `sheet` is where it stands; `foreign` marks an item of another unit (P03): its history is not this unit's to continue.
    `unchecked` marks a row whose cells stand off their columns (F16).
    """

    table: Table
    sheet: str
    read: ReadRow
    item: PlanItem | None = None
    foreign: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def unchecked(self) -> bool:
        return self.read.shifted == "F16"

    @property
    def item_id(self) -> str | None:
        return None if self.item is None else self.item.item_id

    def value(self, name: str) -> Value:
        return self.read.value(name)

    def is_blank(self, name: str) -> bool:
        """True where nothing is stated: blank or no such column. An unreadable cell is not blank."""
        return not self.read.failed(name) and self.read.value(name) in (None, "")

    def add(self, code: str, name: str, text: str, **more: Any) -> None:
        """Note a finding at this row's cell of column `name`."""
        self.findings.append(
            at_cell(code, self.table, self.sheet, self.read, name, text, item=self.item_id, **more)
        )


@dataclass(slots=True)
class TableInHand:
    """One table in hand. `unread` is True where the whole table is shifted (F16)."""

    table: Table
    read: ReadTable
    rows: list[Row]
    findings: list[Finding] = field(default_factory=list)

    @property
    def unread(self) -> bool:
        return any(f.rule == "F16" and f.returns_table for f in self.read.findings)

    @property
    def checked_rows(self) -> list[Row]:
        """The rows whose cells may be judged."""
        return [] if self.unread else [row for row in self.rows if not row.unchecked]
