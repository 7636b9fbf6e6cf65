"""Progress lights: a project's 形象进度 against its own window (CONTRACT: progress lights).

One place for the arithmetic: rule R09 asks for reasons where the light is red, and the report
prints the lights. All of it is exact; no binary fraction decides a light.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from schemas.month import Month

Light = Literal["green", "yellow", "red"]

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"
#: How many points below the window's progress are still yellow.
TOLERANCE = 10

NOT_STARTED = "未开工"
ACCEPTED = "已验收"
CANCELLED = "已取消"


def window_months(start: Month, accept: Month) -> int:
    """Months in the window, both ends included; at least 1 where the plan has them reversed."""
    return max(1, accept.index - start.index + 1)


def window_progress(start: Month, accept: Month, at: Month) -> Fraction:
    """The share of the window gone at the end of month `at`, from 0 to 1."""
    gone = at.index - start.index + 1
    return min(Fraction(1), max(Fraction(0), Fraction(gone, window_months(start, accept))))


def year_progress(at: Month) -> Fraction:
    """序时进度: months of the year gone at the end of month `at` ÷ 12, from 0 to 1."""
    return Fraction(at.month, 12)


def light(
    status: str | None,
    progress_pct: Decimal | None,
    start: Month | None,
    accept: Month | None,
    at: Month,
) -> Light | None:
    """The light of a project with this status and progress (0–100) at the end of month `at`.

    `start` and `accept` are the planned months. None where there is no light: a cancelled
    project, an unknown status, or no window or progress to compare and no date overrun.
    """
    if status is None or status == CANCELLED:
        return None
    if status == NOT_STARTED and start is not None and at > start:
        return RED
    if status != ACCEPTED and accept is not None and at > accept:
        return RED
    if start is None or accept is None or progress_pct is None:
        return None
    # multiplied by the window's months, everything stays exact without dividing
    months = window_months(start, accept)
    gone = min(months, max(0, at.index - start.index + 1))
    behind = 100 * gone - progress_pct * months
    if behind <= 0:
        return GREEN
    return YELLOW if behind <= TOLERANCE * months else RED
