"""One checked submission as rows of the ledger: pure, from what stands and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ledger.checking.model import Checked, CheckedTable, Verdict, worst
from ledger.reading.model import ReadRow
from ledger.recording import tables
from ledger.recording.checks import check_rows
from ledger.recording.codec import dumps, encode_value
from ledger.recording.events import Receipt
from ledger.recording.recheck import Change
from schemas.finding import Finding, finding
from schemas.month import Month
from schemas.plan import Value
from schemas.tables import TABLES

#: The field of a correction that withdraws a whole row, and what it said before.
WHOLE_ROW = "(row)"
REPORTED = "reported"
WITHDRAWN, RETURNED = "withdrawn", "returned"
CORRECTION_NOTE = "更正说明"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of (unit, month, table) before a submission: its newest version.

    `rows` are that version's rows by item id; `stand_ins` those of earlier versions that stand
    where the newest returned a row.
    """

    version: int
    sha256: str
    nil_report: bool
    rows: Mapping[str, Mapping[str, Value]]
    stand_ins: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


@dataclass(slots=True)
class Entry:
    """The rows to insert for one event, by table, the check as recorded, and the scopes changed."""

    rows: list[tuple[sa.Table, list[dict[str, Any]]]]
    checked: Checked
    repeated: bool
    changes: Mapping[str, Change] = field(default_factory=dict)


def storable(checked: Checked) -> Checked:
    """The check, less rows with an amount beyond what any money column holds: they go back."""
    changed: list[CheckedTable] = []
    more: list[Finding] = []
    for table in checked.tables:
        kept: dict[str, ReadRow] = {}
        returned = list(table.returned)
        for item, row in table.accepted.items():
            wrong = _too_large(checked, table, item, row)
            more += wrong
            if wrong:
                returned.append((item, row))
            else:
                kept[item] = row
        changed.append(replace(table, accepted=kept, returned=returned))
    if not more:
        return checked
    return replace(
        checked,
        tables=changed,
        findings=[*checked.findings, *more],
        verdict=worst([table.verdict for table in changed]),
    )


def _too_large(checked: Checked, table: CheckedTable, item: str, row: ReadRow) -> list[Finding]:
    return [
        finding(
            "C09",
            f"{read.cell}：金额 {read.raw} 大得不合情理，请核对。",
            file=checked.submission.file,
            table=table.table,
            sheet=table.sheet,
            cell=read.cell or None,
            row=row.row,
            column=TABLES[table.table].by_field[name].title,
            item=item,
            value=read.raw,
        )
        for name, read in row.values.items()
        if isinstance(read.value, int) and abs(read.value) > tables.LARGEST_FEN
    ]


def one_per_table(checked: Checked) -> dict[str, CheckedTable]:
    """The tables by key; of a table that stands twice (F20), one for both."""
    merged: dict[str, CheckedTable] = {}
    for table in checked.tables:
        other = merged.get(table.table)
        if other is None:
            merged[table.table] = table
        else:
            merged[table.table] = replace(
                other,
                rows_read=other.rows_read + table.rows_read,
                returned=[*other.returned, *table.returned],
            )
    return merged


def stands(checked: Checked, table: CheckedTable) -> bool:
    """Whether anything of the table is accepted: it then makes a version."""
    return not checked.submission.returned and table.verdict is not Verdict.RETURNED


def values_of(key: str, row: ReadRow) -> dict[str, Value]:
    return {column.field: row.value(column.field) for column in TABLES[key].reported}


def same_as(standing: Standing | None, receipt: Receipt, table: CheckedTable) -> bool:
    """Whether the table is what stands already, from this very file."""
    return (
        standing is not None
        and standing.sha256 == receipt.sha256
        and standing.nil_report == table.nil_report
        and standing.rows == {item: values_of(table.table, row) for item, row in table.accepted.items()}
    )


def make_entry(
    receipt: Receipt,
    checked: Checked,
    month: Month,
    unit: str,
    plan_version: int,
    standing: Mapping[str, Standing],
    repeated: bool,
) -> Entry:
    """The rows of one submission. `repeated`: it changes nothing and only F08 is noted."""
    found = [f for f in checked.findings if f.rule == "F08"] if repeated else checked.findings
    rows: list[tuple[sa.Table, list[dict[str, Any]]]] = [
        (
            tables.submissions,
            [
                {
                    "submission_id": receipt.seq,
                    "sha256": receipt.sha256,
                    "ext": receipt.ext,
                    "file_name": receipt.file_name,
                    "received_at": receipt.received_at,
                    "month": month,
                    "unit_code": unit,
                    "verdict": str(checked.verdict),
                    "repeated": repeated,
                    "plan_version": plan_version,
                    "cover": dumps(dict(checked.submission.cover)),
                }
            ],
        ),
        *check_rows(receipt.seq, receipt.seq, receipt.received_at, found),
    ]
    changes: dict[str, Change] = {}
    if not repeated:
        corrections: list[dict[str, Any]] = []
        for key, table in one_per_table(checked).items():
            lines = _table_rows(receipt, checked, month, unit, table, standing.get(key), corrections)
            if any(where is tables.table_versions for where, _ in lines):
                changes[key] = _change(table, standing.get(key))
            rows += lines
        rows.append((tables.corrections, corrections))
    return Entry([(where, lines) for where, lines in rows if lines], checked, repeated, changes)


