"""Where batches of work run: threads of this process, or a Dask cluster, by the settings.

Importing this loads Prefect; only flows/ may. Reading is cut into batches, each a task on the flow's
task runner; what was read goes to the ledger's fold in the order it came, so that recording is the
same whoever read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from ledger.checking.model import Checked, Context
from ledger.reading.model import ReadJob, Submission
from ledger.recording.tools import Tools
from ledger.registry import Registry
from ledger.settings import Runner
from schemas.finding import Finding
from schemas.plan import Plan


class Kept:
    """What a flow's function holds that stays in this process: a progress bar, a list to hand
    results on. A Dask worker is sent the flow a task belongs to, and gets an empty one of these."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} stayed in the flow's own process")

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()


def task_runner(settings: Runner) -> TaskRunner[Any]:
    """The task runner that the settings ask for: threads, a local Dask cluster for as long as the
    flow runs, or a Dask scheduler that runs already."""
    if settings.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=settings.workers)
    from prefect_dask.task_runners import DaskTaskRunner

    if settings.dask_address:
        return DaskTaskRunner(address=settings.dask_address)
    # one thread a worker: what a task does is computing; no dashboard: Prefect's page is the one
    cluster = {
        "n_workers": settings.workers,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "config": _NO_PROFILE,
    }
    return DaskTaskRunner(cluster_kwargs=cluster)


#: Dask looks a hundred times a second at what each worker computes and keeps an hour of it for its
#: dashboard: 0.8 MB more every second, and a sixth of the time.
_NO_PROFILE = {"distributed.worker.profile.enabled": False}


@task(name="读取", task_run_name="读取 {first}–{last}", cache_policy=NO_CACHE, persist_result=False)
def read_batch(jobs: Sequence[ReadJob], first: int, last: int) -> list[Submission]:
    """Read some files, in a reading process of their own. `first` and `last` are for people."""
    from ledger.reading.batch import read_files

    return read_files(jobs)


def batching(size: int) -> Tools:
    """The program's own tools, with reading cut into batches of `size` files, each a task."""

    def read(
        jobs: Sequence[ReadJob],
        *,
        workers: int = 1,
        progress: Callable[[str], None] | None = None,
    ) -> list[Submission]:
        starts = range(0, len(jobs), size)
        futures = [
            read_batch.submit(jobs[start : start + size], start + 1, min(start + size, len(jobs)))
            for start in starts
        ]
        return [submission for future in futures for submission in future.result()]

    return Tools(read, _check, _check_plan)


def _check(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
    return Tools.real().check(items)


def _check_plan(data: bytes, name: str, year: int, version: int, registry: Registry) -> Plan | list[Finding]:
    return Tools.real().check_plan(data, name, year, version, registry)
