"""`ledger backup` and `ledger restore`: the home on another disk, and the home again from there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.opened import open_ledger
from ledger import logs
from ledger.calendar import moment_text, now
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording.archive import Manifest
from ledger.recording.backup import back_up, backup_name, thin_out
from ledger.recording.database import URL_VARIABLE
from ledger.recording.editions import every_edition, restore
from ledger.recording.proof import prove
from ledger.recording.proof_words import Proof
from ledger.recording.rebuild import rebuild
from ledger.recording.restoring import restore_files
from ledger.registry import Registry

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made: where, what is in it, which older ones were removed."""

    path: Path
    manifest: Manifest
    size: int
    removed: list[Path] = field(default_factory=list)
    #: whether it lies on the disk that it is to protect
    same_disk: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "made_at": moment_text(self.manifest.made_at),
            "events": self.manifest.upto,
            "files": len(self.manifest.entries),
            "bytes": self.manifest.size,
            "archive_bytes": self.size,
            "removed": [path.name for path in self.removed],
            "same_disk": self.same_disk,
        }


def back_up_home(home: Home, target: Path | None, keep: int | None, *, progress: Progress) -> BackedUp:
    """Back a home up into a folder (``backups`` in the home by default) or to a .zip file.

    Raises UsageError where `keep` is given with a file, and as `ledger.recording.backup.back_up`.
    """
    folder = target or home.root / "backups"
    named = target is not None and target.suffix.lower() == ".zip" and not target.is_dir()
    if named and keep is not None:
        raise UsageError("--keep 只用于备份到文件夹，不用于指定的文件。")
    path = folder if named else folder / backup_name(home, now())
    manifest = back_up(home, path, progress=progress)
    removed = thin_out(home, folder, keep, manifest) if keep is not None else []
    _note(home, manifest)
    logs.note(events=manifest.upto, files=len(manifest.entries), bytes=manifest.size, removed=len(removed))
    same_disk = path.stat().st_dev == home.raw.stat().st_dev
    return BackedUp(path, manifest, path.stat().st_size, removed, same_disk)


def _note(home: Home, manifest: Manifest) -> None:
    """Leave for `ledger doctor` when the last backup was made; a read-only home keeps no note."""
    note = {"made_at": moment_text(manifest.made_at), "events": manifest.upto}
    try:
        home.logs.mkdir(exist_ok=True)
        aside = home.last_backup.with_name(f".{home.last_backup.name}.{os.getpid()}")
        aside.write_text(json.dumps(note), encoding="ascii")
        aside.replace(home.last_backup)
    except OSError:
        return


@dataclass(frozen=True)
class Restored:
    """A home that was restored: what was in the backup and what stands now."""

    home: Home
    manifest: Manifest
    lines: list[str]
    proof: Proof | None

    @property
    def sound(self) -> bool:
        return self.proof is None or self.proof.fault is None

    def as_json(self) -> dict[str, Any]:
        return {
            "home": str(self.home.root),
            "made_at": moment_text(self.manifest.made_at),
            "events": self.manifest.upto,
            "files": len(self.manifest.entries),
            "lines": self.lines,
            "verify": None if self.proof is None else self.proof.as_json(),
        }


def restore_home(archive: Path, folder: Path, *, progress: Progress) -> Restored:
    """A home again from a backup: its files, its ledger, its issued editions, all proved.

    The ledger is built in the home's own file even where LEDGER_DATABASE_URL names another
    database: a backup tried out beside the office must not touch the office's ledger.
    """
    progress("取出并核对文件")
    manifest = restore_files(archive, folder)
    home = Home(folder.resolve())
    with logs.task(home, "restore", events=manifest.upto, files=len(manifest.entries)):
        return _stand_up(home, manifest, progress)


def _stand_up(home: Home, manifest: Manifest, progress: Progress) -> Restored:
    """The ledger and the issued editions of a home whose files were just restored, all proved."""
    lines = [f"取出 {len(manifest.entries)} 个文件，都与备份时相同。"]
    if not manifest.upto:
        return Restored(home, manifest, lines, None)
    registry = Registry.load(home)
    url = f"sqlite:///{home.database}"
    progress("重建台帐")
    home.processed.mkdir(parents=True, exist_ok=True)
    lines += rebuild(home, registry, url=url).lines
    progress("放回已签发的月报")
    with open_ledger(home, registry, url=url) as ledger:
        editions = every_edition(ledger)
    for edition in editions:
        restore(home, edition)
    if editions:
        lines.append(f"已签发的 {len(editions)} 版月报已放回 reports/。")
    progress("核对")
    proof = prove(home, registry, url=url)
    logs.note(editions=len(editions), sound=proof.fault is None)
    if os.environ.get(URL_VARIABLE):
        lines.append(
            f"台帐建在本文件夹的 SQLite 里；要改用 {URL_VARIABLE} 所指的数据库，请运行 ledger rebuild。"
        )
    return Restored(home, manifest, lines, proof)
