"""What the ledger hands to exports, reports, forms and status: plain values as of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import Plan, Value


@dataclass(frozen=True, slots=True)
class CellSource:
    """Where one figure comes from: cell, raw text, what was done to it."""

    cell: str
    raw: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item's figures for one month.

    `values` by field (money in 分), None = not reported. Where `carried_forward`, the row is the
    last accepted one, from `reported_month`, its 本月 columns blank (CONTRACT §5, §6.4).
    """

    month: Month
    reported_month: Month
    table: str
    unit_code: str
    item_id: str
    values: Mapping[str, Value]
    sources: Mapping[str, CellSource]
    version: int
    source_sha256: str
    source_file: str
    source_sheet: str
    source_row: int
    received_at: datetime
    carried_forward: bool = False

    def fen(self, name: str) -> int | None:
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def number(self, name: str) -> Decimal | None:
        value = self.values.get(name)
        return value if isinstance(value, Decimal) else None

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One (file, table) received; the submissions export's columns.

    A file that could not be assigned has blank unit, a file without tables a blank table.
    `version` is None where nothing of the table stands. `timely` is None until something is
    accepted.
    """

    submission_id: int
    month: Month
    unit_code: str
    table: str
    sha256: str
    file_name: str
    received_at: datetime
    first_received_at: datetime
    first_accepted_at: datetime | None
    verdict: str
    timely: bool | None
    version: int | None
    superseded_by: str
    nil_report: bool = False


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding on record. `open` until a later submission of the same scope replaces its file."""

    month: Month
    unit_code: str
    finding: Finding
    source_sha256: str
    received_at: datetime
    open: bool
    submission_id: int


@dataclass(frozen=True, slots=True)
class Correction:
    """An accepted figure changed by a later submission (CONTRACT §1).

    `field` is a column's field or ``(row)`` for a withdrawn row; `old` and `new` are values of
    the column's kind.
    """

    month: Month
    item_id: str
    field: str
    old: Value
    new: Value
    unit_code: str
    received_at: datetime
    reason: str
    submission_id: int = 0


@dataclass(frozen=True, slots=True)
class UnitStanding:
    """Where one unit stands in one month: the line of `ledger status`.

    `state` is one of ``missing``, ``received`` (not yet checked), ``returned``, ``in_part``,
    ``accepted``, ``nil``.
    """

    unit_code: str
    state: str
    owes: tuple[str, ...]
    reported_tables: tuple[str, ...]
    first_received_at: datetime | None
    first_accepted_at: datetime | None
    timely: bool | None
    days_late: int | None
    versions: Mapping[str, int]
    errors_count: int
    warnings_count: int


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition (版) of a month's report, approved `by` someone `at` a moment.

    It holds the events up to `upto` and nothing later. `registry_files` and `files` are SHA-256 by name:
    the registry it was set with, and what was issued; `files` is empty until it is issued.
    """

    month: Month
    number: int
    at: datetime
    by: str
    upto: int
    plan_version: int
    registry_files: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``2018-08第1版``."""
        return f"{self.month}第{self.number}版"


@dataclass(frozen=True)
class MonthView:
    """A month as the ledger has it at a moment (`as_of`; None = now).

    `rows` holds per table every planned item that has figures, in item order, carried-forward
    ones included; an item never reported is absent. `units` are those that must report, in
    registry order. `editions` are the month's issued ones, in order; `later_editions` those of the
    year's later months, which print this month's figures too, and `later_months` the later months that
    anything was sent for, which are checked against them.
    """

    month: Month
    as_of: datetime | None
    plan: Plan
    rows: Mapping[str, tuple[ItemRow, ...]]
    submissions: tuple[SubmissionRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    corrections: tuple[Correction, ...] = ()
    standings: tuple[UnitStanding, ...] = ()
    deadline: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    editions: tuple[Edition, ...] = ()
    later_editions: tuple[Edition, ...] = ()
    later_months: tuple[Month, ...] = ()

    def row(self, item_id: str) -> ItemRow | None:
        for rows in self.rows.values():
            for row in rows:
                if row.item_id == item_id:
                    return row
        return None
