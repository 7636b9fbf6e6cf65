"""A form goes out, is filled in, comes back, is marked, is sent in again: nothing is lost or made up."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from io import BytesIO

import pytest
from openpyxl import load_workbook

from ledger.checking.model import Checked, Context, History, Verdict
from ledger.checking.plan import check_plan
from ledger.checking.submission import check_batch
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Filing
from ledger.reading.submission import read_submission
from ledger.registry import Registry
from ledger.returning.forms import form_bytes, reporting_units
from ledger.returning.returns import return_bytes
from schemas.month import Month
from schemas.plan import Plan
from schemas.tables import TABLES

MONTH = Month(2018, 6)

#: What a clerk types into a row of each table, by canonical title; a 本月 figure equals its 累计
#: one in the first month.
TYPED = {
    "projects": {
        "项目状态": "在建",
        "实际开工时间": datetime(2018, 6, 20),
        "形象进度(%)": 30,
        "累计到位资金(万元)—财政帮扶资金": 20.5,
        "累计到位资金(万元)—自筹资金": 10,
        "累计完成投资(万元)": 15.25,
        "本月支付(万元)—财政帮扶资金": 12.000001,
        "本月支付(万元)—自筹资金": 0,
        "累计支付(万元)—财政帮扶资金": 12.000001,
        "累计支付(万元)—自筹资金": 0,
        "受益贫困户(户)": 80,
        "受益贫困人口(人)": 200,
        "存在问题": "雨水多",
        "下步措施": "抢工期",
    },
    "needs": {"对接状态": "洽谈中", "对接单位": "某企业", "本月进展": "实地考察"},
    "indicators": {"本月完成": 1, "累计完成": 1, "佐证材料": "照片"},
}


@cache
def registry() -> Registry:
    return Registry.load(Home(CHECKOUT))


@cache
def plan() -> Plan:
    path = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
    found = check_plan(path.read_bytes(), path.name, 2018, 1, registry())
    assert isinstance(found, Plan)
    return found


UNITS = [unit.code for unit in reporting_units(registry(), plan())]


def form(unit: str) -> bytes:
    return form_bytes(registry(), plan(), MONTH, None, registry().by_code[unit])


def filled(unit: str, **instead: object) -> bytes:
    workbook = load_workbook(BytesIO(form(unit)))
    for table in TABLES.values():
        sheet = workbook[table.sheet]
        first = 5 if any(column.group for column in table) else 4
        for number, _ in enumerate(plan().of_unit(unit, table.key)):
            for place, column in enumerate(table.columns, start=1):
                typed = {**TYPED[table.key], **instead}
                if column.title in typed:
                    sheet.cell(first + number, place).value = typed[column.title]
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


def check(data: bytes) -> Checked:
    digest = hashlib.sha256(data).hexdigest()
    submission = read_submission(data, "报表.xlsx", digest, Filing(registry(), MONTH, plan()))
    context = Context(plan(), History(), registry().first_month, registry().names)
    return check_batch([(submission, context)])[0]


@pytest.mark.parametrize("unit", UNITS)
def test_a_form_filled_in_properly_is_accepted_without_a_word(unit: str) -> None:
    checked = check(filled(unit))
    assert [(f.rule, f.sheet, f.cell, f.message) for f in checked.findings] == []
    assert checked.verdict is Verdict.ACCEPTED
    accepted = {item for table in checked.tables for item in table.accepted}
    assert accepted == {item.item_id for item in plan().of_unit(unit)}
    assert {t.table for t in checked.tables if t.nil_report} == {
        key for key in TABLES if not plan().of_unit(unit, key)
    }


@pytest.mark.parametrize("unit", UNITS)
def test_a_form_sent_back_empty_lacks_its_required_cells_and_nothing_else(unit: str) -> None:
    findings = check(form(unit)).findings
    assert {f.rule for f in findings} <= {"C06"}
    assert bool(findings) == bool(plan().of_unit(unit))


def test_a_wrong_figure_comes_back_marked_and_mended_is_accepted() -> None:
    unit = "422822104"
    wrong = check(filled(unit, **{"累计支付(万元)—财政帮扶资金": 99, "本月支付(万元)—财政帮扶资金": 99}))
    assert {f.rule for f in wrong.findings} == {"R03"}
    cells = [f.cell for f in wrong.findings]
    marked, suffix = return_bytes(
        registry(),
        wrong,
        filled(unit, **{"累计支付(万元)—财政帮扶资金": 99, "本月支付(万元)—财政帮扶资金": 99}),
    )
    assert suffix == ".xlsx"
    # unmended it says the same again
    assert [(f.rule, f.cell) for f in check(marked).findings] == [("R03", cell) for cell in cells]
    workbook = load_workbook(BytesIO(marked))
    sheet = workbook[TABLES["projects"].sheet]
    for cell in cells:
        row = sheet[cell].row
        for place, column in enumerate(TABLES["projects"].columns, start=1):
            if column.field in ("fiscal_paid_month_fen", "fiscal_paid_cum_fen"):
                sheet.cell(row, place).value = 20
    mended = BytesIO()
    workbook.save(mended)
    assert check(mended.getvalue()).findings == []
