"""The printed plan, and what happens when something in it is changed (CONTRACT §2).

Every case is a table row a reader can check by eye against the printed annexes: what is changed,
which findings come in addition, which go. (rule, sheet, cell) tells a finding.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ledger.checking.plan import check_plan
from ledger.home import CHECKOUT, Home
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.plan import Plan

Where = tuple[str, str, str]
PRINTED = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
REGISTRY = Registry.load(Home(CHECKOUT))
ONE, TWO = "附件1", "附件2"
MILLION = 1_000_000

#: All there is to say about the plan as it was issued.
BASE: set[Where] = {
    ("R01", ONE, "G5"),
    ("R01", ONE, "G23"),
    ("F17", ONE, "G12"),
    ("F17", ONE, "G14"),
    ("F17", ONE, "G17"),
    ("T03", ONE, "F22"),
    ("P05", ONE, "L10"),
    *(("P06", ONE, f"J{row}") for row in (8, 15, 18, 20, 23)),
    *(("P07", ONE, f"E{row}") for row in (8, 10, 23)),
    *(("F17", TWO, f"F{row}") for row in (6, 7, 9, 10)),
    ("T03", TWO, "F5"),
    *(("P07", TWO, f"F{row}") for row in (8, 15, 16, 17, 19)),
}
SHIFTED_TWO = {("F17", TWO, f"F{row}") for row in (6, 7, 9, 10)}
UNPROVED_TWO = {("F16", TWO, f"F{row}") for row in (6, 7, 9, 10)}


def check(book: Workbook | bytes, name: str = "plan.xlsx") -> Plan | list[Finding]:
    if isinstance(book, bytes):
        return check_plan(book, name, 2018, 1, REGISTRY)
    stream = io.BytesIO()
    book.save(stream)
    return check_plan(stream.getvalue(), name, 2018, 1, REGISTRY)


def changed(change: Callable[[Worksheet, Worksheet], None]) -> Plan:
    book = openpyxl.load_workbook(PRINTED)
    change(book[ONE], book[TWO])
    plan = check(book)
    assert isinstance(plan, Plan)
    return plan


def places(plan: Plan) -> set[Where]:
    return {(f.rule, f.sheet or "", f.cell or "") for f in plan.findings}


def shift(sheet: Worksheet, row: int, first: str, last: str, step: int) -> None:
    """Move the cells first…last of a row by `step` columns, over whatever stood there."""
    cells = sheet[f"{first}{row}" : f"{last}{row}"][0]
    values = [(cell.column, cell.value) for cell in cells]
    for cell in cells:
        cell.value = None
    for column, value in values:
        sheet.cell(row, column + step).value = value


def put(annex: int, **cells: object) -> Callable[[Worksheet, Worksheet], None]:
    def change(one: Worksheet, two: Worksheet) -> None:
        for address, value in cells.items():
            (one, two)[annex - 1][address] = value

    return change


def moved(annex: int, row: int, first: str, last: str, step: int) -> Callable[[Worksheet, Worksheet], None]:
    def change(one: Worksheet, two: Worksheet) -> None:
        shift((one, two)[annex - 1], row, first, last, step)

    return change


def both(*changes: Callable[[Worksheet, Worksheet], None]) -> Callable[[Worksheet, Worksheet], None]:
    def change(one: Worksheet, two: Worksheet) -> None:
        for each in changes:
            each(one, two)

    return change


# --- as printed


def test_the_printed_plan_has_exactly_these_discrepancies() -> None:
    plan = check(PRINTED.read_bytes(), PRINTED.name)
    assert isinstance(plan, Plan)
    assert places(plan) == BASE
    assert len(plan.findings) == len(BASE)
    assert {f.file for f in plan.findings} == {PRINTED.name}


def test_the_two_sums_that_do_not_hold_are_named_with_their_difference() -> None:
    plan = changed(put(1))
    r01 = {f.cell: f for f in plan.findings if f.rule == "R01"}
    assert (r01["G5"].value, r01["G5"].expected, r01["G5"].difference) == ("5005", "4705", Decimal(300))
    assert (r01["G23"].value, r01["G23"].expected, r01["G23"].difference) == ("530", "230", Decimal(300))
    assert r01["G23"].item == "2018-A1-08"
    assert r01["G5"].column == "项目资金安排(万元)—合计"


def test_annex_2_closes_after_the_proved_repairs_and_nothing_is_invented() -> None:
    plan = changed(put(2))
    needs = plan.of_table("needs")
    sums = {
        name: sum(item.fen(name) or 0 for item in needs) // MILLION
        for name in ("funds_total_fen", "enterprise_planned_fen", "self_planned_fen")
    }
    assert sums == {"funds_total_fen": 39242, "enterprise_planned_fen": 31292, "self_planned_fen": 7950}
    first = plan.by_id["2018-A2-01"]
    assert first.fen("total_investment_fen") is None
    assert [first.fen(n) for n in ("funds_total_fen", "enterprise_planned_fen", "self_planned_fen")] == [
        500 * MILLION,
        200 * MILLION,
        300 * MILLION,
    ]
    total = next(t for t in plan.totals if t.table == "needs")
    assert total.values["total_investment_fen"] is None


def test_annex_1_stays_300_apart() -> None:
    plan = changed(put(1))
    projects = plan.of_table("projects")
    sums = [
        sum(p.fen(n) or 0 for p in projects)
        for n in ("funds_total_fen", "fiscal_planned_fen", "self_planned_fen")
    ]
    assert sums == [5005 * MILLION, 2000 * MILLION, 2705 * MILLION]
    subtotal = next(t for t in plan.totals if t.row == 12)
    assert list(subtotal.values.values()) == [3800 * MILLION, 3800 * MILLION, 1450 * MILLION, 2350 * MILLION]
    assert subtotal.count == 4


def test_items_sections_and_units() -> None:
    plan = changed(put(1))
    counts = {table: len(plan.of_table(table)) for table in ("projects", "needs", "indicators")}
    assert counts == {"projects": 8, "needs": 20, "indicators": 13}
    units = [item.unit_code for item in plan.of_table("projects")]
    assert units == [
        "422822106", "422822101", "422822-fpb", "422822103", "422822104", "422822104", "422822203", "422822-edu",
    ]  # fmt: skip
    assert {item.unit_code for item in plan.of_table("needs")} == {"422822-inv"}
    assert plan.by_id["2018-A1-05"].section == ("二、基础设施", "(二)村级公路")
    assert plan.by_id["2018-A1-01"].name == "后三溪村发展民宿旅游业"
    assert str(plan.by_id["2018-A1-01"].start_month()) == "2018-05"
    assert plan.by_id["2018-T-04"].unit_code == "422822-tour"
    assert plan.by_id["2018-T-01"].unit_code == "422822-fpb"
    assert plan.by_id["2018-T-02"].values["target"] == Decimal(20897)


# --- one thing changed: (change, findings more, findings gone)

CASES = {
    # shifted rows
    "amounts of an item one to the right": (moved(1, 9, "F", "I", 1), {("F17", ONE, "G9")}, set()),
    "amounts of an item two to the right": (moved(1, 9, "F", "I", 2), {("F17", ONE, "H9")}, set()),
    "amounts of an item one to the left": (moved(1, 19, "F", "I", -1), {("F17", ONE, "E19")}, set()),
    "a whole row one to the right": (moved(1, 9, "D", "L", 1), {("F17", ONE, "G9")}, set()),
    "a row shifted from its amounts on": (moved(1, 19, "F", "L", 1), {("F17", ONE, "G19")}, set()),
    "a whole row with its number one to the right": (moved(1, 9, "A", "L", 1), {("F17", ONE, "G9")}, set()),
    "a whole row two to the right": (moved(1, 9, "B", "L", 2), {("F17", ONE, "H9")}, set()),
    "a whole need one to the right": (moved(2, 20, "A", "J", 1), {("F17", TWO, "G20")}, set()),
    "a cell put in before 合计": (moved(1, 19, "G", "L", 1), {("F17", ONE, "H19")}, set()),
    "a cell put in before a part": (moved(1, 19, "H", "L", 1), {("F17", ONE, "I19")}, set()),
    "a cell put in before a part, of a sum that does not hold": (
        both(put(1, H19=701), moved(1, 19, "H", "L", 1)),
        {("F16", ONE, "F19"), ("F16", ONE, "G12"), ("F16", ONE, "G17")},
        {("F17", ONE, "G12"), ("F17", ONE, "G17")},
    ),
    "a need one to the left": (moved(2, 18, "G", "I", -1), {("F17", TWO, "F18")}, set()),
    "a need one to the right": (moved(2, 20, "F", "I", 1), {("F17", TWO, "G20")}, set()),
    "two more rows shifted": (
        both(moved(1, 9, "F", "I", 1), moved(1, 19, "F", "I", 1)),
        {("F17", ONE, "G9"), ("F17", ONE, "G19")},
        set(),
    ),
    "the total row of annex 2 shifted": (
        moved(2, 5, "G", "I", -1),
        {("F17", TWO, "F5")},
        {("T03", TWO, "F5")},
    ),
    "a total row of annex 1 shifted": (moved(1, 7, "F", "I", 1), {("F17", ONE, "G7")}, set()),
    "a shifted item whose sum does not hold": (
        both(moved(1, 9, "F", "I", 1), put(1, H9=176)),
        {("F16", ONE, "G9")},
        set(),
    ),
    "a shifted subtotal whose sum does not hold": (
        put(1, I17=1401),
        {("F16", ONE, "G17")},
        {("F17", ONE, "G17")},
    ),
    "a shifted subtotal that is not the sum of its items": (
        put(1, G17=3600, H17=3600, I17=1500),
        {("F16", ONE, "G17")},
        {("F17", ONE, "G17")},
    ),
    "a stated total that does not close over shifted rows": (
        put(2, G5=39243),
        {*UNPROVED_TWO, ("T01", TWO, "G5"), ("R01", TWO, "G5")},
        SHIFTED_TWO,
    ),
    "a shifted need whose sum does not hold": (put(2, F6=600), UNPROVED_TWO, SHIFTED_TWO),
    "a need slipped left that also reads well as it stands": (
        moved(2, 14, "G", "I", -1),
        {("F17", TWO, "F14")},
        set(),
    ),
    "the same where the total does not close either way": (
        both(moved(2, 14, "G", "I", -1), put(2, G5=39000)),
        {
            *UNPROVED_TWO,
            ("R02", TWO, "F14"),
            ("R01", TWO, "G5"),
            ("T01", TWO, "G5"),
            ("T01", TWO, "I5"),
        },
        SHIFTED_TWO,
    ),
    "a number for a lead unit, the amounts in order": (put(1, L9=12345), {("P05", ONE, "L9")}, set()),
    "a number for a date, the amounts in order": (put(1, K9=10), {("C02", ONE, "K9")}, set()),
    "a period written as a number": (put(2, E6=2018), set(), set()),
    "项目总投资 of annex 2 totalled": (
        put(2, F5=39242),
        {("T01", TWO, "F5")},
        {("T03", TWO, "F5")},
    ),
    # sums
    "a part changed": (
        put(1, H8=60),
        {("R01", ONE, "G8"), ("T01", ONE, "H5"), ("T01", ONE, "H7")},
        set(),
    ),
    "the grand total changed": (put(1, G5=5105), {("T01", ONE, "G5"), ("R02", ONE, "F5")}, set()),
    "项目总投资 changed": (
        put(1, F8=210),
        {("R02", ONE, "F8"), ("T01", ONE, "F5"), ("T01", ONE, "F7")},
        set(),
    ),
    "the school's parts put right": (
        put(1, I23=380, I5=3005),
        set(),
        {("R01", ONE, "G5"), ("R01", ONE, "G23")},
    ),
    "a wrong count": (put(1, C5="9 个"), {("T02", ONE, "C5")}, set()),
    "a wrong count beside a shifted subtotal": (put(1, C12="5个"), {("T02", ONE, "C12")}, set()),
    "a missing 合计 with nothing shifted": (
        put(1, G8=None),
        {("T01", ONE, "G5"), ("T01", ONE, "G7")},
        set(),
    ),
    "a subtotal's amounts blank": (
        put(1, F7=None, G7=None, H7=None, I7=None),
        {("T03", ONE, "F7")},
        set(),
    ),
    "the blank subtotal filled in": (
        put(1, F22=530, G22=530, H22=150, I22=380),
        {("T01", ONE, "I22")},
        {("T03", ONE, "F22")},
    ),
    "a subtotal as a formula that was never computed": (
        put(1, G7="=SUM(G8:G10)"),
        {("T03", ONE, "G7")},
        set(),
    ),
    # cells
    "words in a money cell": (put(1, G8="待定"), {("C01", ONE, "G8")}, set()),
    "an approximate figure": (put(1, H8="约50"), {("C10", ONE, "H8")}, set()),
    "a figure with its unit": (put(1, H8="50万元"), {("C11", ONE, "H8")}, set()),
    "full-width digits": (put(1, H8="５０"), {("C11", ONE, "H8")}, set()),
    "a negative amount": (
        put(1, H8=-50),
        {("C04", ONE, "H8"), ("R01", ONE, "G8"), ("T01", ONE, "H5"), ("T01", ONE, "H7")},
        set(),
    ),
    "an error value": (put(1, H8="#REF!"), {("C07", ONE, "H8")}, set()),
    "a formula that was never computed": (put(1, G8="=H8+I8"), {("C08", ONE, "G8")}, set()),
    "a lead unit over two rows": (
        lambda one, _: one.merge_cells("L18:L19"),
        {("C14", ONE, "L19")},
        set(),
    ),
    "no date": (put(1, K8="年底前"), {("C02", ONE, "K8")}, set()),
    "a month that cannot be": (put(1, K8="2018年13月"), {("C13", ONE, "K8")}, set()),
    "a date without a year": (put(1, K8="10月"), {("C11", ONE, "K8")}, set()),
    "acceptance before the start": (put(1, K9="2018年4月"), {("R07", ONE, "K9")}, set()),
    # starts
    "a start on the day before issue": (put(1, J19="2018年6月18日"), {("P06", ONE, "J19")}, set()),
    "a start on the day of issue": (put(1, J19="2018年6月19日"), set(), set()),
    "an Excel date before issue": (put(1, J19=datetime(2018, 6, 1)), {("P06", ONE, "J19")}, set()),
    "an Excel date after issue": (put(1, J8=datetime(2018, 7, 1)), set(), {("P06", ONE, "J8")}),
    "a start in the month of issue": (put(1, J8="2018年6月"), set(), {("P06", ONE, "J8")}),
    # units
    "a misspelt lead unit": (put(1, L15="景阳河镇人民政府办"), {("P05", ONE, "L15")}, set()),
    "several lead units": (put(1, L10="县财政局、县教育局"), set(), {("P05", ONE, "L10")}),
    "a lead unit broken over two lines beside another": (
        put(1, L8="长梁\n镇政府、县教育局"),
        set(),
        set(),
    ),
    "two lead units beside each other": (put(1, L10="县教育局 官店镇"), set(), {("P05", ONE, "L10")}),
    "a unit and others": (put(1, L10="县教育局和相关乡镇"), set(), {("P05", ONE, "L10")}),
    "a person before a unit": (put(1, L8="刘克友、长梁镇政府"), {("P05", ONE, "L8")}, set()),
    "no lead unit": (put(1, L10=None), set(), {("P05", ONE, "L10")}),
    "the lead unit's full name": (put(1, L8="建始县长梁镇人民政府"), set(), set()),
    # what is not stated
    "poor households stated": (put(1, E8="带动10户贫困户32人"), set(), {("P07", ONE, "E8")}),
    "a project without amounts": (
        put(1, F8=None, G8=None, H8=None, I8=None),
        {("P07", ONE, "F8"), *(("T01", ONE, f"{c}{r}") for c in "FGHI" for r in (5, 7))},
        {("P07", ONE, "E8")},
    ),
    "a need with amounts": (
        put(2, F8=0, G8=0, H8=0, I8=0),
        set(),
        {("P07", TWO, "F8")},
    ),
    # rows
    "an item named twice": (
        put(2, C25="古籍保护"),
        {("R08", TWO, "C24"), ("R08", TWO, "C25")},
        set(),
    ),
    "an item without a name": (put(2, C25=None), {("C06", TWO, "C25")}, set()),
    "an unknown column": (put(2, K3="联系人", K6="某某"), {("F11", TWO, "K3")}, set()),
    "a note below the table": (put(2, A27="注：资金以实际到位为准"), set(), set()),
    "a place said to be as above": (put(2, B12="同上"), {("C14", TWO, "B12")}, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_one_thing_changed(name: str) -> None:
    change, more, gone = CASES[name]
    assert places(changed(change)) == (BASE - gone) | more


def test_figures_of_a_row_that_stays_shifted_are_blank() -> None:
    plan = changed(put(2, G5=39243))
    item = plan.by_id["2018-A2-01"]
    assert [item.fen(name) for name in item.values if name.endswith("_fen")] == [None] * 4
    assert item.values["category"] == "产业合作"


def test_a_repaired_row_says_so_in_its_figures() -> None:
    plan = changed(moved(1, 9, "D", "L", 1))
    item = plan.by_id["2018-A1-02"]
    assert item.fen("fiscal_planned_fen") == 150 * MILLION
    assert str(item.values["start_planned"]) == "2018-06"
    assert item.unit_code == "422822101"


def test_a_missing_row_is_missed_by_totals_and_counts() -> None:
    def change(one: Worksheet, _: Worksheet) -> None:
        for column in range(1, 13):
            one.cell(9, column).value = None

    plan = changed(change)
    more = {("T02", ONE, "C5"), ("T02", ONE, "C7")} | {
        ("T01", ONE, f"{c}{r}") for c in "FGHI" for r in (5, 7)
    }
    assert places(plan) == BASE | more
    assert [item.seq for item in plan.of_table("projects")] == [1, 3, 4, 5, 6, 7, 8]
    assert plan.by_id["2018-A1-08"].name == "长梁镇下坝中心小学综合楼工程"
    difference = next(f.difference for f in plan.findings if f.rule == "T01" and f.cell == "H5")
    assert difference == Decimal(150)


@pytest.mark.parametrize(
    ("cell", "unit"),
    [("县卫计局", "422822-health"), ("县卫计局、县残联", "422822-health"), (None, "422822-inv")],
)
def test_a_column_names_who_reports(cell: str | None, unit: str) -> None:
    plan = changed(put(2, K3="报送单位", K14=cell))
    assert plan.by_id["2018-A2-09"].unit_code == unit
    assert plan.by_id["2018-A2-10"].unit_code == "422822-inv"
    assert places(plan) == BASE


def test_in_annex_1_that_column_goes_before_the_lead_unit() -> None:
    plan = changed(put(1, M3="报送单位", M10="县商务局"))
    assert plan.by_id["2018-A1-03"].unit_code == "422822-com"
    assert plan.by_id["2018-A1-04"].unit_code == "422822103"


def test_several_lead_units_the_first_reports_and_where_none_is_the_coordinating_unit() -> None:
    assert changed(put(1, L10="县财政局，县教育局")).by_id["2018-A1-03"].unit_code == "422822-fin"
    assert changed(put(1, L15=None)).by_id["2018-A1-04"].unit_code == "422822-fpb"


def test_a_sheet_of_indicators_takes_the_place_of_the_registrys() -> None:
    book = openpyxl.load_workbook(PRINTED)
    sheet = book.create_sheet("工作要点")
    sheet.append(["2018年工作要点指标"])
    sheet.append(["编号", "指标名称", "计量单位", "年度目标", "责任单位"])
    sheet.append(["一-1", "劳务协作交流活动", "次", 2, "县人社局、县就业局"])
    sheet.append(["一-2", "疗休养", "人次", 1000, None])
    sheet.append(["一-3", "消费扶贫", "万元", "800万元", "王某某"])
    sheet.append(["一-4", "互访", "次", None, "县委办公室"])
    plan = check(book)
    assert isinstance(plan, Plan)
    indicators = plan.of_table("indicators")
    assert [i.item_id for i in indicators] == ["2018-T-01", "2018-T-02", "2018-T-03", "2018-T-04"]
    assert [i.unit_code for i in indicators] == ["422822-hr", "422822-fpb", "422822-fpb", "422822-party"]
    assert indicators[0].values["item_code"] == "一-1"
    assert indicators[1].values["target"] == Decimal(1000)
    assert {p for p in places(plan) if p[1] == "工作要点"} == {
        ("P05", "工作要点", "E5"),
        ("C11", "工作要点", "D5"),
        ("C06", "工作要点", "D6"),
    }


def test_sheets_are_known_by_their_headers_not_by_their_names() -> None:
    book = openpyxl.load_workbook(PRINTED)
    book[ONE].title, book[TWO].title = "Sheet1", "Sheet2"
    book.move_sheet("Sheet2", -1)
    plan = check(book)
    assert isinstance(plan, Plan)
    names = {ONE: "Sheet1", TWO: "Sheet2"}
    assert places(plan) == {(rule, names[sheet], cell) for rule, sheet, cell in BASE}


def test_an_annex_that_stands_twice_is_read_once() -> None:
    book = openpyxl.load_workbook(PRINTED)
    book.copy_worksheet(book[TWO]).title = "附件2 (2)"
    book.move_sheet("附件2 (2)", -2)
    plan = check(book)
    assert isinstance(plan, Plan)
    assert places(plan) == BASE | {("F20", "附件2 (2)", "A3")}
    assert len(plan.of_table("needs")) == 20


def test_a_missing_annex_is_said() -> None:
    book = openpyxl.load_workbook(PRINTED)
    del book[TWO]
    plan = check(book)
    assert isinstance(plan, Plan)
    assert [f.rule for f in plan.findings if f.table == "needs"] == ["F12"]
    assert len(plan.of_table("needs")) == 0


def test_an_annex_without_names_gives_no_items() -> None:
    plan = changed(put(2, C3="甲"))
    assert [f.rule for f in plan.findings if f.table == "needs"] == ["F09", "F11"]
    assert len(plan.of_table("needs")) == 0
    assert len(plan.of_table("projects")) == 8


def test_what_is_no_plan_is_refused() -> None:
    empty = Workbook()
    empty.active["A1"] = "收支表"
    refused = check(empty)
    assert isinstance(refused, list)
    assert [f.rule for f in refused] == ["F05"]
    for data, rule in ((b"%PDF-1.4 not a sheet", "F03"), (PRINTED.read_bytes()[:2000], "F01")):
        refused = check(data)
        assert isinstance(refused, list)
        assert [f.rule for f in refused] == [rule]


def test_a_units_workbook_is_no_plan() -> None:
    sample = next((CHECKOUT / "data" / "raw" / "2018-09").glob("县扶贫办*.xlsx"))
    refused = check(sample.read_bytes())
    assert isinstance(refused, list)
    assert [f.rule for f in refused] == ["F05"]


def test_a_row_pushed_right_as_a_whole_is_put_right_as_a_whole() -> None:
    for columns in (("A", "L"), ("B", "L"), ("C", "L"), ("H", "L")):
        plan, printed = changed(moved(1, 9, *columns, 1)), changed(put(1))
        assert plan.by_id["2018-A1-02"].values == printed.by_id["2018-A1-02"].values, columns


def test_the_first_of_several_units_reports() -> None:
    for text in (
        "县教育局、官店镇",
        "县教育局\n官店镇",
        "县教育局 官店镇",
        "县教\n育局、官店镇",
        "县教育局和官店镇",
    ):
        assert changed(put(1, L8=text)).by_id["2018-A1-01"].unit_code == "422822-edu", text


def test_an_indicator_keeps_the_number_its_code_says() -> None:
    def third(*codes: object) -> list[str]:
        book = openpyxl.load_workbook(PRINTED)
        sheet = book.create_sheet("工作要点")
        sheet.append(["编号", "指标名称", "计量单位", "年度目标", "责任单位"])
        for place, code in enumerate(codes):
            sheet.append([code, f"指标{place}", "个", 5, "县教育局"])
        plan = check(book)
        assert isinstance(plan, Plan)
        return [item.item_id for item in plan.of_table("indicators")]

    assert third("2018-T-03", "2018-T-01", "T-7") == ["2018-T-03", "2018-T-01", "2018-T-07"]
    assert third(2, None, "ZX") == ["2018-T-02", "2018-T-01", "2018-T-03"]
    assert third("2017-T-03", "2018-T-01") == ["2018-T-02", "2018-T-01"]
    assert third(1, 1) == ["2018-T-01", "2018-T-02"]
