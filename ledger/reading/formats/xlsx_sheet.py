"""One worksheet part (xlsx): from its XML to cells, merges and what is hidden.

Two roads to the same cells. Nearly all sheets are written in the plain form of Excel, WPS,
LibreOffice and openpyxl; a regular expression takes their rows apart three times as fast as a parser
with a Python callback for every tag (docs/decisions/0010). Its last alternative catches any
character that the others do not account for: one such character, and the whole sheet goes through
expat instead. Whatever is outside ``<sheetData>`` goes through expat always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.reading.formats import limits
from ledger.reading.formats.markup import Attributes, cached_by_document, is_true, walk
from ledger.reading.formats.ranges import COLUMNS, LAST_COLUMN, LAST_ROW, REFERENCE, drop_covered, parse_range
from ledger.reading.formats.refusal import damaged
from ledger.reading.formats.xlsx_cells import Builder, Surroundings
from ledger.reading.model import Sheet

_TOKEN = re.compile(
    # row ends and white space say nothing
    r"(?:</row>|[ \n\t]++)*+"
    r"(?:"
    r'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?(?: (?:cm|vm|ph)="[^"<>]*")*+ ?'
    # nothing, the value alone, a text alone, or what stands in _CONTENT
    r"(?:/>|>(?:<v>([^<]*+)</v></c>|<is><t>([^<]*+)</t></is></c>|((?:<f[^<>]*+(?:(?<=/)>|>[^<]*+</f>))?"
    r'(?:<v(?: xml:space="preserve")?(?: ?/>|>[^<]*+</v>)'
    r'|<is><t(?: xml:space="preserve")?(?: ?/>|>[^<]*+</t>)</is>)?)</c>))'
    # a blank cell with other attributes
    r'|<c r="[A-Z]{1,3}[0-9]{1,7}"(?: [a-z]+="[^"<>&]*")*+ ?/>'
    r'|<row((?: [A-Za-z0-9:]+="[^"<>]*")*+ ?/?>)'
    r"|([\s\S])|\Z)"
)
_CONTENT = re.compile(r"(<f[^<>]*+(?:(?<=/)>|>[^<]*+</f>))?(<v|<is><t)?[^<>]*+(?:>([^<]*+)</)?")
_ATTRIBUTE = re.compile(r'([A-Za-z0-9:]+)="([^"]*)"')
_XML_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));|(&)")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: A carriage return is one of them: a parser makes a line feed of it.
_CONTROLS = bytes(set(range(32)) - {9, 10})
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["'](?!utf-8["'])""", re.IGNORECASE)


class _NotPlain(Exception):
    """The sheet is not in the plain form: expat must read it."""


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


def read_sheet(data: bytes, part: str, name: str, around: Surroundings) -> Sheet:
    """Read one worksheet part. Raises Refused (F01, F04)."""
    builder = Builder(name, around)
    begin, end = data.find(b"<sheetData>"), data.rfind(b"</sheetData>")
    frame: _Frame | None = None
    if 0 <= begin < end and not _ENCODING.match(data[:200]):
        try:
            _read_plain(_plain_text(data[begin + 11 : end]), builder)
        except (UnicodeDecodeError, _NotPlain):
            builder = Builder(name, around)
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


def _plain_text(rows: bytes) -> str:
    """The rows as text, where all characters are such as XML can hold and leaves as they are."""
    if len(rows.translate(None, _CONTROLS)) < len(rows) or b"\xef\xbf\xbe" in rows or b"\xef\xbf\xbf" in rows:
        raise _NotPlain
    return rows.decode("utf-8")


def _read_plain(body: str, builder: Builder) -> None:
    """The rows of a sheet in the plain form. Raises _NotPlain at the first thing unknown."""
    opened = 0
    columns = COLUMNS
    add = builder.add
    for letters, row, style, kind, value, inline, content, row_tag, unknown in _TOKEN.findall(body):
        if value or inline or content:
            column = columns[letters]
            number = int(row)
            if column > LAST_COLUMN or not 1 <= number <= LAST_ROW:
                raise damaged(f"工作表“{builder.sheet.name}”中有不存在的单元格 {letters}{row}")
            if not content:
                stored = value or inline
                add(number, column, style, kind, unescape_xml(stored) if "&" in stored else stored, False)
            else:
                result, formula = _content(content)
                add(number, column, style, kind, result, formula)
        elif unknown:
            raise _NotPlain
        elif row_tag:
            opened += not row_tag.endswith("/>")
            if "hidden=" in row_tag or "ht=" in row_tag:
                attributes = dict(_ATTRIBUTE.findall(row_tag))
                if _row_hidden(attributes):
                    if not attributes.get("r", "").isdecimal():
                        raise _NotPlain
                    builder.sheet.hidden_rows.add(int(attributes["r"]))
    if body.count("</row>") != opened:
        raise _NotPlain


def _content(content: str) -> tuple[str | None, bool]:
    """What a cell holds beside a plain value: its text or its result, and whether a formula gave it."""
    found = _CONTENT.match(content)
    if found is None:
        raise _NotPlain
    formula, tag, text = found.groups()
    stored = None if tag is None else unescape_xml(text or "")
    return stored, formula is not None


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
            merge = parse_range(attributes.get("ref", ""))
            if merge is not None:
                self.merges.append(merge)
        elif name == "col" and (is_true(attributes.get("hidden")) or attributes.get("width") in ("0", "0.0")):
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal():
                self.hidden_columns.append((max(1, int(first)), min(LAST_COLUMN, int(last))))

    def frame(self) -> _Frame:
        return _Frame(tuple(self.merges), tuple(self.hidden_columns))


@cached_by_document(64)
def _frame(document: bytes, part: str) -> _Frame:
    """The sheet without its rows; the same for all workbooks made from one form."""
    reader = _FrameReader(part)
    walk(document, part, reader.start)
    return reader.frame()


class _AnyReader(_FrameReader):
    """The whole sheet through expat, in whatever form it is written."""

    def __init__(self, part: str, builder: Builder) -> None:
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
        place = REFERENCE.fullmatch(attributes.get("r", "").replace("$", ""))
        if place is None:
            self._column += 1
        else:
            self._column, self._row = COLUMNS[place[1]], int(place[2])
        if self._column > LAST_COLUMN or not 1 <= self._row <= LAST_ROW:
            raise damaged(f"其中 {self.part} 有不存在的单元格 {attributes.get('r', '')[:20]}")


def _read_any(data: bytes, part: str, builder: Builder) -> _Frame:
    reader = _AnyReader(part, builder)
    walk(data, part, reader.start, reader.end, reader.text)
    return reader.frame()
