"""Whatever rows of an annex slip by one or two columns: a figure comes out right or blank.

The tables are made up, their totals are stated and right. A repair that gave a wrong figure would
be an invention; none may be found.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checking import plan as plan_module
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Book
from ledger.registry import Registry
from schemas.plan import Plan
from tests.builders import sheet

REGISTRY = Registry.load(Home(CHECKOUT))
FIELDS = ("total_investment_fen", "funds_total_fen", "enterprise_planned_fen", "self_planned_fen")
FEN = 1_000_000
HEADER: list[list[Any]] = [
    ["附件 2"],
    ["招商项目需求表"],
    ["序号", "建设地", "项目名称", "建设规模及内容", "建设期限", "项目总投资(万元)", "项目资金安排(万元)", None, None, "备注"],
    [None, None, None, None, None, None, "合计", "企业投资或社会帮扶", "自筹资金"],
]  # fmt: skip

amounts = st.one_of(st.integers(0, 3), st.integers(0, 3000))
slips = st.sampled_from([0, 0, -1, -1, 1, 1, -2, 2])


def slipped(row: list[Any], step: int, whole_lost: bool) -> list[Any]:
    """The row with its amounts (or the last three of them) `step` columns off."""
    first = 6 if whole_lost else 5
    cells = [*row, None, None]
    moved = cells[first:9]
    for place in range(5, 9):
        cells[place] = None
    for place, value in enumerate(moved, start=first + step):
        cells[place] = value
    return cells


def registered(rows: list[list[Any]]) -> Plan:
    book = Book("xlsx", [sheet("附件2", [*HEADER, *rows])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "open_book", lambda data, name: book)
        plan = plan_module.check_plan(b"", "plan.xlsx", 2018, 1, REGISTRY)
    assert isinstance(plan, Plan)
    return plan


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(amounts, amounts, slips, st.booleans()), min_size=1, max_size=7), st.booleans())
def test_a_figure_comes_out_right_or_blank(
    items: list[tuple[int, int, int, bool]], whole_stated: bool
) -> None:
    rows, truth = [], []
    for number, (enterprise, own, step, whole_lost) in enumerate(items, start=1):
        total = enterprise + own
        row = [
            number,
            "某县",
            f"第{number}号项目",
            "内容",
            "2018-2019",
            total,
            total,
            enterprise,
            own,
            "产业合作",
        ]
        rows.append(slipped(row, step, whole_lost) if step else row)
        truth.append(dict(zip(FIELDS, (total, total, enterprise, own), strict=True)))
    sums = {name: sum(figures[name] for figures in truth) for name in FIELDS}
    stated = [sums[name] for name in FIELDS]
    grand = ["合计", None, None, None, None, stated[0] if whole_stated else None, *stated[1:]]

    plan = registered([grand, *rows])

    assert len(plan.items) - len(REGISTRY.targets) == len(items)
    for item, figures, (_, _, step, _) in zip(plan.items, truth, items, strict=False):
        for name in FIELDS:
            assert item.fen(name) in (None, figures[name] * FEN), (item.row, name, rows)
        if not step:
            assert item.fen("funds_total_fen") == figures["funds_total_fen"] * FEN


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=2, max_size=6),
    st.data(),
)
def test_a_row_slipped_by_one_is_put_right_where_the_totals_close(
    items: list[tuple[int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    step = data.draw(st.sampled_from([-1, 1]))
    rows = [
        [n, "某县", f"第{n}号项目", "内容", "2018-2019", e + o, e + o, e, o, None]
        for n, (e, o) in enumerate(items, start=1)
    ]
    enterprise, own = sum(e for e, _ in items), sum(o for _, o in items)
    grand = ["合计", None, None, None, None, None, enterprise + own, enterprise, own]
    rows[place] = slipped(rows[place], step, whole_lost=True)

    plan = registered([grand, *rows])

    item = plan.items[place]
    e, o = items[place]
    if step == -1 or item.fen("funds_total_fen") is not None:
        assert [item.fen(name) for name in FIELDS[1:]] == [(e + o) * FEN, e * FEN, o * FEN]
