"""What checking works with and hands on.

`Context` is all it knows beside the file: the plan, what was accepted before, the calendar of the
programme. It is plain data, so that `ledger check` needs no database and tests need no ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ledger.reading.model import ReadRow, Submission
from schemas.finding import Finding, Severity
from schemas.month import Month
from schemas.plan import Plan, Value

RowValues = Mapping[str, Value]


@dataclass(frozen=True)
class History:
    """What the ledger holds of earlier months.

    `rows` maps an item id to its accepted, current rows by month (only months really reported:
    nothing carried forward). `reported` holds the (unit code, table, month) with a current
    accepted version. `current` holds, for (unit code, table) of the month being filed, the rows
    accepted so far by item id — what a replacement would replace (F15). `added` are the items that
    the plan of the month before did not have: nothing of them can be missing there (H06).
    """

    rows: Mapping[str, Mapping[Month, RowValues]] = field(default_factory=dict)
    reported: frozenset[tuple[str, str, Month]] = frozenset()
    current: Mapping[tuple[str, str], Mapping[str, RowValues]] = field(default_factory=dict)
    added: frozenset[str] = frozenset()

    def at(self, item_id: str, month: Month) -> RowValues | None:
        return self.rows.get(item_id, {}).get(month)


@dataclass(frozen=True)
class Context:
    """What a submission is checked against.

    `plan` is None where none is registered: the P rules and C09, R04, R05 then have nothing to
    compare with and are left out. `first_month` is the programme's first (H01–H06 start with the
    second). `received_before` holds the hashes of files received earlier (F08). `unit_of` tells the
    code of the unit that a name, short or full or an alias, belongs to.
    """

    plan: Plan | None
    history: History
    first_month: Month
    unit_names: Mapping[str, str]
    received_before: frozenset[str] = frozenset()
    unit_of: Callable[[str], str | None] = lambda _: None


class Verdict(StrEnum):
    """CONTRACT §5: every row stands; some do; nothing does."""

    ACCEPTED = "accepted"
    IN_PART = "accepted_in_part"
    RETURNED = "returned"


@dataclass(slots=True)
class CheckedTable:
    """One table after checking.

    `accepted` are the rows that stand, by item id, in sheet order; `returned` those that do not
    (an item id where it is known, else None). `withdrawn` and corrections are the ledger's
    matter. `nil_report` with planned items leaves both empty (P04 for each).
    """

    table: str
    sheet: str
    header_cells: Mapping[str, str]
    rows_read: int
    accepted: dict[str, ReadRow] = field(default_factory=dict)
    returned: list[tuple[str | None, ReadRow]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    nil_report: bool = False
    table_returned: bool = False

    @property
    def verdict(self) -> Verdict:
        """What became of this table alone."""
        if self.table_returned or (self.rows_read and not self.accepted):
            return Verdict.RETURNED
        return Verdict.IN_PART if self.returned else Verdict.ACCEPTED


@dataclass(slots=True)
class Checked:
    """One submission after checking: its tables, and every finding in the order of mending.

    `findings` holds all of them (file, tables, rows, cells), each with file, sheet and table
    filled in, ordered: file, then table by table, then by row, then by column, errors first in a
    cell. `later_check` is the event at which the file was checked again (an earlier month was
    corrected, the plan adjusted), None for the check on receipt.
    """

    submission: Submission
    tables: list[CheckedTable]
    findings: list[Finding]
    verdict: Verdict
    later_check: int | None = None

    @property
    def told_as(self) -> str:
        """What a return of it is about: the file, and the later check that it tells of."""
        sha256 = self.submission.sha256
        return sha256 if self.later_check is None else f"{sha256}@{self.later_check}"

    @property
    def has_errors(self) -> bool:
        return any(f.severity is Severity.ERROR for f in self.findings)

    def table(self, key: str) -> CheckedTable | None:
        return next((table for table in self.tables if table.table == key), None)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of a whole from its parts: returned only where nothing stands."""
    kinds = set(verdicts)
    if kinds == {Verdict.ACCEPTED}:
        return Verdict.ACCEPTED
    return Verdict.RETURNED if not kinds or kinds == {Verdict.RETURNED} else Verdict.IN_PART
