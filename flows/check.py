"""`ledger check`: what a clerk sees before sending. Nothing is written, no server is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ledger.checking.model import Checked, Context
from ledger.checking.plan import check_plan
from ledger.checking.submission import check_batch
from ledger.errors import UsageError
from ledger.home import Home
from ledger.reading.batch import read_files
from ledger.reading.model import Filing, ReadJob, Submission
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.finding import UNOPENED, Severity
from schemas.month import Month
from schemas.plan import Plan
from schemas.tables import TABLES


@dataclass(frozen=True)
class CheckOutcome:
    """All files checked, in the order given."""

    files: tuple[Checked, ...]
    unit_names: dict[str, str]

    @property
    def exit_code(self) -> int:
        if all(any(f.rule in UNOPENED for f in checked.findings) for checked in self.files):
            return 3
        return 1 if any(checked.has_errors for checked in self.files) else 0

    def as_json(self) -> dict[str, Any]:
        return {"files": [checked_json(checked, self.unit_names) for checked in self.files]}


def checked_json(checked: Checked, unit_names: dict[str, str]) -> dict[str, Any]:
    """One file as `ledger check --json` prints it (CONTRACT §5)."""
    submission = checked.submission
    return {
        "file": submission.file,
        "sha256": submission.sha256,
        "unit": submission.unit_code,
        "unit_name": unit_names.get(submission.unit_code or ""),
        "month": str(submission.month) if submission.month else None,
        "verdict": checked.verdict.value,
        "tables": [
            {
                "table": table.table,
                "sheet": table.sheet,
                "header_cells": {
                    TABLES[table.table].by_field[field].title: cell
                    for field, cell in table.header_cells.items()
                },
                "rows_read": table.rows_read,
                "rows_accepted": len(table.accepted),
                "rows_returned": table.rows_read - len(table.accepted),
                "nil_report": table.nil_report,
            }
            for table in checked.tables
        ],
        "findings": [finding.as_json() for finding in checked.findings],
    }


def check_files(
    home: Home,
    files: Sequence[Path],
    month: Month | None,
    *,
    progress: Callable[[str], None] | None = None,
) -> CheckOutcome:
    """Read and check `files` against the plan and the last months, where the ledger has them."""
    registry = Registry.load(home)
    with Ledger.open(home, registry, readonly=True) as ledger:
        year = month.year if month else registry.year
        plan = ledger.plan(year, None, month) or _plan_at_hand(home, registry, year)
        filing = Filing(registry, month, plan)
        jobs = [
            ReadJob(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), filing) for path in files
        ]
        submissions = read_files(jobs, progress=progress)
        plans = [_plan_of(ledger, submission, plan) for submission in submissions]
        for place, (job, its_plan) in enumerate(zip(jobs, plans, strict=True)):
            if its_plan is not plan:  # a month of before the plan was adjusted
                (submissions[place],) = read_files([replace(job, filing=Filing(registry, month, its_plan))])
        contexts: list[Context] = [
            ledger.context_for(submission.unit_code, submission.month or month, its_plan)
            for submission, its_plan in zip(submissions, plans, strict=True)
        ]
    checked = check_batch(list(zip(submissions, contexts, strict=True)))
    return CheckOutcome(tuple(checked), dict(registry.names))


def _plan_of(ledger: Ledger, submission: Submission, plan: Plan | None) -> Plan | None:
    """The plan in force for a file's month: `plan`, or another version of it."""
    if plan is None or submission.month is None or submission.month.year != plan.year:
        return plan
    its_plan = ledger.plan(plan.year, None, submission.month)
    return plan if its_plan is None or its_plan.version == plan.version else its_plan


def _plan_at_hand(home: Home, registry: Registry, year: int) -> Plan | None:
    """The newest plan workbook in the plan folder, where none is registered yet."""
    for path in sorted(home.plans.glob(f"{year}*.xlsx"), reverse=True):
        plan = check_plan(path.read_bytes(), path.name, year, 1, registry)
        if isinstance(plan, Plan):
            return plan
    return None


def write_marked(home: Home, outcome: CheckOutcome, files: Sequence[Path], out: Path) -> list[Path]:
    """Write each file's marked copy to `out`: the file it names, or into the folder it names.

    A file without errors and warnings gets none. Raises UsageError where `out` names one file and
    there are several to mark.
    """
    from ledger.returning.returns import return_bytes, return_stem

    registry = Registry.load(home)
    one_file = out.suffix.lower() in (".xlsx", ".xlsm") and not out.is_dir()
    if one_file and len(files) > 1:
        raise UsageError("一次核对几个文件时，--marked 请写文件夹。")
    written = []
    for checked, path in zip(outcome.files, files, strict=True):
        if not any(f.severity is not Severity.INFO for f in checked.findings):
            continue
        data, suffix = return_bytes(registry, checked, path.read_bytes())
        target = out if one_file else out / f"{return_stem(registry, checked)}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written.append(target)
    return written
