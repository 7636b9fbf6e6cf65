"""The plan workbook: sheets → tables → rows, each cell still where it stands (CONTRACT §2).

A row of a printed annex is a heading (「二、基础设施」), a stated total (小计, 合计), an item, or a
note. Nothing is parsed here but what tells these apart; whether cells stand off their columns is
settled in ledger.checking.plan_shifts, what is wrong with them in ledger.checking.plan_rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.reading.header import FoundHeader, find_headers
from ledger.reading.model import Book, Cell, CellKind, Sheet, address
from ledger.reading.words import MONEY_UNITS, fold
from schemas.columns import Kind
from schemas.finding import Finding, finding
from schemas.money import FEN_PER_WAN
from schemas.tables import PLAN_TABLES, TABLES, Table

_TOTAL = re.compile(r"(小计|合计|总计|共计)(?:[(（:：].*|\d.*)?")
_GRAND = ("合计", "总计", "共计")
_COUNT = re.compile(r"(\d+)\s*(?:个|项)")
_HEADINGS = (
    re.compile(r"第?[一二三四五六七八九十百]+(?:[、.,]|部分|类)"),
    re.compile(r"\([一二三四五六七八九十]+\)"),
    re.compile(r"\d+[.、](?!\d)"),
    re.compile(r"\(\d+\)"),
)
_NOTE = re.compile(r"(注|备注|说明|填报|填表|制表|审核|联系|报送|单位负责人|负责人|签发)[:：]?")
_DITTO = frozenset({"同上", "〃", "″", '"', "”", "〞", "々"})


class RowKind(StrEnum):
    ITEM = "item"
    TOTAL = "total"
    HEADING = "heading"
    NOTE = "note"


@dataclass(slots=True)
class PlanRow:
    """One row below an annex's header.

    `cells` are by sheet column; those filled from above (a ditto mark, a merged cell) are in
    `filled`. `section` is the path of headings over the row, `covers` the sheet rows a total
    sums, `count` a stated number of items (「8 个」) and `count_cell` where it stands.
    """

    row: int
    kind: RowKind
    label: str
    section: tuple[str, ...]
    cells: dict[int, Cell]
    filled: dict[int, str] = field(default_factory=dict)
    covers: tuple[int, ...] = ()
    count: int | None = None
    count_cell: str | None = None


@dataclass(slots=True)
class PlanSheet:
    """One table of the plan as it stands on a sheet.

    `columns` maps fields to sheet columns, `fen_per_unit` a money field to what one of its unit is
    worth; `findings` are those of the header and of the sheet (F09, F10, F11, F14, F18).
    """

    table: Table
    sheet: Sheet
    columns: dict[str, int]
    fen_per_unit: dict[str, int]
    rows: list[PlanRow]
    findings: list[Finding]

    @property
    def items(self) -> list[PlanRow]:
        return [row for row in self.rows if row.kind is RowKind.ITEM]

    @property
    def totals(self) -> list[PlanRow]:
        return [row for row in self.rows if row.kind is RowKind.TOTAL]

    @property
    def money_fields(self) -> list[str]:
        """The money columns found, from left to right."""
        money = [name for name in self.columns if self.table.by_field[name].kind is Kind.MONEY]
        return sorted(money, key=self.columns.__getitem__)


def printed_text(text: str) -> str:
    """A text without the line breaks and gaps that the printed page put into Chinese words.

    White space stays only between two Latin letters or digits: 「旅 游业」 → 「旅游业」.
    """
    joined = re.sub(r"\s+", " ", text.replace("\u3000", " ").replace("\u00a0", " ")).strip()
    return re.sub(r" (?![0-9A-Za-z])|(?<![0-9A-Za-z]) ", "", joined)


def read_plan_sheets(book: Book, tables: Mapping[str, Table] = PLAN_TABLES) -> list[PlanSheet]:
    """The plan's tables in a workbook, in the order of `tables`, each once.

    Where a table stands twice, the one on the sheet called by its name counts, else the first;
    the other is said to be left aside (F20). A table filled in by a unit (it has the reported
    columns) is no plan.
    """
    found: dict[str, list[tuple[Sheet, FoundHeader]]] = {}
    for sheet in book.sheets:
        submitted = {header.top for header in find_headers(sheet, tuple(TABLES.values())) if _reports(header)}
        for header in find_headers(sheet, tuple(tables.values())):
            if header.top not in submitted:
                found.setdefault(header.table.key, []).append((sheet, header))
    return [_chosen(found[key]) for key in tables if key in found]


def _chosen(places: list[tuple[Sheet, FoundHeader]]) -> PlanSheet:
    sheet, header = next((p for p in places if fold(p[0].name) == fold(p[1].table.sheet)), places[0])
    plan_sheet = _plan_sheet(sheet, header)
    for other, again in places:
        if again is not header:
            text = f"{other.name}：“{header.table.number}”在文件中出现两次，采用“{sheet.name}”，此处未采用"
            cell = address(again.top, again.first_column)
            where = _where(other, header.table) | {"cell": cell, "row": again.top}
            plan_sheet.findings.append(finding("F20", text, **where))
    return plan_sheet


def _reports(header: FoundHeader) -> bool:
    reported = [name for name in header.columns if name not in header.table.plan_fields]
    return len(reported) > len(header.table.reported) // 2


def _plan_sheet(sheet: Sheet, header: FoundHeader) -> PlanSheet:
    table = header.table
    findings = header.findings()
    fen_per_unit = _units(sheet, header, findings)
    findings += _hidden(sheet, table)
    # without names nothing can be matched: the header's finding (F09) says so
    named = table.name_field in header.columns
    rows = _rows(sheet, table, header.columns, header.bottom) if named else []
    plan_sheet = PlanSheet(table, sheet, dict(header.columns), fen_per_unit, rows, findings)
    _fill_from_above(plan_sheet)
    _cover(plan_sheet)
    return plan_sheet


def _where(sheet: Sheet, table: Table) -> dict[str, Any]:
    return {"sheet": sheet.name, "table": table.key}


_CAPTION_UNIT = re.compile(r"(?:金额)?单位:(元|千元|万元|亿元)$")


def _units(sheet: Sheet, header: FoundHeader, findings: list[Finding]) -> dict[str, int]:
    """What each money column is counted in: its heading says so, else the caption, else 万元."""
    caption, place = "", None
    for (row, _), cell in sorted(sheet.cells.items()):
        match = _CAPTION_UNIT.search(fold(_text(cell))) if row < header.top else None
        if match:
            caption, place = match[1], cell
    units = {}
    for column in header.table.columns:
        if column.kind is not Kind.MONEY or column.field not in header.columns:
            continue
        named = header.units.get(column.field, "")
        if named and caption and named != caption and place is not None:
            clash = (
                f"{sheet.name} {place.address}：单位写“{caption}”，表头“{column.title}”写“{named}”，不一致"
            )
            if not any(found.rule == "F18" for found in findings):
                where = _where(sheet, header.table) | {"cell": place.address, "row": place.row}
                findings.append(finding("F18", clash, value=place.raw, **where))
        units[column.field] = MONEY_UNITS.get(named or caption, FEN_PER_WAN)
    return units


def _hidden(sheet: Sheet, table: Table) -> list[Finding]:
    rows = sorted({row for row, _ in sheet.cells} & sheet.hidden_rows)
    columns = sorted({column for _, column in sheet.cells} & sheet.hidden_columns)
    where = _where(sheet, table)
    if sheet.hidden:
        return [finding("F14", f"{sheet.name}：整张工作表被隐藏，已读取", **where)]
    found = []
    if rows:
        listed = "、".join(str(row) for row in rows)
        found.append(finding("F14", f"{sheet.name}：第 {listed} 行被隐藏，已读取", row=rows[0], **where))
    if columns:
        listed = "、".join(address(1, column)[:-1] for column in columns)
        found.append(finding("F14", f"{sheet.name}：{listed} 列被隐藏，已读取", **where))
    return found


def _text(cell: Cell | None) -> str:
    return cell.value if cell is not None and isinstance(cell.value, str) else ""


def _rows(sheet: Sheet, table: Table, columns: dict[str, int], header_row: int) -> list[PlanRow]:
    by_row: dict[int, dict[int, Cell]] = {}
    for (row, column), cell in sorted(sheet.cells.items()):
        if row > header_row and (cell.kind is not CellKind.TEXT or _text(cell).strip()):
            by_row.setdefault(row, {})[column] = cell
    name_column = columns[table.name_field]
    rows: list[PlanRow] = []
    path: list[tuple[int, str]] = []
    for row, cells in by_row.items():
        label = _label(cells, name_column)
        level = _heading_level(label)
        alone = len(cells) == 1
        first = min(cells)
        total = _TOTAL.fullmatch(fold(label))
        if total:
            kind = RowKind.TOTAL
        elif alone and (first != name_column or level is not None) and not _is_number(cells[first]):
            kind = RowKind.NOTE if _NOTE.match(label.strip()) else RowKind.HEADING
        elif level is not None and first < name_column and name_column not in cells:
            kind = RowKind.TOTAL  # a heading with the section's figures beside it
        elif name_column in cells or len(cells) > 1:
            kind = RowKind.NOTE if _NOTE.match(_text(cells[first]).strip()) else RowKind.ITEM
        else:
            continue
        if kind is RowKind.HEADING or (kind is RowKind.TOTAL and level is not None):
            depth = level if level is not None else 0
            path = [step for step in path if step[0] < depth]
            path.append((depth, printed_text(label)))
        section = tuple(text for _, text in path)
        rows.append(PlanRow(row, kind, printed_text(label), section, cells))
    _drop_trailing_notes(rows)
    for plan_row in rows:
        if plan_row.kind is RowKind.TOTAL:
            _read_count(plan_row)
    return rows


def _is_number(cell: Cell) -> bool:
    return cell.kind is CellKind.NUMBER


def _label(cells: dict[int, Cell], name_column: int) -> str:
    """The text in 序号, 建设地 or the name's column that may name a heading or a total."""
    for column in sorted(cells):
        if column > name_column:
            break
        text = _text(cells[column])
        if text.strip():
            return text
    first = min(cells)
    return _text(cells[first]) if len(cells) == 1 else ""


