"""The calendar as people read it: what happens by itself on which day of the coming weeks."""

from __future__ import annotations

from datetime import datetime, timedelta

from flows import artifacts
from flows.schedule import Duty, Kind, Timetable
from ledger.calendar import SHANGHAI
from ledger.home import Home
from schemas.month import Month

#: How far ahead it is shown: over the next deadline and the reminders after it.
DAYS = 45
_WEEKDAYS = "一二三四五六日"


def key_of(home: Home) -> str:
    """The artifact's key: one for each home."""
    return artifacts.key_of(home, None, "calendar")


def coming(timetable: Timetable, moment: datetime) -> list[dict[str, str]]:
    """What comes in the next weeks, a row each: day, time, what. Of a month's runs the first."""
    until = moment + timedelta(days=DAYS)
    rows = [(duty.at, _what(duty)) for duty in _shown(timetable, moment, until)]
    for month in _months(timetable, moment):
        deadline = timetable.deadline(month).moment
        if moment < deadline <= until:
            rows.append((deadline, f"{month.chinese}报表截止"))
    return [
        {
            "日期": f"{at.month}月{at.day}日（星期{_WEEKDAYS[at.weekday()]}）",
            "时间": "当天24时" if what.endswith("截止") else f"{at:%H:%M}",
            "办什么": what,
        }
        for at, what in sorted((at.astimezone(SHANGHAI), what) for at, what in rows)
    ]


def sentence(timetable: Timetable, moment: datetime) -> str:
    """What stands over the table: what is not in it, and what is not known."""
    told = [
        "以下各项到时自动办理。月报以后每天早上再看一次，有新收到的就重出；"
        f"收件每 {timetable.schedule.fetch_minutes} 分钟一次。签发和发送由人启动。"
    ]
    if unknown := timetable.years_unknown(moment):
        years = "、".join(map(str, unknown))
        told.append(f"{years} 年的法定节假日程序还不知道，暂按周末推算；公布后请升级 chinesecalendar。")
    if not coming(timetable, moment):
        told.append("日程上没有事项：这些月份没有登记计划。")
    return "".join(told)


def _shown(timetable: Timetable, moment: datetime, until: datetime) -> list[Duty]:
    firsts = {
        month: next((duty for duty in timetable.of_month(month) if duty.kind is Kind.RUN), None)
        for month in _months(timetable, moment)
    }
    return [
        duty
        for duty in timetable.between(moment, until)
        if duty.kind is not Kind.RUN or (duty.month is not None and duty == firsts.get(duty.month))
    ]


def _months(timetable: Timetable, moment: datetime) -> list[Month]:
    """The months that something may be due for in the coming weeks."""
    this = Month.of(moment.astimezone(SHANGHAI).date())
    return [month for step in range(-2, 3) if timetable.has(month := this.plus(step))]


def _what(duty: Duty) -> str:
    assert duty.month is not None
    said = {
        Kind.FORMS: "生成预填表，发给各单位",
        Kind.RUN: "收齐、核对、入账，出报告草稿，退回的发回",
        Kind.REMIND: "催没报的，发回退回的",
    }
    return f"{duty.month.chinese}：{said[duty.kind]}"
