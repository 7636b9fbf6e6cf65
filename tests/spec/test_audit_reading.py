"""Sentences of the contract tried from outside, each on a real workbook (§2, §3, §7).

What an auditor found or feared: each case names the sentence it tries, beside a near miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from flows import check as checking
from flows import plan as planning
from flows.init import make_home
from ledger.checking.model import Checked
from ledger.checking.plan import check_plan
from ledger.home import Home
from ledger.registry import Registry
from schemas.month import Month
from schemas.plan import Plan
from tests.workbooks import NIL, make_book, water

JUNE = Month(2018, 6)
PLAN = Path(__file__).resolve().parents[2] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
SHEET = "表1 援建项目"
NAME = "景阳镇社坛村安全饮水工程(深度贫困村)"
Change = Callable[[Workbook], None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("home"))
    make_home(home)
    planning.register(home, PLAN, 2018)
    yield home


def check(home: Home, book: Path, month: Month | None = JUNE) -> Checked:
    (checked,) = checking.check_files(home, [book], month).files
    return checked


def june(folder: Path, change: Change | None = None, **row: Any) -> Path:
    """景阳镇's workbook for June, then changed."""
    path = make_book(folder / "景阳镇6月.xlsx", "景阳镇", "2018年6月", projects=[water(**row)])
    if change is not None:
        book = load_workbook(path)
        change(book)
        book.save(path)
    return path


def put(**cells: Any) -> Change:
    def change(book: Workbook) -> None:
        for address, value in cells.items():
            book[SHEET][address] = value

    return change


def rules(checked: Checked) -> list[str]:
    return [f.rule for f in checked.findings]


def places(checked: Checked) -> list[tuple[str, str | None]]:
    return [(f.rule, f.cell) for f in checked.findings]


# --- §3: required columns; every column twice


def test_only_the_required_columns_are_missed(home: Home, tmp_path: Path) -> None:
    required = {3, 11, 15, 16, 17, 18, 19, 20, 21, 22}
    for column in range(1, 28):

        def without(book: Workbook, column: int = column) -> None:
            sheet = book[SHEET]
            for merged in list(sheet.merged_cells.ranges):
                sheet.unmerge_cells(str(merged))
            for place in range(2, 28):
                if sheet.cell(3, place).value is None:
                    sheet.cell(3, place).value = sheet.cell(3, place - 1).value
            sheet.delete_cols(column)

        found = rules(check(home, june(tmp_path, without)))
        # without 实际开工时间 a project 在建 lacks the date its status needs
        expected = ["F09"] if column in required else ["R10"] if column == 12 else []
        assert found == expected, column


@pytest.mark.parametrize(
    ("cell", "heading"),
    [
        ("K3", "项目状态（未开工/在建/已完工/已验收/已取消）"),
        ("K3", "项目状态（未开工、在建、已完工、已验收、已取消）"),
        ("K3", "目前状态"),
        ("O3", "截至6月底形象进度（%）"),
        ("R3", "自开工以来累计完成投资(万元)"),
        ("R3", "截至本月末累计完成投资（万元）"),
        ("C3", "援建项目名称"),
        ("Z3", "下一步打算"),
    ],
)
def test_headings_as_a_clerk_writes_them(home: Home, tmp_path: Path, cell: str, heading: str) -> None:
    assert rules(check(home, june(tmp_path, put(**{cell: heading})))) == []


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("实施单位", ["F11"]),
        ("责任单位", ["F11"]),
        ("说明", ["F11"]),
        ("备注2", ["F11"]),
        ("工程名称", ["F11"]),
        ("备注", ["F10"]),
        ("备注①", ["F10"]),
        ("牵头单位", ["F10"]),
        ("状态", ["F10"]),
        ("完成投资(万元)", ["F10"]),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_column_beside_its_likeness(
    home: Home, tmp_path: Path, heading: str, expected: list[str], first: bool
) -> None:
    """The contract's own titles say which column is meant; a like one beside it is not the same."""

    def change(book: Workbook) -> None:
        sheet = book[SHEET]
        if first:
            for merged in list(sheet.merged_cells.ranges):
                sheet.unmerge_cells(str(merged))
            sheet.insert_cols(1)
        column = 1 if first else 28
        sheet.cell(3, column).value, sheet.cell(5, column).value = heading, "第三建筑公司"

    checked = check(home, june(tmp_path, change))
    assert [rule for rule in rules(checked) if rule[0] == "F"] == expected
    if expected == ["F11"]:
        assert rules(checked) == expected
        row = checked.tables[0].accepted["2018-A1-04"]
        assert (row.value("lead_unit"), row.value("remarks")) == ("景阳镇政府", None)


