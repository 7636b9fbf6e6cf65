"""The month as a Prefect flow. Importing this loads Prefect; only flows/ may.

Tasks are thin wrappers: a step gets its name, nothing else changes. A month in which someone is
missing ends Completed under the name `Degraded`, with who it is in the message; it is no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging.handlers import APILogWorker
from prefect.states import Completed

from flows.monthly import MonthOutcome, Progress, the_month
from ledger.home import Home
from schemas.month import Month

T = TypeVar("T")


def monthly_flow(home: Home, month: Month, progress: Progress) -> MonthOutcome:
    """Run the flow and hand its outcome on; what a step raises is raised here."""
    outcomes: list[MonthOutcome] = []

    def as_task(name: str, work: Callable[[Home, Month], T], home: Home, month: Month) -> T:
        progress(name)

        @task(name=name, cache_policy=NO_CACHE, persist_result=False)
        def run_step() -> T:
            return work(home, month)

        return run_step()

    @flow(name="月报", flow_run_name=f"{month} 月报", persist_result=False)
    def monthly() -> State[None]:
        outcome = the_month(home, month, as_task)
        outcomes.append(outcome)
        return Completed(
            name=outcome.state, message="；".join(filter(None, (outcome.message, outcome.due_message)))
        )

    try:
        monthly()
    finally:
        # what is still to be sent must reach the server before it is stopped
        APILogWorker.drain_all(timeout=5)
    return outcomes[0]
