"""The frames: what must be true of a row, as pandera schemas derived from schemas.tables.

A batch's rows of one table stand in one frame, and pandera is called once on it (docs/decisions/
0004: a call costs the same whatever the rows). A frame has two parts:

* typed columns: the reported figures (money Int64 in 分, dates as the first and the last day they
  can mean), the plan's figures of the same item, and whether a date is blank;
* tests: for each rule that compares cells of one row, a column with the room that is left —
  0 or more where the rule is kept, below 0 where it is broken, NA where it can't be told. The
  room is computed by `derive` from the typed columns alone; pandera's check is ``room >= 0``.

The rooms' names and the cells they are reported at are declared here, once; messages are made in
ledger.checking. Importing this module costs the better part of a second (pandas, pandera).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pandas as pd
import pandera.pandas as pa

from schemas.columns import Column, Kind
from schemas.tables import INDICATORS, PROJECTS, TABLES, Table

Frame = pd.DataFrame
Room = pd.Series

#: Amounts beyond this many 分 (90 万亿元) are cut to it in frames: no real figure comes near, and
#: products stay in 64 bits. Findings show the figure itself.
AMOUNT_LIMIT = 9 * 10**15
#: How many times the planned amount looks like 元 in a 万元 column (C09).
YUAN_FACTOR = 1000

_INVESTMENT = "total_investment_fen"
_FUNDS = "funds_total_fen"
#: The plan's target where its unit of measure is 万元 (C09 for an indicator of money).
TARGET_WAN = "target in wan"
_PAID_BY_RECEIVED = {
    "fiscal_paid_cum_fen": "fiscal_received_cum_fen",
    "self_paid_cum_fen": "self_received_cum_fen",
}
_PAYMENTS = ("fiscal_paid_month_fen", "self_paid_month_fen", "fiscal_paid_cum_fen", "self_paid_cum_fen")
_DATES_IN_ORDER = ("start_actual", "finish_actual", "accept_actual")
#: The dates a status needs (R10).
NEEDED_DATES: dict[str, tuple[str, ...]] = {
    "在建": ("start_actual",),
    "已完工": ("start_actual", "finish_actual"),
    "已验收": ("start_actual", "finish_actual", "accept_actual"),
}
_NOT_STARTED = "未开工"
_FINISHED = ("已完工", "已验收")


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a rule: where it is reported (`field`), with what it compares (`other`).

    `room` computes the room left, an Int64 series, from the frame's typed columns (and, for C09,
    working columns that the tests share).
    """

    rule: str
    field: str
    other: str
    room: Callable[[Frame], Room]

    @property
    def name(self) -> str:
        """The test's column in the frame."""
        return f"{self.rule} {self.field} {self.other}"


def planned(field: str) -> str:
    """The frame's column with the plan's figure for `field` (a plan column)."""
    return f"planned {field}"


def first_day(field: str) -> str:
    """The frame's column with the first day a date can mean, as the number YYYYMMDD."""
    return f"{field} first day"


def last_day(field: str) -> str:
    """The frame's column with the last day a date can mean, as the number YYYYMMDD."""
    return f"{field} last day"


def blank(field: str) -> str:
    """The frame's column saying that a date cell is blank (not: unreadable)."""
    return f"{field} blank"


def typed_columns(table: Table) -> dict[str, str]:
    """The typed part of a table's frame: column name → pandas dtype."""
    columns: dict[str, str] = {}
    for column in table.reported:
        match column.kind:
            case Kind.MONEY:
                columns[column.field] = "Int64"
            case Kind.PERCENT | Kind.COUNT | Kind.QUANTITY:
                columns[column.field] = "Float64"
            case Kind.CHOICE:
                columns[column.field] = "string"
            case Kind.DATE:
                columns[first_day(column.field)] = "Int64"
                columns[last_day(column.field)] = "Int64"
                columns[blank(column.field)] = "boolean"
            case Kind.TEXT | Kind.SEQUENCE:
                pass
    for source in planned_fields(table):
        columns[planned(source)] = "Int64"
    if "target" in table.by_field:
        columns[TARGET_WAN] = "Float64"
    return columns


def planned_fields(table: Table) -> tuple[str, ...]:
    """The plan columns that a table's reported money is compared with."""
    sources = [column.source for column in table.reported if column.source]
    totals = [field for field in (_INVESTMENT, _FUNDS) if field in table.by_field]
    return tuple(dict.fromkeys([*sources, *totals]))


def _broken(when: Room) -> Room:
    """Room −1 where `when` is True, 0 where False, NA where unknown."""
    return -when.astype("boolean").astype("Int64")


def _minus(minuend: str, subtrahend: str) -> Callable[[Frame], Room]:
    return lambda frame: frame[minuend] - frame[subtrahend]


def _yuan_room(source: str) -> str:
    """The working column with the largest amount that does not look like 元, by source of money."""
    return f"most {source}"


