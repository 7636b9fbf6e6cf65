"""Later months checked again when an earlier month's figures change (H01–H06).

Only what these rules say of the rows that stand is renewed. A figure that was accepted stays: no
later event but the unit's own takes it out, so that what would have returned the row must now be
answered. A row that was returned stays returned until the unit sends it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.checking.model import Checked, History
from ledger.recording import tables
from ledger.recording.checks import recorded
from ledger.recording.events import Receipt
from ledger.recording.standing import Chains, load_chains
from schemas.finding import Effect, Finding
from schemas.month import Month
from schemas.plan import Value
from schemas.tables import TABLES

_BY_HISTORY = "H"


@dataclass(frozen=True, slots=True)
class Change:
    """A scope's new version: which items stood before and are not returned now, which rows it has."""

    before: frozenset[str]
    rows: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Later:
    """A submission of a later month that stands, with the items that do, by table."""

    receipt: Receipt
    month: Month
    plan_version: int
    standing: Mapping[str, frozenset[str]]


def later_chains(connection: Connection, month: Month, units: Collection[str]) -> Chains:
    """The chains of the units' later months of the year, for `later_submissions`."""
    if month.month == 12:
        return Chains(())
    return load_chains(connection, month.plus(1), Month(month.year, 12), units=units)


def later_submissions(
    connection: Connection, month: Month, unit: str, keys: Collection[str], chains: Chains
) -> list[Later]:
    """What stands of the unit's later months of the year in these tables, in order."""
    by_submission: dict[int, dict[str, int]] = {}
    for number in range(month.month + 1, 13):
        for key in keys:
            current = chains.current(Month(month.year, number), unit, key)
            if current is not None:
                by_submission.setdefault(current.submission_id, {})[key] = current.version
    return [_later(connection, unit, number, versions) for number, versions in sorted(by_submission.items())]


def _later(connection: Connection, unit: str, number: int, versions: Mapping[str, int]) -> Later:
    sent, got = tables.submissions, tables.receipts
    line = connection.execute(
        sa.select(got, sent.c.month, sent.c.plan_version)
        .join(sent, sent.c.submission_id == got.c.event_seq)
        .where(got.c.event_seq == number)
    ).one()
    standing = {}
    for key, version in versions.items():
        rows = tables.item_tables[key]
        query = sa.select(rows.c.item_id).where(
            rows.c.month == line.month, rows.c.unit_code == unit, rows.c.version == version
        )
        standing[key] = frozenset(connection.scalars(query))
    receipt = Receipt(number, line.sha256, line.ext, line.file_name, line.received_at, line.folder, "")
    return Later(receipt, line.month, line.plan_version, standing)


def overlaid(history: History, month: Month, unit: str, changes: Mapping[str, Change]) -> History:
    """The history as it will be once the changes of (unit, month) are recorded."""
    rows = {item: dict(months) for item, months in history.rows.items()}
    for change in changes.values():
        for item in change.before:
            rows.get(item, {}).pop(month, None)
        for item, values in change.rows.items():
            rows.setdefault(item, {})[month] = values
    reported = history.reported | {(unit, key, month) for key in changes}
    return replace(history, rows=rows, reported=reported)


def renewed(connection: Connection, later: Later, again: Checked) -> list[Finding] | None:
    """The submission's findings after the new check, None where nothing is different."""
    number = later.receipt.seq
    old = [one.finding for one in recorded(connection, [number]).get(number, []) if one.current]
    kept = [one for one in old if not _is_renewed(one, later)]
    fresh = [_answerable(one) for one in again.findings if _is_renewed(one, later)]
    gone = [one for one in old if _is_renewed(one, later)]
    if sorted(map(repr, gone)) == sorted(map(repr, fresh)):
        return None
    return _in_order([*kept, *fresh])


def _is_renewed(found: Finding, later: Later) -> bool:
    standing = later.standing.get(found.table or "")
    if standing is None or not found.rule.startswith(_BY_HISTORY):
        return False
    return found.item is None or found.item in standing


def _answerable(found: Finding) -> Finding:
    return found.at(effect=Effect.MUST_BE_ANSWERED) if found.returns_row else found


def _in_order(found: Sequence[Finding]) -> list[Finding]:
    keys = list(TABLES)
    return sorted(found, key=lambda one: (keys.index(one.table) if one.table in keys else -1, one.row or 0))
