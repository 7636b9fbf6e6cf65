"""Cells that stand off their columns (F16), and the proof by which they are put right (F17).

A cell inserted or deleted in a row moves everything to its right; a block pasted one column off
moves every row. A shift is suspected only where cells don't fit their columns and fit once moved,
or where a row's plan figures add up only so. It is proved by the plan columns alone: the row's own
identity (合计 = parts) and, where a plan is registered, its figures (CONTRACT §2, §7).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.reading import dates
from ledger.reading.header import FoundHeader
from ledger.reading.model import Cell, CellKind, ReadValue
from ledger.reading.numbers import BLANK_WORDS, is_vague, read_number, strip_outer
from ledger.reading.slots import Slots
from ledger.reading.values import Setting, parse
from ledger.reading.words import fold
from schemas.columns import COLUMNS, NEED_STATUSES, PROJECT_STATUSES, Column, Kind
from schemas.plan import PlanItem

_FREE = frozenset({"evidence", "problems", "measures", "month_progress"})
_STEPS = (1, -1, 2, -2, 3, -3)
_STATUS_WORDS = frozenset(PROJECT_STATUSES + NEED_STATUSES)
_NUMERIC = frozenset({Kind.MONEY, Kind.PERCENT, Kind.COUNT, Kind.QUANTITY, Kind.SEQUENCE})
#: Texts in which a bare number is out of place (remarks may well be one).
_WORDY = frozenset(
    {
        "place",
        "item_name",
        "lead_unit",
        "category",
        "unit_of_measure",
        "partner",
        "indicator_name",
        "evidence",
        "problems",
        "measures",
        "month_progress",
    }
)
_ITEM_ID = re.compile(r"\d{4}-[a-z]\d?-\d+")
_LONGEST_CODE, _LONGEST_MEASURE = 4, 8
_FEWEST_MOVED = 3
_AMOUNT_SUFFIXES = ("万元", "元", "万", "%", "户", "人")
_PARTS = ("fiscal_planned_fen", "enterprise_planned_fen", "self_planned_fen")
_FUNDS = "funds_total_fen"
_PLAN_FIGURES = frozenset({"total_investment_fen", "funds_total_fen", *_PARTS, "target"})
_PLAN_MONEY = ("total_investment_fen", _FUNDS, *_PARTS)


@dataclass(frozen=True, slots=True)
class Shift:
    """How a row is shifted: what belongs in the columns from `start` up to `stop` (inclusive)
    stands `step` columns further right (left where negative)."""

    start: int
    stop: int
    step: int
    proved: bool = False

    def source(self, column: int) -> int | None:
        """The sheet column in which a column's content stands; None where it was overwritten."""
        if self.start <= column <= self.stop:
            return column + self.step
        if self.step < 0 and self.start + self.step <= column < self.start:
            return None
        if self.step > 0 and self.stop < column <= self.stop + self.step:
            return None
        return column

    @property
    def chinese(self) -> str:
        return f"向{'右' if self.step > 0 else '左'}错了 {abs(self.step)} 列"


@dataclass(slots=True)
class Frame:
    """A table's columns as they lie on the sheet, and what its cells are read against."""

    header: FoundHeader
    slots: Slots
    required: frozenset[str]

    @classmethod
    def of(cls, header: FoundHeader, slots: Slots) -> Frame:
        return cls(header, slots, frozenset(header.table.required))

    @property
    def settings(self) -> Mapping[str, Setting]:
        return self.slots.settings

    @property
    def columns(self) -> Mapping[int, Column]:
        return self.slots.columns

    @property
    def last(self) -> int:
        return max(self.columns)


