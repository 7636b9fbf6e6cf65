"""kill -9 at random moments of the real commands, one after the other in one home."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows.deliveries import month_deliveries
from flows.distribute import send_month
from flows.monthly import run_month
from flows.receive import receive_files
from flows.server import prefect_server
from ledger.home import Home
from ledger.reading import batch
from ledger.recording.exports import export
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.originals import hash_file
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from schemas.month import Month
from tests.faulty import LEDGER, RECEIVED, copied, ended, in_child, nothing_is_lost
from tests.mailing import MARCH, smtp
from tests.mailserver import mail_server
from tests.workbooks import make_book, water

JUNE = Month(2018, 6)
TABLES = ("projects", "submissions", "corrections")


@dataclass
class Count:
    """How often a command was killed in the midst of it, and how often it was done before."""

    killed: int = 0
    done: int = 0


@dataclass
class Tally:
    counts: dict[str, Count] = field(default_factory=dict)
    #: mails that came twice, as their record says
    doubled: int = 0

    def note(self, what: str, was_killed: bool) -> None:
        count = self.counts.setdefault(what, Count())
        if was_killed:
            count.killed += 1
        else:
            count.done += 1

    def __str__(self) -> str:
        return "; ".join(
            f"{what}: {count.killed} killed in the midst of it, {count.done} done before"
            for what, count in self.counts.items()
        )

    @property
    def kills(self) -> int:
        return sum(count.killed for count in self.counts.values())


def book(folder: Path, number: int) -> Path:
    """The township's June for the nth time: each corrects the one before, 户 telling which it is."""
    return make_book(
        folder / f"景阳6月第{number}次.xlsx",
        "景阳镇",
        "2018年6月",
        cover={"更正说明": "更正户数"} if number else {},
        projects=[water(poor_households=100 + number)],
    )


def strike(
    tally: Tally, what: str, work: Callable[[], object], longest: float, chance: random.Random
) -> bool:
    """Run `work` in a process of its own and kill it at a random moment; whether it was killed."""

    def alone() -> None:
        work()
        batch.close_readers()

    child = in_child(alone)
    time.sleep(chance.uniform(0, longest))
    os.kill(child, signal.SIGKILL)
    code = ended(child)
    assert code in (-signal.SIGKILL, 0), (what, code)
    tally.note(what, code != 0)
    return code != 0


def seen(home: Home, registry: Registry) -> dict[str, list[tuple[object, ...]]]:
    """What a reader sees now, writing nothing."""
    with Ledger.open(home, registry, readonly=True) as ledger:
        return {table: list(export(ledger, JUNE, table)[1]) for table in TABLES}


def whole(home: Home, registry: Registry, sent: int) -> None:
    """No half version: one row of one of the files sent, and its chain of corrections without gap."""
    found = seen(home, registry)
    households = [row[17] for row in found["projects"]]
    assert len(households) <= 1
    if households:
        assert 100 <= int(str(households[0])) <= 100 + sent
    for report in home.reports(JUNE).glob("*.pdf") if home.reports(JUNE).is_dir() else ():
        assert report.read_bytes().rstrip().endswith(b"%%EOF"), report.name


def kill_commands(
    home: Home,
    folder: Path,
    turns: int,
    seed: int = 2018,
    tell: Callable[[str], None] | None = None,
    *,
    at_least: int = 0,
) -> Tally:
    """In each turn a correction comes in and both `receive` and `run` are killed; every tenth turn
    the run is let through. At the end all is as if nothing had happened. `tell` hears the counts
    from time to time. A command that was done before its kill is struck sooner the next time, and
    there are more turns, up to four times as many, until `at_least` were killed in the midst."""
    registry = Registry.load(home)
    chance = random.Random(seed)
    tally = Tally()
    durations: dict[str, float] = {}
    last = 0
    for number in range(4 * turns):
        if number >= turns and tally.kills >= at_least:
            break
        last = number
        file = book(folder, number)
        sha256 = hash_file(file)
        started = time.monotonic()
        if number == 0:
            receive_files(home, [file], RECEIVED, None)
            durations["receive"] = max(time.monotonic() - started, 0.05)
            started = time.monotonic()
            run_month(home, JUNE)
            durations["run"] = time.monotonic() - started
            continue
        killed = strike(
            tally,
            "receive",
            lambda file=file: receive_files(home, [file], RECEIVED, None),
            durations["receive"] * 1.2,
            chance,
        )
        durations["receive"] *= 1.1 if killed else 0.7
        nothing_is_lost(home, {})
        if sha256 not in journaled(home):
            receive_files(home, [file], RECEIVED, None)
        what = "run after a correction" if number % 2 else "run after a killed run"
        killed = strike(tally, what, lambda: run_month(home, JUNE), durations["run"] * 1.05, chance)
        durations["run"] *= 1.1 if killed else 0.7
        nothing_is_lost(home, {})
        assert sha256 in journaled(home)
        whole(home, registry, number)
        if tell is not None and number % 5 == 0:
            tell(str(tally))
        if number % 10 == 9:
            run_month(home, JUNE)
            assert seen(home, registry)["projects"][0][17] == 100 + number
            assert verify(home, registry).differences == []
    run_month(home, JUNE)
    assert seen(home, registry)["projects"][0][17] == 100 + last
    assert verify(home, registry).differences == []
    assert sum(event.kind == "received" for event in Journal(home.journal).events()) > last
    left = [path.name for path in home.reports(JUNE).rglob(".*")]
    assert left == [], "a killed run's unfinished files are cleared by the next"
    shutil.rmtree(home.processed)
    run_month(home, JUNE)
    assert seen(home, registry)["projects"][0][17] == 100 + last
    return tally


