"""Books for tests of what comes after the formats: made by openpyxl, or from a grid of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import Workbook

from ledger.reading.model import Book, Cell, CellKind, Sheet


def cell(value: Any, number_format: str = "", row: int = 1, column: int = 1) -> Cell | None:
    """A cell as the formats hand it on; None for no content; '#REF!' an error, '=…' a formula."""
    kind, held, raw = CellKind.TEXT, value, str(value)
    if value is None:
        return None
    if isinstance(value, bool):
        kind, raw = CellKind.BOOLEAN, str(value).upper()
    elif isinstance(value, int | float | Decimal):
        kind, held = CellKind.NUMBER, Decimal(str(value))
    elif isinstance(value, time):
        kind = CellKind.DATE
    elif isinstance(value, datetime | date):
        kind = CellKind.DATE
        held = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    elif value.startswith("#") and value.endswith(("!", "A", "?")):
        kind = CellKind.ERROR
    elif value.startswith("="):
        kind, held = CellKind.FORMULA, None
    return Cell(row, column, kind, held, raw, number_format)


def sheet(name: str, grid: Sequence[Sequence[Any]], top: int = 1, left: int = 1) -> Sheet:
    """A sheet from rows of values, the first at (`top`, `left`); a pair is (value, format)."""
    made = Sheet(name)
    for r, values in enumerate(grid, start=top):
        for c, value in enumerate(values, start=left):
            pair = value if isinstance(value, tuple) else (value, "")
            new = cell(*pair, row=r, column=c)
            if new is not None and new.raw != "":
                made.cells[r, c] = new
    return made


def book_of(workbook: Workbook) -> Book:
    """An openpyxl workbook as a Book, with its merges and what is hidden."""
    sheets = []
    for ws in workbook.worksheets:
        made = Sheet(ws.title, hidden=ws.sheet_state != "visible")
        for cells in ws.iter_rows():
            for c in cells:
                if c.value is not None and c.value != "":
                    number_format = "" if c.number_format == "General" else c.number_format
                    new = cell(c.value, number_format, c.row, c.column)
                    assert new is not None
                    made.cells[c.row, c.column] = new
        made.merges = [(m.min_row, m.min_col, m.max_row, m.max_col) for m in ws.merged_cells.ranges]
        made.hidden_rows = {row for row, d in ws.row_dimensions.items() if d.hidden}
        made.hidden_columns = {ord(letter) - 64 for letter, d in ws.column_dimensions.items() if d.hidden}
        sheets.append(made)
    return Book("xlsx", sheets)
