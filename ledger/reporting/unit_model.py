"""A unit's own report as data: its items, its standing, what went back to it, what to do by when.

Frozen like the county's (ledger.reporting.model), and built from it: a figure that stands in both
is the same object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.reporting.model import (
    CorrectionLine,
    CountyReport,
    IndicatorLine,
    KeyFigure,
    NeedLine,
    ProjectLine,
    UnitLine,
)


@dataclass(frozen=True, slots=True)
class Returned:
    """One thing to put right: where, what became of it, what is wrong, what to do."""

    file: str
    place: str
    effect: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do, and by when; `due` is None where it is to be done at once."""

    text: str
    due: date | None
    grave: bool

    @property
    def when(self) -> str:
        """10月8日前, 立即."""
        return "立即" if self.due is None else f"{self.due.month}月{self.due.day}日前"


@dataclass(frozen=True, slots=True)
class Rank:
    """The unit's place among those that have the figure, the best first; equal figures share one."""

    name: str
    pct: Decimal
    place: int
    among: int
    mean: Decimal


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One unit's report for the month of `county`; rows are in the plan's order.

    `due` is the day by which the next month's report is owed.
    """

    county: CountyReport
    unit: UnitLine
    conclusion: str
    key_figures: tuple[KeyFigure, ...]
    tasks: tuple[Task, ...]
    ranks: tuple[Rank, ...]
    standing: tuple[str, ...]
    projects: tuple[ProjectLine, ...]
    needs: tuple[NeedLine, ...]
    indicators: tuple[IndicatorLine, ...]
    returned: tuple[Returned, ...]
    corrections: tuple[CorrectionLine, ...]
    due: date
