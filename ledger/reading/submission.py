"""One received file into a `Submission`: its tables, its unit, its month, its findings.

Never raises for what a file may contain: what is wrong with it is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ledger.reading.cover import (
    MONTH,
    UNIT,
    Caption,
    Said,
    cover_text,
    find_unit,
    is_cover,
    is_filled,
    month_in_words,
    month_of,
    read_caption,
    read_cover,
    units_in_words,
)
from ledger.reading.formats import open_book
from ledger.reading.header import FoundHeader, Rows, find_headers, rows_of
from ledger.reading.model import Book, Cell, Filing, ReadTable, Sheet, Submission
from ledger.reading.tables import read_table
from ledger.reading.values import Setting
from schemas.columns import Kind
from schemas.finding import Finding, finding
from schemas.month import Month
from schemas.tables import TABLES

_TABLES = tuple(TABLES.values())
_CAPTION_ROWS = 8


@dataclass(slots=True)
class _Located:
    """A table on its sheet, before its rows are read: header, extent, what its caption says."""

    sheet: Sheet
    rows: Rows
    header: FoundHeader
    end: int
    caption: Caption
    own_month: Said | None = None


def read_submission(data: bytes, name: str, sha256: str, filing: Filing) -> Submission:
    """Read one file. `name` is the name it came under; its content tells what it is."""
    book = open_book(data, name)
    if isinstance(book, Finding):
        return Submission(name, sha256, findings=[book.at(file=name)])
    return read_book(book, name, sha256, filing)


def read_book(book: Book, name: str, sha256: str, filing: Filing) -> Submission:
    """Read a workbook that has been opened."""
    submission = Submission(name, sha256)
    year = filing.plan.year if filing.plan else filing.registry.year
    located: list[_Located] = []
    cover: dict[str, Cell] = {}
    cover_sheet: Sheet | None = None
    for sheet in book.sheets:
        rows = rows_of(sheet)
        headers = find_headers(sheet, _TABLES, rows)
        if headers:
            located += _locate(sheet, rows, headers, filing, year)
        elif cover_sheet is None and is_cover(sheet, rows):
            cover_sheet, cover = sheet, read_cover(rows)
    submission.cover = {label: cover_text(cell) for label, cell in cover.items()}
    if cover_sheet is not None and cover_sheet.hidden:
        text = f"工作表“{cover_sheet.name}”是隐藏的，内容已读取"
        submission.findings.append(finding("F14", text, sheet=cover_sheet.name))
    if not located:
        submission.findings.append(_no_table(book))
        submission.unit_code, _ = _unit(cover, cover_sheet, [], name, filing)
    else:
        submission.unit_code, unit_finding = _unit(cover, cover_sheet, located, name, filing)
        month, kept, month_findings = _month(cover, cover_sheet, located, name, filing, year)
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


def _locate(
    sheet: Sheet, rows: Rows, headers: Sequence[FoundHeader], filing: Filing, year: int
) -> list[_Located]:
    found: list[_Located] = []
    previous = 0
    for place, header in enumerate(headers):
        following = [h for h in headers[place + 1 :] if h.top > header.bottom]
        limit = min((h.top for h in following), default=sheet.last_row + 1)
        if _continues(found, header, rows):
            last, pages = found[-1], range(header.top, header.bottom + 1)
            last.rows = {row: cells for row, cells in last.rows.items() if row not in pages}
            last.end = limit
            continue
        start = max(previous + 1, header.top - _CAPTION_ROWS) if previous else 1
        if found and found[-1].header.bottom < header.top:
            start = found[-1].end = _caption_start(rows, found[-1].header.bottom, header.top)
        caption = read_caption(sheet, rows, header, start, filing.registry, year)
        one = _Located(sheet, rows, header, limit, caption)
        one.own_month = caption.month or caption.title_month or _sheet_month(sheet, year)
        found.append(one)
        previous = header.bottom
    return found


def _continues(found: Sequence[_Located], header: FoundHeader, rows: Rows) -> bool:
    """Whether a header only repeats the one above it, as at the top of a printed page."""
    if not found:
        return False
    last = found[-1].header
    if last.table is not header.table or last.columns != header.columns:
        return False
    above = rows.get(header.top - 1, {})
    return len(above) > 1 and _caption_start(rows, last.bottom, header.top) == header.top


def _caption_start(rows: Rows, bottom: int, top: int) -> int:
    """The first row of the caption above `top`: rows of one cell or with a colon, and blanks."""
    start = top
    for row in range(top - 1, max(bottom, top - 1 - _CAPTION_ROWS), -1):
        cells = rows.get(row, {})
        texts = [cell.raw for cell in cells.values()]
        if len(cells) > 1 and not any("：" in text or ":" in text for text in texts):
            break
        start = row
    return start


def _sheet_month(sheet: Sheet, year: int) -> Said | None:
    month = month_in_words(sheet.name, year)
    return None if month is None else Said(sheet.name, month, sheet.name)


# --- the unit


def _unit(
    cover: Mapping[str, Cell],
    cover_sheet: Sheet | None,
    located: Sequence[_Located],
    name: str,
    filing: Filing,
) -> tuple[str | None, Finding | None]:
    """The reporting unit's code, and F06 where it is missing, unknown or not the only one."""
    registry = filing.registry
    said: list[Said] = []
    if UNIT in cover and cover_sheet is not None:
        cell = cover[UNIT]
        text = cover_text(cell)
        said.append(Said(text, find_unit(text, registry), cover_sheet.name, cell.address))
    said += [one.caption.unit for one in located if one.caption.unit is not None]
    said = [one for one in said if is_filled(one.text)]
    if not said:
        said = [one.caption.title_unit for one in located if one.caption.title_unit is not None]
    if not said:
        codes = units_in_words(PurePath(name).stem, registry)
        if len(codes) == 1:
            return next(iter(codes)), None
        if codes:
            names = "、".join(sorted(registry.names[code] for code in codes))
            return None, finding("F06", f"文件名中出现两个以上的报送单位：{names}", value=name)
        text = "封面、表头和文件名都没有写明报送单位"
        return None, finding("F06", text, sheet=None if cover_sheet is None else cover_sheet.name)
    unknown = next((one for one in said if one.meaning is None), None)
    if unknown is not None:
        text = f"{_where(unknown)}：报送单位“{unknown.text}”不在登记的单位之中"
        return None, finding("F06", text, sheet=unknown.sheet, cell=unknown.cell, value=unknown.text)
    first = said[0]
    other = next((one for one in said if one.meaning != first.meaning), None)
    if other is not None:
        text = f"文件写有两个报送单位：{_where(first)} 是“{first.text}”，{_where(other)} 是“{other.text}”"
        return None, finding(
            "F06", text, sheet=other.sheet, cell=other.cell, value=other.text, expected=first.text
        )
    return str(first.meaning), None


