"""Stored numbers: exact decimal text, number formats, and which numbers are dates.

The same for every format that stores dates as serial numbers (xlsx, xls).
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite

from ledger.reading.model import Cell, CellKind

#: Built-in format codes (ECMA-376 18.8.30); 27–36 and 50–58 as in zh-CN.
BUILTIN_FORMATS: dict[int, str] = {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"¥"#,##0;"¥"-#,##0',
    6: '"¥"#,##0;[Red]"¥"-#,##0',
    7: '"¥"#,##0.00;"¥"-#,##0.00',
    8: '"¥"#,##0.00;[Red]"¥"-#,##0.00',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy/m/d",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy/m/d h:mm",
    27: 'yyyy"年"m"月"',
    28: 'm"月"d"日"',
    29: 'm"月"d"日"',
    30: "m-d-yy",
    31: 'yyyy"年"m"月"d"日"',
    32: 'h"时"mm"分"',
    33: 'h"时"mm"分"ss"秒"',
    34: '上午/下午h"时"mm"分"',
    35: '上午/下午h"时"mm"分"ss"秒"',
    36: 'yyyy"年"m"月"',
    37: "#,##0;-#,##0",
    38: "#,##0;[Red]-#,##0",
    39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;[Red]-#,##0.00",
    41: '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ',
    42: '_ "¥"* #,##0_ ;_ "¥"* -#,##0_ ;_ "¥"* "-"_ ;_ @_ ',
    43: '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ',
    44: '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
    50: 'yyyy"年"m"月"',
    51: 'm"月"d"日"',
    52: 'yyyy"年"m"月"',
    53: 'm"月"d"日"',
    54: 'm"月"d"日"',
    55: '上午/下午h"时"mm"分"',
    56: '上午/下午h"时"mm"分"ss"秒"',
    57: 'yyyy"年"m"月"',
    58: 'm"月"d"日"',
}

# What in a format code is literal or a condition: "text", \c, _c and *c (padding), [Red], [$-804].
# [h], [mm], [ss] (time elapsed) are kept: they say that the number is a length of time.
_LITERAL = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]?', re.IGNORECASE | re.DOTALL)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_NOT_DATES = re.compile(r"General|G/通用格式|E[+-]", re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[ymdhse]|上午|下午|a{3,4}", re.IGNORECASE)

# A workbook's dates know no time zone.
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
#: 9999-12-31, the last day a spreadsheet knows.
_LAST_SERIAL = 2_958_465
#: A double holds 15 decimal digits exactly; beyond that the shortest text that gives the same
#: double is the number, and the rest of the stored digits is its binary tail.
EXACT_DIGITS = 15
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?").fullmatch
is_plain = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch


@lru_cache(maxsize=4096)
def is_date_format(code: str) -> bool:
    """Whether numbers in this format are shown as dates or times of day.

    Formats of elapsed time (``[h]:mm``) are not dates: what they show is a length.
    """
    section = _LITERAL.sub("", code).split(";", 1)[0]
    if _ELAPSED.search(section):
        return False
    return _DATE_LETTERS.search(_NOT_DATES.sub("", section)) is not None


def exact(text: str) -> tuple[Decimal, str] | None:
    """A stored number as Decimal and as the text people see for it; None where it is no number.

    The shortest decimal text of the stored double: ``120.09999999999999`` is how Excel stores the
    double of 120.1, and ``0.30000000000000004`` stays, because it is another double than 0.3.
    """
    text = text.strip()
    if len(text) <= EXACT_DIGITS and is_plain(text):
        return Decimal(text), text
    if not _NUMBER(text):
        return None
    number = float(text)
    return exact_double(number) if isfinite(number) else None


def exact_double(number: float) -> tuple[Decimal, str]:
    """The same for a double read from a binary format."""
    shortest = Decimal(repr(number))
    if shortest == shortest.to_integral_value() and abs(number) < 1e16:
        shortest = Decimal(int(number))
    return shortest, format(shortest, "f")


def date_of(serial: Decimal, *, date1904: bool) -> datetime | time | None:
    """A serial number as the moment it shows; below 1 a time of day; None where it shows none.

    The 1900 system counts a 29 February 1900 that never was; serial 60 shows that day and is none.
    """
    if serial < 0 or serial > _LAST_SERIAL:
        return None
    if serial < 1 and not date1904:
        return (_EPOCH_1900 + timedelta(seconds=min(round(float(serial) * 86400), 86399))).time()
    days = int(serial)
    seconds = timedelta(seconds=round(float(serial - days) * 86400))
    if date1904:
        return _EPOCH_1904 + timedelta(days=days) + seconds if days <= _LAST_SERIAL - 1462 else None
    if days == 60:
        return None
    return _EPOCH_1900 + timedelta(days=days + (days < 60)) + seconds


def moment_text(moment: datetime | time) -> str:
    """``2018-06-01``, with the time of day only where there is one."""
    if isinstance(moment, datetime) and moment.time() == time.min:
        return moment.date().isoformat()
    return moment.isoformat(" ") if isinstance(moment, datetime) else moment.isoformat()


def date_cell(row: int, column: int, moment: datetime | time, code: str, is_formula: bool) -> Cell:
    """A DATE cell; its raw text is the date, for the serial number says nothing to anybody."""
    return Cell(row, column, CellKind.DATE, moment, moment_text(moment), code, is_formula)
