"""What a submission is checked against: the plan, the earlier months, what stands now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy.engine import Connection, RowMapping

from ledger.checking.model import Context, History
from ledger.recording.standing import (
    Chains,
    load_chains,
    load_returned,
    load_rows,
    row_values,
    year_start,
)
from ledger.registry import Registry
from schemas.month import Month
from schemas.plan import Plan, Value
from schemas.tables import TABLES


def load_history(
    connection: Connection, plan: Plan, month: Month, units: Collection[str], before: Plan | None = None
) -> History:
    """The accepted figures of the items of `units` before `month`, and what stands in it.

    `before` is the plan in force in the month before: an item it lacks has no figures to continue.
    """
    items = {item.item_id for unit in units for item in plan.of_unit(unit)}
    rows_of = {key: load_rows(connection, key, year_start(month), month, items=items) for key in TABLES}
    reporting = {stored["unit_code"] for found in rows_of.values() for stored in found}
    chains = load_chains(connection, year_start(month), month, units=reporting | set(units))
    newest: dict[tuple[str, Month], RowMapping] = {}
    tables_of: dict[tuple[str, Month], str] = {}
    current: dict[tuple[str, str], dict[str, dict[str, Value]]] = {}
    for at, unit, key in chains.scopes:
        if at == month and unit in units:
            current[unit, key] = {}
    standing = _standing(connection, rows_of, chains, month)
    for key, found in rows_of.items():
        for stored in found:
            if stored["month"] == month:
                if stored["unit_code"] in units and chains.is_current(key, stored):
                    current[stored["unit_code"], key][stored["item_id"]] = row_values(key, stored)
                continue
            if not standing(key, stored):
                continue
            place = (stored["item_id"], stored["month"])
            other = newest.get(place)
            if other is None or other["submission_id"] < stored["submission_id"]:
                newest[place], tables_of[place] = stored, key
    rows: dict[str, dict[Month, dict[str, Value]]] = {}
    for (item, at), stored in newest.items():
        rows.setdefault(item, {})[at] = row_values(tables_of[item, at], stored)
    return History(
        rows=rows,
        reported=frozenset((unit, key, at) for at, unit, key in chains.scopes if at < month),
        current=current,
        added=_added(plan, before),
    )


def _standing(
    connection: Connection, rows_of: Mapping[str, Sequence[RowMapping]], chains: Chains, month: Month
) -> Callable[[str, RowMapping], bool]:
    """Tells whether a stored row of an earlier month stands: it is of the current version, or
    every version since returned its item."""
    replaced = {
        stored["unit_code"]
        for key, found in rows_of.items()
        for stored in found
        if stored["month"] < month and not chains.is_current(key, stored)
    }
    returned = load_returned(connection, year_start(month), month.plus(-1), replaced) if replaced else set()

    def stands(key: str, stored: RowMapping) -> bool:
        at, unit, item = stored["month"], stored["unit_code"], stored["item_id"]
        since = [v.version for v in chains.of(at, unit, key) if v.version > stored["version"]]
        return all((at, unit, key, version, item) in returned for version in since)

    return stands


def _added(plan: Plan, before: Plan | None) -> frozenset[str]:
    if before is None or before is plan:
        return frozenset()
    return frozenset(plan.by_id.keys() - before.by_id.keys())


def make_context(
    plan: Plan | None, history: History, registry: Registry, received_before: frozenset[str] = frozenset()
) -> Context:
    return Context(
        plan=plan,
        history=history,
        first_month=registry.first_month,
        unit_names=registry.names,
        received_before=received_before,
        unit_of=registry.find_unit,
    )