def _with_yuan_rooms(frame: Frame, table: Table) -> Frame:
    """C09: under 1,000 times the planned figure of the source, or of all where it has none; where
    nothing is planned, under what no amount in 万元 can be."""
    if not any(column.kind is Kind.MONEY for column in table.reported):
        return frame
    total = frame[planned(_INVESTMENT)].fillna(frame[planned(_FUNDS)])
    total = total.where((total > 0).fillna(False), AMOUNT_LIMIT // YUAN_FACTOR)
    most = {_yuan_room(""): total * YUAN_FACTOR - 1}
    for source in {column.source for column in table.reported if column.source}:
        of_source = frame[planned(source)]
        basis = of_source.where((of_source > 0).fillna(False), total)
        most[_yuan_room(source)] = basis * YUAN_FACTOR - 1
    return frame.assign(**most)


def _yuan_indicator(field: str) -> Callable[[Frame], Room]:
    def room(frame: Frame) -> Room:
        target = frame[TARGET_WAN]
        return _broken((target > 0) & (frame[field] >= target * YUAN_FACTOR))

    return room


def _not_started_with(column: Column) -> Callable[[Frame], Room]:
    def room(frame: Frame) -> Room:
        idle = frame["status"] == _NOT_STARTED
        if column.kind is Kind.DATE:
            return _broken(idle & frame[first_day(column.field)].notna())
        return _broken(idle & (frame[column.field] != 0))

    return room


def _finished_below_100(frame: Frame) -> Room:
    return _broken(frame["status"].isin(_FINISHED) & (frame["progress_pct"] < 100))


def _without(field: str, room: Callable[[Frame], Room]) -> Callable[[Frame], Room]:
    """`room` only where the date between the two is not known: else it is compared with both."""
    return lambda frame: room(frame).where(frame[first_day(field)].isna())


def _needs_date(field: str) -> Callable[[Frame], Room]:
    statuses = [status for status, dates in NEEDED_DATES.items() if field in dates]
    return lambda frame: _broken(frame["status"].isin(statuses) & frame[blank(field)])


def _project_tests() -> Iterator[Test]:
    by_field = PROJECTS.by_field
    for paid, received in _PAID_BY_RECEIVED.items():
        yield Test("R03", paid, received, _minus(received, paid))
    yield Test("R05", "invested_cum_fen", _INVESTMENT, _minus(planned(_INVESTMENT), "invested_cum_fen"))
    for field in ("progress_pct", *_PAYMENTS, "start_actual"):
        yield Test("R06", "status", field, _not_started_with(by_field[field]))
    yield Test("R06", "status", "100", _finished_below_100)
    start, finish, accept = _DATES_IN_ORDER
    yield Test("R07", finish, start, _minus(last_day(finish), first_day(start)))
    yield Test("R07", accept, finish, _minus(last_day(accept), first_day(finish)))
    yield Test("R07", accept, start, _without(finish, _minus(last_day(accept), first_day(start))))
    for field in _DATES_IN_ORDER:
        yield Test("R10", field, "", _needs_date(field))


def _money_tests(table: Table) -> Iterator[Test]:
    for column in table.reported:
        if column.kind is not Kind.MONEY:
            continue
        yield Test("C09", column.field, column.source, _minus(_yuan_room(column.source), column.field))
        if column.source and column.field.endswith("_received_cum_fen"):
            yield Test("R04", column.field, column.source, _minus(planned(column.source), column.field))


@cache
def tests(table_key: str) -> dict[str, Test]:
    """The tests of a table by the name of their column in the frame."""
    table = TABLES[table_key]
    found = [*_money_tests(table)]
    if table is PROJECTS:
        found += _project_tests()
    if table is INDICATORS:
        found += [
            Test("C09", c.field, "target", _yuan_indicator(c.field))
            for c in (table.by_field["done_month"], table.by_field["done_cum"])
        ]
    return {test.name: test for test in found}


def derive(frame: Frame, table_key: str) -> Frame:
    """The frame with its tests' rooms beside the typed columns."""
    working = _with_yuan_rooms(frame, TABLES[table_key])
    rooms = {name: test.room(working).astype("Int64") for name, test in tests(table_key).items()}
    return pd.concat([frame, pd.DataFrame(rooms, index=frame.index)], axis=1)


@cache
def schema(table_key: str) -> pa.DataFrameSchema:
    """The pandera schema of a table's frame, typed columns and rooms; nothing is coerced."""
    table = TABLES[table_key]
    choices = {c.field: c.allowed for c in table.reported if c.kind is Kind.CHOICE}
    percents = {c.field for c in table.reported if c.kind is Kind.PERCENT}
    columns: dict[str, pa.Column] = {}
    for name, dtype in typed_columns(table).items():
        checks = []
        if name in choices:
            checks.append(pa.Check.isin(choices[name], error="C05"))
        if name in percents:
            checks.append(pa.Check.in_range(0, 100, error="C03"))
        columns[name] = pa.Column(dtype, checks, nullable=True, coerce=False)
    for name, test in tests(table_key).items():
        columns[name] = pa.Column(
            "Int64", pa.Check.ge(0, error=test.rule), nullable=True, coerce=False, description=test.rule
        )
    return pa.DataFrameSchema(
        columns, name=table_key, strict=True, coerce=False, index=pa.Index("int64", unique=True)
    )
