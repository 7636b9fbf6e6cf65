"""What of the calendar is done already, and what the morning's run, and one after it, has to run.

Known from files, not from Prefect: ``data/processed/schedule/`` holds one small file for each kind of
duty and month. A duty that is done twice changes nothing and sends nothing twice; the files save the
work. Where they were deleted with ``data/processed``, the calendar is taken up from the last event
of the journal on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from flows import posting
from flows.monthly import MonthOutcome
from flows.opened import open_ledger
from flows.schedule import AFTERMATH_MONTHS, Duty, Kind, Timetable, due_by
from ledger.calendar import SHANGHAI, moment_text, now, parse_moment
from ledger.errors import Busy
from ledger.home import Home
from ledger.recording.arrived import months_touched
from ledger.recording.events import PLAN_REGISTERED, RECEIVED
from ledger.recording.journal import Journal
from ledger.recording.lock import exclusive
from ledger.recording.month_lock import hold_month
from ledger.registry import Registry
from schemas.month import Month

#: How long a run waits, in seconds, for one that is at the same work; then it comes again later.
PATIENCE = 120.0
_PAUSE = 1.0
_SINCE = "since.json"
_RUN_NOTE = f"-{Kind.RUN}.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """The newest duty of its kind and month that was done. `seq` is the journal's last event when
    it began."""

    day: date
    seq: int


def watched_since(home: Home, moment: datetime) -> datetime:
    """From when on the calendar is kept: the first time it was asked for, or, where that is not
    known any more, the journal's last event; a new home owes nothing from before."""
    since = read_note(home, _SINCE, lambda noted: parse_moment(noted["since"]))
    if since is None:
        since = _last_event(home) or moment
        write_note(home, _SINCE, {"since": moment_text(since)})
    return since


def overdue(home: Home, moment: datetime) -> list[Duty]:
    """What is to be done at `moment` and was not, in order, of each kind and month once.

    Looking at the inbox is not among it: it has no memory. Last comes what was signed with the wish
    to send it at once and is not wholly queued: known from the journal, not from a note. Raises
    UsageError where registry or settings can't be used, else as `Ledger.catch_up`.
    """
    since = watched_since(home, moment)
    found = due_by(Timetable.of(home), since, moment)
    left = [duty for duty in found if duty.kind is not Kind.FETCH and not is_done(home, duty)]
    return left + [Duty(Kind.SEND, wish.month, wish.at) for wish in posting.wished(home)]


def is_done(home: Home, duty: Duty) -> bool:
    """Whether `duty`, or a later one of its kind and month, was done."""
    done = _read(home, duty.kind, duty.month)
    return done is not None and done.day >= duty.day


def mark_done(home: Home, duty: Duty, seq: int) -> None:
    """Note `duty` as done, begun when the journal's last event was `seq`."""
    content: dict[str, str | int] = {
        "day": duty.day.isoformat(),
        "seq": seq,
        "at": moment_text(now()),
    }
    write_note(home, _name(duty.kind, duty.month), content)


def last_event(home: Home) -> int:
    """The number of the journal's last event."""
    return Journal(home.journal).last_seq()


def morning(home: Home, duty: Duty, run: Callable[[Month], MonthOutcome]) -> list[MonthOutcome]:
    """Do the duty of a run: `run` each month that has to be run, then note the duty as done.

    The newest month comes first: it takes in what lies in the drop folders of all.
    """
    assert duty.month is not None
    since = last_event(home)
    months = months_to_run(home, duty.month)
    outcomes = [run(month) for month in sorted(months, reverse=True)]
    recorded = {line["sha256"] for line in outcomes[0].recorded} if outcomes else set()
    mark_done(home, duty, _seen_until(home, since, recorded))
    return outcomes


def again(home: Home, run: Callable[[Month], MonthOutcome]) -> list[MonthOutcome]:
    """Between two mornings, `run` what something has arrived for since the last run, of the months
    whose first morning has been. What lies in a month's drop folder waits until somebody runs it, or
    for the morning. Noted like a morning's; raises as `morning`."""
    last = _newest_run(home)
    if last is None or _last_run(home) == last_event(home):
        return []
    return morning(home, last, run)


