"""Stated 小计 and 合计 rows against the rows they cover (T01–T03). They are never data."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger.checking.places import TableInHand, at_cell, difference, label, plain_text, same, shown
from ledger.reading.model import ReadRow, StatedTotal
from schemas.columns import Column, Kind
from schemas.finding import Finding, finding
from schemas.plan import Value

#: A heading with figures beside it states sums too, but only a total has to state them all.
_TOTAL_WORDS = ("合计", "小计", "总计", "共计")
_SUMMED = (Kind.MONEY, Kind.COUNT, Kind.QUANTITY)


def check_totals(hand: TableInHand) -> None:
    """T01, T02 and T03 for each stated total of the table."""
    if hand.unread:
        return
    rows = {row.row: row for row in hand.read.rows}
    for total in hand.read.totals:
        covered = [rows[number] for number in total.covers if number in rows]
        if total.count is not None and total.count != len(total.covers):
            hand.findings.append(_count(hand, total))
        if any(row.shifted == "F16" for row in covered):
            continue
        blank: list[Column] = []
        for column in hand.table:
            if column.kind in _SUMMED and column.field in hand.read.header_cells:
                found = _column(hand, total, covered, column, blank)
                if found is not None:
                    hand.findings.append(found)
        if blank and total.label.endswith(_TOTAL_WORDS):
            hand.findings.append(_blank(hand, total, blank))


def _column(
    hand: TableInHand, total: StatedTotal, covered: list[ReadRow], column: Column, blank: list[Column]
) -> Finding | None:
    """T01 for one column; a blank or uncomputed total of a column with figures goes to `blank`."""
    name = column.field
    if any(row.failed(name) for row in covered):
        return None  # what the column adds up to can't be known until that cell is mended
    figures = [value for row in covered if (value := row.value(name)) is not None]
    read = total.values.get(name)
    stated = None if read is None else read.value
    if stated is None:
        if figures:
            blank.append(column)
        return None
    expected = _sum(figures, column)
    if same(stated, expected):
        return None
    return at_cell(
        "T01",
        hand.table,
        hand.read.sheet,
        total,
        name,
        f"{total.label}的{label(column)} {shown(stated, column)}，各行相加为 {shown(expected, column)}",
        expected=plain_text(expected, column),
        difference=difference(stated, expected),
    )


def _sum(figures: Sequence[Value], column: Column) -> Value:
    if column.kind is Kind.MONEY:
        return sum(figure for figure in figures if isinstance(figure, int))
    return sum((figure for figure in figures if isinstance(figure, Decimal)), Decimal(0))


def _count(hand: TableInHand, total: StatedTotal) -> Finding:
    rows = len(total.covers)
    stated = total.count or 0
    # the count stands where the submitter wrote it: under the item's name, beside 合计, anywhere
    cell = total.count_cell
    return finding(
        "T02",
        f"{hand.read.sheet} {cell or f'第 {total.row} 行'}：{total.label}写明 {stated} 个，实有 {rows} 行",
        sheet=hand.read.sheet,
        row=total.row,
        cell=cell or None,
        column=_title_over(hand, cell) if cell else hand.table.by_field[hand.table.name_field].title,
        value=total.count_text or str(stated),
        expected=str(rows),
        difference=Decimal(stated - rows),
        table=hand.table.key,
    )


def _title_over(hand: TableInHand, address: str) -> str | None:
    """The canonical title of the column in which a cell stands."""
    letters = address.rstrip("0123456789")
    for name, header in hand.read.header_cells.items():
        if header.rstrip("0123456789") == letters:
            return hand.table.by_field[name].title
    return None


def _blank(hand: TableInHand, total: StatedTotal, blank: list[Column]) -> Finding:
    """T03, at a cell that holds no number where there is one, else at the first that holds nothing."""
    wrong = [column for column in blank if total.values[column.field].raw]
    bare = [column for column in blank if column not in wrong]
    stated = bool(wrong) or any(read.value is not None for read in total.values.values())
    said = [f"“{total.values[column.field].raw}”（{label(column)}）不是数字" for column in wrong]
    if bare:
        titles = "、".join(label(column) for column in bare) if stated else "各列"
        said.append(f"{titles}空白或没有结果")
    name = (wrong or bare)[0].field
    return at_cell("T03", hand.table, hand.read.sheet, total, name, f"{total.label}行的{'；'.join(said)}")
