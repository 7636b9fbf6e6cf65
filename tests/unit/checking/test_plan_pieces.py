"""The plan's smaller pieces: who benefits, who reports, what a total covers, texts as printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.checking.plan import find_first_unit
from ledger.checking.plan_rules import states_poor
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Book
from ledger.reading.plan import PlanSheet, RowKind, printed_text, read_plan_sheets
from ledger.registry import Registry
from tests.builders import sheet

REGISTRY = Registry.load(Home(CHECKOUT))


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("可直接帮助全村 80 户贫困户稳定脱贫", True),
        ("其中贫困户175户,贫困人口629人的安全饮水问题", True),
        ("其中建档立卡贫困户609户2209人", True),
        ("惠及贫困人口 1,413 人", True),
        ("带动建档立卡户32户", True),
        ("吸纳80名贫困学生就读", True),
        ("带动贫困户就业约50人", True),
        ("帮扶二十户贫困户", True),
        ("长梁镇后三溪村 10 户发展民宿旅游", False),
        ("引领更多贫困户脱贫致富。在官店、花坪四个乡镇修建 4 个冷库", False),
        ("解决3个深度贫困村、1个贫困村村民出行", False),
        ("解决村民300户,1068人出行", False),
        ("惠及非贫困户30户", False),
        ("", False),
    ],
)
def test_poor_households_and_persons_in_words(text: str, stated: bool) -> None:
    assert states_poor(text) is stated


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("后三溪村发展民宿旅 游业", "后三溪村发展民宿旅游业"),
        ("“一县一 品”特色品 牌扶持", "“一县一品”特色品牌扶持"),
        ("长梁镇\n政府", "长梁镇政府"),
        ("2018 年 5 月", "2018年5月"),
        ("水平 and 影响力", "水平and影响力"),
        ("Wi Fi  6 套", "Wi Fi 6套"),
        ("　建始县　", "建始县"),
    ],
)
def test_the_gaps_of_the_printed_page_are_closed(printed: str, text: str) -> None:
    assert printed_text(printed) == text


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("长梁镇 政府", "422822106"),
        ("县委组织部、县教育局", "422822-org"),
        ("县财政局;县教育局", "422822-fin"),
        ("县财政局，县教育局", "422822-fin"),
        ("县教育局（科技局）", "422822-edu"),
        ("刘某某", None),
        ("刘某某、县教育局", None),
    ],
)
def test_the_first_unit_named_reports(named: str, code: str | None) -> None:
    assert find_first_unit(named, REGISTRY) == code


HEAD = [
    "序号",
    "建设地",
    "项目名称",
    "建设规模及内容",
    "建设期限",
    "总投资",
    "资金合计",
    "企业投资",
    "自筹资金",
    "备注",
]


def annex(*rows: Sequence[Any]) -> PlanSheet:
    found = read_plan_sheets(Book("xlsx", [sheet("附件2", [["附件2"], HEAD, *rows])]))
    assert [plan_sheet.table.number for plan_sheet in found] == ["附件2"]
    return found[0]


def item(number: int) -> list[Any]:
    return [number, "县", f"项目{number}", "内容", "2018", 3, 3, 1, 2, None]


def total(label: str, *, count: str | None = None) -> list[Any]:
    return [label, None, count, None, None, 3, 3, 1, 2]


def covers(plan_sheet: PlanSheet) -> dict[str, tuple[int, ...]]:
    return {f"{t.label}{t.row}": t.covers for t in plan_sheet.totals}


def test_subtotals_above_their_items() -> None:
    sheet_ = annex(
        total("合计"), ["一、产业"], total("小计"), item(1), item(2), ["二、基建"], total("小计"),
        ["(一)水"], total("小计"), item(3), ["(二)路"], total("小计"), item(4), item(5),
    )  # fmt: skip
    assert covers(sheet_) == {
        "合计3": (6, 7, 12, 15, 16),
        "小计5": (6, 7),
        "小计9": (12, 15, 16),
        "小计11": (12,),
        "小计14": (15, 16),
    }
    assert [row.section for row in sheet_.items][2] == ("二、基建", "(一)水")


def test_subtotals_below_their_items() -> None:
    sheet_ = annex(
        ["一、产业"], item(1), item(2), total("小计"), ["二、基建"], item(3), total("小计"), total("合计")
    )
    assert covers(sheet_) == {"小计6": (4, 5), "小计9": (8,), "合计10": (4, 5, 8)}


def test_a_subtotal_of_a_section_below_those_of_its_parts() -> None:
    sheet_ = annex(
        ["一、基建"], ["(一)水"], item(1), total("小计"), ["(二)路"], item(2), total("小计"), total("小计")
    )
    assert covers(sheet_) == {"小计6": (5,), "小计9": (8,), "小计10": (5, 8)}


def test_subtotals_without_sections() -> None:
    sheet_ = annex(item(1), item(2), total("小计"), item(3), total("小计"), total("总计"))
    assert covers(sheet_) == {"小计5": (3, 4), "小计7": (6,), "总计8": (3, 4, 6)}


def test_a_heading_with_its_sections_figures_beside_it() -> None:
    sheet_ = annex(["一、产业", None, None, None, None, 6, 6, 2, 4], item(1), item(2), ["二、基建"], item(3))
    assert covers(sheet_) == {"一、产业3": (4, 5)}
    assert [row.section for row in sheet_.items] == [("一、产业",), ("一、产业",), ("二、基建",)]


def test_stated_counts() -> None:
    sheet_ = annex(total("合计", count="２ 个"), item(1), item(2), total("小计(1个)"))
    assert [(t.count, t.count_cell) for t in sheet_.totals] == [(2, "C3"), (1, "A6")]


def test_notes_and_signatures_are_no_items() -> None:
    sheet_ = annex(
        item(1), ["注：资金以到位为准"], ["填表人：张三", None, None, "审核：李四"], ["以上数字已核对"]
    )
    assert [row.kind for row in sheet_.rows] == [RowKind.ITEM, RowKind.NOTE, RowKind.NOTE, RowKind.NOTE]
