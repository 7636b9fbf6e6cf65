"""One received file into a `Submission`: its tables, its unit, its month, its findings.

Never raises for what a file may contain: what is wrong with it is a finding.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.reading.cover import (
    Said,
    cover_text,
    is_cover,
    may_be_caption,
    month_in_words,
    read_caption,
    read_cover,
)
from ledger.reading.filed import Located, tell_month, tell_unit, told_without_tables
from ledger.reading.formats import open_book
from ledger.reading.header import FoundHeader, find_headers, rows_of
from ledger.reading.headings import Rows
from ledger.reading.lexicon import names_table
from ledger.reading.model import Book, Cell, Filing, ReadTable, Sheet, Submission
from ledger.reading.rows import says_nil
from ledger.reading.table_findings import hidden
from ledger.reading.tables import read_table
from ledger.reading.values import Setting
from schemas.columns import Kind
from schemas.finding import Finding, finding
from schemas.tables import TABLES

_TABLES = tuple(TABLES.values())
_CAPTION_ROWS = 8


def read_submission(data: bytes, name: str, sha256: str, filing: Filing) -> Submission:
    """Read one file. `name` is the name it came under; its content tells what it is."""
    book = open_book(data, name)
    if isinstance(book, Finding):
        return set_aside(name, sha256, book, filing)
    return read_book(book, name, sha256, filing)


def set_aside(name: str, sha256: str, why: Finding, filing: Filing) -> Submission:
    """A file that can't be opened (F01–F04): whose it is and for which month, its name alone tells."""
    unit, month = told_without_tables({}, None, name, filing, _year(filing))
    return Submission(name, sha256, unit_code=unit, month=month, findings=[why.at(file=name)])


def _year(filing: Filing) -> int:
    return filing.plan.year if filing.plan else filing.registry.year


def read_book(book: Book, name: str, sha256: str, filing: Filing) -> Submission:
    """Read a workbook that has been opened."""
    submission = Submission(name, sha256)
    year = _year(filing)
    located: list[Located] = []
    cover: dict[str, Cell] = {}
    cover_sheet: Sheet | None = None
    for sheet in book.sheets:
        rows = rows_of(sheet)
        headers = find_headers(sheet, _TABLES, rows)
        bare = [] if headers else _bare_nil_report(sheet, rows)
        if headers or bare:
            located += _locate(sheet, rows, headers or bare, filing, year)
        elif cover_sheet is None and is_cover(sheet, rows):
            cover_sheet, cover = sheet, read_cover(rows)
    submission.cover = {label: cover_text(cell) for label, cell in cover.items()}
    if cover_sheet is not None:
        submission.findings += hidden(cover_sheet, rows_of(cover_sheet))
    if not located:
        submission.findings.append(_no_table(book))
        told = told_without_tables(cover, cover_sheet, name, filing, year)
        submission.unit_code, submission.month = told
    else:
        submission.unit_code, unit_finding = tell_unit(cover, cover_sheet, located, name, filing)
        month, kept, month_findings = tell_month(cover, cover_sheet, located, name, filing, year)
        submission.month = month
        submission.findings += [f for f in (unit_finding,) if f is not None]
        submission.findings += month_findings
        setting = Setting(year, filing.month or month, date1904=book.date1904)
        submission.tables = _read(kept, setting, filing)
    submission.findings = [f.at(file=name) for f in submission.findings]
    for table in submission.tables:
        table.findings = [f.at(file=name) for f in table.findings]
        for row in table.rows:
            if row.findings:
                row.findings = [f.at(file=name) for f in row.findings]
    return submission


def _no_table(book: Book) -> Finding:
    names = "、".join(f"“{sheet.name}”" for sheet in book.sheets[:6])
    numbers = "、".join(f"{table.number} {table.title}" for table in _TABLES)
    return finding("F05", f"文件中（{names}）没有找到可识别的报表：应有{numbers}的表头")


def _bare_nil_report(sheet: Sheet, rows: Rows) -> list[FoundHeader]:
    """A sheet that names one table and says 零报告, its header taken away: a header of no columns."""
    nil = next((cell for cells in rows.values() for cell in cells.values() if says_nil(cell)), None)
    if nil is None:
        return []
    texts = [sheet.name, *(c.raw for r, cells in rows.items() if r < nil.row for c in cells.values())]
    named = [table for table in _TABLES if any(names_table(text, table) for text in texts)]
    if len(named) != 1:
        return []
    return [FoundHeader(named[0], sheet.name, nil.row, nil.row, nil.column, nil.column, named=True)]


