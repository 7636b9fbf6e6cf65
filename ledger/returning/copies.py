"""An .xlsx copy of the tables of a file that can't be marked itself (.xls, .et, .ods, .csv).

Each cell stands where it stood, with its value, its number format and its merge, so that the
marks and the links lead to the right place and the copy can be mended and sent in.
"""

from __future__ import annotations

import re
from datetime import datetime

from openpyxl import Workbook
from openpyxl.cell import MergedCell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ledger.reading.model import Book, Cell, CellKind, Sheet
from ledger.returning.form_style import NUMBER, lines_needed, paper, set_default_font
from ledger.returning.settle import settled_bytes

_NAME_LIMIT = 31
_FORBIDDEN_IN_NAME = re.compile(r"[\[\]:*?/\\]")
_FORBIDDEN_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDEST, _NARROWEST = 24, 6
_SIDE = Side(style="thin", color="FFBFBFBF")
_BOX = Border(left=_SIDE, right=_SIDE, top=_SIDE, bottom=_SIDE)
_FONT = Font(name="宋体", size=10.5)
_TEXT = Alignment(vertical="center", wrap_text=True)
#: From here on a whole row of text is a title or a caption, not a column's width.
_TITLE_LENGTH = 30


def copy_of(book: Book, moment: datetime) -> tuple[bytes, dict[str, str]]:
    """The copy's bytes, and each sheet's name in it (a CSV's may be too long for Excel)."""
    workbook = Workbook()
    set_default_font(workbook)
    workbook.remove(workbook.worksheets[0])
    names: dict[str, str] = {}
    for sheet in book.sheets:
        name = _sheet_name(sheet.name, set(names.values()))
        names[sheet.name] = name
        copied = workbook.create_sheet(name)
        if sheet.hidden:
            copied.sheet_state = "hidden"
        _copy_sheet(sheet, copied)
    if not any(sheet.sheet_state == "visible" for sheet in workbook.worksheets):
        workbook.create_sheet(_sheet_name("说明", set(names.values())))
    return settled_bytes(workbook, moment), names


def empty_workbook(name: str, moment: datetime) -> bytes:
    """A workbook with one blank sheet of that name, to be filled in."""
    workbook = Workbook()
    set_default_font(workbook)
    workbook.worksheets[0].title = name
    return settled_bytes(workbook, moment)


def _sheet_name(name: str, taken: set[str]) -> str:
    base = _FORBIDDEN_IN_NAME.sub("_", name).strip("'")[:_NAME_LIMIT] or "表"
    candidate, number = base, 1
    while candidate.lower() in {other.lower() for other in taken}:
        number += 1
        candidate = f"{base[: _NAME_LIMIT - 4]}({number})"
    return candidate


def _copy_sheet(source: Sheet, target: Worksheet) -> None:
    for (row, column), cell in source.cells.items():
        _copy_cell(cell, target, row, column)
    for first_row, first_column, last_row, last_column in source.merges:
        target.merge_cells(
            start_row=first_row, start_column=first_column, end_row=last_row, end_column=last_column
        )
    for row in source.hidden_rows:
        target.row_dimensions[row].hidden = True
    for column, width in _widths(source).items():
        target.column_dimensions[get_column_letter(column)].width = width
    for column in source.hidden_columns:
        target.column_dimensions[get_column_letter(column)].hidden = True
    paper(target, landscape=True)


def _copy_cell(cell: Cell, target: Worksheet, row: int, column: int) -> None:
    copied = target.cell(row, column)
    if isinstance(copied, MergedCell):
        return
    copied.font, copied.border = _FONT, _BOX
    copied.alignment = NUMBER if cell.kind is CellKind.NUMBER else _TEXT
    match cell.kind:
        case CellKind.TEXT:
            copied.value = _FORBIDDEN_IN_TEXT.sub("", str(cell.value))
            copied.data_type = "s"
        case CellKind.ERROR:
            copied.value = str(cell.value)
            copied.data_type = "e"
        case CellKind.FORMULA:
            # the formula's own text is not known here; a formula without a stored result it stays
            copied.value = "=NA()"
        case _:
            copied.value = cell.value
    if cell.number_format and cell.kind is not CellKind.TEXT:
        copied.number_format = cell.number_format


def _widths(sheet: Sheet) -> dict[int, float]:
    widest: dict[int, int] = {}
    for (_, column), cell in sheet.cells.items():
        # a number is shown longer than it is stored: thousands separators, decimals, a sign
        text = f"{cell.raw}000,00" if cell.kind is CellKind.NUMBER else cell.raw
        length = sum(2 if ord(character) > 0x2E7F else 1 for character in text.split("\n")[0])
        if length <= _TITLE_LENGTH or lines_needed(text, _WIDEST) == 1:
            widest[column] = max(widest.get(column, _NARROWEST), min(length + 2, _WIDEST))
    return {column: float(width) for column, width in widest.items()}
