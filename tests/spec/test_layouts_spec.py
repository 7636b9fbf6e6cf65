"""Real workbooks in the layouts units send, through the whole of reading: what is found."""

from __future__ import annotations

from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from tests.layouts import (
    INDICATOR,
    NEED,
    PROJECT,
    SECOND,
    caption,
    cells,
    one_row,
    projects,
    read,
    rules,
    stands,
    table,
    titles,
)

# --- where the table stands and how its header is written


def test_the_contracts_own_layout() -> None:
    found = projects(table("projects", PROJECT))
    stands(found)
    assert rules(found) == []
    assert len(found.header_cells) == 27
    assert (found.header_cells["item_name"], found.header_cells["fiscal_paid_cum_fen"]) == ("C3", "U4")
    assert found.rows[0].values["fiscal_paid_cum_fen"].cell == "U5"


@pytest.mark.parametrize("joint", ["—", "-", "－", "–", "_", "\n", "", "：", "/"])
def test_a_header_of_one_row(joint: str) -> None:
    found = projects(table("projects", PROJECT, header=one_row("projects", joint)))
    stands(found)
    assert rules(found) == []


def test_a_header_of_three_rows_with_groups_over_groups() -> None:
    upper, lower = titles("projects")
    top: list[Any] = ["计划情况", *[None] * 9, "报送情况", *[None] * 16]
    found = projects(table("projects", PROJECT, header=[top, upper, lower]), merge=["A3:J3", "K3:AA3"])
    stands(found)
    assert rules(found) == []


def test_a_header_merged_down_and_across() -> None:
    spans = ["E3:G3", "P3:Q3", "S3:T3", "U3:V3", *(f"{c}3:{c}4" for c in "ABCDHIJKLMNORWXYZ")]
    stands(projects(table("projects", PROJECT), merge=[*spans, "AA3:AA4", "A1:AA1"]))


@pytest.mark.parametrize("at", [(7, 3), (1, 2), (20, 30)])
def test_anywhere_on_the_sheet(at: tuple[int, int]) -> None:
    found = projects(table("projects", PROJECT), at=at)
    stands(found)
    assert found.rows[0].row == at[0] + 4
    assert cells(found)["seq"] == f"{get_column_letter(at[1])}{at[0] + 4}"


def test_units_in_a_row_of_their_own_and_numbered_columns() -> None:
    upper, lower = titles("projects")
    bare = [[None if t is None else t.partition("(")[0] for t in row] for row in (upper, lower)]
    units = [None] * 3 + ["(万元)"] * 4 + [None] * 7 + ["(%)"] + ["（万元）"] * 7 + ["(户)", "(人)"]
    numbers = list(range(1, 28))
    found = projects(table("projects", PROJECT, header=[*bare, units, numbers]))
    stands(found)
    assert rules(found) == [] and len(found.rows) == 1


def test_wordings_with_blanks_breaks_and_full_width_brackets() -> None:
    header = [
        [t and t.replace("(", "（").replace(")", "）").replace("资金", "资\n金 ") for t in row]
        for row in titles("projects")
    ]
    stands(projects(table("projects", PROJECT, header=header)))


ALIASES = {
    "序号": "编序", "建设地": "建设地点", "项目状态": "建设状态", "形象进度(%)": "工程进度",
    "累计到位资金(万元)": "累计到位", "本月支付(万元)": "当月支付", "累计支付(万元)": "支付累计",
    "受益贫困户(户)": "受益贫困户数", "财政帮扶资金": "财政资金", "自筹资金": "自筹",
}  # fmt: skip


def test_other_wordings() -> None:
    header = [[ALIASES.get(t, t) for t in row] for row in titles("projects")]
    found = projects(table("projects", PROJECT, header=header))
    stands(found)
    assert rules(found) == []


def test_columns_moved_and_the_optional_ones_left_out() -> None:
    keep = [2, 10, 14, 20, 21, 18, 19, 15, 16, 17, 0]
    header = [[one_row("projects")[0][i] for i in keep]]
    found = projects(table("projects", [PROJECT[i] for i in keep], header=header))
    assert rules(found) == []
    assert found.rows[0].value("fiscal_paid_cum_fen") == 40_000_000
    assert found.rows[0].value("fiscal_received_cum_fen") == 50_000_000
    assert "funds_total_fen" not in found.rows[0].values


