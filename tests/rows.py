"""Submissions, plans and histories for tests of the rules, without files.

Amounts are written in 万元, dates as text, cells stand in the canonical order of the columns:
`A1` of a row is its first column. Every row is a clean one with some figures changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ledger.checking.model import Checked, Context, History
from ledger.checking.submission import check_batch
from ledger.reading.model import ReadRow, ReadTable, ReadValue, StatedTotal, Submission, address
from schemas.columns import Column, Kind
from schemas.finding import Finding
from schemas.money import to_fen
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem, Value
from schemas.tables import TABLES

UNIT, OTHER = "422822103", "422822201"
JUNE, JULY, AUGUST, SEPTEMBER = (Month(2018, month) for month in (6, 7, 8, 9))
NAMES = {UNIT: "景阳镇", OTHER: "茅田乡"}
FAILED = object()  # a cell the reader could not read

PROJECT = {
    "seq": 4,
    "place": "建始县",
    "item_name": "社坛村安全饮水工程(深度贫困村)",
    "total_investment": 300,
    "funds_total": 300,
    "fiscal_planned": 50,
    "self_planned": 250,
    "start_planned": "2018-05",
    "accept_planned": "2018-12",
    "lead_unit": "景阳镇政府",
}
REPORTED_PROJECT = {
    "status": "在建",
    "start_actual": "2018-05",
    "progress_pct": 60,
    "fiscal_received_cum": 50,
    "self_received_cum": 150,
    "invested_cum": 180,
    "fiscal_paid_month": 10,
    "self_paid_month": 20,
    "fiscal_paid_cum": 30,
    "self_paid_cum": 80,
    "poor_households": 175,
    "poor_persons": 629,
}
NEED = {
    "seq": 2,
    "place": "建始县",
    "item_name": "富硒猕猴桃规范化发展",
    "period": "2018-2019",
    "total_investment": 3000,
    "funds_total": 3000,
    "enterprise_planned": 2000,
    "self_planned": 1000,
    "category": "产业合作",
}
REPORTED_NEED = {
    "status": "已签约",
    "partner": "甲公司",
    "signed_amount": 1500,
    "enterprise_received_cum": 500,
    "self_received_cum": 100,
}
INDICATOR = {
    "item_code": "2018-T-03",
    "indicator_name": "农产品集中营销",
    "unit_of_measure": "次",
    "target": 2,
}
REPORTED_INDICATOR = {"done_month": 1, "done_cum": 1}

_PLANNED = {"projects": PROJECT, "needs": NEED, "indicators": INDICATOR}
_REPORTED = {"projects": REPORTED_PROJECT, "needs": REPORTED_NEED, "indicators": REPORTED_INDICATOR}
_ROWS_FROM = 5


def field_of(table: str, export_name: str) -> Column:
    return next(c for c in TABLES[table] if export_name in (c.export_name, c.field))


def typed(table: str, name: str, value: Any) -> tuple[str, Value]:
    """A figure written for people as (field, value) inside the program."""
    column = field_of(table, name)
    held: Value = value
    if value is None:
        held = None
    elif column.kind is Kind.MONEY:
        held = to_fen(Decimal(str(value))).fen
    elif column.kind is Kind.DATE:
        held = PartialDate.parse(value)
    elif column.kind in (Kind.PERCENT, Kind.COUNT, Kind.QUANTITY):
        held = Decimal(str(value))
    return column.field, held


def values(table: str, **figures: Any) -> dict[str, Value]:
    """A row as the ledger holds it (history): a clean one with some figures changed."""
    return dict(typed(table, name, value) for name, value in {**_REPORTED[table], **figures}.items())


def at(table: str, name: str, row: int = _ROWS_FROM) -> str:
    """The cell of a column."""
    return address(row, TABLES[table].fields.index(field_of(table, name).field) + 1)


def line(table: str, row: int = _ROWS_FROM, shifted: str = "", **figures: Any) -> ReadRow:
    """One row as read: the plan's and the reported figures with some changed."""
    read: dict[str, ReadValue] = {}
    told = {**_PLANNED[table], **_REPORTED[table], **figures}
    for column in TABLES[table]:
        name = column.export_name if column.export_name in told else column.field
        value = told.get(name)
        cell = at(table, column.field, row)
        if value is FAILED:
            read[column.field] = ReadValue(None, cell, "约30", failed=True)
        else:
            _, held = typed(table, name, value)
            read[column.field] = ReadValue(held, cell, "" if value is None else str(value))
    return ReadRow(row, read, shifted=shifted)