def months_to_run(home: Home, month: Month) -> list[Month]:
    """What the run of `month` has to run this morning: itself the first time; later, where something
    has arrived since the last morning's run, the months it is about and those after them.

    Files that are in the drop folders count; those that wait to be recorded are recorded. Raises
    Busy, Damaged and UsageError as `Ledger.catch_up`.
    """
    since = _last_run(home)
    if since is None:
        return [month]
    registry = Registry.load(home)
    with open_ledger(home, registry) as ledger:
        ledger.catch_up()
        touched = {one for one in months_touched(ledger, since, month) if one >= registry.first_month}
        for dropped in _programme_months(registry, home, month):
            if ledger.waiting(dropped):
                touched.add(dropped)
                break  # the earliest counts; those after it are run with it
    if _read(home, Kind.RUN, month) is None:
        touched.add(month)
    return _with_those_after(touched, month)


def _seen_until(home: Home, since: int, recorded: set[str]) -> int:
    """The last event that a run begun at event `since` has surely seen: those after it up to the
    first file that came in beside the run and is not among what it `recorded`, or the first
    adjustment of a plan, which concerns more months than one run."""
    journal = Journal(home.journal)
    years = {event.payload["year"] for event in journal.of_kind(PLAN_REGISTERED) if event.seq <= since}
    seen = since
    for event in journal.events(since):
        if event.kind == RECEIVED and event.payload["sha256"] not in recorded:
            break
        if event.kind == PLAN_REGISTERED:
            if event.payload["year"] in years:
                break
            years.add(event.payload["year"])
        seen = event.seq
    return seen


def _programme_months(registry: Registry, home: Home, until: Month) -> list[Month]:
    """The months with a drop folder that the programme still runs, in order."""
    oldest = max(registry.first_month, until.plus(-AFTERMATH_MONTHS))
    return [month for month in home.drop_months() if oldest <= month <= until]


def _with_those_after(touched: set[Month], until: Month) -> list[Month]:
    """`touched` and, of each of their years, the months after them: a report carries rows forward
    and lists the year's corrections."""
    months: list[Month] = []
    for year in sorted({month.year for month in touched}):
        month = min(month for month in touched if month.year == year)
        last = min(until, Month(year, 12))
        while month <= last:
            months.append(month)
            month = month.plus(1)
    return months


def _last_run(home: Home) -> int | None:
    """The journal's last event when the newest scheduled run began."""
    done = [_read_file(home, path.name) for path in _run_notes(home)]
    return max((one.seq for one in done if one is not None), default=None)


def _newest_run(home: Home) -> Duty | None:
    """The run of the newest month that the calendar has run, as it was last due."""
    months = [Month.parse(path.name.removesuffix(_RUN_NOTE)) for path in _run_notes(home)]
    done = _read(home, Kind.RUN, max(months)) if months else None
    if done is None:
        return None
    return Duty(Kind.RUN, max(months), datetime.combine(done.day, datetime.min.time(), SHANGHAI))


def _run_notes(home: Home) -> list[Path]:
    return list(home.schedule.glob(f"[0-9]*{_RUN_NOTE}"))


def _last_event(home: Home) -> datetime | None:
    journal = Journal(home.journal)
    names = journal.names()
    return parse_moment(journal.event(names[-1]).recorded_at) if names else None


def _name(kind: Kind, month: Month | None) -> str:
    return f"{month}-{kind}.json"


def _read(home: Home, kind: Kind, month: Month | None) -> Done | None:
    return _read_file(home, _name(kind, month))


def _read_file(home: Home, name: str) -> Done | None:
    """What was noted; None where nothing was, or nothing that can be read: it is then done again."""
    return read_note(home, name, lambda noted: Done(date.fromisoformat(noted["day"]), int(noted["seq"])))


def read_note(home: Home, name: str, read: Callable[[dict[str, Any]], T]) -> T | None:
    """What `read` makes of a note; None where there is none, or none that can be read."""
    try:
        return read(json.loads((home.schedule / name).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_note(home: Home, name: str, content: dict[str, str | int]) -> None:
    """Write a note whole or not at all."""
    home.schedule.mkdir(parents=True, exist_ok=True)
    aside = home.schedule / f".{os.getpid()}-{name}"
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.replace(home.schedule / name)


@contextmanager
def calendar_held(home: Home, wait: float = PATIENCE) -> Iterator[None]:
    """Do the calendar's duties alone. Raises Busy where another does them for longer than `wait` s."""
    home.schedule.mkdir(parents=True, exist_ok=True)
    with exclusive(home.schedule, "日程", wait=wait):
        yield


@contextmanager
def patiently_held(home: Home, month: Month, wait: float = PATIENCE) -> Iterator[None]:
    """Hold `month`, waiting up to `wait` seconds for whoever has it. Raises Busy."""
    until = time.monotonic() + wait
    while True:
        held = hold_month(home, month)
        try:
            held.__enter__()
            break
        except Busy:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
    with ExitStack() as stack:
        stack.push(held)
        yield
