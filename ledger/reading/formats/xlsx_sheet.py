"""One worksheet part (xlsx): from its XML to cells, merges and what is hidden.

Two roads to the same cells. Nearly all sheets are written in the plain form of Excel, WPS,
LibreOffice and openpyxl; a regular expression takes their rows apart three times as fast as a parser
with a Python callback for every tag (docs/decisions/0013). Its last alternative catches any
character that the others do not account for: one such character, and the whole sheet goes through
expat instead. Whatever is outside ``<sheetData>`` goes through expat always.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.reading.formats import limits
from ledger.reading.formats.markup import Attributes, cached_by_document, is_true, walk
from ledger.reading.formats.numbers import date_cell, date_of, exact
from ledger.reading.formats.refusal import bloated, damaged
from ledger.reading.model import Cell, CellKind, Sheet

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

_TOKEN = re.compile(
    # blank cells, row ends and white space say nothing
    r'(?:<c r="[A-Z]{1,3}[0-9]{1,7}"(?: [a-z]+="[^"<>&]*")*+ ?/>|</row>|[ \n\t]++)*+'
    r"(?:"
    r'<row((?: [A-Za-z0-9:]+="[^"<>]*")*+) ?(/?)>'
    r'|<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?(?: (?:cm|vm|ph)="[^"<>]*")*+>'
    r"(<f[^<>]*+(?:(?<=/)>|>[^<]*+</f>))?"
    r'(?:(<v)(?: xml:space="preserve")?(?: ?/>|>([^<]*+)</v>)'
    r'|(<is>)<t(?: xml:space="preserve")?(?: ?/>|>([^<]*+)</t>)</is>)?'
    r"</c>"
    r"|([\s\S])|\Z)"
)
_ATTRIBUTE = re.compile(r'([A-Za-z0-9:]+)="([^"]*)"')
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_XML_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));|(&)")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["'](?!utf-8["'])""", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Columns(dict[str, int]):
    """Column numbers by letters, computed once each."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters.upper():
            number = number * 26 + ord(letter) - 64
        self[letters] = number
        return number


_COLUMNS = _Columns()


@dataclass(frozen=True, slots=True)
class Style:
    """What a cell format means for reading: its code, and whether its numbers are dates."""

    code: str
    is_date: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the workbook has beside the sheet that its cells refer to."""

    strings: Sequence[str]
    styles: Sequence[Style]
    date1904: bool


class _NotPlain(Exception):
    """The sheet is not in the plain form: expat must read it."""


def unescape(text: str) -> str:
    """``_x000D_`` and its like, as spreadsheets write characters that XML can't hold."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def unescape_xml(text: str) -> str:
    """The five named and the numbered entities; anything else is not plain."""

    def one(match: re.Match[str]) -> str:
        decimal, hexadecimal, name, other = match.groups()
        if name:
            return _NAMED[name]
        code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
        if other or code > 0x10FFFF or 0xD800 <= code < 0xE000 or _NOT_XML.match(chr(code)):
            raise _NotPlain
        return chr(code)

    return _XML_ENTITY.sub(one, text) if "&" in text else text


class _Looks(dict[str, Style]):
    """Styles by a cell's attribute s, looked up once each; a cell without one has no code."""

    def __init__(self, styles: Sequence[Style]) -> None:
        super().__init__({"": Style("", styles[0].is_date if styles else False)})
        self._styles = styles

    def __missing__(self, attribute: str) -> Style:
        try:
            style = self._styles[int(attribute)]
        except (ValueError, IndexError):
            style = Style("General", is_date=False)
        self[attribute] = style
        return style


