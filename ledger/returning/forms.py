"""Forms out: one prefilled workbook for each unit that must report.

Everything on them is derived: tables and columns from schemas, items from the plan, names and
the deadline from the registry, last month's figures from the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path

from openpyxl import Workbook

from ledger.calendar import deadline
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording.model import MonthView
from ledger.registry import TOWNSHIP, Registry, Unit
from ledger.returning import form_style as style
from ledger.returning.form_cover import write_cover
from ledger.returning.form_sheets import TableForm, write_table
from ledger.returning.settle import settled_bytes
from schemas.month import Month
from schemas.plan import Plan
from schemas.tables import TABLES


def write_forms(
    home: Home,
    registry: Registry,
    plan: Plan,
    month: Month,
    last: MonthView | None,
    units: Sequence[str] | None = None,
) -> list[Path]:
    """Write the prefilled workbooks of `month` into the home's forms folder, in registry order.

    `last` is the month before as the ledger has it (None in the first month). `units` are codes,
    names or aliases; without them every unit that must report gets one. Raises UsageError for a
    unit that is not registered.
    """
    chosen = _chosen(registry, plan, units)
    folder = home.forms(month)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for unit in chosen:
        path = folder / form_name(unit, month)
        _replace(path, form_bytes(registry, plan, month, last, unit))
        paths.append(path)
    return paths


def form_name(unit: Unit, month: Month) -> str:
    """``2018-09_长梁镇_月报表.xlsx``: the reader can tell unit and month from it too."""
    return f"{month}_{unit.name}_月报表.xlsx"


def reporting_units(registry: Registry, plan: Plan) -> list[Unit]:
    """Who must report every month: every township and every department with items."""
    busy = {item.unit_code for item in plan.items}
    return [unit for unit in registry.units if unit.kind == TOWNSHIP or unit.code in busy]


def form_bytes(registry: Registry, plan: Plan, month: Month, last: MonthView | None, unit: Unit) -> bytes:
    """One unit's workbook: 封面 and the three tables. The same input gives the same bytes."""
    workbook = Workbook()
    style.set_default_font(workbook)
    cover = workbook.worksheets[0]
    write_cover(cover, registry, unit, month)
    for table in TABLES.values():
        rows = () if last is None else last.rows.get(table.key, ())
        form = TableForm(
            table=table,
            items=plan.of_unit(unit.code, table.key),
            month=month,
            unit_name=unit.name,
            last={row.item_id: row for row in rows},
        )
        write_table(workbook.create_sheet(table.sheet), form)
    properties = workbook.properties
    properties.title = f"{unit.name}{month.chinese}月报表"
    properties.creator = registry.names.get(registry.coordinating_unit, "")
    moment = datetime.combine(deadline(month, registry.deadline_day).day, time.min)
    return settled_bytes(workbook, moment)


def _chosen(registry: Registry, plan: Plan, units: Sequence[str] | None) -> list[Unit]:
    if units is None:
        return reporting_units(registry, plan)
    codes = set()
    for name in units:
        code = registry.find_unit(name)
        if code is None:
            raise UsageError(f"没有登记的报送单位：{name}。请核对 registry/units.csv 中的单位名称。")
        codes.add(code)
    return [unit for unit in registry.units if unit.code in codes]


def _replace(path: Path, data: bytes) -> None:
    """Write a whole file or none."""
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    half.write_bytes(data)
    half.replace(path)
