"""Finding a table by its header, wherever on the sheet it stands and however it is laid out.

A header is one to three rows; its columns are recognised by the path of headings above them
(group, leaf), compared with the titles and aliases declared in schemas.columns. Which table it is
follows from the columns first, then from the words above it and the sheet's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from ledger.reading.headings import HeadingPath, Rows, heading_paths, last_row
from ledger.reading.lexicon import Lexicon, lexicon, names_table
from ledger.reading.model import Cell, CellKind, Sheet
from ledger.reading.words import key
from schemas.columns import JOINT, Kind
from schemas.finding import Finding, finding
from schemas.tables import Table

_MOST_ROWS = 3
#: Columns recognised that make a header, without and with the table's name above it.
_ENOUGH, _ENOUGH_NAMED = 3, 2
#: What a table's name above the header or on the sheet weighs, in columns.
_NAME_WEIGHT = 2.5
_CAPTION_ROWS = 8


@dataclass(frozen=True, slots=True)
class Heading:
    """One header cell that is no known column (F11) or one more of a known one (F10).

    `text` is the whole heading on one line, its rows joined by ``—``.
    """

    column: int
    cell: Cell
    text: str
    field: str = ""


@dataclass(slots=True)
class FoundHeader:
    """A header found: which table, its rows, its columns.

    `columns` maps a field to its column number, `cells` to its heading's A1 address; `units` maps
    a money field to the unit its heading names (``万元``, ``元``), absent where it names none.
    `top` and `bottom` are the header's first and last row (a row of column numbers included);
    `first_column` and `last_column` its extent. `named` is True where the table's name stands
    above it or on the sheet.
    """

    table: Table
    sheet: str
    top: int
    bottom: int
    first_column: int
    last_column: int
    columns: dict[str, int] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    duplicates: list[Heading] = field(default_factory=list)
    unknown: list[Heading] = field(default_factory=list)
    named: bool = False
    score: float = 0.0

    def title_over(self, column: int) -> str | None:
        """The canonical title of the column numbered so, None where it is none of the table's."""
        names = (name for name, number in self.columns.items() if number == column)
        name = next(names, None)
        return None if name is None else self.table.by_field[name].title

    @property
    def missing(self) -> list[str]:
        """What is required and not there: canonical titles, alternatives joined by 或."""
        table = self.table
        titles = [table.by_field[name].title for name in table.required if name not in self.columns]
        for group in table.any_of:
            if not any(name in self.columns for name in group):
                titles.append("或".join(table.by_field[name].title for name in group))
        return titles

    def findings(self) -> list[Finding]:
        """F09, F10 and F11 of this header, with sheet and table."""
        table = self.table
        where: dict[str, Any] = {"sheet": self.sheet, "table": table.key}
        found = [
            finding("F09", f"{self.sheet}：缺少“{title}”列", column=title, **where) for title in self.missing
        ]
        for heading in self.duplicates:
            title = table.by_field[heading.field].title
            first = self.cells[heading.field]
            found.append(
                finding(
                    "F10",
                    f"{self.sheet} {heading.cell.address}：“{title}”列出现两次（{first} 和 {heading.cell.address}）",
                    cell=heading.cell.address,
                    row=heading.cell.row,
                    column=title,
                    value=heading.cell.raw,
                    **where,
                )
            )
        found += [
            finding(
                "F11",
                f"{self.sheet} {heading.cell.address}：“{heading.text}”不是本表的列，内容已保留但不采用",
                cell=heading.cell.address,
                row=heading.cell.row,
                column=heading.text,
                value=heading.cell.raw,
                **where,
            )
            for heading in self.unknown
        ]
        return found


def _one_line(text: str) -> str:
    return "".join(text.split())


def rows_of(sheet: Sheet) -> dict[int, dict[int, Cell]]:
    """The sheet's cells row by row, in reading order."""
    rows: dict[int, dict[int, Cell]] = {}
    before = (0, 0)
    in_order = True
    for place, cell in sheet.cells.items():
        row, column = place
        in_order = in_order and place > before
        before = place
        line = rows.get(row)
        if line is None:
            rows[row] = {column: cell}
        else:
            line[column] = cell
    if in_order:  # as nearly all files are written
        return rows
    return {row: dict(sorted(rows[row].items())) for row in sorted(rows)}


