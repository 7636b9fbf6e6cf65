"""A month as the ledger has it at a moment: rows, submissions, findings, corrections, standings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from ledger.calendar import SHANGHAI, deadline
from ledger.checking.model import Verdict
from ledger.recording import tables
from ledger.recording.checks import Recorded, recorded
from ledger.recording.codec import decode_value, plan_from
from ledger.recording.issued import editions_between
from ledger.recording.model import (
    CellSource,
    Correction,
    FindingRow,
    ItemRow,
    MonthView,
    SubmissionRow,
    UnitStanding,
)
from ledger.recording.moments import AsOf, known, moment_of
from ledger.recording.standing import (
    Chains,
    StandingRow,
    latest_plan_line,
    load_chains,
    load_rows,
    row_values,
    standing_rows,
    year_start,
)
from ledger.registry import TOWNSHIP, Registry
from schemas.finding import Finding, Severity
from schemas.month import Month
from schemas.plan import Plan, Value
from schemas.tables import TABLES


def month_view(connection: Connection, registry: Registry, month: Month, as_of: AsOf = None) -> MonthView:
    """The month's view. Raises LookupError where the year has no plan."""
    line = latest_plan_line(connection, month.year, as_of, month)
    if line is None:
        raise LookupError(f"no plan for {month.year}")
    plan = plan_from(line.plan)
    chains = load_chains(connection, year_start(month), month, as_of=as_of)
    due = deadline(month, registry.deadline_day).moment
    sent = submission_rows(connection, registry, month, as_of)
    found = finding_rows(connection, registry, month, as_of)
    editions = editions_between(connection, month, Month(month.year, 12), as_of)
    return MonthView(
        month=month,
        as_of=moment_of(as_of),
        plan=plan,
        rows={key: item_rows(connection, plan, month, key, chains) for key in TABLES},
        submissions=sent,
        findings=found,
        corrections=correction_rows(connection, plan, month, as_of),
        standings=tuple(_standings(registry, plan, month, chains, sent, found, due)),
        deadline=due,
        editions=tuple(each for each in editions if each.month == month),
        later_editions=tuple(each for each in editions if each.month != month),
        later_months=_later_months(connection, month, as_of),
    )


def _later_months(connection: Connection, month: Month, as_of: AsOf) -> tuple[Month, ...]:
    """The year's months after `month` that anything was sent for, in order."""
    sent = tables.submissions
    later = sa.select(sent.c.month).where(sent.c.month > month, sent.c.month <= Month(month.year, 12))
    query = known(later.distinct(), sent.c.received_at, sent.c.submission_id, as_of)
    return tuple(sorted(connection.scalars(query)))


# --- items


def item_rows(
    connection: Connection, plan: Plan, month: Month, key: str, chains: Chains
) -> tuple[ItemRow, ...]:
    """Every planned item of a table that has figures, in item order."""
    standing = standing_rows(connection, plan, month, key, chains)
    return tuple(
        _item_row(key, month, standing[item.item_id])
        for item in plan.of_table(key)
        if item.item_id in standing
    )


def version_rows(connection: Connection, plan: Plan, month: Month, key: str, as_of: AsOf) -> list[ItemRow]:
    """Every row of every version of the month, in item, unit and version order; none carried."""
    chains = load_chains(connection, month, month, as_of=as_of)
    order = {item.item_id: place for place, item in enumerate(plan.of_table(key))}
    stored = [row for row in load_rows(connection, key, month, month) if chains.knows(key, row)]
    stored.sort(
        key=lambda row: (
            order.get(row["item_id"], len(order)),
            row["item_id"],
            row["unit_code"],
            row["version"],
        )
    )
    return [_item_row(key, month, StandingRow(row, carried_forward=False)) for row in stored]


def is_of_the_month(key: str, name: str) -> bool:
    """Whether a column is about the month alone, so that it is never carried forward."""
    column = TABLES[key].by_field[name]
    return bool(column.cumulative_of) or name == "month_progress"


def _item_row(key: str, month: Month, standing: StandingRow) -> ItemRow:
    stored = standing.stored
    values: dict[str, Value] = row_values(key, stored)
    if standing.carried_forward:
        values = {name: None if is_of_the_month(key, name) else value for name, value in values.items()}
    return ItemRow(
        month=month,
        reported_month=stored["month"],
        table=key,
        unit_code=stored["unit_code"],
        item_id=stored["item_id"],
        values=values,
        sources=_sources(stored["provenance"]),
        version=stored["version"],
        source_sha256=stored["sha256"],
        source_file=stored["file_name"],
        source_sheet=stored["source_sheet"],
        source_row=stored["source_row"],
        received_at=stored["received_at"],
        carried_forward=standing.carried_forward,
    )


