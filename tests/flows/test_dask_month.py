"""What goes to a Dask worker and what stays; a county's month with its reading on Dask."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from schemas.month import Month
from tests.office import make_home, write_book

LEDGER = str(Path(sys.executable).with_name("ledger"))


def test_what_a_flow_holds_stays_in_its_process() -> None:
    """A lock can't be sent; a Kept with one can, and says so where it is missed."""
    from flows.runners import Kept

    here = Kept(lock=threading.RLock(), results=[1])
    assert here.results == [1]
    there = pickle.loads(pickle.dumps(here))
    with pytest.raises(AttributeError, match="results stayed"):
        _ = there.results


def test_the_task_runner_is_the_one_that_is_set() -> None:
    from flows.runners import task_runner
    from ledger.settings import Runner

    assert task_runner(Runner(workers=3)).name == "threadpool"
    local = task_runner(Runner(kind="dask", workers=3))
    assert (local.name, local.cluster_kwargs["n_workers"]) == ("dask", 3)
    remote = task_runner(Runner(kind="dask", dask_address="tcp://10.0.0.5:8786"))
    assert (remote.address, remote.cluster_kwargs) == ("tcp://10.0.0.5:8786", {})


@pytest.mark.slow
def test_dask_keeps_no_record_of_what_its_workers_computed_when() -> None:
    """A hundred looks a second at what a worker does, kept for an hour, was 0.8 MB more every second
    for a page that is not served."""
    from distributed import Client, LocalCluster

    from flows.runners import task_runner
    from ledger.settings import Runner

    kwargs = task_runner(Runner(kind="dask", workers=1)).cluster_kwargs
    with LocalCluster(**kwargs) as cluster, Client(cluster) as client:
        looks = client.run(lambda dask_worker: sorted(dask_worker.periodic_callbacks))
    (at_work,) = looks.values()
    assert "heartbeat" in at_work
    assert [one for one in at_work if "profile" in one] == []


@pytest.mark.slow
def test_a_month_is_read_on_dask(tmp_path: Path) -> None:
    """`ledger run` with [runner] kind = dask: every workbook is read and recorded."""
    home = make_home(tmp_path / "云岚")
    month = Month(2019, 3)
    drop = home.drop(month)
    drop.mkdir()
    for number, unit in enumerate(("石桥铺镇", "松涧乡", "县水务局")):
        write_book(drop / f"{number}.xlsx", unit, month)
    given = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    given |= {"LEDGER_RUNNER__KIND": "dask", "LEDGER_RUNNER__BATCH_SIZE": "2", "LEDGER_RUNNER__WORKERS": "1"}
    done = subprocess.run(
        [LEDGER, "run", str(month), "--json", "--home", str(home.root)],
        capture_output=True, text=True, check=False, timeout=240, env=given,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    outcome = json.loads(done.stdout)
    assert len(outcome["recorded"]) == 3
    assert outcome["failed"] == []
    with sqlite3.connect(home.prefect / "prefect.db") as database:
        names = [name for (name,) in database.execute("select name from task_run order by name")]
    assert {name for name in names if name.startswith("读取 ")} == {"读取 1–2", "读取 3–3"}
