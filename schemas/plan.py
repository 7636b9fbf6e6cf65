"""A plan: one year's items, with the version they were registered in.

Plain values, filled by ledger.checking.plan from the plan workbook and the registry, and kept in
the ledger. Figures are the plan's own, errors included; only proved shifts are put right (F17).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from schemas.finding import Finding
from schemas.month import Month, PartialDate

Value = int | str | Decimal | PartialDate | None


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One project (附件1), need (附件2) or indicator (工作要点).

    `values` holds the annex's columns by field (money in 分), blank = None; `section` the
    headings above the row (「二、基础设施」, 「(二)村级公路」). `unit_code` is who reports it;
    `sheet` and `row` where it stands in the plan workbook (None for indicators of the registry).
    """

    item_id: str
    table: str
    seq: int
    name: str
    unit_code: str
    section: tuple[str, ...]
    values: Mapping[str, Value]
    sheet: str | None
    row: int | None

    def fen(self, field: str) -> int | None:
        """A planned amount in 分, None where the plan states none."""
        value = self.values.get(field)
        return value if isinstance(value, int) else None

    def start_month(self) -> Month | None:
        value = self.values.get("start_planned")
        return value.as_month if isinstance(value, PartialDate) else None

    def accept_month(self) -> Month | None:
        value = self.values.get("accept_planned")
        return value.as_month if isinstance(value, PartialDate) else None


@dataclass(frozen=True, slots=True)
class PlanTotal:
    """A 小计 or 合计 row as printed: its place, its heading, its stated figures and count."""

    table: str
    label: str
    section: tuple[str, ...]
    sheet: str
    row: int
    count: int | None
    values: Mapping[str, int | None]


@dataclass(frozen=True)
class Plan:
    """One version of a year's plan.

    `findings` are its open discrepancies, in sheet order; they are printed in every report until
    a new version settles them.
    """

    year: int
    version: int
    sha256: str
    file_name: str
    items: tuple[PlanItem, ...]
    totals: tuple[PlanTotal, ...] = ()
    findings: tuple[Finding, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, PlanItem]:
        return {item.item_id: item for item in self.items}

    def of_table(self, table: str) -> tuple[PlanItem, ...]:
        return tuple(item for item in self.items if item.table == table)

    def of_unit(self, unit_code: str, table: str | None = None) -> tuple[PlanItem, ...]:
        return tuple(
            item
            for item in self.items
            if item.unit_code == unit_code and (table is None or item.table == table)
        )
