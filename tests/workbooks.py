"""Workbooks as a township makes them, written from the contract's words alone.

Nothing here is derived from schemas/: these titles are typed a second time on purpose, so that a
slip in a declaration shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

FISCAL, SELF = "财政帮扶资金", "自筹资金"
SOCIAL = "企业投资或社会帮扶"

#: (field of the exports, or of the plan; upper header; lower header)
PROJECT_COLUMNS: list[tuple[str, str, str]] = [
    ("seq", "序号", ""),
    ("place", "建设地", ""),
    ("item_name", "项目名称", ""),
    ("total_investment", "项目总投资(万元)", ""),
    ("funds_total", "项目资金安排(万元)", "合计"),
    ("fiscal_planned", "项目资金安排(万元)", FISCAL),
    ("self_planned", "项目资金安排(万元)", SELF),
    ("start_planned", "计划开工时间", ""),
    ("accept_planned", "计划验收时间", ""),
    ("lead_unit", "牵头单位", ""),
    ("status", "项目状态", ""),
    ("start_actual", "实际开工时间", ""),
    ("finish_actual", "实际完工时间", ""),
    ("accept_actual", "实际验收时间", ""),
    ("progress_pct", "形象进度(%)", ""),
    ("fiscal_received_cum", "累计到位资金(万元)", FISCAL),
    ("self_received_cum", "累计到位资金(万元)", SELF),
    ("invested_cum", "累计完成投资(万元)", ""),
    ("fiscal_paid_month", "本月支付(万元)", FISCAL),
    ("self_paid_month", "本月支付(万元)", SELF),
    ("fiscal_paid_cum", "累计支付(万元)", FISCAL),
    ("self_paid_cum", "累计支付(万元)", SELF),
    ("poor_households", "受益贫困户(户)", ""),
    ("poor_persons", "受益贫困人口(人)", ""),
    ("problems", "存在问题", ""),
    ("measures", "下步措施", ""),
    ("remarks", "备注", ""),
]
NEED_COLUMNS: list[tuple[str, str, str]] = [
    ("seq", "序号", ""),
    ("place", "建设地", ""),
    ("item_name", "项目名称", ""),
    ("period", "建设期限", ""),
    ("total_investment", "项目总投资(万元)", ""),
    ("funds_total", "项目资金安排(万元)", "合计"),
    ("enterprise_planned", "项目资金安排(万元)", SOCIAL),
    ("self_planned", "项目资金安排(万元)", SELF),
    ("category", "类别", ""),
    ("status", "对接状态", ""),
    ("partner", "对接单位", ""),
    ("signed_amount", "签约金额(万元)", ""),
    ("enterprise_received_cum", "累计到位资金(万元)", SOCIAL),
    ("self_received_cum", "累计到位资金(万元)", SELF),
    ("month_progress", "本月进展", ""),
    ("remarks", "备注", ""),
]
INDICATOR_COLUMNS: list[tuple[str, str, str]] = [
    ("item_code", "编号", ""),
    ("item_name", "指标名称", ""),
    ("unit_of_measure", "计量单位", ""),
    ("target", "年度目标", ""),
    ("done_month", "本月完成", ""),
    ("done_cum", "累计完成", ""),
    ("evidence", "佐证材料", ""),
    ("remarks", "备注", ""),
]
SHEETS = {
    "projects": ("表1 援建项目", "表1 援建项目进度", PROJECT_COLUMNS),
    "needs": ("表2 招商需求", "表2 招商需求对接", NEED_COLUMNS),
    "indicators": ("表3 工作要点", "表3 工作要点指标", INDICATOR_COLUMNS),
}
NIL = "零报告"
#: the sheet row of the first data row in a workbook made here
FIRST_ROW = 5


def letter(table: str, field: str) -> str:
    """The column letter of a field in a workbook made here."""
    fields = [name for name, _, _ in SHEETS[table][2]]
    return get_column_letter(fields.index(field) + 1)


def cell(table: str, field: str, row: int = FIRST_ROW) -> str:
    return f"{letter(table, field)}{row}"


def make_book(
    path: Path,
    unit: str,
    month: str,
    *,
    cover: Mapping[str, str] | None = None,
    money_unit: str = "万元",
    **tables: str | Sequence[Mapping[str, Any]],
) -> Path:
    """Write a workbook: `projects=`, `needs=`, `indicators=` are rows by field, or 零报告."""
    book = Workbook()
    book.remove(book.active)
    front = book.create_sheet("封面")
    lines = {"报送单位": unit, "月份": month, "填报人": "张三", "审核人": "李四", **(cover or {})}
    for number, (label, value) in enumerate(lines.items(), start=2):
        front.cell(number, 1, label)
        front.cell(number, 2, value)
    for key, rows in tables.items():
        sheet_name, title, columns = SHEETS[key]
        sheet = book.create_sheet(sheet_name)
        sheet["A1"] = title
        sheet["A2"] = f"报送单位：{unit}"
        sheet["D2"] = f"月份：{month}"
        sheet["G2"] = f"单位：{money_unit}"
        _header(sheet, columns)
        if isinstance(rows, str):
            sheet.cell(FIRST_ROW, 1, rows)
            continue
        for number, row in enumerate(rows, start=FIRST_ROW):
            for place, (field, _, _) in enumerate(columns, start=1):
                value = row.get(field)
                if isinstance(value, tuple):
                    value, number_format = value
                    sheet.cell(number, place, value).number_format = number_format
                elif value is not None:
                    sheet.cell(number, place, value)
    book.save(path)
    return path


def _header(sheet: Any, columns: Sequence[tuple[str, str, str]]) -> None:
    place = 1
    while place <= len(columns):
        _, upper, lower = columns[place - 1]
        sheet.cell(3, place, upper)
        if not lower:
            sheet.merge_cells(start_row=3, end_row=4, start_column=place, end_column=place)
            place += 1
            continue
        first = place
        while place <= len(columns) and columns[place - 1][1] == upper:
            sheet.cell(4, place, columns[place - 1][2])
            place += 1
        sheet.merge_cells(start_row=3, end_row=3, start_column=first, end_column=place - 1)


#: 2018-A1-04, of 景阳镇, as planned
WATER = {
    "seq": 4,
    "place": "建始县",
    "item_name": "景阳镇社坛村安全饮水工程(深度贫困村)",
    "total_investment": 300,
    "funds_total": 300,
    "fiscal_planned": 50,
    "self_planned": 250,
    "start_planned": "2018年5月",
    "accept_planned": "2018年12月",
    "lead_unit": "景阳镇政府",
}


def water(**reported: Any) -> dict[str, Any]:
    """The row of 2018-A1-04: on schedule unless told otherwise."""
    return {
        **WATER,
        "status": "在建",
        "start_actual": "2018年5月",
        "progress_pct": 60,
        "fiscal_received_cum": 50,
        "self_received_cum": 120,
        "invested_cum": 150,
        "fiscal_paid_month": 20,
        "self_paid_month": 30,
        "fiscal_paid_cum": 20,
        "self_paid_cum": 30,
        "poor_households": 175,
        "poor_persons": 629,
        **reported,
    }
