"""Lights by the window's own arithmetic (CONTRACT: progress lights)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checking.lights import Light, light, window_months, window_progress, year_progress
from schemas.month import Month

MAY, OCTOBER = Month(2018, 5), Month(2018, 10)
MONTHS = st.builds(Month, st.just(2018), st.integers(1, 12))


@pytest.mark.parametrize(
    ("at", "share"),
    [
        (Month(2018, 4), Fraction(0)),
        (MAY, Fraction(1, 6)),
        (Month(2018, 9), Fraction(5, 6)),
        (OCTOBER, Fraction(1)),
        (Month(2018, 12), Fraction(1)),
    ],
)
def test_both_ends_of_the_window_count(at: Month, share: Fraction) -> None:
    assert window_months(MAY, OCTOBER) == 6
    assert window_progress(MAY, OCTOBER, at) == share


def test_a_window_of_one_month_is_gone_at_its_end() -> None:
    assert window_progress(MAY, MAY, MAY) == 1


def test_progress_of_the_year() -> None:
    assert year_progress(Month(2018, 9)) == Fraction(3, 4)


#: at the end of September 5/6 of the window is gone: 83.33… points
CASES: list[tuple[str, str | None, Month, Light | None]] = [
    ("在建", "83.4", Month(2018, 9), "green"),
    ("在建", "83.33", Month(2018, 9), "yellow"),
    ("在建", "73.34", Month(2018, 9), "yellow"),
    ("在建", "73.33", Month(2018, 9), "red"),
    ("在建", "0", Month(2018, 4), "green"),
    ("未开工", "0", Month(2018, 4), "green"),
    ("未开工", "0", MAY, "red"),
    ("未开工", None, Month(2018, 6), "red"),
    ("在建", None, Month(2018, 9), None),
    ("已完工", "100", OCTOBER, "green"),
    ("已完工", "100", Month(2018, 11), "red"),
    ("已验收", "100", Month(2018, 11), "green"),
    ("已取消", "0", Month(2018, 11), None),
]


@pytest.mark.parametrize(("status", "progress", "at", "expected"), CASES)
def test_light(status: str, progress: str | None, at: Month, expected: Light | None) -> None:
    done = None if progress is None else Decimal(progress)
    assert light(status, done, MAY, OCTOBER, at) == expected


def test_without_a_window_only_an_overrun_is_known() -> None:
    assert light("在建", Decimal(1), None, OCTOBER, Month(2018, 9)) is None
    assert light("在建", Decimal(1), None, OCTOBER, Month(2018, 11)) == "red"
    assert light("未开工", Decimal(0), MAY, None, Month(2018, 6)) == "red"
    assert light(None, Decimal(0), MAY, OCTOBER, Month(2018, 6)) is None


@given(MONTHS, MONTHS, MONTHS, st.integers(0, 100), st.integers(0, 100))
def test_more_progress_is_never_a_worse_light(
    start: Month, accept: Month, at: Month, one: int, other: int
) -> None:
    order = ["red", "yellow", "green"]
    less, more = sorted((one, other))
    worse = light("在建", Decimal(less), start, accept, at)
    better = light("在建", Decimal(more), start, accept, at)
    assert worse is not None
    assert better is not None
    assert order.index(worse) <= order.index(better)
