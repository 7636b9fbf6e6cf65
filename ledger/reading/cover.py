"""Who reports and for which month: the cover, the caption above a table, titles and names.

The month is told by the cover, the caption, the title, the sheet's name, the file's name, in that
order; 填报日期 does not tell it (CONTRACT §7). The unit is told by the cover, then the caption,
then a title or a name in which a registered unit's name stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from ledger.reading import dates
from ledger.reading.header import FoundHeader
from ledger.reading.headings import Rows
from ledger.reading.model import Cell, CellKind, Sheet
from ledger.reading.numbers import strip_outer
from ledger.reading.words import fold
from ledger.registry import Registry, fold_name
from schemas.month import Month

COVER_SHEET = "封面"
UNIT, MONTH, EXPLANATION = "报送单位", "月份", "更正说明"

#: The cover's labels by the wordings they come in.
_LABELS = {
    **dict.fromkeys(("报送单位", "填报单位", "单位名称", "报送单位名称", "报告单位", "编报单位"), UNIT),
    **dict.fromkeys(
        ("月份", "报送月份", "报告月份", "统计月份", "所属月份", "报表月份", "填报月份", "报告期", "所属期"),
        MONTH,
    ),
    **dict.fromkeys(("填报人", "填表人", "经办人", "制表人"), "填报人"),
    **dict.fromkeys(("联系电话", "电话", "联系方式"), "联系电话"),
    **dict.fromkeys(("审核人", "审核", "负责人", "单位负责人"), "审核人"),
    **dict.fromkeys(("填报日期", "报送日期", "填表日期", "制表日期"), "填报日期"),
    **dict.fromkeys(("更正说明", "更正原因", "更正情况说明"), EXPLANATION),
}
_MONEY_LABEL = re.compile(
    r"(?<![送报填编位告])(?:金额|货币|计量)?单位[:为]?\(?(?:人民币)?((?:百万|千万|万|千|百|亿)?元)(?![素])"
)
_STAMP = re.compile(r"[(（](?:盖章|公章|签字|签章|签名)[)）]")
_NOTE = re.compile(r"[(（][^()（）]*[)）]\s*$")
_GAP = re.compile(r"\s{2,}|\u3000")
_UNIT_ONLY = re.compile(r"(?:金额|货币|计量)?单位(?::|$)")
_MONEY = re.compile(r"\(?(?:人民币)?((?:百万|千万|万|千|百|亿)?元)\)?(?:[、,，/].*)?")
_SPACED_LABEL = re.compile(r"(?<=[一-鿿])[ 　\u00a0]+(?=[一-鿿]{0,3}\s*[一-鿿]?\s*[:：])")
_LONGEST_LINE = 300
_DECIMAL_MONTH = re.compile(r"20\d\d\.\d{1,2}")
_ANY_LABEL = re.compile(r"[一-鿿()]{2,10}:")
_INLINE = re.compile(r"([一-鿿]{2,8})[:：]")
_MONTH_IN_WORDS = (
    # 2018年9月, 2018.9月, 2018年1-9月; not 2018年9月3日
    re.compile(r"(?<!\d)(20\d\d)[年.\-/](?:\d{1,2}月?[-~至到])?(\d{1,2})月(?!\d{1,2}[日号])"),
    # 2018年9, 2018年1-9; 2018-09, 2018.9; not the day 2018-09-03
    re.compile(r"(?<!\d)(20\d\d)年(?:\d{1,2}[-~至到])?(\d{1,2})(?![\d月.\-/日号年])"),
    re.compile(r"(?<!\d)(20\d\d)[.\-/_](\d{1,2})(?![\d月日号年]|[.\-/_]\d)"),
    re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(?!\d)"),
)
#: 18年9月; 二〇一八年九月, 十二月; 截至2018年9月30日, which is the month's end and no day of filing.
_SHORT_YEAR = re.compile(r"(?<!\d)(\d\d)年(?=(?:\d{1,2}[-~至到])?\d{1,2}月)")
_CHINESE_NUMERAL = re.compile(r"[〇○零一二三四五六七八九十]+(?=[年月])")
_AS_OF_DAY = re.compile(r"(?<=截[至止])((?:(20\d\d)年)?(\d{1,2})月)(\d{1,2})[日号]")
_YEARLESS_MONTH = re.compile(r"(?<![\d年.\-/])(?:\d{1,2}[-~至到])?(\d{1,2})月(?!\d{1,2}[日号])(?:份|报|底)?")


@dataclass(frozen=True, slots=True)
class Said:
    """What one place says: the text, what it means (None where unknown), where it stands."""

    text: str
    meaning: str | Month | None
    sheet: str | None = None
    cell: str | None = None


@dataclass(slots=True)
class Caption:
    """What stands above one table: unit, month and unit of money as said there."""

    unit: Said | None = None
    month: Said | None = None
    title_month: Said | None = None
    title_unit: Said | None = None
    money: list[tuple[str, Cell]] = field(default_factory=list)


def month_of(cell: Cell, year: int) -> Month | None:
    """The month a cell of its own states: a date, 2018年9月, 2018-09, 9月, 201809, 9."""
    if cell.kind is CellKind.DATE and isinstance(cell.value, datetime):
        return Month.of(cell.value)
    if isinstance(cell.value, Decimal) and _DECIMAL_MONTH.fullmatch(cell.raw):
        # the number 2018.1 may have been 2018.10, as in a column of dates (C02)
        told = dates.from_number(cell.value, cell.number_format, date1904=False).value
        return None if told is None else told.as_month
    return _month_of_text(cell.raw, year)


@lru_cache(maxsize=1024)
def _month_of_text(raw: str, year: int) -> Month | None:
    text = strip_outer(raw)
    bare = fold(text).removesuffix(".0")
    if bare.isdecimal() and 1 <= int(bare) <= 12:
        return Month(year, int(bare))
    read = dates.from_text(text, year)
    if read.value is not None:
        return read.value.as_month
    return month_in_words(text, year)


@lru_cache(maxsize=4096)
def month_in_words(text: str, year: int) -> Month | None:
    """A month named within a title or a name, None where none or more than one is named."""
    folded = fold(text).replace("—", "-").replace("–", "-")
    folded = _CHINESE_NUMERAL.sub(lambda match: dates.arabic(match[0]), folded)
    folded = _SHORT_YEAR.sub(r"20\1年", folded)
    folded = _AS_OF_DAY.sub(lambda match: _as_of_month_end(match, year), folded)
    named = {(int(m[1]), int(m[2])) for pattern in _MONTH_IN_WORDS for m in pattern.finditer(folded)}
    if not named:
        named = {(year, int(m[1])) for m in _YEARLESS_MONTH.finditer(folded)}
    months = [Month(y, m) for y, m in named if 1 <= m <= 12]
    return months[0] if len(months) == 1 else None


def _as_of_month_end(match: re.Match[str], year: int) -> str:
    """「9月30日」 behind 截至 as 「9月」; any other day stays as it is and tells no month."""
    told, month = int(match[2] or year), int(match[3])
    whole = 1 <= month <= 12 and Month(told, month).last_day.day == int(match[4])
    return match[1] if whole else match[0]


def units_in_words(text: str, registry: Registry) -> frozenset[str]:
    """The codes of the units whose names stand in a title or a file's name, longest names first."""
    known = _NAMES.get(id(registry))
    if known is None or known[0] is not registry:
        pairs = {
            (fold_name(name), unit.code)
            for unit in registry.units
            for name in (unit.code, unit.name, unit.full_name, *unit.aliases)
        }
        ordered = sorted(pairs, key=lambda pair: (-len(pair[0]), pair))
        if len(_NAMES) >= _MOST_REGISTRIES:
            _NAMES.clear()
        known = _NAMES[id(registry)] = (registry, ordered, {})
    _, names, answers = known
    if text not in answers:
        if len(answers) > _MOST_ANSWERS:
            answers.clear()
        rest = fold_name(text)
        found = set()
        for name, code in names:
            if name in rest:
                found.add(code)
                rest = rest.replace(name, "|")
        answers[text] = frozenset(found)
    return answers[text]