def find_headers(sheet: Sheet, tables: Sequence[Table], rows: Rows | None = None) -> list[FoundHeader]:
    """The headers on a sheet, from top to bottom, each with the table it belongs to.

    `rows` are the sheet's cells by row, where the caller has them already (`rows_of`).
    """
    rows = rows_of(sheet) if rows is None else rows
    words = _words_of(tables)
    spans = {(r1, c1): c2 for r1, c1, _, c2 in sheet.merges if c2 > c1}
    found: list[FoundHeader] = []
    done = 0
    for row, cells in rows.items():
        if row <= done or _count_words(cells, words) < _ENOUGH_NAMED:
            continue
        best = _best_at(sheet, tables, rows, spans, words, row, done)
        if best:
            found += best
            done = max(header.bottom for header in best)
    return found


class _Words(dict[str, bool]):
    """Whether a text is a heading of some table, worked out once for each text."""

    def __init__(self, tables: Sequence[Table]) -> None:
        super().__init__()
        self.tables = tuple(tables)
        self._words = frozenset().union(*(lexicon(table).words for table in tables))

    def __missing__(self, text: str) -> bool:
        known = key(text).words in self._words
        if len(text) <= _LONGEST_HEADING:
            if len(self) > _MOST_WORDS:
                self.clear()
            self[text] = known
        return known


def _words_of(tables: Sequence[Table]) -> _Words:
    ids = tuple(map(id, tables))
    if ids not in _WORDS:
        if len(_WORDS) > _MOST_FOUND:
            _WORDS.clear()
        _WORDS[ids] = _Words(tables)
    return _WORDS[ids]


_MOST_WORDS = 20_000
_LONGEST_HEADING = 60
#: By the tables' ids; each holds its tables, so that the ids stay theirs.
_WORDS: dict[tuple[int, ...], _Words] = {}


def _count_words(cells: Mapping[int, Cell], words: _Words) -> int:
    count = 0
    for cell in cells.values():
        if cell.kind is CellKind.TEXT and isinstance(cell.value, str) and words[cell.value]:
            count += 1
    return count


def _best_at(
    sheet: Sheet,
    tables: Sequence[Table],
    rows: Rows,
    spans: Mapping[tuple[int, int], int],
    words: _Words,
    row: int,
    done: int,
) -> list[FoundHeader]:
    """The best header whose rows include `row`, or the best headers side by side."""
    tops = [row]
    if row - 1 > done and row - 1 in rows and _count_words(rows[row - 1], words):
        tops.append(row - 1)
    last = row
    while last < tops[-1] + _MOST_ROWS + 1 and _may_be_header(rows.get(last + 1)):
        last += 1
    block = {r: rows[r] for r in range(tops[-1], last + 1) if r in rows}
    named = tuple(_is_named(sheet, rows, table, row, done) for table in tables)
    # the sheets of a batch repeat their headers: what a block of cells means is worked out once
    written = tuple((r, c, cell.raw, cell.kind) for r, line in block.items() for c, cell in line.items())
    merged = tuple((place, span) for place, span in spans.items() if tops[-1] <= place[0] <= last)
    known = (row, tuple(tops), written, merged, named, tuple(map(id, tables)))
    if known not in _FOUND:
        if len(_FOUND) > _MOST_FOUND:
            _FOUND.clear()
        _FOUND[known] = (_find(sheet, tables, block, spans, named, tops, row, last), tuple(tables))
    return [
        replace(
            header,
            sheet=sheet.name,
            bottom=last_row(rows, header.bottom, header.first_column, header.last_column),
        )
        for header in _FOUND[known][0]
    ]


_MOST_FOUND = 2_000
#: By the cells of a block: the headers in it. The tables are held so that their ids stay theirs.
_FOUND: dict[tuple[Any, ...], tuple[list[FoundHeader], tuple[Table, ...]]] = {}


