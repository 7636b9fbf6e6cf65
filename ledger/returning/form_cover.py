"""The sheet 封面 of a form: who, for which month, by whom, until when, and how."""

from __future__ import annotations

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ledger.calendar import deadline
from ledger.registry import Registry, Unit
from ledger.returning import form_style as style
from ledger.returning.form_sheets import NIL_REPORT, put
from schemas.month import Month

SHEET = "封面"
#: The cover's fields in order (CONTRACT §3); the first two are prefilled and locked.
UNIT, MONTH = "报送单位", "月份"
_REPORTER, _PHONE, _REVIEWER, _DATE, _REASON = "填报人", "联系电话", "审核人", "填报日期", "更正说明"
FIELDS = (UNIT, MONTH, _REPORTER, _PHONE, _REVIEWER, _DATE, _REASON)
_PROMPTS = {
    _REPORTER: "填写填报人姓名。",
    _PHONE: "填写填报人的办公电话或手机。",
    _REVIEWER: "填写审核签字的负责人姓名。",
    _DATE: "填写填报当天的日期。",
    _REASON: "更正以前报过的数字时，在此写明原因；首次报送不填。",
}
_LABEL, _VALUE = 2, 3
_FIRST_FIELD_ROW = 5


def write_cover(sheet: Worksheet, registry: Registry, unit: Unit, month: Month) -> None:
    """Write the cover into an empty sheet."""
    sheet.title = SHEET
    for column, width in {"A": 6, "B": 18, "C": 62, "D": 6}.items():
        sheet.column_dimensions[column].width = width
    for row, text, font in (
        (2, str(registry.programme.get("name", "")), style.PROGRAMME),
        (3, "项目资金进展情况月报表", style.TITLE),
    ):
        cell = sheet.cell(row, 1)
        put(cell, text)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=4)
        cell.font, cell.alignment = font, style.CENTRE
        sheet.row_dimensions[row].height = 36
    prefilled = {UNIT: unit.name, MONTH: month.chinese}
    row = _FIRST_FIELD_ROW
    for name in FIELDS:
        _field(sheet, row, name, prefilled.get(name))
        row += 1
    _notes(sheet, row + 1, registry, month)
    style.paper(sheet, landscape=False)
    style.protect(sheet)


def _field(sheet: Worksheet, row: int, name: str, value: str | None) -> None:
    label, entry = sheet.cell(row, _LABEL), sheet.cell(row, _VALUE)
    put(label, name)
    label.font, label.alignment, label.border = style.NOTES_HEAD, style.CENTRE, style.BOX
    entry.font, entry.alignment, entry.border = style.NOTES, style.LEFT, style.BOX
    sheet.row_dimensions[row].height = 44 if name == _REASON else 24
    if value is not None:
        put(entry, value)
        entry.fill, entry.protection = style.LOCKED_FILL, style.LOCKED
        return
    entry.protection = style.OPEN
    if name != _DATE:
        # a telephone number keeps its leading zero
        entry.number_format = "@"
    rule = DataValidation(allow_blank=True, showInputMessage=True, promptTitle=name, prompt=_PROMPTS[name])
    rule.add(entry.coordinate)
    sheet.add_data_validation(rule)


def _notes(sheet: Worksheet, row: int, registry: Registry, month: Month) -> None:
    head = sheet.cell(row, _LABEL)
    put(head, "填表说明")
    head.font = style.NOTES_HEAD
    for place, text in enumerate(_note_lines(registry, month), start=1):
        cell = sheet.cell(row + place, _LABEL)
        put(cell, f"{place}. {text}")
        sheet.merge_cells(start_row=row + place, end_row=row + place, start_column=_LABEL, end_column=_VALUE)
        cell.font, cell.alignment = style.NOTES, style.TOP_LEFT
        sheet.row_dimensions[row + place].height = 18 * style.lines_needed(str(cell.value), 65)


def _note_lines(registry: Registry, month: Month) -> list[str]:
    due = deadline(month, registry.deadline_day)
    day = due.day
    desk = registry.names.get(registry.coordinating_unit, "")
    return [
        f"报送期限：{day.year}年{day.month}月{day.day}日（含当日），报{desk}；遇周末和法定节假日已顺延。",
        "灰色格是计划内容和上月末数，已锁定；白色格由报送单位填写，点中单元格即显示填写要求。",
        "数字截至当月最后一日。累计数自年初算起；本月数只填当月，等于本月末累计减上月末累计。",
        "金额以万元为单位，可以填到小数点后6位；没有发生的填0，不要留空，不写“约”“多”“同上”。",
        "“支付”指已付给施工方或受益人的钱；只拨到部门、乡镇的，不算支付。",
        f"本单位在某表没有内容的，该表第一行写“{NIL_REPORT}”（已预先填好的不必改动）。",
        "更正以前报过的数字，在“更正说明”写明原因；某项数字调减的，还要在该行备注写明。",
        f"发现计划内容有误，请不要改动，在该行备注写明并告知{desk}。",
    ]
