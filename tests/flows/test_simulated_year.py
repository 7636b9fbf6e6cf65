"""A year of the office on another clock: forms, reminders, runs, approvals, sendings, corrections.

What arrived at the mail server over the year is compared with a list written from the contract and a
calendar of 2019; each of the office's works is killed once in its midst and done again. The same of
the served flows, over a month, is in test_month_on_prefect.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.verify import verify_home
from ledger.calendar import SHANGHAI, clock_at
from schemas.month import Month
from tests.office import LEADERS, OWING, SLUGS, make_home, write_book
from tests.office_days import Mailbox, PlainOffice, mail_server, on, silent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MONTHS = [Month(2019, number) for number in range(3, 13)]
#: The deadlines (the 10th, moved past weekends and holidays), from a calendar of 2019.
DUE = {3: "4月10日", 4: "5月10日", 5: "6月10日", 6: "7月10日", 7: "8月12日", 8: "9月10日",
       9: "10月10日", 10: "11月11日", 11: "12月10日", 12: "1月10日"}  # fmt: skip
HEAD = "云岚县结对合作简报"


#: Who does not report on the 3rd of the next month, and when he does: unit, month → moments.
OTHERWISE: dict[tuple[str, int], list[tuple[datetime, dict[str, Any]]]] = {
    ("松涧乡", 4): [(on("2019-05-14"), {})],
    # the only row can't be read: returned whole, then mended
    ("县水务局", 5): [(on("2019-06-03"), {"households": "四十余户"}), (on("2019-06-07"), {})],
    ("云东街道", 6): [(on("2019-08-01"), {})],
    ("松涧乡", 7): [
        (on("2019-08-03"), {}),
        (on("2019-08-20"), {"households": 44, "reason": "重复统计一户"}),
    ],
    ("石桥铺镇", 8): [
        (on("2019-09-03"), {}),
        (on("2019-10-22"), {"households": 45, "reason": "户数核实后更正"}),
    ],
    ("县合作办", 10): [(on("2019-11-25"), {})],
}
#: Signed and sent on which day: month → days, the second for the second edition.
SIGNED = {
    3: ["2019-04-12"], 4: ["2019-05-16"], 5: ["2019-06-12"], 6: ["2019-07-12", "2019-08-02"],
    7: ["2019-08-14", "2019-08-21"], 8: ["2019-09-12", "2019-10-23"], 9: ["2019-10-14", "2019-10-23"],
    10: ["2019-11-26"], 11: ["2019-12-12"], 12: ["2020-01-14"],
}  # fmt: skip
#: When the machine is off: what falls due meanwhile is done on the day after, once.
OFF = (date(2019, 11, 8), date(2019, 11, 19))
BACK = OFF[1] + timedelta(days=1)
#: What is killed in its midst once: kind of work, month → at which durable step.
KILLED = {
    ("fetch", 4): 5,
    ("forms", 7): 9,
    ("run", 7): 9,
    ("send_back", 5): 5,
    ("catch_up", 11): 3,
    ("remind", 6): 3,
    ("approve", 8): 7,
    ("send", 9): 6,
}


def reminded(month: int, unit: str, *told: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(day, SLUGS[unit], f"【催报】2019年{month}月月报表{words}（{unit}）") for day, words in told]


def expected() -> list[tuple[str, str, str]]:
    """(day, recipient, subject) of every mail of the year."""
    mails = []
    for month in (one.month for one in MONTHS):
        mails += [
            (f"2019-{month:02d}-25", SLUGS[unit], f"2019年{month}月月报表请于{DUE[month]}前报送（{unit}）")
            for unit in OWING
        ]
        for number, day in enumerate(SIGNED[month], start=1):
            mark = "" if number == 1 else f"第{number}版：更正，替换第{number - 1}版"
            mails += [(day, key, f"{HEAD}（2019年{month}月）{mark}") for key in [*LEADERS, SLUGS["松涧乡"]]]
    mails += reminded(4, "松涧乡", ("2019-05-07", "请于5月10日前报送"), ("2019-05-09", "请于5月10日前报送"),
                      ("2019-05-13", "已逾期3天，请尽快报送"))  # fmt: skip
    mails.append(("2019-06-03", SLUGS["县水务局"], "【请改正后重报】2019年5月月报表（县水务局）"))
    # the 7th is a holiday, the 9th a Sunday: both reminders before the deadline move to the 6th
    mails += reminded(5, "县水务局", ("2019-06-06", "请于6月10日前报送"))
    mails += reminded(6, "云东街道", ("2019-07-05", "请于7月10日前报送"), ("2019-07-09", "请于7月10日前报送"),
                      ("2019-07-11", "已逾期1天，请尽快报送"), ("2019-07-15", "已逾期5天，请尽快报送"),
                      ("2019-07-17", "已逾期7天，请尽快报送"))  # fmt: skip
    # the 7th lies in National Day's holidays: everyone is told on the last working day before them
    for unit in OWING:
        mails += reminded(9, unit, ("2019-09-30", "请于10月10日前报送"))
    # the machine was off from before the deadline: one letter, not five
    mails += reminded(10, "县合作办", ("2019-11-20", "已逾期9天，请尽快报送"))
    return mails


@pytest.fixture
def office(tmp_path: Path) -> PlainOffice:
    return PlainOffice(make_home(tmp_path / "云岚"), on("2019-03-20", 7), KILLED)


@pytest.fixture
def mailbox(office: PlainOffice) -> Iterator[Mailbox]:
    with mail_server(lambda: office.now) as box:
        yield box


def arrivals(folder: Path) -> dict[date, dict[datetime, list[Path]]]:
    """The year's workbooks by the day and the moment at which they come, those of a moment together."""
    found: dict[date, dict[datetime, list[Path]]] = {}
    for month in MONTHS:
        for unit in OWING:
            usual = on(f"{month.plus(1)}-03")
            for number, (moment, given) in enumerate(OTHERWISE.get((unit, month.month), [(usual, {})])):
                path = write_book(folder / f"{unit}_{month}_{number}.xlsx", unit, month, **given)
                found.setdefault(moment.date(), {}).setdefault(moment, []).append(path)
    return found


def test_a_year(office: PlainOffice, mailbox: Mailbox, tmp_path: Path) -> None:
    home = office.home
    books = tmp_path / "books"
    books.mkdir()
    coming = arrivals(books)
    signing = {
        (date.fromisoformat(day), month): number
        for month, days in SIGNED.items()
        for number, day in enumerate(days, start=1)
    }
    with clock_at(lambda: office.now):
        day = date(2019, 3, 20)
        while day <= date(2020, 1, 20):
            if not OFF[0] <= day <= OFF[1]:
                office.now = datetime.combine(day, time(8, 40), SHANGHAI)
                if day == BACK:
                    office.catch_up()
                else:
                    office.duties()
                for (signed, month), number in signing.items():
                    if signed == day:
                        office.now = datetime.combine(day, time(10), SHANGHAI)
                        office.sign(Month(2019, month), number)
                for moment, paths in coming.get(day, {}).items():
                    office.now = moment
                    office.arrive(*paths)
            else:
                assert not coming.get(day)
            day += timedelta(days=1)
    assert office.killed == KILLED.keys()
    told, wanted = Counter(mailbox.once()), Counter(expected())
    assert told - wanted == Counter(), "mails that nobody asked for"
    assert wanted - told == Counter(), "mails that never came"
    assert len(mailbox.mails) - len(mailbox.once()) <= 1, "only a killed sending may send again"
    assert verify_home(home, quick=False, progress=silent).fault is None
