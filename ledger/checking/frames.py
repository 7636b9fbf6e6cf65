"""The batch's frames: built from rows in hand, validated by pandera once a table, mapped back.

The only place where pandera's failure cases become findings. What is compared stands in
schemas.frames, what is said about it in ledger.checking.rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from pandera.errors import SchemaErrors

from ledger.checking.places import Row
from ledger.checking.rows import explain_test, explain_value
from schemas import frames
from schemas.columns import Kind
from schemas.month import PartialDate
from schemas.plan import Value
from schemas.tables import TABLES, Table

_UNKNOWN_DAY = 31


def check_rows(rows: Sequence[Row], table_key: str) -> None:
    """Run the table's schema over all rows of the batch; each failure becomes a row's finding.

    Raises TypeError where a value is not of its column's kind: a fault of ours, not of the file.
    """
    if not rows:
        return
    frame = frames.derive(_frame(rows, TABLES[table_key]), table_key)
    try:
        frames.schema(table_key).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        for column, check, index in _failures(errors.failure_cases):
            _note(rows[index], table_key, column, check)


def _failures(cases: pd.DataFrame) -> Iterator[tuple[str, str, int]]:
    """(frame's column, check's name, row) of each failure, in the schema's order."""
    for column, check, index, case in zip(
        cases["column"], cases["check"], cases["index"], cases["failure_case"], strict=True
    ):
        if index is None or pd.isna(index):
            raise TypeError(f"the frame does not fit its schema: {column}: {check}: {case}")
        yield str(column), str(check), int(index)


def _note(row: Row, table_key: str, column: str, check: str) -> None:
    test = frames.tests(table_key).get(column)
    if test is not None:
        explain_test(row, test.rule, test.field, test.other)
        return
    cell = row.read.values[column].cell
    if not any(f.rule == check and f.cell == cell for f in row.read.findings):
        explain_value(row, check, column)


def _frame(rows: Sequence[Row], table: Table) -> pd.DataFrame:
    typed = frames.typed_columns(table)
    columns: dict[str, Any] = {}
    read = [row.read.values for row in rows]
    for column in table.reported:
        name = column.field
        if column.kind not in _AS_HELD:
            continue
        values = [None if (cell := cells.get(name)) is None else cell.value for cells in read]
        if column.kind is Kind.DATE:
            columns[frames.first_day(name)] = [_day(value, 1) for value in values]
            columns[frames.last_day(name)] = [_day(value, _UNKNOWN_DAY) for value in values]
            columns[frames.blank(name)] = [row.is_blank(name) for row in rows]
        else:
            columns[name] = _AS_HELD[column.kind](values)
    for name in frames.planned_fields(table):
        columns[frames.planned(name)] = _amounts(
            [None if row.item is None else row.item.values.get(name) for row in rows]
        )
    if frames.TARGET_WAN in typed:
        columns[frames.TARGET_WAN] = [_target_in_wan(row) for row in rows]
    return pd.DataFrame({name: pd.array(columns[name], dtype=dtype) for name, dtype in typed.items()})


def _amounts(values: list[Value]) -> list[Any]:
    """分, cut to what fits 64 bits."""
    limit = frames.AMOUNT_LIMIT
    return [
        value if not isinstance(value, int) or -limit <= value <= limit else limit if value > 0 else -limit
        for value in values
    ]


def _numbers(values: list[Value]) -> list[Any]:
    return [float(value) if isinstance(value, Decimal) else value for value in values]


_AS_HELD: dict[Kind, Callable[[list[Value]], list[Any]]] = {
    Kind.MONEY: _amounts,
    Kind.PERCENT: _numbers,
    Kind.COUNT: _numbers,
    Kind.QUANTITY: _numbers,
    Kind.CHOICE: list,
    Kind.DATE: list,
}


def _day(value: Value, unknown: int) -> int | None:
    if not isinstance(value, PartialDate):
        return None
    return value.year * 10_000 + value.month * 100 + (value.day or unknown)


def _target_in_wan(row: Row) -> float | None:
    if row.item is None or row.item.values.get("unit_of_measure") != "万元":
        return None
    target = row.item.values.get("target")
    return float(target) if isinstance(target, Decimal) else None