def _sources(text: str) -> dict[str, CellSource]:
    return {
        name: CellSource(cell, raw, tuple(steps)) for name, (cell, raw, steps) in json.loads(text).items()
    }


# --- submissions


def _sent_lines(connection: Connection, month: Month, as_of: AsOf) -> Sequence[RowMapping]:
    """The month's submissions that are not mere repetitions, with their tables, in order."""
    sent, parts = tables.submissions, tables.submission_tables
    query = (
        sa.select(
            sent,
            parts.c.table_key,
            parts.c.verdict.label("table_verdict"),
            parts.c.version,
            parts.c.nil_report,
        )
        .outerjoin(parts, parts.c.submission_id == sent.c.submission_id)
        .where(sent.c.month == month, sent.c.repeated.is_(False))
        .order_by(sent.c.submission_id)
    )
    query = known(query, sent.c.received_at, sent.c.submission_id, as_of)
    return connection.execute(query).mappings().all()


def submission_rows(
    connection: Connection, registry: Registry, month: Month, as_of: AsOf
) -> tuple[SubmissionRow, ...]:
    """One line per (file, table), in unit and table order, then as received."""
    lines = _sent_lines(connection, month, as_of)
    chains = load_chains(connection, month, month, as_of=as_of)
    hashes = {line["submission_id"]: line["sha256"] for line in lines}
    due = deadline(month, registry.deadline_day).moment
    first: dict[tuple[str, str], datetime] = {}
    accepted: dict[tuple[str, str], datetime] = {}
    accepted_of_unit: dict[str, datetime] = {}
    for line in lines:
        scope, moment = (line["unit_code"], line["table_key"] or ""), line["received_at"]
        first[scope] = min(first.get(scope, moment), moment)
        if line["version"] is not None:
            accepted[scope] = min(accepted.get(scope, moment), moment)
            accepted_of_unit[scope[0]] = min(accepted_of_unit.get(scope[0], moment), moment)
    timely = {unit: moment <= due for unit, moment in accepted_of_unit.items()}
    rows = []
    for line in lines:
        unit, key = line["unit_code"], line["table_key"] or ""
        chain = chains.of(month, unit, key)
        later = [hashes[v.submission_id] for v in chain if v.version == (line["version"] or 0) + 1]
        rows.append(
            SubmissionRow(
                submission_id=line["submission_id"],
                month=month,
                unit_code=unit,
                table=key,
                sha256=line["sha256"],
                file_name=line["file_name"],
                received_at=line["received_at"],
                first_received_at=first[unit, key],
                first_accepted_at=accepted.get((unit, key)),
                verdict=line["table_verdict"] or line["verdict"],
                timely=timely.get(unit) if unit else None,
                version=line["version"],
                superseded_by=later[0] if later and line["version"] else "",
                nil_report=bool(line["nil_report"]),
            )
        )
    keys = list(TABLES)
    rows.sort(
        key=lambda row: (
            unit_place(registry, row.unit_code),
            row.unit_code,
            keys.index(row.table) if row.table in keys else len(keys),
            row.submission_id,
        )
    )
    return tuple(rows)


def unit_place(registry: Registry, unit: str) -> int:
    """A unit's place in the registry; unknown ones stand at the end."""
    return registry.order.get(unit, len(registry.order))


# --- findings


def finding_rows(
    connection: Connection, registry: Registry, month: Month, as_of: AsOf
) -> tuple[FindingRow, ...]:
    """The month's findings, in unit order, then as received, in the order of mending.

    Open is what the latest submission of the same scope leaves: of the same unit and table where
    the finding is about a table, else of the same unit. A file whose unit nobody can tell stays
    open until a file of its name comes again.
    """
    sent = tables.submissions
    query = sa.select(sent).where(sent.c.month == month).order_by(sent.c.submission_id)
    query = known(query, sent.c.received_at, sent.c.submission_id, as_of)
    lines = connection.execute(query).mappings().all()
    found = recorded(connection, [line["submission_id"] for line in lines], as_of)
    by_line = [(line, found.get(line["submission_id"], [])) for line in lines]
    latest = _latest(_sent_lines(connection, month, as_of), by_line)
    rows = [
        FindingRow(
            month=month,
            unit_code=line["unit_code"],
            finding=one.finding,
            source_sha256=line["sha256"],
            received_at=line["received_at"],
            open=one.current and _is_open(line, one.finding, latest),
            submission_id=line["submission_id"],
        )
        for line, found_here in by_line
        for one in found_here
    ]
    rows.sort(key=lambda row: (unit_place(registry, row.unit_code), row.unit_code, row.submission_id))
    return tuple(rows)