def test_a_column_inserted_between_is_told_and_left_alone() -> None:
    header = [[*row[:11], *inserted, *row[11:]] for row, inserted in zip(
        titles("projects"), (["施工单位"], [None]), strict=True)]  # fmt: skip
    row = [*PROJECT[:11], "某公司", *PROJECT[11:]]
    found = projects(table("projects", row, header=header))
    stands(found)
    assert [(f.rule, f.cell, f.value) for f in found.findings] == [("F11", "L3", "施工单位")]


def test_paid_on_is_not_paid() -> None:
    header = [[t and t.replace("累计支付", "累计拨付") for t in row] for row in titles("projects")]
    found = projects(table("projects", PROJECT, header=header))
    assert [(f.rule, f.column) for f in found.findings if f.rule == "F09"] == [
        ("F09", "累计支付(万元)—财政帮扶资金"),
        ("F09", "累计支付(万元)—自筹资金"),
    ]
    assert [f.cell for f in found.findings if f.rule == "F11"] == ["U4", "V4"]
    assert found.returned
    assert found.rows[0].value("fiscal_planned_fen") == 50_000_000


@pytest.mark.parametrize("lost", [2, 10, 14, 15, 16, 17, 18, 19, 20, 21])
def test_each_required_column_is_missed(lost: int) -> None:
    header = one_row("projects")
    title = header[0].pop(lost)
    row = [v for i, v in enumerate(PROJECT) if i != lost]
    found = projects(table("projects", row, header=header))
    assert [(f.rule, f.column, f.cell) for f in found.findings] == [("F09", title, None)]


@pytest.mark.parametrize("lost", [0, 1, 3, 4, 7, 9, 11, 12, 22, 24, 26])
def test_the_others_may_be_missing(lost: int) -> None:
    header = one_row("projects")
    header[0].pop(lost)
    found = projects(table("projects", [v for i, v in enumerate(PROJECT) if i != lost], header=header))
    assert rules(found) == []


def test_the_same_column_twice() -> None:
    header = one_row("projects")
    header[0].append("项目状态")
    found = projects(table("projects", [*PROJECT, "在建"], header=header))
    assert [(f.rule, f.cell, f.column) for f in found.findings] == [("F10", "AB3", "项目状态")]


def test_indicators_need_a_number_or_a_name() -> None:
    header = one_row("indicators")
    for kept, codes in (([0, 4, 5], []), ([1, 4, 5], []), ([2, 3, 4, 5, 6], ["F09"])):
        grid = table("indicators", [INDICATOR[i] for i in kept], header=[[header[0][i] for i in kept]])
        found = read({"表3 工作要点": grid}).table("indicators")
        assert found is not None and rules(found) == codes


# --- which table, how many


def test_three_tables_on_one_sheet() -> None:
    grid = [
        *table("projects", PROJECT, SECOND),
        [],
        *table("needs", NEED),
        ["填报人：张三", None, "审核人：李四"],
        [],
        *table("indicators", INDICATOR),
    ]
    submission = read({"9月": grid})
    assert [(t.table, [r.row for r in t.rows]) for t in submission.tables] == [
        ("projects", [5, 6]),
        ("needs", [12]),
        ("indicators", [19]),
    ]
    assert rules(submission) == []


@pytest.mark.parametrize("told", ["联系人:李四", "供货方：某公司；下月到货", "电话：1390000", "注：见附件"])
@pytest.mark.parametrize("gap", [0, 1, 2])
@pytest.mark.parametrize("under", ["needs", "indicators"])
def test_a_row_with_a_colon_above_another_table_is_the_upper_ones(told: str, gap: int, under: str) -> None:
    """The last rows of a table are no caption of the next, whatever is written in their remarks."""
    remarked = [[*row[:24], told, *row[25:-1], told] for row in (PROJECT, SECOND)]
    below = {"needs": NEED, "indicators": INDICATOR}[under]
    submission = read({"9月": [*table("projects", *remarked), *[[]] * gap, *table(under, below)]})
    assert {t.table: len(t.rows) for t in submission.tables} == {"projects": 2, under: 1}
    assert rules(submission) == []


