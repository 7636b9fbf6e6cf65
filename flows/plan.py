"""`ledger plan`: register a plan version, with every discrepancy it has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import Plan
from schemas.tables import TABLES

UNOPENED = frozenset({"F01", "F02", "F03", "F04"})


@dataclass(frozen=True)
class PlanOutcome:
    """What registering came to: the plan, or only findings where the file is no plan."""

    file: str
    sha256: str
    year: int
    plan: Plan | None
    findings: tuple[Finding, ...]
    created: bool

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
            "findings": [finding.as_json() for finding in self.findings],
        }


def register(home: Home, file: Path, year: int, effective: Month | None = None) -> PlanOutcome:
    """Check and register `file` as the plan of `year`, in force from the month `effective` on; the
    same file again changes nothing."""
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        registered = ledger.register_plan(file, year, None, effective)
    return PlanOutcome(
        file.name, registered.sha256, year, registered.plan, registered.findings, registered.created
    )
