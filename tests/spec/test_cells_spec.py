"""What is written in a cell, and what is read: value and findings, one line a case.

Money is given in 分 (1 万元 = 1,000,000 分). The plan year is 2018 and the month reported
2018-09, so that 「2018年10月」 as an actual date lies in the future.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from ledger.reading.model import Cell, CellKind
from ledger.reading.values import Setting, parse
from schemas.columns import COLUMNS
from schemas.month import Month, PartialDate
from tests.builders import cell

SETTING = Setting(2018, Month(2018, 9), sheet="表1", table="projects")
WAN = 1_000_000
BAD = "unreadable"
Case = tuple[Any, str, Any, str]


def read(field: str, value: Any, number_format: str = "", setting: Setting = SETTING, **how: bool) -> Any:
    """(value or BAD, the codes of the findings, joined)."""
    parsed = parse(cell(value, number_format, 7, 3), COLUMNS[field], setting, **how)
    if parsed.read.failed:
        assert parsed.read.value is None
    codes = " ".join(f.rule for f in parsed.findings)
    return (BAD if parsed.read.failed else parsed.read.value), codes


# written, number format, value, findings
AMOUNTS: list[Case] = [
    (120, "", 120 * WAN, ""),
    (120.5, "", 1205 * WAN // 10, ""),
    (0, "", 0, ""),
    (120.5, "#,##0.00", 1205 * WAN // 10, ""),
    (120.5, '_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ;_ ¥* "-"??_ ;_ @_ ', 1205 * WAN // 10, ""),
    (Decimal("120.09999999999999"), "", 1201 * WAN // 10, ""),
    (Decimal("0.30000000000000004"), "", 3 * WAN // 10, ""),
    ("120.5", "", 1205 * WAN // 10, ""),
    ("  120.5 ", "", 1205 * WAN // 10, ""),
    ("\u00a0120\u3000", "", 120 * WAN, ""),
    ("120\u200b", "", 120 * WAN, ""),
    ("0", "", 0, ""),
    ("1,205", "", 1205 * WAN, "C11"),
    ("1,234,567.89", "", 123456789 * WAN // 100, "C11"),
    ("１２０．５", "", 1205 * WAN // 10, "C11"),
    ("１，２０５", "", 1205 * WAN, "C11"),
    ("200万元", "", 200 * WAN, "C11"),
    ("200 万元", "", 200 * WAN, "C11"),
    ("200万", "", 200 * WAN, "C11"),
    ("0.02亿元", "", 200 * WAN, "C11"),
    ("123.45元", "", 12345, "C11"),
    ("300,000元", "", 30 * WAN, "C11"),
    ("¥120", "", 120 * WAN, "C11"),
    ("￥1,200.00", "", 1200 * WAN, "C11"),
    ("'120", "", 120 * WAN, "C11"),
    ("1.2E3", "", 1200 * WAN, "C11"),
    (0.0000005, "", 0, "C12"),
    (0.0000015, "", 2, "C12"),
    (0.0000025, "", 2, "C12"),
    ("0.0000005", "", 0, "C12"),
    (-5, "", -5 * WAN, "C04"),
    ("-5", "", -5 * WAN, "C04"),
    ("－5", "", -5 * WAN, "C11 C04"),
    ("(120)", "", -120 * WAN, "C11 C04"),
    ("（120）", "", -120 * WAN, "C11 C04"),
    ("约300", "", BAD, "C10"),
    ("300左右", "", BAD, "C10"),
    ("300余万元", "", BAD, "C10"),
    ("50多", "", BAD, "C10"),
    ("近百", "", BAD, "C10"),
    ("几十", "", BAD, "C10"),
    ("若干", "", BAD, "C10"),
    ("过半", "", BAD, "C10"),
    ("100-120", "", BAD, "C10"),
    ("100—120", "", BAD, "C10"),
    ("100~120万元", "", BAD, "C10"),
    ("100至120", "", BAD, "C10"),
    ("≥100", "", BAD, "C10"),
    ("100以上", "", BAD, "C10"),
    ("300?", "", BAD, "C10"),
    ("至少100", "", BAD, "C10"),
    ("不少于100", "", BAD, "C10"),
    ("不低于100万元", "", BAD, "C10"),
    ("大于100", "", BAD, "C10"),
    ("逾100", "", BAD, "C10"),
    ("大部分", "", BAD, "C10"),
    ("已拨付", "", BAD, "C01"),
    ("一百二十", "", BAD, "C01"),
    ("待定", "", BAD, "C01"),
    ("1,2345", "", BAD, "C01"),
    ("12,34", "", BAD, "C01"),
    ("1.2.3", "", BAD, "C01"),
    ("12元5角", "", BAD, "C01"),
    ("5%", "", BAD, "C01"),
    ("万元", "", BAD, "C01"),
    (True, "", BAD, "C01"),
    (date(2018, 5, 1), "yyyy-mm-dd", BAD, "C01"),
    ("#REF!", "", BAD, "C07"),
    ("#DIV/0!", "", BAD, "C07"),
    ("#N/A", "", BAD, "C07"),
    ("=SUM(A1:A3)", "", BAD, "C08"),
    ("—", "", None, "C11"),
    ("-", "", None, "C11"),
    ("/", "", None, "C11"),
    ("无", "", None, "C11"),
    (" - ", "", None, "C11"),
    ("   ", "", None, ""),
    (None, "", None, ""),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), AMOUNTS, ids=str)
def test_amounts(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("invested_cum_fen", written, number_format) == (value, codes)


PERCENTAGES: list[Case] = [
    (65, "", Decimal(65), ""),
    (65.5, "0.00", Decimal("65.5"), ""),
    (0.65, "0%", Decimal(65), ""),
    (0.655, "0.00%", Decimal("65.5"), ""),
    (0.65, "", Decimal(65), "C11"),
    (0.65, "0.00", Decimal(65), "C11"),
    (1, "0%", Decimal(100), ""),
    (1, '0"%"', Decimal(1), ""),
    (65, r"0\%", Decimal(65), ""),
    (1, "", Decimal(1), ""),
    (1, "0", Decimal(1), ""),
    (0, "", Decimal(0), ""),
    (0, "0%", Decimal(0), ""),
    (100, "", Decimal(100), ""),
    (Decimal("0.55000000000000004"), "0%", Decimal(55), ""),
    ("65", "", Decimal(65), ""),
    ("65%", "", Decimal(65), "C11"),
    ("６５％", "", Decimal(65), "C11"),
    ("0.65", "", Decimal(65), "C11"),
    ("0.5%", "", Decimal("0.5"), "C11"),
    ("100%", "", Decimal(100), "C11"),
    (120, "", BAD, "C03"),
    (100.01, "", BAD, "C03"),
    (-1, "", BAD, "C03"),
    (1.2, "0%", BAD, "C03"),
    ("120%", "", BAD, "C03"),
    ("约60%", "", BAD, "C10"),
    ("一半", "", BAD, "C10"),
    ("60%以上", "", BAD, "C10"),
    ("已完工", "", BAD, "C01"),
    ("#VALUE!", "", BAD, "C07"),
    ("无", "", None, "C11"),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), PERCENTAGES, ids=str)
def test_percentages(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("progress_pct", written, number_format) == (value, codes)


COUNTS: list[Case] = [
    (12, "", Decimal(12), ""),
    ("12", "", Decimal(12), ""),
    ("1,205", "", Decimal(1205), "C11"),
    ("12户", "", Decimal(12), "C11"),
    ("１２", "", Decimal(12), "C11"),
    (12.5, "", Decimal("12.5"), "C12"),
    (Decimal("12.000000000001"), "", Decimal(12), ""),
    (-3, "", Decimal(-3), "C04"),
    ("12人", "", BAD, "C01"),
    ("十二", "", BAD, "C01"),
    ("十几户", "", BAD, "C10"),
    ("约12户", "", BAD, "C10"),
    ("100来户", "", BAD, "C10"),
    ("多个", "", BAD, "C10"),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), COUNTS, ids=str)
def test_counts(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("poor_households", written, number_format) == (value, codes)


def day(year: int, month: int, of_month: int | None = None) -> PartialDate:
    return PartialDate(year, month, of_month)


MAY, FIRST = day(2018, 5), day(2018, 5, 1)
DATES: list[Case] = [
    ("2018年5月", "", MAY, ""),
    ("2018 年 5 月", "", MAY, ""),
    ("2018年05月", "", MAY, ""),
    ("2018年5月1日", "", FIRST, ""),
    ("2018-05", "", MAY, ""),
    ("2018-05-01", "", FIRST, ""),
    (date(2018, 5, 1), "yyyy-mm-dd", FIRST, ""),
    (datetime(2018, 5, 1, 10, 30), "yyyy/m/d h:mm", FIRST, ""),
    (date(2018, 5, 1), 'yyyy"年"m"月"', MAY, ""),
    (date(2018, 5, 1), '[$-804]yyyy"年"m"月";@', MAY, ""),
    (date(2018, 5, 1), 'yyyy"年"m"月"d"日"', FIRST, ""),
    (date(2018, 5, 1), "mmm-yy", MAY, ""),
    (date(2018, 5, 15), 'yyyy"年"m"月"', day(2018, 5, 15), ""),
    ("2018-5-1", "", FIRST, "C11"),
    ("2018/5/1", "", FIRST, "C11"),
    ("2018-5-1 00:00", "", FIRST, "C11"),
    ("2018-6-1 00:00:00", "", day(2018, 6, 1), "C11"),
    ("2018-6-2 0:00", "", day(2018, 6, 2), "C11"),
    ("2018/5/1 0:00:00", "", FIRST, "C11"),
    ("2018-05-01 00:00:00", "", FIRST, "C11"),
    ("2018-05-01T00:00:00", "", FIRST, "C11"),
    ("2018年5月1日 00:00", "", FIRST, "C11"),
    ("2018-5 00:00", "", MAY, "C11"),
    ("2018-1 00:00", "", day(2018, 1), "C11"),
    ("2018-5-1\u300000：00", "", FIRST, "C11"),
    ("2018-5-100:00", "", BAD, "C02"),
    ("2018/5", "", MAY, "C11"),
    ("2018.5", "", MAY, "C11"),
    ("2018.05", "", MAY, "C11"),
    ("2018.1", "", day(2018, 1), "C11"),
    ("2018.5.1", "", FIRST, "C11"),
    ("２０１８年５月", "", MAY, "C11"),
    ("2018年5月1号", "", FIRST, "C11"),
    ("2018年5月底", "", MAY, "C11"),
    ("2018年5月份", "", MAY, "C11"),
    ("二〇一八年五月", "", MAY, "C11"),
    ("18年5月", "", MAY, "C11"),
    ("201805", "", MAY, "C11"),
    ("20180501", "", FIRST, "C11"),
    (201805, "", MAY, "C11"),
    (20180501, "", FIRST, "C11"),
    ("5月", "", MAY, "C11"),
    ("6月底", "", day(2018, 6), "C11"),
    ("5月1日", "", FIRST, "C11"),
    (2018.5, "", MAY, "C11"),
    (2018.05, "", MAY, "C11"),
    (2018.1, "0.00", BAD, "C13"),
    (2017.1, "0.00", day(2017, 10), "C11"),
    (2018.1, "", BAD, "C02"),
    (2018.1, "0.0", BAD, "C02"),
    (43221, "", FIRST, "C11"),
    ("43221", "", FIRST, "C11"),
    (36526, "", day(2000, 1, 1), "C11"),
    (36525, "", BAD, "C02"),
    (55153, "", BAD, "C13"),
    (55154, "", BAD, "C02"),
    (2018, "", BAD, "C02"),
    ("2018年", "", BAD, "C02"),
    ("上半年", "", BAD, "C02"),
    ("年底", "", BAD, "C02"),
    ("5.20", "", BAD, "C02"),
    ("5-6月", "", BAD, "C02"),
    ("已开工", "", BAD, "C02"),
    (time(10, 30), "h:mm", BAD, "C02"),
    (True, "", BAD, "C02"),
    ("2018年13月", "", BAD, "C13"),
    ("2018年6月31日", "", BAD, "C13"),
    ("2018-02-30", "", BAD, "C13"),
    (2018.13, "", BAD, "C13"),
    ("2018年10月", "", BAD, "C13"),
    (date(2018, 10, 1), "yyyy-mm-dd", BAD, "C13"),
    ("2018年9月30日", "", day(2018, 9, 30), ""),
    ("—", "", None, "C11"),
    ("#NAME?", "", BAD, "C07"),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), DATES, ids=str)
def test_dates(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("start_actual", written, number_format) == (value, codes)


def test_a_planned_date_may_lie_ahead_and_2018_1_says_what_to_write() -> None:
    assert read("accept_planned", "2018年12月") == (day(2018, 12), "")
    problem = parse(cell(2018.1), COLUMNS["start_actual"], SETTING).findings[0]
    assert "2018年10月" in problem.remedy and "2018年1月" in problem.remedy


def test_a_serial_day_counts_from_1904_where_the_workbook_does() -> None:
    setting = Setting(2018, Month(2018, 9), date1904=True)
    assert read("start_actual", 43221 - 1462, setting=setting) == (FIRST, "C11")


WORDS: list[Case] = [
    ("在建", "", "在建", ""),
    (" 在建\n", "", "在建", ""),
    ("在 建", "", "在建", "C11"),
    ("施工中", "", BAD, "C05"),
    ("在建。", "", BAD, "C05"),
    ("未对接", "", BAD, "C05"),
    (1, "", BAD, "C05"),
    ("#N/A", "", BAD, "C07"),
    (None, "", None, ""),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), WORDS, ids=str)
def test_words(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("status", written, number_format) == (value, codes)


TEXTS: list[Case] = [
    ("征地进展缓慢", "", "征地进展缓慢", ""),
    (" 两行\n文字 ", "", "两行\n文字", ""),
    ("=不是公式", "", BAD, "C08"),
    (5, "", "5", ""),
    (Decimal("2018.0"), "", "2018", ""),
    (date(2018, 9, 15), "yyyy-mm-dd", "2018年9月15日", ""),
    ("无", "", None, "C11"),
    ("\u3000", "", None, ""),
    ("#REF!", "", BAD, "C07"),
]


@pytest.mark.parametrize(("written", "number_format", "value", "codes"), TEXTS, ids=str)
def test_texts(written: Any, number_format: str, value: Any, codes: str) -> None:
    assert read("problems", written, number_format) == (value, codes)


QUANTITIES: list[tuple[Any, str, str, Any, str]] = [
    (19, "", "个(村)", Decimal(19), ""),
    ("19个", "", "个(村)", Decimal(19), "C11"),
    ("19村", "", "个(村)", Decimal(19), "C11"),
    ("20,897人", "", "人", Decimal(20897), "C11"),
    ("19户", "", "人", BAD, "C01"),
    ("2次", "", "", Decimal(2), "C11"),
    (0.98, "0%", "%", Decimal(98), ""),
    (98.5, "", "%", Decimal("98.5"), ""),
    ("98%", "", "%", Decimal(98), "C11"),
    (-1, "", "次", Decimal(-1), "C04"),
    ("多次", "", "次", BAD, "C01"),
    ("3次以上", "", "次", BAD, "C10"),
]


@pytest.mark.parametrize(("written", "number_format", "measure", "value", "codes"), QUANTITIES, ids=str)
def test_quantities(written: Any, number_format: str, measure: str, value: Any, codes: str) -> None:
    setting = Setting(2018, Month(2018, 9), measure=measure)
    assert read("done_cum", written, number_format, setting) == (value, codes)


@pytest.mark.parametrize(
    ("written", "unit", "value", "codes"),
    [
        (1_205_000, 100, 1205 * WAN // 10, ""),
        ("1,205,000", 100, 1205 * WAN // 10, "C11"),
        ("120.5万元", 100, 1205 * WAN // 10, "C11"),
        ("120元", 1_000_000, 12000, "C11"),
        (0.005, 100, 0, "C12"),
    ],
)
def test_the_tables_unit_of_money(written: Any, unit: int, value: Any, codes: str) -> None:
    setting = Setting(2018, Month(2018, 9), fen_per_unit=unit)
    assert read("invested_cum_fen", written, setting=setting) == (value, codes)


def test_the_captions_yuan_is_a_step_and_no_finding() -> None:
    setting = Setting(2018, Month(2018, 9), fen_per_unit=100)
    parsed = parse(cell(1000), COLUMNS["invested_cum_fen"], setting)
    assert parsed.read.steps == ("元→万元",) and parsed.findings == ()


@pytest.mark.parametrize("written", ["—", "-", "/", "无", " "])
@pytest.mark.parametrize("field", ["invested_cum_fen", "progress_pct", "status", "item_name", "done_month"])
def test_a_required_cell_is_not_filled_by_a_dash(field: str, written: str) -> None:
    assert read(field, written, required=True) == (None, "C06")


@pytest.mark.parametrize("written", ["约200", "2018年13月", "abc", "—", "１２", -5])
@pytest.mark.parametrize("field", ["total_investment_fen", "start_planned", "seq", "target"])
def test_plan_columns_are_only_compared(field: str, written: Any) -> None:
    assert read(field, written, plan_column=True)[1] == ""
    assert read(field, "#REF!", plan_column=True) == (BAD, "C07")


def test_a_finding_names_sheet_cell_column_and_the_text() -> None:
    (problem,) = parse(cell("约300", "", 7, 21), COLUMNS["fiscal_paid_cum_fen"], SETTING).findings
    assert (problem.rule, problem.sheet, problem.cell, problem.row) == ("C10", "表1", "U7", 7)
    assert (problem.column, problem.value) == ("累计支付(万元)—财政帮扶资金", "约300")
    assert problem.message.startswith("表1 U7：") and "约300" in problem.message


def test_the_raw_text_stays_beside_the_value_with_what_was_done() -> None:
    parsed = parse(
        Cell(7, 3, CellKind.TEXT, " 1,205万元 ", " 1,205万元 "), COLUMNS["invested_cum_fen"], SETTING
    )
    assert parsed.read.raw == " 1,205万元 "
    assert parsed.read.steps == ("去掉单位“万元”", "去掉千分位")
    assert (parsed.read.cell, parsed.read.value) == ("C7", 1205 * WAN)
