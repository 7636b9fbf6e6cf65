"""The month as a Prefect flow: the same outcome as without, and a state that says who is missing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LEDGER = str(Path(sys.executable).with_name("ledger"))


def run(home: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [LEDGER, "run", "2018-09", "--json", "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")},
        timeout=280,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def sample_home(folder: Path) -> Path:
    """A home with the sample programme's plan, registry and workbooks, and nothing else."""
    for part in ("plan", "registry", "2018-06", "2018-07", "2018-08", "2018-09"):
        shutil.copytree(ROOT / "data" / "raw" / part, folder / "data" / "raw" / part)
    return folder


def test_with_and_without_prefect_alike(tmp_path: Path) -> None:
    with_prefect = sample_home(tmp_path / "a")
    plain = sample_home(tmp_path / "b")
    outcome = run(with_prefect)
    expected = run(plain, "--plain")
    assert outcome["state"] == "Degraded"
    assert outcome == expected
    for name in outcome["reports"]:
        assert (with_prefect / name).read_bytes() == (plain / name).read_bytes()

    with sqlite3.connect(with_prefect / "data" / "processed" / "prefect" / "prefect.db") as database:
        ((name, state, kind),) = database.execute(
            "select flow_run.name, flow_run_state.name, flow_run_state.type"
            " from flow_run join flow_run_state on flow_run.state_id = flow_run_state.id"
        ).fetchall()
        tasks = {line[0] for line in database.execute("select name from task_run")}
    assert (name, state, kind) == ("2018-09 月报", "Degraded", "COMPLETED")
    assert {
        "收件",
        "读取、核对、入账",
        "读取 1–50",
        "景阳镇 退回",
        "月报 PDF",
        "一页纸",
        "台帐",
        "汇总",
    } <= tasks
    assert {task for task in tasks if task.startswith("单位报告 ")} == {
        f"单位报告 {unit}" for unit in [*expected["reported"], *expected["missing"], *expected["returned"]]
    }
