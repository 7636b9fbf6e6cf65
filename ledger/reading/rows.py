"""What the rows under a header are: data, headings, stated totals, the nil report, notes.

Nothing is parsed here; `sort_rows` only tells the rows apart and fills ditto marks and vertically
merged cells from above (C14).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ledger.reading.header import FoundHeader
from ledger.reading.headings import Rows
from ledger.reading.model import Cell, CellKind, Sheet, address
from ledger.reading.numbers import read_number, strip_outer
from ledger.reading.values import DITTO_WORDS
from ledger.reading.words import fold
from schemas.columns import Column, Kind

NIL = "零报告"

_TOTAL = re.compile(r"(?:.{0,6}?)(合计|小计|总计|共计|累计合计)(?:[(:共].*|\d.*)?")
_GRAND = frozenset({"合计", "总计", "共计", "累计合计"})
_OVERALL = "总计"
_COUNT = re.compile(r"(\d+)(?:个|项)")
_ONLY_A_COUNT = re.compile(r"\(?(?:共计?|计)?\d+(?:个|项)(?:项目)?\)?")
_LEVELS = (
    re.compile(r"第?[一二三四五六七八九十]{1,3}(?:[、.．:]|部分|类|大类)"),
    re.compile(r"\([一二三四五六七八九十]{1,3}\)"),
    re.compile(r"\d{1,2}[、.．](?!\d)"),
    re.compile(r"\(\d{1,2}\)"),
)
_CHINESE_NUMBER = re.compile(r"(\()?[一二三四五六七八九十]{1,3}\)?[、.．]?")
_NOTE = re.compile(
    r"(?:注|备注|说明|填表说明|填报说明|附注|注意)\d*[:.、]?$"
    r"|(?:注|备注|说明|填表说明|填报说明|附注|注意)\d*[:.、]"
    r"|(?:单位|部门)?(?:填报人|填表人|制表人?|报送人|经办人|统计人|审核人?|复核人?|负责人|主要领导|分管领导|签发人?|联系人|联系电话|电话"
    r"|填报日期|报送日期|填表日期|制表日期|日期|报送单位|填报单位|单位|盖章|公章)"
    r"(?:\((?:签字|签名|签章|盖章|公章)\)|签字|签名|签章|盖章)*(?:[:(].*)?$"
)
#: 零报告, 本月实行零报告, 无(零报告), 零报告（本月无内容）: what follows is only a note.
_SAYS_NIL = re.compile(r"(?:本[月期])?(?:为|是|实行|无)?[(,:]?零报告(?:[(),;:。].*)?")
_NIL_SIGNS = "。.、，,;；!！()（）【】[]“”\"'"
_LONGEST_NIL = 40
_LONGEST_DITTO = 40
_LONGEST_MERGE = 500
_WIDE = 3
#: How far beside its header a shifted row may stand.
_REACH = 3


@dataclass(slots=True)
class RawRow:
    """One data row: its cells by sheet column, dittos and merges filled in.

    `filled` maps a column filled from above to the address its content was taken from.
    `own` says which columns have content of their own.
    """

    row: int
    cells: dict[int, Cell]
    sections: tuple[str, ...] = ()
    filled: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class RawTotal:
    """A 小计 or 合计 row, or a heading with figures beside it; `covers` are sheet rows."""

    row: int
    label: str
    cells: dict[int, Cell]
    grand: bool
    sections: tuple[str, ...] = ()
    count: int | None = None
    count_cell: str = ""
    count_text: str = ""
    covers: tuple[int, ...] = ()


@dataclass(slots=True)
class SortedRows:
    """The rows under one header, told apart; `nil` is the cell that says 零报告."""

    data: list[RawRow] = field(default_factory=list)
    totals: list[RawTotal] = field(default_factory=list)
    nil: Cell | None = None


def has_content(cell: Cell) -> bool:
    """Whether a cell holds anything but blanks."""
    return cell.kind is not CellKind.TEXT or cell.raw[:1].isalnum() or bool(strip_outer(cell.raw))


def sort_rows(sheet: Sheet, rows: Rows, header: FoundHeader, end: int) -> SortedRows:
    """Tell apart the rows from under the header up to `end` (exclusive)."""
    table = header.table
    mine = {column: table.by_field[name] for name, column in header.columns.items()}
    reported = {c for c, column in mine.items() if column.field not in table.plan_fields}
    names = {header.columns[name] for name in _name_fields(header) if name in header.columns}
    seq = header.columns.get("seq")
    merged = _vertical_merges(sheet, header)
    wide = {r1: c2 - c1 + 1 for r1, c1, r2, c2 in sheet.merges if r1 == r2}
    result = SortedRows()
    path: list[tuple[int, str]] = []
    noted = False
    bottom, left, right = header.bottom, header.first_column, header.last_column
    for row, all_cells in rows.items():
        if not bottom < row < end:
            continue
        cells = {
            column: cell
            for column, cell in all_cells.items()
            # has_content, written out: every cell of every workbook passes here
            if left - _REACH <= column <= right + _REACH
            and (cell.kind is not CellKind.TEXT or cell.raw[:1].isalnum() or strip_outer(cell.raw))
        }
        inside = [column for column in cells if left <= column <= right]
        if not inside or (len(inside) == 1 and inside[0] == seq and not _is_text(cells[inside[0]])):
            continue
        first = cells[inside[0]]
        text = fold(str(first.value)) if _is_text(first) else ""
        nil = next((cell for cell in cells.values() if "零" in cell.raw and says_nil(cell)), None)
        if nil is not None:
            result.nil = result.nil or nil
            others = {c: cell for c, cell in cells.items() if cell is not nil}
            if any(_contradicts_nil(cell, mine.get(column), reported) for column, cell in others.items()):
                result.data.append(RawRow(row, others, _headings(path)))
            continue
        label = _total_label(cells, names, header)
        if label:
            result.totals.append(_total(row, label, cells, path, header))
            continue
        level = _level(text) if text else 0
        numeral = _CHINESE_NUMBER.fullmatch(text) if text and inside[0] == seq else None
        if numeral and len(inside) > 1 and all(_is_text(cells[c]) is (c in names) for c in inside[1:]):
            # 「一 | | 产业发展」: number and title in cells of their own
            title = next((strip_outer(cells[c].raw) for c in inside[1:] if c in names), text)
            level = 2 if numeral[1] else 1
            path = [step for step in path if step[0] < level] + [(level, title)]
            if len(inside) > 2:
                result.totals.append(_total(row, title, cells, path, header, heading=True))
            continue
        if level and _is_heading(level, cells, inside, names, header, wide.get(row, 1)):
            heading = strip_outer(str(first.value))
            path = [step for step in path if step[0] < level] + [(level, heading)]
            if len(inside) > 1:
                result.totals.append(_total(row, heading, cells, path, header, heading=True))
            continue
        if text and _NOTE.match(text) and not _has_figures(inside, cells, reported):
            noted = True
            continue
        if len(inside) == 1 and text:
            if noted or inside[0] not in names or wide.get(row, 1) >= _WIDE:
                if not noted and wide.get(row, 1) >= _WIDE:
                    path = [(1, strip_outer(str(first.value)))]
                continue
        elif not names & set(inside) and not reported & set(inside):
            continue
        result.data.append(RawRow(row, cells, _headings(path)))
    _fill_from_above(result.data, merged, sheet)
    _cover(result)
    return result


def _contradicts_nil(cell: Cell, column: Column | None, reported: set[int]) -> bool:
    """Whether a cell beside 零报告 in its row reports something: a note does not, nor does a 0."""
    if column is None or cell.column not in reported or column.kind is Kind.TEXT:
        return False
    return fold(cell.raw).rstrip("%").rstrip("0") not in {"", "0.", "-", "—", "/", "无"}


def _is_text(cell: Cell) -> bool:
    return cell.kind is CellKind.TEXT


def _has_figures(inside: Sequence[int], cells: Mapping[int, Cell], reported: set[int]) -> bool:
    """Whether a row reports figures; in a .csv file, and where a cell is formatted as text, a figure
    is a text."""
    return any(
        column in reported
        and (not _is_text(cells[column]) or read_number(cells[column].raw, ("%",)) is not None)
        for column in inside
    )


def _name_fields(header: FoundHeader) -> tuple[str, ...]:
    table = header.table
    return (table.name_field, *(name for group in table.any_of for name in group))


def says_nil(cell: Cell) -> bool:
    """Whether a cell is the statement 零报告."""
    if not _is_text(cell) or "零" not in cell.raw or len(cell.raw) > _LONGEST_NIL:
        return False
    return bool(_SAYS_NIL.fullmatch(fold(str(cell.value)).strip(_NIL_SIGNS)))


def _level(text: str) -> int:
    """1 for 一、, 2 for (一), 3 for 1. …, 0 for no heading."""
    for level, pattern in enumerate(_LEVELS, start=1):
        if pattern.match(text):
            return level
    return 0


def _is_heading(
    level: int,
    cells: Mapping[int, Cell],
    inside: Sequence[int],
    names: set[int],
    header: FoundHeader,
    width: int,
) -> bool:
    """Whether a numbered row is a heading: a row with a name or words of its own is an item. A
    count under the names (「一、产业发展 | | 3个」) is no name."""
    first = inside[0]
    if level > 2 and first in names and width < _WIDE:
        return False
    others = [column for column in inside if column != first]
    table = header.table
    texts = [
        column
        for column in others
        if _is_text(cells[column]) and not _ONLY_A_COUNT.fullmatch(fold(cells[column].raw))
    ]
    worded = {
        column for name, column in header.columns.items() if name not in table.plan_fields or column in names
    }
    if worded & set(texts):
        return False
    has_choice = any(column.allowed for column in table.columns)
    return has_choice or not others or first not in names


def _headings(path: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(text for _, text in path)


def _total_label(cells: Mapping[int, Cell], names: set[int], header: FoundHeader) -> str:
    """The word that makes a row a total: in the first text cell, or left of the figures."""
    limit = max(names, default=header.first_column)
    checked = 0
    for column, cell in cells.items():
        if not _is_text(cell):
            continue
        if column > limit and checked:
            break
        checked += 1
        text = fold(cell.raw) if "计" in cell.raw and len(cell.raw) < 30 else ""
        match = _TOTAL.fullmatch(text) if text else None
        if match:
            return match[1]
    return ""


def _total(
    row: int,
    label: str,
    cells: dict[int, Cell],
    path: Sequence[tuple[int, str]],
    header: FoundHeader,
    *,
    heading: bool = False,
) -> RawTotal:
    total = RawTotal(row, label, cells, label in _GRAND and not heading, _headings(path))
    name = header.columns.get(header.table.name_field)
    for column, cell in cells.items():
        if _is_text(cell):
            match = _COUNT.search(fold(str(cell.value)))
            if match:
                total.count, total.count_cell, total.count_text = int(match[1]), cell.address, cell.raw
                break
        elif column == name and cell.kind is CellKind.NUMBER and cell.raw.isdecimal():
            total.count, total.count_cell, total.count_text = int(cell.raw), cell.address, cell.raw
            break
    return total


def _vertical_merges(sheet: Sheet, header: FoundHeader) -> dict[int, list[tuple[int, int]]]:
    """For each row under vertical merges, the cells that hold their content."""
    above: dict[int, list[tuple[int, int]]] = {}
    for r1, c1, r2, _ in sheet.merges:
        if r2 > r1 > header.bottom:
            for row in range(r1 + 1, min(r2, r1 + _LONGEST_MERGE) + 1):
                above.setdefault(row, []).append((r1, c1))
    return above


def _fill_from_above(
    data: list[RawRow], merged: Mapping[int, Sequence[tuple[int, int]]], sheet: Sheet
) -> None:
    previous: RawRow | None = None
    for raw in data:
        for origin in merged.get(raw.row, ()):
            column = origin[1]
            source = sheet.cells.get(origin)
            if column not in raw.cells and source is not None and has_content(source):
                raw.cells[column] = source._replace(row=raw.row, column=column)
                raw.filled[column] = address(*origin)
        if previous is not None:
            for column, cell in raw.cells.items():
                if (
                    cell.kind is CellKind.TEXT
                    and len(cell.raw) <= _LONGEST_DITTO
                    and strip_outer(str(cell.value)) in DITTO_WORDS
                    and column in previous.cells
                ):
                    source = previous.cells[column]
                    raw.cells[column] = source._replace(row=raw.row, column=column, raw=cell.raw)
                    raw.filled[column] = address(previous.row, column)
        if raw.filled:
            raw.cells = dict(sorted(raw.cells.items()))
        previous = raw


def _cover(result: SortedRows) -> None:
    """Which rows each total sums: its section's, all, or those since the total before."""
    data = [(raw.row, raw.sections) for raw in result.data]
    grand = [total for total in result.totals if total.grand]
    sectioned = any(sections for _, sections in data)
    parts = [t for t in result.totals if not t.grand or (len(grand) > 1 and t.label != _OVERALL)]
    subtotals = [total.row for total in parts]
    for total in result.totals:
        only = len(grand) == 1 or total.label == _OVERALL or (sectioned and not total.sections)
        if total.grand and only:
            total.covers = tuple(row for row, _ in data)
        elif total.sections:
            depth = len(total.sections)
            total.covers = tuple(row for row, sections in data if sections[:depth] == total.sections)
        else:
            before = max((row for row in subtotals if row < total.row), default=0)
            after = min((row for row in subtotals if row > total.row), default=1 << 30)
            above = tuple(row for row, _ in data if before < row < total.row)
            total.covers = above or tuple(row for row, _ in data if total.row < row < after)
