"""What a submission is checked against: the plan, the earlier months, what stands now."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.engine import Connection, RowMapping

from ledger.checking.model import Context, History
from ledger.recording.standing import load_chains, load_rows, row_values, year_start
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
    for key, found in rows_of.items():
        for stored in found:
            if not chains.is_current(key, stored):
                continue
            if stored["month"] == month:
                if stored["unit_code"] in units:
                    current[stored["unit_code"], key][stored["item_id"]] = row_values(key, stored)
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
    )