@pytest.mark.parametrize("told", ["联系人:李四", "注：见附件"])
def test_a_row_with_a_colon_above_a_table_without_a_caption(told: str) -> None:
    grid = [*table("projects", PROJECT, [*SECOND[:-1], told]), *titles("needs"), NEED]
    submission = read({"9月": grid})
    assert {t.table: len(t.rows) for t in submission.tables} == {"projects": 2, "needs": 1}
    assert rules(submission) == []


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_a_nil_report_above_another_table(gap: int) -> None:
    for other, row in (("projects", PROJECT), ("indicators", INDICATOR), ("projects", ["零报告"])):
        submission = read({"9月": [*table("needs", ["零报告"]), *[[]] * gap, *table(other, row)]})
        nil = {t.table: t.nil_report for t in submission.tables}
        assert nil == {"needs": True, other: row == ["零报告"]}
        assert rules(submission) == []


@pytest.mark.parametrize(
    "line",
    [
        ["报送单位：", "长梁镇", None, "月份：", "2018年9月", None, "单位：万元"],
        ["报送单位：长梁镇", None, "月份：2018年9月", None, "（单位：万元）"],
        ["二、招商项目需求", None, "报送单位：长梁镇", "月份：2018年9月"],
        ["填报时间：2018年10月3日", None, "报送单位：长梁镇", "月份：2018年9月"],
        ["乡镇：长梁镇", None, "时间：2018年9月"],
    ],
)
def test_the_second_table_s_caption_in_several_cells(line: list[Any]) -> None:
    grid = [*table("projects", PROJECT, SECOND), line, *titles("needs"), NEED]
    submission = read({"9月": grid})
    assert {t.table: [r.row for r in t.rows] for t in submission.tables} == {
        "projects": [5, 6],
        "needs": [10],
    }
    assert rules(submission) == []


def test_two_tables_side_by_side() -> None:
    left, right = table("indicators", INDICATOR), table("needs", NEED)
    width = max(len(row) for row in left)
    grid = [[*a, *[None] * (width - len(a) + 1), *b] for a, b in zip(left, right, strict=True)]
    submission = read({"9月": grid})
    assert {t.table: len(t.rows) for t in submission.tables} == {"indicators": 1, "needs": 1}
    needs = submission.table("needs")
    assert needs is not None and needs.rows[0].value("funds_total_fen") == 500_000_000
    assert rules(submission) == []


def test_a_header_repeated_on_the_next_page_is_not_a_second_table() -> None:
    grid = table("projects", PROJECT)
    grid += [*titles("projects"), SECOND]
    found = projects(grid)
    assert [row.row for row in found.rows] == [5, 8]
    assert rules(found) == []


@pytest.mark.parametrize("seq", ["注1", "说明", "备注："])
def test_a_row_numbered_like_a_note_with_its_figures_as_text(seq: str) -> None:
    """In a .csv file every figure is a text: such a row was passed over."""
    as_text = [seq, *(None if value is None else str(value) for value in PROJECT[1:])]
    found = projects(table("projects", SECOND, as_text))
    assert [row.row for row in found.rows] == [5, 6]


def test_a_header_repeated_under_a_row_with_a_colon() -> None:
    grid = table("projects", [*PROJECT[:-1], "联系人：李四"])
    grid += [*titles("projects"), SECOND]
    found = projects(grid)
    assert [row.row for row in found.rows] == [5, 8]
    assert rules(found) == []


def test_no_table_at_all() -> None:
    submission = read({"Sheet1": [["关于报送情况的说明"], ["我镇本月工作正常"]]})
    assert rules(submission) == ["F05"] and not submission.tables


def test_the_same_table_twice() -> None:
    submission = read({"表1": table("projects", PROJECT), "表1(2)": table("projects", SECOND)})
    assert rules(submission) == ["F20"]
    assert [t.sheet for t in submission.tables] == ["表1"] and submission.tables[0].returned


def test_the_columns_tell_the_table_though_the_caption_is_wrong() -> None:
    grid = table("needs", NEED)
    grid[0] = ["表1 援建项目进度"]
    submission = read({"Sheet1": grid})
    assert [t.table for t in submission.tables] == ["needs"]


# --- rows


