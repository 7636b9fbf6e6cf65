"""Forms: prefilled, locked, guided, the same bytes every time, and read back as what was typed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sample_return import (
    DEPARTMENT,
    FILLED,
    INDICATORS_SHEET,
    MONTH,
    NEEDS_SHEET,
    PROJECTS_SHEET,
    TOWNSHIP,
    fill,
    last_month,
    plan,
    registry,
)

from ledger.errors import UsageError
from ledger.home import Home
from ledger.reading.model import Filing, Submission
from ledger.reading.submission import read_submission
from ledger.returning.forms import form_bytes, reporting_units, write_forms
from schemas.columns import Kind
from schemas.money import wan_text
from schemas.month import PartialDate
from schemas.tables import NEEDS, PROJECTS, TABLES


def form(unit: str, *, with_last: bool = True) -> bytes:
    book = registry()
    return form_bytes(book, plan(), MONTH, last_month() if with_last else None, book.by_code[unit])


def opened(unit: str, *, with_last: bool = True) -> Workbook:
    return load_workbook(BytesIO(form(unit, with_last=with_last)))


def read(data: bytes, name: str = "x.xlsx") -> Submission:
    return read_submission(data, name, "0" * 64, Filing(registry(), MONTH, plan()))


def rule_at(workbook: Workbook, sheet: str, cell: str):
    rules = [r for r in workbook[sheet].data_validations.dataValidation if cell in r.sqref]
    assert len(rules) == 1, f"{cell} has {len(rules)} validations"
    return rules[0]


def test_every_township_and_every_department_with_items_gets_one(tmp_path: Path) -> None:
    book = registry()
    paths = write_forms(Home(tmp_path), book, plan(), MONTH, None)
    names = [path.name for path in paths]
    townships = [unit.name for unit in book.units if unit.kind == "township"]
    assert names == [f"2018-09_{name}_月报表.xlsx" for name in [*townships, "县招商局"]]
    assert all(path.parent == Home(tmp_path).forms(MONTH) for path in paths)
    assert [unit.name for unit in reporting_units(book, plan())] == [*townships, "县招商局"]


def test_one_unit_by_code_name_or_alias(tmp_path: Path) -> None:
    for unit in (TOWNSHIP, "长梁镇", "长粱镇", "长梁镇人民政府"):
        (path,) = write_forms(Home(tmp_path), registry(), plan(), MONTH, None, [unit])
        assert path.name == "2018-09_长梁镇_月报表.xlsx"


def test_an_unknown_unit_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="没有登记的报送单位：某某镇"):
        write_forms(Home(tmp_path), registry(), plan(), MONTH, None, ["某某镇"])


def test_the_same_bytes_every_time() -> None:
    assert form(TOWNSHIP) == form(TOWNSHIP)


def test_sheets_and_titles_are_canonical() -> None:
    workbook = opened(TOWNSHIP)
    assert workbook.sheetnames == ["封面", *(table.sheet for table in TABLES.values())]
    sheet = workbook[PROJECTS_SHEET]
    assert sheet["A1"].value == "表1  援建项目进度"
    caption = [cell.value for cell in sheet[2] if cell.value][:3]
    assert caption == ["报送单位：长梁镇", "月份：2018年9月", "单位：万元"]
    for place, column in enumerate(PROJECTS.columns, start=1):
        if column.group:
            assert sheet.cell(4, place).value == column.leaf
        else:
            assert sheet.cell(3, place).value == column.title
    groups = {c.group for c in PROJECTS.columns if c.group}
    assert groups <= {sheet.cell(3, place).value for place in range(1, 28)}


def test_the_cover_is_prefilled_and_the_rest_of_it_open() -> None:
    sheet = opened(TOWNSHIP)["封面"]
    fields = {row[1].value: row[2] for row in sheet.iter_rows(max_col=4) if row[1].value}
    assert fields["报送单位"].value == "长梁镇"
    assert fields["月份"].value == "2018年9月"
    assert fields["报送单位"].protection.locked
    assert fields["月份"].protection.locked
    for name in ("填报人", "联系电话", "审核人", "填报日期", "更正说明"):
        assert fields[name].value is None
        assert not fields[name].protection.locked
    words = "".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    # the 5th of October 2018 lies in the National Day holidays
    assert "报送期限：2018年10月8日" in words


def test_plan_columns_are_filled_and_locked_and_entries_open() -> None:
    sheet = opened(TOWNSHIP)[PROJECTS_SHEET]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    values = [sheet.cell(5, place).value for place in range(1, 11)]
    assert values == [
        1,
        "建始县长梁镇",
        "后三溪村发展民宿旅游业",
        200,
        200,
        50,
        150,
        "2018年5月",
        "2018年10月",
        "长梁镇政府",
    ]
    for place, column in enumerate(PROJECTS.columns, start=1):
        cell = sheet.cell(5, place)
        assert cell.protection.locked == (column.field in PROJECTS.plan_fields), column.title
        if column.field not in PROJECTS.plan_fields:
            assert cell.value is None


@pytest.mark.parametrize("column", PROJECTS.reported, ids=lambda column: column.field)
def test_every_entry_cell_says_in_chinese_what_it_wants(column) -> None:
    workbook = opened(TOWNSHIP, with_last=False)
    place = 1 + PROJECTS.fields.index(column.field)
    rule = rule_at(workbook, PROJECTS_SHEET, workbook[PROJECTS_SHEET].cell(5, place).coordinate)
    assert column.meaning in rule.prompt
    assert len(rule.prompt) <= 255
    assert len(rule.promptTitle) <= 32
    if column.kind is Kind.CHOICE:
        assert (rule.type, rule.formula1) == ("list", '"' + ",".join(column.allowed) + '"')
        assert rule.errorStyle == "stop"
    elif column.kind is Kind.PERCENT:
        assert (rule.type, rule.operator, rule.formula1, rule.formula2) == ("decimal", "between", "0", "100")
    elif column.kind in (Kind.MONEY, Kind.COUNT):
        assert rule.type == ("decimal" if column.kind is Kind.MONEY else "whole")
        assert (rule.operator, rule.formula1) == ("greaterThanOrEqual", "0")
    elif column.kind is Kind.DATE:
        assert (rule.type, rule.formula2) == ("date", "DATE(2018,9,30)")
    if column.kind is not Kind.TEXT:
        assert rule.error


def test_last_month_stands_beside_the_table_and_in_the_cells_own_prompt() -> None:
    workbook = opened(TOWNSHIP)
    sheet = workbook[PROJECTS_SHEET]
    beside = {sheet.cell(2, c).value: sheet.cell(5, c) for c in range(29, 40) if sheet.cell(2, c).value}
    assert beside["上月末累计到位资金(万元) 自筹资金"].value == 120.5
    assert beside["上月末项目状态"].value == "在建"
    assert all(cell.protection.locked for cell in beside.values())
    place = 1 + PROJECTS.fields.index("self_received_cum_fen")
    assert "上月末：120.5 万元" in rule_at(workbook, PROJECTS_SHEET, sheet.cell(5, place).coordinate).prompt
    # project 4 was never reported: nothing is invented
    assert "上月末：" not in rule_at(workbook, PROJECTS_SHEET, sheet.cell(6, place).coordinate).prompt
    assert sheet.cell(6, beside["上月末累计到位资金(万元) 自筹资金"].column).value is None
    assert "AC" not in sheet.print_area


def test_no_last_month_no_columns_beside() -> None:
    assert opened(TOWNSHIP, with_last=False)[PROJECTS_SHEET].max_column == len(PROJECTS.columns)


@pytest.mark.parametrize("with_last", [True, False])
@pytest.mark.parametrize("unit", [TOWNSHIP, DEPARTMENT, "422822100"])
def test_an_empty_form_reads_without_a_word_about_its_form(unit: str, with_last: bool) -> None:
    submission = read(form(unit, with_last=with_last))
    assert (submission.unit_code, submission.month) == (unit, MONTH)
    assert submission.findings == []
    assert [table.table for table in submission.tables] == list(TABLES)
    for table in submission.tables:
        assert table.findings == []
        assert {f.rule for row in table.rows for f in row.findings} <= {"C06"}


def test_a_table_without_items_is_a_nil_report() -> None:
    submission = read(form("422822100"))
    assert [(t.nil_report, t.rows) for t in submission.tables] == [(True, [])] * 3
    submission = read(form(DEPARTMENT))
    assert [t.nil_report for t in submission.tables] == [True, False, False]


def test_a_filled_form_reads_back_as_what_was_typed() -> None:
    submission = read(fill(form(TOWNSHIP)))
    assert submission.findings == []
    table = submission.table("projects")
    assert table is not None
    assert table.findings == []
    assert [row.row for row in table.rows] == [5, 6]
    for row, item in zip(table.rows, plan().of_unit(TOWNSHIP), strict=True):
        assert row.findings == []
        assert row.value("item_name") == item.name
        for column in PROJECTS.columns:
            value = row.value(column.field)
            if column.field in PROJECTS.plan_fields:
                assert value == item.values[column.field]
            elif column.title in FILLED:
                typed = FILLED[column.title]
                if isinstance(typed, datetime):
                    assert value == PartialDate(typed.year, typed.month, typed.day)
                elif column.kind is Kind.MONEY:
                    assert wan_text(value) == str(typed)
                else:
                    assert value == (typed if isinstance(typed, str) else Decimal(str(typed)))
            else:
                assert value is None


def test_a_name_that_begins_like_a_formula_stays_a_name() -> None:
    sheet = opened(DEPARTMENT)[NEEDS_SHEET]
    cell = sheet.cell(5, 1 + NEEDS.fields.index("item_name"))
    assert (cell.value, cell.data_type) == ("=特色农产品销售", "s")


def test_paper_is_a4_landscape_with_repeated_headings() -> None:
    workbook = opened(DEPARTMENT)
    for name, header in ((PROJECTS_SHEET, "$3:$4"), (NEEDS_SHEET, "$3:$4"), (INDICATORS_SHEET, "$3:$3")):
        sheet = workbook[name]
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.print_title_rows == header
        assert sheet.freeze_panes is not None
    assert workbook[NEEDS_SHEET].page_setup.fitToWidth == 1
    # the wide table is parted between two columns, never inside a group
    (part,) = workbook[PROJECTS_SHEET].col_breaks.brk
    left, right = PROJECTS.columns[part.id - 1], PROJECTS.columns[part.id]
    assert not left.group or left.group != right.group
