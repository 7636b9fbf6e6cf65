"""What the sample programme tells: invented progress of a real plan, June to September 2018.

Every figure, date and sentence here is made up for demonstration; the plan is the real one. Money
is in 万元, cumulative since the year began; what is paid in a month is the difference to the month
before. Partners are called 「某企业」: no firm and no person is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MONTHS = ("2018-06", "2018-07", "2018-08", "2018-09")


@dataclass(frozen=True)
class Progress:
    """One project at the end of one month; amounts are cumulative, in 万元."""

    status: str
    progress: int
    fiscal_received: str
    self_received: str
    invested: str
    fiscal_paid: str
    self_paid: str
    households: int
    persons: int
    problems: str = ""
    measures: str = ""
    remarks: str = ""
    start: str = ""
    finish: str = ""
    accept: str = ""


@dataclass(frozen=True)
class Matchmaking:
    """One need at the end of one month; amounts in 万元, '' = not stated."""

    status: str
    progress: str = ""
    partner: str = ""
    signed: str = ""
    enterprise_received: str = ""
    self_received: str = ""


@dataclass(frozen=True)
class Target:
    """One indicator: what was done in each of the four months, with evidence and remarks."""

    done: tuple[str, str, str, str]
    evidence: tuple[str, str, str, str] = ("", "", "", "")
    remarks: str = ""

    def cumulative(self, place: int) -> Decimal:
        return sum((Decimal(done) for done in self.done[: place + 1]), Decimal(0))
