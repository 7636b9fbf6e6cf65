"""Names: which are close, and which item is taken where several could be meant."""

from __future__ import annotations

import time

import pytest

from ledger.checking.matching import CLOSE, Items, likeness
from tests.rows import OTHER, UNIT, WATER, check, context, item, line, plan_of, read_table, submission


@pytest.mark.parametrize(
    ("written", "planned"),
    [
        ("后三溪村民宿旅游", "后三溪村发展民宿旅 游业"),
        ("下坝小学综合楼", "长梁镇下坝中心小学综合楼工程"),
        ("鱼精坝村公路升级改造", "鱼精坝村公路升级改造工程(深度贫困村)"),
        ("五家河至野猫山公路硬化", "五家河至野猫山村公路硬化"),
        ("一县一品特色品牌扶持", "“一县一 品”特色品 牌扶持"),
        ("马铃薯基地建设及消售项目", "马铃薯基地建设及销售项目"),
    ],
)
def test_close(written: str, planned: str) -> None:
    assert likeness(written, planned) >= CLOSE


@pytest.mark.parametrize(
    ("written", "planned"),
    [
        ("文化馆建设项目", "体育馆建设项目"),
        ("智慧校园建设", "智慧景区建设"),
        ("进城务工子女幼儿园项目", "农村学校教师办公电脑购置项目"),
        ("安全饮水工程", "村级公路工程"),
        ("村", "鱼精坝村公路升级改造工程"),
        ("工程", "鱼精坝村公路升级改造工程"),
    ],
)
def test_not_close(written: str, planned: str) -> None:
    assert likeness(written, planned) < CLOSE


def test_among_equal_names_the_number_decides_then_the_unit() -> None:
    theirs = item("projects", "2018-A1-01", OTHER, seq=1, item_name="村级公路")
    mine = item("projects", "2018-A1-02", UNIT, seq=2, item_name="村级公路")
    items = Items(plan_of(theirs, mine), "projects")
    assert items.named("村级公路", 1, UNIT) is theirs
    assert items.named("村级公路", None, UNIT) is mine
    assert items.named("村级公路", 9, OTHER) is theirs


def test_the_plans_own_codes_count_before_the_short_form() -> None:
    first = item("indicators", "2018-T-01", item_code="ZB-7")
    seventh = item("indicators", "2018-T-07", item_code="7", indicator_name="互访")
    items = Items(plan_of(first, seventh), "indicators")
    assert items.coded("zb-7") is first
    assert items.coded("7") is seventh
    assert items.coded("2018-T-01") is first
    assert items.coded("T-99") is None


def test_thousands_of_unknown_and_doubled_rows_stay_cheap() -> None:
    rows = [
        line("projects", number, item_name=f"不在计划的项目{number % 2000}" * 3) for number in range(5, 4005)
    ]
    started = time.process_time()
    checked = check(submission(read_table("projects", *rows)), context(WATER))
    assert time.process_time() - started < 20
    assert len(checked.tables[0].returned) == 4000
    assert max(len(f.message) for f in checked.findings) < 400