def _latest(
    sent: Iterable[RowMapping], found: Iterable[tuple[RowMapping, list[Recorded]]]
) -> dict[tuple[str, str], int]:
    """The latest submission by (unit, table) and, under ('name:' + file name), by name."""
    latest: dict[tuple[str, str], int] = {}
    for line in sent:
        number = line["submission_id"]
        for scope in (
            (line["unit_code"], ""),
            (line["unit_code"], line["table_key"] or ""),
            ("name:" + line["file_name"], ""),
        ):
            latest[scope] = max(latest.get(scope, 0), number)
    for line, found_here in found:
        for one in found_here:
            if one.finding.table and not line["repeated"]:
                scope = (line["unit_code"], one.finding.table)
                latest[scope] = max(latest.get(scope, 0), line["submission_id"])
    return latest


def _is_open(line: RowMapping, found: Finding, latest: Mapping[tuple[str, str], int]) -> bool:
    unit = line["unit_code"]
    scope = (unit, found.table or "") if unit else ("name:" + line["file_name"], "")
    return bool(line["submission_id"] >= latest.get(scope, 0))


# --- corrections


def correction_rows(
    connection: Connection, plan: Plan | None, month: Month, as_of: AsOf
) -> tuple[Correction, ...]:
    """Accepted figures of the month changed by a later submission, in item order, then in time."""
    made, sent = tables.corrections, tables.submissions
    query = (
        sa.select(made, sent.c.received_at)
        .join(sent, sent.c.submission_id == made.c.submission_id)
        .where(made.c.month == month)
        .order_by(made.c.submission_id, made.c.place)
    )
    query = known(query, sent.c.received_at, sent.c.submission_id, as_of)
    order = {item.item_id: place for place, item in enumerate(plan.items)} if plan else {}
    lines = sorted(
        connection.execute(query).mappings(),
        key=lambda line: (order.get(line["item_id"], len(order)), line["submission_id"]),
    )
    return tuple(
        Correction(
            month=month,
            item_id=line["item_id"],
            field=line["field"],
            old=decode_value(line["old"]),
            new=decode_value(line["new"]),
            unit_code=line["unit_code"],
            received_at=line["received_at"],
            reason=line["reason"],
            submission_id=line["submission_id"],
        )
        for line in lines
    )


# --- standings


def _standings(
    registry: Registry,
    plan: Plan,
    month: Month,
    chains: Chains,
    sent: Sequence[SubmissionRow],
    found: Sequence[FindingRow],
    due: datetime,
) -> Iterable[UnitStanding]:
    owed = {(item.unit_code, item.table) for item in plan.items}
    lines_of: dict[str, list[SubmissionRow]] = {}
    for line in sent:
        lines_of.setdefault(line.unit_code, []).append(line)
    open_of: dict[str, list[Severity]] = {}
    for row in found:
        if row.open:
            open_of.setdefault(row.unit_code, []).append(row.finding.severity)
    for unit in registry.units:
        owes = tuple(key for key in TABLES if (unit.code, key) in owed)
        if not owes and unit.kind != TOWNSHIP:
            continue
        lines = lines_of.get(unit.code, [])
        accepted = min((line.received_at for line in lines if line.version is not None), default=None)
        open_ones = open_of.get(unit.code, [])
        versions = {
            key: current.version
            for key in TABLES
            if (current := chains.current(month, unit.code, key)) is not None
        }
        yield UnitStanding(
            unit_code=unit.code,
            state=_state(lines, owes, versions),
            owes=owes,
            reported_tables=tuple(versions),
            first_received_at=min((line.received_at for line in lines), default=None),
            first_accepted_at=accepted,
            timely=None if accepted is None else accepted <= due,
            days_late=None if accepted is None else _days_late(accepted, due),
            versions=versions,
            errors_count=open_ones.count(Severity.ERROR),
            warnings_count=open_ones.count(Severity.WARNING),
        )


def _state(lines: Sequence[SubmissionRow], owes: Sequence[str], versions: Mapping[str, int]) -> str:
    if not lines:
        return "missing"
    if not versions:
        return "returned"
    newest = max(line.submission_id for line in lines)
    # a file without a table (F01–F05) is answered by whatever the unit sends after it
    latest = {line.table: line for line in lines if line.table or line.submission_id == newest}
    verdicts = [line.verdict for line in latest.values()]
    if any(verdict != Verdict.ACCEPTED for verdict in verdicts) or any(key not in versions for key in owes):
        return "in_part"
    return "nil" if all(line.nil_report for line in latest.values()) else "accepted"


def _days_late(accepted: datetime, due: datetime) -> int:
    if accepted <= due:
        return 0
    late = accepted.astimezone(SHANGHAI).date() - due.date()
    return max(1, late // timedelta(days=1))
