"""The month as a Prefect flow. Importing this loads Prefect; only flows/ may.

Tasks are thin wrappers: a step or a part gets its name, nothing else changes. A month in which
someone is missing ends Completed under the name `Degraded`, with who it is in the message; it is no
failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging.handlers import APILogWorker
from prefect.states import Completed

from flows import runners
from flows.monthly import MonthOutcome, Progress, Walk, the_month
from ledger.home import Home
from ledger.recording.fold import Tools
from ledger.settings import Settings
from schemas.month import Month

T = TypeVar("T")


class PrefectWalk(Walk):
    """Every step and every part is a task under its own name; files are read in batches."""

    def __init__(self, progress: Progress, batch_size: int) -> None:
        super().__init__(progress)
        self._tools = runners.batching(batch_size)

    @property
    def tools(self) -> Tools:
        return self._tools

    def run(self, name: str, work: Callable[[], T]) -> T:
        # a name is filled in like a template: braces in it are doubled
        shown = name.replace("{", "{{").replace("}", "}}")

        @task(name=name, task_run_name=shown, cache_policy=NO_CACHE, persist_result=False)
        def one() -> T:
            return work()

        return one()


def monthly_flow(home: Home, month: Month, progress: Progress) -> MonthOutcome:
    """Run the flow and hand its outcome on; what a step raises is raised here."""
    settings = Settings.load(home)
    outcomes: list[MonthOutcome] = []

    @flow(
        name="月报",
        flow_run_name=f"{month} 月报",
        task_runner=runners.task_runner(settings.runner),
        persist_result=False,
    )
    def monthly() -> State[None]:
        outcome = the_month(home, month, PrefectWalk(progress, settings.runner.batch_size))
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
