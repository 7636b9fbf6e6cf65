"""A table's columns made ready: what every row asks of a column is worked out once.

The workbooks of a batch repeat their headers, and most of their cells: the same status, the same
nought, the same month. A slot remembers what such a cell became. Only what raised nothing is kept,
for a finding names its cell; the rest is read by ledger.reading.values, as is everything that the
short ways below do not settle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.reading.header import FoundHeader
from ledger.reading.model import Cell, CellKind, ReadValue, column_letters
from ledger.reading.numbers import BLANK_WORDS, strip_outer
from ledger.reading.values import MOST_DIGITS, Parsed, Setting, parse, unit_step
from ledger.reading.words import MONEY_UNITS
from schemas.columns import Column, Kind
from schemas.money import FEN_PER_WAN
from schemas.plan import Value
from schemas.tables import Table

_MOST_FRAMES = 256
_MOST_CELLS = 1024
#: Longer texts do not come twice.
_LONGEST_KEPT = 40

#: Past the constructors of named tuples: a workbook has hundreds of cells.
_new = tuple.__new__

_Kept = tuple[Value, tuple[str, ...], bool]


class Slot:
    """One column of a table where it stands on the sheet, and what its cells are read against."""

    __slots__ = (
        "_kept",
        "_measured",
        "_money",
        "_planned",
        "_setting",
        "_steps",
        "_text",
        "column",
        "field",
        "here",
        "letters",
    )

    def __init__(self, here: int, column: Column, setting: Setting, *, planned: bool) -> None:
        self.here = here
        self.column = column
        self.field = column.field
        self.letters = column_letters(here)
        self._setting = setting
        self._planned = planned
        self._money = setting.fen_per_unit if column.kind is Kind.MONEY else 0
        self._steps = unit_step(setting.fen_per_unit)
        self._text = column.kind is Kind.TEXT
        self._kept: dict[bool, dict[tuple[object, ...], _Kept]] = {False: {}, True: {}}
        self._measured: dict[str, Slot] = {}

    def measured(self, measure: str) -> Slot:
        """The same for a row whose 计量单位 is `measure`, where the column is counted in it."""
        if not measure or self.column.kind is not Kind.QUANTITY:
            return self
        if measure not in self._measured:
            if len(self._measured) > _MOST_FRAMES:
                self._measured.clear()
            setting = replace(self._setting, measure=measure)
            self._measured[measure] = Slot(self.here, self.column, setting, planned=self._planned)
        return self._measured[measure]

    def blank(self, row: str) -> ReadValue:
        """What stands in a row where the cell is blank; `row` is its number."""
        return _new(ReadValue, (None, self.letters + row, "", (), False))

    def read(self, cell: Cell, where: str, *, needed: bool) -> Parsed:
        """The cell's value as `parse` reads it; `where` is the cell's own address."""
        _, _, kind, held, raw, _, _ = cell
        if self._money and kind is CellKind.NUMBER:
            fen = _whole_fen(held, self._money)
            if fen is not None:
                return _new(Parsed, (_new(ReadValue, (fen, where, raw, self._steps, False)), ()))
        elif self._text and kind is CellKind.TEXT and isinstance(held, str):
            text = strip_outer(held)
            if text and text not in BLANK_WORDS:
                return _new(Parsed, (_new(ReadValue, (text, where, raw, (), False)), ()))
        elif len(raw) <= _LONGEST_KEPT:
            return self._read_known(cell, where, needed=needed)
        return self._parse(cell, needed=needed)

    def _read_known(self, cell: Cell, where: str, *, needed: bool) -> Parsed:
        kept = self._kept[needed]
        same = cell[2:]  # all but the place
        known = kept.get(same)
        if known is not None:
            value, steps, failed = known
            return _new(Parsed, (_new(ReadValue, (value, where, cell.raw, steps, failed)), ()))
        parsed = self._parse(cell, needed=needed)
        if not parsed.findings:
            if len(kept) > _MOST_CELLS:
                kept.clear()
            kept[same] = (parsed.read.value, parsed.read.steps, parsed.read.failed)
        return parsed

    def _parse(self, cell: Cell, *, needed: bool) -> Parsed:
        planned = self._planned and not needed
        return parse(cell, self.column, self._setting, required=needed, plan_column=planned)


def _whole_fen(held: object, fen_per_unit: int) -> int | None:
    """An amount in whole 分 that is nought or more, None where there is anything to say about it."""
    if not isinstance(held, Decimal) or not held.is_finite() or held.adjusted() >= MOST_DIGITS:
        return None
    exact = held * fen_per_unit
    fen = int(exact)
    return fen if fen >= 0 and fen == exact else None


@dataclass(frozen=True, slots=True)
class Slots:
    """A table's slots from left to right; the places of the status and of the 计量单位."""

    table: Table
    all: tuple[Slot, ...]
    settings: Mapping[str, Setting]
    columns: Mapping[int, Column]
    status: Slot | None


_KNOWN: dict[tuple[object, ...], Slots] = {}


def slots_of(header: FoundHeader, setting: Setting, money_unit: str) -> Slots:
    """The slots under a header; `money_unit` is the caption's unit of money, '' where it states none.

    A heading that names its own unit goes before the caption's.
    """
    table = header.table
    key = (id(table), setting, money_unit, *header.columns.items(), *header.units.items())
    known = _KNOWN.get(key)
    if known is None or known.table is not table:
        if len(_KNOWN) > _MOST_FRAMES:
            _KNOWN.clear()
        known = _KNOWN[key] = _make(header, setting, money_unit)
    return known


def _make(header: FoundHeader, setting: Setting, money_unit: str) -> Slots:
    table = header.table
    worth = MONEY_UNITS.get(money_unit, FEN_PER_WAN)
    common = setting if worth == setting.fen_per_unit else replace(setting, fen_per_unit=worth)
    settings = dict.fromkeys(header.columns, common)
    for name, unit in header.units.items():
        if MONEY_UNITS[unit] != worth:
            settings[name] = replace(setting, fen_per_unit=MONEY_UNITS[unit])
    columns = dict(sorted((place, table.by_field[name]) for name, place in header.columns.items()))
    slots = tuple(
        Slot(place, column, settings[column.field], planned=column.field in table.plan_fields)
        for place, column in columns.items()
    )
    status = next((slot for slot in slots if slot.column.allowed), None)
    return Slots(table, slots, settings, columns, status)
