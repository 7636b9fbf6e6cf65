"""One programme's month for the roll-up, from its ledger, read and never written.

The figures are those of the programme's own report: the same lines, the same sums.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from ledger.errors import LedgerError, disk_problem
from ledger.home import Home
from ledger.recording.cursor import load_cursor
from ledger.recording.editions import standing
from ledger.recording.ledger import Ledger
from ledger.recording.model import MonthView
from ledger.registry import Registry
from ledger.reporting.front import count_rates, red_list
from ledger.reporting.model import IndicatorLine, NeedLine, ProjectLine
from ledger.reporting.needs import indicator_lines, need_lines, signed_count
from ledger.reporting.projects import active, count_lights, project_lines
from ledger.reporting.rates import time_progress, together, total, total_number
from ledger.reporting.rollup_model import Programme, Source, Unread, Value, totals_of
from schemas.month import Month

_LOG = logging.getLogger(__name__)
_FULL = Decimal(100)
_RETURNED = ("returned", "in_part")
_MOST_RED = 3


def read_programme(home: Home, root: Path, month: Month) -> Programme | Unread:
    """A home's month as it stands, its ledger opened read-only; why not, where it can't be read.

    What its journal holds and its ledger does not is applied in memory. `root` is the folder that
    the homes lie below. Never raises for what is wrong with a home.
    """
    try:
        registry = own_registry(home)
    except Exception as error:  # noqa: BLE001  one home must not hide the others
        return unread(home, root, None, reason_of(error, home, root))
    try:
        with Ledger.open(home, registry, readonly=True) as ledger:
            return programme_of(ledger, root, month)
    except Exception as error:  # noqa: BLE001  one home must not hide the others
        return unread(home, root, registry, reason_of(error, home, root))


def own_registry(home: Home) -> Registry:
    """The home's own registry. Raises LedgerError where it has none: the sample's is not its own."""
    if home.registry != home.own_registry:
        raise LedgerError("没有登记资料（data/raw/registry/programme.toml），请补上后再汇总。")
    return Registry.load(home)


def unread(home: Home, root: Path, registry: Registry | None, reason: str) -> Unread:
    """A home that can't be counted."""
    province, prefecture = registry.place if registry else ("", "")
    county = str(registry.programme.get("county", "")) if registry else ""
    return Unread(folder_of(home, root), county or home.root.name, province, prefecture, reason)


def folder_of(home: Home, root: Path) -> str:
    """The home's folder relative to the homes' folder."""
    return home.root.relative_to(root.resolve()).as_posix()


def reason_of(error: Exception, home: Home, root: Path) -> str:
    """Why a home can't be read, for people; what nobody foresaw is logged with its traceback."""
    if isinstance(error, OSError):
        error = disk_problem(error) or error
    if isinstance(error, LedgerError):
        return error.message
    _LOG.error("home %s can't be read", folder_of(home, root), exc_info=error)
    return f"程序内部出错（{type(error).__name__}），请把日志发给维护人员。"


def programme_of(ledger: Ledger, root: Path, month: Month) -> Programme:
    """The programme's month from its open ledger. Raises UsageError where the year has no plan."""
    registry, home = ledger.registry, ledger.home
    view = ledger.view(month)
    where = standing(ledger, month)
    projects = project_lines(view, None, registry)
    edition = where.last.number if where.last else None
    draft = where.last is None or where.due
    province, prefecture = registry.place
    names = registry.names
    accepted = any(unit.versions for unit in view.standings)
    county = str(registry.programme.get("county", "")) or home.root.name
    report = home.reports(month) / f"月报-{month}-{'草稿' if draft else f'第{edition}版'}.pdf"
    return Programme(
        folder=folder_of(home, root),
        name=str(registry.programme.get("name", "")),
        county=county,
        province=province,
        prefecture=prefecture,
        totals=totals_of(
            {
                **_units(view),
                **_projects(projects),
                **_needs(need_lines(view, None, registry)),
                **_indicators(indicator_lines(view, None, registry)),
            },
            reported=accepted,
        ),
        source=Source(
            edition=edition,
            draft=draft,
            received_at=max((row.received_at for row in view.submissions), default=None),
            plan_version=view.plan.version,
            events=load_cursor(ledger.engine).seq,
            report=report.relative_to(home.root).as_posix() if report.is_file() else "",
        ),
        missing=tuple(names[u.unit_code] for u in view.standings if u.state == "missing"),
        returned=tuple(names[u.unit_code] for u in view.standings if u.state in _RETURNED),
        red=tuple(projects[place].name for place in red_list(projects)[:_MOST_RED]),
        time_progress=time_progress(month, view.plan.year),
        sample=bool(registry.programme.get("sample", False)),
    )


def _units(view: MonthView) -> dict[str, Value]:
    states = [unit.state for unit in view.standings]
    return {
        "units": len(view.standings),
        "units_reported": sum(1 for unit in view.standings if unit.versions),
        "units_timely": sum(1 for unit in view.standings if unit.timely),
        "units_missing": states.count("missing"),
        "units_returned": sum(states.count(state) for state in _RETURNED),
        "errors": sum(unit.errors_count for unit in view.standings),
        "warnings": sum(unit.warnings_count for unit in view.standings),
    }


def _projects(lines: Sequence[ProjectLine]) -> dict[str, Value]:
    going = active(lines)
    rates = count_rates(lines, [line.status for line in lines])
    lights = count_lights(lines)
    known = [line.progress for line in going if line.progress is not None]
    fiscal, own = together(line.fiscal for line in lines), together(line.own for line in lines)
    return {
        "projects": len(lines),
        "projects_going": len(going),
        "projects_started": rates["started"].numerator,
        "projects_finished": rates["finished"].numerator,
        "projects_accepted": rates["accepted"].numerator,
        "projects_unreported": sum(1 for line in lines if line.reported_month is None),
        "red": lights.red,
        "yellow": lights.yellow,
        "green": lights.green,
        "judged": lights.red + lights.yellow + lights.green,
        "progress_sum": sum(known, Decimal(0)) if known else None,
        "progress_projects": len(known),
        "fiscal_planned": fiscal.planned,
        "fiscal_received": fiscal.received,
        "fiscal_paid": fiscal.paid,
        "self_planned": own.planned,
        "self_received": own.received,
        "self_paid": own.paid,
        "poor_households": total_number(line.households for line in lines),
        "poor_persons": total_number(line.persons for line in lines),
    }


def _needs(lines: Sequence[NeedLine]) -> dict[str, Value]:
    return {
        "needs": len(lines),
        "needs_signed": signed_count(lines),
        "needs_planned": total(line.funds_total for line in lines),
        "signed_amount": total(line.signed for line in lines),
        "enterprise_received": total(line.enterprise_received for line in lines),
    }


def _indicators(lines: Sequence[IndicatorLine]) -> dict[str, Value]:
    return {
        "indicators": len(lines),
        "indicators_met": sum(1 for line in lines if line.rate is not None and line.rate >= _FULL),
        "indicators_behind": sum(1 for line in lines if line.on_time is False),
        "indicators_unreported": sum(1 for line in lines if line.reported_month is None),
    }
