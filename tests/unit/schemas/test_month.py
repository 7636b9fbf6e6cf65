"""Months, and dates whose day may be unknown."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.month import Month, PartialDate

MONTHS = st.builds(Month, st.integers(1950, 2150), st.integers(1, 12))
DATES = st.dates(date(1950, 1, 1), date(2150, 12, 31))
PARTIAL = st.builds(
    lambda day, known: PartialDate.of(day) if known else PartialDate(day.year, day.month),
    DATES,
    st.booleans(),
)


@given(MONTHS, st.integers(-600, 600))
def test_months_count(month: Month, steps: int) -> None:
    moved = month.plus(steps)
    assert moved.index - month.index == steps
    assert moved.plus(-steps) == month
    assert (moved > month) == (steps > 0)
    assert Month.parse(str(month)) == month


@given(DATES)
def test_a_day_lies_in_its_month(day: date) -> None:
    month = Month.of(day)
    assert month.first_day <= day <= month.last_day
    assert month.plus(1).first_day > day


@pytest.mark.parametrize("text", ["2018", "2018-13", "2018-00", "201-09", "2018年9月", "2018-09-01", ""])
def test_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


@given(PARTIAL)
def test_a_partial_date_reads_back(value: PartialDate) -> None:
    assert PartialDate.parse(str(value)) == value


@given(PARTIAL, PARTIAL)
def test_certainly_after_holds_for_every_day_it_can_mean(one: PartialDate, other: PartialDate) -> None:
    first = date(one.year, one.month, one.day or 1)
    last = date(other.year, other.month, other.day or 1) if other.day else other.as_month.last_day
    assert one.certainly_after(other) == (first > last)
    assert not (one.certainly_after(other) and other.certainly_after(one))


@pytest.mark.parametrize("text", ["2018-02-30", "2018", "2018-13", "x"])
def test_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        PartialDate.parse(text)
