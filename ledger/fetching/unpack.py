"""Mails and archives opened in a process of their own, within limits on time and memory."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ledger
from ledger.fetching.unpack_child import MANIFEST, Part
from ledger.home import Home

_log = logging.getLogger(__name__)

#: Seconds by the clock, on a machine however busy; what it may compute is bounded in the child.
TIMEOUT = 120.0
_MODULE = "ledger.fetching.unpack_child"
#: Where in data/processed a look unpacks.
_WORK = "fetching"
_UNREADABLE = {"mail": "邮件结构异常，没有打开，请对方重发", "zip": "压缩包结构异常，没有打开，请解压后再报"}


@dataclass(frozen=True)
class Unpacked:
    """What was in a mail or an archive, in order, its bytes in `folder`. `why` says why nothing
    could be looked at; `report` marks a mail server's notice about a mail of our own."""

    folder: Path
    parts: tuple[Part, ...] = ()
    why: str = ""
    sender: str = ""
    message_id: str = ""
    report: bool = False

    def path(self, part: Part) -> Path:
        return self.folder / part.file

    def around(self, part: Part) -> dict[str, Path]:
        """The archives that a part was in, by name, the outermost first."""
        if part.archive is None:
            return {}
        archive = self.parts[part.archive]
        return {**self.around(archive), archive.name: self.path(archive)}


@contextmanager
def work_folder(home: Home) -> Iterator[Path]:
    """An empty folder of the home for what is being unpacked, gone afterwards. What a killed look
    left there goes, too: mails must not lie about; only one looks at a time."""
    clear_work(home)
    folder = home.processed / _WORK
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        clear_work(home)


def clear_work(home: Home) -> None:
    """Remove what a killed look left unpacked; a look that finds nothing new does so, too."""
    shutil.rmtree(home.processed / _WORK, ignore_errors=True)


def unpack(kind: str, path: Path, folder: Path) -> Unpacked:
    """Unpack `path`, a ``mail`` or ``zip``, into the empty `folder`. Never raises for what is in it."""
    root = str(Path(ledger.__file__).resolve().parent.parent)
    paths = dict.fromkeys([root, *filter(None, sys.path)])
    # what opens other people's files needs no password of ours
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-m", _MODULE, kind, str(path), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _log.warning("unpacking a %s took too long", kind)
        return Unpacked(folder, why=_UNREADABLE[kind])
    try:
        stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        _log.warning("unpacking a %s ended with code %d", kind, done.returncode)
        return Unpacked(folder, why=_UNREADABLE[kind])
    return Unpacked(
        folder,
        tuple(Part(**one) for one in stated["parts"]),
        stated["why"],
        stated["sender"],
        stated["message_id"],
        stated["report"],
    )
