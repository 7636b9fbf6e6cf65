"""Where a Chinese line may be stretched and squeezed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reporting.justify import may_stretch, share, squeezes, stretches


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("建", "始", True),
        ("建", "2", True),
        ("%", "建", True),
        ("2", "0", False),
        ("a", "b", False),
        ("—", "—", False),
        ("…", "…", False),
        ("—", "建", True),
        ("\u3000", "建", False),
        ("建", "\u3000", False),
        (" ", "建", True),
        ("建", " ", False),
        ("，", "“", True),
    ],
)
def test_may_stretch(before: str, after: str, allowed: bool) -> None:
    assert may_stretch(before, after) is allowed


def test_a_number_is_never_torn() -> None:
    assert stretches("共13278.7万元 ") == {0: 2.5, 7: 2.5, 8: 1.0}


def test_a_mark_stays_with_what_it_closes() -> None:
    assert stretches("率（4/5），乡") == {0: 2.5, 1: 0.4, 4: 0.4, 5: 0.4, 6: 2.5}


def test_squeezes_name_the_empty_halves() -> None:
    assert squeezes("全县，“乡”（镇") == {2: 1.0, 5: 1.0}
    assert squeezes("完。") == {1: 0.5}
    assert squeezes("好！") == {}


@given(
    st.floats(min_value=-20, max_value=200),
    st.lists(
        st.tuples(st.sampled_from([0.4, 0.5, 1.0, 2.5]), st.sampled_from([9.0, 14.0, 15.75, 21.0])),
        min_size=1,
        max_size=60,
    ),
)
def test_shares_add_up_to_the_total(total: float, gaps: list[tuple[float, float]]) -> None:
    weights, sizes = [gap[0] for gap in gaps], [gap[1] for gap in gaps]
    shares = share(total, weights, sizes)
    placed = sum(thousandths * size / 1000 for thousandths, size in zip(shares, sizes, strict=True))
    assert abs(placed - total) <= max(sizes) / 1000
    assert all(thousandths * total >= -1000 for thousandths in shares)
