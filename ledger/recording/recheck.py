"""What stands, checked again: later months when an earlier month's figures change (H01–H06), and
the months of an adjusted plan against that plan.

Only what is said of the rows that stand is renewed. A figure that was accepted stays: no later event
but the unit's own takes it out, so that what would have returned the row must now be answered. A
row that was returned stays returned until the unit sends it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
#: What a file was met with when it came (received before, replaces without a word): no plan changes that.
_OF_THEIR_TIME = frozenset({"F08", "F15"})
_TABLE_LEFT_OUT = "F12"


@dataclass(frozen=True, slots=True)
class Change:
    """A scope's new version: which items stood before and are not returned now, which rows it has."""

    before: frozenset[str]
    rows: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Later:
    """A submission that stands, with the items that do and their rows in its sheet, by table."""

    receipt: Receipt
    month: Month
    unit: str
    standing: Mapping[str, Mapping[str, int]]


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


def standing_submissions(connection: Connection, months: Collection[Month]) -> list[Later]:
    """What stands of these months, of every unit, in order."""
    chains = load_chains(connection, min(months), max(months))
    found: dict[tuple[int, str], dict[str, int]] = {}
    for month, unit, key in chains.scopes:
        current = chains.current(month, unit, key)
        if current is not None and month in months:
            found.setdefault((current.submission_id, unit), {})[key] = current.version
    return [_later(connection, unit, number, versions) for (number, unit), versions in sorted(found.items())]


def checked_by_plan(connection: Connection, year: int) -> tuple[tuple[Month, str], ...]:
    """The months and units with other findings by the newest plan of `year`."""
    checks, sent, plans = tables.checks, tables.submissions, tables.plan_versions
    newest = sa.select(sa.func.max(plans.c.event_seq)).where(plans.c.year == year).scalar_subquery()
    lines = connection.execute(
        sa.select(sent.c.month, sent.c.unit_code)
        .join(checks, checks.c.submission_id == sent.c.submission_id)
        .where(checks.c.check_seq == newest)
        .distinct()
    )
    return tuple(sorted((line.month, line.unit_code) for line in lines))


def _later(connection: Connection, unit: str, number: int, versions: Mapping[str, int]) -> Later:
    sent, got = tables.submissions, tables.receipts
    line = connection.execute(
        sa.select(got, sent.c.month)
        .join(sent, sent.c.submission_id == got.c.event_seq)
        .where(got.c.event_seq == number)
    ).one()
    standing = {}
    for key, version in versions.items():
        rows = tables.item_tables[key]
        query = sa.select(rows.c.item_id, rows.c.source_row).where(
            rows.c.month == line.month, rows.c.unit_code == unit, rows.c.version == version
        )
        standing[key] = {row.item_id: row.source_row for row in connection.execute(query)}
    receipt = Receipt(number, line.sha256, line.ext, line.file_name, line.received_at, line.folder, "")
    return Later(receipt, line.month, unit, standing)


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


Renews = Callable[[Finding, Later], bool]


def renewed(connection: Connection, later: Later, again: Checked, renews: Renews) -> list[Finding] | None:
    """The submission's findings after the new check, None where nothing is different."""
    number = later.receipt.seq
    old = [one.finding for one in recorded(connection, [number]).get(number, []) if one.current]
    kept = [one for one in old if not renews(one, later)]
    fresh = [_answerable(one) for one in again.findings if renews(one, later)]
    gone = [one for one in old if renews(one, later)]
    if sorted(map(repr, gone)) == sorted(map(repr, fresh)):
        return None
    return _in_order([*kept, *fresh])


def by_history(found: Finding, later: Later) -> bool:
    """Whether a finding comes of the months before, and is about what stands."""
    standing = later.standing.get(found.table or "")
    if standing is None or not found.rule.startswith(_BY_HISTORY):
        return False
    return found.item is None or found.item in standing


def by_plan(found: Finding, later: Later) -> bool:
    """Whether a finding may be otherwise by another plan, and is about what stands or is left out."""
    if found.rule in _OF_THEIR_TIME:
        return False
    if found.rule == _TABLE_LEFT_OUT:
        return True
    standing = later.standing.get(found.table or "")
    return standing is not None and (found.row is None or found.row in standing.values())


def _answerable(found: Finding) -> Finding:
    return found.at(effect=Effect.MUST_BE_ANSWERED) if found.returns_row else found


def _in_order(found: Sequence[Finding]) -> list[Finding]:
    keys = list(TABLES)
    return sorted(found, key=lambda one: (keys.index(one.table) if one.table in keys else -1, one.row or 0))
