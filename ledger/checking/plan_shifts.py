"""Rows of the plan that stand off their columns: put right only where it is proved (F16, F17).

A row is taken for shifted where its amounts do not stand as an annex needs them (合计 = parts) or
where an amount stands in a column for text or dates. All its amounts, or all its cells from some
column on, are then moved together by one or two columns. The one move after which every cell
fits its column and the identity holds is a candidate. It is proved where every stated total over
it closes in every column with all candidates put right together. Otherwise the row's figures stay
blank: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from ledger.reading.model import Cell, CellKind, ReadValue
from ledger.reading.plan import PlanRow, PlanSheet, RowKind
from schemas.columns import Kind
from schemas.money import wan
from schemas.month import PartialDate

_STEPS = (1, -1, 2, -2)
_SERIAL_DAYS = (36526, 55153)
#: How many years around the plan's a bare number may mean in a column for dates or periods.
_YEARS_BEFORE, _YEARS_AFTER = 8, 20
#: Rows that also read well as they stand: so many are tried in every combination.
_MOST_WEAK = 8

#: How a cell reads in the column of that field.
Read = Callable[[Cell, str], ReadValue]


@dataclass(frozen=True, slots=True)
class Move:
    """One way to put a row right: `cells` by sheet column after moving by `step` columns.

    `misfits` counts the cells that would not fit their column, `at_home` those moved though they
    fitted where they stood; `amounts` are the row's amounts in 分 by field.
    """

    step: int
    cells: Mapping[int, Cell]
    moved: frozenset[int]
    misfits: int
    at_home: int
    amounts: Mapping[str, int]

    @property
    def whole_is_total(self) -> bool:
        return self.amounts.get("total_investment_fen") == self.amounts["funds_total_fen"]


@dataclass(slots=True)
class Shifts:
    """What became of a sheet's rows: `proved` moves by row, rows that stay `unproved`.

    `would_be` holds the candidate moves of unproved rows: what the row would say if the repair
    were proved.
    """

    proved: dict[int, Move] = field(default_factory=dict)
    unproved: set[int] = field(default_factory=set)
    would_be: dict[int, Move] = field(default_factory=dict)


class _Solver:
    def __init__(self, plan_sheet: PlanSheet, read: Read, year: int) -> None:
        self.sheet = plan_sheet
        self.read = read
        self.years = (year - _YEARS_BEFORE, year + _YEARS_AFTER)
        self.field_of = {column: name for name, column in plan_sheet.columns.items()}
        self.money = plan_sheet.money_fields
        self.money_columns = {plan_sheet.columns[name] for name in self.money}
        self.left = plan_sheet.columns.get(plan_sheet.table.name_field, 0)
        self.last = max(plan_sheet.columns.values(), default=0)
        self.parts = [name for name in self.money if name not in {"total_investment_fen", "funds_total_fen"}]
        self.dates = [n for n in plan_sheet.columns if plan_sheet.table.by_field[n].kind is Kind.DATE]

    def solve(self) -> Shifts:
        shifts = Shifts()
        if "funds_total_fen" not in self.money or len(self.parts) < 2:
            return shifts
        candidates: dict[int, Move] = {}
        weak: list[int] = []
        for row in self.sheet.rows:
            if row.kind not in {RowKind.ITEM, RowKind.TOTAL}:
                continue
            cells = self._filled(row.cells)
            stray = self._strays(cells)
            amounts = self._amounts(cells)
            if not stray and self._stands(amounts):
                continue
            move = self._candidate(cells)
            whole = self._complete_identity(amounts)
            if move is not None:
                candidates[row.row] = move
                if not stray and self._identity(amounts):
                    weak.append(row.row)
            elif (stray and not whole) or self._torn(cells):
                shifts.unproved.add(row.row)
        self._settle(shifts, candidates, weak)
        return shifts

    # --- one cell

    def amount(self, cell: Cell, name: str) -> int | None:
        """The amount in 分, None where the cell is none."""
        value = self.read(cell, name).value
        return value if isinstance(value, int) else None

    def is_date(self, cell: Cell, name: str) -> bool:
        return isinstance(self.read(cell, name).value, PartialDate)

    def _filled(self, cells: Mapping[int, Cell]) -> dict[int, Cell]:
        """The cells of a row without those that say in words that they are blank (—, 无)."""
        kept = {}
        for column, cell in cells.items():
            name = self.field_of.get(column)
            read = None if name is None else self.read(cell, name)
            if read is None or read.failed or read.value is not None:
                kept[column] = cell
        return kept

    # --- one row

    def _amounts(self, cells: Mapping[int, Cell]) -> dict[str, int]:
        """The amounts a row states, by field: what stands in its money columns."""
        amounts = {}
        for name in self.money:
            cell = cells.get(self.sheet.columns[name])
            value = None if cell is None else self.amount(cell, name)
            if value is not None:
                amounts[name] = value
        return amounts

    def _identity(self, amounts: Mapping[str, int]) -> bool:
        """Whether nothing contradicts 合计 = parts, as far as they are stated."""
        total = amounts.get("funds_total_fen")
        parts = [amounts[name] for name in self.parts if name in amounts]
        if total is None:
            return True
        return total == (sum(parts) if parts else amounts.get("total_investment_fen"))

    def _stands(self, amounts: Mapping[str, int]) -> bool:
        """Whether a row reads well where it is: nothing contradicts 合计 = parts, and where a part
        at the edge is blank, 总投资 = 合计 says that nothing has slipped.
        """
        if not self._identity(amounts):
            return False
        whole, total = amounts.get("total_investment_fen"), amounts.get("funds_total_fen")
        edge_filled = self.money[-1] in amounts
        return edge_filled or None in (whole, total) or whole == total

    def _complete_identity(self, amounts: Mapping[str, int]) -> bool:
        """The proof of a move: 合计 and every part are stated, and 合计 is their sum."""
        return all(name in amounts for name in ("funds_total_fen", *self.parts)) and self._identity(amounts)

    def _torn(self, cells: Mapping[int, Cell]) -> bool:
        """Amounts that cannot stand where they do, though no move mends them.

        合计 = parts does not hold, and either the last money column is blank and 总投资 is not 合计,
        or the first is blank and a number stands right of the last.
        """
        filled = [name for name in self.money if self.sheet.columns[name] in cells]
        amounts = self._amounts(cells)
        if len(filled) != len(amounts) or len(amounts) < 3 or len(amounts) == len(self.money):
            return False
        if self._identity(amounts):
            return False
        whole, total = amounts.get("total_investment_fen"), amounts.get("funds_total_fen")
        if self.money[-1] not in amounts:
            return None not in (whole, total) and whole != total
        beside = cells.get(self.sheet.columns[self.money[-1]] + 1)
        return self.money[0] not in amounts and beside is not None and beside.kind is CellKind.NUMBER

    def _fits(self, column: int, cell: Cell) -> bool:
        """Whether a cell is of its column's kind."""
        name = self.field_of.get(column)
        if name is None:
            return False
        kind = self.sheet.table.by_field[name].kind
        if kind is Kind.MONEY:
            return self.amount(cell, name) is not None
        if kind is Kind.DATE:
            return self.is_date(cell, name) and not self._stray(column, cell)
        if self._stray(column, cell):
            return False
        return name == "period" or not (cell.kind is CellKind.DATE or self._date_text(cell))

    def _date_text(self, cell: Cell) -> bool:
        return cell.kind is CellKind.TEXT and any(self.is_date(cell, name) for name in self.dates)

    def _stray(self, column: int, cell: Cell) -> bool:
        """A number where the header has text or a date."""
        if column <= self.left or column in self.money_columns:
            return False
        name = self.field_of.get(column)
        if name is None:
            # beyond the table; a column of its own that the plan does not know is not a stray
            return (
                cell.kind is CellKind.NUMBER and column == self.last + 1 and self.last in self.money_columns
            )
        kind = self.sheet.table.by_field[name].kind
        value = self._number(cell, kind)
        if value is None:
            return False
        if kind is Kind.DATE:
            return not (_within(value, _SERIAL_DAYS) or _within(value, self.years))
        return not (name == "period" and _within(value, self.years))

    def _number(self, cell: Cell, kind: Kind) -> Decimal | None:
        """The number a cell is, or is written as where a date should be."""
        if isinstance(cell.value, Decimal):
            return cell.value
        written = kind is Kind.DATE and cell.kind is CellKind.TEXT and not self.is_date(cell, self.dates[0])
        amount = self.amount(cell, "funds_total_fen") if written else None
        return None if amount is None else wan(amount)

    def _strays(self, cells: Mapping[int, Cell]) -> list[int]:
        return [column for column, cell in cells.items() if self._stray(column, cell)]

    def _candidate(self, cells: Mapping[int, Cell]) -> Move | None:
        """The one move that makes the row whole; None where there is none, or several differ."""
        moves = [move for step in _STEPS for move in self._moves(cells, step)]
        if not moves:
            return None
        best = _least(moves, lambda move: move.misfits)
        # 总投资 = 合计 tells a number that moved along from one that did not
        best = [move for move in best if move.whole_is_total] or best
        best = _least(best, lambda move: move.at_home)
        if len({tuple(sorted(move.amounts.items())) for move in best}) > 1:
            return None
        return min(best, key=lambda move: (len(move.moved), abs(move.step)))

    def _moves(self, cells: Mapping[int, Cell], step: int) -> Iterable[Move]:
        right = {column for column in cells if column > self.left}
        amounts = {column for column in right if self._is_amount(column, cells[column])}
        serials = {column for column in right if self._could_be_amount(column, cells[column])}
        blocks = [amounts, amounts | serials]
        if amounts:
            blocks += [{c for c in right if c >= start} for start in range(self.left + 1, min(amounts) + 1)]
            blocks += self._behind_gaps(cells, amounts, serials, step)
        tried: set[frozenset[int]] = set()
        for block in blocks:
            moved = frozenset(block)
            if not moved or moved in tried:
                continue
            tried.add(moved)
            move = self._move(cells, moved, step)
            if move is not None:
                yield move

    def _behind_gaps(
        self, cells: Mapping[int, Cell], amounts: set[int], serials: set[int], step: int
    ) -> Iterable[set[int]]:
        """What was pushed right by blank cells put into the row, from its first column on."""
        for start in range(1 - step, max(amounts) + 1) if step < 0 else ():
            if start in cells and not any(column in cells for column in range(start + step, start)):
                behind = {column for column in cells if column >= start}
                yield from (behind, behind & amounts, behind & (amounts | serials))

    def _is_amount(self, column: int, cell: Cell) -> bool:
        if column in self.money_columns:
            return self.amount(cell, self.field_of[column]) is not None
        return self._stray(column, cell)

    def _could_be_amount(self, column: int, cell: Cell) -> bool:
        name = self.field_of.get(column)
        dated = name is not None and self.sheet.table.by_field[name].kind is Kind.DATE
        return (dated or name == "period") and cell.kind is CellKind.NUMBER

    def _move(self, cells: Mapping[int, Cell], moved: frozenset[int], step: int) -> Move | None:
        stay = {column: cell for column, cell in cells.items() if column not in moved}
        result = dict(stay)
        for column in moved:
            target = column + step
            if target in stay or target not in self.field_of:
                return None
            result[target] = cells[column]
        if any(c in result and not self._fits(c, result[c]) for c in self.money_columns):
            return None
        if self._strays(result):
            return None
        amounts = self._amounts(result)
        if not self._complete_identity(amounts):
            return None
        misfits = sum(not self._fits(c, cell) for c, cell in result.items() if c > self.left)
        text_columns = moved - self.money_columns
        at_home = sum(self._fits(column, cells[column]) for column in text_columns)
        return Move(step, result, moved, misfits, at_home, amounts)

    # --- all rows together

    def _settle(self, shifts: Shifts, candidates: Mapping[int, Move], weak: Sequence[int]) -> None:
        """Prove the candidates together; rows that also stand well are tried in and out.

        The largest set of them over which every total closes is taken, where there is but one.
        """
        sound = [row for row in candidates if row not in weak]
        tried = weak[:_MOST_WEAK]
        for size in range(len(tried), -1, -1):
            closing = []
            for chosen in combinations(tried, size):
                attempt = Shifts(unproved=set(shifts.unproved))
                attempt.would_be = {row: candidates[row] for row in (*sound, *chosen)}
                self._prove(attempt)
                if all(row in attempt.proved for row in chosen):
                    closing.append(attempt)
            if len(closing) == 1 or size == 0:
                shifts.proved, shifts.unproved = closing[0].proved, closing[0].unproved
                shifts.would_be = closing[0].would_be
                return

    def _prove(self, shifts: Shifts) -> None:
        """Keep the candidates over which every stated total closes; the rest stay unproved.

        A row that falls takes with it whatever was proved only with its help.
        """
        by_row = {row.row: row for row in self.sheet.rows}
        while True:
            open_rows = {row for row in shifts.would_be if row not in shifts.unproved}
            fallen: set[int] = set()
            for total in self.sheet.totals:
                concerned = {row for row in (total.row, *total.covers) if row in open_rows}
                if concerned and not self._closes(total, by_row, shifts):
                    fallen |= concerned
            if not fallen:
                break
            shifts.unproved |= fallen
        for row in open_rows:
            shifts.proved[row] = shifts.would_be.pop(row)

    def _stated(self, row: PlanRow, shifts: Shifts) -> Mapping[str, int]:
        move = shifts.would_be.get(row.row)
        return self._amounts(row.cells) if move is None else move.amounts

    def _closes(self, total: PlanRow, by_row: Mapping[int, PlanRow], shifts: Shifts) -> bool:
        if total.row in shifts.unproved:
            return True  # its figures are unknown: it says nothing for or against
        stated = self._stated(total, shifts)
        if stated and any(row in shifts.unproved for row in total.covers):
            return False
        figures = {row: self._stated(by_row[row], shifts) for row in total.covers}
        lost = [amounts for row, amounts in figures.items() if row in shifts.would_be]
        return all(
            sum(amounts.get(name, 0) for amounts in figures.values()) == value
            for name, value in stated.items()
            # a column in which a shifted row has lost its figure says nothing for or against
            if all(name in amounts for amounts in lost)
        )


def _least(moves: Sequence[Move], cost: Callable[[Move], int]) -> list[Move]:
    fewest = min(map(cost, moves))
    return [move for move in moves if cost(move) == fewest]


def _within(value: Decimal, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= value <= bounds[1]


def find_shifts(plan_sheet: PlanSheet, read: Read, year: int) -> Shifts:
    """Find the shifted rows of the sheet of a plan for `year`, and what is proved of them."""
    return _Solver(plan_sheet, read, year).solve()
