"""`ledger restore`: a backup's files into an empty folder, all proved before any stands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ledger.errors import UsageError
from ledger.recording.archive import Archive, Entry, Manifest, opened
from ledger.recording.journal import sync_folder

_ASIDE = ".restoring"
_SETTINGS, _DATA = "ledger.toml", "data"
_READ_ONLY = ("data/raw/journal/", "data/raw/originals/")


def restore_files(archive: Path, folder: Path) -> Manifest:
    """Put a backup's files into `folder`, which is empty or not there; all of them or none.

    Raises UsageError where the folder holds anything or the file is no backup, Damaged naming the
    first file that is not what was backed up, OSError for the disk's.
    """
    with opened(archive) as backup:
        made = not folder.exists()
        aside = folder / _ASIDE
        if not made and not _is_free(folder):
            raise UsageError(f"{folder} 不是空文件夹。备份只恢复到空文件夹里，请另指定一个。")
        shutil.rmtree(aside, ignore_errors=True)
        try:
            aside.mkdir(parents=True)
            for entry in backup.manifest.entries:
                _extract(backup, entry, aside)
            os.sync()
        except BaseException:
            shutil.rmtree(folder if made else aside, ignore_errors=True)
            raise
        # the data last: a home without it is none, one with it is whole
        for name in (_SETTINGS, _DATA):
            if (aside / name).exists():
                (aside / name).rename(folder / name)
        aside.rmdir()
        sync_folder(folder)
        return backup.manifest


def _is_free(folder: Path) -> bool:
    """Whether a folder is empty, but for what a file system puts there and a killed restore left."""
    if not folder.is_dir():
        return False
    there = {one.name for one in folder.iterdir()} - {"lost+found"}
    return there <= {_ASIDE, _SETTINGS} if _ASIDE in there else not there


def _extract(backup: Archive, entry: Entry, aside: Path) -> None:
    path = aside / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        backup.read(entry, file.write)
    if entry.path.startswith(_READ_ONLY):
        path.chmod(0o444)
