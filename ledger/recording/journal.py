"""The journal: one small immutable JSON file an event, numbered without gaps, chained by hash.

``data/raw/journal/000001-received.json`` … Each file names the SHA-256 of the one before it, is
written aside, flushed to the disk and then linked to its name, so that it is either whole or not
there. The ledger is computed from these files and from the originals (docs/decisions/0002).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.calendar import moment_text, now
from ledger.errors import Damaged, LedgerError
from ledger.recording.lock import exclusive

_NAME = re.compile(r"(\d{6,})-([a-z][a-z_]*)\.json")
_ASIDE = ".aside-"
#: Some events' worth, and of the file system's own blocks.
_ROOM = 256 << 10


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `sha256` is that of the file's bytes, `previous` that of the event before."""

    seq: int
    kind: str
    previous: str | None
    recorded_at: str
    payload: Mapping[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        return _file_name(self.seq, self.kind)


def _file_name(seq: int, kind: str) -> str:
    return f"{seq:06d}-{kind}.json"


class Journal:
    """The journal in `folder`. Raises Damaged where the files are not what was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """The files' names in order. Raises Damaged for a gap or a number used twice."""
        if not self.folder.is_dir():
            return []
        found = sorted(
            (int(match[1]), entry.name)
            for entry in os.scandir(self.folder)
            if (match := _NAME.fullmatch(entry.name))
        )
        for expected, (seq, name) in enumerate(found, start=1):
            if seq != expected:
                what = "缺少" if seq > expected else "重复"
                raise Damaged(
                    f"日志第 {min(seq, expected)} 号事件{what}（见 {name}）。请从备份恢复 data/raw/journal。"
                )
        return [name for _, name in found]

    def last_seq(self) -> int:
        return len(self.names())

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events numbered above `after`, in order, the chain checked on the way."""
        names = self.names()
        previous: str | None = None
        if 0 < after <= len(names):
            previous = self._read(names[after - 1]).sha256
        for name in names[after:]:
            event = self._read(name)
            if event.previous != previous:
                raise Damaged(f"日志 {name} 与前一事件的校验值不符：文件被改动过。请从备份恢复。")
            previous = event.sha256
            yield event

    def event(self, name: str) -> Event:
        """The event of one file, by its name; its link to the one before is not checked."""
        return self._read(name)

    def of_kind(self, kind: str) -> list[Event]:
        """The events of one kind, in order; the others are not read."""
        return [self._read(name) for name in self.names() if name.endswith(f"-{kind}.json")]

    def last_of_kind(self, kind: str) -> Event | None:
        """The newest event of one kind, None where there is none; no other is read."""
        for name in reversed(self.names()):
            if name.endswith(f"-{kind}.json"):
                return self._read(name)
        return None

    def sha256_of(self, seq: int) -> str | None:
        """The hash of event `seq`'s file, None where there is no such event."""
        names = self.names()
        return self._read(names[seq - 1]).sha256 if 0 < seq <= len(names) else None

    def append(self, kind: str, payload: Mapping[str, Any]) -> Event:
        """Write one event. See `append_all`."""
        return self.append_all([(kind, payload)])[0]

    def append_all(self, items: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Event]:
        """Write events in this order, each on the disk before the next.

        Raises Busy when another process keeps the journal, Damaged when its end is damaged,
        LedgerError when nothing can be written; the events already written then stand.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self.folder, "日志"):
                self._sweep()
                names = self.names()
                seq = len(names)
                previous = self._read(names[-1]).sha256 if names else None
                written = []
                for kind, payload in items:
                    seq += 1
                    event = self._write(seq, kind, previous, payload)
                    previous = event.sha256
                    written.append(event)
                return written
        except OSError as error:
            raise LedgerError(
                f"日志写不进去（{error.strerror}）。请检查磁盘空间和 data/raw/journal 的写权限；"
                "已写入的事件不受影响。"
            ) from error

    @contextlib.contextmanager
    def room(self) -> Iterator[Callable[[], None]]:
        """Keep room on the disk for what must be journaled afterwards; call what is yielded to give
        it free right before. Raises LedgerError where there is none."""
        path = self.folder / f"{_ASIDE}room-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, _ROOM)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise LedgerError(
                f"日志写不进去（{error.strerror}）。请检查磁盘空间和 data/raw/journal 的写权限。"
            ) from error
        try:
            yield lambda: path.unlink(missing_ok=True)
        finally:
            path.unlink(missing_ok=True)

    def _write(self, seq: int, kind: str, previous: str | None, payload: Mapping[str, Any]) -> Event:
        recorded_at = moment_text(now())
        content = {
            "seq": seq,
            "kind": kind,
            "recorded_at": recorded_at,
            "previous": previous,
            "payload": dict(payload),
        }
        data = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")
        write_new(self.folder / _file_name(seq, kind), data)
        return Event(seq, kind, previous, recorded_at, dict(payload), hashlib.sha256(data).hexdigest())

    def _read(self, name: str) -> Event:
        try:
            data = (self.folder / name).read_bytes()
            content = json.loads(data.decode("utf-8", "surrogatepass"))
            event = Event(
                seq=content["seq"],
                kind=content["kind"],
                previous=content["previous"],
                recorded_at=content["recorded_at"],
                payload=content["payload"],
                sha256=hashlib.sha256(data).hexdigest(),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"日志 {name} 读不出来（被截断或改动）。请从备份恢复这一文件；其余事件不受影响。"
            ) from error
        if event.name != name:
            raise Damaged(f"日志 {name} 的内容是 {event.name} 的：文件被改名。请从备份恢复。")
        return event

    def _sweep(self) -> None:
        """Remove what a killed writer left aside; only called while the journal is held."""
        for entry in os.scandir(self.folder):
            if entry.name.startswith(_ASIDE):
                with contextlib.suppress(FileNotFoundError):
                    Path(entry.path).unlink()


def write_new(path: Path, data: bytes) -> None:
    """Create `path` with `data`, whole or not at all, read-only, flushed with its folder.

    Raises FileExistsError where the name is taken, OSError where it can't be written.
    """
    aside = path.with_name(f"{_ASIDE}{os.getpid()}-{os.urandom(4).hex()}-{path.name}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
    sync_folder(path.parent)


def flush(path: Path) -> None:
    """Flush a file that was written without flushing."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's own entries, so that a new name survives a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
