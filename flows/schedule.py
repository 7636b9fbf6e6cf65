"""The office's calendar: which duty falls due when. Pure; no clock, no Prefect.

A month has three duties of its own: the forms (on a day of the month itself), the reminders (days
before and after the deadline) and the run (from the day after the deadline on every morning, until
the next month's turn). The inbox is looked at every few minutes, for all months, and what it brings
for a month that has been run is run again at once. What of this was done already is in flows/duties.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from ledger.calendar import SHANGHAI, Deadline, deadline, is_working_day
from ledger.home import Home
from ledger.recording.events import PLAN_REGISTERED
from ledger.recording.journal import Journal
from ledger.registry import Registry
from ledger.settings import Schedule, Settings
from schemas.month import Month

#: The reminders go out after the morning's run, which knows what has come in.
REMIND_AFTER = timedelta(minutes=30)
#: How long the last month of a programme is run again when something arrives for it.
AFTERMATH_MONTHS = 12


class Kind(StrEnum):
    """What there is to do, in the order in which it is done where several are due."""

    FETCH = "fetch"
    FORMS = "forms"
    RUN = "run"
    REMIND = "remind"
    #: of no day: what was signed with the wish to send it at once, and a kill came between
    SEND = "send"

    @property
    def chinese(self) -> str:
        return _CHINESE[self]


_CHINESE = {
    Kind.FETCH: "收件",
    Kind.FORMS: "预填表",
    Kind.RUN: "月报",
    Kind.REMIND: "催报",
    Kind.SEND: "签发后发送",
}
_ORDER = list(Kind)


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing to be done from a moment on. `month` is None for what is of no month (收件)."""

    kind: Kind
    month: Month | None
    at: datetime

    @property
    def day(self) -> date:
        return self.at.astimezone(SHANGHAI).date()

    @property
    def chinese(self) -> str:
        return f"{self.month} {self.kind.chinese}" if self.month else self.kind.chinese


@dataclass(frozen=True)
class Timetable:
    """What decides the calendar: the settings, the programme's first month and deadline, and the
    years for which there is a plan."""

    schedule: Schedule
    first_month: Month
    deadline_day: int
    years: frozenset[int]

    @classmethod
    def of(cls, home: Home) -> Timetable:
        """The home's timetable. Raises UsageError where registry or settings can't be used."""
        registry = Registry.load(home)
        schedule = Settings.load(home).schedule
        return cls(schedule, registry.first_month, registry.deadline_day, _planned_years(home))

    def has(self, month: Month) -> bool:
        """Whether `month` is one of the programme's."""
        return month >= self.first_month and month.year in self.years

    def deadline(self, month: Month) -> Deadline:
        return deadline(month, self.deadline_day)

    def of_month(self, month: Month) -> list[Duty]:
        """All duties of one month, in order; none where it is not the programme's."""
        if not self.has(month):
            return []
        duties = [Duty(Kind.FORMS, month, self._at(date(month.year, month.month, self.schedule.forms_day)))]
        duties += [Duty(Kind.RUN, month, moment) for moment in self._mornings(month)]
        duties += [
            Duty(Kind.REMIND, month, self._at(day) + REMIND_AFTER) for day in self.reminder_days(month)
        ]
        return sorted(duties, key=_in_order)

    def between(self, since: datetime, until: datetime) -> list[Duty]:
        """The months' duties with `since` < their moment <= `until`, in order."""
        first = Month.of(since.astimezone(SHANGHAI).date()).plus(-1 - AFTERMATH_MONTHS)
        last = Month.of(until.astimezone(SHANGHAI).date()).plus(1)
        found: list[Duty] = []
        month = max(first, self.first_month)
        while month <= last:
            found += [duty for duty in self.of_month(month) if since < duty.at <= until]
            month = month.plus(1)
        return sorted(found, key=_in_order)

    def reminder_days(self, month: Month) -> list[date]:
        """The days on which those who owe `month` are reminded, each a working day, each once.

        One before the deadline that is a day off moves back, so that it still comes before it; one
        after the deadline moves on.
        """
        due = self.deadline(month).day
        days = {
            _working_day(due + timedelta(days=offset), -1 if offset < 0 else 1)
            for offset in self.schedule.reminder_days
        }
        return sorted(days)

    def last_fetch(self, moment: datetime) -> datetime:
        """The last time, at or before `moment`, at which the inbox was to be looked at."""
        midnight = datetime.combine(moment.astimezone(SHANGHAI).date(), time.min, SHANGHAI)
        step = timedelta(minutes=self.schedule.fetch_minutes)
        return midnight + (moment - midnight) // step * step

    def years_unknown(self, moment: datetime) -> list[int]:
        """The years, of this month and the next two, whose statutory holidays are not known."""
        month = Month.of(moment.astimezone(SHANGHAI).date())
        years = {month.plus(step).year for step in range(3)}
        return sorted(year for year in years if not is_working_day(date(year, 12, 31))[1])

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, self.schedule.at, SHANGHAI)

    def _run_begins(self, month: Month) -> datetime:
        return self._at(self.deadline(month).day + timedelta(days=self.schedule.run_day))

    def _mornings(self, month: Month) -> Iterator[datetime]:
        following = month.plus(1)
        ends = self._run_begins(following if self.has(following) else month.plus(AFTERMATH_MONTHS))
        moment = self._run_begins(month)
        while moment < ends:
            yield moment
            moment += timedelta(days=1)


def due(home: Home, since: datetime, now: datetime) -> list[Duty]:
    """What fell due after `since`, up to `now`, in the order in which it is to be done.

    Of each kind and month only the newest: three missed mornings are one run, two missed reminders
    one letter. What has come in is fetched first. Raises UsageError as `Timetable.of`.
    """
    return due_by(Timetable.of(home), since, now)


def due_by(timetable: Timetable, since: datetime, now: datetime) -> list[Duty]:
    """`due`, of a timetable."""
    fetch = timetable.last_fetch(now)
    fetches = [Duty(Kind.FETCH, None, fetch)] if fetch > since else []
    return fetches + newest(timetable.between(since, now))


def newest(duties: Iterable[Duty]) -> list[Duty]:
    """Of each kind and month the newest, in order."""
    last: dict[tuple[Kind, Month | None], Duty] = {}
    for duty in duties:
        known = last.get((duty.kind, duty.month))
        if known is None or duty.at > known.at:
            last[duty.kind, duty.month] = duty
    return sorted(last.values(), key=_in_order)


def reminders_at(schedule: Schedule) -> time:
    """The time of day at which reminders go out."""
    return (datetime.combine(date(2018, 1, 1), schedule.at) + REMIND_AFTER).time()


def _in_order(duty: Duty) -> tuple[datetime, int]:
    return duty.at, _ORDER.index(duty.kind)


def _working_day(day: date, step: int) -> date:
    while not is_working_day(day)[0]:
        day += timedelta(days=step)
    return day


def _planned_years(home: Home) -> frozenset[int]:
    """The years with a plan: registered, or lying in the plan folder to be registered by a run."""
    years = {int(event.payload["year"]) for event in Journal(home.journal).of_kind(PLAN_REGISTERED)}
    if home.plans.is_dir():
        years |= {int(path.name[:4]) for path in home.plans.glob("[12][0-9][0-9][0-9]*.xlsx")}
    return frozenset(years)