def _heading_level(label: str) -> int | None:
    folded = unicodedata.normalize("NFKC", label).strip()
    for level, pattern in enumerate(_HEADINGS):
        if pattern.match(folded):
            return level
    return None


def _drop_trailing_notes(rows: list[PlanRow]) -> None:
    """A lone text below the last item or total is a remark on the table, not a heading."""
    for plan_row in reversed(rows):
        if plan_row.kind in {RowKind.ITEM, RowKind.TOTAL}:
            return
        plan_row.kind = RowKind.NOTE


def _read_count(plan_row: PlanRow) -> None:
    for column in sorted(plan_row.cells):
        cell = plan_row.cells[column]
        match = _COUNT.search(unicodedata.normalize("NFKC", _text(cell)))
        if match:
            plan_row.count, plan_row.count_cell = int(match[1]), cell.address
            return


def _fill_from_above(plan_sheet: PlanSheet) -> None:
    """Ditto marks and vertically merged cells take the text or date above (rule C14).

    Amounts are never filled: one figure over two rows would be counted twice.
    """
    fields = {
        column: plan_sheet.table.by_field[name].kind
        for name, column in plan_sheet.columns.items()
        if name != plan_sheet.table.name_field
    }
    fillable = {column for column, kind in fields.items() if kind in {Kind.TEXT, Kind.DATE}}
    merged_from = {
        (row, left): top
        for top, left, bottom, right in plan_sheet.sheet.merges
        for row in range(top + 1, bottom + 1)
        if left in fillable and left == right
    }
    items = plan_sheet.items
    for above, plan_row in zip([None, *items], items, strict=False):
        for column in sorted(fillable):
            cell = plan_row.cells.get(column)
            if cell is None and merged_from.get((plan_row.row, column)) is not None:
                source = plan_sheet.sheet.cells.get((merged_from[plan_row.row, column], column))
            elif cell is not None and _text(cell).strip() in _DITTO and above is not None:
                source = above.cells.get(column)
            else:
                continue
            if source is not None:
                plan_row.cells[column] = source
                plan_row.filled[column] = _text(cell).strip()


