"""A row against the months before it (H01–H06), and against what it replaces (F15).

The first month of the programme has no month before it: all of this starts with the second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

from ledger.checking.matching import one_line
from ledger.checking.model import History, RowValues
from ledger.checking.places import Row, TableInHand, at_table, difference, label, plain_text, same, shown
from schemas.columns import NEED_STATUSES, PROJECT_STATUSES, Column, Kind
from schemas.finding import Effect, Finding, Severity
from schemas.money import FEN_PER_WAN, plain
from schemas.month import Month
from schemas.plan import Value
from schemas.tables import TABLES, Table

#: H04 speaks from the programme's fourth month on, H05 looks three months back.
_FOURTH = 3
_LOOK_BACK = 3
_OUTSIZED = 3
#: The ways a status goes; 已取消 and 已终止 stand outside.
_WAYS: Final = {"status": PROJECT_STATUSES[:-1], "need_status": NEED_STATUSES[:-1]}


def check_history(row: Row, history: History, month: Month, first_month: Month, *, explanation: str) -> None:
    """H01–H05 for one row; `explanation` is the cover's 更正说明 ('' where there is none).

    Where an explained fall stands, the reader's C04 at the negative 本月 is taken back.
    """
    if row.item is None or row.foreign or month <= first_month:
        return
    item_id = row.item.item_id
    before = history.at(item_id, month.plus(-1))
    if before is not None:
        explained = bool(explanation) or not row.is_blank("remarks")
        values = row.read.values
        for column in _chained(row.table.key):
            read = values.get(column.field)
            value = None if read is None else read.value
            if value is None:
                continue
            if column.cumulative:
                earlier = before.get(column.field)
                if earlier is not None and _less(value, earlier):
                    _fall(row, column, value, earlier, explained=explained)
            if column.cumulative_of:
                _step_against_month(row, column, before)
        _status_back(row, before)
        if month.index - first_month.index >= _FOURTH:
            _outsized_steps(row, history.rows[item_id], month)
    three_before = history.at(item_id, month.plus(-_LOOK_BACK))
    if three_before is not None:
        _standing_still(row, three_before)


@cache
def _chained(table_key: str) -> tuple[Column, ...]:
    """The columns that continue from month to month: 累计, 形象进度 and so on, and 本月."""
    return tuple(c for c in TABLES[table_key].reported if c.cumulative or c.cumulative_of)


def _less(value: Value, earlier: Value) -> bool:
    if isinstance(value, int) and isinstance(earlier, int):
        return value < earlier
    smaller = isinstance(value, Decimal) and isinstance(earlier, Decimal) and value < earlier
    return smaller and not same(value, earlier)


def _fall(row: Row, column: Column, value: Value, earlier: Value, *, explained: bool) -> None:
    """H01: below last month; a warning where 备注 or 更正说明 says why."""
    text = f"{label(column)} {shown(value, column)}小于上月 {shown(earlier, column)}"
    softened = {"severity": Severity.WARNING, "effect": Effect.STANDS} if explained else {}
    row.add(
        "H01",
        column.field,
        f"{text}，已有说明" if explained else text,
        expected=plain_text(earlier, column),
        difference=difference(value, earlier),
        **softened,
    )
    if explained:
        _allow_negative_month(row, column)


def _allow_negative_month(row: Row, cumulative: Column) -> None:
    for column in row.table.reported:
        if column.cumulative_of == cumulative.field:
            read = row.read.values.get(column.field)
            cell = read.cell if read is not None else ""
            row.findings = [f for f in row.findings if not (f.rule == "C04" and f.cell == cell)]


def _step_against_month(row: Row, column: Column, before: RowValues) -> None:
    """H02, at the 累计 cell: 累计 ≠ last month's 累计 + 本月."""
    cumulative = row.table.by_field[column.cumulative_of]
    this, total, earlier = (
        row.value(column.field),
        row.value(cumulative.field),
        before.get(cumulative.field),
    )
    expected = _plus(earlier, this)
    if expected is None or total is None or same(total, expected):
        return
    row.add(
        "H02",
        cumulative.field,
        f"{label(cumulative)} {shown(total, cumulative)}，"
        f"上月累计 {shown(earlier, cumulative)}，加{label(column)} {shown(this, column)}，"
        f"应为 {shown(expected, cumulative)}",
        expected=plain_text(expected, cumulative),
        difference=difference(total, expected),
    )