def _where(said: Said) -> str:
    return " ".join(part for part in (said.sheet, said.cell) if part) or "文件名"


# --- the month


def _month(
    cover: Mapping[str, Cell],
    cover_sheet: Sheet | None,
    located: Sequence[_Located],
    name: str,
    filing: Filing,
    year: int,
) -> tuple[Month | None, list[_Located], list[Finding]]:
    """The month, the tables that are for it, and F07 or F19.

    A cover, a caption or a title says the month; a sheet's or the file's name only where none of
    them does, or to tell a sheet for another month from the one beside it.
    """
    said: Said | None = None
    if MONTH in cover and cover_sheet is not None:
        cell = cover[MONTH]
        said = Said(cell.raw, month_of(cell, year), cover_sheet.name, cell.address)
        if not is_filled(said.text):
            said = None
    unreadable = [
        one for one in (said, *(t.caption.month for t in located)) if one is not None and one.meaning is None
    ]
    if unreadable:
        return None, list(located), [_bad_month(unreadable[0], "看不出是哪个月", filing)]
    wanted = filing.month
    if wanted is None:
        wanted = _told(said, located, name, year)
    if wanted is None:
        return None, list(located), [_undecided(located, cover_sheet, filing)]
    if said is not None and said.meaning != wanted:
        return _as_month(said), list(located), [_bad_month(said, f"不是所报的{wanted.chinese}", filing)]
    right = [t for t in located if t.own_month is None or t.own_month.meaning == wanted]
    named = [t for t in located if t.own_month is not None and t.own_month.meaning == wanted]
    other = [t for t in located if t not in right]
    if other and not right:
        strong = [t for t in other if t.caption.month or t.caption.title_month]
        if not strong and said is not None:
            return wanted, list(located), []
        own = (strong or other)[0].own_month
        assert own is not None
        text = f"不是所报的{wanted.chinese}" if said is None else f"与封面的{wanted.chinese}不一致"
        return (_as_month(own) if said is None else None), list(located), [_bad_month(own, text, filing)]
    if not named and said is None and filing.month is not None:
        from_name = month_in_words(PurePath(name).stem, year)
        if from_name is None:
            return None, list(located), [_missing_month(cover_sheet)]
        if from_name != wanted:
            in_name = Said(name, from_name)
            return from_name, list(located), [_bad_month(in_name, f"不是所报的{wanted.chinese}", filing)]
    return wanted, right, [_left_aside(t, wanted) for t in other]