def _locate(
    sheet: Sheet, rows: Rows, headers: Sequence[FoundHeader], filing: Filing, year: int
) -> list[Located]:
    found: list[Located] = []
    previous = 0
    for place, header in enumerate(headers):
        following = [h for h in headers[place + 1 :] if h.top > header.bottom]
        limit = min((h.top for h in following), default=max(rows, default=0) + 1)
        if _continues(found, header, rows):
            last, pages = found[-1], range(header.top, header.bottom + 1)
            last.rows = {row: cells for row, cells in last.rows.items() if row not in pages}
            last.end = limit
            continue
        start = max(previous + 1, header.top - _CAPTION_ROWS) if previous else 1
        if found and found[-1].header.bottom < header.top:
            start = found[-1].end = _caption_start(rows, found[-1].header.bottom, header.top)
        caption = read_caption(sheet, rows, header, start, filing.registry, year)
        one = Located(sheet, rows, header, start, limit, caption)
        one.own_month = caption.month or caption.title_month or _sheet_month(sheet, year)
        found.append(one)
        previous = header.bottom
    return found


def _continues(found: Sequence[Located], header: FoundHeader, rows: Rows) -> bool:
    """Whether a header only repeats the one above it, as at the top of a printed page."""
    if not found:
        return False
    last = found[-1].header
    if last.table is not header.table or last.columns != header.columns:
        return False
    above = rows.get(header.top - 1, {})
    return len(above) > 1 and _caption_start(rows, last.bottom, header.top) == header.top


def _caption_start(rows: Rows, bottom: int, top: int) -> int:
    """The first row of the caption above `top`; what stands above that is of the table before."""
    start = top
    for row in range(top - 1, max(bottom, top - 1 - _CAPTION_ROWS), -1):
        line = list(rows.get(row, {}).values())
        if not may_be_caption(line) or any(map(says_nil, line)):
            break
        start = row
    return start


def _sheet_month(sheet: Sheet, year: int) -> Said | None:
    month = month_in_words(sheet.name, year)
    return None if month is None else Said(sheet.name, month, sheet.name)


def _read(located: Sequence[Located], setting: Setting, filing: Filing) -> list[ReadTable]:
    tables: list[ReadTable] = []
    for spec in _TABLES:
        same = [one for one in located if one.header.table is spec]
        for one in same[:1]:
            table = _read_one(one, setting, filing)
            tables.append(table)
            if len(same) > 1:
                table.findings.append(_twice(same[0], same[1]))
    order = [one.header.table.key for one in located]
    return sorted(tables, key=lambda table: order.index(table.table))


def _read_one(one: Located, setting: Setting, filing: Filing) -> ReadTable:
    table = one.header.table
    here = Setting(
        setting.year, setting.month, date1904=setting.date1904, sheet=one.sheet.name, table=table.key
    )
    concealed = hidden(one.sheet, one.rows, one.header, range(one.start, one.end))
    if not one.header.columns:
        return ReadTable(table.key, one.sheet.name, {}, [], findings=concealed, nil_report=True)
    money = one.caption.money if any(column.kind is Kind.MONEY for column in table.columns) else []
    unit = money[0][0] if money else ""
    read = read_table(one.sheet, one.rows, one.header, one.end, here, unit, filing.plan)
    read.findings += concealed
    contradiction = _units_disagree(one, money)
    if contradiction is not None:
        read.findings.append(contradiction)
    return read


def _units_disagree(one: Located, money: Sequence[tuple[str, Cell]]) -> Finding | None:
    """F18: the caption's unit of money and a heading's, or two captions, disagree."""
    if not money:
        return None
    unit, cell = money[0]
    table = one.header.table
    against: tuple[str, str, str | None] | None = next(
        (
            (of, f"{one.header.cells[name]} 表头写的是“{of}”", table.by_field[name].title)
            for name, of in one.header.units.items()
            if of != unit
        ),
        None,
    )
    if against is None:
        second = next((pair for pair in money if pair[0] != unit), None)
        if second is None:
            return None
        against = (second[0], f"{second[1].address} 写的是“{second[0]}”", None)
    other, text, title = against
    return finding(
        "F18",
        f"{one.sheet.name} {cell.address}：表上方的金额单位是“{unit}”，而 {text}",
        sheet=one.sheet.name,
        cell=cell.address,
        row=cell.row,
        column=title,
        value=cell.raw,
        expected=other,
        table=table.key,
    )


def _twice(first: Located, second: Located) -> Finding:
    spec = second.header.table
    cell = next(iter(second.header.cells.values()), None)
    before = next(iter(first.header.cells.values()), "")
    return finding(
        "F20",
        f"{spec.number} {spec.title}出现两次：{first.sheet.name} {before} 和 {second.sheet.name} {cell or ''}",
        sheet=second.sheet.name,
        cell=cell,
        table=spec.key,
    )
