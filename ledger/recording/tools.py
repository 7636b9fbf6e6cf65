"""How the fold reads and checks what it applies: the program's own ways, or a test's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.checking.model import Checked, Context
from ledger.reading.model import ReadJob, Submission
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.plan import Plan


class Read(Protocol):
    def __call__(
        self, jobs: Sequence[ReadJob], *, workers: int = 1, progress: Callable[[str], None] | None = None
    ) -> list[Submission]: ...


class CheckPlan(Protocol):
    def __call__(
        self, data: bytes, name: str, year: int, version: int, registry: Registry
    ) -> Plan | list[Finding]: ...


Check = Callable[[Sequence[tuple[Submission, Context]]], list[Checked]]


@dataclass(frozen=True)
class Tools:
    """How files are read and checked: the real ones, or a test's."""

    read: Read
    check: Check
    check_plan: CheckPlan
    workers: int = 1

    @classmethod
    def real(cls) -> Tools:
        """The program's own; loaded only when something is to be applied."""
        from ledger.checking.plan import check_plan
        from ledger.checking.submission import check_batch
        from ledger.reading.batch import read_files

        return cls(read_files, check_batch, check_plan)
