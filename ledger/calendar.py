"""Deadlines: the 5th of the next month, moved past weekends and statutory holidays.

The holiday calendar is `chinesecalendar`'s (国务院办公厅's yearly notice, make-up working days
included). For a year it does not know, weekends alone count, and `Deadline.holidays_known` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from schemas.month import Month

#: Asia/Shanghai has had no daylight saving since 1991: a fixed offset needs no tzdata.
SHANGHAI = timezone(timedelta(hours=8), "CST")
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last moment at which a first submission is timely (CONTRACT §6.5)."""

    day: date
    holidays_known: bool

    @property
    def moment(self) -> datetime:
        """The end of the deadline day, Asia/Shanghai."""
        return datetime.combine(self.day, time.max, SHANGHAI)


def is_working_day(day: date) -> tuple[bool, bool]:
    """Whether `day` is a working day, and whether the holidays of its year are known."""
    import chinese_calendar  # its tables cost 30 ms that `check` need not pay

    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < _SATURDAY, False


@cache
def deadline(month: Month, day_of_month: int = 5) -> Deadline:
    """When reports for `month` are due."""
    following = month.plus(1)
    day = date(following.year, following.month, min(day_of_month, following.last_day.day))
    known = True
    while True:
        working, year_known = is_working_day(day)
        known = known and year_known
        if working:
            return Deadline(day, known)
        day += timedelta(days=1)


def _machine_clock() -> datetime:
    return datetime.now(SHANGHAI)


_clock: Callable[[], datetime] = _machine_clock


def now() -> datetime:
    """This moment, to the second, Asia/Shanghai."""
    return _clock().astimezone(SHANGHAI).replace(microsecond=0)


@contextmanager
def clock_at(clock: Callable[[], datetime]) -> Iterator[None]:
    """Let another clock tell this process what time it is: for a simulated year. No variable of the
    environment does this: what the journal says was when it says."""
    global _clock  # noqa: PLW0603
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


def parse_moment(text: str) -> datetime:
    """Read ISO 8601; without an offset it is Asia/Shanghai (CONTRACT §5). Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)


def moment_text(moment: datetime) -> str:
    """A moment as it is printed and stored: ISO 8601 with +08:00."""
    return moment.astimezone(SHANGHAI).isoformat()
