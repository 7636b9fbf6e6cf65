"""Addresses and ranges of a sheet, and what merged ranges cover."""

from __future__ import annotations

import re
from functools import lru_cache

from ledger.reading.model import Sheet

#: The last row and column that a sheet can have.
LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

Merges = tuple[tuple[int, int, int, int], ...]

#: A cell's address as workbooks write it.
REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class _Columns(dict[str, int]):
    """Column numbers by letters, computed once each."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters.upper():
            number = number * 26 + ord(letter) - 64
        self[letters] = number
        return number


#: Column numbers by letters.
COLUMNS = _Columns()


def parse_range(reference: str) -> tuple[int, int, int, int] | None:
    """``A1:C3`` as (first row, first column, last row, last column), None where it is no range."""
    first, _, last = reference.replace("$", "").partition(":")
    start, stop = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last or first)
    if start is None or stop is None:
        return None
    rows = sorted((int(start[2]), int(stop[2])))
    columns = sorted((COLUMNS[start[1]], COLUMNS[stop[1]]))
    return rows[0], columns[0], rows[1], columns[1]


_LARGEST_KEPT = 4096


def _area(merges: Merges) -> int:
    return sum((r2 - r1 + 1) * (c2 - c1 + 1) for r1, c1, r2, c2 in merges)


@lru_cache(maxsize=256)
def _covered(merges: Merges) -> frozenset[tuple[int, int]]:
    """The places under merged ranges; the workbooks of a month have the same ones."""
    return frozenset(
        (row, column)
        for r1, c1, r2, c2 in merges
        for row in range(r1, r2 + 1)
        for column in range(c1, c2 + 1)
        if (row, column) != (r1, c1)
    )


def drop_covered(sheet: Sheet) -> None:
    """Remove what lies unseen under merged ranges: only the upper left cell shows."""
    cells = sheet.cells
    merges = tuple(sheet.merges)
    if _area(merges) <= _LARGEST_KEPT and _covered(merges).isdisjoint(cells):
        return
    for first_row, first_column, last_row, last_column in sheet.merges:
        area = (last_row - first_row + 1) * (last_column - first_column + 1)
        if area <= len(cells):
            for row in range(first_row, last_row + 1):
                for column in range(first_column, last_column + 1):
                    if (row, column) in cells and (row, column) != (first_row, first_column):
                        del cells[row, column]
        else:
            covered = [
                (row, column)
                for row, column in cells
                if first_row <= row <= last_row and first_column <= column <= last_column
            ]
            for place in covered:
                if place != (first_row, first_column):
                    del cells[place]
