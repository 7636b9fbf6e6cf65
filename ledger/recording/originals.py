"""The originals: a read-only copy of every file ever received, named by its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger.errors import Damaged, LedgerError, UsageError
from ledger.recording.journal import sync_folder

_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
_CHUNK = 1 << 20
_ASIDE = ".aside-"
#: Unfinished copies younger than this may still be written by another process.
_SWEPT_AFTER = 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept copy; `new` is False where the very same bytes were already there."""

    sha256: str
    ext: str
    new: bool


def extension(name: str) -> str:
    """The ending under which a file is kept: lower case letters and digits, ``bin`` otherwise."""
    ending = Path(name).suffix.removeprefix(".").lower()
    return ending if _EXTENSION.fullmatch(ending) else "bin"


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises UsageError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"打不开文件 {path.name}（{error.strerror}）。请核对文件名和权限。") from error


class Originals:
    """The folder of originals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str, ext: str) -> Path:
        return self.folder / f"{sha256}.{ext}"

    def keep(self, source: Path, name: str | None = None) -> Kept:
        """Copy `source`, flush it to the disk and give it its name; the source is not touched.

        Copy and hash come from one pass, so that a file being saved over while it is read is kept
        under the hash of what was read. Raises UsageError where the source can't be read,
        LedgerError where the copy can't be written.
        """
        ext = extension(name or source.name)
        try:
            given = source.open("rb")
        except OSError as error:
            raise UsageError(f"打不开文件 {source.name}（{error.strerror}）。请核对文件名和权限。") from error
        with given:
            try:
                return self._copy(given, ext)
            except OSError as error:
                raise LedgerError(
                    f"{source.name} 的副本存不进 data/raw/originals（{error.strerror}）。请检查磁盘空间和写权限。"
                ) from error

    def _copy(self, given: BinaryIO, ext: str) -> Kept:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{_ASIDE}{os.getpid()}-{os.urandom(4).hex()}"
        digest = hashlib.sha256()
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
            with os.fdopen(handle, "wb") as copy:
                while chunk := given.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
            sha256 = digest.hexdigest()
            final = self.path(sha256, ext)
            try:
                os.link(aside, final)
            except FileExistsError:
                if _is_whole(final, sha256):
                    return Kept(sha256, ext, False)
                aside.replace(final)  # what stood there was damaged; these are the bytes it names
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()
        sync_folder(self.folder)
        return Kept(sha256, ext, True)

    def sweep(self) -> None:
        """Remove copies that a killed program left unfinished; none of them was ever journaled."""
        if self.folder.is_dir():
            old = time.time() - _SWEPT_AFTER
            for entry in os.scandir(self.folder):
                if entry.name.startswith(_ASIDE) and entry.stat().st_mtime < old:
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()

    def read(self, sha256: str, ext: str) -> bytes:
        """The bytes of an original. Raises Damaged where it is missing or not what was received."""
        path = self.path(sha256, ext)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Damaged(f"原件 {path.name} 不在 data/raw/originals 中。请从备份恢复。") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(f"原件 {path.name} 与收到时不同：文件被改动或损坏。请从备份恢复。")
        return data


def _is_whole(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
