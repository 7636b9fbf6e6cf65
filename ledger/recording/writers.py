"""Export rows as files: CSV, JSON, .xlsx and Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from ledger.errors import UsageError
from schemas.money import plain

Field = str | int | bool | Decimal | None
Rows = Sequence[Sequence[Field]]

BOM = "\ufeff"
#: What XML can't say, and text that reads like its escape (ECMA-376, ST_Xstring).
_UNSAYABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_bytes(
    columns: Sequence[str], rows: Rows, form: str, *, title: str = "", excel_safe: bool = False
) -> bytes:
    """The export in `form`: csv, json, xlsx or parquet. Raises UsageError for another."""
    if form == "csv":
        return csv_bytes(columns, rows, excel_safe=excel_safe)
    writers: dict[str, Callable[[Sequence[str], Rows, str], bytes]] = {
        "json": json_bytes,
        "xlsx": xlsx_bytes,
        "parquet": parquet_bytes,
    }
    if form not in writers:
        raise UsageError(f"没有“{form}”这种格式，可用 csv、json、xlsx、parquet。")
    return writers[form](columns, rows, title)


def text_of(value: Field) -> str:
    """A field as CSV has it: plain decimals, true and false, blank for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def csv_bytes(columns: Sequence[str], rows: Rows, *, excel_safe: bool = False) -> bytes:
    """UTF-8 with BOM. Text is as it is; `excel_safe` puts an apostrophe before what a spreadsheet
    would take for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_guarded(value) if excel_safe else text_of(value) for value in row])
    return (BOM + out.getvalue()).encode("utf-8")


def _guarded(value: Field) -> str:
    text = text_of(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def json_bytes(columns: Sequence[str], rows: Rows, title: str = "") -> bytes:
    """A list of objects. Decimals are text, so that money stays exact; blank is null."""
    objects = [
        {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in rows
    ]
    return (json.dumps(objects, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def xlsx_bytes(columns: Sequence[str], rows: Rows, title: str = "") -> bytes:
    """One sheet with a frozen header and a filter; text cells are text, never formulas."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = _sheet_title(title)
    for place, name in enumerate(columns, start=1):
        cell = sheet.cell(1, place)
        _put(cell, name)
        cell.font = Font(bold=True)
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            if value is not None:
                _put(sheet.cell(number, place), value)
    for place, name in enumerate(columns, start=1):
        longest = max([len(name), *(len(text_of(row[place - 1])) for row in rows[:200])])
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, 9), 44)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx_text(text: str) -> str:
    """Text as a cell holds it: as it is, line breaks too; control characters as spreadsheets
    escape them."""
    return _UNSAYABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _put(cell: Any, value: Field) -> None:
    if isinstance(value, str):
        cell.value = xlsx_text(value)
        cell.data_type = "s"
        cell.number_format = "@"
    else:
        cell.value = value


def _sheet_title(title: str) -> str:
    return "".join("-" if letter in r"[]:*?/\ " else letter for letter in title)[:31] or "export"


def parquet_bytes(columns: Sequence[str], rows: Rows, title: str = "") -> bytes:
    """Decimals exact where they fit 38 digits, whole numbers, truth values and text otherwise."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_array([row[place] for row in rows]) for place in range(len(columns))]
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), out)
    return out.getvalue()


def _array(values: Sequence[Field]) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds == {Decimal}:
        try:
            return pa.array(values, pa.decimal128(38, 6))
        except pa.ArrowInvalid:
            return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())
