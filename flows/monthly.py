"""The month on one screen: receive → read, check, record → return → report.

`the_month` is the journey; it runs as it stands (`ledger run --plain`) or with each step as a
Prefect task (`run_month_on_prefect`, which alone loads Prefect). Prefect decides when, never what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from flows import master, steps
from ledger.home import Home
from ledger.recording.month_lock import hold_month
from schemas.month import Month

T = TypeVar("T")
Progress = Callable[[str], None]


class Step(Protocol):
    """Runs one step under its name: a plain call, or a Prefect task."""

    def __call__(self, name: str, work: Callable[[Home, Month], T], home: Home, month: Month) -> T: ...


@dataclass(frozen=True)
class MonthOutcome:
    """What a run came to. `state` is Prefect's name for it: Completed or Degraded."""

    standing: steps.Standing
    received: list[dict[str, str]] = field(default_factory=list)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    @property
    def errors_count(self) -> int:
        return self.standing.errors_count

    @property
    def state(self) -> str:
        incomplete = self.standing.missing or self.standing.returned
        return "Degraded" if incomplete else "Completed"

    @property
    def message(self) -> str:
        """One Chinese sentence: complete, or who is missing and who was sent back."""
        lines = []
        if self.standing.missing:
            lines.append(f"未报 {len(self.standing.missing)} 家：{'、'.join(self.standing.missing)}")
        if self.standing.returned:
            lines.append(f"退回 {len(self.standing.returned)} 家：{'、'.join(self.standing.returned)}")
        return "；".join(lines) or f"{self.standing.units_count} 家单位全部报齐"

    @property
    def due_message(self) -> str:
        """Which editions are due after corrections; '' where none is."""
        due = self.standing.editions_due
        return f"签发后有更正，应出：{'、'.join(due)}" if due else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "message": self.message,
            **steps.as_json(self.standing),
            "received": self.received,
            "recorded": self.recorded,
            "returns": self.returns,
            "reports": self.reports,
        }


def the_month(home: Home, month: Month, step: Step) -> MonthOutcome:
    """One month, from the drop folder to the draft. Every step may be repeated at will."""
    received = step("收件", steps.take_in, home, month)
    recorded = step("读取、核对、入账", steps.record, home, month)
    returns = step("退回", steps.send_back, home, month)
    reports = step("报告草稿", steps.draft, home, month)
    reports = [*reports, *step("台帐", master.write, home, month)]
    standing = step("汇总", steps.stand, home, month)
    return MonthOutcome(standing, received, recorded, returns, reports)


def _silent(_: str) -> None:
    return None


def run_month(home: Home, month: Month, *, progress: Progress = _silent) -> MonthOutcome:
    """The month in this process, without Prefect. Raises Busy where another run holds it."""

    def plainly(name: str, work: Callable[[Home, Month], T], home: Home, month: Month) -> T:
        progress(name)
        return work(home, month)

    with hold_month(home, month):
        return the_month(home, month, plainly)


def run_month_on_prefect(home: Home, month: Month, *, progress: Progress = _silent) -> MonthOutcome:
    """The month as a Prefect flow on this home's embedded server. Raises Busy like `run_month`."""
    from flows.server import prefect_server

    with hold_month(home, month):
        progress("启动 Prefect")
        with prefect_server(home):
            from flows.on_prefect import monthly_flow

            return monthly_flow(home, month, progress)
