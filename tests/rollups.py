"""Programmes for tests of the roll-up, without a ledger: figures given or made up by hypothesis."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ledger.calendar import SHANGHAI
from ledger.reporting.rollup_model import Programme, Source, Unread, totals_of
from schemas.rollup import FIGURES, Kind

WAN = 1_000_000
#: A county in which all is well, every figure its own.
FIGURES_OF_A = {
    "units": 12, "units_reported": 12, "units_timely": 11, "units_missing": 0, "units_returned": 1,
    "projects": 9, "projects_going": 8, "projects_started": 7, "projects_finished": 3,
    "projects_accepted": 1, "projects_unreported": 0, "red": 1, "yellow": 2, "green": 5, "judged": 8,
    "progress_sum": Decimal("361.5"), "progress_projects": 8,
    "fiscal_planned": 2000 * WAN, "fiscal_received": 1570 * WAN + 1, "fiscal_paid": 1184 * WAN + 70,
    "self_planned": 500 * WAN, "self_received": 220 * WAN, "self_paid": 80 * WAN,
    "poor_households": Decimal(709), "poor_persons": Decimal(2393),
    "needs": 6, "needs_signed": 2, "needs_planned": 9000 * WAN, "signed_amount": 1200 * WAN,
    "enterprise_received": 340 * WAN, "indicators": 5, "indicators_met": 1, "indicators_behind": 3,
    "indicators_unreported": 0, "errors": 2, "warnings": 4,
}  # fmt: skip


def programme(county: str, place: tuple[str, str] = ("", ""), **changed: Any) -> Programme:
    """A programme with the figures above but for those that are changed."""
    return Programme(
        folder=f"县/{county}",
        name=f"{county}结对合作",
        county=county,
        province=place[0],
        prefecture=place[1],
        totals=totals_of(
            {**FIGURES_OF_A, **{k: v for k, v in changed.items() if k in FIGURES}},
            reported=changed.get("reported", True),
        ),
        source=changed.get(
            "source", Source(None, True, datetime(2018, 10, 9, 16, 5, tzinfo=SHANGHAI), 1, 40)
        ),
        missing=changed.get("missing", ()),
        returned=changed.get("returned", ()),
        red=(),
        time_progress=Decimal(75),
        sample=changed.get("sample", False),
    )


def unread(county: str, place: tuple[str, str] = ("", ""), reason: str = "日志读不出来") -> Unread:
    return Unread(f"县/{county}", county, *place, reason)


_VALUES = {
    Kind.MONEY: st.none() | st.integers(-(10**13), 10**13),
    Kind.COUNT: st.none() | st.integers(0, 400),
    Kind.NUMBER: st.none() | st.decimals(0, 10**6, places=2),
}


@st.composite
def programmes(draw: st.DrawFn) -> list[Programme]:
    """Programmes anywhere, each figure stated or not."""
    count = draw(st.integers(0, 7))
    found = []
    for number in range(count):
        place = (draw(st.sampled_from(["", "甲省", "乙省"])), draw(st.sampled_from(["", "东州", "西州"])))
        values = {name: draw(_VALUES[figure.kind]) for name, figure in FIGURES.items()}
        found.append(programme(f"县{number}", place, reported=draw(st.booleans()), **values))
    return found
