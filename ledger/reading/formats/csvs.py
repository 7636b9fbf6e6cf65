"""A .csv file: UTF-8, GB18030 or UTF-16, separated by comma, semicolon or tab.

Everything in it is text; what a text means, the values layer decides.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import PurePath

from ledger.reading.formats import limits
from ledger.reading.formats.refusal import bloated, damaged, foreign
from ledger.reading.model import Book, Cell, CellKind, Sheet

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = ",\t;"
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_SAMPLE = 1 << 16
#: What Excel writes into a CSV for a cell in error.
ERRORS = frozenset(
    (
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
    )
)


def decode(data: bytes) -> str | None:
    """The file as text, None where it is none in any encoding taken."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(data[len(bom) :], encoding)
    if data[:64].count(0) >= len(data[:64]) // 4 > 0:
        encoding = "utf-16-le" if data[1:64:2].count(0) >= data[0:64:2].count(0) else "utf-16-be"
        return _decoded(data, encoding)
    text = _decoded(data, "utf-8")
    return text if text is not None else _decoded(data, "gb18030")


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding).removesuffix("\x1a")  # the end mark of old DOS programs
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def read_csv(text: str, name: str) -> Book:
    """Read decoded text. The sheet's name is the file's stem (CONTRACT §5).

    Raises Refused: F03 where the text is no table, F01 where a quotation mark is never closed.
    """
    delimiter = ""
    separator = _SEPARATOR_LINE.match(text)
    if separator is not None:
        delimiter, text = separator[1], text[separator.end() :]
    delimiter = delimiter or _find_delimiter(text[:_SAMPLE])
    if not delimiter:
        raise foreign("一段纯文字")
    sheet = Sheet(PurePath(name.replace("\\", "/")).stem)
    size = 0
    csv.field_size_limit(limits.MAX_TEXT)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, fields in enumerate(lines, start=1):
            for column, field in enumerate(fields, start=1):
                if field:
                    kind = CellKind.ERROR if field.strip() in ERRORS else CellKind.TEXT
                    value = field.strip() if kind is CellKind.ERROR else field
                    sheet.cells[row, column] = Cell(row, column, kind, value, field)
            size += len(fields)
            if size > limits.MAX_CELLS * 4 or len(sheet.cells) > limits.MAX_CELLS:
                raise bloated(f"单元格超过 {limits.MAX_CELLS // 10_000} 万个")
    except csv.Error as fault:
        raise damaged(f"CSV 第 {row + 1} 行起的引号不成对，分不出列") from fault
    limits.check_grid(sheet.name, sheet.cells)
    return Book("csv", [sheet])


def _find_delimiter(sample: str) -> str:
    """The delimiter that makes most sense of the first lines; '' where none makes a table of them."""
    best, best_score = "", (0, 0)
    for delimiter in _DELIMITERS:
        score = _score(sample, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _score(sample: str, delimiter: str) -> tuple[int, int]:
    """(lines of two or more fields, filled fields in them); nothing where it is no table.

    A table has two lines of two filled fields, or one of three, or all its lines are equally wide,
    as spreadsheet programs write them; a comma in a sentence makes none.
    """
    split: list[Sequence[str]] = []
    try:
        split.extend(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
    except csv.Error:
        return 0, 0
    lines = [fields for fields in split if fields]
    filled = [sum(bool(field.strip()) for field in fields) for fields in lines]
    wide = sum(len(fields) > 1 for fields in lines)
    several = [count for count in filled if count > 1]
    even = wide > 1 and wide == len(lines) and len({len(fields) for fields in lines[:-1]}) == 1
    if len(several) > 1 or max(several, default=0) > 2 or even:
        return max(len(several), 1), sum(filled)
    return 0, 0
