"""`ledger status`: who has reported, when, late or not, what was returned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows import steps
from ledger.calendar import deadline, moment_text
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.recording.model import MonthView
from ledger.recording.ways import set_aside_for
from ledger.registry import Registry
from schemas.finding import Finding, Severity
from schemas.month import Month


def month_status(home: Home, month: Month, as_of: datetime | None) -> dict[str, Any]:
    """The month's units with their standing, as JSON-able values."""
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        ledger.catch_up()
        view = ledger.view(month, as_of)
        standing = steps.standing_of(view, registry, steps.edition_state(ledger, month, as_of))
        aside = set_aside_for(ledger, month, as_of)

    def text(moment: datetime | None) -> str | None:
        return None if moment is None else moment_text(moment)

    return {
        **steps.as_json(standing),
        "deadline": text(view.deadline and view.deadline.replace(microsecond=0)),
        "holidays_known": deadline(month, registry.deadline_day).holidays_known,
        "as_of": text(as_of),
        "units": [
            {
                "unit_code": unit.unit_code,
                "unit_name": registry.names[unit.unit_code],
                "state": unit.state,
                "owes": list(unit.owes),
                "reported_tables": list(unit.reported_tables),
                "first_received_at": text(unit.first_received_at),
                "first_accepted_at": text(unit.first_accepted_at),
                "timely": unit.timely,
                "days_late": unit.days_late,
                "versions": dict(unit.versions),
                "errors_count": unit.errors_count,
                "warnings_count": unit.warnings_count,
                **_answers(view, unit.unit_code),
            }
            for unit in view.standings
        ],
        "set_aside": aside,
        "findings": [
            {"unit_code": row.unit_code, "table": row.finding.table, **row.finding.as_json()}
            for row in view.findings
            if row.open
        ],
    }


def _answers(view: MonthView, unit_code: str) -> dict[str, Any]:
    """What the unit's newest files mended of what was found in its earlier ones, what remains."""
    mended: dict[tuple[str | None, ...], Finding] = {}
    remaining: dict[tuple[str | None, ...], Finding] = {}
    for row in view.findings:
        if row.unit_code != unit_code or row.finding.severity is Severity.INFO:
            continue
        found = row.finding
        key = (found.rule, found.table, found.item, found.column)
        (remaining if row.open else mended)[key] = found
    return {
        "mended": [found.message for key, found in mended.items() if key not in remaining],
        "remaining": [found.message for found in remaining.values()],
    }
