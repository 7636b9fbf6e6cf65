"""The data workbook of an edition: the exports of its month, one sheet a table.

It travels inside the PDF and lies beside it. The same rows give the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.recording.writers import xlsx_text

#: One export: its column names and its rows.
Export = tuple[Sequence[str], Sequence[Sequence[Any]]]

_SHEETS = {
    "projects": "援建项目",
    "needs": "招商需求",
    "indicators": "工作要点",
    "submissions": "报送",
    "findings": "问题",
    "corrections": "更正",
}
#: Files inside the package carry a date; it is always this one.
_DATE = (2018, 1, 1, 0, 0, 0)
_SAVED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_WIDEST = 44


def data_workbook(exports: Mapping[str, Export]) -> bytes:
    """An .xlsx with a sheet for each export given, in their order; text is text, never a formula."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.worksheets[0])
    for table, (columns, rows) in exports.items():
        sheet = book.create_sheet(_SHEETS.get(table, table))
        for number, row in enumerate((columns, *rows), start=1):
            for place, value in enumerate(row, start=1):
                if value is not None:
                    _put(sheet.cell(number, place), value)
        for place, name in enumerate(columns, start=1):
            sheet.cell(1, place).font = Font(bold=True)
            longest = max([len(name), *(len(str(row[place - 1] or "")) for row in rows[:200])])
            sheet.column_dimensions[get_column_letter(place)].width = min(longest + 2, _WIDEST)
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return settled(out.getvalue())


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, bool | int | Decimal):
        cell.value = value
        return
    cell.value = xlsx_text(str(value))
    cell.data_type = "s"
    cell.number_format = "@"


def settled(package: bytes) -> bytes:
    """The package without the moment of its making."""
    moment = datetime(*_DATE).isoformat().encode() + b"Z"  # noqa: DTZ001  a constant, not a clock
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _SAVED.sub(rb"\g<1>" + moment, content)
            info = zipfile.ZipInfo(entry.filename, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()