def test_sections_totals_blank_rows_and_notes() -> None:
    total = ["合计", None, "2个", 375, 375, 200, 175, *[None] * 20]
    subtotal = ["小计", None, "1个", 200, 200, 50, 150, *[None] * 20]
    second = ["小计", None, "1个", 175, 175, 150, 25, *[None] * 20]
    grid = table(
        "projects",
        total,
        ["一、产业发展"],
        subtotal,
        PROJECT,
        [],
        ["二、基础设施"],
        ["(一)安全饮水"],
        second,
        SECOND,
        [3],
        [None, "  "],
        ["注：1.支付是指付给施工方。"],
        ["2.拨付不算支付。"],
        ["填报人：张三", None, None, "审核人：李四", None, "联系电话：0718-0000000"],
    )
    found = projects(grid)
    assert rules(found) == []
    assert [row.row for row in found.rows] == [8, 13]
    assert found.sections == {8: ("一、产业发展",), 13: ("二、基础设施", "(一)安全饮水")}
    assert [(t.row, t.label, t.covers, t.count, t.count_cell) for t in found.totals] == [
        (5, "合计", (8, 13), 2, "C5"),
        (7, "小计", (8,), 1, "C7"),
        (12, "小计", (13,), 1, "C12"),
    ]
    assert found.totals[0].values["funds_total_fen"].value == 375_000_000


def test_totals_below_their_rows() -> None:
    grid = table(
        "projects",
        PROJECT,
        ["小计", None, None, 200],
        SECOND,
        ["小计", None, None, 175],
        ["合 计", None, None, 375],
    )
    assert [(t.label, t.covers) for t in projects(grid).totals] == [
        ("小计", (5,)),
        ("小计", (7,)),
        ("合计", (5, 7)),
    ]


def test_a_row_with_a_name_and_nothing_else_is_a_row() -> None:
    found = projects(table("projects", PROJECT[:10]))
    assert len(found.rows) == 1
    assert set(rules(found)) == {"C06"} and len(rules(found)) == 9
    assert [f.cell for f in found.rows[0].findings][:2] == ["K5", "O5"]


def test_a_row_without_a_name() -> None:
    found = projects(table("projects", [*PROJECT[:2], None, *PROJECT[3:]]))
    assert [(f.rule, f.cell) for f in found.rows[0].findings] == [("C06", "C5")]


def test_a_cancelled_project_needs_only_its_name_and_status() -> None:
    row = [*PROJECT[:10], "已取消"]
    assert rules(projects(table("projects", row))) == []


@pytest.mark.parametrize(
    ("status", "codes"),
    [("未对接", []), ("洽谈中", []), ("已签约", 2), ("已开工", 2), ("已完成", 2), ("已终止", [])],
)
def test_needs_from_signing_on(status: str, codes: Any) -> None:
    row = [*NEED[:9], status]
    found = read({"表2": table("needs", row)}).tables[0]
    assert [(f.rule, f.cell) for f in found.rows[0].findings] == (
        [("C06", "K5"), ("C06", "L5")] if codes else []
    )


def test_a_nil_report() -> None:
    for row in (["零报告"], [None, None, "零报告"], [1, None, "零 报 告"], ["本月零报告"], ["零报告。"]):
        found = projects(table("projects", row))
        assert found.nil_report and not found.rows and rules(found) == []
    found = projects(table("projects", ["零报告"]), merge=["A5:AA5"])
    assert found.nil_report and not found.rows


def test_a_nil_report_over_prefilled_rows_and_beside_filled_ones() -> None:
    found = projects(table("projects", ["零报告"], PROJECT[:10], SECOND[:10]))
    assert found.nil_report and not found.rows and rules(found) == []
    found = projects(table("projects", ["零报告"], PROJECT))
    assert rules(found) == ["F13"] and found.returned
    assert (found.findings[0].cell, found.findings[0].column) == ("A5", "序号")


@pytest.mark.parametrize("mark", ["同上", "〃", "″"])
def test_a_ditto_mark_is_filled_from_above(mark: str) -> None:
    second = [*SECOND[:9], mark, *SECOND[10:24], mark, *SECOND[25:]]
    found = projects(table("projects", PROJECT, second))
    assert rules(found) == ["C14", "C14"]
    assert [f.cell for f in found.rows[1].findings] == ["J6", "Y6"]
    assert found.rows[1].value("problems") == "雨季停工"
    assert found.rows[1].values["problems"].raw == mark


