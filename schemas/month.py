"""Months and dates whose day may be unknown.

A report is made for a `Month`; a date in a table may be known to the day or only to the month
(「2018年5月」), which `PartialDate` keeps apart.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import total_ordering

_MONTH_TEXT = re.compile(r"(\d{4})-(\d{1,2})")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month, such as the one a submission reports on (月份).

    `year` is 1900–2199 and `month` 1–12; anything else raises ValueError.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1900 <= self.year <= 2199 and 1 <= self.month <= 12):
            raise ValueError(f"no such month: {self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``YYYY-MM`` (CONTRACT §1). Raises ValueError for anything else."""
        match = _MONTH_TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not a month (YYYY-MM): {text!r}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def plus(self, months: int) -> Month:
        """The month that many months later (earlier where negative)."""
        year, month0 = divmod(self.index + months, 12)
        return Month(year, month0 + 1)

    @property
    def index(self) -> int:
        """Months since the year 0: differences of indexes are numbers of months."""
        return self.year * 12 + self.month - 1

    @property
    def chinese(self) -> str:
        """``2018年9月``, as captions have it."""
        return f"{self.year}年{self.month}月"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])


@total_ordering
@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date whose day may be unknown (``day`` is then None).

    Two dates compare by day where both days are known, by month otherwise: 2018-05 and 2018-05-20
    are neither before nor after each other in `certainly_after`, and order by text elsewhere.
    """

    year: int
    month: int
    day: int | None = None

    def __post_init__(self) -> None:
        date(self.year, self.month, self.day or 1)

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ``YYYY-MM`` or ``YYYY-MM-DD``. Raises ValueError for anything else."""
        parts = [int(part) for part in text.split("-")]
        if len(parts) not in (2, 3):
            raise ValueError(f"not a date: {text!r}")
        return cls(*parts)

    @classmethod
    def of(cls, day: date) -> PartialDate:
        return cls(day.year, day.month, day.day)

    def __str__(self) -> str:
        text = f"{self.year:04d}-{self.month:02d}"
        return text if self.day is None else f"{text}-{self.day:02d}"

    def __lt__(self, other: PartialDate) -> bool:
        return (self.year, self.month, self.day or 0) < (other.year, other.month, other.day or 0)

    @property
    def as_month(self) -> Month:
        return Month(self.year, self.month)

    @property
    def chinese(self) -> str:
        text = f"{self.year}年{self.month}月"
        return text if self.day is None else f"{text}{self.day}日"

    def certainly_after(self, other: PartialDate) -> bool:
        """True where this date is later whatever the unknown days are."""
        mine, theirs = (self.year, self.month), (other.year, other.month)
        if mine != theirs or self.day is None or other.day is None:
            return mine > theirs
        return self.day > other.day
