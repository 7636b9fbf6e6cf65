"""Grids → files, the same bytes every time: .xlsx, .xls, .ods and .csv."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

import openpyxl
import xlwt
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from tools.sample.sheets import Cell, Grid, Scalar

_MOMENT = datetime(2018, 7, 1, 8, 0, 0)  # noqa: DTZ001  stands in every file, means nothing
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_THIN = Side(style="thin", color="808080")
_BORDER = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FONTS = {"title": Font(name="宋体", size=16, bold=True), "head": Font(name="宋体", size=10, bold=True)}


def _plain(value: Scalar) -> str | int | float | date | None:
    """A value as a spreadsheet stores it: whole numbers as int, others as their nearest float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def xlsx(grids: Sequence[Grid]) -> bytes:
    """An .xlsx workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.creator = "sample"
    book.properties.created = book.properties.modified = _MOMENT
    for grid in grids:
        sheet = book.create_sheet(grid.name)
        for row, cells in enumerate(grid.rows, start=1):
            for column, cell in enumerate(cells, start=1):
                _put(sheet.cell(row, column), cell)
        for top, left, bottom, right in grid.merges:
            sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
        for column, width in enumerate(grid.widths, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width
    stream = io.BytesIO()
    book.save(stream)
    return _timeless(stream.getvalue())


def _put(target: openpyxl.cell.Cell, cell: Cell) -> None:
    target.value = _plain(cell.value)
    if cell.number_format:
        target.number_format = cell.number_format
    if cell.look in _FONTS:
        target.font = _FONTS[cell.look]
    if cell.look == "head":
        target.fill = PatternFill("solid", start_color="DDE6F0")
    if cell.look in {"head", "body"}:
        target.border = _BORDER
    centred = cell.look in {"title", "head"}
    target.alignment = Alignment(
        horizontal="center" if centred else None, vertical="center", wrap_text=cell.look != "caption"
    )


def _timeless(package: bytes) -> bytes:
    """The same zip package without the time at which it was written."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(stream, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                moment = _MOMENT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + moment, data)
            _store(target, name, data)
    return stream.getvalue()


def _store(package: zipfile.ZipFile, name: str, data: bytes, compress: int = zipfile.ZIP_DEFLATED) -> None:
    info = zipfile.ZipInfo(name, _ZIP_TIME)
    info.compress_type = compress
    info.external_attr = 0o644 << 16
    package.writestr(info, data)


def xls(grids: Sequence[Grid]) -> bytes:
    """An .xls workbook (BIFF8)."""
    book = xlwt.Workbook(encoding="utf-8")
    styles: dict[tuple[str, str], xlwt.XFStyle] = {}
    for grid in grids:
        sheet = book.add_sheet(grid.name)
        merged = {(top, left): (bottom, right) for top, left, bottom, right in grid.merges}
        for row, cells in enumerate(grid.rows, start=1):
            for column, cell in enumerate(cells, start=1):
                style = styles.setdefault((cell.look, cell.number_format), _xls_style(cell))
                corner = merged.get((row, column))
                if corner:
                    area = (row - 1, corner[0] - 1, column - 1, corner[1] - 1)
                    sheet.write_merge(*area, _plain(cell.value), style)
                elif cell.value is not None:
                    sheet.write(row - 1, column - 1, _plain(cell.value), style)
        for column, width in enumerate(grid.widths):
            sheet.col(column).width = 256 * width
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _xls_style(cell: Cell) -> xlwt.XFStyle:
    bold = "font: bold on; " if cell.look in {"title", "head"} else ""
    style = xlwt.easyxf(f"{bold}align: vert centre, wrap {'off' if cell.look == 'caption' else 'on'}")
    if cell.number_format:
        style.num_format_str = cell.number_format
    return style


def csv_file(grid: Grid, encoding: str) -> bytes:
    """One sheet as CSV, with the line ends of the office programs."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    for cells in grid.rows:
        writer.writerow(["" if cell.value is None else str(_plain(cell.value)) for cell in cells])
    return stream.getvalue().encode(encoding)


_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_MANIFEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>"""
_ODS_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet>"""
_ODS_TAIL = "</office:spreadsheet></office:body></office:document-content>"


def ods(grids: Sequence[Grid]) -> bytes:
    """An .ods workbook: values and merged cells, no styles."""
    parts = [_ODS_HEAD]
    for grid in grids:
        parts.append(f'<table:table table:name="{escape(grid.name)}">')
        spans = {
            (top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in grid.merges
        }
        for row, cells in enumerate(grid.rows, start=1):
            content = (
                _ods_cell(cell, spans.get((row, column))) for column, cell in enumerate(cells, start=1)
            )
            parts.append(f"<table:table-row>{''.join(content)}</table:table-row>")
        parts.append("</table:table>")
    parts.append(_ODS_TAIL)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        _store(package, "mimetype", _ODS_TYPE.encode(), zipfile.ZIP_STORED)
        _store(package, "content.xml", "\n".join(parts).encode())
        _store(package, "META-INF/manifest.xml", _ODS_MANIFEST.encode())
    return stream.getvalue()


def _ods_cell(cell: Cell, span: tuple[int, int] | None) -> str:
    attributes = ""
    if span:
        attributes = f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"'
    value = _plain(cell.value)
    if value is None:
        return f"<table:table-cell{attributes}/>"
    if isinstance(value, str):
        kind = ' office:value-type="string"'
    elif isinstance(value, date):
        kind = f' office:value-type="date" office:date-value="{value.isoformat()}"'
    else:
        kind = f' office:value-type="float" office:value="{value}"'
    return f"<table:table-cell{kind}{attributes}><text:p>{escape(str(value))}</text:p></table:table-cell>"
