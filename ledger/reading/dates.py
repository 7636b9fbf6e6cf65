"""Dates and months as people write them (CONTRACT §7, Dates).

Standard forms — 2018年5月, 2018年5月1日, ISO — are taken as they stand; every other form that can
mean only one date is taken with a step (C11); the rest is no date (C02) or can't be one (C13).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from schemas.month import Month, PartialDate

_FIRST_SERIAL, _LAST_SERIAL = 36526, 55153
_DAYS_1904 = 1462
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  a spreadsheet's day has no time zone
_EARLIEST, _LATEST = 1949, 2199

_STANDARD = re.compile(r"(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
_WRITTEN = re.compile(r"(\d{4}|\d{2})年(\d{1,2})月(?:份|中旬|上旬|下旬|初|中|底|末|(\d{1,2})[日号]?)?")
_SEPARATED = re.compile(r"(\d{4})([-./])(\d{1,2})(?:\2(\d{1,2}))?[日月]?")
#: Midnight behind a date, as another program writes a day out. It goes before the blanks do, else
#: 2018-5-1 00:00 would be the 10th.
_MIDNIGHT = re.compile(r"(?<=[\d日号])(?:\s+|[Tt])0{1,2}[:：]00(?:[:：]00(?:\.0+)?)?\s*$")
_YEARLESS = re.compile(r"(?:今年|本年|当年)?(\d{1,2})月(?:份|中旬|上旬|下旬|初|中|底|末|(\d{1,2})[日号]?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_DASHES = str.maketrans(dict.fromkeys("—–－−―‐‑", "-"))
_CHINESE_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
_TENS = re.compile(r"([二三])?十([一二三四五六七八九])?")
_SHOWS_TWO_PLACES = re.compile(r"0+\.00(?![0-9#])")
LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass(frozen=True, slots=True)
class DateRead:
    """A date read with its steps, or `problem`: C02 (no date) or C13 (none that can be).

    `hint` is a remedy of its own where the case has one.
    """

    value: PartialDate | None = None
    steps: tuple[str, ...] = ()
    problem: str = ""
    hint: str | None = None


_NO_DATE = DateRead(problem="C02")


def _made(year: int, month: int, day: int | None, steps: tuple[str, ...] = ()) -> DateRead:
    if not _EARLIEST <= year <= _LATEST:
        return DateRead(problem="C13")
    try:
        return DateRead(PartialDate(year, month, day), steps)
    except ValueError:
        return DateRead(problem="C13")


def from_datetime(moment: datetime, number_format: str) -> DateRead:
    """A native date; 2018年5月 as typed is stored as its first day and shown without it."""
    shown = LITERAL.sub("", number_format).lower()
    month_only = moment.day == 1 and "m" in shown and "d" not in shown
    return _made(moment.year, moment.month, None if month_only else moment.day)


def _from_serial(number: Decimal, date1904: bool) -> DateRead:
    days = int(number) + (_DAYS_1904 if date1904 else 0)
    day = _EPOCH + timedelta(days=days)
    return _made(day.year, day.month, day.day, ("日期序号转日期",))


def from_number(number: Decimal, number_format: str, date1904: bool) -> DateRead:
    """A number in a date column: a serial day, 201805, 20180520, or 2018.5."""
    if _FIRST_SERIAL <= number < _LAST_SERIAL + 1:
        return _from_serial(number, date1904)
    if number == number.to_integral_value():
        compact = _COMPACT.fullmatch(str(int(number)))
        return _compact(compact) if compact else _NO_DATE
    year = int(number)
    if not _EARLIEST <= year <= _LATEST:
        return _NO_DATE
    places = format(number.normalize(), "f").partition(".")[2]
    if places == "1":
        if not _SHOWS_TWO_PLACES.search(number_format):
            return DateRead(
                problem="C02",
                hint=f"数字 {year}.1 可能是{year}年1月，也可能是{year}年10月，请写成“{year}年1月”或“{year}年10月”。",
            )
        places = "10"
    if len(places) > 2:
        return _NO_DATE
    return _made(year, int(places), None, ("年.月转年月",))


def _compact(match: re.Match[str]) -> DateRead:
    if not _EARLIEST <= int(match[1]) <= _LATEST:
        return _NO_DATE
    return _made(int(match[1]), int(match[2]), int(match[3]) if match[3] else None, ("数字转日期",))


def arabic(text: str) -> str:
    """Chinese numerals to digits: 二〇一八年十二月 → 2018年12月."""

    def tens(match: re.Match[str]) -> str:
        first = _CHINESE_DIGITS[match[1]] if match[1] else "1"
        return first + (_CHINESE_DIGITS[match[2]] if match[2] else "0")

    return "".join(_CHINESE_DIGITS.get(c, c) for c in _TENS.sub(tens, text))


def from_text(text: str, year: int, date1904: bool = False) -> DateRead:
    """A text in a date column; `year` is the plan's, for 5月 and 6月底."""
    dated = _MIDNIGHT.sub("", text)
    bare = "".join(c for c in dated if not c.isspace() and unicodedata.category(c) != "Cf")
    standard = _STANDARD.fullmatch(bare) or _ISO.fullmatch(bare)
    if standard and dated == text:
        return _made(int(standard[1]), int(standard[2]), int(standard[3]) if standard[3] else None)
    folded = unicodedata.normalize("NFKC", bare).translate(_DASHES).strip("'。.").lower()
    steps = ("日期写法规范",)
    if any(c in _CHINESE_DIGITS or c == "十" for c in folded):
        folded = arabic(folded)
    written = _WRITTEN.fullmatch(folded)
    if written:
        full_year = int(written[1]) if len(written[1]) == 4 else 2000 + int(written[1])
        return _made(full_year, int(written[2]), int(written[3]) if written[3] else None, steps)
    separated = _SEPARATED.fullmatch(folded)
    if separated:
        day = separated[4]
        return _made(int(separated[1]), int(separated[3]), int(day) if day else None, steps)
    yearless = _YEARLESS.fullmatch(folded)
    if yearless:
        day = yearless[2]
        return _made(year, int(yearless[1]), int(day) if day else None, (f"按计划年度补年份{year}",))
    compact = _COMPACT.fullmatch(folded)
    if compact:
        return _compact(compact)
    if folded.isdecimal() and _FIRST_SERIAL <= int(folded) <= _LAST_SERIAL:
        return _from_serial(Decimal(folded), date1904)
    return _NO_DATE


def later_than(value: PartialDate, month: Month) -> bool:
    """Whether a date lies after the end of a month."""
    return (value.year, value.month) > (month.year, month.month)
