"""The inbox folder: which files are new, and which of them have come to rest.

A file being copied in is left alone until it has kept still. Nothing in the folder is changed.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ledger.fetching.kinds import HIDDEN, NOT_SENT
from ledger.fetching.memory import Memory
from ledger.home import Home
from ledger.recording.intake import printable

#: How long a file must have kept still before it is taken for whole.
SETTLE_SECONDS = 3.0
#: What browsers, chat programs and copying programs call a file that is not whole yet.
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".td")


@dataclass(frozen=True, slots=True)
class Lying:
    """A file as it lies in the inbox: its name relative to it, and its size and times."""

    path: Path
    name: str
    lay: tuple[int, int, int]

    def still(self, seconds: float) -> bool:
        """Whether nothing has been written to it for so long, by the clock of the files."""
        changed = max(self.lay[1:]) / 1e9
        return 0 <= seconds <= time.time() - changed


@dataclass
class Look:
    """What a look at the inbox found: `settled` may be taken in, `moving` is still being written."""

    settled: list[Lying] = field(default_factory=list)
    moving: list[Lying] = field(default_factory=list)


def look(home: Home, memory: Memory, *, settle: float = SETTLE_SECONDS) -> Look:
    """The files that lie otherwise than when they were taken in, by name.

    A file that was written to a moment ago is looked at once more after `settle` seconds: it has
    come to rest if it lies as before. Names that vanish meanwhile are left out.
    """
    found = Look()
    young: list[Lying] = []
    for one in _files(home.inbox):
        if memory.lay.get(one.name) == list(one.lay):
            continue
        (found.settled if one.still(settle) else young).append(one)
    if young:
        time.sleep(settle)
    for one in young:
        again = _lying(one.path, one.name)
        if again is not None:
            (found.settled if again == one else found.moving).append(again)
    found.settled.sort(key=lambda one: one.name)
    return found


def lies_as_before(one: Lying) -> bool:
    """Whether a file has not been touched since the look."""
    return _lying(one.path, one.name) == one


def _files(inbox: Path) -> Iterator[Lying]:
    """Every plain file below the inbox that may have been sent. Links are not followed: who may
    drop files must not be able to have others of the machine taken in."""
    folders = [inbox]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.name.startswith(HIDDEN):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
                continue
            name = printable(Path(entry.path).relative_to(inbox).as_posix())
            if name.lower() in NOT_SENT or name.lower().endswith(_UNFINISHED):
                continue
            found = _lying(Path(entry.path), name)
            if found is not None:
                yield found


def _lying(path: Path, name: str) -> Lying | None:
    try:
        seen = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Lying(path, name, (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
