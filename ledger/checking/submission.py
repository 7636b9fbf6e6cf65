"""Submissions against plan, history and themselves: which rows stand, and every finding.

`check_batch` takes all files of a run at once, because a call of pandera costs the same whatever
the rows. No finding hides another: a cell that can't be read is left out of comparisons, all
others are still made; only the cells of a row off its columns (F16) say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.checking.history import check_history, missing_months, unexplained_replacement
from ledger.checking.matching import Items, match
from ledger.checking.model import Checked, CheckedTable, Context, Verdict, worst
from ledger.checking.places import Row, TableInHand, at_table
from ledger.checking.plan_columns import compare_plan_columns, missing_items, note_foreign
from ledger.checking.rows import note_red_without_reasons, note_twice
from ledger.checking.totals import check_totals
from ledger.reading.model import Submission
from schemas.finding import Finding, finding
from schemas.month import Month
from schemas.tables import TABLES

EXPLANATION = "更正说明"
_LETTERS = re.compile(r"[A-Z]+")
_SEVERITIES = {"error": 0, "warning": 1, "info": 2}


@dataclass(slots=True)
class _InHand:
    """One submission while it is checked."""

    submission: Submission
    context: Context
    tables: list[TableInHand]
    findings: list[Finding] = field(default_factory=list)

    @property
    def explanation(self) -> str:
        return self.submission.cover.get(EXPLANATION, "").strip()

    @property
    def month(self) -> Month | None:
        """The month the figures are for, None where it is in doubt (F07): no history then."""
        doubtful = any(f.rule == "F07" for f in self.submission.findings)
        return None if doubtful else self.submission.month

    @property
    def first_month(self) -> Month:
        """The month that has none before it: the programme's first, then each plan year's."""
        plan, first = self.context.plan, self.context.first_month
        return first if plan is None else max(first, Month(plan.year, 1))


def check_batch(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
    """Check each submission against its own context; the results stand in the same order.

    A submission sees only its context: files of one batch do not see each other. Rows that stand
    are keyed by item id; where no plan is registered, by their place (``#7`` for row 7).
    """
    known: dict[tuple[int, str], Items] = {}
    in_hand = [_take(submission, context) for submission, context in items]
    for hand in in_hand:
        _before_rows(hand, known)
    _check_rows(in_hand)
    return [_finish(hand, known) for hand in in_hand]


def _take(submission: Submission, context: Context) -> _InHand:
    tables = []
    for read in submission.tables:
        table = TABLES[read.table]
        rows = [Row(table, read.sheet, row, findings=list(row.findings)) for row in read.rows]
        tables.append(TableInHand(table, read, rows))
    return _InHand(submission, context, tables)


def _items(hand: _InHand, known: dict[tuple[int, str], Items], table: str) -> Items | None:
    plan = hand.context.plan
    if plan is None:
        return None
    key = (id(plan), table)
    if key not in known:
        known[key] = Items(plan, table)
    return known[key]


def _before_rows(hand: _InHand, known: dict[tuple[int, str], Items]) -> None:
    """What pandera needs first: which item each row means."""
    if hand.submission.sha256 in hand.context.received_before:
        hand.findings.append(finding("F08", "同一文件以前已经收到，内容完全相同"))
    for table in hand.tables:
        items = _items(hand, known, table.table.key)
        if items is None or table.unread or _nameless(table):
            continue
        for row in table.rows:
            match(row, items, hand.submission.unit_code)


def _check_rows(in_hand: Sequence[_InHand]) -> None:
    """The schemas of pandera, once a table for the whole batch."""
    for key in TABLES:
        rows = [
            row
            for hand in in_hand
            for table in hand.tables
            if table.table.key == key
            for row in table.checked_rows
        ]
        if rows:
            # pandas and pandera cost most of a second to import: only where there is a row
            from ledger.checking.frames import check_rows

            check_rows(rows, key)


def _finish(hand: _InHand, known: dict[tuple[int, str], Items]) -> Checked:
    submission, context, month, first = hand.submission, hand.context, hand.month, hand.first_month
    explanation = hand.explanation
    for table in hand.tables:
        for row in table.checked_rows:
            compare_plan_columns(row, context.unit_of)
            note_foreign(row, context.unit_names)
            if month is not None:
                note_red_without_reasons(row, month)
                check_history(row, context.history, month, first, explanation=explanation)
        note_twice(table.checked_rows)
        check_totals(table)
        if month is not None and submission.unit_code is not None:
            missing_months(table, context.history, submission.unit_code, month, first)
    _missing(hand, known)
    checked = [_settle(hand, table) for table in hand.tables]
    return _result(hand, checked)


def _missing(hand: _InHand, known: dict[tuple[int, str], Items]) -> None:
    """F12 and P04: tables and items of the unit that are not in the file."""
    unit = hand.submission.unit_code
    if unit is None or not hand.tables:
        return
    for key, table in TABLES.items():
        items = _items(hand, known, key)
        own = items.of_unit(unit) if items is not None else ()
        if not own:
            continue
        present = [t for t in hand.tables if t.table.key == key]
        if not present:
            if (unit, key) not in hand.context.history.current:
                names = "、".join(item.item_id for item in own)
                text = f"本单位有 {len(own)} 项（{names}）要报，但文件中没有{table.sheet}"
                hand.findings.append(at_table("F12", table, text))
        elif not any(t.unread or _nameless(t) or _stands_twice(t) for t in present):
            present[0].findings += missing_items(present, table, own)


def _nameless(table: TableInHand) -> bool:
    """True where no column says which item a row means: nothing can be called missing."""
    header = table.read.header_cells
    return table.table.name_field not in header and "item_code" not in header and not table.read.nil_report


def _stands_twice(table: TableInHand) -> bool:
    """True where a second table of the kind was left unread (F20): an item may stand there."""
    return any(f.rule == "F20" for f in table.read.findings)


def _settle(hand: _InHand, table: TableInHand) -> CheckedTable:
    """Which rows of a table stand, and its findings with their place filled in."""
    read = table.read
    returned_whole = read.returned or hand.submission.returned
    settled = CheckedTable(
        table=table.table.key,
        sheet=read.sheet,
        header_cells=read.header_cells,
        rows_read=len(read.rows),
        nil_report=read.nil_report,
        table_returned=returned_whole,
    )
    standing: dict[str, Row] = {}
    for row in table.rows:
        returned = returned_whole or row.unchecked or any(f.returns_row for f in row.findings)
        if returned:
            settled.returned.append((row.item_id, row.read))
        else:
            standing[row.item_id or f"#{row.read.row}"] = row
    settled.accepted = {item_id: row.read for item_id, row in standing.items()}
    unit = hand.submission.unit_code
    if unit is not None and not returned_whole and not hand.explanation:
        replaced = hand.context.history.current.get((unit, table.table.key), {})
        kept = frozenset(item_id for item_id, _ in settled.returned if item_id is not None)
        told = unexplained_replacement(table.table, standing, kept, replaced)
        if told is not None:
            table.findings.append(told)
    settled.findings = _in_order(
        [
            *(_placed(f, hand, table, None) for f in [*read.findings, *table.findings]),
            *(_placed(f, hand, table, row) for row in table.rows for f in _told(row)),
        ]
    )
    return settled


def _told(row: Row) -> list[Finding]:
    """A shifted row says that it is shifted, and nothing else."""
    return [f for f in row.findings if f.rule == "F16"] if row.unchecked else row.findings


def _placed(found: Finding, hand: _InHand, table: TableInHand, row: Row | None) -> Finding:
    changes: dict[str, object] = {"file": hand.submission.file, "table": table.table.key}
    if found.sheet is None:
        changes["sheet"] = table.read.sheet
    if row is not None:
        if found.row is None:
            changes["row"] = row.read.row
        if found.item is None:
            changes["item"] = row.item_id
    return found.at(**changes)


def _in_order(findings: list[Finding]) -> list[Finding]:
    """The table's own first, then row by row, column by column, errors first within a cell."""
    return sorted(findings, key=lambda f: (f.row or 0, _column(f), _SEVERITIES[f.severity], f.rule))


def _column(found: Finding) -> tuple[int, str]:
    letters = _LETTERS.match(found.cell or "")
    return (len(letters[0]), letters[0]) if letters else (0, "")


def _result(hand: _InHand, tables: list[CheckedTable]) -> Checked:
    submission = hand.submission
    file = submission.file
    of_file = sorted(
        (f.at(file=file) for f in [*submission.findings, *hand.findings]),
        key=lambda f: (f.table is not None, _SEVERITIES[f.severity]),
    )
    verdict = Verdict.RETURNED if submission.returned else worst([table.verdict for table in tables])
    # a table left out (F12) stands after the file's own findings and before the tables that came
    return Checked(
        submission=submission,
        tables=tables,
        findings=[*of_file, *(f for table in tables for f in table.findings)],
        verdict=verdict,
    )
