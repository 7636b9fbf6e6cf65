"""The headings above each column of a header, and the rows under it that still belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ledger.reading.model import Cell, CellKind
from ledger.reading.words import Key, fold, key

#: A sheet's cells by row and column.
Rows = Mapping[int, Mapping[int, Cell]]


@dataclass(frozen=True, slots=True)
class HeadingPath:
    """The headings above one column, upper first, and the cell of the lowest."""

    column: int
    words: tuple[str, ...]
    texts: tuple[str, ...]
    money_unit: str
    cell: Cell


def heading_paths(
    rows: Rows, spans: Mapping[tuple[int, int], int], top: int, bottom: int
) -> list[HeadingPath]:
    """For each column with a heading in these rows, its path.

    A heading of an upper row covers its merged columns; without a merge it covers the columns to
    its right that have a heading below and none of their own, as long as it stands above one
    itself.
    """
    below: dict[int, Cell] = {}
    stacks: dict[int, list[tuple[Key, str, Cell | None]]] = {}
    for row in range(bottom, top - 1, -1):
        cells = rows.get(row, {})
        cover: dict[int, tuple[Key, str]] = {}
        for column, cell in cells.items():
            text = cell.raw
            here = key(text) if cell.kind is CellKind.TEXT else Key("?", "")
            stacks.setdefault(column, []).append((here, text, cell))
            last = spans.get((row, column))
            if last is not None:
                cover.update(dict.fromkeys(range(column + 1, last + 1), (here, text)))
            elif column in below:
                following = column + 1
                while following in below and following not in cells and following not in cover:
                    cover[following] = (here, text)
                    following += 1
        for column, (here, text) in cover.items():
            if column not in cells and column in stacks:
                stacks[column].append((here, text, None))
        below.update({column: cell for column, cell in cells.items() if column not in below})
    paths = []
    for column in sorted(stacks):
        stack = stacks[column]
        lowest = next((cell for _, _, cell in stack if cell is not None), None)
        if lowest is None:
            continue
        words: list[str] = []
        texts: list[str] = []
        for here, text, _ in reversed(stack):
            if here.words and (not words or here.words != words[-1]):
                words.append(here.words)
                texts.append(text)
        unit = next((here.money_unit for here, _, _ in stack if here.money_unit), "")
        paths.append(HeadingPath(column, tuple(words), tuple(texts), unit, lowest))
    return paths


def last_row(rows: Rows, bottom: int, first_column: int, last_column: int) -> int:
    """Past a row of units or of column numbers (1 2 3 …, 甲 乙 1 2 …) under a header that ends
    with row `bottom`; the last row that is the header's."""
    while True:
        cells = [
            cell for column, cell in rows.get(bottom + 1, {}).items() if first_column <= column <= last_column
        ]
        if not cells or not (_are_units(cells) or _are_numbers(cells)):
            return bottom
        bottom += 1


def _are_units(cells: Sequence[Cell]) -> bool:
    return all(
        isinstance(cell.value, str) and key(cell.value).words == "" and not _is_statement(cell.value)
        for cell in cells
    )


def _is_statement(text: str) -> bool:
    """Whether a note in brackets is no unit but what a row says: （零报告）, （无）."""
    return fold(text).strip("()[]【】") in {"零报告", "本月零报告", "无"}


def _are_numbers(cells: Sequence[Cell]) -> bool:
    numbers = [fold(cell.raw).strip("()栏") for cell in cells]
    figures = [int(number) for number in numbers if number.isdecimal()]
    others = {number for number in numbers if not number.isdecimal()}
    return (
        len(figures) >= 4
        and others <= {*"甲乙丙丁戊", "次", ""}
        and figures[0] in (0, 1)
        and all(after - before == 1 for before, after in pairwise(figures))
    )
