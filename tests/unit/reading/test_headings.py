"""Headings: how they are compared, and that the declarations leave no doubt between columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from ledger.reading.header import find_headers
from ledger.reading.lexicon import lexicon, names_table
from ledger.reading.words import Key, fold, key
from schemas.columns import JOINT
from schemas.tables import PLAN_TABLES, TABLES, Table
from tests.builders import book_of, sheet

PLAN = Path(__file__).resolve().parents[3] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
EVERY = [*TABLES.values(), *PLAN_TABLES.values()]


@pytest.mark.parametrize(
    ("written", "words", "unit"),
    [
        ("项目总投资(万元)", "项目总投资", "万元"),
        ("项目总投资\n（万元）", "项目总投资", "万元"),
        ("项 目 总 投 资 ﹝万元﹞", "项目总投资", ""),
        ("项目总投资（单位：元）", "项目总投资", "元"),
        ("项目总投资/万元", "项目总投资", "万元"),
        ("形象进度(%)", "形象进度", ""),
        ("形象进度％", "形象进度", ""),
        ("受益贫困户(户)", "受益贫困户", ""),
        ("实际开工时间(年月)", "实际开工时间", ""),
        ("累计支付(财政帮扶资金)", "累计支付财政帮扶资金", ""),
        ("累计支付—财政帮扶资金（万元）", "累计支付财政帮扶资金", "万元"),
        ("存在问题*", "存在问题", ""),
        ("累计支付①", "累计支付", ""),
        ("3.项目名称", "项目名称", ""),
        ("(万元)", "", "万元"),
        ("单位：万元", "", "万元"),
        ("单位", "单位", ""),
        ("12", "12", ""),
    ],
)
def test_the_key_of_a_heading(written: str, words: str, unit: str) -> None:
    found = key(written)
    assert found.words == words
    if unit:
        assert found == Key(words, unit)


def test_folding_leaves_no_blank_and_no_width() -> None:
    assert fold(" （一） 产\u3000业\u200b发展\n") == "(一)产业发展"


@pytest.mark.parametrize("table", EVERY, ids=lambda table: f"{table.number}")
def test_every_title_and_alias_finds_its_own_column(table: Table) -> None:
    lex = lexicon(table)
    checked = 0
    for column in table.columns:
        for title in (column.title, *column.aliases):
            words = tuple(key(part).words for part in title.split(JOINT))
            found = lex.find(words)
            # an alias that is another column's own title is that column's
            if found != column.field:
                assert found is not None and title != column.title, (title, found)
                assert key(table.by_field[found].title).words == "".join(words), (title, found)
            checked += 1
    assert checked > len(table.columns)


def test_a_leaf_is_nothing_under_a_group_that_is_not_its_own() -> None:
    lex = lexicon(TABLES["projects"])
    assert lex.find(("累计拨付", "财政帮扶资金")) is None
    assert lex.find(("累计拨付", "自筹资金")) is None
    assert lex.find(("累计支付", "财政帮扶资金")) == "fiscal_paid_cum_fen"
    assert lex.find(("资金情况", "累计支付", "财政帮扶资金")) == "fiscal_paid_cum_fen"
    assert lex.find(("财政帮扶资金",)) == "fiscal_planned_fen"
    assert lex.find(("报送情况", "项目状态")) == "status"
    assert lex.find(("实际情况", "开工时间")) is None


def test_the_printed_annexes() -> None:
    book = book_of(load_workbook(PLAN))
    found = [header for page in book.sheets for header in find_headers(page, tuple(PLAN_TABLES.values()))]
    assert [(h.table.number, h.top, h.bottom, len(h.columns)) for h in found] == [
        ("附件1", 3, 4, 12),
        ("附件2", 3, 4, 10),
    ]
    assert not any(h.unknown or h.duplicates or h.missing for h in found)
    assert found[0].cells["start_planned"] == "J3" and found[1].columns["category"] == 10


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("表1 援建项目", ["projects"]),
        ("附表一：东西部协作进度", ["projects"]),
        ("表 2", ["needs"]),
        ("招商需求9月", ["needs"]),
        ("表3", ["indicators"]),
        ("表12", []),
        ("Sheet1", []),
    ],
)
def test_what_names_a_table(text: str, named: list[str]) -> None:
    assert [key_ for key_, table in TABLES.items() if names_table(text, table)] == named


def test_a_list_of_words_is_no_header() -> None:
    page = sheet("填表说明", [["项目状态"], ["未开工"], ["在建"], ["项目名称", "请勿改动"], ["备注"]])
    assert find_headers(page, tuple(TABLES.values())) == []


def test_the_same_block_on_two_sheets_is_two_headers() -> None:
    grid = [["编号", "指标名称", "本月完成", "累计完成"], ["1", "甲", 1, 2]]
    one, other = sheet("甲", grid), sheet("乙", grid)
    first, second = (find_headers(page, tuple(TABLES.values()))[0] for page in (one, other))
    assert (first.sheet, second.sheet) == ("甲", "乙")
