"""`ledger plan`: register a plan version, with every discrepancy it has."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ledger import logs
from ledger.home import Home
from ledger.recording.editions import due_in_year
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.finding import UNOPENED, Finding
from schemas.month import Month
from schemas.plan import Plan, PlanItem
from schemas.tables import TABLES


@dataclass(frozen=True)
class PlanChanges:
    """What a version has otherwise than the one before: item ids, in plan order."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @classmethod
    def between(cls, before: Plan | None, after: Plan) -> PlanChanges:
        if before is None:
            return cls()
        old, new = before.by_id, after.by_id
        return cls(
            added=tuple(item for item in new if item not in old),
            dropped=tuple(item for item in old if item not in new),
            changed=tuple(item for item in new if item in old and _says(new[item]) != _says(old[item])),
        )


def _says(item: PlanItem) -> tuple[object, ...]:
    return (item.name, item.unit_code, {**item.values, "seq": None})


@dataclass(frozen=True)
class PlanOutcome:
    """What registering came to: the plan, or only findings where the file is no plan.

    `effective` is the month it counts from; `changes` compares it with the version before;
    `editions_due` are issued reports that it changes, `checked_again` the (month, unit's name) of
    submissions that have other findings by it.
    """

    file: str
    sha256: str
    year: int
    plan: Plan | None
    findings: tuple[Finding, ...]
    created: bool
    effective: Month | None = None
    changes: PlanChanges = field(default_factory=PlanChanges)
    editions_due: tuple[str, ...] = ()
    checked_again: tuple[tuple[Month, str], ...] = ()

    @property
    def exit_code(self) -> int:
        if self.plan is None and any(f.rule in UNOPENED for f in self.findings):
            return 3
        return 1 if any(f.is_error for f in self.findings) else 0

    def as_json(self) -> dict[str, Any]:
        counts = Counter(item.table for item in self.plan.items) if self.plan else Counter[str]()
        return {
            "file": self.file,
            "sha256": self.sha256,
            "year": self.year,
            "version": self.plan.version if self.plan else None,
            "items": {table: counts[table] for table in TABLES},
            "effective_from": str(self.effective) if self.effective else None,
            "changes": asdict(self.changes),
            "editions_due": list(self.editions_due),
            "checked_again": [{"month": str(month), "unit": name} for month, name in self.checked_again],
            "findings": [finding.as_json() for finding in self.findings],
        }


def register(home: Home, file: Path, year: int, effective: Month | None = None) -> PlanOutcome:
    """Check and register `file` as the plan of `year`, in force from the month `effective` on; the
    same file again changes nothing."""
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        ledger.catch_up()
        before = ledger.plan(year)
        registered = ledger.register_plan(file, year, None, effective)
        due = due_in_year(ledger, year) if registered.created else []
    changes = PlanChanges()
    if registered.created and registered.plan is not None:
        changes = PlanChanges.between(before, registered.plan)
    logs.note(created=registered.created, findings=len(registered.findings), editions_due=len(due))
    return PlanOutcome(
        file.name,
        registered.sha256,
        year,
        registered.plan,
        registered.findings,
        registered.created,
        registered.effective,
        changes,
        tuple(due),
        tuple((month, registry.names.get(code, code)) for month, code in registered.checked_again),
    )
