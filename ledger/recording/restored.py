"""Checks as they were recorded, put together again from the ledger without reading a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from ledger.checking.model import Checked, CheckedTable, Verdict
from ledger.reading.model import ReadRow, ReadTable, ReadValue, Submission
from ledger.recording import tables
from ledger.recording.checks import Recorded, recorded
from ledger.recording.standing import row_values
from schemas.finding import Finding
from schemas.month import Month


def checked_again(connection: Connection, month: Month) -> list[tuple[Checked, str]]:
    """The month's newest submission of each unit and table, as checked, with its file's ending.

    The rows that were returned are in the findings and in the original, not here.
    """
    sent, parts = tables.submissions, tables.submission_tables
    lines = (
        connection.execute(
            sa.select(sent)
            .where(sent.c.month == month, sent.c.repeated.is_(False))
            .order_by(sent.c.submission_id)
        )
        .mappings()
        .all()
    )
    held: dict[int, set[str]] = {line["submission_id"]: set() for line in lines}
    for part in connection.execute(
        sa.select(parts.c.submission_id, parts.c.table_key)
        .join(sent, sent.c.submission_id == parts.c.submission_id)
        .where(sent.c.month == month, sent.c.repeated.is_(False))
    ):
        held[part.submission_id].add(part.table_key)
    newest: dict[tuple[str, str], int] = {}
    for line in lines:
        unit = line["unit_code"] or f"name:{line['file_name']}"
        for key in held[line["submission_id"]] or {""}:
            newest[unit, key] = line["submission_id"]
        newest[unit, ""] = line["submission_id"]
    wanted = set(newest.values())
    found = recorded(connection, wanted)
    return [
        (_checked(connection, line, found.get(line["submission_id"], ())), line["ext"])
        for line in lines
        if line["submission_id"] in wanted
    ]


def _checked(connection: Connection, line: RowMapping, known: Sequence[Recorded]) -> Checked:
    number = line["submission_id"]
    found = [one.finding for one in known if one.current]
    parts = tables.submission_tables
    stored = connection.execute(
        sa.select(parts).where(parts.c.submission_id == number).order_by(parts.c.table_key)
    ).mappings()
    checked_tables = sorted(
        (_table(connection, line, part, found) for part in stored),
        key=lambda table: list(tables.item_tables).index(table.table),
    )
    submission = Submission(
        file=line["file_name"],
        sha256=line["sha256"],
        unit_code=line["unit_code"] or None,
        month=line["month"],
        cover=json.loads(line["cover"]),
        tables=[
            ReadTable(
                one.table,
                one.sheet,
                dict(one.header_cells),
                list(one.accepted.values()),
                findings=[f for f in one.findings if f.returns_table],
                nil_report=one.nil_report,
            )
            for one in checked_tables
        ],
        findings=[f for f in found if f.table is None],
    )
    later = next((one.newest_check for one in known if one.newest_check != number), None)
    return Checked(submission, checked_tables, found, Verdict(line["verdict"]), later)


def _table(connection: Connection, line: RowMapping, part: RowMapping, found: list[Finding]) -> CheckedTable:
    key = part["table_key"]
    rows = tables.item_tables[key]
    accepted = connection.execute(
        sa.select(rows)
        .where(
            rows.c.month == line["month"],
            rows.c.unit_code == line["unit_code"],
            rows.c.submission_id == line["submission_id"],
        )
        .order_by(rows.c.source_row)
    ).mappings()
    mine = [f for f in found if f.table == key]
    return CheckedTable(
        table=key,
        sheet=part["sheet"],
        header_cells=json.loads(part["header_cells"]),
        rows_read=part["rows_read"],
        accepted={stored["item_id"]: _row(key, stored) for stored in accepted},
        findings=mine,
        nil_report=part["nil_report"],
        table_returned=part["verdict"] == Verdict.RETURNED,
    )


def _row(key: str, stored: RowMapping) -> ReadRow:
    sources: Mapping[str, Any] = json.loads(stored["provenance"])
    values = {}
    for name, value in row_values(key, stored).items():
        cell, raw, steps = sources.get(name, ("", "", ()))
        values[name] = ReadValue(value, cell, raw, tuple(steps))
    return ReadRow(stored["source_row"], values)