@pytest.mark.parametrize("heading", ["累计拨付(万元)", "累计支出(万元)"])
def test_money_passed_on_is_not_paid(home: Home, tmp_path: Path, heading: str) -> None:
    checked = check(home, june(tmp_path, put(U3=heading)))
    assert sorted(rules(checked)) == ["F09", "F09", "F11", "F11"]
    assert checked.verdict.value == "returned"


# --- §3: names first, then 序号 with a close name


@pytest.mark.parametrize(
    ("name", "seq", "expected"),
    [
        ("景阳镇社坛村 安全饮水工程\n（深度贫困村）", 4, []),
        ("安全饮水工程", 4, ["P08"]),
        ("景阳镇社坛村安全引水工程", 4, ["P08"]),
        ("景阳镇社坛村道路硬化工程", 4, ["P01", "P04"]),
        ("景阳镇社坛村卫生室", 4, ["P01", "P04"]),
        ("饮水", 4, ["P01", "P04"]),
        ("景阳镇社坛村安全饮水工程", None, ["P01", "P04"]),
        (NAME, None, []),
    ],
)
def test_a_close_name(home: Home, tmp_path: Path, name: str, seq: int | None, expected: list[str]) -> None:
    assert sorted(rules(check(home, june(tmp_path, item_name=name, seq=seq)))) == expected


# --- §3, §7: units of money


@pytest.mark.parametrize("caption", ["单位：元", "金额单位：人民币元", "（单位：元）", "单位：元、户、人"])
def test_yuan_told_by_the_caption(home: Home, tmp_path: Path, caption: str) -> None:
    amounts = ("total_investment", "funds_total", "fiscal_planned", "self_planned", "invested_cum")
    sources = ("received_cum", "paid_month", "paid_cum")
    row = water()
    yuan = {
        name: row[name] * 10_000
        for name in (*amounts, *(f"{s}_{of}" for of in sources for s in ("fiscal", "self")))
    }

    def bare_headings(book: Workbook) -> None:
        for line in book[SHEET]["A3:AA4"]:
            for cell in line:
                if isinstance(cell.value, str):
                    cell.value = cell.value.replace("(万元)", "")
        book[SHEET]["G2"] = caption

    checked = check(home, june(tmp_path, bare_headings, **yuan))
    assert rules(checked) == []
    assert checked.tables[0].accepted["2018-A1-04"].value("fiscal_paid_cum_fen") == 20_000_000


# --- §3: 零报告


@pytest.mark.parametrize("text", [NIL, "零 报 告", "（零报告）", "【零报告】", "零报告。", "本月零报告"])
@pytest.mark.parametrize("cell", ["A5", "C5", "K5"])
def test_a_nil_report(home: Home, tmp_path: Path, text: str, cell: str) -> None:
    def change(book: Workbook) -> None:
        book[SHEET].delete_rows(5)
        book[SHEET][cell] = text

    checked = check(home, june(tmp_path, change))
    assert (rules(checked), checked.tables[0].nil_report) == (["P04"], True)
    assert checked.verdict.value == "accepted"


@pytest.mark.parametrize(
    "text", ["本月零报告，无项目", "零报告（本月无内容）", "本月实行零报告", "无（零报告）"]
)
def test_a_nil_report_with_a_note(home: Home, tmp_path: Path, text: str) -> None:
    def change(book: Workbook) -> None:
        book[SHEET].delete_rows(5)
        book[SHEET]["C5"] = text

    checked = check(home, june(tmp_path, change))
    assert (rules(checked), checked.tables[0].nil_report) == (["P04"], True)


@pytest.mark.parametrize(
    ("beside", "contradicted"),
    [
        ({"A5": 1, "AA5": "本月没有项目"}, False),
        ({"A5": 1, "O5": "0%", "R5": 0, "U5": "0.00", "V5": "—", "W5": "无"}, False),
        ({"R5": 12}, True),
        ({"K5": "在建"}, True),
    ],
)
def test_a_note_and_noughts_beside_a_nil_report(
    home: Home, tmp_path: Path, beside: dict[str, Any], contradicted: bool
) -> None:
    """Of a row with 零报告 only what reports something contradicts it (F13)."""

    def change(book: Workbook) -> None:
        book[SHEET].delete_rows(5)
        book[SHEET]["C5"] = NIL
        put(**beside)(book)

    found = rules(check(home, june(tmp_path, change)))
    assert ("F13" in found) is contradicted
    assert contradicted or found == ["P04"]


