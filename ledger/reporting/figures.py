"""Figures as the report prints them.

Amounts are printed in 万元, rounded half up to two digits without trailing zeros; rates and
progress averages with one digit. Differences are taken between the printed figures, so that a
reader with a pencil finds the same one.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from schemas.money import FEN_PER_WAN, plain, wan_text
from schemas.month import Month

#: What stands where nothing was reported. Never 0.
BLANK = "—"
_ONE_DIGIT = Decimal("0.1")
_TWO_DIGITS = Decimal("0.01")
_FULL = Decimal(100)


def wan(fen: int | None) -> str:
    """An amount in 分 as 万元 with at most two digits: 1205000 → ``1.21``; None → ``—``."""
    if fen is None:
        return BLANK
    return plain((Decimal(fen) / FEN_PER_WAN).quantize(_TWO_DIGITS, ROUND_HALF_UP))


def number(value: Decimal | None) -> str:
    """A reported number as it stands: ``65``, ``12.5``; None → ``—``."""
    return BLANK if value is None else plain(value)


def rounded(pct: Decimal) -> Decimal:
    """A percentage with one digit, half up; what is short of 100 never becomes 100."""
    shown = pct.quantize(_ONE_DIGIT, ROUND_HALF_UP)
    return _FULL - _ONE_DIGIT if shown == _FULL and pct < _FULL else shown


def percent(pct: Decimal | None) -> str:
    """A rate: ``40.3%``; None (nothing to divide, or not reported) → ``—``."""
    return BLANK if pct is None else f"{rounded(pct)}%"


def points(pct: Decimal | None) -> str:
    """A rate in a table whose head says %: ``40.3``; None → ``—``."""
    return BLANK if pct is None else str(rounded(pct))


def signed(difference: Decimal | int | None) -> str:
    """A change in a table: ``+5.0``, ``-3``, ``0``; None (nothing to compare with) → ``—``."""
    if difference is None:
        return BLANK
    if difference == 0:
        return "0"
    return f"{difference:+}"


def signed_wan(fen: int | None) -> str:
    """A change of an amount in 万元: ``+120.5``; None → ``—``."""
    if fen is None:
        return BLANK
    return f"+{wan(fen)}" if fen > 0 else wan(fen)


def difference(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """now − before between printed percentages, None where either is missing."""
    if now is None or before is None:
        return None
    return rounded(now) - rounded(before)


def expected(value: Decimal | None) -> str:
    """A projection with at most one digit: ``12666.7``; None → ``—``."""
    return BLANK if value is None else plain(value.quantize(_ONE_DIGIT, ROUND_HALF_UP))


def month_short(month: Month | None, year: int) -> str:
    """A planned month in a table: ``5月`` in the plan's own year, ``2019年3月`` otherwise."""
    if month is None:
        return BLANK
    return f"{month.month}月" if month.year == year else month.chinese


def wan_exact(fen: int) -> str:
    """An amount in 万元 to the 分, where the exact figure is what matters (corrections)."""
    return wan_text(fen)