def _plus(one: Value, other: Value) -> Value:
    """The sum of two amounts in 分 or of two quantities, None where one is not stated."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return one + other if isinstance(one, Decimal) and isinstance(other, Decimal) else None


def _status_back(row: Row, before: RowValues) -> None:
    """H03: the status stands earlier on its way than last month."""
    for name, way in _WAYS.items():
        if name not in row.table.by_field:
            continue
        status, earlier = row.value(name), before.get(name)
        if status in way and earlier in way and way.index(str(status)) < way.index(str(earlier)):
            column = row.table.by_field[name]
            row.add("H03", name, f"{label(column)}由上月“{earlier}”退回“{status}”", expected=str(earlier))


@cache
def _accumulated(table_key: str) -> tuple[Column, ...]:
    """The 累计 columns, whose monthly steps are compared."""
    return tuple(c for c in TABLES[table_key].reported if c.cumulative and c.export_name.endswith("_cum"))


def _largest_step(figures: Sequence[Value]) -> tuple[int | Decimal, int | Decimal] | None:
    """The last figure stated and the largest step so far, the first counted from 0.

    None where last month states none. Amounts stay in 分: only what is said of them is in 万元.
    """
    last: int | Decimal = 0
    largest: int | Decimal | None = None
    for figure in figures:
        if isinstance(figure, (int, Decimal)):
            step = figure - last
            largest = step if largest is None else max(largest, step)
            last = figure
    if largest is None or not isinstance(figures[-1], (int, Decimal)):
        return None
    return last, largest


def _in_units(figure: int | Decimal) -> Decimal:
    """An amount in 万元, or a quantity."""
    return Decimal(figure) / FEN_PER_WAN if isinstance(figure, int) else figure


def _outsized_steps(row: Row, months: Mapping[Month, RowValues], month: Month) -> None:
    """H04: this month's step of a 累计 column is over three times the largest so far."""
    earlier = [months[m] for m in sorted(m for m in months if m < month)]
    values = row.read.values
    for column in _accumulated(row.table.key):
        read = values.get(column.field)
        value = None if read is None else read.value
        if not isinstance(value, (int, Decimal)):
            continue
        so_far = _largest_step([figures.get(column.field) for figures in earlier])
        if so_far is None:
            continue
        last, largest = so_far
        if largest <= 0 or value - last <= _OUTSIZED * largest:
            continue
        bound = _in_units(last + _OUTSIZED * largest)
        unit = f" {column.unit}" if column.unit else ""
        row.add(
            "H04",
            column.field,
            f"{label(column)}本月增加 {plain(_in_units(value - last))}{unit}，"
            f"超过此前最大月增 {plain(_in_units(largest))}{unit}的 3 倍",
            expected=plain(bound),
            difference=_in_units(value) - bound,
        )


def _standing_still(row: Row, three_before: RowValues) -> None:
    """H05: 在建, and no cumulative figure or progress differs from three months before."""
    if row.value("status") != "在建":
        return
    for column in row.table.reported:
        if column.cumulative and (
            row.read.failed(column.field) or not same(row.value(column.field), three_before.get(column.field))
        ):
            return
    row.add("H05", "status", "在建，但形象进度和各项累计数三个月没有变化")


def missing_months(
    hand: TableInHand, history: History, unit_code: str, month: Month, first_month: Month
) -> None:
    """H06: last month's table, or only a row's, is missing, so that H01–H03 can't be checked."""
    if month <= first_month:
        return
    before = month.plus(-1)
    rows = [
        row
        for row in hand.checked_rows
        if row.item is not None and not row.foreign and row.item_id not in history.added
    ]
    if not rows:
        return
    if (unit_code, hand.table.key, before) not in history.reported:
        text = f"没有 {before.chinese}的{hand.table.title}表，与上月的衔接未能核对"
        hand.findings.append(at_table("H06", hand.table, text))
        return
    for row in rows:
        if history.at(row.item_id or "", before) is None:
            name = row.table.name_field
            row.add("H06", name, f"没有本项 {before.chinese}的数字，与上月的衔接未能核对")


def unexplained_replacement(
    table: Table, accepted: Mapping[str, Row], kept: frozenset[str], current: Mapping[str, RowValues]
) -> Finding | None:
    """F15: an accepted figure changes or vanishes, and the cover gives no 更正说明.

    `accepted` are the rows that stand now, `current` those accepted before for the same month;
    `kept` are items whose row is returned this time, so that the accepted one stays.
    """
    changes = [change for item_id in current for change in _changes(table, item_id, accepted, kept, current)]
    if not changes:
        return None
    return at_table("F15", table, f"更正了已采用的数字，但封面没有更正说明：{'；'.join(changes)}")


def _changes(
    table: Table,
    item_id: str,
    accepted: Mapping[str, Row],
    kept: frozenset[str],
    current: Mapping[str, RowValues],
) -> Sequence[str]:
    row = accepted.get(item_id)
    if row is None:
        return () if item_id in kept else (f"{item_id} 不再报送",)
    name = one_line(row.item.name) if row.item is not None else item_id
    return [
        f"{name}{label(column)}由“{shown(old, column)}”改为“{shown(row.value(column.field), column)}”"
        for column in table.reported
        if column.kind is not Kind.TEXT
        and (old := current[item_id].get(column.field)) is not None
        and not same(old, row.value(column.field))
    ]