def test_merged_cells_are_filled_from_above() -> None:
    second = list(SECOND)
    second[1] = second[9] = None
    found = projects(table("projects", PROJECT, second), merge=["B5:B6", "J5:J6"])
    assert rules(found) == ["C14", "C14"]
    assert found.rows[1].value("lead_unit") == "长梁镇政府"


def test_what_is_hidden_is_read_and_told() -> None:
    def row(ws: Any) -> None:
        ws.row_dimensions[6].hidden = True

    def column(ws: Any) -> None:
        ws.column_dimensions["Z"].hidden = True

    for hide, title in ((row, None), (column, "下步措施")):
        found = projects(table("projects", PROJECT, SECOND), hide=hide)
        assert rules(found) == ["F14"] and len(found.rows) == 2
        assert found.findings[0].column == title

    book = {"表1": table("projects", PROJECT), "表2": table("needs", NEED)}

    def sheet(ws: Any) -> None:
        ws.sheet_state = "hidden" if ws.title == "表2" else "visible"

    submission = read(book, hide=sheet)
    assert rules(submission) == ["F14"] and len(submission.tables) == 2


# --- money


def test_a_caption_in_yuan() -> None:
    header = [[t and t.replace("(万元)", "") for t in row] for row in titles("projects")]
    row = [v * 10000 if isinstance(v, int) and i in {*range(3, 7), *range(15, 22)} else v
           for i, v in enumerate(PROJECT)]  # fmt: skip
    found = projects(table("projects", row, header=header, money="元"))
    stands(found)
    assert rules(found) == []
    assert found.rows[0].values["invested_cum_fen"].steps == ("元→万元",)


def test_a_caption_in_yuan_over_a_header_in_wan() -> None:
    found = projects(table("projects", PROJECT, money="元"))
    assert [(f.rule, f.cell) for f in found.findings] == [("F18", "E2")] and found.returned


def test_a_header_in_yuan_alone() -> None:
    header = [
        [t and t.replace("累计完成投资(万元)", "累计完成投资（元）") for t in row]
        for row in titles("projects")
    ]
    row = [*PROJECT[:17], 1200000, *PROJECT[18:]]
    found = projects(table("projects", row, header=header, money=None))
    stands(found)
    assert rules(found) == []


# --- shifts


def test_a_cell_inserted_among_the_reported_columns() -> None:
    row = [*PROJECT[:10], None, *PROJECT[10:]]
    found = projects(table("projects", row, SECOND))
    assert rules(found) == ["F16"]
    assert (found.rows[0].shifted, found.rows[1].shifted) == ("F16", "")
    (problem,) = found.rows[0].findings
    assert (problem.row, problem.cell, problem.returns_row) == (5, "L5", True)
    assert found.rows[0].failed("status") and found.rows[0].value("item_name")


def test_a_cell_inserted_among_the_plan_columns_is_proved() -> None:
    for place in (1, 2, 3):
        row = [*PROJECT[:place], None, *PROJECT[place:]]
        found = projects(table("projects", SECOND, row))
        assert rules(found) == ["F17"]
        stands(found, 1)
        assert not found.rows[1].findings[0].is_error
        assert found.rows[1].values["status"].cell == "L6"


def test_a_cell_deleted_among_the_plan_columns_is_proved() -> None:
    row = [*PROJECT[:1], *PROJECT[2:]]
    found = projects(table("projects", SECOND, row))
    assert rules(found) == ["F17"]
    stands(found, 1)
    assert found.rows[1].value("place") is None


def test_the_whole_table_shifted_is_one_finding() -> None:
    found = projects(table("projects", [None, *PROJECT], [None, *SECOND]))
    assert rules(found) == ["F17"]
    assert [row.shifted for row in found.rows] == ["F17", "F17"]
    stands(found)
    rows = [[*row[:10], None, *row[10:]] for row in (PROJECT, SECOND)]
    found = projects(table("projects", *rows))
    assert rules(found) == ["F16"] and found.returned


def test_a_shift_is_not_proved_where_the_total_does_not_close() -> None:
    row = [*PROJECT[:3], None, *PROJECT[3:]]
    total = ["合计", None, None, 999, 999, 200, 175]
    assert rules(projects(table("projects", row, SECOND, total))) == ["F16"]
    total = ["合计", None, None, 375, 375, 200, 175]
    assert rules(projects(table("projects", row, SECOND, total))) == ["F17"]


