"""The roll-up as a Prefect flow: a task a batch, on the task runner of the settings.

Importing this loads Prefect; only flows/ may. On threads a task hands its batch to a spawned
process, since reading and checking are computing; on a Dask cluster the worker is that process.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from prefect import State, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.logging.handlers import APILogWorker
from prefect.states import Completed
from pydantic import Field

from flows import batches, filled_in, programmes
from flows.batches import Batch, HomeDone
from flows.deployments import LastMonth, Told, guarded, run_name
from flows.rollup import Progress, RolledUp, finish, own_place
from flows.runners import Kept, task_runner
from ledger import calendar
from ledger.home import Home
from ledger.recording.month_lock import hold_month
from ledger.settings import Settings
from schemas.month import Month
from schemas.rollup import Level

_pool: ProcessPoolExecutor | None = None


def _work(batch: Batch, first: int, last: int) -> list[HomeDone]:
    """Some homes' month. `first` and `last` are for people."""
    if _pool is None:
        return batches.work(batch)
    return _pool.submit(batches.work, batch).result()


#: Made of a function with another name, so that a Dask worker finds the function by its own.
work_batch = task(
    name="一批县", task_run_name="第 {first}–{last} 个县", cache_policy=NO_CACHE, persist_result=False
)(_work)


def rollup_flow(
    root: Path,
    month: Month,
    out: Path | None = None,
    *,
    run: bool = False,
    levels: Collection[Level] = (),
    progress: Progress = lambda _: None,
) -> RolledUp:
    """Run the flow and hand its outcome on; the caller holds the month of `root`. Raises as
    `flows.rollup.roll_up` does."""
    global _pool  # noqa: PLW0603  a task's function can't be handed what can't be pickled
    settings = Settings.load(Home(root)).runner
    here = Kept(progress=progress, settings=settings, outcomes=[])

    @flow(
        name="汇总",
        flow_run_name=f"{month} 汇总",
        task_runner=task_runner(settings),
        persist_result=False,
    )
    def consolidate() -> State[None]:
        homes = batches.find_homes(root)
        given = batches.cut(homes, root, month, here.settings.batch_size, run=run)
        futures, first = [], 1
        for batch in given:
            last = first + len(batch.homes) - 1
            futures.append(work_batch.submit(batch, first, last))
            first = last + 1
        finished = 0
        for future in as_completed(futures):
            finished += len(future.result())
            here.progress(f"{'跑' if run else '读'} {finished}/{len(homes)} 个县")
        done = [one for future in futures for one in future.result()]
        outcome = finish(root, month, done, out, levels=levels, progress=here.progress)
        here.outcomes.append(outcome)
        return Completed(name=outcome.state, message=outcome.message)

    try:
        with batches.workers(settings.workers) if settings.kind == "threads" else nullcontext() as _pool:
            consolidate()
    finally:
        _pool = None
        # what is still to be sent must reach the server before it is stopped
        APILogWorker.drain_all(timeout=5)
    outcome: RolledUp = here.outcomes[0]
    return outcome


Run = Annotated[
    bool,
    Field(json_schema_extra={"title": "先跑各县", "description": "先把各县本月新到的报表收件、核对、入账。"}),
]


@flow(name="各县汇总", flow_run_name=run_name, persist_result=False, validate_parameters=False)
def rollup(month: LastMonth = "", run: Run = False) -> State[None]:
    """把各县的月报汇总到市州、省、全国，写在各县所在文件夹的 reports 里。"""

    def work(place: Home) -> Told:
        chosen = filled_in.month(month) or Month.of(calendar.now().date()).plus(-1)
        wished = filled_in.switch("先跑各县", run)
        with hold_month(place, chosen):
            outcome = rollup_flow(
                programmes.served_folder(), chosen, run=wished, progress=get_run_logger().debug
            )
        return outcome.state, f"{chosen.chinese}：{outcome.message}"

    return guarded("rollup", work, lambda: own_place(programmes.served_folder()))
