"""An office with `ledger serve` running, and what its Prefect server says over the API.

The tests' own process never loads Prefect: it asks over HTTP, as an automation or a browser would.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from ledger.home import Home
from tests.serving import LEDGER, Service

_OTHERS = ("PREFECT_", "LEDGER_")
_TRIES = 30

T = TypeVar("T")


class Office:
    """One home, its service, and questions to its server."""

    def __init__(self, home: Home) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.documents = f"http://127.0.0.1:{probe.getsockname()[1]}"
        home.settings.write_text(f'[web]\ndocuments_url = "{self.documents}"\n', encoding="utf-8")
        self._started = 0
        self.start()

    def start(self) -> None:
        self._started += 1
        log = self.home.root / f"serve-{self._started}.txt"
        self.service = Service(log, "--home", str(self.home.root))

    def stop(self) -> None:
        assert self.service.stop() == 0

    def until(self, look: Callable[[], T]) -> T:
        """The first answer of `look` that is something; what never comes fails with where the runs stand."""
        try:
            return self.service.until(lambda: look() or None)
        except AssertionError as never:
            if self.service.process.poll() is None:
                never.add_note(self._where_runs_stand())
            raise

    def _where_runs_stand(self) -> str:
        runs = self.ask("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
        return "\n".join(
            f"{run['name']}: {run['state_name']} ({run['run_count']} runs) {(run['state'] or {}).get('message') or ''}"
            for run in runs[:30]
        )

    def ledger(self, *words: str, expect: int | None = 0) -> Any:
        """A command's JSON."""
        done = subprocess.run(
            [LEDGER, *words, "--json", "--home", str(self.home.root)],
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)},
            timeout=240,
        )
        assert expect is None or done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout)

    def ask(self, path: str, body: Any = None) -> Any:
        """The server's answer to a GET, or to a POST where there is something to say."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.service.port}/api{path}",
            data=data,
            headers={"Content-Type": "application/json"},
        )
        for _ in range(_TRIES):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # SQLite is at work on a busy machine
                    raise
                time.sleep(1)
        raise AssertionError(f"{path} stayed unavailable")

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """A flow's runs, the newest first."""
        found: list[dict[str, Any]] = self.ask(
            "/flow_runs/filter", {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_DESC"}
        )
        return found

    def run_in_state(self, flow: str, *states: str) -> dict[str, Any]:
        """Wait for a run of the flow in one of these states."""
        return self.until(lambda: next((run for run in self.runs(flow) if run["state_name"] in states), None))

    def artifact(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"/artifacts/{key}/latest")
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of a name, the oldest first, once there is one."""
        question = {"filter": {"event": {"name": [name]}, "order": "ASC"}, "limit": 50}
        return self.until(lambda: self.ask("/events/filter", question)["events"])

    def document(self, path: str, host: str | None = None) -> tuple[int, bytes]:
        """What a browser gets from the documents' server."""
        request = urllib.request.Request(f"{self.documents}{path}", headers={"Host": host} if host else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