def test_two_wrong_cells_are_no_shift() -> None:
    row = [*PROJECT[:10], "施工中", "已开工了", *PROJECT[12:]]
    assert rules(projects(table("projects", row))) == ["C05", "C02"]
    row = [*PROJECT[:15], *["待核"] * 7, *PROJECT[22:]]
    assert rules(projects(table("projects", row))) == ["C01"] * 7


def test_totals_of_sections_and_of_all() -> None:
    grid = table(
        "projects",
        ["一、产业发展"], PROJECT, ["合计", None, None, 200],
        ["二、基础设施"], SECOND, ["合计", None, None, 175],
        ["总计", None, None, 375],
    )  # fmt: skip
    assert [(t.row, t.label, t.covers) for t in projects(grid).totals] == [
        (7, "合计", (6,)),
        (10, "合计", (9,)),
        (11, "总计", (6, 9)),
    ]


def test_a_heading_with_its_sums_beside_it_is_a_total() -> None:
    sums = ["一、产业发展", None, None, 375, 375, 200, 175]
    found = projects(table("projects", sums, PROJECT, SECOND))
    assert [(t.label, t.covers) for t in found.totals] == [("一、产业发展", (6, 7))]
    assert rules(found) == []


def test_a_column_without_a_heading_is_told() -> None:
    header = [[*row[:11], None, *row[11:]] for row in titles("projects")]
    row = [*PROJECT[:11], "某公司", *PROJECT[11:]]
    found = projects(table("projects", row, header=header))
    stands(found)
    assert [(f.rule, f.cell) for f in found.findings] == [("F11", "L5")]
    beside = projects(table("projects", [*PROJECT, None, None, "页边的话"]))
    assert rules(beside) == []


def test_a_status_cell_deleted_is_a_shift_not_a_heap_of_errors() -> None:
    row = [*PROJECT[:10], *PROJECT[11:22], None, None, None]
    found = projects(table("projects", SECOND, row))
    assert rules(found) == ["F16"] and found.rows[1].shifted == "F16"


@pytest.mark.parametrize("place", range(10, 22))
def test_an_empty_cell_inserted_anywhere_among_the_reported_columns(place: int) -> None:
    row = [*PROJECT[:place], None, *PROJECT[place:]]
    found = projects(table("projects", SECOND, row))
    assert rules(found) == ["F16"], place


def test_indicators_shifted() -> None:
    for row in ([None, *INDICATOR], INDICATOR[1:], [*INDICATOR[:4], None, *INDICATOR[4:]]):
        found = read({"表3": table("indicators", row)}).tables[0]
        assert [f.rule for f in found.rows[0].findings] == ["F16"]


def test_figures_shown_beside_an_empty_row_are_not_taken_for_its_own() -> None:
    for gap in range(4):
        row = [*INDICATOR[:4], *[None] * 4, *[None] * gap, 3, 5]
        found = read({"表3": table("indicators", row)}).tables[0]
        assert [f.rule for f in found.rows[0].findings] == ["C06", "C06"], gap
        row = [*PROJECT[:10], *[None] * 17, *[None] * gap, *range(10, 19)]
        assert set(rules(projects(table("projects", row)))) == {"C06"}, gap


def test_a_heading_with_its_number_in_a_cell_of_its_own() -> None:
    grid = table(
        "projects",
        ["一", None, "产业发展"], PROJECT,
        ["（二）", None, "基础设施", 175, 175, 150, 25], SECOND,
    )  # fmt: skip
    found = projects(grid)
    assert rules(found) == []
    assert found.sections == {6: ("产业发展",), 8: ("产业发展", "基础设施")}
    assert [(t.label, t.covers) for t in found.totals] == [("基础设施", (8,))]


def test_a_nil_report_on_a_sheet_without_a_header() -> None:
    submission = read({"表1": table("projects", PROJECT), "表2 招商需求": [*caption("needs"), ["零报告"]]})
    assert rules(submission) == []
    assert [(t.table, t.nil_report, len(t.rows)) for t in submission.tables] == [
        ("projects", False, 1),
        ("needs", True, 0),
    ]
    assert rules(read({"Sheet1": [["零报告"]]})) == ["F05"]
