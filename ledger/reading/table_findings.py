"""What there is to say about a table's form once its rows are read: F11, F13, F14, F16, F17."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.reading.header import FoundHeader
from ledger.reading.headings import Rows
from ledger.reading.model import Cell, Sheet, address, column_letters
from ledger.reading.rows import RawRow, has_content
from ledger.reading.shifts import Frame, Shift
from ledger.reading.values import Setting, place
from schemas.finding import Effect, Finding, finding


def whole_shift(whole: Shift, data: Sequence[RawRow], frame: Frame, setting: Setting) -> Finding:
    """F16 or F17 for a whole table shifted by the same step."""
    first = address(data[0].row, whole.start + whole.step)
    title = frame.columns[whole.start].title
    where = f"{setting.sheet}：全表自“{title}”起的内容对表头{whole.chinese}（从 {first} 起）"
    if whole.proved:
        message, code, effect = f"{where}，与计划核对无误，已还原", "F17", Effect.STANDS
    else:
        message, code, effect = f"{where}，不能证明原位，整表退回", "F16", Effect.TABLE_RETURNED
    return finding(
        code,
        message,
        effect=effect,
        sheet=setting.sheet or None,
        cell=first,
        column=title,
        table=setting.table,
    )


def row_shift(raw: RawRow, frame: Frame, shift: Shift, setting: Setting) -> Finding:
    """F16 or F17 for one row."""
    moved = [c for c in frame.columns if shift.start <= c <= shift.stop and c + shift.step in raw.cells]
    source = (moved[0] if moved else shift.start) + shift.step
    title = frame.columns[moved[0] if moved else shift.start].title
    where = address(raw.row, source)
    message = f"{place(setting, where)}：第 {raw.row} 行自“{title}”起的内容对表头{shift.chinese}"
    if shift.proved:
        message += "，按计划栏核对无误，已还原"
    else:
        message += "，不能证明原位，本行退回"
    cell = raw.cells.get(source)
    return finding(
        "F17" if shift.proved else "F16",
        message,
        effect=Effect.STANDS if shift.proved else Effect.ROW_RETURNED,
        sheet=setting.sheet or None,
        cell=where,
        row=raw.row,
        column=title,
        value=None if cell is None else cell.raw,
        table=setting.table,
    )


def nil_beside_rows(nil: Cell, data: Sequence[RawRow], setting: Setting, header: FoundHeader) -> Finding:
    """F13 at the cell that says 零报告."""
    rows = "、".join(str(raw.row) for raw in data[:10])
    return finding(
        "F13",
        f"{place(setting, nil.address)}：写了“零报告”，但第 {rows} 行填有内容",
        sheet=setting.sheet or None,
        cell=nil.address,
        row=nil.row,
        column=header.title_over(nil.column),
        value=nil.raw,
        table=setting.table,
    )


def hidden(
    sheet: Sheet, rows: Rows, header: FoundHeader | None = None, down: range | None = None
) -> list[Finding]:
    """F14 for the sheet, its rows and its columns, where hidden ones have content; of several rows
    or columns the first is named in the finding, all in its text.

    Of a sheet with tables the rows `down` are looked at, from a table's caption to its end, and the
    columns under its header; of the cover (no `header`) all.
    """
    if not (sheet.hidden or sheet.hidden_rows or sheet.hidden_columns):
        return []
    mine = rows if down is None else {row: cells for row, cells in rows.items() if row in down}
    held = {r: [c for c, cell in cells.items() if has_content(cell)] for r, cells in mine.items()}
    found: list[tuple[str, int | None, str | None]] = []
    if sheet.hidden:
        found.append((f"工作表“{sheet.name}”是隐藏的", None, None))
    hidden = sorted(row for row in sheet.hidden_rows if held.get(row))
    if hidden:
        found.append((f"{sheet.name}：第 {'、'.join(map(str, hidden))} 行是隐藏的", hidden[0], None))
    columns = sorted(
        column
        for column in sheet.hidden_columns
        if (header is None or header.first_column <= column <= header.last_column)
        and any(column in inside for row, inside in held.items() if header is None or row >= header.top)
    )
    if columns:
        names = "、".join(column_letters(column) for column in columns)
        title = None if header is None else header.title_over(columns[0])
        found.append((f"{sheet.name}：{names} 列是隐藏的", None, title))
    table = None if header is None else header.table.key
    return [
        finding("F14", f"{text}，内容已读取", sheet=sheet.name, row=row, column=column, table=table)
        for text, row, column in found
    ]


def unheaded(
    data: Sequence[RawRow], shifted: Sequence[bool], header: FoundHeader, setting: Setting
) -> list[Finding]:
    """F11 for a column within the table that has content but no heading."""
    headed = {*header.columns.values(), *(h.column for h in (*header.unknown, *header.duplicates))}
    found: dict[int, Cell] = {}
    for raw, moved in zip(data, shifted, strict=True):
        for column, cell in raw.cells.items():
            inside = header.first_column < column < header.last_column
            if inside and column not in headed and not moved:
                found.setdefault(column, cell)
    return [
        finding(
            "F11",
            f"{place(setting, cell.address)}：{column_letters(column)} 列没有表头，内容已保留但不采用",
            sheet=setting.sheet or None,
            cell=cell.address,
            row=cell.row,
            value=cell.raw,
            table=setting.table,
        )
        for column, cell in sorted(found.items())
    ]
