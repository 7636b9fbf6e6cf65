"""`ledger serve`: Prefect's server and UI, and the office's flows on their schedules.

One process looks after one home, or with ``--homes`` after all homes below a folder; the server's own
files then lie in that folder's ``.serve``. What was missed while nothing was running is done once at
the start, in order (flows/deployments.py, 补办); what a killed service left behind in Prefect is
settled before (flows/settling.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from flows import almanac, documents, duties, programmes
from flows.schedule import Timetable
from flows.server import prefect_server
from ledger import calendar
from ledger.errors import Busy, LedgerError, UsageError
from ledger.home import Home

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

PORT = 4200
#: How many flow runs are under way at once; each is a process.
RUNS_AT_ONCE = 4
#: How long a stop may take, in seconds, before it is given up; what still runs ends with the service.
STOP_SECONDS = 45
#: How often started runs are looked for, in seconds.
POLL_SECONDS = 3

_LOG = logging.getLogger(__name__)
Say = Callable[[str], None]


def serve(home: Home, port: int = PORT, *, say: Say = lambda _: None) -> None:
    """Serve one home until SIGTERM or SIGINT. Raises Busy where it is served already, ServerFailed."""
    _serve(home, programmes.of_home(home), {"LEDGER_HOME": str(home.root)}, port, say)


def serve_folder(folder: Path, port: int = PORT, *, say: Say = lambda _: None) -> None:
    """Serve all homes below `folder`, those that are there now. Raises as `serve`, and UsageError
    where there is none."""
    folder = folder.resolve()
    homes = programmes.of_folder(folder)
    _serve(
        Home(folder / programmes.SERVER_FOLDER), homes, {programmes.HOMES_VARIABLE: str(folder)}, port, say
    )


def _serve(
    place: Home, homes: Mapping[str, Home], surroundings: Mapping[str, str], port: int, say: Say
) -> None:
    homes = _usable(homes, say)
    for sentence in _first_words(homes):
        say(sentence)
    own = "PREFECT_API_URL" not in os.environ
    with _alone(place), prefect_server(place, port=port, own=True), documents.serving(homes):
        os.environ.update(surroundings)
        os.environ["PREFECT_RUNNER_POLL_FREQUENCY"] = str(POLL_SECONDS)
        asyncio.run(_run(homes, own, say))


def _usable(homes: Mapping[str, Home], say: Say) -> Mapping[str, Home]:
    """The homes whose registry and settings can be used. One that can't does not keep the others from
    being served; it is said. Raises UsageError where none can."""
    usable: dict[str, Home] = {}
    for name, home in homes.items():
        try:
            Timetable.of(home)
        except UsageError as problem:
            if len(homes) == 1:
                raise
            say(f"{name}：没有启动。{problem.message}")
        else:
            usable[name] = home
    if not usable:
        raise UsageError("没有一个项目能启动，请按上面各条改正。")
    return usable


def _first_words(homes: Mapping[str, Home]) -> Iterator[str]:
    """What people should know of the calendar before it runs: holidays or a plan that are missing."""
    now = calendar.now()
    unknown: set[int] = set()
    for name, home in homes.items():
        timetable = Timetable.of(home)
        unknown.update(timetable.years_unknown(now))
        if not timetable.years:
            yield f"{name}：还没有计划，日程上没有事项；请用 ledger plan 登记计划，或放入 data/raw/plan。"
        elif now.year not in timetable.years:
            yield f"{name}：{now.year} 年没有计划，今年的月份不排日程。"
    for year in sorted(unknown):
        _LOG.warning("statutory holidays of %d are not known; weekends alone count", year)
        yield f"{year} 年的法定节假日程序还不知道，暂按周末推算；请升级 chinesecalendar。"


@contextmanager
def _alone(place: Home) -> Iterator[None]:
    """One service a home. Raises Busy where another runs."""
    place.locks.mkdir(parents=True, exist_ok=True)
    with (place.locks / "serve.lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("这里已有一个 ledger serve 在运行；不用再启动，或先停下那一个。") from None
        yield


async def _run(homes: Mapping[str, Home], own: bool, say: Say) -> None:
    """Serve until a signal comes; `own` says whose the server is. Prefect is loaded here: its settings
    are in the environment now."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner

    from flows import settling
    from flows.served import consolidating, served

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    runner = Runner(name="ledger", pause_on_shutdown=False, limit=RUNS_AT_ONCE)
    async with get_client() as client:
        ids = {}
        for name, home in homes.items():
            for deployment in served(name, home):
                ids[name, deployment.flow_name] = await runner.aadd_deployment(deployment)
        if programmes.HOMES_VARIABLE in os.environ:
            deployment = consolidating(programmes.served_folder())
            ids["", deployment.flow_name] = await runner.aadd_deployment(deployment)
        await settling.settle(client, set(ids.values()), own=own)
        for name, home in homes.items():
            await _show_calendar(client, home)
            await _catch_up(client, ids[name, "补办"], name, home, say)
        serving = asyncio.create_task(runner.start())
        await asyncio.sleep(0)  # the runner takes SIGTERM for itself; it is ours
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stopped.set)
        say("已开始运行。")
        await _first_of(serving, stopped)
        if serving.done():
            await serving  # it has failed, and says with what
            return
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            # whoever stops the machine may stop the server first: then there is nobody to tell
            async with asyncio.timeout(STOP_SECONDS):
                wanted = await settling.under_way(client, set(ids.values()))
                await runner.astop()
                await _ended(serving)
                await settling.put_back(client, wanted)
        serving.cancel()
        await asyncio.wait({serving}, timeout=STOP_SECONDS)


async def _ended(serving: asyncio.Task[None]) -> None:
    """Wait for the runner to end; that it was cancelled is its way to end."""
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _show_calendar(client: PrefectClient, home: Home) -> None:
    from prefect.client.schemas.actions import ArtifactCreate

    timetable, now = Timetable.of(home), calendar.now()
    shown = ArtifactCreate(
        key=almanac.key_of(home),
        type="table",
        description=almanac.sentence(timetable, now),
        data=json.dumps(almanac.coming(timetable, now), ensure_ascii=False),
    )
    await client.create_artifact(shown)


async def _first_of(serving: asyncio.Task[None], stopped: asyncio.Event) -> None:
    """Wait for the signal, or for the runner to end by itself."""
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _catch_up(client: PrefectClient, deployment_id: UUID, name: str, home: Home, say: Say) -> None:
    """Where something is due and was not done, start one run that does it."""
    try:
        missed = duties.overdue(home, calendar.now())
    except LedgerError as problem:
        say(f"{name}：{problem.message}")
        return
    if missed:
        say(f"{name}：补办 {'、'.join(duty.chinese for duty in missed)}。")
        await client.create_flow_run_from_deployment(deployment_id)
