"""The office's calendar: what falls due when, over holidays and year ends. The days in the tables were
looked up in the State Council's notices, not computed by the program."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import almanac
from flows.schedule import Duty, Kind, Timetable, due_by, newest
from ledger.calendar import SHANGHAI
from ledger.settings import Schedule
from schemas.month import Month

YEARS = frozenset(range(2018, 2027))


def timetable(
    *,
    first: str = "2018-01",
    years: frozenset[int] = YEARS,
    deadline_day: int = 5,
    schedule: Schedule | None = None,
) -> Timetable:
    return Timetable(schedule or Schedule(), Month.parse(first), deadline_day, years)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def days(table: Timetable, month: str, kind: Kind) -> list[str]:
    return [
        duty.at.strftime("%m-%d %H:%M") for duty in table.of_month(Month.parse(month)) if duty.kind is kind
    ]


# deadline the 5th, moved past days off; reminders 3 and 1 days before it (moved back to a working
# day), 1, 3 and 7 days after it (moved on)
@pytest.mark.parametrize(
    ("month", "deadline", "first_run", "reminders"),
    [
        # an ordinary month: 5 July 2018 is a Thursday; 8 July a Sunday
        ("2018-06", "2018-07-05", "07-06", ["07-02", "07-04", "07-06", "07-09", "07-12"]),
        # 5 August 2018 is a Sunday: Monday the 6th; three days before is Friday the 3rd, the day
        # before is Sunday, so Friday too; 9 and 13 August are working days
        ("2018-07", "2018-08-06", "08-07", ["08-03", "08-07", "08-09", "08-13"]),
        # National Day 2018: 1–7 October off, 29 and 30 September worked
        ("2018-09", "2018-10-08", "10-09", ["09-30", "10-09", "10-11", "10-15"]),
        # New Year and a weekend: 5 January 2019 is a Saturday
        ("2018-12", "2019-01-07", "01-08", ["01-04", "01-08", "01-10", "01-14"]),
        # Spring Festival 2019: 4–10 February off, Saturday 2 and Sunday 3 February worked
        ("2019-01", "2019-02-11", "02-12", ["02-03", "02-12", "02-14", "02-18"]),
        # Spring Festival 2020, longer because of the epidemic: off until 2 February, deadline a Wednesday
        ("2020-01", "2020-02-05", "02-06", ["01-23", "02-04", "02-06", "02-10", "02-12"]),
        # National Day 2020: 1–8 October off, Friday the 9th worked
        ("2020-09", "2020-10-09", "10-10", ["09-30", "10-10", "10-12", "10-16"]),
        # Labour Day 2021: 1–5 May off, Saturday 8 May worked
        ("2021-04", "2021-05-06", "05-07", ["04-30", "05-07", "05-10", "05-13"]),
    ],
)
def test_a_month_by_its_deadline(month: str, deadline: str, first_run: str, reminders: list[str]) -> None:
    table = timetable()
    assert table.deadline(Month.parse(month)).day == date.fromisoformat(deadline)
    assert days(table, month, Kind.RUN)[0] == f"{first_run} 08:00"
    assert days(table, month, Kind.REMIND) == [f"{day} 08:30" for day in reminders]


@pytest.mark.parametrize("month", ["2018-01", "2018-06", "2019-12"])
def test_forms_on_the_25th_of_the_month_itself(month: str) -> None:
    assert days(timetable(), month, Kind.FORMS) == [f"{month[5:]}-25 08:00"]


def test_the_run_comes_every_morning_until_the_next_month_has_its_turn() -> None:
    runs = days(timetable(), "2018-09", Kind.RUN)
    assert runs[0] == "10-09 08:00"
    assert runs[-1] == "11-05 08:00"  # October's deadline is Monday 5 November, its run the 6th
    assert len(runs) == 23 + 5
    assert days(timetable(), "2018-10", Kind.RUN)[0] == "11-06 08:00"


def test_the_last_month_of_a_programme_is_looked_after_for_a_year() -> None:
    table = timetable(years=frozenset({2018}))
    runs = [duty.day for duty in table.of_month(Month(2018, 12)) if duty.kind is Kind.RUN]
    assert runs[0] == date(2019, 1, 8)
    assert runs[-1] == date(2020, 1, 6)
    assert table.of_month(Month(2019, 1)) == []


def test_nothing_before_the_first_month_nor_without_a_plan() -> None:
    table = timetable(first="2018-06", years=frozenset({2018, 2020}))
    assert table.of_month(Month(2018, 5)) == []
    assert table.of_month(Month(2019, 6)) == []
    assert table.of_month(Month(2020, 6)) != []
    assert timetable(years=frozenset()).between(at("2018-01-01"), at("2030-01-01")) == []


def test_other_days_by_the_settings() -> None:
    schedule = Schedule(forms_day=20, reminder_days=(0, 2), run_day=3, at=time(23, 45), fetch_minutes=45)
    table = timetable(deadline_day=10, schedule=schedule)
    assert days(table, "2018-09", Kind.FORMS) == ["09-20 23:45"]
    assert days(table, "2018-09", Kind.RUN)[0] == "10-13 23:45"
    # half an hour after the run's time is the next day
    assert days(table, "2018-09", Kind.REMIND) == ["10-11 00:15", "10-13 00:15"]
    assert table.last_fetch(at("2018-10-10T23:50")) == at("2018-10-10T23:15")


def test_years_whose_holidays_are_not_known_are_named() -> None:
    unknown = timetable(years=frozenset({2018, 2098, 2099}))
    assert unknown.years_unknown(at("2098-12-20")) == [2098, 2099]
    assert unknown.years_unknown(at("2018-09-20")) == []
    # weekends count: 5 January 2099 is a Monday, 4 January a Sunday
    assert unknown.deadline(Month(2098, 12)).day == date(2099, 1, 5)
    assert days(unknown, "2098-12", Kind.REMIND)[:2] == ["01-02 08:30", "01-06 08:30"]


# --- what fell due


def words(duties: list[Duty]) -> list[str]:
    return [f"{duty.chinese} {duty.at:%m-%d}" for duty in duties]


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        # one look later: nothing but the inbox
        ("2018-10-12T09:00", "2018-10-12T09:10", ["收件 10-12"]),
        ("2018-10-12T09:01", "2018-10-12T09:09", []),
        # the moment itself is due, and only once
        (
            "2018-09-25T07:59",
            "2018-09-25T08:00",
            ["收件 09-25", "2018-09 预填表 09-25", "2018-08 月报 09-25"],
        ),
        ("2018-09-25T08:00", "2018-09-25T08:01", []),
        # run before reminder on the same morning
        ("2018-10-09T00:00", "2018-10-09T12:00", ["收件 10-09", "2018-09 月报 10-09", "2018-09 催报 10-09"]),
        # off over National Day: the forms and the reminder of September, August's mornings once
        (
            "2018-09-24T12:00",
            "2018-10-08T10:00",
            ["收件 10-08", "2018-09 预填表 09-25", "2018-09 催报 09-30", "2018-08 月报 10-08"],
        ),
        # off for a quarter, over the year's end: each month's things once, the newest of each
        (
            "2018-12-20T12:00",
            "2019-02-20T12:00",
            [
                "收件 02-20",
                "2018-12 预填表 12-25",
                "2018-11 月报 01-07",
                "2018-12 催报 01-14",
                "2019-01 预填表 01-25",
                "2018-12 月报 02-11",
                "2019-01 催报 02-18",
                "2019-01 月报 02-20",
            ],
        ),
    ],
)
def test_due(since: str, now: str, expected: list[str]) -> None:
    assert words(due_by(timetable(), at(since), at(now))) == expected


MOMENTS = st.datetimes(datetime(2018, 2, 1), datetime(2026, 6, 1)).map(
    lambda moment: moment.replace(tzinfo=SHANGHAI, microsecond=0)
)


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.lists(st.integers(0, 60 * 24 * 20), min_size=1, max_size=6))
def test_however_often_one_looks_the_same_falls_due(start: datetime, steps: list[int]) -> None:
    """Looks at any moments see together what one look over the whole time sees, each duty once."""
    table = timetable()
    seen: list[Duty] = []
    moment = start
    for step in steps:
        later = moment + timedelta(minutes=step)
        seen += table.between(moment, later)
        moment = later
    assert seen == table.between(start, moment)
    assert len(set(seen)) == len(seen)
    assert newest(seen) == [duty for duty in due_by(table, start, moment) if duty.kind is not Kind.FETCH]


@settings(max_examples=60, deadline=None)
@given(st.integers(2018, 2026), st.integers(1, 12), st.sets(st.integers(-10, 20), max_size=6))
def test_reminders_are_on_working_days_on_their_side_of_the_deadline(
    year: int, month: int, offsets: set[int]
) -> None:
    from ledger.calendar import is_working_day

    one = Month(year, month)
    schedule = Schedule(reminder_days=tuple(offsets))
    table = timetable(schedule=schedule)
    due = table.deadline(one).day
    reminded = table.reminder_days(one)
    assert all(is_working_day(day)[0] for day in reminded)
    assert len(reminded) <= len(offsets)
    assert any(day < due for day in reminded) == any(offset < 0 for offset in offsets)
    assert any(day > due for day in reminded) == any(offset > 0 for offset in offsets)


# --- as people read it


def test_the_coming_weeks_as_people_read_them() -> None:
    rows = almanac.coming(timetable(), at("2018-09-20T12:00"))
    assert [" ".join(row.values()) for row in rows] == [
        "9月25日（星期二） 08:00 2018年9月：生成预填表，发给各单位",
        "9月30日（星期日） 08:30 2018年9月：催没报的，发回退回的",
        "10月8日（星期一） 当天24时 2018年9月报表截止",
        "10月9日（星期二） 08:00 2018年9月：收齐、核对、入账，出报告草稿，退回的发回",
        "10月9日（星期二） 08:30 2018年9月：催没报的，发回退回的",
        "10月11日（星期四） 08:30 2018年9月：催没报的，发回退回的",
        "10月15日（星期一） 08:30 2018年9月：催没报的，发回退回的",
        "10月25日（星期四） 08:00 2018年10月：生成预填表，发给各单位",
        "11月2日（星期五） 08:30 2018年10月：催没报的，发回退回的",
    ]
    assert "法定节假日" not in almanac.sentence(timetable(), at("2018-09-20T12:00"))


def test_people_are_told_what_the_calendar_does_not_know() -> None:
    late = timetable(years=frozenset({2098, 2099}))
    assert "2098、2099 年的法定节假日程序还不知道" in almanac.sentence(late, at("2098-12-20T12:00"))
    assert "没有登记计划" in almanac.sentence(timetable(years=frozenset()), at("2018-09-20T12:00"))
