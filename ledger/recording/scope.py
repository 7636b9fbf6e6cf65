"""What the ledger holds of one scope (unit, month, table) when a submission comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.checking.model import Checked
from ledger.recording import tables
from ledger.recording.entry import Standing, one_per_table, same_as, stands
from ledger.recording.events import Receipt
from ledger.recording.standing import Chains, load_rows, row_values
from schemas.month import Month


def received_before(connection: Connection, receipts: Sequence[Receipt]) -> dict[int, frozenset[str]]:
    """For each receipt whose very bytes came before: their hash (F08)."""
    got = tables.receipts
    hashes = sorted({receipt.sha256 for receipt in receipts})
    query = (
        sa.select(got.c.sha256, sa.func.min(got.c.event_seq).label("first"))
        .where(got.c.sha256.in_(hashes))
        .group_by(got.c.sha256)
    )
    first = {line.sha256: line.first for line in connection.execute(query)}
    return {
        receipt.seq: frozenset({receipt.sha256})
        for receipt in receipts
        if first.get(receipt.sha256, receipt.seq) < receipt.seq
    }


def standing_of(connection: Connection, month: Month, unit: str, key: str, chains: Chains) -> Standing | None:
    """What stands of (unit, month, table), with what stands in for rows it returned.

    `chains` are the month's, of this unit at least.
    """
    chain = chains.of(month, unit, key)
    if not chain:
        return None
    by_version: dict[int, dict[str, Any]] = {}
    for stored in load_rows(connection, key, month, month, unit=unit):
        by_version.setdefault(stored["version"], {})[stored["item_id"]] = row_values(key, stored)
    marks = tables.row_marks
    returned = {
        (line.version, line.item_id)
        for line in connection.execute(
            sa.select(marks.c.version, marks.c.item_id).where(
                marks.c.month == month,
                marks.c.unit_code == unit,
                marks.c.table_key == key,
                marks.c.mark == "returned",
            )
        )
    }
    newest = chain[-1]
    stand_ins: dict[str, Any] = {}
    for version, item in returned:
        if version != newest.version:
            continue
        number = newest.version
        while (number, item) in returned:
            number -= 1
        if item in by_version.get(number, {}):
            stand_ins[item] = by_version[number][item]
    sent = tables.submissions
    sha256 = connection.execute(
        sa.select(sent.c.sha256).where(sent.c.submission_id == newest.submission_id)
    ).scalar_one()
    return Standing(newest.version, sha256, newest.nil_report, by_version.get(newest.version, {}), stand_ins)


def is_repeated(
    connection: Connection,
    receipt: Receipt,
    month: Month,
    unit: str,
    checked: Checked,
    standing: Mapping[str, Standing],
) -> bool:
    """Whether the very file is what stands, or was returned last, in everything it holds."""
    sent, parts = tables.submissions, tables.submission_tables
    known = one_per_table(checked)
    latest = sa.select(sent.c.sha256).where(
        sent.c.month == month,
        sent.c.unit_code == unit,
        sent.c.repeated.is_(False),
        sent.c.submission_id < receipt.seq,
    )
    if not known:
        found = connection.execute(latest.order_by(sent.c.submission_id.desc()).limit(1)).scalar()
        return bool(found == receipt.sha256)
    for key, table in known.items():
        if stands(checked, table):
            if not same_as(standing.get(key), receipt, table):
                return False
            continue
        query = latest.join(parts, parts.c.submission_id == sent.c.submission_id).where(
            parts.c.table_key == key
        )
        found = connection.execute(query.order_by(sent.c.submission_id.desc()).limit(1)).scalar()
        if found != receipt.sha256:
            return False
    return True