_MOST_ANSWERS = 4096
#: A batch has one registry, two where it changed meanwhile. The reading process meets another with
#: every programme, and must not keep them.
_MOST_REGISTRIES = 4
#: By registry: its names, longest first, and the texts already looked through.
_NAMES: dict[int, tuple[Registry, list[tuple[str, str]], dict[str, frozenset[str]]]] = {}


def is_cover(sheet: Sheet, rows: Rows) -> bool:
    """Whether a sheet without a table is the cover: by its name, or by its labels."""
    if COVER_SHEET in fold(sheet.name):
        return True
    labels = {label for cells in rows.values() for cell in cells.values() for label, _ in _labels_in(cell)}
    return len(labels & {UNIT, MONTH, "填报人", EXPLANATION, "填报日期"}) >= 2


def _labels_in(cell: Cell) -> tuple[tuple[str, str], ...]:
    """The labels in a cell with what follows them there: 「报送单位：三里乡  月份：2018年9月」."""
    if cell.kind is not CellKind.TEXT or len(cell.raw) > _LONGEST_LINE:
        return ()
    return _labels_of(str(cell.value))


@lru_cache(maxsize=4096)
def _labels_of(text: str) -> tuple[tuple[str, str], ...]:
    text = _STAMP.sub("", text)
    whole = _LABELS.get(fold(text).rstrip(":"))
    if whole:
        return ((whole, ""),)
    if "：" not in text and ":" not in text:
        return ()
    squeezed = _SPACED_LABEL.sub("", text)
    found = [
        (match, label) for match in _INLINE.finditer(squeezed) for label in [_label_at(match[1])] if label
    ]
    labels = []
    for place, (match, label) in enumerate(found):
        after = found[place + 1][0] if place + 1 < len(found) else None
        stop = after.end() - 1 - len(_label_words(after[1])) if after else len(squeezed)
        labels.append((label, strip_outer(squeezed[match.end() : stop])))
    return tuple(labels)


