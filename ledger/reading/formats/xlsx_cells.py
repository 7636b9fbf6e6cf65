"""From what a worksheet's XML says of a cell to the cell (xlsx)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from ledger.reading.formats import limits
from ledger.reading.formats.numbers import EXACT_DIGITS, date_cell, date_of, exact, is_plain
from ledger.reading.formats.refusal import bloated, damaged
from ledger.reading.model import Cell, CellKind, Sheet

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Style:
    """What a cell format means for reading: its code, and whether its numbers are dates."""

    code: str
    is_date: bool


@dataclass(frozen=True)
class Surroundings:
    """What the workbook has beside the sheet that its cells refer to."""

    strings: Sequence[str]
    styles: Sequence[Style]
    date1904: bool

    @cached_property
    def longest(self) -> int:
        """The length of the longest shared text."""
        return max(map(len, self.strings), default=0)


def unescape(text: str) -> str:
    """``_x000D_`` and its like, as spreadsheets write characters that XML can't hold."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


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


class Builder:
    """Makes cells of what either road finds."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self.sheet = Sheet(name)
        self._cells = self.sheet.cells
        self._strings = around.strings
        self._looks = _Looks(around.styles)
        self._date1904 = around.date1904
        self._longest = around.longest

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
        if not kind or kind == "n":
            if not look.is_date and len(stored) <= EXACT_DIGITS and is_plain(stored):
                # the road nearly every figure takes: `exact` and the constructor, written out
                number = Decimal(stored)
                values = (row, column, CellKind.NUMBER, number, stored, code, formula)
                self._cells[row, column] = tuple.__new__(Cell, values)
                return
            cell = self._number(row, column, look, stored, formula)
        elif kind == "s":
            cell = _text(row, column, self._shared(stored), code, formula)
        elif kind in ("inlineStr", "str"):
            text = unescape(stored) if "_x" in stored else stored
            self._cells[row, column] = tuple.__new__(
                Cell, (row, column, CellKind.TEXT, text, text, code, formula)
            )
            return
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
        return Cell(row, column, CellKind.NUMBER, *number, look.code, formula)

    def _shared(self, stored: str) -> str:
        try:
            return self._strings[int(stored)]
        except (ValueError, IndexError) as fault:
            raise damaged(f"工作表“{self.sheet.name}”引用的文字不存在") from fault

    def check(self) -> None:
        """Raise F04 where there is too much of it: shared texts count as often as they are used."""
        cells = self._cells
        longest = self._longest
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