def _cover(plan_sheet: PlanSheet) -> None:
    """Tell which items each stated total sums.

    合计 sums the sheet; where several rows are so called, the one outside all sections (else the
    last). 小计 sums its section, whether it stands above or below the items; a second one in the
    same section sums the section around it. Without sections it sums the rows since the total
    before it, or those that follow.
    """
    items, totals = plan_sheet.items, plan_sheet.totals
    grand_rows = [total for total in totals if _is_grand(total)]
    outside = [total for total in grand_rows if not total.section]
    grand = (outside or grand_rows[-1:])[:1]
    seen: set[tuple[str, ...]] = set()
    for place, total in enumerate(totals):
        section = total.section
        if total in grand:
            covered: Iterable[PlanRow] = items
        elif section:
            while section in seen and section:
                section = section[:-1]
            seen.add(section)
            covered = [item for item in items if item.section[: len(section)] == section]
        else:
            covered = _neighbours(items, totals, place, grand)
        total.covers = tuple(item.row for item in covered)


def _is_grand(total: PlanRow) -> bool:
    return fold(total.label).startswith(_GRAND)


def _neighbours(
    items: Sequence[PlanRow], totals: Sequence[PlanRow], place: int, grand: Sequence[PlanRow]
) -> list[PlanRow]:
    others = [total.row for total in totals if total not in grand]
    row = totals[place].row
    before = max((other for other in others if other < row), default=0)
    after = min((other for other in others if other > row), default=row + len(items) + 1_000_000)
    above = [item for item in items if before < item.row < row]
    return above or [item for item in items if row < item.row < after]
