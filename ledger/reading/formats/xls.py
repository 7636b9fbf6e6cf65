"""An .xls or .et workbook (BIFF), through xlrd, with the facts that xlrd leaves out.

xlrd gives values, formats, merges and what is hidden, but does not say which cells are formulas: a
second pass over the sheet's records does.
"""

from __future__ import annotations

import io
import struct
from math import isfinite
from typing import Any

import xlrd
from xlrd.biffh import (
    XL_CELL_BOOLEAN,
    XL_CELL_DATE,
    XL_CELL_ERROR,
    XL_CELL_NUMBER,
    XL_CELL_TEXT,
    XLRDError,
    error_text_from_code,
)

from ledger.reading.formats import limits
from ledger.reading.formats.numbers import date_cell, date_of, exact_double, is_date_format
from ledger.reading.formats.ranges import drop_covered
from ledger.reading.formats.refusal import bloated, damaged, locked
from ledger.reading.model import Book, Cell, CellKind, Sheet

#: What xlrd raises on damaged files, as its own fuzzing and ours have shown.
_FAULTS = (
    XLRDError,
    struct.error,
    AssertionError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    NameError,
    NotImplementedError,
    EOFError,
)
_BOF_CODES = (0x0009, 0x0209, 0x0409, 0x0809)
_EOF = 0x000A
_FORMULAS = (0x0006, 0x0206, 0x0406)
_RECALC_ID = 0x01C1
_HEADER = struct.Struct("<HH")
_PLACE = struct.Struct("<HH")


def read_xls(data: bytes) -> Book:
    """Read a workbook's BIFF stream. Raises Refused (F01, F02, F04)."""
    try:
        return _read(data)
    except _FAULTS as fault:
        if isinstance(fault, XLRDError) and "encrypted" in str(fault).lower():
            raise locked("设有打开密码，或对工作簿作了加密保护") from fault
        raise damaged("表格内容不完整") from fault
    except (MemoryError, RecursionError) as fault:
        raise bloated("展开后超出内存") from fault


def _read(data: bytes) -> Book:
    book = _open(data, None)
    if book.biff_version < 80 and book.codepage is None:
        book = _open(data, "gb18030")  # old programs in China did not say so
    date1904 = bool(book.datemode)
    sheets: list[Sheet] = []
    cells = 0
    for index in range(book.nsheets):
        sheet = _sheet(book, index, date1904)
        sheets.append(sheet)
        cells += len(sheet.cells)
        if cells > limits.MAX_CELLS:
            raise bloated(f"全部工作表的单元格超过 {limits.MAX_CELLS // 10_000} 万个")
        book.unload_sheet(index)
    if not sheets:
        raise damaged("工作簿中没有工作表")
    return Book("xls", sheets, date1904)


def _open(data: bytes, encoding: str | None) -> Any:
    return xlrd.open_workbook(
        file_contents=data,
        formatting_info=True,
        ragged_rows=True,
        on_demand=True,
        logfile=io.StringIO(),
        encoding_override=encoding,
    )


def _sheet(book: Any, index: int, date1904: bool) -> Sheet:
    source = book.sheet_by_index(index)
    formulas = _formulas(book, index)
    sheet = Sheet(source.name, hidden=bool(source.visibility))
    codes = _Codes(book)
    for row0 in range(source.nrows):
        kinds = source.row_types(row0)
        if not any(kinds):
            continue
        values = source.row_values(row0)
        for column0, kind in enumerate(kinds):
            place = (row0 + 1, column0 + 1)
            code = codes.of(source.cell_xf_index(row0, column0)) if kind else ""
            cell = _cell(place, kind, values[column0], code, formulas.get((row0, column0)), date1904)
            if cell is not None:
                sheet.cells[place] = cell
    sheet.merges = [
        (first_row + 1, first_column + 1, last_row, last_column)
        for first_row, last_row, first_column, last_column in source.merged_cells
    ]
    last_row, last_column = sheet.last_row, sheet.last_column
    sheet.hidden_rows = {
        row + 1 for row, info in source.rowinfo_map.items() if row < last_row and info.hidden
    }
    sheet.hidden_columns = {
        column + 1 for column, info in source.colinfo_map.items() if column < last_column and info.hidden
    }
    limits.check_grid(sheet.name, sheet.cells)
    drop_covered(sheet)
    return sheet


def _cell(
    place: tuple[int, int], kind: int, value: Any, code: str, formula: str | None, date1904: bool
) -> Cell | None:
    is_formula = formula is not None
    if formula == _NO_RESULT:
        return Cell(*place, CellKind.FORMULA, None, "", code, True)
    if kind == XL_CELL_TEXT:
        return Cell(*place, CellKind.TEXT, value, value, code, is_formula) if value else None
    if kind in (XL_CELL_NUMBER, XL_CELL_DATE):
        if not isfinite(value):
            return Cell(*place, CellKind.ERROR, "#NUM!", "#NUM!", code, is_formula)
        number, raw = exact_double(value)
        moment = date_of(number, date1904=date1904) if is_date_format(code) else None
        if moment is not None:
            return date_cell(*place, moment, code, is_formula)
        return Cell(*place, CellKind.NUMBER, number, raw, code, is_formula)
    if kind == XL_CELL_BOOLEAN:
        return Cell(*place, CellKind.BOOLEAN, bool(value), "TRUE" if value else "FALSE", code, is_formula)
    if kind == XL_CELL_ERROR:
        text = error_text_from_code.get(value, "#N/A")
        return Cell(*place, CellKind.ERROR, text, text, code, is_formula)
    return None


class _Codes:
    """Number formats by cell format index."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._known: dict[int, str] = {}

    def of(self, index: int) -> str:
        if index not in self._known:
            code = ""
            if 0 <= index < len(self._book.xf_list):
                chosen = self._book.format_map.get(self._book.xf_list[index].format_key)
                code = chosen.format_str if chosen is not None else ""
            self._known[index] = code
        return self._known[index]


_RESULT = "result"
_NO_RESULT = "no result"


def _formulas(book: Any, index: int) -> dict[tuple[int, int], str]:
    """Which cells (from 0) are formulas, and whether a result is stored with them.

    A result of the kind "empty" is an empty text in what Excel writes. A library that does not
    calculate (xlwt) writes the same for "not calculated"; it is told by the workbook's lacking the
    record RECALCID, which every spreadsheet program since 1999 writes.
    """
    memory: bytes = book.mem
    position: int = book._sh_abs_posn[index]
    calculated = _was_calculated(book)
    found: dict[tuple[int, int], str] = {}
    depth = 0
    while position + _HEADER.size <= len(memory):
        code, length = _HEADER.unpack_from(memory, position)
        position += _HEADER.size
        if code in _BOF_CODES:
            depth += 1
        elif code == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif code in _FORMULAS and depth == 1 and position + 14 <= len(memory):
            empty = memory[position + 6] == 3 and memory[position + 12 : position + 14] == b"\xff\xff"
            known = calculated or not empty
            found[_PLACE.unpack_from(memory, position)] = _RESULT if known else _NO_RESULT
        position += length
    return found


def _was_calculated(book: Any) -> bool:
    """Whether the globals hold RECALCID: the writer calculates its formulas."""
    memory: bytes = book.mem
    position: int = book.base
    while position + _HEADER.size <= len(memory):
        code, length = _HEADER.unpack_from(memory, position)
        if code == _RECALC_ID:
            return True
        if code == _EOF:
            return False
        position += _HEADER.size + length
    return False
