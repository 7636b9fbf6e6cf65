"""What a backup is: a zip of data/raw and ledger.toml with a manifest of SHA-256, and how it is read.

A zip, because any machine opens one and each file in it stands for itself: damage is told by name and
the rest can still be had. A file name that is no UTF-8 (unpacked from a foreign archive into the drop
folder) can't stand in a zip; such a file has a number there and its name in the manifest.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.calendar import moment_text, parse_moment
from ledger.errors import Damaged, UsageError

FORMAT = 1
MANIFEST = "backup.json"
CHUNK = 1 << 20
_LARGEST_MANIFEST = 256 << 20
#: What reading a damaged zip has been seen to raise.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    TypeError,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: `path` relative to the home, `member` its name in the zip, `size` in bytes."""

    path: str
    member: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `home` is the hash of the journal's first event, by which one home's
    backups are known ('' where nothing was received yet); `upto` the number of the last event."""

    made_at: datetime
    program: str
    home: str
    upto: int
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """The files' sizes together, in bytes."""
        return sum(entry.size for entry in self.entries)

    def dump(self) -> bytes:
        content = {
            "format": FORMAT,
            "made_at": moment_text(self.made_at),
            "program": self.program,
            "home": self.home,
            "journal_upto": self.upto,
            "files": [asdict(entry) for entry in self.entries],
        }
        # escaped, so that a name that is no UTF-8 survives
        return (json.dumps(content, indent=1) + "\n").encode("ascii")


def _manifest(data: bytes, archive: Path) -> Manifest:
    content: Any = json.loads(data)
    if content["format"] > FORMAT:
        raise UsageError(f"{archive.name} 是较新版本的程序做的备份，请换用同样新的程序恢复。")
    return Manifest(
        made_at=parse_moment(content["made_at"]),
        program=str(content["program"]),
        home=str(content["home"]),
        upto=int(content["journal_upto"]),
        entries=tuple(
            Entry(str(one["path"]), str(one["member"]), int(one["size"]), str(one["sha256"]))
            for one in content["files"]
        ),
    )


class Archive:
    """An opened backup."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path = path
        self._file = file
        with _named(path, MANIFEST):
            if file.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise zipfile.BadZipFile(MANIFEST)
            self.manifest = _manifest(file.read(MANIFEST), path)
        self._check_names()

    def _check_names(self) -> None:
        listed = [entry.member for entry in self.manifest.entries]
        there = [name for name in self._file.namelist() if name != MANIFEST]
        if strange := sorted(set(there) - set(listed)):
            raise _damaged(self.path, strange[0], "不在清单中")
        if missing := sorted(set(listed) - set(there)):
            raise _damaged(self.path, missing[0], "不见了")
        if len(there) != len(set(there)):
            raise _damaged(self.path, MANIFEST, "有重复的文件名")
        for entry in self.manifest.entries:
            if not is_of_a_home(entry.path):
                raise _damaged(self.path, entry.path, "不是数据文件夹里的文件")

    def read(self, entry: Entry, write: Callable[[bytes], object] = lambda _: None) -> None:
        """Read one file through, giving it to `write`. Raises Damaged, which names it, where it is not
        what was backed up; `write` may then have had a part of it."""
        digest, size = hashlib.sha256(), 0
        with _named(self.path, entry.path), self._file.open(entry.member) as member:
            while size <= entry.size and (chunk := member.read(CHUNK)):
                size += len(chunk)
                digest.update(chunk)
                write(chunk)
        if size != entry.size or digest.hexdigest() != entry.sha256:
            raise _damaged(self.path, entry.path, "与清单中的校验值不符")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A backup for reading. Raises UsageError where there is no such file or it is no backup,
    Damaged where it is one and not whole."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"打不开备份 {path.name}（{error.strerror}）。请核对文件名和权限。") from error
    with file:
        with _named(path, ""):
            inside = zipfile.ZipFile(file)
        if MANIFEST not in inside.namelist():
            raise UsageError(f"{path.name} 不是 ledger backup 做的备份：里面没有 {MANIFEST}。")
        with inside:
            yield Archive(path, inside)


def prove_archive(path: Path) -> Manifest:
    """Read a backup through. Raises Damaged naming the first file that is not what was backed up."""
    with opened(path) as archive:
        for entry in archive.manifest.entries:
            archive.read(entry)
        return archive.manifest


def is_of_a_home(path: str) -> bool:
    """Whether a path is one that a backup may hold: in data/raw, or the settings."""
    parts = PurePosixPath(path).parts
    plain = ".." not in parts and "\0" not in path and PurePosixPath(*parts).as_posix() == path
    return plain and (path == "ledger.toml" or (parts[:2] == ("data", "raw") and len(parts) > 2))


@contextmanager
def _named(archive: Path, name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise _damaged(archive, name, "读不出来") from error


def _damaged(archive: Path, name: str, how: str) -> Damaged:
    shown = name.encode("utf-8", "replace").decode()
    what = f"备份 {archive.name} 里的 {shown} {how}" if name else f"备份 {archive.name} 不完整或不是备份"
    return Damaged(f"{what}。请换用另一份备份；这一份没有恢复任何文件。")
