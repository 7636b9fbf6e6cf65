"""The exports: the master dataset's tables as plain rows (CONTRACT: exports).

`export` gives columns and typed rows; ledger.recording.writers turns them into files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from ledger.calendar import moment_text
from ledger.recording.codec import plan_from
from ledger.recording.database import reading
from ledger.recording.entry import WHOLE_ROW
from ledger.recording.issued import editions_between
from ledger.recording.model import Correction, Edition, FindingRow, ItemRow, SubmissionRow
from ledger.recording.moments import AsOf
from ledger.recording.standing import latest_plan_line, load_chains, year_start
from ledger.recording.views import (
    correction_rows,
    finding_rows,
    item_rows,
    submission_rows,
    version_rows,
)
from ledger.recording.writers import Field, to_bytes
from ledger.registry import Registry
from schemas.columns import COLUMNS, Kind
from schemas.exports import EXPORTS, ExportColumn, column_names
from schemas.money import plain, wan, wan_text
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem, Value
from schemas.tables import TABLES

if TYPE_CHECKING:
    from ledger.recording.ledger import Ledger

__all__ = ["export", "export_value", "shown", "to_bytes"]


def export(
    ledger: Ledger,
    month: Month,
    table: str,
    *,
    as_of: AsOf = None,
    all_versions: bool = False,
    told_by: Registry | None = None,
) -> tuple[tuple[str, ...], list[tuple[Field, ...]]]:
    """One export of `month` as of a moment: its column names, its rows.

    `table` is projects, needs, indicators, submissions, findings or corrections (KeyError
    otherwise). With `all_versions` the item tables hold every row of every version of the month
    and nothing carried forward. A year without a plan gives no rows. `told_by` is the registry whose
    names are used, today's where none is given.
    """
    registry = told_by or ledger.registry
    with reading(ledger.engine) as connection:
        line = latest_plan_line(connection, month.year, as_of, month)
        plan = None if line is None else plan_from(line.plan)
        return column_names(table), _rows(connection, registry, plan, month, table, as_of, all_versions)


def _rows(
    connection: Connection,
    registry: Registry,
    plan: Plan | None,
    month: Month,
    table: str,
    as_of: AsOf,
    all_versions: bool,
) -> list[tuple[Field, ...]]:
    names = registry.names
    if table == "submissions":
        return [_submission(row, names) for row in submission_rows(connection, registry, month, as_of)]
    if table == "findings":
        return [_finding(row, names) for row in finding_rows(connection, registry, month, as_of)]
    if table == "corrections":
        # the later months of the year print this month's figures beside their own
        editions = editions_between(connection, month, Month(month.year, 12), as_of)
        return [_correction(change, editions) for change in correction_rows(connection, plan, month, as_of)]
    columns = EXPORTS[table]
    if plan is None:
        return []
    if all_versions:
        rows: Sequence[ItemRow] = version_rows(connection, plan, month, table, as_of)
    else:
        chains = load_chains(connection, year_start(month), month, as_of=as_of)
        rows = item_rows(connection, plan, month, table, chains)
    return [_item(row, plan.by_id.get(row.item_id), columns, names) for row in rows]


def _item(
    row: ItemRow, planned: PlanItem | None, columns: Sequence[ExportColumn], names: Mapping[str, str]
) -> tuple[Field, ...]:
    known: dict[str, Field] = {
        "month": str(row.month),
        "unit_code": row.unit_code,
        "unit_name": names.get(row.unit_code, ""),
        "item_id": row.item_id,
        "item_name": planned.name if planned else "",
        "version": row.version,
        "source_sha256": row.source_sha256,
        "source_sheet": row.source_sheet,
        "source_row": row.source_row,
        "carried_forward": row.carried_forward,
    }
    if planned is not None:
        for name in ("unit_of_measure", "target"):
            known[name] = export_value(name, planned.values.get(name))
    return tuple(
        export_value(column.field, row.values.get(column.field)) if column.field else known.get(column.name)
        for column in columns
    )


def export_value(name: str, value: Value) -> Field:
    """A value of column `name` as exports have it: money in 万元, dates as text, blank None."""
    if value is None or value == "":
        return None
    if COLUMNS[name].kind is Kind.MONEY and isinstance(value, int):
        return wan(value)
    if isinstance(value, PartialDate):
        return str(value)
    return value


def shown(name: str, value: Value) -> str:
    """A value of column `name` as text, as the CSV export shows it."""
    if name in COLUMNS and COLUMNS[name].kind is Kind.MONEY and isinstance(value, int):
        return wan_text(value)
    if isinstance(value, Decimal):
        return plain(value)
    return "" if value is None else str(value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


def _submission(row: SubmissionRow, names: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        str(row.month),
        row.unit_code or None,
        names.get(row.unit_code),
        row.table or None,
        row.sha256,
        row.file_name,
        _moment(row.received_at),
        _moment(row.first_received_at),
        _moment(row.first_accepted_at),
        row.verdict,
        row.timely,
        row.version,
        row.superseded_by or None,
    )


def _finding(row: FindingRow, names: Mapping[str, str]) -> tuple[Field, ...]:
    found = row.finding
    return (
        str(row.month),
        row.unit_code or None,
        names.get(row.unit_code),
        found.table,
        found.rule,
        str(found.severity),
        str(found.scope),
        found.item,
        found.sheet,
        found.cell,
        found.row,
        found.value,
        found.expected,
        found.difference,
        found.message,
        found.remedy,
        row.source_sha256,
        _moment(row.received_at),
        row.open,
    )


def _correction(change: Correction, editions: Sequence[Edition]) -> tuple[Field, ...]:
    whole = change.field == WHOLE_ROW
    touched = [edition.name for edition in editions if edition.upto < change.submission_id]
    return (
        str(change.month),
        change.item_id,
        WHOLE_ROW if whole else COLUMNS[change.field].export_name,
        shown(change.field, change.old) or None,
        shown(change.field, change.new) or None,
        change.unit_code,
        _moment(change.received_at),
        change.reason or None,
        "; ".join(touched) or None,
    )


def known_field(table: str, text: str) -> str | None:
    """The field that `text` names by export name, field or canonical title, None where none."""
    wanted = text.strip()
    for column in TABLES[table].reported:
        if wanted in (column.export_name, column.field, column.title):
            return column.field
    return None
