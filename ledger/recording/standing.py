"""Which rows stand: the current versions of a scope, and what is carried forward (CONTRACT §6.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from ledger.recording import tables
from ledger.recording.moments import AsOf, Frozen, known
from schemas.month import Month
from schemas.plan import Plan, Value
from schemas.tables import TABLES

#: Above this many values a filter is left out of the query and made in Python.
_MANY = 5000

Scope = tuple[Month, str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """One accepted version of (month, unit, table)."""

    month: Month
    unit_code: str
    table: str
    version: int
    submission_id: int
    received_at: datetime
    nil_report: bool


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A stored row that stands for an item, and whether it is this month's own."""

    stored: RowMapping
    carried_forward: bool


class Chains:
    """The version chains of some scopes as of a moment; the last of each is current."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._chains: dict[Scope, list[Version]] = {}
        for version in sorted(versions, key=lambda v: v.version):
            self._chains.setdefault((version.month, version.unit_code, version.table), []).append(version)

    def of(self, month: Month, unit_code: str, table: str) -> Sequence[Version]:
        return self._chains.get((month, unit_code, table), ())

    def current(self, month: Month, unit_code: str, table: str) -> Version | None:
        chain = self._chains.get((month, unit_code, table))
        return chain[-1] if chain else None

    def is_current(self, table: str, stored: RowMapping) -> bool:
        current = self.current(stored["month"], stored["unit_code"], table)
        return current is not None and current.version == stored["version"]

    def knows(self, table: str, stored: RowMapping) -> bool:
        """Whether the row's version existed at the moment of these chains."""
        chain = self.of(stored["month"], stored["unit_code"], table)
        return any(version.version == stored["version"] for version in chain)

    @property
    def scopes(self) -> Collection[Scope]:
        return self._chains.keys()


def year_start(month: Month) -> Month:
    return Month(month.year, 1)


def load_chains(
    connection: Connection,
    first: Month,
    last: Month,
    *,
    units: Collection[str] | None = None,
    as_of: AsOf = None,
) -> Chains:
    """The chains of all scopes with months from `first` to `last`."""
    table = tables.table_versions
    query = sa.select(table).where(table.c.month >= first, table.c.month <= last)
    if units is not None and len(units) <= _MANY:
        query = query.where(table.c.unit_code.in_(sorted(units)))
    query = known(query, table.c.received_at, table.c.submission_id, as_of)
    return Chains(
        Version(
            line.month,
            line.unit_code,
            line.table_key,
            line.version,
            line.submission_id,
            line.received_at,
            line.nil_report,
        )
        for line in connection.execute(query)
    )


def load_rows(
    connection: Connection,
    key: str,
    first: Month,
    last: Month,
    *,
    items: Collection[str] | None = None,
    unit: str | None = None,
) -> Sequence[RowMapping]:
    """Stored rows of table `key`, all versions, each with its file's hash, name and receipt."""
    rows, sent = tables.item_tables[key], tables.submissions
    query = (
        sa.select(rows, sent.c.sha256, sent.c.file_name, sent.c.received_at)
        .join(sent, sent.c.submission_id == rows.c.submission_id)
        .where(rows.c.month >= first, rows.c.month <= last)
    )
    if items is not None and len(items) <= _MANY:
        query = query.where(rows.c.item_id.in_(sorted(items)))
    if unit is not None:
        query = query.where(rows.c.unit_code == unit)
    found = connection.execute(query).mappings().all()
    if items is not None and len(items) > _MANY:
        wanted = set(items)
        found = [row for row in found if row["item_id"] in wanted]
    return found


def load_returned(
    connection: Connection, first: Month, last: Month, units: Collection[str]
) -> set[tuple[Month, str, str, int, str]]:
    """The items that versions returned: (month, unit, table, version, item)."""
    marks = tables.row_marks
    query = sa.select(marks).where(marks.c.month >= first, marks.c.month <= last, marks.c.mark == "returned")
    if len(units) <= _MANY:
        query = query.where(marks.c.unit_code.in_(sorted(units)))
    return {
        (line.month, line.unit_code, line.table_key, line.version, line.item_id)
        for line in connection.execute(query)
    }