def _label_words(text: str) -> str:
    """The longest label at the end of a text."""
    return next((text[start:] for start in range(len(text)) if text[start:] in _LABELS), "")


def _label_at(text: str) -> str | None:
    return _LABELS.get(_label_words(text))


def labelled(rows: Rows) -> dict[str, tuple[Cell, Cell | None]]:
    """The labels on some rows, each with its own cell and the cell of its value.

    The value follows in the same cell (both are then the same cell, holding only the value's
    text), or stands in the next cell to the right that is no label itself, or below it in a row of
    nothing but labels.
    """
    found: dict[str, tuple[Cell, Cell | None]] = {}
    for row, cells in rows.items():
        line = list(cells.values())
        under = _values_under(line, rows.get(row + 1, {}))
        for place, cell in enumerate(line):
            for label, value in _labels_in(cell):
                if label in found and found[label][1] is not None:
                    continue
                if value and is_filled(value):
                    found[label] = (cell, cell._replace(value=value, raw=value, kind=CellKind.TEXT))
                    continue
                after = line[place + 1] if place + 1 < len(line) else None
                if after is not None and _is_label(after):
                    after = None
                if after is None:
                    after = under.get(cell.column)
                if after is not None and _is_unfilled(after):
                    after = None
                found[label] = (cell, after)
    return found


def _values_under(line: Sequence[Cell], below: Mapping[int, Cell]) -> Mapping[int, Cell]:
    """The cells below a row of two or more labels and nothing else, where none is a label itself."""
    if len(line) < 2 or not all(map(_is_bare_label, line)) or any(map(_is_label, below.values())):
        return {}
    return below


def _is_bare_label(cell: Cell) -> bool:
    return any(not value for _, value in _labels_in(cell))


def _is_label(cell: Cell) -> bool:
    """Whether a cell is a label itself, so that the one before it was left blank."""
    return bool(_labels_in(cell)) or (cell.kind is CellKind.TEXT and bool(_UNIT_ONLY.match(fold(cell.raw))))


