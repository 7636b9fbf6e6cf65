"""The cells behind a figure of the report: summed as the report sums them, each with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property

from ledger.recording.explain import link_of
from ledger.recording.exports import known_field, shown
from ledger.recording.model import ItemRow
from ledger.recording.originals import Originals, extension
from ledger.recording.seen import Seen
from ledger.recording.views import is_of_the_month
from ledger.reporting import figures
from ledger.reporting.breakdown_model import Part, Side
from ledger.reporting.breakdown_scope import Scope
from ledger.reporting.model import ProjectLine
from ledger.reporting.projects import project_lines, rows_by_item
from ledger.reporting.rates import total, total_number
from ledger.reporting.texts import joined
from schemas.columns import COLUMNS, Kind
from schemas.plan import PlanItem
from schemas.tables import PLAN_TABLES, TABLES

#: Where an indicator's target comes from that no plan workbook states.
_TARGETS = "登记资料 targets.csv"


class Cells:
    """The cells of one scope."""

    def __init__(self, seen: Seen, scope: Scope) -> None:
        self.seen = seen
        self.scope = scope
        self.view = scope.view
        self.names = seen.registry.names
        self.rows = {row.item_id: row for key in TABLES for row in rows_by_item(self.view, key).values()}

    @cached_property
    def lines(self) -> tuple[ProjectLine, ...]:
        """The scope's projects, as the report has them."""
        inside = {item.item_id for item in self.scope.items}
        every = project_lines(self.view, self.scope.before, self.seen.registry)
        return tuple(line for line in every if line.item_id in inside)

    def side(self, name: str, cells: Sequence[tuple[PlanItem, str]]) -> Side:
        """The sum of some cells: money in 万元, exact."""
        parts = tuple(self.part(item, field) for item, field in cells)
        kinds = {COLUMNS[field].kind for _, field in cells}
        units = {COLUMNS[field].unit for _, field in cells}
        if kinds <= {Kind.MONEY}:
            fen = total(self.fen(item, field) for item, field in cells)
            value = "" if fen is None else figures.wan_exact(fen)
        else:
            number = total_number(self._number(item, field) for item, field in cells)
            value = "" if number is None else figures.number(number)
        return Side(name, value, units.pop() if len(units) == 1 else "", parts)

    def fen(self, item: PlanItem, field: str) -> int | None:
        if not is_reported(item.table, field):
            return item.fen(field)
        row = self.rows.get(item.item_id)
        return None if row is None else row.fen(field)

    def _number(self, item: PlanItem, field: str) -> Decimal | None:
        row = self.rows.get(item.item_id)
        return None if row is None else row.number(field)

    def part(self, item: PlanItem, field: str) -> Part:
        """The item's cell in column `field`; counted where it holds a figure."""
        if not is_reported(item.table, field):
            return self._planned(item, field)
        row = self.rows.get(item.item_id)
        title = title_of(item.table, field)
        unit = self.names.get(item.unit_code, item.unit_code)
        if row is None:
            return Part(item.item_id, joined(item.name), unit, title, "", False, "从未有被采用的报送")
        link = link_of(row, field)
        known = row.values.get(field) not in (None, "")
        return Part(
            item=item.item_id,
            item_name=joined(item.name),
            unit_name=unit,
            column=title,
            value=shown(field, row.values.get(field)),
            counted=known,
            why="" if known else _blank(row, field),
            carried_from=row.reported_month if row.carried_forward else None,
            version=link.version,
            file=link.file,
            sha256=link.sha256,
            sheet=link.sheet,
            row=link.row,
            cell=link.cell,
            raw=link.raw,
            steps=link.steps,
            received_at=link.received_at,
        )

    def _planned(self, item: PlanItem, field: str) -> Part:
        plan = self.view.plan
        value = item.values.get(field)
        cell, raw = self._plan_cells.get((item.sheet or "", item.row or 0, field), ("", ""))
        return Part(
            item=item.item_id,
            item_name=joined(item.name),
            unit_name=self.names.get(item.unit_code, item.unit_code),
            column=title_of(item.table, field),
            value=shown(field, value),
            counted=value is not None,
            why="" if value is not None else "计划没有写明",
            planned=True,
            version=plan.version,
            file=plan.file_name if item.sheet else _TARGETS,
            sha256=plan.sha256 if item.sheet else "",
            sheet=item.sheet or "",
            row=item.row,
            cell=cell,
            raw=raw,
        )

    @cached_property
    def _plan_cells(self) -> Mapping[tuple[str, int, str], tuple[str, str]]:
        from ledger.checking.plan import plan_cells

        plan = self.view.plan
        data = Originals(self.seen.home.originals).read(plan.sha256, extension(plan.file_name))
        return plan_cells(data, plan.file_name, plan.year, self.seen.registry)


def _blank(row: ItemRow, field: str) -> str:
    if row.carried_forward and is_of_the_month(row.table, field):
        return "沿用以前月份的行，本月列留空"
    return "这一格空白，不当作 0"


def field_of(key: str, text: str) -> str | None:
    """The column of table `key` that `text` names, reported or planned (money only)."""
    found = known_field(key, text)
    if found is not None:
        return found
    planned = (column for column in PLAN_TABLES[key] if column.kind is Kind.MONEY)
    return next((c.field for c in planned if text in (c.export_name, c.field, c.title)), None)


def is_reported(key: str, field: str) -> bool:
    return any(column.field == field for column in TABLES[key].reported)


def title_of(key: str, field: str) -> str:
    columns = TABLES[key].by_field if field in TABLES[key].by_field else PLAN_TABLES[key].by_field
    return columns[field].title
