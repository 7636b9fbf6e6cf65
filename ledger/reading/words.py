"""How written words are compared: headings, names, captions.

A heading is compared by its *key*: width and blanks folded, units and notes in brackets left
out, every sign dropped, so that 「累计支付（万元）—财政帮扶资金」, 「累计支付-财政帮扶资金」 and
「累计支付\n财政帮扶\n资金」 are one. Everything here is pure and cached: a batch of workbooks
repeats the same headings.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from schemas.columns import NEED_STATUSES, PROJECT_STATUSES
from schemas.money import FEN_PER_WAN, FEN_PER_YUAN

#: What an amount's unit is worth, in 分.
MONEY_UNITS = {
    "元": FEN_PER_YUAN,
    "百元": 100 * FEN_PER_YUAN,
    "千元": 1_000 * FEN_PER_YUAN,
    "万元": FEN_PER_WAN,
    "百万元": 100 * FEN_PER_WAN,
    "千万元": 1_000 * FEN_PER_WAN,
    "亿元": 10_000 * FEN_PER_WAN,
}

#: White space and the characters of Unicode's category Cf (zero width, marks of direction).
INVISIBLE = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb"
)
UNSEEN = re.compile(rf"[\s{INVISIBLE}]+")

_BRACKETS = re.compile(r"[(\[{〔【〈《]([^()\[\]{}〔〕【】〈〉《》]*)[)\]}〕】〉》]")
_UNIT_WORDS = re.compile(r"(?:金额|计量|货币)?单位[:为]?(?:人民币)?")
#: A note in brackets that says which figure is meant is part of the heading: 「累计(支付)」.
_MEANT = re.compile(r"[拨付支]|到位|完成|投资|计划|实际|自筹|财政|企业|本月|当月|累计|上月|开工|完工|验收")
#: A list of the words to choose from is none: 「项目状态(未开工/在建/…)」.
_CHOICES = re.compile(r"[/、,，|\s]+")
#: How far back a figure reaches, written before a heading that says 累计 or 进度 itself.
_AS_OF = re.compile(
    r"^(?:(?:截至|截止|至|到)(?:本|当)?月?(?:末|底|目前|\d{1,2}月(?:末|底|份)?|报告期末?)?|自?(?:年初|开工)(?:以来|至今)?)"
    r"(?=累计|形象|工程|完成)"
)
_TRAILING_UNIT = re.compile(r"(?<=.)[/,、·:]?(百万元|千万元|万元|千元|百元|亿元|元|%)$")
_STATUSES = frozenset({*PROJECT_STATUSES, *NEED_STATUSES, "等", ""})
_ORDINAL = re.compile(r"^\(?\d{1,2}[.、)](?=\D)")
_MONEY_WORD = re.compile(r"百万元|千万元|万元|千元|百元|亿元|元")
_LONGEST_HEADING = 60


class Key(NamedTuple):
    """A heading as compared: its words, '' where it is only a unit; and the unit of money named."""

    words: str
    money_unit: str


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """NFKC (full width, brackets), no white space and no invisible characters, lower case."""
    return UNSEEN.sub("", unicodedata.normalize("NFKC", text)).lower()


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _kept_note(match: re.Match[str]) -> str:
    """What stays of a note in brackets: nothing, but where it says which figure is meant."""
    note = match[1]
    choices = _CHOICES.split(note)
    if len(choices) > 1 and all(choice in _STATUSES for choice in choices if choice):
        return ""
    return note if _MEANT.search(note) else ""


@lru_cache(maxsize=4096)
def key(text: str) -> Key:
    """The key of one heading cell. A text too long for a heading gets no words."""
    if len(text) > _LONGEST_HEADING:
        return Key("?" + text[:_LONGEST_HEADING], "")
    rest = fold(text)
    unit = ""
    for note in _BRACKETS.findall(rest):
        found = _MONEY_WORD.fullmatch(_UNIT_WORDS.sub("", note))
        if found:
            unit = found[0]
    rest = _AS_OF.sub("", _BRACKETS.sub(_kept_note, rest))
    if _UNIT_WORDS.match(rest) and rest not in {"单位", "计量单位"}:
        bare = _UNIT_WORDS.sub("", rest)
        if bare in MONEY_UNITS or bare == "%":
            return Key("", unit or (bare if bare in MONEY_UNITS else ""))
    if rest in MONEY_UNITS:
        return Key("", rest)
    trailing = _TRAILING_UNIT.search(rest)
    if trailing:
        if trailing[1] in MONEY_UNITS:
            unit = unit or trailing[1]
        rest = rest[: trailing.start()]
    words = _letters(_ORDINAL.sub("", rest))
    # a footnote's mark (累计支付①) is folded to a digit
    return Key(words if words.isdecimal() else words.rstrip("0123456789"), unit)