def misfit(cell: Cell, column: Column, year: int) -> int:
    """How badly a cell fits a column: 0 fits or says nothing, 1 does not, 2 belongs elsewhere."""
    kind = cell.kind
    if kind in {CellKind.ERROR, CellKind.FORMULA, CellKind.BOOLEAN}:
        return 0
    text = strip_outer(str(cell.value)) if kind is CellKind.TEXT else ""
    if kind is CellKind.TEXT:
        if text in BLANK_WORDS:
            return 0
        if fold(text) in _STATUS_WORDS:
            return 0 if fold(text) in column.allowed else 2
    if column.kind is Kind.CHOICE:
        words = kind is CellKind.TEXT and _date_misfit(cell, text, year) and read_number(text, ()) is None
        return 1 if words else 2
    if column.kind is Kind.DATE:
        return _date_misfit(cell, text, year)
    if column.kind in _NUMERIC:
        return _number_misfit(cell, text, column)
    return _text_misfit(cell, text, column, year)


def _date_misfit(cell: Cell, text: str, year: int) -> int:
    if cell.kind is CellKind.DATE:
        return 0
    if cell.kind is CellKind.TEXT:
        return 0 if dates.from_text(text, year).problem != "C02" else 1
    if isinstance(cell.value, Decimal):
        read = dates.from_number(cell.value, cell.number_format, False)
        return 0 if read.problem != "C02" or read.hint else 1
    return 1


def _number_misfit(cell: Cell, text: str, column: Column) -> int:
    if cell.kind is CellKind.DATE:
        return 1
    value = cell.value if isinstance(cell.value, Decimal) else None
    if cell.kind is CellKind.TEXT:
        number = read_number(text, _AMOUNT_SUFFIXES)
        if number is None:
            return 0 if is_vague(text) and len(text) < 12 else 1
        value = number.value
    if value is None:
        return 1
    if column.kind is Kind.PERCENT:
        return 0 if 0 <= value <= 100 else 1
    if column.kind is Kind.SEQUENCE or column.kind is Kind.COUNT:
        return 0 if value == value.to_integral_value() else 1
    return 0


def _text_misfit(cell: Cell, text: str, column: Column, year: int) -> int:
    if column.field == "item_code":
        return int(len(fold(text)) > _LONGEST_CODE and not fold(text)[0].isdigit())
    if column.field not in _WORDY:
        return 0
    if cell.kind is not CellKind.TEXT:
        return 1
    if column.field == "unit_of_measure" and len(fold(text)) > _LONGEST_MEASURE:
        return 1
    if column.field == "indicator_name" and _ITEM_ID.fullmatch(fold(text)):
        return 1
    if read_number(text, ()) is not None:
        return 1
    return int(column.field not in _FREE and dates.from_text(text, year).problem != "C02")


def _score(
    cells: Mapping[int, Cell],
    frame: Frame,
    shift: Shift | None,
    year: int,
    known: dict[tuple[int, int], int] | None = None,
) -> int:
    """The misfits of a row read under a shift, a required cell left blank counting as one.

    `known` keeps what each cell is under each column, over the many shifts tried on one row.
    """
    score = 0
    known = {} if known is None else known
    used = set()
    for place, column in frame.columns.items():
        source = place if shift is None else shift.source(place)
        cell = None if source is None else cells.get(source)
        if cell is None:
            # a required cell that the shift itself has overwritten says nothing against it
            score += column.field in frame.required and source is not None
            continue
        used.add(source)
        pair = (cell.column, place)
        if pair not in known:
            known[pair] = misfit(cell, column, year)
        score += known[pair]
    if shift is not None:
        # what no column takes up would be lost by the repair
        score += sum(1 for place in cells if place not in used and place in frame.columns)
    return score


def _misfits(cells: Mapping[int, Cell], frame: Frame, year: int) -> bool:
    """Whether any cell does not fit its column: blanks alone are no shift, nor are a blank and
    a count with a fraction."""
    return any(
        place in cells and misfit(cells[place], column, year) and not _is_fraction(cells[place], column)
        for place, column in frame.columns.items()
    )


def _is_fraction(cell: Cell, column: Column) -> bool:
    """Whether a cell is a number in a column of whole numbers: doubtful (C12), not out of place."""
    return column.kind is Kind.COUNT and isinstance(cell.value, Decimal)


