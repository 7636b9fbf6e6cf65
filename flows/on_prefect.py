"""The month as a Prefect flow. Importing this loads Prefect; only flows/ may.

Tasks are thin wrappers: a step or a part gets its name, nothing else changes. A month in which
someone is missing ends Completed under the name `Degraded`, with who it is in the message; it is no
failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging.handlers import APILogWorker
from prefect.states import Completed

from flows import artifacts, runners, signing
from flows.monthly import STEPS, MonthOutcome, Progress, Walk, the_month
from flows.status import month_status
from ledger.home import Home
from ledger.recording.tools import Tools
from ledger.settings import Settings
from schemas.month import Month

T = TypeVar("T")


class PrefectWalk(Walk):
    """Every step and every part is a task under its own name; files are read in batches.

    Parts are never tasks within a task: with one that fails Prefect would call its sisters rolled
    back. A progress artifact follows the steps.
    """

    def __init__(self, home: Home, month: Month, progress: Progress, batch_size: int) -> None:
        super().__init__(progress)
        self._tools = runners.batching(batch_size)
        self._key = artifacts.key_of(home, month, "progress")
        self._title = f"{month} 月报"
        self._artifact: UUID | None = None
        self._begun = 0

    @property
    def tools(self) -> Tools:
        return self._tools

    def begin(self, name: str) -> None:
        super().begin(name)
        self.show_progress(name)
        self._begun += 1

    def show_progress(self, name: str) -> None:
        """Say in the UI which step is under way and how many are done."""
        percent, words = 100 * self._begun / STEPS, f"{self._title}：{name}"

        def show() -> None:
            if self._artifact is None:
                made = create_progress_artifact(percent, key=self._key, description=words)
                self._artifact = cast(UUID, made)  # called without a running loop
            else:
                update_progress_artifact(self._artifact, percent, description=words)

        _shown(show)

    def run(self, name: str, work: Callable[[], T]) -> T:
        # a name is filled in like a template: braces in it are doubled
        shown = name.replace("{", "{{").replace("}", "}}")

        here = runners.Kept(work=work)  # batches read on a Dask worker are told which task they are of

        @task(name=name, task_run_name=shown, cache_policy=NO_CACHE, persist_result=False)
        def one() -> T:
            result: T = here.work()
            return result

        return one()


def monthly_flow(home: Home, month: Month, progress: Progress) -> MonthOutcome:
    """Run the flow and hand its outcome on; what a step raises is raised here."""
    runner = Settings.load(home).runner
    here = runners.Kept(progress=progress, outcomes=[])

    @flow(
        name="月报",
        flow_run_name=f"{month} 月报",
        task_runner=runners.task_runner(runner),
        persist_result=False,
    )
    def monthly() -> State[None]:
        walk = PrefectWalk(home, month, here.progress, runner.batch_size)
        outcome = the_month(home, month, walk)
        here.outcomes.append(outcome)
        walk.show_progress("完成")
        _shown(lambda: artifacts.show(home, month, month_status(home, month, None), outcome.reports))
        _shown(lambda: signing.keep_one(home, month))
        return Completed(
            name=outcome.state, message="；".join(filter(None, (outcome.message, outcome.due_message)))
        )

    try:
        monthly()
    finally:
        # what is still to be sent must reach the server before it is stopped
        APILogWorker.drain_all(timeout=5)
    outcome: MonthOutcome = here.outcomes[0]
    return outcome


def _shown(work: Callable[[], object]) -> None:
    """Do what is for the UI alone. The month is done without it: what goes wrong is logged."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  whatever it is, the month stands
        get_run_logger().warning("not shown in the UI: %s", type(error).__name__)
