"""Who reports and for which month: where it is said, what is said twice, what is not said."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.reading.model import Filing, Submission
from ledger.reading.submission import read_submission
from schemas.month import Month
from tests.layouts import (
    NEED,
    PROJECT,
    REGISTRY,
    SECOND,
    SEPTEMBER,
    Grid,
    caption,
    make,
    read,
    rules,
    table,
    titles,
)

AUGUST = Month(2018, 8)


def cover(unit: Any = "长梁镇", month: Any = "2018年9月", **more: Any) -> Grid:
    lines = {"报送单位": unit, "月份": month, "填报人": "张三", "联系电话": "0718-0000000",
             "审核人": "李四", "填报日期": "2018年10月5日", "更正说明": None, **more}  # fmt: skip
    return [["援建项目月报"], *[[label, value] for label, value in lines.items()]]


def filed(front: Grid | None, grid: Grid, **how: Any) -> Submission:
    sheets = {"表1 援建项目": grid} if front is None else {"封面": front, "表1 援建项目": grid}
    return read(sheets, **how)


BARE = table("projects", PROJECT, unit="", month=None)


def where(submission: Submission) -> list[tuple[str, str | None, str | None]]:
    return [(f.rule, f.sheet, f.cell) for f in submission.findings]


@pytest.mark.parametrize(
    "unit",
    ["长梁镇", " 长 梁 镇 ", "长梁镇人民政府", "建始县长梁镇", "长梁乡", "长梁", "422822106", "长粱镇"],
)
def test_the_units_names(unit: str) -> None:
    assert filed(cover(unit), BARE).unit_code == "422822106"
    assert filed(None, table("projects", PROJECT, unit=unit)).unit_code == "422822106"


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("县教育（科技）局", "422822-edu"),
        ("建始县教育局(科技局)", "422822-edu"),
        ("建始县旅游局", "422822-tour"),
        ("县扶贫办", "422822-fpb"),
    ],
)
def test_departments(unit: str, code: str) -> None:
    assert filed(cover(unit), BARE).unit_code == code


MONTHS = [
    "2018年9月", "2018年09月", "2018 年 9 月", "2018年9月份", "2018-09", "2018-9", "2018/9", "2018.9", "201809",
    "9月", "9月份", "９月", "九月", "二〇一八年九月", 9, 201809, 2018.9, "2018年1-9月",
]  # fmt: skip


@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_the_months_forms(month: Any) -> None:
    submission = filed(cover(month=month), BARE)
    assert (submission.month, rules(submission)) == (SEPTEMBER, [])


def test_the_cover_in_one_cell_a_line_and_with_colons() -> None:
    front = [["封面"], ["报送单位：长梁镇人民政府"], ["月份：2018年9月"], ["填报人：张三　联系电话：0718-0000000"],
             ["更正说明：上月多报 5 万元"]]  # fmt: skip
    submission = filed(front, BARE)
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)
    assert submission.cover["填报人"] == "张三"
    assert submission.cover["更正说明"] == "上月多报 5 万元"
    front = [["报送单位：", None, "长梁镇"], ["月　份：", None, "2018年9月"]]
    submission = filed(front, BARE)
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)


def test_the_cover_is_kept() -> None:
    submission = filed(cover(更正说明="8月误报", 填报日期="2018-10-05"), BARE)
    assert submission.cover == {
        "报送单位": "长梁镇", "月份": "2018年9月", "填报人": "张三", "联系电话": "0718-0000000",
        "审核人": "李四", "填报日期": "2018-10-05", "更正说明": "8月误报",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        ["报送单位：长梁镇", None, "月份：2018年9月", None, "单位：万元"],
        ["报送单位：长梁镇　　月份：2018年9月　　单位：万元"],
        ["报送单位：长梁镇 月份：2018年9月 单位：万元"],
        ["报送单位", "长梁镇", "月份", "2018年9月", "单位", "万元"],
        ["报送单位：", "长梁镇", None, "月份：", "2018年9月", None, "单位：", "万元"],
        ["填报单位（盖章）：长梁镇人民政府", None, None, "报送月份：2018年9月", "金额单位：万元"],
    ],
    ids=str,
)
def test_the_caption(line: list[Any]) -> None:
    grid = [["表1 援建项目进度"], line, *titles("projects"), PROJECT]
    submission = filed(None, grid)
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)
    assert rules(submission) == []


def test_the_title_the_sheets_name_the_files_name() -> None:
    titled = [["长梁镇2018年9月援建项目进度表"], *BARE[2:]]
    submission = filed(None, titled)
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)
    submission = read({"9月援建项目": BARE}, name="长梁镇报表.xlsx")
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)
    for name in (
        "长梁镇9月报表(最终).xlsx",
        "长梁镇2018年9月.xlsx",
        "长梁镇_201809.xlsx",
        "长梁镇2018-09.xlsx",
    ):
        submission = filed(None, BARE, name=name)
        assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER), name


def test_what_comes_first_counts() -> None:
    submission = filed(cover(), BARE, name="高坪镇8月报表.xlsx")
    assert (submission.unit_code, submission.month) == ("422822106", SEPTEMBER)
    assert rules(submission) == []
    submission = read({"封面": cover(), "8月": BARE})
    assert (submission.month, rules(submission)) == (SEPTEMBER, [])


def test_the_day_of_filing_does_not_tell_the_month() -> None:
    submission = filed(cover(month=None, 填报日期="2018年9月30日"), BARE)
    assert [f.rule for f in submission.findings] == ["F07"]
    submission = filed(cover(month=None), BARE, name="长梁镇2018年10月5日报.xlsx")
    assert [f.rule for f in submission.findings] == ["F07"]


def test_missing_unknown_and_two_units() -> None:
    assert where(filed(cover(unit=None), BARE)) == [("F06", "封面", None)]
    assert where(filed(cover(unit="某某局"), BARE)) == [("F06", "封面", "B2")]
    both = filed(cover(unit="高坪镇"), table("projects", PROJECT))
    assert where(both) == [("F06", "表1 援建项目", "A2")] and both.unit_code is None
    two = read({"表1": table("projects", PROJECT), "表2": table("needs", NEED, unit="高坪镇")})
    assert [f.rule for f in two.findings] == ["F06"]
    assert [f.rule for f in filed(None, BARE, name="长梁镇和高坪镇9月.xlsx").findings] == ["F06"]
    # an alias and the name are one unit
    assert filed(cover(unit="长梁乡"), table("projects", PROJECT)).unit_code == "422822106"


def test_another_month_than_the_one_filed() -> None:
    assert where(filed(cover(month="2018年8月"), BARE)) == [("F07", "封面", "B3")]
    submission = filed(None, table("projects", PROJECT, month="2018年8月"))
    assert where(submission) == [("F07", "表1 援建项目", "C2")]
    assert where(filed(cover(), table("projects", PROJECT, month="2018年8月"))) == [
        ("F07", "表1 援建项目", "C2")
    ]
    assert where(filed(cover(month="不详"), BARE)) == [("F07", "封面", "B3")]
    assert [f.rule for f in filed(None, BARE, name="长梁镇8月.xlsx").findings] == ["F07"]
    assert [f.rule for f in filed(None, BARE, name="长梁镇.xlsx").findings] == ["F07"]


def test_the_file_alone_tells_the_month() -> None:
    assert filed(cover(), BARE, month=None).month == SEPTEMBER
    assert filed(None, table("projects", PROJECT), month=None).month == SEPTEMBER
    two = {"表1": table("projects", PROJECT), "表2": table("needs", NEED, month="2018年8月")}
    assert [f.rule for f in read(two, month=None).findings] == ["F07"]


def test_a_sheet_for_another_month_is_left_aside() -> None:
    sheets = {
        "8月": table("projects", SECOND, month="2018年8月"),
        "9月": table("projects", PROJECT),
    }
    submission = read(sheets)
    assert where(submission) == [("F19", "8月", "C2")]
    assert [(t.sheet, len(t.rows)) for t in submission.tables] == [("9月", 1)]
    submission = read({"封面": cover(), **sheets}, month=None)
    assert [f.rule for f in submission.findings] == ["F19"]


def test_a_csv_file_says_all_in_its_name_or_its_caption() -> None:
    lines = [*caption("projects"), *titles("projects"), PROJECT]
    text = "\n".join(",".join("" if v is None else str(v).replace("\n", "") for v in line) for line in lines)
    for encoding in ("utf-8-sig", "utf-8", "gb18030"):
        submission = read_submission(text.encode(encoding), "长梁9月.csv", "00", Filing(REGISTRY, SEPTEMBER))
        assert (submission.unit_code, submission.month, rules(submission)) == ("422822106", SEPTEMBER, [])
        (found,) = submission.tables
        assert found.sheet == "长梁9月"
        assert found.rows[0].value("fiscal_paid_cum_fen") == 40_000_000


def test_reading_is_the_same_every_time() -> None:
    data = make({"封面": cover(), "表1": BARE})
    one, other = (read_submission(data, "甲.xlsx", "00", Filing(REGISTRY, SEPTEMBER)) for _ in range(2))
    assert one == other


def test_fields_left_blank_are_asked_of_the_next_place() -> None:
    blank = [["报送单位：________", None, "月份：    年   月", None, "单位：万元"]]
    grid = [["表1 援建项目进度"], *blank, *titles("projects"), PROJECT]
    submission = filed(None, grid, name="长梁镇9月.xlsx")
    assert (submission.unit_code, submission.month, rules(submission)) == ("422822106", SEPTEMBER, [])
    blank = [["报送单位：", None, "月份：", "单位：万元"]]
    grid = [["表1 援建项目进度"], *blank, *titles("projects"), PROJECT]
    submission = filed(cover(), grid)
    assert (submission.unit_code, submission.month, rules(submission)) == ("422822106", SEPTEMBER, [])
