"""`ledger serve` as a process of its own, and its Prefect API without Prefect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from ledger.calendar import SHANGHAI
from ledger.home import Home
from schemas.month import Month
from tests import office

LEDGER = str(Path(sys.executable).with_name("ledger"))
PATIENCE = 240
T = TypeVar("T")


class Service:
    """A running `ledger serve`. `words` are its arguments; it is in a process group of its own. With
    `server` it uses that Prefect API instead of one of its own."""

    def __init__(self, log: Path, *words: str, server: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = log
        self._said_before = log.stat().st_size if log.exists() else 0
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "LEDGER_"))
        }
        self.api = server or f"http://127.0.0.1:{self.port}/api"
        given = {"PREFECT_API_URL": server} if server else {}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [LEDGER, "serve", "--port", str(self.port), *words],
                stdout=output,
                stderr=output,
                env={**kept, **given, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self.wait("已开始运行")

    def wait(self, word: str) -> None:
        """Until the service has said `word`."""
        self.until(lambda: word in self.said() or None)

    def said(self) -> str:
        """What this service has said; one before it may have written to the same file."""
        return self.log.read_bytes()[self._said_before :].decode("utf-8")

    def until(self, seen: Callable[[], T | None]) -> T:
        """What `seen` returns once it returns something; fails where the service ends before."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            assert self.process.poll() is None, self.said()
            found = seen()
            if found is not None:
                return found
            sleep(0.2)
        raise AssertionError(f"not seen in {PATIENCE} s: {self.said()}")

    def post(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.api}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        for _ in range(5):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 503:  # SQLite was busy: Prefect's clients ask again as well
                    raise
                sleep(1)
        raise AssertionError(f"{path} stayed unavailable")

    def deployments(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The deployments by flow and programme."""
        flows = {flow["id"]: flow["name"] for flow in self.post("/flows/filter")}
        found = self.post("/deployments/filter")
        return {(flows[one["flow_id"]], one["name"]): one for one in found}

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow, the oldest first."""
        given = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC", "limit": 200}
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", **given)
        return found

    def start(self, flow: str, programme: str, **parameters: Any) -> str:
        """Start a deployment's run by hand; its id."""
        deployment = self.deployments()[flow, programme]["id"]
        run = self.post(f"/deployments/{deployment}/create_flow_run", parameters=parameters)
        return str(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        (found,) = self.post("/flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})
        assert isinstance(found, dict)
        return found

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it has ended."""
        final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

        def seen() -> dict[str, Any] | None:
            run = self.run(run_id)
            return run if run["state_type"] in final else None

        return self.until(seen)

    def processes(self) -> list[int]:
        """The service's processes that are alive: its group, its server and what these started."""
        alive: dict[int, tuple[int, int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            if fields[0] != "Z":
                alive[int(folder.name)] = (int(fields[1]), int(fields[2]))
        mine = {pid for pid, (_, group) in alive.items() if group == self.process.pid} | {self.process.pid}
        while more := {pid for pid, (parent, _) in alive.items() if parent in mine} - mine:
            mine |= more
        return sorted(mine & alive.keys())

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def kill(self) -> None:
        """kill -9, the whole group at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def gone(pids: list[int], within: float = 30) -> bool:
    """Whether all these processes are gone within so many seconds."""
    end = monotonic() + within
    while monotonic() < end:
        if not any(_alive(pid) for pid in pids):
            return True
        sleep(0.1)
    return False


def _alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def due_month() -> Month:
    """The newest month whose deadline (the 10th, moved past days off) has surely passed."""
    today = datetime.now(SHANGHAI).date()
    return Month.of(today).plus(-1 if today.day >= 20 else -2)


def make_home(folder: Path) -> Home:
    """The invented county's home as if its plan were of these days and began with the month due."""
    home = office.make_home(folder)
    first = due_month()
    (plan,) = home.plans.iterdir()
    for year in {first.year, first.plus(2).year}:
        (home.plans / f"{year}-计划.xlsx").write_bytes(plan.read_bytes())
    plan.unlink()
    programme = home.own_registry / "programme.toml"
    text = programme.read_text(encoding="utf-8")
    text = text.replace('first_month = "2019-03"', f'first_month = "{first}"')
    text = text.replace("year = 2019", f"year = {first.year}").replace(
        "issued = 2019-", f"issued = {first.year}-"
    )
    programme.write_text(text, encoding="utf-8")
    return home


def away_since(home: Home, day: date) -> None:
    """As if the service had been switched off on that day."""
    home.schedule.mkdir(parents=True, exist_ok=True)
    since = datetime.combine(day, time.min, SHANGHAI).isoformat()
    (home.schedule / "since.json").write_text(json.dumps({"since": since}), encoding="utf-8")
