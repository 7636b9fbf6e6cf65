"""What a command's processes take of memory, by what they are: the most of all together, and the split
as time goes on.

PSS: what a process shares with others counts in each of them by its share, so that the parts add up.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

_EVERY = 0.2
#: By what stands in a process's command line, the first that fits. The command itself is "main".
_KINDS = (
    ("ledger.reading.child", "reading"),
    ("ledger.reporting.press_child", "setting"),
    ("multiprocessing.spawn", "workers"),
    ("distributed", "workers"),
    ("prefect", "server"),
)
KINDS = ("main", "workers", "reading", "setting", "server", "other")


@dataclass(frozen=True)
class Moment:
    """MB by kind of process, and how many processes of each, so many seconds after the start."""

    seconds: float
    memory: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> float:
        return sum(self.memory.values())

    @property
    def row(self) -> str:
        parts = [
            f"{self.memory[kind]:.1f} ({self.processes[kind]})" if self.processes[kind] else "–"
            for kind in KINDS
        ]
        return f"| {self.seconds:.0f} | {' | '.join(parts)} | {self.total:.0f} |"


def kind_of(words: Sequence[str]) -> str:
    """What a process below the command is, by its command line."""
    line = " ".join(words)
    return next((kind for mark, kind in _KINDS if mark in line), "other")


class Watch(threading.Thread):
    """Looks at the memory of a process and of all below it, five times a second; keeps a look at the
    split every `every` seconds, and the one at which all together had most."""

    def __init__(self, pid: int, every: float = 10) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._every = every
        self.highest = Moment(0)
        self.moments: list[Moment] = []
        self.ended = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        while not self.ended.wait(_EVERY):
            try:
                now = self._look(time.monotonic() - begun)
            except psutil.Error:
                return
            if now.total > self.highest.total:
                self.highest = now
            if now.seconds >= self._every * (len(self.moments) + 1):
                self.moments.append(now)

    def _look(self, seconds: float) -> Moment:
        found = Moment(seconds)
        for each in (self._process, *self._process.children(recursive=True)):
            try:
                kind = "main" if each.pid == self._process.pid else kind_of(each.cmdline())
                found.memory[kind] += each.memory_full_info().pss / 2**20
            except psutil.Error:
                continue
            found.processes[kind] += 1
        return found

    def table(self) -> str:
        """The split over time, and at its highest, as a table."""
        head = f"| s | {' | '.join(KINDS)} | MB together |\n|---:|{'---:|' * (len(KINDS) + 1)}"
        rows = [moment.row for moment in self.moments]
        return "\n".join([head, *rows, "\nAt its highest:\n", head, self.highest.row])
