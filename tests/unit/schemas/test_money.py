"""Money: 万元 to 分 and back, exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import FEN_PER_YUAN, plain, to_fen, wan, wan_text

FEN = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("amount", "per_unit", "fen", "finer"),
    [
        ("120.5", 1_000_000, 120_500_000, False),
        ("0.000001", 1_000_000, 1, False),
        ("0.0000005", 1_000_000, 0, True),
        ("0.0000015", 1_000_000, 2, True),
        ("0.0000025", 1_000_000, 2, True),
        ("123.45", FEN_PER_YUAN, 12_345, False),
        ("123.455", FEN_PER_YUAN, 12_346, True),
        ("-3", 1_000_000, -3_000_000, False),
        ("179.99999999999997", 1_000_000, 180_000_000, False),
        ("0.1000000000000000055", 1_000_000, 100_000, False),
        ("0", 1_000_000, 0, False),
    ],
)
def test_to_fen(amount: str, per_unit: int, fen: int, finer: bool) -> None:
    assert to_fen(Decimal(amount), per_unit) == type(to_fen(Decimal(0)))(fen, finer)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        to_fen(Decimal(amount))


@given(FEN)
def test_text_and_back(fen: int) -> None:
    text = wan_text(fen)
    assert to_fen(Decimal(text)).fen == fen
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith("0"))
    assert wan(fen) == Decimal(text)


@given(FEN)
def test_the_spreadsheets_float_is_the_same_amount(fen: int) -> None:
    stored = Decimal(repr(fen / 1_000_000))
    assert to_fen(stored).fen == fen or abs(fen) > 10**14


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=9))
def test_rounding_moves_by_half_a_fen_at_most(amount: Decimal) -> None:
    rounded = to_fen(amount)
    off = abs(Decimal(rounded.fen) - amount * 1_000_000)
    assert off <= Decimal("0.5")
    assert rounded.finer_than_fen == (off > abs(amount * 1_000_000) * Decimal("1e-9"))


@pytest.mark.parametrize(
    ("number", "text"), [("1E+3", "1000"), ("-0.0", "0"), ("2.50", "2.5"), ("1e-7", "0.0000001")]
)
def test_plain(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
