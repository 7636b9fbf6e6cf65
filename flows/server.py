"""The embedded Prefect server: started on loopback when a flow needs one, stopped after.

Its database, results and log live in the home (data/processed/prefect). A server that is already
running for this home is reused, and stopped only when nobody uses it any more; it ends with the
process that started it, however that ends. One named by ``PREFECT_API_URL`` is left to whoever runs
it. Nothing is sent off the machine: analytics and telemetry are off.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from ledger import logs
from ledger.errors import LedgerError
from ledger.home import Home

HOST = "127.0.0.1"
#: A cold first start makes the database; on a loaded machine that has been seen to take minutes.
START_SECONDS = 180
STOP_SECONDS = 15
#: The server's own log begins anew when it is larger than this; how often that is looked at.
LARGEST_LOG, LOOK_AT_LOG_SECONDS = 10 << 20, 600
#: For how long finished runs are kept in Prefect's database; the ledger's own records are for ever.
KEEP_RUNS_DAYS = 400


class ServerFailed(LedgerError):
    """The embedded server did not come up."""

    exit_code = 5


def environment(home: Home) -> dict[str, str]:
    """The settings under which server and flows of this home run, as environment variables."""
    return {
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home.prefect / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        # the server keeps every log; the terminal is for what people are told
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_CLI_PROMPT": "false",
        **_not_by_proxy(),
        **_pages(home),
        # what a killed run held of a limit is known to the next server, and given back
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # a look at the inbox every few minutes is fifty thousand runs a year: a year is kept
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(KEEP_RUNS_DAYS * 24 * 3600),
        # a busy machine is no failure
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
    }


def _pages(home: Home) -> dict[str, str]:
    """Prefect lays its pages out in its own package, and serves none where it can't: so in the home
    where the program is another's, as where root installed it and a user of its own runs it."""
    spec = find_spec("prefect")
    if spec is None or spec.origin is None or os.access(Path(spec.origin).parent / "server", os.W_OK):
        return {}
    return {"PREFECT_UI_STATIC_DIRECTORY": str(home.prefect / "ui")}


def _not_by_proxy() -> dict[str, str]:
    """The proxy's exceptions with this machine among them, as both spellings are read."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    exceptions = ",".join(filter(None, [known, HOST, "localhost"]))
    return {"no_proxy": exceptions, "NO_PROXY": exceptions}


#: An office's proxy has nothing to do with this machine's own server.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def healthy(api_url: str) -> bool:
    try:
        with _DIRECT.open(f"{api_url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def running(home: Home) -> str | None:
    """The address of the server that already serves this home, None where there is none."""
    try:
        known = json.loads((home.prefect / "server.json").read_text(encoding="utf-8"))
        os.kill(int(known["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    url = str(known["api_url"])
    return url if healthy(url) else None


def _log(home: Home) -> Path:
    return home.prefect / "server.log"


def keep_log_small(home: Home, ended: threading.Event) -> None:
    """Look after the server's log until `ended`: a server may run for months."""
    while not ended.wait(LOOK_AT_LOG_SECONDS):
        logs.cut(_log(home), LARGEST_LOG)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start(
    home: Home, port: int | None = None, meanwhile: Callable[[str], None] | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server for this home and wait until it answers; `meanwhile` is given its address and
    does what else can be done by then. Raises ServerFailed."""
    home.prefect.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    api_url = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "flows.guarded", "prefect", "server", "start"]
    command += ["--host", HOST, "--port", str(port)]
    logs.cut(_log(home), LARGEST_LOG)
    with _log(home).open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment(home), "PREFECT_API_URL": api_url},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START_SECONDS
    if meanwhile is not None:
        try:
            meanwhile(api_url)
        except BaseException:
            stop(process)
            raise
    while not healthy(api_url):
        if process.poll() is not None or time.monotonic() > until:
            stop(process)
            raise ServerFailed(
                f"Prefect 服务没有启动，详情见 {home.relative(_log(home))}；"
                "可先用 ledger run --plain 出报告。"
            )
        time.sleep(0.1)
    state = {"pid": process.pid, "api_url": api_url}
    (home.prefect / "server.json").write_text(json.dumps(state), encoding="utf-8")
    return process, api_url


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end; end it where it does not."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def prefect_server(
    home: Home, port: int | None = None, *, own: bool = False, load: Callable[[], object] | None = None
) -> Iterator[str]:
    """A Prefect API for this home, its settings in the environment of this process.

    `port` is where to start one (any free one otherwise). With `own` another's is not reused but
    waited for until it has ended: one that a single run started goes when that run is done. Yields
    the API's address. Prefect must not have been imported before: it reads its settings when it is.
    `load` imports it, and what else takes time, while a server is starting; where one runs there is
    nothing to wait for, and what is needed is loaded when it is. Raises ServerFailed.
    """
    given = os.environ.get("PREFECT_API_URL")
    if given:
        yield given
        return
    home.prefect.mkdir(parents=True, exist_ok=True)
    home.locks.mkdir(parents=True, exist_ok=True)
    process: subprocess.Popen[bytes] | None = None
    before = dict(os.environ)

    def settle(api_url: str) -> None:
        os.environ.update(environment(home))
        os.environ["PREFECT_API_URL"] = api_url

    def meanwhile(api_url: str) -> None:
        settle(api_url)
        if load is not None:
            load()

    with _lock_file(home.locks / "prefect-users.lock") as users, _restored(before):
        with _lock_file(home.locks / "prefect-start.lock") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)  # two at once start one server
            while own and running(home):
                fcntl.flock(starting, fcntl.LOCK_UN)
                time.sleep(0.5)
                fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            api_url = running(home)
            if api_url is None:
                process, api_url = start(home, port, meanwhile)
        settle(api_url)
        ended = threading.Event()
        if process is not None:
            threading.Thread(target=keep_log_small, args=(home, ended), daemon=True).start()
        try:
            yield api_url
        finally:
            ended.set()
            if process is not None:
                fcntl.flock(users, fcntl.LOCK_UN)
                fcntl.flock(users, fcntl.LOCK_EX)  # whoever else uses it has ended
                stop(process)
                (home.prefect / "server.json").unlink(missing_ok=True)


@contextmanager
def _restored(before: Mapping[str, str]) -> Iterator[None]:
    """The environment is as it was `before`, afterwards."""
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _lock_file(path: Path) -> Iterator[TextIO]:
    """An open file to lock; what is held on it ends with the process."""
    with path.open("a", encoding="ascii") as file:
        yield file