def has_stray_status(cells: Mapping[int, Cell], frame: Frame) -> bool:
    """Whether a word of the status column stands in another one: a shift's surest sign."""
    columns = frame.columns
    for place, cell in cells.items():
        if cell.kind is CellKind.TEXT and len(cell.raw) < 12 and fold(cell.raw) in _STATUS_WORDS:
            column = columns.get(place)
            if column is not None and not column.allowed:
                return True
    return False


def may_be_crooked(values: Mapping[str, ReadValue]) -> bool:
    """Whether a row's amounts leave room for a shift of the plan's columns: 合计 is not its parts."""
    if _FUNDS not in values:
        return False
    amounts = {name: values[name].value for name in (_FUNDS, *_PARTS) if name in values}
    return not adds_up({name: a if isinstance(a, int) else None for name, a in amounts.items()})


def find_shift(
    cells: Mapping[int, Cell], frame: Frame, year: int, items: Mapping[str, PlanItem] | None
) -> Shift | None:
    """The shift by which the cells of a row that don't fit would fit, None where there is none.

    `items` are the registered plan's items of the table by folded name, None without a plan.
    """
    known: dict[tuple[int, int], int] = {}
    base = _score(cells, frame, None, year, known)
    if base < 2 or not _misfits(cells, frame, year):
        return None
    best: tuple[int, bool, int, int, int, int] | None = None
    chosen: Shift | None = None
    for step in (step for step in _STEPS if base >= 2 * abs(step)):
        for start in frame.columns:
            # what was inserted is blank; the first cell that moved, and some more, are not
            if start + step not in cells or any(place in cells for place in range(start, start + step)):
                continue
            if sum(place + step in cells for place in frame.columns if place >= start) < _FEWEST_MOVED:
                continue
            shift = Shift(start, frame.last, step)
            score = _score(cells, frame, shift, year, known)
            lost = sum(
                shift.source(place) is None and column.field in frame.required
                for place, column in frame.columns.items()
            )
            # the further the step and the more it would have overwritten, the more it must explain
            if score * 4 > base or base - score - lost < 2 * abs(step):
                continue
            if _denied(cells, frame, shift, items):
                continue
            proved = is_proved(cells, frame, shift, items)
            matches = _plan_matches(cells, frame, shift, items)
            rank = (score, not proved, lost, -matches, abs(step), -start)
            if best is None or rank < best:
                best, chosen = rank, replace(shift, proved=proved)
    return chosen


def fits_better(cells: Mapping[int, Cell], frame: Frame, shift: Shift, year: int) -> bool:
    """Whether a row reads at least as well under a shift that others of its table have."""
    return _score(cells, frame, shift, year) <= _score(cells, frame, None, year)


def plan_amounts(cells: Mapping[int, Cell], frame: Frame, shift: Shift | None) -> dict[str, int | None]:
    """The plan's amounts as a row states them, in 分, read under a shift where one is given."""
    amounts: dict[str, int | None] = {}
    for name in _PLAN_MONEY:
        place = frame.header.columns.get(name)
        if place is None:
            continue
        source = place if shift is None else shift.source(place)
        cell = None if source is None else cells.get(source)
        value = parse(cell, COLUMNS[name], frame.settings[name]).read.value
        amounts[name] = value if isinstance(value, int) else None
    return amounts


def _name(cells: Mapping[int, Cell], frame: Frame, shift: Shift | None) -> str:
    place = frame.header.columns.get(frame.header.table.name_field)
    if place is None:
        return ""
    source = place if shift is None else shift.source(place)
    cell = None if source is None else cells.get(source)
    return fold(cell.raw) if cell is not None else ""


