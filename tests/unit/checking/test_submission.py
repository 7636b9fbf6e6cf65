"""What surrounds the rules: doubtful files, missing columns, the order of mending, verdicts."""

from __future__ import annotations

import pytest

from ledger.checking.model import Verdict
from ledger.checking.places import label, plain_text, shown
from ledger.reading.model import ReadTable
from schemas.finding import Effect, finding
from schemas.month import PartialDate
from schemas.plan import Value
from schemas.tables import INDICATORS, NEEDS, PROJECTS
from tests.rows import (
    FAILED,
    JULY,
    KIWI,
    MARKET,
    ROAD,
    WATER,
    at,
    check,
    context,
    history,
    line,
    raised,
    read_table,
    submission,
    values,
    with_finding,
)

P, N, T = "projects", "needs", "indicators"


def without(table: ReadTable, *names: str) -> ReadTable:
    """The table as a unit sends it that left these columns out."""
    for name in names:
        del table.header_cells[name]
        for row in table.rows:
            del row.values[name]
    return table


def test_a_date_column_left_out_is_blank_in_every_row() -> None:
    checked = check(submission(without(read_table(P, line(P)), "start_actual")), context(WATER))
    (found,) = checked.findings
    assert (found.rule, found.cell, found.row, found.column) == ("R10", None, 5, "实际开工时间")
    assert "第 5 行" in found.message


def test_without_a_name_column_nothing_is_missing_and_nothing_unknown() -> None:
    broken = finding("F09", "缺列", effect=Effect.TABLE_RETURNED)
    table = without(read_table(P, line(P), findings=[broken]), "item_name")
    checked = check(submission(table), context(WATER))
    assert [f.rule for f in checked.findings] == ["F09"]
    assert [item for item, _ in checked.tables[0].returned] == [None]


def test_indicators_need_only_a_code_or_a_name() -> None:
    for left_out in ("item_code", "indicator_name"):
        checked = check(submission(without(read_table(T, line(T)), left_out)), context(MARKET))
        assert raised(checked) == []
        assert list(checked.tables[0].accepted) == ["2018-T-03"]


def test_a_blank_name_with_a_number_is_one_finding_not_three() -> None:
    missing = finding("C06", "空白", cell=at(P, "item_name"))
    for name in (None, FAILED):
        row = with_finding(line(P, item_name=name), missing)
        checked = check(submission(read_table(P, row)), context(WATER))
        assert [(f.rule, f.item) for f in checked.findings] == [("C06", "2018-A1-04")]


def test_an_unknown_unit_owes_nothing_and_owns_nothing() -> None:
    given = submission(read_table(P, line(P)), findings=[finding("F06", "单位不明")])
    given.unit_code = None
    checked = check(given, context(WATER, ROAD, KIWI))
    assert [f.rule for f in checked.findings] == ["F06"]
    assert (checked.verdict, checked.tables[0].verdict) == (Verdict.RETURNED, Verdict.RETURNED)
    assert not checked.tables[0].accepted


def test_a_doubtful_month_has_no_history() -> None:
    past = history(m06={"2018-A1-04": values(P, progress_pct=99)})
    given = submission(read_table(P, line(P)), month=JULY, findings=[finding("F07", "月份不符")])
    assert [f.rule for f in check(given, context(WATER, history=past)).findings] == ["F07"]


def test_a_table_that_stands_twice_names_each_missing_item_once() -> None:
    twice = finding("F20", "两次", effect=Effect.TABLE_RETURNED)
    other = read_table(P, line(P), findings=[twice])
    checked = check(submission(read_table(P, findings=[twice]), other), context(WATER))
    assert [f.rule for f in checked.findings] == ["F20", "F20"]


def test_findings_stand_in_the_order_of_mending() -> None:
    rows = [
        with_finding(
            line(P, 6, self_paid_cum=151, start_actual=None), finding("C11", "写法", cell=at(P, "status", 6))
        ),
        line(P, 5, fiscal_paid_cum=51, total_investment=1, item_name="青马线旅游扶贫公路", seq=1),
    ]
    hidden = finding("F14", "隐藏")
    given = submission(
        read_table(P, *rows, findings=[hidden]),
        read_table(N, line(N, partner=None)),
        findings=[finding("F19", "别的月份")],
    )
    mine = context(WATER, ROAD, KIWI, MARKET, received=given.sha256)
    checked = check(given, mine)
    assert [(f.rule, f.row) for f in checked.findings] == [
        ("F19", None),
        ("F08", None),
        ("F12", None),
        ("F14", None),
        ("P08", 5),
        ("P03", 5),
        ("P02", 5),
        ("R03", 5),
        ("C11", 6),
        ("R10", 6),
        ("R03", 6),
    ]
    assert all(f.file == "景阳镇.xlsx" for f in checked.findings)
    assert {f.sheet for f in checked.findings if f.table == P} == {"表1 援建项目"}
    assert {f.item for f in checked.findings if f.row == 6} == {"2018-A1-04"}


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([{}], Verdict.ACCEPTED),
        ([{"fiscal_paid_cum": 51}], Verdict.RETURNED),
        ([{"invested_cum": 301}], Verdict.ACCEPTED),
        ([], Verdict.ACCEPTED),
    ],
)
def test_verdict_of_one_table(rows: list[dict[str, object]], verdict: Verdict) -> None:
    lines = [line(P, number, **row) for number, row in enumerate(rows, start=5)]
    assert check(submission(read_table(P, *lines)), context(WATER)).verdict is verdict


def test_one_table_returned_and_one_standing_is_in_part() -> None:
    given = submission(read_table(P, line(P, fiscal_paid_cum=51)), read_table(T, line(T)))
    checked = check(given, context(WATER, MARKET))
    assert checked.verdict is Verdict.IN_PART
    assert [table.verdict for table in checked.tables] == [Verdict.RETURNED, Verdict.ACCEPTED]
    assert checked.has_errors


@pytest.mark.parametrize(
    ("table", "name", "said"),
    [
        (PROJECTS, "fiscal_received_cum_fen", "累计到位财政帮扶资金"),
        (PROJECTS, "self_paid_cum_fen", "累计支付自筹资金"),
        (PROJECTS, "progress_pct", "形象进度"),
        (NEEDS, "enterprise_received_cum_fen", "累计到位企业投资或社会帮扶"),
        (INDICATORS, "done_cum", "累计完成"),
    ],
)
def test_a_title_in_a_sentence(table: object, name: str, said: str) -> None:
    assert isinstance(table, type(PROJECTS))
    assert label(table.by_field[name]) == said


@pytest.mark.parametrize(
    ("name", "value", "plain", "sentence"),
    [
        ("invested_cum_fen", 1_205_000_00, "120.5", "120.5 万元"),
        ("invested_cum_fen", None, "", "空白"),
        ("start_actual", PartialDate(2018, 5), "2018-05", "2018年5月"),
        ("status", "在建", "在建", "在建"),
    ],
)
def test_a_figure_in_a_sentence(name: str, value: Value, plain: str, sentence: str) -> None:
    column = PROJECTS.by_field[name]
    assert plain_text(value, column) == plain
    assert shown(value, column) == sentence