class _Builder:
    """Makes cells of what either road finds."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self.sheet = Sheet(name)
        self._cells = self.sheet.cells
        self._strings = around.strings
        self._looks = _Looks(around.styles)
        self._date1904 = around.date1904

    def add(self, row: int, column: int, style: str, kind: str, stored: str | None, formula: bool) -> None:
        """One cell: `style` and `kind` as in its attributes s and t, `stored` its v (or its is).

        A formula without ``<v>``, or with an empty one that is not an empty text, has no result.
        """
        look = self._looks[style]
        code = look.code
        if not stored:
            if formula and (stored is None or kind != "str"):
                self._cells[row, column] = Cell(row, column, CellKind.FORMULA, None, "", code, True)
            return
        if kind in ("", "n"):
            cell = self._number(row, column, look, stored, formula)
        elif kind == "s":
            cell = _text(row, column, self._shared(stored), code, formula)
        elif kind in ("inlineStr", "str"):
            cell = _text(row, column, unescape(stored), code, formula)
        elif kind == "e":
            cell = Cell(row, column, CellKind.ERROR, stored, stored, code, formula)
        elif kind == "b":
            truth = stored.strip() in ("1", "true")
            cell = Cell(row, column, CellKind.BOOLEAN, truth, "TRUE" if truth else "FALSE", code, formula)
        elif kind == "d":
            cell = _iso_date(row, column, stored, code, formula)
        else:
            raise damaged(f"工作表“{self.sheet.name}”中有不认识的单元格类型")
        if cell is not None:
            self._cells[row, column] = cell

    def _number(self, row: int, column: int, look: Style, stored: str, formula: bool) -> Cell | None:
        number = exact(stored)
        if number is None:
            return _text(row, column, stored, look.code, formula)
        if look.is_date:
            moment = date_of(number[0], date1904=self._date1904)
            if moment is not None:
                return date_cell(row, column, moment, look.code, formula)
        # the road nearly every figure takes: past the generated constructor
        values = (row, column, CellKind.NUMBER, *number, look.code, formula)
        return tuple.__new__(Cell, values)

    def _shared(self, stored: str) -> str:
        try:
            return self._strings[int(stored)]
        except (ValueError, IndexError) as fault:
            raise damaged(f"工作表“{self.sheet.name}”引用的文字不存在") from fault

    def check(self) -> None:
        """Raise F04 where there is too much of it: shared texts count as often as they are used."""
        cells = self._cells
        longest = max(map(len, self._strings), default=0)
        if len(cells) > limits.MAX_CELLS or (
            longest * len(cells) > limits.MAX_TEXT
            and sum(len(cell.raw) for cell in cells.values()) > limits.MAX_TEXT
        ):
            raise bloated(f"工作表“{self.sheet.name}”的内容超过上限")


def _text(row: int, column: int, text: str, code: str, formula: bool) -> Cell | None:
    if not text:
        return None
    return tuple.__new__(Cell, (row, column, CellKind.TEXT, text, text, code, formula))


def _iso_date(row: int, column: int, stored: str, code: str, formula: bool) -> Cell | None:
    try:
        moment = datetime.fromisoformat(stored.strip()) if _ISO_DATE.match(stored) else None
    except ValueError:
        moment = None
    if moment is None:
        return _text(row, column, stored, code, formula)
    return date_cell(row, column, moment.replace(tzinfo=None), code, formula)


def read_sheet(data: bytes, part: str, name: str, around: Surroundings) -> Sheet:
    """Read one worksheet part. Raises Refused (F01, F04)."""
    builder = _Builder(name, around)
    begin, end = data.find(b"<sheetData>"), data.rfind(b"</sheetData>")
    frame: _Frame | None = None
    if 0 <= begin < end and not _ENCODING.match(data[:200]):
        try:
            _read_plain(data[begin + 11 : end].decode("utf-8"), builder)
        except (UnicodeDecodeError, _NotPlain):
            builder = _Builder(name, around)
        else:
            frame = _frame(data[:begin] + b"<sheetData>" + data[end:], part)
    if frame is None:
        frame = _read_any(data, part, builder)
    builder.check()
    sheet = builder.sheet
    sheet.merges = list(frame.merges)
    limits.check_grid(name, sheet.cells)
    drop_covered(sheet)
    last_column = sheet.last_column if frame.hidden_columns else 0
    for first, last in frame.hidden_columns:
        sheet.hidden_columns.update(range(first, min(last, last_column) + 1))
    return sheet


def drop_covered(sheet: Sheet) -> None:
    """Remove what lies unseen under merged ranges: only the upper left cell shows."""
    cells = sheet.cells
    for first_row, first_column, last_row, last_column in sheet.merges:
        area = (last_row - first_row + 1) * (last_column - first_column + 1)
        if area < len(cells):
            covered = [
                (row, column)
                for row in range(first_row, last_row + 1)
                for column in range(first_column, last_column + 1)
                if (row, column) in cells
            ]
        else:
            covered = [
                (row, column)
                for row, column in cells
                if first_row <= row <= last_row and first_column <= column <= last_column
            ]
        for place in covered:
            if place != (first_row, first_column):
                del cells[place]


def _read_plain(body: str, builder: _Builder) -> None:
    """The rows of a sheet in the plain form. Raises _NotPlain at the first thing unknown."""
    if "\r" in body or _NOT_XML.search(body):
        raise _NotPlain
    opened = 0
    columns = _COLUMNS
    add = builder.add
    for (
        row_attributes,
        row_closed,
        letters,
        row,
        style,
        kind,
        formula,
        has_value,
        value,
        has_inline,
        inline,
        unknown,
    ) in _TOKEN.findall(body):
        if letters:
            column = columns[letters]
            number = int(row)
            if column > LAST_COLUMN or not 1 <= number <= LAST_ROW:
                raise damaged(f"工作表“{builder.sheet.name}”中有不存在的单元格 {letters}{row}")
            if has_value:
                stored = unescape_xml(value) if "&" in value else value
            elif has_inline:
                stored = unescape_xml(inline) if "&" in inline else inline
            else:
                stored = None
            add(number, column, style, kind, stored, formula != "")
        elif unknown:
            raise _NotPlain
        elif row_attributes:
            opened += not row_closed
            if "hidden=" in row_attributes or "ht=" in row_attributes:
                attributes = dict(_ATTRIBUTE.findall(row_attributes))
                if _row_hidden(attributes):
                    if not attributes.get("r", "").isdecimal():
                        raise _NotPlain
                    builder.sheet.hidden_rows.add(int(attributes["r"]))
    if body.count("</row>") != opened:
        raise _NotPlain


def _row_hidden(attributes: Attributes) -> bool:
    return is_true(attributes.get("hidden")) or attributes.get("ht") in ("0", "0.0")


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the rows: merged ranges and hidden columns (first, last)."""

    merges: tuple[tuple[int, int, int, int], ...]
    hidden_columns: tuple[tuple[int, int], ...]


