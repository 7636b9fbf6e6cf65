"""The steps of a month, each callable without Prefect.

Arguments and results are small and plain (paths, months, counts): a step may run as a Prefect
task in another thread or process. Every step can be repeated: what is done already is skipped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.calendar import moment_text
from ledger.checking.model import Checked
from ledger.home import Home
from ledger.parts import Each, at_once
from ledger.recording.ledger import Ledger
from ledger.recording.model import MonthView
from ledger.recording.tools import Tools
from ledger.registry import Registry
from schemas.exports import EXPORTS
from schemas.finding import Severity
from schemas.month import Month


@dataclass(frozen=True)
class EditionState:
    """The last issued edition, whether the next is due after corrections, the editions due of all
    months of the year (``2018-08第2版``), and the month's approvals that were taken back."""

    last: int | None
    due: bool
    due_in_year: list[str]
    withdrawn: list[dict[str, Any]]


@dataclass(frozen=True)
class Standing:
    """Where the month stands after a run: what programs and people are told.

    `edition` is the last issued one, `edition_due` whether what it printed has changed since,
    `withdrawn` the approvals taken back (edition, by, reason, at).
    """

    month: str
    plan_version: int
    units_count: int
    reported: list[str]
    missing: list[str]
    returned: list[str]
    in_part: list[str]
    late: list[str]
    carried_forward: list[str]
    corrections_count: int
    errors_count: int
    warnings_count: int
    edition: int | None
    edition_due: bool
    editions_due: list[str]
    withdrawn: list[dict[str, Any]]
    submissions: list[dict[str, Any]]


def take_in(home: Home, month: Month) -> list[dict[str, str]]:
    """Receive what is new in the plan folder and in the drop folders up to `month`."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        return [
            {"file": one.file_name, "sha256": one.sha256, "received_at": moment_text(one.received_at)}
            for one in ledger.take_in(month)
        ]


def record(home: Home, month: Month, tools: Tools | None = None) -> list[dict[str, Any]]:
    """Read, check and record everything received and not yet in the ledger; `tools` say how files
    are read, where not here and now."""
    registry = Registry.load(home)
    with Ledger.open(home, registry, tools=tools) as ledger:
        applied = ledger.catch_up()
        ledger.require_plan(month.year)
    return [
        {
            "file": checked.submission.file,
            "sha256": checked.submission.sha256,
            "unit": checked.submission.unit_code,
            "month": str(checked.submission.month or ""),
            "verdict": checked.verdict.value,
            "findings_count": len(checked.findings),
        }
        for checked in applied
    ]


def send_back(home: Home, month: Month, each: Each = at_once) -> list[str]:
    """Write what goes back to the units: marked workbooks and error lists, relative paths.

    `each` writes one return, named by its unit (长梁镇 退回).
    """
    from ledger.returning.marks import lines
    from ledger.returning.returns import return_stem, write_return

    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        due = ledger.returns_due(month)
    folder = home.returns(month)
    names = Counter(return_stem(registry, checked) for checked, _ in due)
    written: list[Path] = []
    for checked, original in [one for one in due if lines(one[0])]:

        def write(checked: Checked = checked, original: Path = original) -> list[Path]:
            apart = names[return_stem(registry, checked)] > 1
            return write_return(home, registry, checked, original, folder, hash_in_name=apart)

        written += each(f"{registry.names.get(checked.submission.unit_code or '', '单位不明')} 退回", write)
    if folder.is_dir():
        for stale in set(folder.iterdir()) - set(written):
            stale.unlink()
    return sorted(home.relative(path) for path in written)


def draft(home: Home, month: Month, each: Each = at_once) -> list[str]:
    """Render the month's report and its editions for single readers: relative paths, the PDF first.
    `each` sets one document (月报 PDF, 一页纸, 单位报告 长梁镇).

    What is rendered is the draft of the next edition; where nothing has changed since the last one
    was issued, that one stands and nothing is drafted.
    """
    from ledger.recording.editions import clear_drafts, clear_withdrawn, restore, standing
    from ledger.recording.exports import export
    from ledger.reporting.editions import write_documents
    from ledger.reporting.press import warm_up
    from ledger.reporting.writer import clear_unfinished

    warm_up()
    clear_unfinished(home.reports(month))
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        clear_withdrawn(ledger, month)
        where = standing(ledger, month)
        if where.last is not None and not where.due:
            clear_drafts(home, month)
            return [home.relative(path) for path in restore(home, where.last)]
        views = ledger.views_until(month)
        exports = {table: export(ledger, month, table) for table in EXPORTS}
    number = where.next_number
    written = write_documents(home, registry, views, exports=exports, edition=number, each=each)
    return [home.relative(path) for path in written]


def stand(home: Home, month: Month) -> Standing:
    """Where the month stands now, from the ledger alone."""
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        view = ledger.view(month)
        return standing_of(view, registry, edition_state(ledger, month))


def edition_state(ledger: Ledger, month: Month, as_of: datetime | None = None) -> EditionState:
    """The month's editions as they stand now, or stood at a moment."""
    from ledger.recording.editions import due_in_year, standing, withdrawals

    where = standing(ledger, month, as_of)
    return EditionState(
        where.last.number if where.last else None,
        where.due,
        due_in_year(ledger, month.year, as_of),
        [back.payload() for back in withdrawals(ledger, month, as_of)],
    )


def standing_of(view: MonthView, registry: Registry, editions: EditionState) -> Standing:
    """The view's units by state, its open findings counted, its submissions listed."""
    names = registry.names
    by_state: dict[str, list[str]] = {}
    for unit in view.standings:
        by_state.setdefault(unit.state, []).append(names[unit.unit_code])
    severities = [row.finding.severity for row in view.findings if row.open]
    carried = [row for rows in view.rows.values() for row in rows if row.carried_forward]
    return Standing(
        month=str(view.month),
        plan_version=view.plan.version,
        units_count=len(view.standings),
        reported=[names[u.unit_code] for u in view.standings if u.first_accepted_at is not None],
        missing=by_state.get("missing", []),
        returned=by_state.get("returned", []),
        in_part=by_state.get("in_part", []),
        late=[names[u.unit_code] for u in view.standings if u.timely is False],
        carried_forward=[row.item_id for row in carried],
        corrections_count=len(view.corrections),
        errors_count=severities.count(Severity.ERROR),
        warnings_count=severities.count(Severity.WARNING),
        edition=editions.last,
        edition_due=editions.due,
        editions_due=editions.due_in_year,
        withdrawn=editions.withdrawn,
        submissions=[
            {
                "unit": names.get(row.unit_code, ""),
                "table": row.table,
                "file": row.file_name,
                "received_at": moment_text(row.received_at),
                "verdict": row.verdict,
                "version": row.version,
            }
            for row in view.submissions
        ],
    )


def as_json(standing: Standing) -> dict[str, Any]:
    return asdict(standing)
