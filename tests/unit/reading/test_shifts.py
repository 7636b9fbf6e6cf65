"""Shifted rows against the registered plan: what is proved, what is not, what is no shift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.checking.plan import check_plan
from ledger.reading.model import Book, Filing, ReadRow
from ledger.reading.submission import read_book
from schemas.plan import Plan
from tests.builders import sheet
from tests.layouts import INDICATOR, NEED, PROJECT, REGISTRY, SECOND, SEPTEMBER, table

PRINTED = Path(__file__).resolve().parents[3] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"


@pytest.fixture(scope="module")
def plan() -> Plan:
    registered = check_plan(PRINTED.read_bytes(), PRINTED.name, 2018, 1, REGISTRY)
    assert isinstance(registered, Plan)
    return registered


def row_of(plan: Plan, name: str, *rows: list[Any]) -> ReadRow:
    """The last of the rows as read."""
    book = Book("xlsx", [sheet("表", table(name, *rows))])
    submission = read_book(book, "甲.xlsx", "00", Filing(REGISTRY, SEPTEMBER, plan))
    (found,) = submission.tables
    return found.rows[-1]


def codes(row: ReadRow) -> list[str]:
    return [f.rule for f in row.findings]


def test_rows_that_stand_as_registered_are_no_shift(plan: Plan) -> None:
    for name, row in (("projects", PROJECT), ("needs", NEED), ("indicators", INDICATOR)):
        assert row_of(plan, name, row).shifted == ""


def test_amounts_copied_from_the_printed_annex_are_put_right(plan: Plan) -> None:
    row = row_of(plan, "needs", [*NEED[:4], 500, 200, 300, None, *NEED[8:]])
    assert (codes(row), row.shifted) == (["F17"], "F17")
    names = ("total_investment_fen", "funds_total_fen", "enterprise_planned_fen", "self_planned_fen")
    assert [row.value(name) for name in names] == [None, 500_000_000, 200_000_000, 300_000_000]
    assert row.value("need_status") == "洽谈中"


def test_amounts_pushed_over_the_planned_start_are_put_right(plan: Plan) -> None:
    row = row_of(plan, "projects", [*PROJECT[:3], None, 200, 200, 50, 150, *PROJECT[8:]])
    assert (codes(row), row.value("self_planned_fen")) == (["F17"], 150_000_000)
    assert row.value("start_planned") is None and not row.failed("start_planned")
    assert row.value("accept_planned") is not None


def test_amounts_that_are_not_the_registered_ones_prove_nothing(plan: Plan) -> None:
    row = row_of(plan, "projects", [*PROJECT[:3], None, 210, 210, 60, 150, *PROJECT[7:]])
    assert (codes(row), row.shifted) == (["F16"], "F16")
    row = row_of(plan, "projects", [*PROJECT[:2], "别的项目", None, *PROJECT[3:]])
    assert codes(row) == ["F16"]


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("start", [0, 1, 2, 3, 4, 5])
def test_cells_inserted_before_the_amounts(plan: Plan, start: int, step: int) -> None:
    row = row_of(plan, "projects", SECOND, [*PROJECT[:start], *[None] * step, *PROJECT[start:]])
    assert codes(row) == ["F17"]
    assert row.value("fiscal_paid_cum_fen") == 40_000_000 and row.value("status") == "在建"


def test_what_f16_sets_aside_is_neither_blank_nor_read(plan: Plan) -> None:
    row = row_of(plan, "projects", [*PROJECT[:10], None, *PROJECT[10:]])
    assert row.failed("status") and row.value("status") is None
    assert row.values["start_actual"].raw == "在建"
    assert row.value("funds_total_fen") == 200_000_000
    assert row.findings[0].expected is None and "向右错了 1 列" in row.findings[0].message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({10: "施工中", 12: "年底"}, ["C05", "C02"]),
        ({14: "待定", 20: "见附件"}, ["C01", "C01"]),
        ({10: None, 14: None, 15: None}, ["C06", "C06", "C06"]),
        ({11: "已开工", 21: "待定", 22: "若干"}, ["C02", "C01", "C10"]),
        ({13: 5, 20: None}, ["C02", "C06"]),
        ({17: "2018年8月", 24: "65%"}, ["C01"]),
    ],
)
def test_several_errors_in_a_row_are_no_shift(
    plan: Plan, changes: dict[int, Any], expected: list[str]
) -> None:
    row = row_of(plan, "projects", [changes.get(i, value) for i, value in enumerate(PROJECT)])
    assert codes(row) == expected


def test_a_target_that_stands_where_it_is_registered_has_not_moved(plan: Plan) -> None:
    row = row_of(plan, "indicators", [*INDICATOR[:5], None, 2018, None])
    assert codes(row) == ["C06"]
