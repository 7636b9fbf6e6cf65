"""Many homes' month in batches: what one worker does, and how a batch is cut.

Plain Python, without Prefect: a batch runs here, in a spawned process or on a Dask worker, and hands
back small values. One home that fails never hides the others.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerError, UsageError
from ledger.home import Home, homes_below
from ledger.recording.database import URL_VARIABLE
from ledger.recording.ledger import Ledger
from ledger.recording.month_lock import hold_month
from ledger.reporting.rollup_model import Programme, Unread
from ledger.reporting.rollup_read import folder_of, own_registry, programme_of, read_programme, reason_of
from schemas.month import Month

#: More tasks than this make a flow slow to follow and to record.
_MOST_BATCHES = 400


@dataclass(frozen=True, slots=True)
class Batch:
    """Some homes' month as a task's argument: `run` them first, or only read what they hold."""

    root: str
    month: str
    homes: tuple[str, ...]
    run: bool


@dataclass(frozen=True, slots=True)
class HomeDone:
    """What became of one home: how much came in and was recorded, why not, and its figures."""

    folder: str
    figures: Programme | Unread
    received: int = 0
    recorded: int = 0
    failed: str = ""


def find_homes(root: Path) -> list[Home]:
    """The homes below a folder. Raises UsageError where there is none, or where one database is set
    for all of them."""
    if os.environ.get(URL_VARIABLE):
        raise UsageError(f"{URL_VARIABLE} 是一个县的台帐，汇总多个县时请不要设；各县用各自文件夹里的台帐。")
    homes = homes_below(root)
    if not homes:
        raise UsageError(f"文件夹 {root.name} 下没有县的数据文件夹（其中应有 data/raw），请核对 --homes。")
    return homes


def cut(homes: Sequence[Home], root: Path, month: Month, files_a_batch: int, *, run: bool) -> list[Batch]:
    """The homes in batches of about so many files each (a home counts one at least)."""
    batches: list[list[str]] = [[]]
    files = 0
    most = max(files_a_batch, -(-sum(_files(home, month) for home in homes) // _MOST_BATCHES))
    for home in homes:
        if batches[-1] and files + _files(home, month) > most:
            batches.append([])
            files = 0
        batches[-1].append(str(home.root))
        files += _files(home, month)
    return [Batch(str(root), str(month), tuple(batch), run) for batch in batches if batch]


def _files(home: Home, month: Month) -> int:
    try:
        return max(1, sum(1 for _ in os.scandir(home.drop(month))))
    except OSError:
        return 1


def work(batch: Batch) -> list[HomeDone]:
    """Each home of a batch in turn, in this process."""
    root, month = Path(batch.root), Month.parse(batch.month)
    do = run_home if batch.run else read_home
    return [do(Home(Path(home)), root, month) for home in batch.homes]


def read_home(home: Home, root: Path, month: Month) -> HomeDone:
    """What the home's ledger holds; nothing is written."""
    return HomeDone(folder_of(home, root), read_programme(home, root, month))


def run_home(home: Home, root: Path, month: Month) -> HomeDone:
    """Receive what is new, read, check and record it; the month's figures then. Never raises."""
    try:
        with hold_month(home, month), Ledger.open(home, own_registry(home)) as ledger:
            received = ledger.take_in(month)
            recorded = ledger.catch_up()
            figures = programme_of(ledger, root, month)
    except Exception as error:  # noqa: BLE001  one home must not hide the others
        reason = reason_of(error, home, root)
        return HomeDone(folder_of(home, root), read_programme(home, root, month), failed=reason)
    return HomeDone(folder_of(home, root), figures, len(received), len(recorded))


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for batches, spawned and never forked; each keeps its reading process. Raises
    LedgerError where the system ends one of them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise LedgerError(
                "处理各县的程序中途被系统中止（多半是内存不足）。请把 ledger.toml 中 [runner] 的 workers "
                "改小后再运行一次；已入账的不会重复。"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def work_all(
    batches: Sequence[Batch], count: int, done: Callable[[list[HomeDone]], None] = lambda _: None
) -> list[HomeDone]:
    """Every batch, `count` at a time; results in the batches' order. Without Prefect."""
    if count == 1 or len(batches) == 1:
        finished = []
        for batch in batches:
            finished += work(batch)
            done(finished)
        return finished
    finished = []
    with workers(min(count, len(batches))) as pool:
        for result in pool.map(work, batches):
            finished += result
            done(finished)
    return finished
