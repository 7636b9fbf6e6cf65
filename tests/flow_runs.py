"""The served flows run as `ledger serve` runs them, on another clock, to be killed at a given point.

Prefect is loaded once, by a process of its own (`python -m tests.flow_runs`), which forks for every
run: such a child does what Prefect's runner starts for a run, and can be killed like it. The tests'
own process asks over HTTP and never loads Prefect.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from time import sleep
from typing import Any

from flows.programmes import HOMES_VARIABLE
from flows.server import environment
from ledger.calendar import clock_at, parse_moment
from ledger.home import Home
from tests.faulty import MarkedKiller, ended, in_child

FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_TRIES = 30


@dataclass(frozen=True)
class Kill:
    """At the `step`th durable step after `mark`, a part of a file's name, was met for the `times`th
    time."""

    mark: str
    times: int = 1
    step: int = 1


class Clerk:
    """Serves the homes below a folder on a Prefect server that the test has started."""

    def __init__(self, folder: Path, place: Home, api: str) -> None:
        self.api = api
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.flow_runs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **environment(place),
                "PREFECT_API_URL": api,
                HOMES_VARIABLE: str(folder),
            },
        )
        self.deployments: dict[str, str] = self._told(do="serve")

    def _told(self, **what: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process that loads Prefect has ended"
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    # --- what the runner does

    def create(self, flow: str, moment: datetime, **parameters: str | bool) -> str:
        """A run of the flow's deployment that was to start at `moment`; its id."""
        body = {
            "parameters": parameters,
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": moment.isoformat()}},
        }
        return str(self.ask(f"/deployments/{self.deployments[flow]}/create_flow_run", body)["id"])

    def execute(self, run_id: str, moment: datetime, kill: Kill | None = None) -> dict[str, Any]:
        """Run what is scheduled, in a process of its own, to its end or to its kill; the run."""
        code = self._told(
            do="run", run=run_id, moment=moment.isoformat(), kill=None if kill is None else asdict(kill)
        )
        assert code == (0 if kill is None else -9), (code, self.run(run_id))
        return self.run(run_id)

    def settle(self) -> None:
        """What `ledger serve` does at its start with the runs that have no process any more."""
        assert self._told(do="settle") == 0

    # --- what the server says

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.api}{path}", data=data, headers={"Content-Type": "application/json"}
        )
        for _ in range(_TRIES):
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # SQLite is at work on a busy machine
                    raise
                sleep(1)
        raise AssertionError(f"{path} stayed unavailable")

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"/flow_runs/{run_id}")
        return found

    def scheduled(self, flow: str) -> list[dict[str, Any]]:
        """The runs of the flow's deployment that are to start."""
        found: list[dict[str, Any]] = self.ask(
            "/flow_runs/filter",
            {
                "deployments": {"id": {"any_": [self.deployments[flow]]}},
                "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
            },
        )
        return found


# --- the process that loads Prefect


def _serve() -> dict[str, str]:
    """The deployments of all homes, without their schedules' runs: the test starts them itself."""
    from flows import programmes
    from flows.served import consolidating, served

    folder = programmes.served_folder()
    made = [one for name, home in programmes.of_folder(folder).items() for one in served(name, home)]
    made.append(consolidating(folder))
    found: dict[str, str] = {}
    for one in made:
        assert one.flow_name not in found, "one home only"
        one.schedules = []
        found[one.flow_name] = str(one.apply())
    return found


def _settle(served: list[str]) -> None:
    import asyncio
    from uuid import UUID

    from prefect.client.orchestration import get_client

    from flows import settling

    async def settle() -> None:
        async with get_client() as client:
            await settling.settle(client, {UUID(one) for one in served}, own=True)

    asyncio.run(settle())


def _run(run_id: str, moment: datetime, kill: Kill | None) -> None:
    os.environ["PREFECT__FLOW_RUN_ID"] = run_id
    sys.argv = ["prefect.engine"]
    sys.modules.pop("prefect.engine", None)  # run anew, as a program
    killer = MarkedKiller(kill.mark, kill.times, kill.step) if kill else MarkedKiller("", 0, 0)
    with clock_at(lambda: moment), killer.armed():
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def _child(what: Mapping[str, Any], served: list[str], answers: int) -> None:
    """One piece of work in a process of its own; what it has to tell goes to `answers`."""
    os.dup2(2, 1)  # whatever prints must not come between the answers
    if what["do"] == "serve":
        os.write(answers, json.dumps(_serve()).encode())
    elif what["do"] == "settle":
        _settle(served)
    else:
        kill = Kill(**what["kill"]) if what["kill"] else None
        try:
            _run(what["run"], parse_moment(what["moment"]), kill)
        except SystemExit as done:
            assert not done.code, done.code


def main() -> None:
    # loaded once, for all children
    import prefect.flow_engine
    import prefect.main  # noqa: F401

    import flows.on_prefect
    import flows.rollup_flow
    import flows.served  # noqa: F401

    served: list[str] = []
    for line in sys.stdin:
        what = json.loads(line)
        reader, writer = os.pipe()
        code = ended(in_child(partial(_child, what, served, writer)))
        os.close(writer)
        with os.fdopen(reader) as told:
            answer = told.read()
        if what["do"] == "serve":
            assert code == 0, code
            served = list(json.loads(answer).values())
        print(answer or code, flush=True)


if __name__ == "__main__":
    main()
