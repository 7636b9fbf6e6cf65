"""A year's plan versions: which is in force for a month, and which item is which.

A new version takes effect from a month on; earlier months keep theirs. An item keeps its id from
version to version: by its name, or by its number where the name is still close to it. An item that
is new gets a number that no version has used (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.checking.matching import CLOSE, folded, likeness
from ledger.recording import tables
from ledger.recording.codec import plan_from
from ledger.recording.moments import AsOf, known
from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import Plan, PlanItem


def effective_month(payload: Mapping[str, Any], year: int) -> Month:
    """The month from which a registered plan counts: the one stated, else the year's first."""
    stated = payload.get("effective_from")
    return Month.parse(stated) if stated else Month(year, 1)


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering a plan came to. `plan` is None where the file is no plan (F01–F05);
    `created` is False where this very file is the year's plan already. `effective` is the month
    that the plan counts from; `checked_again` the months and units whose submissions have other
    findings by it."""

    sha256: str
    plan: Plan | None
    findings: tuple[Finding, ...]
    created: bool
    effective: Month | None = None
    checked_again: tuple[tuple[Month, str], ...] = ()


def says_the_same(one: Plan, other: Plan) -> bool:
    """Whether two readings come from one plan workbook, and to the same items and discrepancies."""
    if one.sha256 != other.sha256:
        return False
    findings = [[found.at(file="") for found in plan.findings] for plan in (one, other)]
    return one.items == other.items and one.totals == other.totals and findings[0] == findings[1]


class Plans:
    """The plan versions known so far, with the month each takes effect from."""

    def __init__(self) -> None:
        self._versions: dict[int, list[tuple[Month, Plan]]] = {}

    @classmethod
    def load(cls, connection: Connection, as_of: AsOf = None) -> Plans:
        """All versions in the ledger, as of a moment."""
        plans, stored = cls(), tables.plan_versions
        query = sa.select(stored.c.plan, stored.c.effective_from).order_by(stored.c.year, stored.c.version)
        query = known(query, stored.c.registered_at, stored.c.event_seq, as_of)
        for line in connection.execute(query):
            plans.add(plan_from(line.plan), line.effective_from)
        return plans

    def add(self, plan: Plan, effective: Month) -> None:
        self._versions.setdefault(plan.year, []).append((effective, plan))

    @property
    def years(self) -> list[int]:
        return sorted(self._versions)

    def of_year(self, year: int) -> list[tuple[Month, Plan]]:
        """(month of effect, plan) of each version, in order."""
        return self._versions.get(year, [])

    def next_version(self, year: int) -> int:
        return max((plan.version for _, plan in self.of_year(year)), default=0) + 1

    def newest(self, year: int) -> tuple[Plan | None, Month | None]:
        """The newest version of a year and the month it counts from."""
        versions = self.of_year(year)
        return (versions[-1][1], versions[-1][0]) if versions else (None, None)

    def at(self, month: Month) -> Plan | None:
        """The plan in force for a month: the newest that took effect by then, else the first."""
        versions = self.of_year(month.year)
        in_force = [plan for effective, plan in versions if effective <= month]
        in_force = in_force or [plan for _, plan in versions[:1]]
        return in_force[-1] if in_force else None

    def before(self, month: Month) -> Plan | None:
        """The plan in force for the month before, of the same year."""
        return None if month.month == 1 else self.at(month.plus(-1))

    def identified(self, plan: Plan) -> Plan:
        """`plan` with the ids its items have in the versions before it."""
        return identified(plan, [earlier for _, earlier in self.of_year(plan.year)])


def identified(plan: Plan, earlier: Sequence[Plan]) -> Plan:
    """`plan` with each item under the id it has in the `earlier` versions of its year."""
    if not earlier:
        return plan
    ids: dict[str, str] = {}
    for table in dict.fromkeys(item.table for item in plan.items):
        ids |= _ids(plan.of_table(table), [one.of_table(table) for one in earlier])
    if all(old == new for old, new in ids.items()):
        return plan
    return replace(
        plan,
        items=tuple(_renamed(item, ids[item.item_id]) for item in plan.items),
        findings=tuple(found.at(item=ids.get(found.item or "", found.item)) for found in plan.findings),
    )


def _ids(items: Sequence[PlanItem], earlier: Sequence[Sequence[PlanItem]]) -> dict[str, str]:
    """The id of each item of a table, by the id its own version gives it."""
    newest = {item.item_id: item for version in earlier for item in version}
    known = list(newest.values())
    ids: dict[str, str] = {}
    taken: set[str] = set()

    def settle(item: PlanItem, found: PlanItem) -> None:
        ids[item.item_id] = found.item_id
        taken.add(found.item_id)

    for item in items:
        same = [one for one in known if folded(one.name) == folded(item.name) and one.item_id not in taken]
        alike = next((one for one in same if one.item_id == item.item_id), None)
        # names may repeat: the one under the same number first, else the only one
        if alike is not None or len(same) == 1:
            settle(item, alike or same[0])
    for item in items:
        numbered = newest.get(item.item_id)
        if item.item_id in ids or numbered is None or numbered.item_id in taken:
            continue
        if likeness(item.name, numbered.name) >= CLOSE:
            settle(item, numbered)
    last = max((int(one.item_id.rpartition("-")[2]) for one in (*known, *items)), default=0)
    for item in items:
        if item.item_id in ids:
            continue
        if item.item_id not in newest and item.item_id not in taken:
            ids[item.item_id] = item.item_id
        else:
            last += 1
            ids[item.item_id] = f"{item.item_id.rpartition('-')[0]}-{last:02d}"
        taken.add(ids[item.item_id])
    return ids


def _renamed(item: PlanItem, item_id: str) -> PlanItem:
    values = item.values
    if values.get("item_code") == item.item_id:
        values = {**values, "item_code": item_id}
    return replace(item, item_id=item_id, values=values)