def _find(
    sheet: Sheet,
    tables: Sequence[Table],
    block: Rows,
    spans: Mapping[tuple[int, int], int],
    named: Sequence[bool],
    tops: Sequence[int],
    row: int,
    last: int,
) -> list[FoundHeader]:
    best: tuple[float, int, int, int, list[HeadingPath]] | None = None
    for top in tops:
        for bottom in range(row, min(last + 1, top + _MOST_ROWS)):
            paths = heading_paths(block, spans, top, bottom)
            for place, table in enumerate(tables):
                score = _score(lexicon(table), paths) + _NAME_WEIGHT * named[place]
                if best is None or score > best[0]:
                    best = (score, top, bottom, place, paths)
    if best is None:
        return []
    _, top, bottom, place, paths = best
    one = _match(sheet, tables[place], paths, top, bottom, named[place])
    split = _side_by_side(sheet, tables, paths, top, bottom, named)
    if len({h.table.key for h in split}) > 1 and sum(len(h.columns) for h in split) > len(one.columns) + 2:
        return split
    return [one] if len(one.columns) >= (_ENOUGH_NAMED if one.named else _ENOUGH) else []


def _may_be_header(cells: Mapping[int, Cell] | None) -> bool:
    """Whether a row can belong to a header: it has content, and no figures or dates."""
    return cells is not None and all(cell.kind is CellKind.TEXT for cell in cells.values())


def _score(lex: Lexicon, paths: Sequence[HeadingPath]) -> float:
    """How many columns are recognised, less a little for each that is not."""
    fields = [lex.find(path.words) for path in paths]
    return len({name for name in fields if name}) - 0.01 * fields.count(None)


def _is_named(sheet: Sheet, rows: Rows, table: Table, row: int, done: int) -> bool:
    if names_table(sheet.name, table):
        return True
    above = (rows.get(r, {}) for r in range(max(done + 1, row - _CAPTION_ROWS), row))
    return any(
        isinstance(cell.value, str) and len(cell.value) < 100 and names_table(cell.value, table)
        for cells in above
        for cell in cells.values()
    )


def _match(
    sheet: Sheet, table: Table, paths: Sequence[HeadingPath], top: int, bottom: int, named: bool
) -> FoundHeader:
    lex = lexicon(table)
    columns = [path.column for path in paths]
    header = FoundHeader(table, sheet.name, top, bottom, min(columns), max(columns), named=named)
    matched = [(path, "".join(path.words), lex.find(path.words)) for path in paths]
    own = [_is_own_title(path, joined, name, lex) for path, joined, name in matched]
    exact = {name for (_, _, name), is_own in zip(matched, own, strict=True) if is_own}
    for (path, joined, name), is_own in zip(matched, own, strict=True):
        heading = Heading(path.column, path.cell, JOINT.join(map(_one_line, path.texts)), name or "")
        if name is None:
            if joined:
                header.unknown.append(heading)
        elif name in exact and not is_own and _may_be_another(table, name):
            header.unknown.append(heading)
        elif name in header.columns:
            header.duplicates.append(heading)
        else:
            header.columns[name] = path.column
            header.cells[name] = path.cell.address
            if path.money_unit and table.by_field[name].kind is Kind.MONEY:
                header.units[name] = path.money_unit
    header.score = len(header.columns) - 0.01 * len(header.unknown) + _NAME_WEIGHT * named
    return header


def _is_own_title(path: HeadingPath, joined: str, name: str | None, lex: Lexicon) -> bool:
    """Whether a heading is a column's canonical title: no other wording, and not 「备注2」."""
    numbered = path.texts[-1:] and path.texts[-1].strip()[-1:].isdecimal()
    return name is not None and lex.canonical.get(joined) == name and not numbered


def _may_be_another(table: Table, name: str) -> bool:
    """Beside the canonical title another wording is a column of its own (F11): 「实施单位」 beside
    「牵头单位」, 「说明」 beside 「备注」. Of two columns for one reported figure none is chosen (F10)."""
    return name in table.plan_fields or table.by_field[name].kind is Kind.TEXT


def _side_by_side(
    sheet: Sheet,
    tables: Sequence[Table],
    paths: Sequence[HeadingPath],
    top: int,
    bottom: int,
    named: Sequence[bool],
) -> list[FoundHeader]:
    """Tables beside each other, with an empty column between."""
    parts: list[list[HeadingPath]] = [[paths[0]]] if paths else []
    for left, right in pairwise(paths):
        if right.column - left.column > 1:
            parts.append([])
        parts[-1].append(right)
    if len(parts) < 2:
        return []
    found = []
    for part in parts:
        headers = [
            _match(sheet, table, part, top, bottom, named[place]) for place, table in enumerate(tables)
        ]
        best = max(headers, key=lambda header: header.score)
        if len(best.columns) >= _ENOUGH:
            found.append(best)
    return found