def kill_runs_on_prefect(
    home: Home,
    folder: Path,
    turns: int,
    seed: int = 2018,
    tell: Callable[[str], None] | None = None,
) -> Tally:
    """In each turn a correction comes in and `ledger run` is killed while its Prefect flow is at
    work, on a server that stands for all turns, as under `ledger serve`; every tenth turn the run is
    let through. Before, one run with a server of its own is killed at any moment: its server ends with
    it. At the end all is as if nothing had happened."""
    registry = Registry.load(home)
    chance = random.Random(seed)
    tally = Tally()
    receive_files(home, [book(folder, 0)], RECEIVED, None)
    started = time.monotonic()
    _let_through(home, registry, 0)
    _killed_run(
        home, tally, "run with a server of its own", time.monotonic() - started, chance, in_flow=False
    )
    _server_is_gone(home)
    nothing_is_lost(home, {})
    longest = 0.0
    with prefect_server(home):
        for number in range(1, turns + 1):
            receive_files(home, [book(folder, number)], RECEIVED, None)
            if number % 10 == 1:
                longest = _let_through(home, registry, number)
                if tell is not None:
                    tell(str(tally))
                continue
            killed = _killed_run(home, tally, "run in its Prefect flow", longest, chance, in_flow=True)
            longest *= 1.05 if killed else 0.8
            nothing_is_lost(home, {})
            whole(home, registry, number)
        _let_through(home, registry, turns)
    assert verify(home, registry).differences == []
    left = [path.name for path in home.reports(JUNE).rglob(".*")]
    assert left == [], "a killed run's unfinished files are cleared by the next"
    return tally


def _run_command(home: Home) -> subprocess.Popen[str]:
    """`ledger run`, its steps told on standard error."""
    return subprocess.Popen(
        [LEDGER, "run", str(JUNE), "--home", str(home.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _reaches_its_flow(run: subprocess.Popen[str]) -> None:
    """Wait until the flow's first step begins."""
    assert run.stderr is not None
    told = []
    for line in run.stderr:
        told.append(line)
        if "收件" in line:
            return
    raise AssertionError(f"the run ended before its flow began: {told[-20:]}")


def _let_through(home: Home, registry: Registry, number: int) -> float:
    """A run to its end, which shows the last correction; how long its flow took."""
    run = _run_command(home)
    _reaches_its_flow(run)
    started = time.monotonic()
    _, told = run.communicate(timeout=240)
    took = time.monotonic() - started
    assert run.returncode == 0, (run.returncode, told[-2000:])
    assert seen(home, registry)["projects"][0][17] == 100 + number
    return took


def _killed_run(
    home: Home, tally: Tally, what: str, longest: float, chance: random.Random, *, in_flow: bool
) -> bool:
    """A run killed at a random moment of its flow, or of all that it does; whether it was."""
    run = _run_command(home)
    if in_flow:
        _reaches_its_flow(run)
    time.sleep(chance.uniform(0, longest))
    run.kill()
    assert run.stderr is not None
    run.stderr.close()
    code = run.wait()
    assert code in (-signal.SIGKILL, 0), (what, code)
    tally.note(what, code != 0)
    return code != 0


def _server_is_gone(home: Home) -> None:
    """What a killed run started has ended with it."""
    for _ in range(600):
        mine = str(home.prefect).encode()
        if not any(mine in _environment(path) for path in Path("/proc").glob("[0-9]*/environ")):
            return
        time.sleep(0.1)
    raise AssertionError("the killed run's Prefect server is still there")


def _environment(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def kill_sending(
    base: Home, folder: Path, turns: int, seed: int = 2018, tell: Callable[[str], None] | None = None
) -> Tally:
    """In each turn an edition for two recipients is sent and killed at a random moment, then sent
    again. Nobody is left out; who got a mail twice got the same one, and the record says so.

    `base` is a home as tests.mailing makes it; the mail server is in this process.
    """
    chance = random.Random(seed)
    tally = Tally()
    longest = 1.0
    with mail_server() as (box, port), pytest.MonkeyPatch.context() as patch:
        for name, value in smtp(port, timeout_seconds=10).items():
            patch.setenv(name, value)
        for number in range(turns):
            home = copied(base, folder / "home")
            box.messages.clear()
            if number == 0:
                started = time.monotonic()
                assert send_month(home, MARCH).all_done
                longest = time.monotonic() - started
                continue
            was_killed = strike(tally, "send", lambda home=home: send_month(home, MARCH), longest, chance)
            longest *= 1.05 if was_killed else 0.85
            assert send_month(home, MARCH).all_done
            assert len(box.ids()) == 2 and len({data for _, _, data in box.messages}) == 2
            told = month_deliveries(home, MARCH)
            assert not told["open"] and not told["not_yet"]
            twice = {address for address, count in box.to().items() if count > 1}
            doubtful = {one["recipient_key"] for one in told["holders"] if one["doubtful"]}
            assert {address.partition("@")[0] for address in twice} <= doubtful
            tally.doubled += len(twice)
            again = send_month(home, MARCH)
            assert not again.queued and not again.delivered.deliveries
            if number % 10 == 0:
                assert verify(home, Registry.load(home)).differences == []
                if tell is not None:
                    tell(str(tally))
    return tally


def journaled(home: Home) -> set[str]:
    return {event.payload["sha256"] for event in Journal(home.journal).events() if event.kind == "received"}
