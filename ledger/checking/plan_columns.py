"""A submission against the plan: the plan's own columns (P02), other units' items (P03), missing
ones (P04)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ledger.checking.matching import one_line
from ledger.checking.places import (
    BLANK,
    Row,
    TableInHand,
    at_table,
    difference,
    label,
    plain_text,
    same,
    shown,
)
from ledger.reading.model import ReadValue
from ledger.registry import fold_name
from schemas.columns import Column, Kind
from schemas.finding import Finding
from schemas.month import PartialDate
from schemas.plan import PlanItem, Value
from schemas.tables import INDICATORS, TABLES, Table

#: The code of the unit that a text names, None where it names none (Registry.find_unit).
UnitOf = Callable[[str], str | None]
_NAMING_UNITS = frozenset({"lead_unit"})
_DASHES = re.compile(r"[-‐‑‒–—―−~～〜至到]+")
_STOPS = str.maketrans("。、", ".,")
_QUOTES = str.maketrans("", "", "\"'“”‘’`")
_SPAN_OF_YEARS = re.compile(r"[\d年-]+")
_YEAR_AND_MONTH = re.compile(r"(\d{4})[.年/-](\d{1,2})月?")


def compare_plan_columns(row: Row, unit_of: UnitOf) -> None:
    """P02: every plan column with content against the plan's value. Number and name are P08's.

    A blank plan column says nothing; a cell that could not be read as its kind is compared as
    text, unless the reader has already said what is wrong with it. Two registered names of one
    unit (`unit_of`) are one value.
    """
    if row.item is None:
        return
    for column in _compared(row.table.key):
        name = column.field
        read = row.read.values.get(name)
        if read is None or (read.value in (None, "") and not read.failed):
            continue
        registered = row.item.values.get(name)
        if _same(read, registered, column) or _already_told(row, read):
            continue
        if name in _NAMING_UNITS and _same_unit(read.value, registered, unit_of):
            continue
        stated = read.raw if read.failed else shown(read.value, column)
        of_plan = shown(registered, column)
        row.add(
            "P02",
            name,
            f"{label(column)}“{one_line(stated)}”与计划“{one_line(of_plan)}”不一致",
            expected=plain_text(registered, column) or BLANK,
            difference=difference(read.value, registered),
        )


def _same_unit(one: Value, other: Value, unit_of: UnitOf) -> bool:
    named = unit_of(one) if isinstance(one, str) else None
    return named is not None and isinstance(other, str) and named == unit_of(other)


@cache
def _compared(table_key: str) -> tuple[Column, ...]:
    """The plan columns compared by value: all but those that name the item."""
    table = TABLES[table_key]
    naming = ("seq", "item_code", table.name_field)
    return tuple(table.by_field[name] for name in table.plan_fields if name not in naming)


def _already_told(row: Row, read: ReadValue) -> bool:
    return read.failed and any(f.cell == read.cell and f.cell for f in row.read.findings)


def _same(read: ReadValue, registered: Value, column: Column) -> bool:
    if registered is None or registered == "":
        return False
    if read.failed:
        return _same_text(read.raw, plain_text(registered, column)) or (
            isinstance(registered, PartialDate) and _same_month_as_text(read.raw, registered)
        )
    value = read.value
    if isinstance(value, PartialDate) and isinstance(registered, PartialDate):
        if value.day is None or registered.day is None:
            return value.as_month == registered.as_month
        return value == registered
    if column.kind is Kind.TEXT:
        return _same_text(str(value), str(registered))
    return same(value, registered)


def _same_month_as_text(raw: str, registered: PartialDate) -> bool:
    found = _YEAR_AND_MONTH.fullmatch(fold_name(raw))
    if found is None or int(found[1]) != registered.year:
        return False
    # a number 2018.1 may have been typed as 2018.10: the plan says which was meant
    return registered.month in (int(found[2]), int(found[2].ljust(2, "0")))


def _same_text(one: str, other: str) -> bool:
    if one == other:
        return True
    a, b = _comparable(one), _comparable(other)
    if a == b:
        return True
    if _SPAN_OF_YEARS.fullmatch(a) and _SPAN_OF_YEARS.fullmatch(b):
        return a.replace("年", "") == b.replace("年", "")
    return False


def _comparable(text: str) -> str:
    """Text without white space, width, quotation marks and kinds of dashes."""
    folded = _DASHES.sub("-", fold_name(text)).translate(_QUOTES)
    return folded.translate(_STOPS)


def note_foreign(row: Row, unit_names: Mapping[str, str]) -> None:
    """P03: the row's item is reported by another unit."""
    if row.item is None or not row.foreign:
        return
    owner = unit_names.get(row.item.unit_code, row.item.unit_code)
    row.add(
        "P03",
        row.table.name_field,
        f"“{one_line(row.item.name)}”由{owner}报送，不是本单位的项目",
        expected=owner,
    )


def missing_items(tables: Sequence[TableInHand], table: Table, own: Sequence[PlanItem]) -> list[Finding]:
    """P04: the unit's items of `table` that no row of it names (零报告 names none)."""
    named = {row.item_id for hand in tables for row in hand.rows}
    nil = any(hand.read.nil_report for hand in tables)
    said = "本表报了“零报告”，但" if nil else ""
    kind = "指标" if table is INDICATORS else "计划项目"
    return [
        at_table(
            "P04",
            table,
            f"{said}{kind}“{one_line(item.name)}”（{item.item_id}）没有报",
            item=item.item_id,
        )
        for item in own
        if item.item_id not in named
    ]