def row_values(key: str, stored: RowMapping) -> dict[str, Value]:
    """A stored row's reported values by field."""
    return {column.field: stored[column.field] for column in TABLES[key].reported}


def standing_rows(
    connection: Connection, plan: Plan, month: Month, key: str, chains: Chains
) -> dict[str, StandingRow]:
    """For each planned item of table `key`, the row that stands for it in `month`, by item id.

    The current version's row; where it was returned, an earlier accepted version's of the same
    month; else the latest earlier month's, found the same way. Items never reported are absent.
    """
    waiting = {item.item_id for item in plan.of_table(key)}
    standing: dict[str, StandingRow] = {}
    first = min((at for at, _, table in chains.scopes if table == key), default=month)
    at = month
    while waiting and at >= first:
        by_item = _by_item(load_rows(connection, key, at, at, items=waiting))
        returned = _returned(connection, key, at)
        for item in sorted(waiting):
            found = _newest(key, at, by_item.get(item, {}), returned.get(item, set()), chains)
            if found is not None:
                current = at == month and chains.is_current(key, found)
                standing[item] = StandingRow(found, carried_forward=not current)
        waiting -= standing.keys()
        at = at.plus(-1)
    return standing


_ByVersion = Mapping[tuple[str, int], RowMapping]


def _by_item(rows: Iterable[RowMapping]) -> dict[str, dict[tuple[str, int], RowMapping]]:
    by_item: dict[str, dict[tuple[str, int], RowMapping]] = {}
    for row in rows:
        by_item.setdefault(row["item_id"], {})[row["unit_code"], row["version"]] = row
    return by_item


def _returned(connection: Connection, key: str, month: Month) -> dict[str, set[tuple[str, int]]]:
    marks = tables.row_marks
    query = sa.select(marks.c.item_id, marks.c.unit_code, marks.c.version).where(
        marks.c.month == month, marks.c.table_key == key, marks.c.mark == "returned"
    )
    found: dict[str, set[tuple[str, int]]] = {}
    for line in connection.execute(query):
        found.setdefault(line.item_id, set()).add((line.unit_code, line.version))
    return found


def _newest(
    key: str, month: Month, rows: _ByVersion, returned: set[tuple[str, int]], chains: Chains
) -> RowMapping | None:
    """Walk each unit's chain down from its current version, past versions that returned the row."""
    best: RowMapping | None = None
    for unit in {unit for unit, _ in rows} | {unit for unit, _ in returned}:
        for version in reversed(chains.of(month, unit, key)):
            row = rows.get((unit, version.version))
            if row is not None:
                if best is None or row["submission_id"] > best["submission_id"]:
                    best = row
                break
            if (unit, version.version) not in returned:
                break
    return best


def latest_plan_line(
    connection: Connection, year: int, as_of: AsOf = None, month: Month | None = None
) -> Any:
    """The stored plan of `year` as of a moment, None where the year has none.

    With `month` the plan in force then: the newest registered by the moment that took effect by
    that month. Where nothing was, the first.
    """
    plans = tables.plan_versions
    query = sa.select(plans.c.version, plans.c.registered_at, plans.c.event_seq, plans.c.effective_from)
    lines = connection.execute(query.where(plans.c.year == year).order_by(plans.c.version)).all()
    if not lines:
        return None

    def is_known(line: Any) -> bool:
        if isinstance(as_of, Frozen):
            return bool(line.event_seq <= as_of.upto)
        return as_of is None or bool(line.registered_at <= as_of)

    by_then = [line for line in lines if is_known(line)]
    in_force = [line for line in by_then if month is None or line.effective_from <= month]
    version = (in_force or lines[:1])[-1].version
    return connection.execute(
        sa.select(plans.c.version, plans.c.plan).where(plans.c.year == year, plans.c.version == version)
    ).one()
