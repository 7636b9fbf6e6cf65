"""The inbox's new files taken in, zip archives opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ledger.calendar import now
from ledger.errors import UsageError
from ledger.fetching import inbox, kinds
from ledger.fetching.inbox import Lying
from ledger.fetching.memory import INBOX, Memory
from ledger.fetching.taking import Piece, Taken, take
from ledger.fetching.unpack import unpack, work_folder
from ledger.home import Home
from ledger.reading.formats import limits
from ledger.recording.intake import RECEIVED_CSV, read_received_csv
from ledger.recording.originals import hash_file

_EMPTY = {"zip": "压缩包是空的", "mail": "邮件里没有附件"}


@dataclass
class FromInbox:
    """What was taken in; the names of files still being written, and those that can't be read."""

    taken: list[Taken] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def take_inbox(home: Home, memory: Memory, *, settle: float = inbox.SETTLE_SECONDS) -> FromInbox:
    """Take in what is new in the inbox, by time of receipt and name, and remember it.

    A file is new where its name, or its content under that name, was not there before. It is
    received at the time of this look, unless ``received.csv`` in the inbox says otherwise. Raises
    UsageError where that can't be read, LedgerError where nothing can be written.
    """
    done = FromInbox()
    found = inbox.look(home, memory, settle=settle)
    done.moving = [one.name for one in found.moving]
    stated = read_received_csv(home.inbox / RECEIVED_CSV)
    moment = now()
    with work_folder(home) as folder:
        pieces: list[Piece] = []
        whole: list[Lying] = []
        for number, one in enumerate(found.settled):
            try:
                new = _pieces(one, memory, stated.get(one.name, moment), folder / str(number))
            except UsageError:
                done.unreadable.append(one.name)
                continue
            if new and not inbox.lies_as_before(one):
                done.moving.append(one.name)
                continue
            pieces += new
            whole.append(one)
        pieces.sort(key=lambda piece: (piece.received_at, piece.name))
        done.taken = take(home, pieces)
    for taken in done.taken:
        memory.inbox[taken.name] = taken.sha256 or ""
    memory.lay |= {one.name: list(one.lay) for one in whole}
    return done


def _pieces(one: Lying, memory: Memory, moment: datetime, folder: Path) -> list[Piece]:
    """What a file comes to: itself, or the files in it; nothing where all is known."""
    size = one.lay[0]
    if size > limits.MAX_FILE:
        if memory.inbox.get(one.name) == "":
            return []
        why = f"文件有 {size // limits.MEGABYTE} MB，超过上限 {limits.MAX_FILE // limits.MEGABYTE} MB"
        return [Piece(one.name, None, moment, INBOX, why)]
    sha256 = hash_file(one.path)
    if memory.inbox.get(one.name) == sha256:
        return []
    head = _read(one, kinds.HEAD)
    if kinds.is_archive(head, one.name):
        return _within("zip", one, memory, moment, folder)
    if one.name.lower().endswith(".eml"):
        return _within("mail", one, memory, moment, folder)
    # of what is called a table its head is enough
    data = head if kinds.meant_as_table(one.name) else _read(one)
    return [Piece(one.name, one.path, moment, INBOX, kinds.why_not(one.name, data, by_hand=True))]


def _read(one: Lying, size: int = -1) -> bytes:
    """The first `size` bytes, or all. Raises UsageError where the file can't be read."""
    try:
        with one.path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise UsageError(f"打不开文件 {one.name}（{error.strerror}）。") from error


def _within(kind: str, one: Lying, memory: Memory, moment: datetime, folder: Path) -> list[Piece]:
    """The files in an archive, or in a mail that was saved here."""
    folder.mkdir()
    opened = unpack(kind, one.path, folder)
    why = opened.why or ("" if opened.parts else _EMPTY[kind])
    if why:
        return [Piece(one.name, one.path, moment, INBOX, why)]
    pieces = [
        Piece(
            f"{one.name}/{part.name}",
            opened.path(part),
            moment,
            INBOX,
            part.why,
            within={one.name: one.path, **opened.around(part)},
        )
        for part in opened.parts
        if not part.opened
    ]
    return [piece for piece in pieces if memory.inbox.get(piece.name) != piece.sha256]
