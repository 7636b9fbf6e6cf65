"""What `ledger verify` says: what was proved, and the first thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing wrong: what, in which file or row, what to do. All Chinese but `where`."""

    what: str
    where: str
    remedy: str

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "where": self.where, "remedy": self.remedy}


@dataclass
class Proof:
    """What was proved, in order, and what was not. `fault` is None where all is sound."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    fault: Fault | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "sound": self.fault is None,
            "fault": None if self.fault is None else self.fault.as_json(),
            "proved": self.lines,
            "notes": self.notes,
            "counts": self.counts,
        }


class Wrong(Exception):
    """Carries the first fault out of the step that found it."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(what)
        self.fault = Fault(what, where, remedy)


FROM_BACKUP = "请从备份恢复这一文件，再运行 ledger verify。"
REBUILD = "原件和日志完好：请运行 ledger rebuild 重建台帐，再运行 ledger verify。"
REBUILD_OR_NEW = f"{REBUILD}程序换过版本以后，也要这样重建一次。"