def _change(table: CheckedTable, before: Standing | None) -> Change:
    rows = {item: values_of(table.table, row) for item, row in table.accepted.items()}
    stood = before.rows.keys() | before.stand_ins.keys() if before else set()
    # what is returned now goes on standing as it stood
    return Change(frozenset(stood - {item for item, _ in table.returned}), rows)


def _table_rows(
    receipt: Receipt,
    checked: Checked,
    month: Month,
    unit: str,
    table: CheckedTable,
    before: Standing | None,
    corrections: list[dict[str, Any]],
) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
    key = table.table
    accepted = stands(checked, table)
    new = accepted and not same_as(before, receipt, table)
    version = (before.version if before else 0) + 1 if new else None
    line = {
        "submission_id": receipt.seq,
        "table_key": key,
        "sheet": table.sheet,
        "header_cells": dumps(dict(table.header_cells)),
        "rows_read": table.rows_read,
        "rows_accepted": len(table.accepted) if accepted else 0,
        "rows_returned": table.rows_read - (len(table.accepted) if accepted else 0),
        "nil_report": table.nil_report,
        "verdict": str(table.verdict if accepted else Verdict.RETURNED),
        "version": version if new else (before.version if accepted and before else None),
    }
    rows: list[tuple[sa.Table, list[dict[str, Any]]]] = [(tables.submission_tables, [line])]
    if version is None:
        return rows
    scope = {"month": month, "unit_code": unit, "table_key": key, "version": version}
    rows.append(
        (
            tables.table_versions,
            [
                {
                    **scope,
                    "submission_id": receipt.seq,
                    "received_at": receipt.received_at,
                    "nil_report": table.nil_report,
                }
            ],
        )
    )
    rows.append(
        (
            tables.item_tables[key],
            [
                {
                    "month": month,
                    "item_id": item,
                    "unit_code": unit,
                    "version": version,
                    "submission_id": receipt.seq,
                    "source_sheet": table.sheet,
                    "source_row": row.row,
                    **values_of(key, row),
                    "provenance": dumps(
                        {
                            name: [read.cell, read.raw, list(read.steps)]
                            for name, read in row.values.items()
                            if read.cell
                        }
                    ),
                }
                for item, row in table.accepted.items()
            ],
        )
    )
    marks = _marks(table, before)
    rows.append(
        (tables.row_marks, [{**scope, "item_id": item, "mark": mark} for item, mark in marks.items()])
    )
    if before is not None:
        note = checked.submission.cover.get(CORRECTION_NOTE, "").strip()
        for change in _changes(table, before, marks):
            corrections.append(
                {
                    "submission_id": receipt.seq,
                    "place": len(corrections),
                    "month": month,
                    "unit_code": unit,
                    "table_key": key,
                    **change,
                    "reason": note or change["reason"],
                }
            )
    return rows


def _marks(table: CheckedTable, before: Standing | None) -> dict[str, str]:
    marks = {item: RETURNED for item, _ in table.returned if item is not None and item not in table.accepted}
    if before is not None:
        for item in before.rows.keys() | before.stand_ins.keys():
            if item not in table.accepted and item not in marks:
                marks[item] = WITHDRAWN
    return dict(sorted(marks.items()))


def _changes(table: CheckedTable, before: Standing, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is other than it stood, field by field; 备注 is the reason, not a figure."""
    changes: list[dict[str, Any]] = []
    for item, row in table.accepted.items():
        old = before.rows.get(item) or before.stand_ins.get(item)
        if old is None:
            continue
        remark = row.value("remarks")
        changes += [
            {
                "item_id": item,
                "field": column.field,
                "old": encode_value(old.get(column.field)),
                "new": encode_value(row.value(column.field)),
                "reason": remark if isinstance(remark, str) else "",
            }
            for column in TABLES[table.table].reported
            if column.field != "remarks" and old.get(column.field) != row.value(column.field)
        ]
    changes += [
        {
            "item_id": item,
            "field": WHOLE_ROW,
            "old": encode_value(REPORTED),
            "new": encode_value(None),
            "reason": "",
        }
        for item, mark in marks.items()
        if mark == WITHDRAWN
    ]
    return changes
