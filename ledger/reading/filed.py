"""For whom and for which month a file is: what its places say, and F06, F07 and F19 (docs/decisions/0015)."""

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
    is_filled,
    month_in_words,
    month_of,
    units_in_words,
)
from ledger.reading.header import FoundHeader
from ledger.reading.headings import Rows
from ledger.reading.model import Cell, Filing, Sheet
from schemas.finding import Finding, finding
from schemas.month import Month


@dataclass(slots=True)
class Located:
    """A table on its sheet, before its rows are read: header, extent with the caption's rows, what
    the caption says."""

    sheet: Sheet
    rows: Rows
    header: FoundHeader
    start: int
    end: int
    caption: Caption
    own_month: Said | None = None


# --- the unit


def tell_unit(
    cover: Mapping[str, Cell],
    cover_sheet: Sheet | None,
    located: Sequence[Located],
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


def tell_month(
    cover: Mapping[str, Cell],
    cover_sheet: Sheet | None,
    located: Sequence[Located],
    name: str,
    filing: Filing,
    year: int,
) -> tuple[Month | None, list[Located], list[Finding]]:
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


def told_without_tables(
    cover: Mapping[str, Cell], cover_sheet: Sheet | None, name: str, filing: Filing, year: int
) -> tuple[str | None, Month | None]:
    """Unit and month of a file without a table, by its cover and its name; of one that can't be
    opened the name alone speaks. It goes back to that unit, and is missing from that month.

    A month of another year than the plan's is not believed: nothing in such a file bears it out.
    """
    unit, _ = tell_unit(cover, cover_sheet, [], name, filing)
    month = month_of(cover[MONTH], year) if MONTH in cover else None
    if month is None:
        month = month_in_words(PurePath(name).stem, year)
    return unit, month if month is not None and month.year == year else None


def _as_month(said: Said) -> Month | None:
    return said.meaning if isinstance(said.meaning, Month) else None


def _told(said: Said | None, located: Sequence[Located], name: str, year: int) -> Month | None:
    """The month the file itself tells, None where it tells none or more than one."""
    if said is not None:
        return _as_month(said)
    strong = {_as_month(t.own_month) for t in located if t.own_month and t.own_month.cell}
    months = strong or {_as_month(t.own_month) for t in located if t.own_month}
    if not months:
        return month_in_words(PurePath(name).stem, year)
    return months.pop() if len(months) == 1 else None


def _undecided(located: Sequence[Located], cover_sheet: Sheet | None, filing: Filing) -> Finding:
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


def _left_aside(table: Located, wanted: Month) -> Finding:
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
