"""An .ods spreadsheet: its content.xml through expat."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from ledger.reading.formats import limits
from ledger.reading.formats.csvs import ERRORS
from ledger.reading.formats.markup import Attributes, Start, walk
from ledger.reading.formats.numbers import date_cell, exact
from ledger.reading.formats.ods_styles import Styles
from ledger.reading.formats.package import Package
from ledger.reading.formats.ranges import LAST_COLUMN, LAST_ROW, drop_covered
from ledger.reading.formats.refusal import bloated, damaged
from ledger.reading.model import Book, Cell, CellKind, Sheet

_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_HIDDEN = ("collapse", "filter")
#: Elements whose text is not the cell's: notes, phonetic guides, drawings laid over the cell.
_NOT_CONTENT = frozenset(("annotation", "ruby-text", "shapes", "forms", "custom-shape", "frame", "g"))
#: Tables that are no sheets: cached external data, deleted content of recorded changes.
_NOT_SHEETS = frozenset(("tracked-changes", "dde-links", "dde-link"))


def read_ods(package: Package) -> Book:
    """Read a spreadsheet. Raises Refused (F01, F02, F04)."""
    content = package.read("content.xml")
    if content is None:
        raise damaged("缺少表格内容 content.xml")
    styles = Styles()
    common = package.read("styles.xml")
    if common:
        walk(common, "styles.xml", _unprefixed(styles.start), styles.end, styles.text)
    reader = _Reader(styles, calculated=_was_calculated(package.read("meta.xml") or b""))
    walk(content, "content.xml", _unprefixed(reader.start), reader.end, reader.text)
    if not reader.sheets:
        raise damaged("文件中没有工作表")
    for sheet in reader.sheets:
        limits.check_grid(sheet.name, sheet.cells)
        drop_covered(sheet)
    return Book("ods", reader.sheets)


def _unprefixed(start: Start) -> Start:
    """Hand attributes over by their local names, but LibreOffice's additions (calcext) in full:
    they have the same local names as the standard's."""

    def started(name: str, attributes: Attributes) -> None:
        start(
            name,
            {
                key if key.startswith("calcext:") else key[key.find(":") + 1 :]: value
                for key, value in attributes.items()
            },
        )

    return started


def _was_calculated(meta: bytes) -> bool:
    """Whether a spreadsheet program wrote the file: it then stores every formula's result.

    A formula without a value is an empty text there (``=""``); in a file written by a library it
    is a formula that nobody has calculated.
    """
    return any(name in meta for name in (b"Office", b"WPS", b"Calligra", b"Gnumeric"))


@dataclass(slots=True)
class _Run:
    """Columns declared together: how many, hidden or not, their cells' default style."""

    first: int
    last: int
    style: str


