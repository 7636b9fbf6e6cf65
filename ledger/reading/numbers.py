"""Numbers as people write them: full width, thousands separators, units, approximations.

`read_number` takes a text apart; what the number then means (an amount, a percentage, a count) is
decided in ledger.reading.values.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from ledger.reading.words import INVISIBLE

_UNSEEN_SIGNS = re.compile(f"[{INVISIBLE}]")
_LONGEST_KEPT = 40
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_SPACED = re.compile(r"[+-]?\d{1,3}(?: \d{3})+(?:\.\d*)?")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d*)?e[+-]?\d{1,3}", re.IGNORECASE)
_CURRENCY = re.compile(r"^([+-]?)(?:¥|人民币|rmb|cny)\s*", re.IGNORECASE)
_MINUS = str.maketrans({"−": "-", "﹣": "-", "﹢": "+"})
_NUMERAL = re.compile(r"[0-9一二三四五六七八九十百千万亿半两几数]")
_RANGE = re.compile(r"\d\s*[%元万户人]*\s*(?:[-—–~～]|至|到)+\s*\d")
_VAGUE = re.compile(
    r"约|大概|大致|左右|上下|接近|将近|近|余|多|几|数[十百千万]|过半|一半|半数|以上|以下|以内|不足|不到|超过|超"
    r"|估计|预计|若干|至少|至多|最少|[大小高低少]于|逾|[十百千万\d]来|上[百千万]|[~～≈±<>≤≥]|\d\+$|\?$"
)
_ALWAYS_VAGUE = re.compile(r"若干|过半|一半|大半|半数|大部分|多数|多个|许多")

#: What stands for nothing: in an optional cell blank, in a required one missing (CONTRACT §7).
BLANK_WORDS = frozenset({"—", "-", "/", "无", "——", "--", "–", "－", "―", "−", "／"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number found in a text: its value, the unit written after it, what was done to read it."""

    value: Decimal
    suffix: str = ""
    steps: tuple[str, ...] = ()


def strip_outer(text: str) -> str:
    """Without outer blanks of any kind (NBSP, U+3000, line breaks) and invisible characters."""
    if len(text) > _LONGEST_KEPT:
        return _UNSEEN_SIGNS.sub("", text).strip()
    return _strip(text)


@lru_cache(maxsize=16384)
def _strip(text: str) -> str:
    return _UNSEEN_SIGNS.sub("", text).strip()


def is_vague(text: str) -> bool:
    """Whether a text states a figure only roughly or openly (rule C10)."""
    folded = unicodedata.normalize("NFKC", text)
    if _ALWAYS_VAGUE.search(folded) or _RANGE.search(folded):
        return True
    return bool(_VAGUE.search(folded) and _NUMERAL.search(folded))


def read_number(text: str, suffixes: tuple[str, ...]) -> Number | None:
    """Take a number and its unit out of a text; None where it is none.

    `suffixes` are the units that may follow, longer ones first. `steps` is empty for a plain
    number in ASCII digits, whatever blanks stand around it.
    """
    bare = strip_outer(text)
    steps: list[str] = []
    folded = unicodedata.normalize("NFKC", bare).translate(_MINUS)
    if folded != bare:
        steps.append("全角转半角")
    if folded.startswith("'"):
        folded = folded[1:].strip()
        steps.append("去掉撇号")
    sign = ""
    if folded.startswith("(") and folded.endswith(")"):
        sign, folded = "-", folded[1:-1].strip()
        steps.append("括号表示负数")
    without = _CURRENCY.sub(r"\1", folded)
    if without != folded:
        folded = without
        steps.append("去掉货币符号")
    suffix = next((s for s in suffixes if folded.endswith(s) and len(folded) > len(s)), "")
    if suffix:
        folded = folded[: -len(suffix)].rstrip()
        steps.append(f"去掉单位“{suffix}”")
    if _GROUPED.fullmatch(folded):
        folded = folded.replace(",", "")
        steps.append("去掉千分位")
    elif _SPACED.fullmatch(folded):
        folded = folded.replace(" ", "")
        steps.append("去掉空格")
    elif _SCIENTIFIC.fullmatch(folded):
        steps.append("科学计数法展开")
    elif not _PLAIN.fullmatch(folded):
        return None
    if sign and folded[0] in "+-":
        return None
    if folded.startswith("+"):
        steps.append("去掉正号")
    return Number(Decimal(sign + folded), suffix, tuple(steps))


def without_noise(value: Decimal) -> Decimal:
    """A stored number without the noise of binary fractions (relative 1e-9, CONTRACT §7)."""
    rounded = round(value, 6)
    return rounded if abs(value - rounded) <= abs(value) * Decimal("1e-9") else value