def may_be_caption(line: Sequence[Cell]) -> bool:
    """Whether a row between two tables may be of the lower one's caption: blank, one cell, or labels
    with what they say and at most a title beside them. A row of data is none, whatever is written in
    its remarks (联系人：…)."""
    if len(line) <= 1:
        return True
    known = loose = False
    beside: list[Cell] = []
    value_follows = False
    for cell in line:
        if _is_label(cell) or (cell.kind is CellKind.TEXT and _MONEY_LABEL.search(fold(cell.raw))):
            known, value_follows = True, _is_bare_label(cell)
        elif cell.kind is CellKind.TEXT and _ANY_LABEL.match(fold(cell.raw)):
            loose, value_follows = True, False
        elif value_follows:
            value_follows = False
        else:
            beside.append(cell)
    if not beside:
        return known or loose
    return known and len(beside) == 1 and beside[0].kind is CellKind.TEXT


def _is_unfilled(cell: Cell) -> bool:
    """Whether nothing was filled in: blanks, a line to write on, 「    年   月」."""
    return cell.kind is CellKind.TEXT and not is_filled(cell.raw)


def is_filled(text: str) -> bool:
    """Whether a field of a form says anything: a dash or 无 does not."""
    return bool(fold(text).strip("_-—–/年月日").removeprefix("无"))


def read_cover(rows: Rows) -> dict[str, Cell]:
    """The cover's fields by their Chinese names; a field left blank is absent."""
    return {label: value for label, (_, value) in labelled(rows).items() if value is not None}


def cover_text(cell: Cell) -> str:
    """A cover field as text: a date as ISO, a number without .0."""
    if cell.kind is CellKind.DATE and isinstance(cell.value, datetime):
        return cell.value.date().isoformat()
    text = strip_outer(cell.raw)
    return text.removesuffix(".0") if cell.kind is CellKind.NUMBER else text


def find_unit(text: str, registry: Registry) -> str | None:
    """The unit a field names, a seal's mark or a note in brackets behind it left out; so is what
    stands on the same line behind a gap (a month, a name), as long as that names no other unit."""
    whole = registry.find_unit(text) or registry.find_unit(_NOTE.sub("", text))
    if whole is not None:
        return whole
    parts = [registry.find_unit(_NOTE.sub("", part)) for part in _GAP.split(text)]
    others = set(parts[1:]) - {None, parts[0]}
    return None if others else parts[0]


def read_caption(
    sheet: Sheet, rows: Rows, header: FoundHeader, start: int, registry: Registry, year: int
) -> Caption:
    """What stands on the rows from `start` up to the header."""
    above: Mapping[int, Mapping[int, Cell]] = {
        row: cells for row, cells in rows.items() if start <= row < header.top
    }
    caption = Caption()
    fields = labelled(above)
    unit = fields.get(UNIT, (None, None))[1]
    if unit is not None:
        text = cover_text(unit)
        caption.unit = Said(text, find_unit(text, registry), sheet.name, unit.address)
    month = fields.get(MONTH, (None, None))[1]
    if month is not None:
        caption.month = Said(month.raw, month_of(month, year), sheet.name, month.address)
    for cells in above.values():
        line = list(cells.values())
        for place, cell in enumerate(line):
            if cell.kind is not CellKind.TEXT or len(cell.raw) > 120:
                continue
            _money_in(cell, line[place + 1] if place + 1 < len(line) else None, caption)
            if not _labels_in(cell):
                _title(cell, sheet, registry, year, caption)
    return caption


def _money_in(cell: Cell, after: Cell | None, caption: Caption) -> None:
    text = fold(cell.raw)
    match = _MONEY_LABEL.search(text)
    if match:
        caption.money.append((match[1], cell))
    elif after is not None and _UNIT_ONLY.fullmatch(text):
        found = _MONEY.fullmatch(fold(after.raw))
        if found:
            caption.money.append((found[1], after))


def _title(cell: Cell, sheet: Sheet, registry: Registry, year: int, caption: Caption) -> None:
    text = cell.raw
    if caption.title_month is None:
        month = month_in_words(text, year)
        if month is not None:
            caption.title_month = Said(text, month, sheet.name, cell.address)
    if caption.title_unit is None:
        codes = units_in_words(text, registry)
        if len(codes) == 1:
            caption.title_unit = Said(text, next(iter(codes)), sheet.name, cell.address)