def read_table(table: str, *rows: ReadRow, **more: Any) -> ReadTable:
    header = {column.field: at(table, column.field, 3) for column in TABLES[table]}
    return ReadTable(table, TABLES[table].sheet, header, list(rows), **more)


def total(
    table: str, covers: tuple[int, ...], row: int = 9, count: int | None = None, **figures: Any
) -> StatedTotal:
    """A 合计 row: only the given figures are stated."""
    read = {}
    for column in TABLES[table]:
        value = figures.get(column.export_name, figures.get(column.field))
        held = None if value is None else typed(table, column.field, value)[1]
        read[column.field] = ReadValue(
            held, at(table, column.field, row), "" if value is None else str(value)
        )
    return StatedTotal(row, "合计", covers, read, count, at(table, "item_name", row) if count else "")


def item(table: str, item_id: str, unit: str = UNIT, **figures: Any) -> PlanItem:
    """A planned item: the clean one with some figures changed."""
    told = {**_PLANNED[table], **figures}
    planned = dict(typed(table, name, value) for name, value in told.items())
    name = str(planned[TABLES[table].name_field])
    return PlanItem(item_id, table, int(told.get("seq", item_id[-2:])), name, unit, (), planned, None, None)


WATER = item("projects", "2018-A1-04")
KIWI = item("needs", "2018-A2-02")
MARKET = item("indicators", "2018-T-03")
ROAD = item("projects", "2018-A1-07", OTHER, seq=7, item_name="青马线旅游扶贫公路")


def plan_of(*items: PlanItem) -> Plan:
    return Plan(2018, 1, "0" * 64, "plan.xlsx", items)


def history(*months: Month, current: Mapping[str, Any] | None = None, **rows: Any) -> History:
    """Months reported by the unit in every table; `rows` are `m06={item id: values}` and so on."""
    by_item: dict[str, dict[Month, Mapping[str, Value]]] = {}
    for name, items in rows.items():
        for item_id, held in items.items():
            by_item.setdefault(item_id, {})[Month(2018, int(name[1:]))] = held
    reported = {(UNIT, table, month) for month in months for table in TABLES}
    now = {(UNIT, table): held for table, held in (current or {}).items()}
    return History(by_item, frozenset(reported), now)


def context(
    *items: PlanItem, history: History | None = None, received: str = "", plan: bool = True
) -> Context:
    return Context(
        plan=plan_of(*(items or (WATER,))) if plan else None,
        history=history or History(),
        first_month=JUNE,
        unit_names=NAMES,
        received_before=frozenset({received} if received else ()),
    )


def submission(*tables: ReadTable, month: Month = JUNE, cover: str = "", **more: Any) -> Submission:
    told = {"更正说明": cover} if cover else {}
    return Submission("景阳镇.xlsx", "f" * 64, UNIT, month, told, list(tables), **more)


def check(given: Submission, against: Context) -> Checked:
    return check_batch([(given, against)])[0]


def check_line(
    table: str = "projects",
    *,
    month: Month = JUNE,
    past: History | None = None,
    cover: str = "",
    planned: Mapping[str, Any] | None = None,
    **figures: Any,
) -> Checked:
    """Check a file with one row of one table against a plan that has just its item."""
    base = {"projects": WATER, "needs": KIWI, "indicators": MARKET}[table]
    planned_item = item(table, base.item_id, **(planned or {}))
    read = read_table(table, line(table, **figures))
    return check(submission(read, month=month, cover=cover), context(planned_item, history=past))


def only(checked: Checked, rule: str) -> Finding:
    found = [f for f in checked.findings if f.rule == rule]
    assert len(found) == 1, [(f.rule, f.cell) for f in checked.findings]
    return found[0]


def raised(checked: Checked) -> list[tuple[str, str | None]]:
    return [(f.rule, f.cell) for f in checked.findings]


def with_finding(row: ReadRow, finding: Finding) -> ReadRow:
    return replace(row, findings=[*row.findings, finding])