class _Reader:
    """Builds the sheets as the elements come by."""

    def __init__(self, styles: Styles, *, calculated: bool) -> None:
        self.sheets: list[Sheet] = []
        self._calculated = calculated
        self._styles = styles
        self._sheet: Sheet | None = None
        self._skip = 0
        self._in_styles = False
        self._columns: list[_Run] = []
        self._codes: dict[str, str] = {}
        self._next_column = 1
        self._hidden_runs: list[tuple[int, int]] = []
        self._row = self._row_repeat = self._column = 0
        self._row_style = ""
        self._row_cells: list[Cell] = []
        self._cell: Attributes | None = None
        self._covered = False
        self._text: list[str] = []
        self._paragraphs = self._in_paragraph = 0
        self._count = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if self._skip or name in _NOT_SHEETS or (self._cell is not None and name in _NOT_CONTENT):
            self._skip += 1
        elif self._in_styles or name == "automatic-styles":
            self._in_styles = True
            self._styles.start(name, attributes)
        elif name == "table" and self._cell is None:
            self._start_sheet(attributes)
        elif self._sheet is None:
            return
        elif name in ("table-cell", "covered-table-cell"):
            self._cell, self._covered = attributes, name == "covered-table-cell"
            self._text, self._paragraphs = [], 0
        elif self._cell is not None:
            self._start_text(name, attributes)
        elif name == "table-row":
            self._start_row(attributes)
        elif name == "table-column":
            self._add_columns(attributes)

    def end(self, name: str) -> None:
        if self._skip:
            self._skip -= 1
        elif self._in_styles:
            self._styles.end(name)
            self._in_styles = name != "automatic-styles"
        elif name == "p" and self._in_paragraph:
            self._in_paragraph -= 1
        elif name in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif name == "table-row" and self._sheet is not None:
            self._end_row(self._sheet)
        elif name == "table" and self._cell is None and self._sheet is not None:
            self._end_sheet(self._sheet)

    def text(self, data: str) -> None:
        if self._in_styles:
            self._styles.text(data)
        elif self._in_paragraph and not self._skip:
            self._text.append(data)

    def _start_text(self, name: str, attributes: Attributes) -> None:
        if name == "p":
            if self._paragraphs:
                self._text.append("\n")
            self._paragraphs += 1
            self._in_paragraph += 1
        elif name == "s":
            count = attributes.get("c") or "1"
            self._text.append(" " * min(int(count) if count.isdecimal() else 1, 1024))
        elif name == "tab":
            self._text.append("\t")
        elif name == "line-break":
            self._text.append("\n")

    def _start_sheet(self, attributes: Attributes) -> None:
        self._sheet = Sheet(attributes.get("name") or "")
        self._sheet.hidden = self._styles.hides_table(attributes.get("style-name") or "")
        self._row, self._next_column = 1, 1
        self._columns, self._hidden_runs = [], []

    def _add_columns(self, attributes: Attributes) -> None:
        first = self._next_column
        self._next_column += _repeat(attributes, "number-columns-repeated", LAST_COLUMN)
        last = min(self._next_column - 1, LAST_COLUMN)
        style = attributes.get("default-cell-style-name") or ""
        self._columns.append(_Run(first, last, style))
        if attributes.get("visibility") in _HIDDEN:
            self._hidden_runs.append((first, last))

    def _start_row(self, attributes: Attributes) -> None:
        self._row_repeat = _repeat(attributes, "number-rows-repeated", LAST_ROW)
        self._row_style = attributes.get("default-cell-style-name") or ""
        self._row_cells = []
        self._column = 1
        if attributes.get("visibility") in _HIDDEN and self._sheet is not None:
            # rows hidden to the end of the sheet are declared at once: what matters has content
            self._sheet.hidden_rows.update(range(self._row, self._row + min(self._row_repeat, 65_536)))

    def _end_row(self, sheet: Sheet) -> None:
        if self._row_cells:
            self._count += len(self._row_cells) * self._row_repeat
            if self._count > limits.MAX_CELLS:
                raise bloated(f"工作表“{sheet.name}”的单元格超过 {limits.MAX_CELLS // 10_000} 万个")
            for row in range(self._row, min(self._row + self._row_repeat, LAST_ROW + 1)):
                for cell in self._row_cells:
                    sheet.cells[row, cell.column] = cell if cell.row == row else cell._replace(row=row)
        self._row += self._row_repeat

    def _end_sheet(self, sheet: Sheet) -> None:
        last_row, last_column = sheet.last_row, sheet.last_column
        sheet.hidden_rows = {row for row in sheet.hidden_rows if row <= last_row}
        for first, last in self._hidden_runs:
            sheet.hidden_columns.update(range(first, min(last, last_column) + 1))
        self.sheets.append(sheet)
        self._sheet = None

    def _end_cell(self) -> None:
        attributes, self._cell = self._cell, None
        sheet = self._sheet
        if attributes is None or sheet is None:
            return
        repeat = _repeat(attributes, "number-columns-repeated", LAST_COLUMN)
        column = self._column
        self._column += repeat
        rows = _repeat(attributes, "number-rows-spanned", LAST_ROW)
        columns = _repeat(attributes, "number-columns-spanned", LAST_COLUMN)
        if (rows > 1 or columns > 1) and not self._covered:
            sheet.merges.append((self._row, column, self._row + rows - 1, column + columns - 1))
        if self._covered:
            return
        cell = self._make(attributes, column)
        if cell is None:
            return
        last = min(column + repeat - 1, LAST_COLUMN)
        if len(self._row_cells) + last - column > LAST_COLUMN:
            raise bloated(f"工作表“{sheet.name}”的一行有过多的列")
        self._row_cells.append(cell)
        self._row_cells.extend(cell._replace(column=more) for more in range(column + 1, last + 1))

    def _make(self, attributes: Attributes, column: int) -> Cell | None:
        kind = attributes.get("value-type") or ""
        if attributes.get("calcext:value-type") == "error":
            kind = "error"
        formula = attributes.get("formula") is not None
        shown = "".join(self._text)
        code = self._code(attributes, column) if kind or formula else ""
        row = self._row
        if kind == "error" or (formula and kind in ("", "string") and _is_error(shown)):
            text = shown.strip() or "#N/A"
            return Cell(row, column, CellKind.ERROR, text, text, code, formula)
        if kind in ("float", "percentage", "currency"):
            number = exact(attributes.get("value") or "")
            if number is not None:
                if kind == "percentage" and "%" not in code:
                    code = "0%"
                return Cell(row, column, CellKind.NUMBER, number[0], number[1], code, formula)
        elif kind == "date":
            moment = _moment(attributes.get("date-value") or "")
            if moment is not None:
                return date_cell(row, column, moment, code, formula)
        elif kind == "time":
            hour = _time_of_day(attributes.get("time-value") or "")
            if hour is not None:
                return date_cell(row, column, hour, code, formula)
        elif kind == "boolean":
            truth = attributes.get("boolean-value") == "true"
            return Cell(row, column, CellKind.BOOLEAN, truth, "TRUE" if truth else "FALSE", code, formula)
        elif not kind and formula and not shown and not self._calculated:
            return Cell(row, column, CellKind.FORMULA, None, "", code, True)
        if not shown and kind == "string":
            shown = attributes.get("string-value") or ""
        return Cell(row, column, CellKind.TEXT, shown, shown, code, formula) if shown else None

    def _code(self, attributes: Attributes, column: int) -> str:
        name = attributes.get("style-name") or self._row_style
        if not name:
            name = next((run.style for run in self._columns if run.first <= column <= run.last), "")
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = self._styles.code(name)
        return code


def _repeat(attributes: Attributes, name: str, limit: int) -> int:
    stated = attributes.get(name)
    if stated is None:
        return 1
    return max(1, min(int(stated[:9]), limit)) if stated.isdecimal() else 1


def _is_error(shown: str) -> bool:
    return shown in ERRORS or shown.startswith("Err:")


def _moment(stated: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stated).replace(tzinfo=None)
    except ValueError:
        return None


def _time_of_day(stated: str) -> time | None:
    match = _DURATION.fullmatch(stated)
    if match is None:
        return None
    try:
        return time(int(match[1][:4]), int(match[2][:4]), int(match[3][:4]))
    except ValueError:  # a length of time, not a time of day
        return None