class _FrameReader:
    def __init__(self, part: str) -> None:
        self.part = part
        self.merges: list[tuple[int, int, int, int]] = []
        self.hidden_columns: list[tuple[int, int]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "mergeCell":
            merge = _range(attributes.get("ref", ""))
            if merge is not None:
                self.merges.append(merge)
        elif name == "col" and (is_true(attributes.get("hidden")) or attributes.get("width") in ("0", "0.0")):
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal():
                self.hidden_columns.append((max(1, int(first)), min(LAST_COLUMN, int(last))))

    def frame(self) -> _Frame:
        return _Frame(tuple(self.merges), tuple(self.hidden_columns))


def _range(reference: str) -> tuple[int, int, int, int] | None:
    first, _, last = reference.replace("$", "").partition(":")
    start, stop = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if start is None or stop is None:
        return None
    rows = sorted((int(start[2]), int(stop[2])))
    columns = sorted((_COLUMNS[start[1]], _COLUMNS[stop[1]]))
    return rows[0], columns[0], rows[1], columns[1]


@cached_by_document(64)
def _frame(document: bytes, part: str) -> _Frame:
    """The sheet without its rows; the same for all workbooks made from one form."""
    reader = _FrameReader(part)
    walk(document, part, reader.start)
    return reader.frame()


class _AnyReader(_FrameReader):
    """The whole sheet through expat, in whatever form it is written."""

    def __init__(self, part: str, builder: _Builder) -> None:
        super().__init__(part)
        self._builder = builder
        self._in_data = False
        self._row = self._column = 0
        self._cell: Attributes | None = None
        self._formula = False
        self._stored: list[str] | None = None
        self._collecting = self._in_phonetic = False

    def start(self, name: str, attributes: Attributes) -> None:
        if not self._in_data:
            if name == "sheetData":
                self._in_data = True
            else:
                super().start(name, attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name == "c":
            self._start_cell(attributes)
        elif self._cell is not None:
            if name == "f":
                self._formula = True
            elif name in ("v", "is"):
                self._stored = []
                self._collecting = name == "v"
            elif name == "t":
                self._collecting = not self._in_phonetic
            elif name == "rPh":
                self._in_phonetic = True

    def end(self, name: str) -> None:
        if not self._in_data:
            return
        if name == "sheetData":
            self._in_data = False
        elif name in ("v", "t"):
            self._collecting = False
        elif name == "rPh":
            self._in_phonetic = False
        elif name == "c" and self._cell is not None:
            cell, self._cell = self._cell, None
            stored = None if self._stored is None else "".join(self._stored)
            self._builder.add(
                self._row, self._column, cell.get("s", ""), cell.get("t", ""), stored, self._formula
            )

    def text(self, data: str) -> None:
        if self._collecting and self._stored is not None:
            self._stored.append(data)

    def _start_row(self, attributes: Attributes) -> None:
        given = attributes.get("r", "")
        self._row = int(given) if given.isdecimal() else self._row + 1
        self._column = 0
        if not 1 <= self._row <= LAST_ROW:
            raise damaged(f"其中 {self.part} 有不存在的行 {given[:20]}")
        if _row_hidden(attributes):
            self._builder.sheet.hidden_rows.add(self._row)

    def _start_cell(self, attributes: Attributes) -> None:
        self._cell = attributes
        self._formula = False
        self._stored = None
        place = _REFERENCE.fullmatch(attributes.get("r", "").replace("$", ""))
        if place is None:
            self._column += 1
        else:
            self._column, self._row = _COLUMNS[place[1]], int(place[2])
        if self._column > LAST_COLUMN or not 1 <= self._row <= LAST_ROW:
            raise damaged(f"其中 {self.part} 有不存在的单元格 {attributes.get('r', '')[:20]}")


def _read_any(data: bytes, part: str, builder: _Builder) -> _Frame:
    reader = _AnyReader(part, builder)
    walk(data, part, reader.start, reader.end, reader.text)
    return reader.frame()
