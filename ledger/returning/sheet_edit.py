"""One sheet's XML with cells marked: style numbers changed, blank cells added, notes hung on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ledger.reading.model import address
from ledger.returning.markup import Document, Unmarkable, attributes, document, elements, with_attributes

#: The order of a worksheet's children up to where the notes' drawing stands (ECMA-376, 18.3.1.99).
_BEFORE_NOTES = [
    "sheetPr",
    "dimension",
    "sheetViews",
    "sheetFormatPr",
    "cols",
    "sheetData",
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
]
_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")

_ROW_NUMBER = re.compile(rb"\sr\s*=\s*[\"'](\d+)[\"']")

#: From a style's number to the number of its marked copy.
Restyle = Callable[[int], int]


def place(text: str) -> tuple[int, int]:
    """``C7`` → (7, 3). Raises ValueError for anything else."""
    match = _ADDRESS.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(f"not a cell: {text!r}")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


@dataclass(slots=True)
class _Row:
    number: int
    start: int
    inner: int
    close: int
    end: int


class SheetEdit:
    """A worksheet part being marked. Raises Unmarkable where it is no worksheet."""

    def __init__(self, data: bytes) -> None:
        self._doc: Document = document(data, skip="sheetData")
        if self._doc.root.name != "worksheet":
            raise Unmarkable(f"a {self._doc.root.name}, not a worksheet")
        self._merges = self._read_merges()

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """The cell that is seen at this place: the upper left one of a merged range."""
        for first_row, first_column, last_row, last_column in self._merges:
            if first_row <= row <= last_row and first_column <= column <= last_column:
                return first_row, first_column
        return row, column

    def restyle(self, cells: Mapping[tuple[int, int], Restyle]) -> None:
        """Give the cells another style; blank ones that are not stored yet are added."""
        if not cells:
            return
        data_element = self._doc.child("sheetData")
        if data_element is None:
            raise Unmarkable("no sheetData")
        wanted: dict[int, dict[int, Restyle]] = {}
        for (row, column), change in cells.items():
            wanted.setdefault(row, {})[column] = change
        if data_element.empty:
            name = self._doc.open_name("sheetData")
            rows = "".join(self._new_row(row, wanted[row]) for row in sorted(wanted))
            self._doc.replace(data_element.start, data_element.end, f"<{name}>{rows}</{name}>".encode())
            return
        rest = dict(wanted)
        waiting = sorted(rest, reverse=True)
        for stored in self._rows(data_element.inner, data_element.close):
            while waiting and waiting[-1] < stored.number:
                number = waiting.pop()
                self._doc.insert(stored.start, self._new_row(number, rest.pop(number)).encode())
            if not waiting:
                break
            if stored.number == waiting[-1]:
                self._edit_row(stored, rest.pop(waiting.pop()))
        for number in sorted(rest):
            self._doc.insert(data_element.close, self._new_row(number, rest[number]).encode())

    def replace_styles(self, numbers: Mapping[int, int], keep: set[tuple[int, int]]) -> None:
        """Put cells of some styles back to others, except the places in `keep`."""
        data_element = self._doc.child("sheetData")
        if not numbers or data_element is None or data_element.empty:
            return
        for row in self._rows(data_element.inner, data_element.close):
            for column, start, inner in self._cells(row):
                tag = self._doc.data[start:inner]
                style = int(attributes(tag).get("s", "0"))
                if style in numbers and (row.number, column) not in keep:
                    self._doc.replace(start, inner, with_attributes(tag, s=str(numbers[style])))

    def deselect(self) -> None:
        """Take the sheet out of the selection (two selected sheets would be edited together)."""
        views = self._doc.child("sheetViews")
        for view in elements(self._doc.data, views.inner, views.close) if views else []:
            tag = self._doc.tag(view)
            if attributes(tag).get("tabSelected") in ("1", "true"):
                self._doc.replace(view.start, view.inner, with_attributes(tag, tabSelected=None))

    @property
    def notes_relation(self) -> str:
        """The relation id of the drawing that holds the notes' boxes, '' where there is none."""
        legacy = self._doc.child("legacyDrawing")
        if legacy is None:
            return ""
        at = attributes(self._doc.tag(legacy))
        return next((value for name, value in at.items() if name.rpartition(":")[2] == "id"), "")

    def hang_notes(self, relation: str, namespace: str) -> None:
        """Point the sheet to its new notes drawing."""
        at = self._doc.root.inner
        for child in self._doc.children:
            if child.name in _BEFORE_NOTES or (
                child.name == "AlternateContent" and at == self._doc.root.inner
            ):
                at = child.end
        name = self._doc.open_name("legacyDrawing")
        self._doc.insert(at, f'<{name} xmlns:r="{namespace}" r:id="{relation}"/>'.encode())

    @property
    def changed(self) -> bool:
        return bool(self._doc.edits)

    def result(self) -> bytes:
        return self._doc.result()

    def _read_merges(self) -> list[tuple[int, int, int, int]]:
        listed = self._doc.child("mergeCells")
        if listed is None or listed.empty:
            return []
        merges = []
        for merge in elements(self._doc.data, listed.inner, listed.close):
            first, _, last = attributes(self._doc.tag(merge)).get("ref", "").partition(":")
            if last:
                merges.append((*place(first), *place(last)))
        return merges

    def _rows(self, start: int, end: int) -> Iterator[_Row]:
        """The stored rows; one without a number follows the one before."""
        number = 0
        for row_start, inner, close, row_end in self._row_offsets(start, end):
            stated = _ROW_NUMBER.search(self._doc.data, row_start, inner)
            number = int(stated[1]) if stated else number + 1
            yield _Row(number, row_start, inner, close, row_end)

    def _row_offsets(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Where each row's tag begins and ends, where its end tag begins, where it ends."""
        data = self._doc.data
        if data.find(b"<!", start, end) >= 0 or data.find(b"<?", start, end) >= 0:
            # a comment may look like a row: look at every tag
            for element in elements(data, start, end):
                if element.name == "row":
                    yield element.start, element.inner, element.close, element.end
            return
        name = self._doc.open_name("row").encode()
        opening = re.compile(rb"<" + name + rb"(?=[\s/>])(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>")
        closing = re.compile(rb"</" + name + rb"\s*>")
        for match in opening.finditer(data, start, end):
            if match[0].endswith(b"/>"):
                yield match.start(), match.end(), match.end(), match.end()
                continue
            last = closing.search(data, match.end(), end)
            if last is None:
                raise Unmarkable("a row without end")
            yield match.start(), match.end(), last.start(), last.end()

    def _cells(self, row: _Row) -> list[tuple[int, int, int]]:
        """The stored cells of a row: column, start of the tag, end of the tag."""
        cells: list[tuple[int, int, int]] = []
        column = 0
        if row.inner == row.end:
            return cells
        for element in elements(self._doc.data, row.inner, row.close):
            if element.name != "c":
                continue
            stated = attributes(self._doc.tag(element)).get("r")
            column = place(stated)[1] if stated else column + 1
            cells.append((column, element.start, element.inner))
        return cells

    def _edit_row(self, row: _Row, wanted: dict[int, Restyle]) -> None:
        row_tag = self._doc.data[row.start : row.inner]
        at = attributes(row_tag)
        row_style = int(at.get("s", "0")) if at.get("customFormat") in ("1", "true") else None
        spans = at.get("spans", "")
        if row.inner == row.end:
            cells = "".join(self._new_cell(row.number, c, wanted[c], row_style) for c in sorted(wanted))
            tag = with_attributes(row_tag, spans=None)[:-2].rstrip() + b">"
            close = f"</{self._doc.open_name('row')}>"
            self._doc.replace(row.start, row.end, tag + cells.encode() + close.encode())
            return
        rest = dict(wanted)
        for column, start, inner in self._cells(row):
            for number in sorted(number for number in rest if number < column):
                text = self._new_cell(row.number, number, rest.pop(number), row_style)
                self._doc.insert(start, text.encode())
            if column in rest:
                tag = self._doc.data[start:inner]
                style = int(attributes(tag).get("s", "0"))
                self._doc.replace(start, inner, with_attributes(tag, s=str(rest.pop(column)(style))))
        if rest and spans:
            # a hint for reading fast, wrong once a cell is added outside
            self._doc.replace(row.start, row.inner, with_attributes(row_tag, spans=None))
        for number in sorted(rest):
            text = self._new_cell(row.number, number, rest[number], row_style)
            self._doc.insert(row.close, text.encode())

    def _new_row(self, number: int, wanted: dict[int, Restyle]) -> str:
        name = self._doc.open_name("row")
        cells = "".join(self._new_cell(number, c, wanted[c], None) for c in sorted(wanted))
        return f'<{name} r="{number}">{cells}</{name}>'

    def _new_cell(self, row: int, column: int, change: Restyle, row_style: int | None) -> str:
        style = row_style if row_style is not None else self._column_style(column)
        return f'<{self._doc.open_name("c")} r="{address(row, column)}" s="{change(style)}"/>'

    def _column_style(self, column: int) -> int:
        listed = self._doc.child("cols")
        for col in elements(self._doc.data, listed.inner, listed.close) if listed else []:
            at = attributes(self._doc.tag(col))
            if int(at.get("min", "0")) <= column <= int(at.get("max", "0")):
                return int(at.get("style", "0"))
        return 0
