"""Money: an exact integer number of 分 inside, 万元 outside.

No amount ever passes through a binary float sum. A workbook's stored number arrives as its
shortest decimal text and is converted with `Decimal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

FEN_PER_YUAN = 100
FEN_PER_WAN = 1_000_000
#: A difference from a whole 分 smaller than this share of the amount is floating-point noise
#: of the spreadsheet, not a figure (CONTRACT §7, Numbers).
NOISE = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Rounded:
    """An amount in 分, and whether the figure was finer than 0.01 元 (rule C12)."""

    fen: int
    finer_than_fen: bool


def to_fen(amount: Decimal, fen_per_unit: int = FEN_PER_WAN) -> Rounded:
    """Convert an amount stated in 万元 (or 元, with `fen_per_unit`=100) to whole 分.

    Rounds half to even. Noise of relative size 1e-9 is not reported as a finer figure.
    Raises ValueError for NaN and infinities.
    """
    if not amount.is_finite():
        raise ValueError(f"not an amount: {amount}")
    exact = amount * fen_per_unit
    whole = exact.to_integral_value(rounding=ROUND_HALF_EVEN)
    return Rounded(int(whole), abs(exact - whole) > abs(exact) * NOISE)


def plain(number: Decimal) -> str:
    """A decimal as plain text: no exponent, no trailing zeros, no negative zero."""
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def wan_text(fen: int) -> str:
    """An amount in 万元 as plain decimal text without trailing zeros: 1205000 → ``1.205``."""
    return plain(Decimal(fen) / FEN_PER_WAN)


def wan(fen: int) -> Decimal:
    """An amount in 万元, exact."""
    return Decimal(fen) / FEN_PER_WAN