def _as_month(said: Said) -> Month | None:
    return said.meaning if isinstance(said.meaning, Month) else None


def _told(said: Said | None, located: Sequence[_Located], name: str, year: int) -> Month | None:
    """The month the file itself tells, None where it tells none or more than one."""
    if said is not None:
        return _as_month(said)
    strong = {_as_month(t.own_month) for t in located if t.own_month and t.own_month.cell}
    months = strong or {_as_month(t.own_month) for t in located if t.own_month}
    if not months:
        return month_in_words(PurePath(name).stem, year)
    return months.pop() if len(months) == 1 else None


def _undecided(located: Sequence[_Located], cover_sheet: Sheet | None, filing: Filing) -> Finding:
    own = [t.own_month for t in located if t.own_month is not None]
    first = own[0] if own else None
    other = next((one for one in own if first is not None and one.meaning != first.meaning), None)
    if first is None or other is None:
        return _missing_month(cover_sheet)
    text = f"文件写有两个月份：{_where(first)} 是“{first.text}”，{_where(other)} 是“{other.text}”"
    return finding("F07", text, sheet=other.sheet, cell=other.cell, value=other.text)


def _missing_month(cover_sheet: Sheet | None) -> Finding:
    sheet = None if cover_sheet is None else cover_sheet.name
    return finding("F07", "封面、表头和文件名都没有写明月份", sheet=sheet)


def _bad_month(said: Said, what: str, filing: Filing) -> Finding:
    expected = None if filing.month is None else str(filing.month)
    shown = said.meaning.chinese if isinstance(said.meaning, Month) else said.text
    return finding(
        "F07",
        f"{_where(said)}：月份写的是“{shown}”，{what}",
        sheet=said.sheet,
        cell=said.cell,
        value=said.text,
        expected=expected,
    )


def _left_aside(table: _Located, wanted: Month) -> Finding:
    own = table.own_month
    assert own is not None
    shown = own.meaning.chinese if isinstance(own.meaning, Month) else own.text
    spec = table.header.table
    return finding(
        "F19",
        f"工作表“{table.sheet.name}”中的{spec.number}是{shown}的，不是{wanted.chinese}的，未采用",
        sheet=table.sheet.name,
        cell=own.cell,
        value=own.text,
        expected=str(wanted),
        table=spec.key,
    )


# --- the tables


def _read(located: Sequence[_Located], setting: Setting, filing: Filing) -> list[ReadTable]:
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


def _read_one(one: _Located, setting: Setting, filing: Filing) -> ReadTable:
    table = one.header.table
    here = Setting(
        setting.year, setting.month, date1904=setting.date1904, sheet=one.sheet.name, table=table.key
    )
    money = one.caption.money if any(column.kind is Kind.MONEY for column in table.columns) else []
    unit = money[0][0] if money else ""
    read = read_table(one.sheet, one.rows, one.header, one.end, here, unit, filing.plan)
    contradiction = _units_disagree(one, money)
    if contradiction is not None:
        read.findings.append(contradiction)
    return read


def _units_disagree(one: _Located, money: Sequence[tuple[str, Cell]]) -> Finding | None:
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


def _twice(first: _Located, second: _Located) -> Finding:
    spec = second.header.table
    cell = next(iter(second.header.cells.values()))
    before = next(iter(first.header.cells.values()))
    return finding(
        "F20",
        f"{spec.number} {spec.title}出现两次：{first.sheet.name} {before} 和 {second.sheet.name} {cell}",
        sheet=second.sheet.name,
        cell=cell,
        table=spec.key,
    )
