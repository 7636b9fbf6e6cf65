"""The month on one screen: receive → read, check, record → return → report.

`the_month` is the journey; it runs as it stands (`ledger run --plain`) or with its steps and parts as
Prefect tasks (`run_month_on_prefect`, which alone loads Prefect). Prefect decides when, never what.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flows import drafts, master, steps
from flows.announce import Event, announce
from ledger import logs
from ledger.checking.model import Verdict
from ledger.errors import LedgerError, disk_problem
from ledger.home import Home
from ledger.recording.month_lock import hold_month
from ledger.recording.tools import Tools
from schemas.month import Month

T = TypeVar("T")
Progress = Callable[[str], None]
_LOG = logging.getLogger(__name__)


def _silent(_: str) -> None:
    return None


class Walk:
    """How the month's steps are run: here, in this process, one after another.

    A step is needed by those after it: what it raises is raised. A part (a unit's return, a
    document) stands for itself: one that fails is noted in `failed`, and the others go on.
    """

    def __init__(self, progress: Progress = _silent) -> None:
        self.progress = progress
        self.failed: list[str] = []

    @property
    def tools(self) -> Tools | None:
        """How files are read; None for here and now."""
        return None

    def begin(self, name: str) -> None:
        """Say what is under way."""
        self.progress(name)

    def step(self, name: str, work: Callable[[], T]) -> T:
        self.begin(name)
        return self.run(name, work)

    def stage(self, name: str, work: Callable[[], T]) -> T:
        """A step that does nothing but see to its parts: it is not run as one piece."""
        self.begin(name)
        return work()

    def part(self, name: str, work: Callable[[], list[Path]]) -> list[Path]:
        """The part's files, none where it failed. Raises OSError where the disk refuses."""
        try:
            return self.run(name, work)
        except Exception as error:
            if isinstance(error, OSError) and disk_problem(error):
                raise
            told = error.message if isinstance(error, LedgerError) else type(error).__name__
            # where, not what: a message may quote what a unit wrote
            where = logs.Plain("".join(traceback.format_tb(error.__traceback__)))
            _LOG.error("a part of the month failed: %s\n%s", type(error).__name__, where)
            self.failed.append(f"{name}（{told}）")
            return []

    def run(self, name: str, work: Callable[[], T]) -> T:
        return work()


@dataclass(frozen=True)
class MonthOutcome:
    """What a run came to. `state` is Prefect's name for it: Completed or Degraded.

    `failed` names the returns and documents that could not be made, with the reason.
    """

    standing: steps.Standing
    received: list[dict[str, str]] = field(default_factory=list)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def errors_count(self) -> int:
        return self.standing.errors_count

    @property
    def state(self) -> str:
        incomplete = self.standing.missing or self.standing.returned or self.failed
        return "Degraded" if incomplete else "Completed"

    @property
    def message(self) -> str:
        """One Chinese sentence: complete, or who is missing, who was sent back, what failed."""
        lines = []
        if self.standing.missing:
            lines.append(f"未报 {len(self.standing.missing)} 家：{'、'.join(self.standing.missing)}")
        if self.standing.returned:
            lines.append(f"退回 {len(self.standing.returned)} 家：{'、'.join(self.standing.returned)}")
        if self.failed:
            lines.append(f"没有做成 {len(self.failed)} 项：{'、'.join(self.failed)}")
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
            "failed": self.failed,
        }


def the_month(home: Home, month: Month, walk: Walk) -> MonthOutcome:
    """One month, from the drop folder to the draft. Every step may be repeated at will."""
    drafted = drafts.waiting(home, month)
    received = walk.step("收件", lambda: steps.take_in(home, month))
    recorded = walk.step("读取、核对、入账", lambda: steps.record(home, month, walk.tools))
    returns = walk.stage("退回", lambda: steps.send_back(home, month, walk.part))
    reports = walk.stage("报告草稿", lambda: steps.draft(home, month, walk.part))
    reports = [*reports, *walk.step("台帐", lambda: master.write(home, month))]
    standing = walk.step("汇总", lambda: steps.stand(home, month))
    _announce(home, month, received, recorded, drafted)
    outcome = MonthOutcome(standing, received, recorded, returns, reports, walk.failed)
    logs.note(
        state=outcome.state,
        received=len(received),
        recorded=len(recorded),
        returns=len(returns),
        reports=len(reports),
        failed=len(walk.failed),
        missing=len(standing.missing),
    )
    return outcome


def _announce(
    home: Home,
    month: Month,
    received: list[dict[str, str]],
    recorded: list[dict[str, Any]],
    drafted: drafts.Draft | None,
) -> None:
    """Tell automations what is new; `drafted` is the draft there was before."""
    if received:
        announce(home, Event.RECEIVED, month, files=len(received))
    returned = [
        one for one in recorded if one["verdict"] != Verdict.ACCEPTED and one["month"] in ("", str(month))
    ]
    if returned:
        units = sorted({one["unit"] or "" for one in returned})
        announce(home, Event.RETURNED, month, files=len(returned), units=units)
    draft = drafts.waiting(home, month)
    if draft is not None and draft != drafted:
        announce(home, Event.DRAFT_READY, month, draft=draft.digest)


#: How many steps `the_month` has.
STEPS = 6


def run_month(home: Home, month: Month, *, progress: Progress = _silent) -> MonthOutcome:
    """The month in this process, without Prefect. Raises Busy where another run holds it."""
    with hold_month(home, month):
        return the_month(home, month, Walk(progress))


def run_month_on_prefect(home: Home, month: Month, *, progress: Progress = _silent) -> MonthOutcome:
    """The month as a Prefect flow on this home's embedded server. Raises Busy like `run_month`."""
    from flows.server import prefect_server
    from ledger.reporting.press import warm_up

    with hold_month(home, month):
        progress("启动 Prefect")
        warm_up()  # by itself, on another core
        with prefect_server(home, load=_load):
            from flows.on_prefect import monthly_flow

            return monthly_flow(home, month, progress)


def _load() -> None:
    """Load what the flow may need, while the server starts on another core."""
    from flows import on_prefect  # noqa: F401
    from ledger.checking import frames  # noqa: F401
    from ledger.reporting import editions, master_book  # noqa: F401
    from ledger.returning import returns  # noqa: F401