@pytest.mark.parametrize("text", ["零报", "没有", "（个）", "零报告制度", "非零报告"])
def test_other_words_are_no_nil_report(home: Home, tmp_path: Path, text: str) -> None:
    def change(book: Workbook) -> None:
        book[SHEET].delete_rows(5)
        book[SHEET]["A5"] = text

    assert not check(home, june(tmp_path, change)).tables[0].nil_report


# --- §7: the month


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("景阳镇6月.xlsx", []),
        ("景阳镇2018-06.xlsx", []),
        ("景阳镇2018年1-6月.xlsx", []),
        ("2018-06-景阳镇.xlsx", []),
        ("景阳镇_2018_06_终稿.xlsx", []),
        ("景阳镇六月报表.xlsx", []),
        ("景阳镇二〇一八年六月.xlsx", []),
        ("景阳镇18年6月.xlsx", []),
        ("景阳镇截至2018年6月30日.xlsx", []),
        ("景阳镇截至2018年6月20日.xlsx", ["F07"]),
        ("景阳镇2018_07_06.xlsx", ["F07"]),
        ("景阳镇十六年规划.xlsx", ["F07"]),
        ("景阳镇2018-07-06.xlsx", ["F07"]),
        ("景阳镇2018.3.6.xlsx", ["F07"]),
        ("景阳镇7月6日.xlsx", ["F07"]),
    ],
)
def test_a_day_in_the_files_name_tells_no_month(
    home: Home, tmp_path: Path, name: str, expected: list[str]
) -> None:
    def bare(book: Workbook) -> None:
        del book["封面"]
        for cell in ("A2", "D2", "G2"):
            book[SHEET][cell] = None

    path = june(tmp_path, bare).rename(tmp_path / name)
    checked = check(home, path, None)
    assert rules(checked) == expected
    assert checked.submission.month == (None if expected else JUNE)


@pytest.mark.parametrize(
    ("month", "shown", "expected"),
    [
        (2018.06, "General", []),
        (2018.6, "General", []),
        (2018.1, "General", ["F07"]),
        (2018.1, "0.00", []),
        ("2018.1", "General", []),
        (201806, "General", []),
        (6, "General", []),
    ],
)
def test_a_month_written_as_a_number(
    home: Home, tmp_path: Path, month: float | str, shown: str, expected: list[str]
) -> None:
    """The number 2018.1 may have been 2018.10: it tells no month unless its format shows which."""

    def change(book: Workbook) -> None:
        book["封面"]["B3"] = month
        book["封面"]["B3"].number_format = shown
        book[SHEET]["D2"] = None

    checked = check(home, june(tmp_path, change), None)
    assert [rule for rule in rules(checked) if rule == "F07"] == expected
    told = Month(2018, 10) if shown == "0.00" else Month(2018, 1) if month == "2018.1" else JUNE
    assert checked.submission.month == (None if expected else told)


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        (["景阳镇", "2018年6月", "张三"], []),
        (["景阳镇", None, "张三"], ["F07"]),
        (["高坪镇", "2018年7月", "张三"], ["F07"]),
        (["联系电话", "审核人", "填报日期"], ["F06", "F07"]),
    ],
)
def test_a_cover_with_its_values_below(
    home: Home, tmp_path: Path, below: list[str | None], expected: list[str]
) -> None:
    def change(book: Workbook) -> None:
        front = book["封面"]
        front.delete_rows(1, 20)
        front.append(["报送单位", "月份", "填报人"])
        front.append(below)
        for cell in ("A2", "D2"):
            book[SHEET][cell] = None

    path = june(tmp_path, change).rename(tmp_path / "报表.xlsx")
    assert [rule for rule in rules(check(home, path)) if rule[0] == "F"] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("报送单位：景阳镇 月份：2018年6月", []),
        ("报送单位（盖章）：景阳镇政府                2018年6月", []),
        ("报送单位：景阳镇　　三里乡", ["F06"]),
        ("报送单位：某某公司                2018年6月", ["F06"]),
    ],
)
def test_a_caption_on_one_line(home: Home, tmp_path: Path, line: str, expected: list[str]) -> None:
    def change(book: Workbook) -> None:
        del book["封面"]
        put(A2=line, D2=None)(book)

    assert rules(check(home, june(tmp_path, change))) == expected


