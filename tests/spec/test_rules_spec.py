"""The rules of checking, one table each: what raises a rule, and the near miss that does not.

A line reads: the clean row with these figures (万元), last month's or the plan's figures, and
what comes of it: rule, column, stated figure, expected figure, difference. Everything not in the
line must stay silent.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ledger.checking.model import History, Verdict
from schemas.finding import Effect, Severity, finding
from schemas.month import Month
from tests.rows import (
    AUGUST,
    FAILED,
    JULY,
    JUNE,
    KIWI,
    MARKET,
    OTHER,
    ROAD,
    SEPTEMBER,
    UNIT,
    WATER,
    at,
    check,
    check_line,
    context,
    field_of,
    history,
    item,
    line,
    only,
    plan_of,
    raised,
    read_table,
    submission,
    total,
    values,
    with_finding,
)

P, N, T = "projects", "needs", "indicators"

#: table, the row's figures, the plan's figures → rule, column, expected, difference
Within = tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str, str | None, str | None]]]
WITHIN_A_ROW: list[Within] = [
    (P, {}, {}, []),
    # R03 支付 > 到位 of the same source
    (P, {"fiscal_paid_cum": 50.01}, {}, [("R03", "fiscal_paid_cum", "50", "0.01")]),
    (P, {"fiscal_paid_cum": 50}, {}, []),
    (P, {"self_paid_cum": 151}, {}, [("R03", "self_paid_cum", "150", "1")]),
    (P, {"fiscal_paid_cum": 30, "self_received_cum": 80, "self_paid_cum": 80}, {}, []),
    (P, {"fiscal_paid_cum": 50.01, "fiscal_received_cum": FAILED}, {}, []),
    # R04 到位 > planned for the source
    (P, {"self_received_cum": 250.5}, {}, [("R04", "self_received_cum", "250", "0.5")]),
    (P, {"self_received_cum": 250}, {}, []),
    (P, {"self_received_cum": 260}, {"self_planned": None}, []),
    (
        P,
        {"self_received_cum": 1, "self_paid_cum": 0},
        {"self_planned": 0},
        [("R04", "self_received_cum", "0", "1")],
    ),
    (N, {"enterprise_received_cum": 2001}, {}, [("R04", "enterprise_received_cum", "2000", "1")]),
    (N, {"enterprise_received_cum": 2000}, {}, []),
    # R05 完成投资 > 总投资
    (P, {"invested_cum": 300.000001}, {}, [("R05", "invested_cum", "300", "0.000001")]),
    (P, {"invested_cum": 300}, {}, []),
    # R06 status and progress
    (
        P,
        {"status": "未开工", "problems": "a", "measures": "b"},
        {"start_planned": "2018-07"},
        [("R06", "status", None, None)],
    ),
    (
        P,
        {
            "status": "未开工",
            "progress_pct": 0,
            "start_actual": None,
            "fiscal_paid_month": 0,
            "self_paid_month": 0,
            "fiscal_paid_cum": 0,
            "self_paid_cum": 0,
        },
        {"start_planned": "2018-07"},
        [],
    ),
    (
        P,
        {
            "status": "未开工",
            "progress_pct": 0,
            "start_actual": None,
            "fiscal_paid_month": 0,
            "self_paid_month": 0,
            "fiscal_paid_cum": 0.01,
            "self_paid_cum": 0,
        },
        {"start_planned": "2018-07"},
        [("R06", "status", None, None)],
    ),
    (
        P,
        {"status": "已完工", "finish_actual": "2018-06", "progress_pct": 99.9},
        {},
        [("R06", "status", None, None)],
    ),
    (P, {"status": "已完工", "finish_actual": "2018-06", "progress_pct": 100}, {}, []),
    (P, {"status": "在建", "progress_pct": 100}, {}, []),
    (P, {"status": "在建", "progress_pct": 0}, {"start_planned": "2018-07"}, []),
    # R07 dates in order; two dates of which one is known to the month only may agree
    (P, {"finish_actual": "2018-04"}, {}, [("R07", "finish_actual", "2018-05", None)]),
    (
        P,
        {"finish_actual": "2018-05-01", "start_actual": "2018-05-02"},
        {},
        [("R07", "finish_actual", "2018-05-02", None)],
    ),
    (P, {"finish_actual": "2018-05", "start_actual": "2018-05-31"}, {}, []),
    (P, {"accept_actual": "2018-04"}, {}, [("R07", "accept_actual", "2018-05", None)]),
    (
        P,
        {"finish_actual": "2018-06", "accept_actual": "2018-05"},
        {},
        [("R07", "accept_actual", "2018-06", None)],
    ),
    # R10 status needs dates
    (P, {"start_actual": None}, {}, [("R10", "start_actual", None, None)]),
    (P, {"start_actual": FAILED}, {}, []),
    (P, {"status": "已完工", "progress_pct": 100}, {}, [("R10", "finish_actual", None, None)]),
    (
        P,
        {"status": "已验收", "progress_pct": 100, "start_actual": None},
        {},
        [("R10", name, None, None) for name in ("start_actual", "finish_actual", "accept_actual")],
    ),
    (P, {"status": "已取消", "start_actual": None}, {}, []),
    # C09 at least 1,000 times the planned figure of the source, or of all where it has none
    (
        P,
        {"fiscal_received_cum": 50000},
        {},
        [("C09", "fiscal_received_cum", "50", "49950"), ("R04", "fiscal_received_cum", "50", "49950")],
    ),
    (P, {"fiscal_received_cum": 49999.99}, {}, [("R04", "fiscal_received_cum", "50", "49949.99")]),
    (
        P,
        {"invested_cum": 300000},
        {},
        [("C09", "invested_cum", "300", "299700"), ("R05", "invested_cum", "300", "299700")],
    ),
    (
        P,
        {"self_received_cum": 300000},
        {"self_planned": None},
        [("C09", "self_received_cum", "300", "299700")],
    ),
    (N, {"signed_amount": 3000000}, {}, [("C09", "signed_amount", "3000", "2997000")]),
    (N, {"signed_amount": 2999999}, {}, []),
    (
        N,
        {"signed_amount": 2999999},
        {"total_investment": None, "funds_total": None, "enterprise_planned": None, "self_planned": None},
        [],
    ),
    (
        T,
        {"done_cum": 20000000},
        {"unit_of_measure": "万元", "target": 2000},
        [("C09", "done_cum", "2000", "19998000")],
    ),
    (T, {"done_cum": 20000000}, {"target": 2000}, []),
]


@pytest.mark.parametrize(("table", "figures", "planned", "expected"), WITHIN_A_ROW)
def test_within_a_row(
    table: str,
    figures: dict[str, Any],
    planned: dict[str, Any],
    expected: list[tuple[str, str, str | None, str | None]],
) -> None:
    stated = {name: planned[name] for name in planned}  # the form shows what the plan says
    checked = check_line(table, planned=planned, **stated, **figures)
    found = [
        (f.rule, f.cell, f.column, f.expected, f.difference) for f in checked.findings if f.rule != "R09"
    ]
    assert found == [
        (
            rule,
            at(table, name),
            field_of(table, name).title,
            bound,
            None if difference is None else Decimal(difference),
        )
        for rule, name, bound, difference in expected
    ]
    errors = {rule for rule, *_ in expected} & {"R03", "R06", "R07", "R10", "C09"}
    assert checked.verdict is (Verdict.RETURNED if errors else Verdict.ACCEPTED)
    for f in checked.findings:
        assert (f.item, f.row, f.table, f.file) == (checked_item(table), 5, table, "景阳镇.xlsx")
        assert f.sheet == checked.tables[0].sheet
        assert f.cell is not None and f.cell in f.message


def checked_item(table: str) -> str:
    return {P: WATER, N: KIWI, T: MARKET}[table].item_id


#: window 2018-05 … 2018-12, 8 months; at the end of July 3/8 = 37.5% is gone
R09: list[tuple[str, dict[str, Any], Month, str | None]] = [
    ("green", {"progress_pct": 37.5}, JULY, None),
    ("10 points below are yellow", {"progress_pct": 27.5}, JULY, None),
    ("further below is red", {"progress_pct": 27.4}, JULY, "problems"),
    ("both reasons are given", {"progress_pct": 27.4, "problems": "雨季", "measures": "赶工"}, JULY, None),
    ("one reason is missing", {"progress_pct": 27.4, "problems": "雨季"}, JULY, "measures"),
    (
        "not started after the planned month",
        {
            "status": "未开工",
            "progress_pct": 0,
            "start_actual": None,
            "fiscal_paid_month": 0,
            "self_paid_month": 0,
            "fiscal_paid_cum": 0,
            "self_paid_cum": 0,
        },
        JUNE,
        "problems",
    ),
    (
        "not accepted in time",
        {"status": "已完工", "progress_pct": 100, "finish_actual": "2018-12"},
        Month(2019, 1),
        "problems",
    ),
    ("cancelled has no light", {"status": "已取消", "progress_pct": 0}, Month(2019, 1), None),
]


@pytest.mark.parametrize(("_name", "figures", "month", "column"), R09, ids=[case[0] for case in R09])
def test_r09_red_without_reasons(
    _name: str, figures: dict[str, Any], month: Month, column: str | None
) -> None:
    checked = check_line(month=month, **figures)
    found = [(f.rule, f.cell) for f in checked.findings if f.rule not in ("H06", "C09")]
    assert found == ([] if column is None else [("R09", at(P, column))])
    assert checked.verdict is Verdict.ACCEPTED


def test_r08_returns_all_rows_of_the_item() -> None:
    table = read_table(P, line(P, 5), line(P, 6, item_name="青马线旅游扶贫公路", seq=7), line(P, 7, seq=4))
    mine = item(P, "2018-A1-07", UNIT, seq=7, item_name="青马线旅游扶贫公路")
    checked = check(submission(table), context(WATER, mine))
    assert raised(checked) == [("R08", at(P, "item_name", 5)), ("R08", at(P, "item_name", 7))]
    assert list(checked.tables[0].accepted) == ["2018-A1-07"]
    assert [row.row for _, row in checked.tables[0].returned] == [5, 7]
    assert checked.verdict is Verdict.IN_PART


#: plan column, stated → expected of P02, or None where it is the same
PLAN_COLUMNS: list[tuple[str, str, Any, str | None]] = [
    (P, "total_investment", 301, "300"),
    (P, "total_investment", 300.0, None),
    (P, "total_investment", None, None),
    (P, "fiscal_planned", 0, "50"),
    (P, "start_planned", "2018-06", "2018-05"),
    (P, "start_planned", "2018-05-15", None),
    (P, "place", "建 始 县", None),
    (P, "place", "恩施市", "建始县"),
    (P, "lead_unit", "景阳镇 政府", None),
    (P, "lead_unit", "高坪镇政府", "景阳镇政府"),
    (N, "period", "2018——2019", None),
    (N, "period", "2018—2019年", None),
    (N, "period", "2018-2020", "2018-2019"),
    (N, "category", "公共服务", "产业合作"),
    (T, "target", 3, "2"),
    (T, "unit_of_measure", "场", "次"),
]


@pytest.mark.parametrize(("table", "name", "stated", "expected"), PLAN_COLUMNS)
def test_p02_compares_values(table: str, name: str, stated: Any, expected: str | None) -> None:
    checked = check_line(table, **{name: stated})
    if expected is None:
        assert raised(checked) == []
        return
    found = only(checked, "P02")
    assert (found.cell, found.expected, found.value) == (at(table, name), expected, str(stated))
    assert raised(checked) == [("P02", at(table, name))]
    assert checked.verdict is Verdict.RETURNED


def test_p02_knows_a_unit_by_any_of_its_registered_names() -> None:
    known = {"景阳镇政府": UNIT, "景阳镇人民政府": UNIT, "茅田乡政府": OTHER}
    against = replace(context(), unit_of=known.get)
    for stated, rules in (
        ("景阳镇人民政府", []),
        ("茅田乡政府", ["P02"]),
        ("王某", ["P02"]),
    ):
        checked = check(submission(read_table(P, line(P, lead_unit=stated))), against)
        assert [found.rule for found in checked.findings] == rules, stated


def test_p02_states_the_difference_in_wan() -> None:
    assert only(check_line(total_investment=301.5), "P02").difference == Decimal("1.5")


#: the row's name and number → rule and column, item
MATCHES: list[tuple[dict[str, Any], str | None, str | None, str | None]] = [
    ({"item_name": "社坛村 安全饮水\n工程（深度贫困村）"}, None, None, "2018-A1-04"),
    ({"seq": 1}, "P08", "seq", "2018-A1-04"),
    ({"seq": None}, None, None, "2018-A1-04"),
    ({"item_name": "社坛村安全饮水工程"}, "P08", "item_name", "2018-A1-04"),
    ({"item_name": "社坛安全饮水"}, "P08", "item_name", "2018-A1-04"),
    ({"item_name": "社坛村光伏电站"}, "P01", "item_name", None),
    ({"item_name": "社坛村安全饮水工程", "seq": None}, "P01", "item_name", None),
    ({"item_name": "社坛村安全饮水工程", "seq": 7}, "P01", "item_name", None),
    ({"item_name": "青马线旅游扶贫公路", "seq": 7}, "P03", "item_name", "2018-A1-07"),
]


@pytest.mark.parametrize(("figures", "rule", "column", "item_id"), MATCHES)
def test_matching(figures: dict[str, Any], rule: str | None, column: str | None, item_id: str | None) -> None:
    checked = check(submission(read_table(P, line(P, **figures))), context(WATER, ROAD))
    found = [(f.rule, f.cell) for f in checked.findings if f.rule not in ("P02", "P04")]
    assert found == ([] if rule is None else [(rule, at(P, column or ""))])
    table = checked.tables[0]
    assert [*table.accepted, *(known for known, _ in table.returned)] == [item_id or (None)]
    assert ("P04" in [f.rule for f in checked.findings]) == (item_id != "2018-A1-04")
    assert bool(table.returned) == (rule in ("P01", "P03"))


@pytest.mark.parametrize(
    ("code", "name", "rule", "column"),
    [
        ("2018-T-03", "农产品集中营销", None, ""),
        ("T-03", "农产品集中营销", None, ""),
        ("3", None, None, ""),
        (None, "农产品 集中营销", None, ""),
        ("2018-T-03", "农产品营销", "P08", "indicator_name"),
        ("T-77", "农产品集中营销", "P08", "item_code"),
        ("T-77", "干部挂职", "P01", "indicator_name"),
        ("T-77", None, "P01", "item_code"),
        # a bare number beside a name is a place in the unit's own list
        ("1", "农产品集中营销", "P08", "item_code"),
        ("3", "农产品营销", "P08", "indicator_name"),
        ("3", "干部挂职", "P01", "indicator_name"),
    ],
)
def test_indicators_by_code_then_name(
    code: str | None, name: str | None, rule: str | None, column: str
) -> None:
    checked = check_line(T, item_code=code, indicator_name=name)
    found = [f for f in raised(checked) if f[0] != "P04"]
    assert found == ([] if rule is None else [(rule, at(T, column))])
    assert (rule == "P01") == bool(checked.tables[0].returned)


def test_p04_names_each_item_not_in_the_table() -> None:
    other = item(P, "2018-A1-05", seq=5, item_name="鱼精坝村公路升级改造工程")
    checked = check(submission(read_table(P, line(P))), context(WATER, other, ROAD))
    found = only(checked, "P04")
    assert (found.item, found.cell, found.sheet, found.table) == ("2018-A1-05", None, "表1 援建项目", P)
    assert checked.verdict is Verdict.ACCEPTED
    nil = check(submission(read_table(P, nil_report=True)), context(WATER, other, ROAD))
    assert [(f.rule, f.item) for f in nil.findings] == [("P04", "2018-A1-04"), ("P04", "2018-A1-05")]
    assert nil.verdict is Verdict.ACCEPTED


def test_f12_only_for_a_table_in_which_the_unit_has_items() -> None:
    given = submission(read_table(P, line(P)))
    checked = check(given, context(WATER, MARKET, item(N, "2018-A2-02", OTHER)))
    found = only(checked, "F12")
    assert (found.table, found.sheet, found.severity) == (T, None, Severity.WARNING)
    assert raised(check(given, context(WATER))) == []
    already = history(current={T: {}})
    assert raised(check(given, context(WATER, MARKET, history=already))) == []


def test_f08_for_a_file_received_before() -> None:
    given = submission(read_table(P, line(P)))
    checked = check(given, context(WATER, received=given.sha256))
    assert (only(checked, "F08").severity, checked.verdict) == (Severity.INFO, Verdict.ACCEPTED)
    assert raised(check(given, context(WATER, received="0" * 64))) == []


#: covered rows' figures, the total's figures and count → rule, cell's column, expected, difference
TOTALS: list[tuple[list[dict[str, Any]], dict[str, Any], list[tuple[str, str, str | None, str | None]]]] = [
    ([{}, {}], {"invested_cum": 360}, []),
    ([{}, {}], {"invested_cum": 361}, [("T01", "invested_cum", "360", "1")]),
    ([{}, {"invested_cum": None}], {"invested_cum": 180}, []),
    ([{}, {"invested_cum": FAILED}], {"invested_cum": 181}, []),
    ([{}, {}], {"total_investment": 600, "poor_households": 351}, [("T01", "poor_households", "350", "1")]),
    ([{}, {}], {"count": 2}, []),
    ([{}, {}], {"count": 1}, [("T02", "item_name", "2", "-1")]),
    ([{}, {}], {"count": 3}, [("T02", "item_name", "2", "1")]),
]


@pytest.mark.parametrize(("rows", "stated", "expected"), TOTALS)
def test_totals(
    rows: list[dict[str, Any]],
    stated: dict[str, Any],
    expected: list[tuple[str, str, str | None, str | None]],
) -> None:
    lines = [line(P, number, **row) for number, row in enumerate(rows, start=5)]
    sums = total(P, tuple(row.row for row in lines), **stated)
    checked = check(submission(read_table(P, *lines, totals=[sums])), context(WATER))
    found = [f for f in checked.findings if f.rule in ("T01", "T02")]
    assert [(f.rule, f.cell, f.expected, f.difference) for f in found] == [
        (rule, at(P, name, 9), bound, Decimal(difference or 0)) for rule, name, bound, difference in expected
    ]
    assert all(f.row == 9 and f.item is None and f.effect is Effect.MUST_BE_ANSWERED for f in found)


def test_t03_for_a_blank_or_partly_blank_total() -> None:
    summed = {
        "total_investment": 300,
        "funds_total": 300,
        "fiscal_planned": 50,
        "self_planned": 250,
        "fiscal_received_cum": 50,
        "self_received_cum": 150,
        "invested_cum": 180,
        "fiscal_paid_month": 10,
        "self_paid_month": 20,
        "fiscal_paid_cum": 30,
        "self_paid_cum": 80,
        "poor_households": 175,
        "poor_persons": 629,
    }

    def stated(**figures: Any) -> list[tuple[str, str | None]]:
        table = read_table(P, line(P), totals=[total(P, (5,), **figures)])
        return raised(check(submission(table), context(WATER)))

    assert stated(**summed) == []
    heading = replace(total(P, (5,), count=1), label="二、基础设施")
    table = read_table(P, line(P), totals=[heading])
    assert raised(check(submission(table), context(WATER))) == []
    assert stated() == [("T03", at(P, "total_investment", 9))]
    assert stated(**{**summed, "invested_cum": None}) == [("T03", at(P, "invested_cum", 9))]


JUNE_ROW = {"progress_pct": 50, "fiscal_paid_cum": 20, "self_paid_cum": 60, "invested_cum": 150}


def last_month(**figures: Any) -> History:
    return history(JUNE, m06={"2018-A1-04": values(P, **{**JUNE_ROW, **figures})})


#: this month's figures, last month's, 更正说明 → rule, column, expected, difference
AFTER_JUNE: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str | None, str | None]]]] = [
    ({}, {}, []),
    # H01: 累计 columns, 形象进度, 受益贫困户 and 人口
    ({"progress_pct": 49}, {}, [("H01", "progress_pct", "50", "-1")]),
    ({"progress_pct": 50}, {}, []),
    ({"invested_cum": 149.5}, {}, [("H01", "invested_cum", "150", "-0.5")]),
    ({"poor_households": 174}, {}, [("H01", "poor_households", "175", "-1")]),
    ({"poor_persons": 629}, {"poor_persons": None}, []),
    ({"progress_pct": FAILED}, {}, []),
    # H02, at the 累计 cell
    ({"fiscal_paid_cum": 31}, {}, [("H02", "fiscal_paid_cum", "30", "1")]),
    ({"fiscal_paid_month": 9}, {}, [("H02", "fiscal_paid_cum", "29", "1")]),
    ({"fiscal_paid_month": FAILED}, {}, []),
    ({"fiscal_paid_cum": FAILED}, {}, []),
    ({"self_paid_month": 20.01, "self_paid_cum": 80.01}, {}, []),
    # a fall breaks both
    (
        {"fiscal_paid_cum": 19},
        {},
        [("H01", "fiscal_paid_cum", "20", "-1"), ("H02", "fiscal_paid_cum", "30", "-11")],
    ),
    # H03
    ({}, {"status": "已完工"}, [("H03", "status", "已完工", None)]),
    ({}, {"status": "未开工"}, []),
    ({}, {"status": "已取消"}, []),
    ({"status": "已取消"}, {"status": "已验收"}, []),
]


@pytest.mark.parametrize(("figures", "before", "expected"), AFTER_JUNE)
def test_against_last_month(
    figures: dict[str, Any],
    before: dict[str, Any],
    expected: list[tuple[str, str, str | None, str | None]],
) -> None:
    checked = check_line(month=JULY, past=last_month(**before), **figures)
    assert [(f.rule, f.cell, f.expected, f.difference) for f in checked.findings] == [
        (rule, at(P, name), bound, None if difference is None else Decimal(difference))
        for rule, name, bound, difference in expected
    ]
    errors = {rule for rule, *_ in expected} & {"H01", "H02"}
    assert checked.verdict is (Verdict.RETURNED if errors else Verdict.ACCEPTED)


@pytest.mark.parametrize("where", ["remarks", "cover"])
def test_an_explained_fall_stands_and_allows_a_negative_month(where: str) -> None:
    said = "退回多付工程款"
    negative = finding("C04", "负数", cell=at(P, "fiscal_paid_month"))
    row = line(P, fiscal_paid_month=-5, fiscal_paid_cum=15, remarks=said if where == "remarks" else None)
    table = read_table(P, with_finding(row, negative))
    given = submission(table, month=JULY, cover=said if where == "cover" else "")
    checked = check(given, context(WATER, history=last_month()))
    found = only(checked, "H01")
    assert (found.severity, found.effect) == (Severity.WARNING, Effect.STANDS)
    assert raised(checked) == [("H01", at(P, "fiscal_paid_cum"))]
    assert checked.verdict is Verdict.ACCEPTED


def test_an_explained_fall_allows_no_other_negative() -> None:
    other = finding("C04", "负数", cell=at(P, "poor_persons"))
    row = line(P, fiscal_paid_month=-5, fiscal_paid_cum=15, poor_persons=FAILED, remarks="退款")
    checked = check(
        submission(read_table(P, with_finding(row, other)), month=JULY), context(WATER, history=last_month())
    )
    assert [f.rule for f in checked.findings] == ["H01", "C04"]


def test_an_unexplained_fall_keeps_the_negative_month_a_finding() -> None:
    negative = finding("C04", "负数", cell=at(P, "fiscal_paid_month"))
    row = with_finding(line(P, fiscal_paid_month=-5, fiscal_paid_cum=15), negative)
    checked = check(submission(read_table(P, row), month=JULY), context(WATER, history=last_month()))
    assert raised(checked) == [("C04", at(P, "fiscal_paid_month")), ("H01", at(P, "fiscal_paid_cum"))]


def test_an_explained_fall_of_another_column_does_not_allow_it() -> None:
    negative = finding("C04", "负数", cell=at(P, "self_paid_month"))
    row = line(P, progress_pct=49, self_paid_month=-5, self_paid_cum=60, remarks="核减")
    checked = check(
        submission(read_table(P, with_finding(row, negative)), month=JULY),
        context(WATER, history=last_month()),
    )
    assert [f.rule for f in checked.findings] == ["H01", "C04", "H02"]


def test_noise_of_the_spreadsheet_is_no_difference() -> None:
    past = history(JUNE, m06={"2018-T-03": values(T, done_month=0.2, done_cum=0.2)})
    assert (
        raised(check_line(T, month=JULY, past=past, done_month=0.1, done_cum=Decimal("0.30000000000000004")))
        == []
    )
    assert (
        raised(check_line(T, month=JULY, past=past, done_month=0, done_cum=Decimal("0.19999999999999998")))
        == []
    )


def test_h03_for_needs() -> None:
    past = history(JUNE, m06={"2018-A2-02": values(N, status="已开工")})
    assert only(check_line(N, month=JULY, past=past), "H03").expected == "已开工"
    past = history(JUNE, m06={"2018-A2-02": values(N, status="已终止")})
    assert raised(check_line(N, month=JULY, past=past)) == []


def test_h01_and_h02_for_indicators() -> None:
    past = history(JUNE, m06={"2018-T-03": values(T, done_month=2, done_cum=2)})
    checked = check_line(T, month=JULY, past=past)
    assert [(f.rule, f.cell, f.expected) for f in checked.findings] == [
        ("H01", at(T, "done_cum"), "2"),
        ("H02", at(T, "done_cum"), "3"),
    ]


def test_the_first_month_has_none_before_it() -> None:
    past = history(Month(2018, 5), m05={"2018-A1-04": values(P, progress_pct=99)})
    assert raised(check_line(month=JUNE, past=past)) == []


def test_a_new_plan_year_begins_anew() -> None:
    january = Month(2019, 1)
    plan = replace(context(WATER), plan=replace(plan_of(WATER), year=2019))
    checked = check(submission(read_table(P, line(P)), month=january), plan)
    assert [f.rule for f in checked.findings if f.rule.startswith("H")] == []


#: 累计完成投资 of June, July, August, then September's → raised?
STEPS: list[tuple[list[float | None], float, str | None]] = [
    ([10, 20, 30], 60, None),
    ([10, 20, 30], 60.01, "60"),
    ([20, 20, 20], 80, None),
    ([20, 20, 20], 80.01, "80"),
    ([0, 0, 0], 200, None),
    ([10, 25, 20], 65.5, "65"),
    ([10, 20, None], 200, None),
]


@pytest.mark.parametrize(("earlier", "now", "bound"), STEPS)
def test_h04_from_the_fourth_month(earlier: list[float | None], now: float, bound: str | None) -> None:
    rows = {
        f"m{month:02d}": {"2018-A1-04": values(P, invested_cum=figure, progress_pct=0)}
        for month, figure in zip((6, 7, 8), earlier, strict=True)
    }
    flat = {"fiscal_paid_month": 0, "self_paid_month": 0, "progress_pct": 60}
    past = history(JUNE, JULY, AUGUST, **rows)
    checked = check_line(month=SEPTEMBER, past=past, invested_cum=now, **flat)
    found = [(f.rule, f.cell, f.expected) for f in checked.findings if f.rule == "H04"]
    assert found == ([] if bound is None else [("H04", at(P, "invested_cum"), bound)])
    del rows["m06"]
    past = history(JUNE, JULY, **{"m06": rows["m07"], "m07": rows["m08"]})
    third = check_line(month=AUGUST, past=past, invested_cum=now, **flat)
    assert "H04" not in [f.rule for f in third.findings]


@pytest.mark.parametrize(
    ("figures", "silent"),
    [
        ({}, False),
        ({"progress_pct": 61}, True),
        ({"poor_persons": 630}, True),
        ({"status": "已完工", "finish_actual": "2018-09", "progress_pct": 100}, True),
        ({"invested_cum": FAILED}, True),
    ],
)
def test_h05_when_nothing_moved_for_three_months(figures: dict[str, Any], silent: bool) -> None:
    same = {"2018-A1-04": values(P)}
    past = history(JUNE, JULY, AUGUST, m06=same, m07=same, m08=same)
    row = {"fiscal_paid_month": 0, "self_paid_month": 0, **figures}
    checked = check_line(month=SEPTEMBER, past=past, **row)
    assert [f.rule for f in checked.findings if f.rule in ("H05", "R09")] == ([] if silent else ["H05"])


def test_h05_looks_three_months_back_and_no_less() -> None:
    same, less = {"2018-A1-04": values(P)}, {"2018-A1-04": values(P, progress_pct=59)}
    past = history(JUNE, JULY, AUGUST, m06=less, m07=same, m08=same)
    row = {"fiscal_paid_month": 0, "self_paid_month": 0}
    assert raised(check_line(month=SEPTEMBER, past=past, **row)) == []


def test_another_units_history_is_not_continued() -> None:
    past = history(JUNE, m06={"2018-A1-07": values(P, progress_pct=99), "2018-A1-04": values(P)})
    row = line(P, seq=7, item_name="青马线旅游扶贫公路")
    checked = check(submission(read_table(P, row), month=JULY), context(WATER, ROAD, history=past))
    assert [f.rule for f in checked.findings] == ["P04", "P03"]


def test_h06_for_a_missing_month_and_for_a_missing_row() -> None:
    other = item(P, "2018-A1-05", seq=5, item_name="鱼精坝村公路升级改造工程")
    table = read_table(P, line(P), line(P, 6, seq=5, item_name=other.name))
    missing = check(submission(table, month=JULY), context(WATER, other))
    found = only(missing, "H06")
    assert (found.item, found.cell, found.table, found.sheet) == (None, None, P, "表1 援建项目")
    assert missing.verdict is Verdict.ACCEPTED
    partly = check(submission(table, month=JULY), context(WATER, other, history=last_month()))
    found = only(partly, "H06")
    assert (found.item, found.row) == ("2018-A1-05", 6)


#: current figures, new ones, 更正说明 → raised?
REPLACED: list[tuple[dict[str, Any], dict[str, Any], str, bool]] = [
    ({}, {}, "", False),
    ({"invested_cum": 170}, {}, "", True),
    ({"invested_cum": 170}, {}, "上报时漏填", False),
    ({"problems": None}, {"problems": "雨季"}, "", False),
    ({"problems": "雨季"}, {"problems": "缺材料"}, "", False),
    ({"poor_persons": None}, {}, "", False),
    ({"status": "未开工"}, {}, "", True),
    ({"invested_cum": 170}, {"start_actual": None}, "", False),
]


@pytest.mark.parametrize(("before", "now", "cover", "expected"), REPLACED)
def test_f15_for_a_changed_figure(
    before: dict[str, Any], now: dict[str, Any], cover: str, expected: bool
) -> None:
    past = history(current={P: {"2018-A1-04": values(P, **before)}})
    checked = check_line(past=past, cover=cover, **now)
    found = [(f.rule, f.table, f.severity) for f in checked.findings if f.rule == "F15"]
    assert found == ([("F15", P, Severity.WARNING)] if expected else [])


def test_f15_for_a_row_that_vanishes() -> None:
    past = history(current={P: {"2018-A1-04": values(P)}})
    checked = check(submission(read_table(P, nil_report=True)), context(WATER, history=past))
    assert [f.rule for f in checked.findings] == ["P04", "F15"]


def test_no_finding_hides_another() -> None:
    unread = finding("C10", "约数", cell=at(P, "progress_pct"))
    row = line(P, progress_pct=FAILED, fiscal_paid_cum=60, start_actual=None, total_investment=1)
    checked = check(submission(read_table(P, with_finding(row, unread))), context(WATER))
    assert [f.rule for f in checked.findings] == ["P02", "R10", "C10", "R03"]


def test_a_shifted_row_raises_nothing_else_and_its_item_is_not_missing() -> None:
    shifted = line(P, shifted="F16", fiscal_paid_cum=999, status=None)
    told = finding("F16", "错位", effect=Effect.ROW_RETURNED, row=5)
    checked = check(submission(read_table(P, with_finding(shifted, told))), context(WATER))
    assert [(f.rule, f.item) for f in checked.findings] == [("F16", "2018-A1-04")]
    assert checked.verdict is Verdict.RETURNED


def test_a_table_returned_keeps_every_row_and_other_tables_stand() -> None:
    broken = finding("F09", "缺列", effect=Effect.TABLE_RETURNED)
    given = submission(read_table(P, line(P), findings=[broken]), read_table(T, line(T)))
    checked = check(given, context(WATER, MARKET))
    assert checked.verdict is Verdict.IN_PART
    assert [(table.table, len(table.accepted), len(table.returned)) for table in checked.tables] == [
        (P, 0, 1),
        (T, 1, 0),
    ]


def test_without_a_plan_only_the_row_speaks() -> None:
    table = read_table(P, line(P, fiscal_paid_cum=60, self_received_cum=999999, seq=99, place="别处"))
    checked = check(submission(table, month=SEPTEMBER), context(plan=False))
    assert raised(checked) == [("R03", at(P, "fiscal_paid_cum"))]


@pytest.mark.parametrize("plan", [True, False])
def test_an_amount_no_county_has_goes_back_even_where_nothing_is_planned(plan: bool) -> None:
    nothing = dict.fromkeys(("total_investment", "funds_total", "enterprise_planned", "self_planned"))
    table = read_table(N, line(N, signed_amount=Decimal("1e20"), **nothing))
    checked = check(submission(table), context(item(N, KIWI.item_id, **nothing), plan=plan))
    found = only(checked, "C09")
    assert (found.cell, found.expected, checked.verdict) == (at(N, "signed_amount"), None, Verdict.RETURNED)


def test_a_figure_beyond_64_bits_is_compared_and_does_not_stop_the_batch() -> None:
    checked = check_line(fiscal_paid_cum=Decimal("1e30"))
    assert {f.rule for f in checked.findings} == {"C09", "R03"}
