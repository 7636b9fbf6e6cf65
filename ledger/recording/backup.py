"""`ledger backup`: one consistent copy of what can't be computed again, also while runs go on.

The journal is listed first, up to its last event of that moment, and everything else copied after:
an original is always kept before the event that names it, so every event in the copy finds its
originals there. The chain and every original are proved on the way: a damaged home makes no backup,
lest it push the good ones out. See docs/decisions/0024.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from ledger.calendar import SHANGHAI, now
from ledger.errors import Damaged, LedgerError, UsageError
from ledger.home import Home
from ledger.recording import events
from ledger.recording.archive import CHUNK, MANIFEST, Entry, Manifest, opened, prove_archive
from ledger.recording.journal import Event, Journal, sync_folder
from ledger.recording.originals import Originals

_PART = ".part"
#: An unfinished backup that nobody has written to for so long was left by a killed program.
_ABANDONED = 3600
_FIRST_ZIP_YEAR = 1980


def backup_name(home: Home, moment: datetime) -> str:
    """The name of a home's backup of a moment."""
    return f"{_prefix(home)}{moment.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.zip"


def _prefix(home: Home) -> str:
    return f"ledger-{home.root.name}-"


def back_up(home: Home, target: Path, *, progress: Callable[[str], None] = lambda _: None) -> Manifest:
    """Write a home's backup to `target`, whole or not at all, and read it through once more.

    Raises UsageError where `target` is taken, lies in what is backed up, or there is no home; Damaged
    naming the file where journal or originals are not what was received; OSError for the disk's.
    """
    if not home.raw.is_dir():
        raise UsageError("这里没有 data/raw：不是数据文件夹。请核对 --home。")
    target = target.absolute()
    if target.resolve().is_relative_to(home.raw.resolve()):
        raise UsageError("备份不能放在 data/raw 里面，请换一个地方。")
    if target.exists():
        raise _taken(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    part = target.with_name(f".{target.name}.{os.getpid()}{_PART}")
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            progress("复制")
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                manifest = _Copy(home, archive).all()
                archive.writestr(_member(MANIFEST, manifest.made_at.timestamp()), manifest.dump())
            file.flush()
            os.fsync(file.fileno())
            # read what is on the disk, not what memory remembers
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        progress("核对")
        _prove(part, manifest)
        _name(part, target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)
    return manifest


def _prove(part: Path, manifest: Manifest) -> None:
    try:
        same = prove_archive(part) == manifest
    except Damaged:
        same = False
    if not same:
        raise Damaged("备份写完后读出来不一样，已删去：请检查备份所在的磁盘，再做一次。")


class _Copy:
    """Copies a home into a zip."""

    def __init__(self, home: Home, archive: zipfile.ZipFile) -> None:
        self._home = home
        self._archive = archive
        self._entries: dict[str, Entry] = {}
        self._unnamed = 0

    def all(self) -> Manifest:
        made_at = now()
        chain = list(self._chain())
        for path in _files(self._home.raw):
            relative = path.relative_to(self._home.raw)
            if relative.parts[0] != "journal":
                self._file(path, (Path("data", "raw") / relative).as_posix())
        if self._home.settings.is_file():
            self._file(self._home.settings, "ledger.toml")
        self._require_originals(chain)
        return Manifest(
            made_at=made_at,
            program=version("ledger"),
            home=chain[0].sha256 if chain else "",
            upto=len(chain),
            entries=tuple(self._entries.values()),
        )

    def _chain(self) -> Iterator[Event]:
        """The journal as it stands, each event copied and its link proved."""
        journal = Journal(self._home.journal)
        previous: str | None = None
        for name in journal.names():
            event = journal.event(name)
            if event.previous != previous:
                raise Damaged(f"日志 {name} 与前一事件的校验值不符：文件被改动过。请先从备份恢复，再做备份。")
            previous = event.sha256
            self._file(self._home.journal / name, f"data/raw/journal/{name}")
            yield event

    def _file(self, path: Path, name: str) -> None:
        """Copy one file; one that has gone since it was listed is left out."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise LedgerError(
                f"{_shown(name)} 读不出来（{error.strerror}），没有做成备份。请放开读权限或移走它再试。"
            ) from error
        member, digest, size = self._member_name(name), hashlib.sha256(), 0
        with source, self._archive.open(_member(member, _changed(source.fileno())), "w") as copy:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                copy.write(chunk)
        self._entries[name] = Entry(name, member, size, digest.hexdigest())

    def _member_name(self, name: str) -> str:
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            self._unnamed += 1
            return f"unnamed/{self._unnamed:06d}"
        return name

    def _require_originals(self, chain: list[Event]) -> None:
        originals = Originals(self._home.originals)
        for event in chain:
            for sha256, ext in events.originals_of(event):
                name = f"data/raw/originals/{originals.path(sha256, ext).name}"
                entry = self._entries.get(name)
                if entry is None or entry.sha256 != sha256:
                    how = "不见了" if entry is None else "与收到时不同"
                    raise Damaged(
                        f"原件 {name} {how}，没有做成备份。请先从以前的备份恢复它（ledger verify 会说明办法）。"
                    )


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder in order, links to folders followed once; not those being written."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".aside-") and path.is_file():
                yield path


def _member(name: str, changed: float) -> zipfile.ZipInfo:
    moment = datetime.fromtimestamp(max(changed, 0), SHANGHAI)
    stamp = (max(moment.year, _FIRST_ZIP_YEAR), *moment.timetuple()[1:6])
    info = zipfile.ZipInfo(name, stamp)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _changed(handle: int) -> float:
    return os.fstat(handle).st_mtime


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _taken(target: Path) -> UsageError:
    return UsageError(f"{target.name} 已经有了，备份不覆盖已有的文件。请换一个名字。")


def _name(part: Path, target: Path) -> None:
    """Give the finished backup its name, never another file's."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a memory stick or a network share that knows no links
        if target.exists():
            raise _taken(target) from None
        part.rename(target)


def _sweep(folder: Path) -> None:
    """Remove unfinished backups that a killed program left."""
    old = time.time() - _ABANDONED
    for path in folder.glob(f".*.zip.*{_PART}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < old:
                path.unlink()


def thin_out(home: Home, folder: Path, keep: int, made: Manifest) -> list[Path]:
    """Remove a home's older backups in a folder but for the newest `keep`; what was removed.

    Only files that `back_up` has named and that say they are of this home: nobody else's.
    """
    if not made.home:
        return []
    mine = sorted(
        path for path in folder.glob(f"{_prefix(home)}[0-9]*-[0-9]*.zip") if _is_of(path, made.home)
    )
    removed = mine[: max(len(mine) - keep, 0)]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def _is_of(path: Path, home: str) -> bool:
    try:
        with opened(path) as archive:
            return archive.manifest.home == home
    except LedgerError:
        return False