def test_a_table_that_stands_twice_hides_no_item(home: Home, tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        book.copy_worksheet(book[SHEET]).title = "表1续"
        book[SHEET]["C5"] = "青马线旅游扶贫公路"

    found = rules(check(home, june(tmp_path, change)))
    assert "F20" in found and "P04" not in found


# --- §7: numbers, dittos, counts


def test_a_count_is_given_as_it_is_written(home: Home, tmp_path: Path) -> None:
    checked = check(home, june(tmp_path, put(A6="合计", C6="2个")))
    found = next(f for f in checked.findings if f.rule == "T02")
    assert (found.cell, found.value, found.expected, found.difference) == ("C6", "2个", "1", 1)
    assert found.column == "项目名称"
    assert found.message == "表1 援建项目 C6：合计写明 2 个，实有 1 行"


@pytest.mark.parametrize(
    ("count", "amount", "expected"),
    [
        ("1个", 300, []),
        ("共 1 个", 300, []),
        ("2个", 300, [("T02", "C5")]),
        ("1个", 301, [("T01", "D5")]),
    ],
)
def test_a_heading_that_states_count_and_sum(
    home: Home, tmp_path: Path, count: str, amount: int, expected: list[tuple[str, str]]
) -> None:
    rows = [{"seq": "二、基础设施", "item_name": count, "total_investment": amount}, water()]
    book = make_book(tmp_path / "甲.xlsx", "景阳镇", "2018年6月", projects=rows)
    checked = check(home, book)
    assert places(checked) == expected
    assert list(checked.tables[0].accepted) == ["2018-A1-04"]


@pytest.mark.parametrize("label", ["合计2个", "合计共2个", "小计（共 2 个）", "合 计：2个", "共计2个项目"])
@pytest.mark.parametrize("cell", ["A6", "B6", "C6"])
def test_a_total_says_its_count_wherever_it_stands(home: Home, tmp_path: Path, label: str, cell: str) -> None:
    checked = check(home, june(tmp_path, put(**{cell: label, "D6": 300})))
    assert [place for place in places(checked) if place[0] != "T03"] == [("T02", cell)]
    assert checked.tables[0].rows_read == 1


@pytest.mark.parametrize("written", ["#REF!", "约150"])
def test_a_total_that_is_no_number_is_not_called_blank(home: Home, tmp_path: Path, written: str) -> None:
    """An Excel error is a finding, not a blank (§6.3); what else the row leaves blank is told as well."""
    found = next(
        f for f in check(home, june(tmp_path, put(A6="合计", R6=written))).findings if f.rule == "T03"
    )
    assert (found.cell, found.column, found.value) == ("R6", "累计完成投资(万元)", written)
    assert f"“{written}”（累计完成投资）不是数字；项目总投资、" in found.message


def test_a_ditto_names_what_was_filled(home: Home, tmp_path: Path) -> None:
    rows = [water(), {**water(), "item_name": "青马线旅游扶贫公路", "seq": 7, "remarks": "同上"}]
    rows[0]["remarks"] = "以审计为准"
    book = make_book(tmp_path / "甲.xlsx", "景阳镇", "2018年6月", projects=rows)
    found = next(f for f in check(home, book).findings if f.rule == "C14")
    assert (found.cell, found.value) == ("AA6", "同上")
    assert found.message.endswith("由 AA5 补填为“以审计为准”")


@pytest.mark.parametrize(("done", "expected"), [(3, []), (0.5, ["C12", "C12"])])
def test_half_a_person_is_said(home: Home, tmp_path: Path, done: float, expected: list[str]) -> None:
    row = {
        "item_code": "2018-T-04",
        "item_name": "滨江职工（劳模）疗休养",
        "unit_of_measure": "人次",
        "target": 1000,
        "done_month": done,
        "done_cum": done,
    }
    book = make_book(tmp_path / "甲.xlsx", "县旅游局", "2018年6月", indicators=[row])
    checked = check(home, book)
    assert (rules(checked), checked.verdict.value) == (expected, "accepted")


# --- §7: shifts


def moved(sheet: Worksheet, rows: range, first: int, last: int, step: int) -> None:
    for row in rows:
        values = [sheet.cell(row, column).value for column in range(first, last + 1)]
        for column in range(first, last + 1):
            sheet.cell(row, column).value = None
        for place, value in enumerate(values):
            sheet.cell(row, first + step + place).value = value


def needs(folder: Path, home: Home, change: Callable[[Worksheet], None]) -> Path:
    registered = check_plan(PLAN.read_bytes(), PLAN.name, 2018, 1, Registry.load(home))
    assert isinstance(registered, Plan)
    rows = []
    for item in registered.of_table("needs"):
        amounts = {
            title: None if (fen := item.fen(name)) is None else fen / 1_000_000
            for title, name in (
                ("total_investment", "total_investment_fen"),
                ("funds_total", "funds_total_fen"),
                ("enterprise_planned", "enterprise_planned_fen"),
                ("self_planned", "self_planned_fen"),
            )
        }
        rows.append({"seq": item.seq, "item_name": item.name, "status": "未对接", **amounts})
    path = make_book(folder / "招商局6月.xlsx", "县招商局", "2018年6月", needs=rows)
    book = load_workbook(path)
    change(book["表2 招商需求"])
    book.save(path)
    return path


def test_a_whole_table_with_rows_that_state_no_amounts(home: Home, tmp_path: Path) -> None:
    """Five needs have no amounts: the other fifteen prove the shift that all share."""
    assert rules(check(home, needs(tmp_path, home, lambda sheet: None))) == []
    checked = check(home, needs(tmp_path, home, lambda s: moved(s, range(5, 25), 5, 16, 1)))
    assert places(checked) == [("F17", "F5")]
    assert len(checked.tables[0].accepted) == 20


def test_a_whole_table_of_which_one_amount_is_not_the_plans(home: Home, tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["E10"] = 751
        moved(sheet, range(5, 25), 5, 16, 1)

    checked = check(home, needs(tmp_path, home, change))
    assert [f.rule for f in checked.findings] == ["F16"]
    assert checked.verdict.value == "returned"


# --- §7: what is hidden


def hide(sheet: str, row: int = 0, column: str = "") -> Change:
    def change(book: Workbook) -> None:
        if row:
            book[sheet].row_dimensions[row].hidden = True
        elif column:
            book[sheet].column_dimensions[column].hidden = True
        else:
            book[sheet].sheet_state = "veryHidden"

    return change


@pytest.mark.parametrize(
    ("sheet", "row", "column", "expected"),
    [
        (SHEET, 2, "", [("F14", SHEET, 2)]),  # unit, month and unit of money
        (SHEET, 3, "", [("F14", SHEET, 3)]),
        (SHEET, 5, "", [("F14", SHEET, 5)]),
        (SHEET, 9, "", []),
        (SHEET, 0, "R", [("F14", SHEET, None)]),
        (SHEET, 0, "AC", []),
        (SHEET, 0, "", [("F14", SHEET, None)]),
        ("封面", 4, "", [("F14", "封面", 4)]),
        ("封面", 20, "", []),
        ("封面", 0, "B", [("F14", "封面", None)]),
        ("封面", 0, "", [("F14", "封面", None)]),
    ],
)
def test_what_is_hidden_and_read_is_told(
    home: Home, tmp_path: Path, sheet: str, row: int, column: str, expected: list[Any]
) -> None:
    checked = check(home, june(tmp_path, hide(sheet, row, column)))
    assert [(f.rule, f.sheet, f.row) for f in checked.findings] == expected
    assert checked.verdict.value == "accepted"


def test_a_bare_nil_report_on_a_hidden_sheet_is_told(home: Home, tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        book[SHEET].delete_rows(2, 10)
        book[SHEET]["A3"] = NIL
        book[SHEET].sheet_state = "hidden"

    assert sorted(rules(check(home, june(tmp_path, change)))) == ["F14", "P04"]


# --- several faults at once


def test_every_fault_of_a_row_is_told(home: Home, tmp_path: Path) -> None:
    faults = {"status": "施工中", "start_actual": "开春", "progress_pct": "约70", "fiscal_paid_cum": None}
    checked = check(home, june(tmp_path, **faults, total_investment=310, poor_persons=3.5))
    assert places(checked) == [
        ("P02", "D5"),
        ("C05", "K5"),
        ("C02", "L5"),
        ("C10", "O5"),
        ("C06", "U5"),
        ("C12", "X5"),
    ]
    assert {f.item for f in checked.findings} == {"2018-A1-04"}


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("invested_cum", "请补填；没有发生的填 0。"),
        ("progress_pct", "请补填；没有发生的填 0。"),
        ("status", "请补填。"),
        ("item_name", "请补填。"),
    ],
)
def test_only_a_figure_may_be_nought(home: Home, tmp_path: Path, field: str, remedy: str) -> None:
    found = next(f for f in check(home, june(tmp_path, **{field: None})).findings if f.rule == "C06")
    assert found.remedy == remedy


def test_faults_beside_a_nil_report_are_told_as_well(home: Home, tmp_path: Path) -> None:
    checked = check(home, june(tmp_path, put(A6=NIL), progress_pct="约70", fiscal_paid_cum="#REF!"))
    assert sorted(rules(checked)) == ["C07", "C10", "F13"]
    assert checked.verdict.value == "returned"
