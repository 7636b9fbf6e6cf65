"""`ledger serve`: the home's Prefect server with its UI, and the monthly flow on its schedule.

The flow looks every morning, Asia/Shanghai: on the day after the deadline it runs the month that
was due; on later days only where something new has arrived since. The month comes from the run's
scheduled time, so that a run that starts late still does the month it was meant for.
"""

from __future__ import annotations

from datetime import datetime

from flows.server import prefect_server
from ledger.calendar import SHANGHAI, deadline
from ledger.home import Home
from ledger.registry import Registry
from schemas.month import Month

PORT = 4200
EVERY_MORNING = "0 8 * * *"


def due_month(moment: datetime, registry: Registry) -> Month | None:
    """The month whose deadline has passed at `moment`: last month, or None before its day after."""
    day = moment.astimezone(SHANGHAI).date()
    month = Month.of(day).plus(-1)
    if month < registry.first_month or day <= deadline(month, registry.deadline_day).day:
        return None
    return month


def serve(home: Home, port: int = PORT) -> None:
    """Serve until interrupted. The server is started on `port` where none runs for this home."""
    with prefect_server(home, port=port):
        from prefect import flow
        from prefect.runtime import flow_run
        from prefect.schedules import Cron

        from flows.on_prefect import monthly_flow

        @flow(name="每月报告")
        def every_morning(month: str | None = None) -> str:
            """month：所报月份，如 2018-09；不填时为截止日已过的上一个月。"""
            scheduled = flow_run.scheduled_start_time
            chosen = Month.parse(month) if month else due_month(scheduled, Registry.load(home))
            if chosen is None:
                return "未到截止日"
            return monthly_flow(home, chosen, progress=lambda _: None).message

        every_morning.serve(
            name=home.root.name,
            schedule=Cron(EVERY_MORNING, timezone="Asia/Shanghai"),
            pause_on_shutdown=False,
            print_starting_message=False,
        )
