"""What one programme is served with: every flow as a deployment, on its schedule.

Importing this loads Prefect; only flows/ may. A schedule only says "look now" (flows/deployments.py);
its hours come from the home's settings, always of Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.deployments import catch_up, fetch, forms, remind, report, send
from flows.filled_in import ON_SCHEDULE
from flows.rollup_flow import rollup
from flows.schedule import reminders_at
from flows.signing import signing
from ledger.calendar import SHANGHAI
from ledger.home import Home
from ledger.registry import Registry
from ledger.settings import Settings

TIMEZONE = "Asia/Shanghai"


def served(name: str, home: Home) -> list[RunnerDeployment]:
    """The deployments of one programme. Raises UsageError where its settings can't be used."""
    schedule = Settings.load(home).schedule
    morning, later = schedule.at, reminders_at(schedule)
    units = [unit.name for unit in Registry.load(home).units]
    return [
        _deployment(
            forms, name, _cron(f"{morning.minute} {morning.hour} {schedule.forms_day}-31 * *"), units
        ),
        _deployment(report, name, _cron(f"{morning.minute} {morning.hour} * * *")),
        _deployment(remind, name, _cron(f"{later.minute} {later.hour} * * *")),
        _deployment(send, name),
        _deployment(fetch, name, _every(schedule.fetch_minutes)),
        _deployment(signing, name),
        _deployment(catch_up, name),
    ]


def consolidating(folder: Path) -> RunnerDeployment:
    """The roll-up of all programmes below `folder`; by hand."""
    return _deployment(rollup, folder.name)


def _cron(text: str) -> Schedule:
    return Cron(text, timezone=TIMEZONE, parameters={"month": ON_SCHEDULE})


def _every(minutes: int) -> Schedule:
    """Every so many minutes, counted from midnight of a day long past."""
    anchor = datetime(2018, 1, 1, tzinfo=SHANGHAI)
    return Interval(timedelta(minutes=minutes), anchor_date=anchor, timezone=TIMEZONE)


def _deployment(
    served_flow: Flow[..., Any], name: str, schedule: Schedule | None = None, units: Sequence[str] = ()
) -> RunnerDeployment:
    """A deployment of one programme, its units as the choices of the form. What is filled in is
    checked by the flow, which says in Chinese what is wrong; Prefect would say it in English."""
    made = RunnerDeployment.from_flow(
        served_flow,
        name=name,
        schedule=schedule,
        tags=[name],
        enforce_parameter_schema=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    form = made._parameter_openapi_schema.properties
    if "units" in form:
        form["units"]["items"] = {"type": "string", "enum": list(units)}
    return made