def _denied(
    cells: Mapping[int, Cell], frame: Frame, shift: Shift, items: Mapping[str, PlanItem] | None
) -> bool:
    """Whether the plan's figures that a shift would move stand where the registered plan has them."""
    item = (items or {}).get(_name(cells, frame, None))
    if item is None:
        return False
    moved = [
        (place, column)
        for place, column in frame.columns.items()
        if column.field in _PLAN_FIGURES and shift.source(place) != place and place in cells
    ]
    return bool(moved) and all(
        parse(cells[place], column, frame.settings[column.field]).read.value == item.values.get(column.field)
        for place, column in moved
    )


def _plan_matches(
    cells: Mapping[int, Cell], frame: Frame, shift: Shift, items: Mapping[str, PlanItem] | None
) -> int:
    item = (items or {}).get(_name(cells, frame, shift))
    if item is None:
        return 0
    amounts = _kept(plan_amounts(cells, frame, shift), frame, shift)
    return sum(item.values.get(name) == amount for name, amount in amounts.items())


def _kept(amounts: Mapping[str, int | None], frame: Frame, shift: Shift) -> dict[str, int | None]:
    """The amounts whose cells a shift has not overwritten."""
    columns = frame.header.columns
    return {name: amount for name, amount in amounts.items() if shift.source(columns[name]) is not None}


def adds_up(amounts: Mapping[str, int | None]) -> bool:
    """Whether 合计 is stated, a part of it is, and the parts make it up."""
    total = amounts.get(_FUNDS)
    parts = [amounts[name] for name in _PARTS if amounts.get(name) is not None]
    return total is not None and bool(parts) and sum(part or 0 for part in parts) == total


def is_proved(
    cells: Mapping[int, Cell], frame: Frame, shift: Shift, items: Mapping[str, PlanItem] | None
) -> bool:
    """Whether the plan columns prove a shift: it moves them, they add up after it, and they are
    the registered plan's, where one is registered."""
    columns = frame.header.columns
    moved = [
        name for name in (_FUNDS, *_PARTS) if name in columns and shift.source(columns[name]) != columns[name]
    ]
    amounts = plan_amounts(cells, frame, shift)
    if not moved or not adds_up(amounts):
        return False
    if items is None:
        return True
    item = items.get(_name(cells, frame, shift))
    if item is None:
        return False
    kept = _kept(amounts, frame, shift)
    return all(item.values.get(name) == amount for name, amount in kept.items())


def states_no_amounts(
    cells: Mapping[int, Cell], frame: Frame, shift: Shift, items: Mapping[str, PlanItem] | None
) -> bool:
    """Whether a row is of a planned item for which neither it nor the plan states any amount."""
    item = (items or {}).get(_name(cells, frame, shift))
    if item is None or any(item.values.get(name) is not None for name in _PLAN_MONEY):
        return False
    return all(amount is None for amount in plan_amounts(cells, frame, shift).values())


def find_plan_shift(
    cells: Mapping[int, Cell], frame: Frame, items: Mapping[str, PlanItem] | None
) -> Shift | None:
    """A proved shift of the plan's amounts alone, as in rows copied from the printed annex."""
    places = [frame.header.columns[name] for name in _PLAN_MONEY if name in frame.header.columns]
    amounts = plan_amounts(cells, frame, None)
    if len(places) < 3 or adds_up(amounts) or sum(a is not None for a in amounts.values()) < 2:
        return None
    if items is None or _name(cells, frame, None) not in items:
        return None
    if max(places) - min(places) != len(places) - 1:
        return None
    for shift in (Shift(min(places) + 1, max(places), -1), Shift(min(places), max(places), 1)):
        if is_proved(cells, frame, shift, items):
            return replace(shift, proved=True)
    return None


def common_shift(shifts: Sequence[Shift | None]) -> Shift | None:
    """The shift that at least two rows and more than half of them share, None where none is."""
    found = [shift for shift in shifts if shift is not None]
    if not found:
        return None
    step, number = Counter(shift.step for shift in found).most_common(1)[0]
    if number < 2 or number * 2 <= len(shifts):
        return None
    start, _ = Counter(shift.start for shift in found if shift.step == step).most_common(1)[0]
    return next(shift for shift in found if (shift.start, shift.step) == (start, step))
