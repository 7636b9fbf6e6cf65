"""The tables: which columns each has, in which order, in which part, and which are required.

Three tables are submitted every month (CONTRACT §3), three sheets make a plan (CONTRACT §2). A
table changes nothing about a column but its title, where the annex prints it under another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from schemas.columns import COLUMNS, Column


@dataclass(frozen=True)
class Table:
    """One table, as submitted or as in the plan.

    `key` is its name in code and exports; `sheet` its canonical sheet name; `title` the words
    that tell it from others in a caption. `plan_fields` are prefilled from the plan and only
    compared; `required` must be found in the header (F09) and filled (C06), under the conditions
    of CONTRACT §3; of each group in `any_of` one is enough. `titles` are this table's own
    wordings, canonical here; the column's own title then becomes one more alias.
    """

    key: str
    number: str
    title: str
    sheet: str
    fields: tuple[str, ...]
    plan_fields: tuple[str, ...]
    required: tuple[str, ...]
    name_field: str
    any_of: tuple[tuple[str, ...], ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(self._column(name) for name in self.fields)

    @cached_property
    def by_field(self) -> dict[str, Column]:
        return {column.field: column for column in self.columns}

    @cached_property
    def reported(self) -> tuple[Column, ...]:
        """The columns the unit fills in, in order."""
        return tuple(column for column in self.columns if column.field not in self.plan_fields)

    def _column(self, name: str) -> Column:
        column = COLUMNS[name]
        aliases = column.aliases + self.aliases.get(name, ())
        title = self.titles.get(name)
        if title is not None:
            return replace(column, title=title, aliases=(column.title, *aliases))
        return replace(column, aliases=aliases)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)


_PROJECT_PLAN = (
    "seq",
    "place",
    "item_name",
    "total_investment_fen",
    "funds_total_fen",
    "fiscal_planned_fen",
    "self_planned_fen",
    "start_planned",
    "accept_planned",
    "lead_unit",
)
_PROJECT_REQUIRED = (
    "status",
    "progress_pct",
    "fiscal_received_cum_fen",
    "self_received_cum_fen",
    "invested_cum_fen",
    "fiscal_paid_month_fen",
    "self_paid_month_fen",
    "fiscal_paid_cum_fen",
    "self_paid_cum_fen",
)

PROJECTS = Table(
    key="projects",
    number="表1",
    title="援建项目进度",
    sheet="表1 援建项目",
    fields=(
        *_PROJECT_PLAN,
        "status",
        "start_actual",
        "finish_actual",
        "accept_actual",
        "progress_pct",
        "fiscal_received_cum_fen",
        "self_received_cum_fen",
        "invested_cum_fen",
        "fiscal_paid_month_fen",
        "self_paid_month_fen",
        "fiscal_paid_cum_fen",
        "self_paid_cum_fen",
        "poor_households",
        "poor_persons",
        "problems",
        "measures",
        "remarks",
    ),
    plan_fields=_PROJECT_PLAN,
    required=("item_name", *_PROJECT_REQUIRED),
    name_field="item_name",
)

_NEED_PLAN = (
    "seq",
    "place",
    "item_name",
    "period",
    "total_investment_fen",
    "funds_total_fen",
    "enterprise_planned_fen",
    "self_planned_fen",
    "category",
)

NEEDS = Table(
    key="needs",
    number="表2",
    title="招商需求对接",
    sheet="表2 招商需求",
    fields=(
        *_NEED_PLAN,
        "need_status",
        "partner",
        "signed_amount_fen",
        "enterprise_received_cum_fen",
        "self_received_cum_fen",
        "month_progress",
        "remarks",
    ),
    plan_fields=_NEED_PLAN,
    required=("item_name", "need_status"),
    name_field="item_name",
)

_INDICATOR_PLAN = ("item_code", "indicator_name", "unit_of_measure", "target")

INDICATORS = Table(
    key="indicators",
    number="表3",
    title="工作要点指标",
    sheet="表3 工作要点",
    fields=(*_INDICATOR_PLAN, "done_month", "done_cum", "evidence", "remarks"),
    plan_fields=_INDICATOR_PLAN,
    required=("done_month", "done_cum"),
    name_field="indicator_name",
    any_of=(("item_code", "indicator_name"),),
)

#: The submitted tables by key, in the order of the workbook, the exports and the report.
TABLES: dict[str, Table] = {table.key: table for table in (PROJECTS, NEEDS, INDICATORS)}

ANNEX1 = Table(
    key="projects",
    number="附件1",
    title="财政资金援建项目计划表",
    sheet="附件1",
    fields=(
        "seq",
        "place",
        "item_name",
        "scale",
        "benefit",
        "total_investment_fen",
        "funds_total_fen",
        "fiscal_planned_fen",
        "self_planned_fen",
        "start_planned",
        "accept_planned",
        "lead_unit",
        "report_unit",
    ),
    plan_fields=(),
    required=("item_name",),
    name_field="item_name",
    titles={"start_planned": "项目开工时间", "accept_planned": "项目验收时间"},
)

ANNEX2 = Table(
    key="needs",
    number="附件2",
    title="招商项目需求表",
    sheet="附件2",
    fields=(
        "seq",
        "place",
        "item_name",
        "scale",
        "period",
        "total_investment_fen",
        "funds_total_fen",
        "enterprise_planned_fen",
        "self_planned_fen",
        "category",
        "report_unit",
    ),
    plan_fields=(),
    required=("item_name",),
    name_field="item_name",
    titles={"category": "备注"},
)

WORK_POINTS = Table(
    key="indicators",
    number="工作要点",
    title="工作要点指标",
    sheet="工作要点",
    fields=("item_code", "indicator_name", "unit_of_measure", "target", "responsible_units"),
    plan_fields=(),
    required=("indicator_name", "target"),
    name_field="indicator_name",
)

#: The plan's sheets by the key of the table their items are reported in.
PLAN_TABLES: dict[str, Table] = {table.key: table for table in (ANNEX1, ANNEX2, WORK_POINTS)}


@cache
def plan_tables(headings: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, Table]:
    """PLAN_TABLES with more wordings: `headings` are pairs of an export name and its headings."""
    more = dict(headings)
    known: dict[str, Table] = {}
    for table in PLAN_TABLES.values():
        found = {c.field: more[c.export_name] for c in table if c.export_name in more}
        aliases = {name: table.aliases.get(name, ()) + words for name, words in found.items()}
        known[table.key] = replace(table, aliases={**table.aliases, **aliases}) if found else table
    return known
