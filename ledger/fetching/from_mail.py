"""The mailbox's new mails taken in: attachments of known senders received, others set aside."""

from __future__ import annotations

import email.parser
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from ledger.calendar import now
from ledger.fetching import names
from ledger.fetching.mailbox import Envelope, Mailbox, MailboxProblem, Unreadable, open_mailbox
from ledger.fetching.memory import MAIL, Memory, attachment_key, note_place
from ledger.fetching.taking import Piece, Taken, take
from ledger.fetching.unpack import Unpacked, clear_work, unpack, work_folder
from ledger.fetching.unpack_child import sender_of
from ledger.home import Home
from ledger.recipients import Recipient
from ledger.settings import Imap

_MEGABYTE = 1 << 20
#: How often the connection may break at one mail before it is passed over.
_MOST_BREAKS = 3
_NOT_GIVEN = "收件服务器交不出这封邮件，请到邮箱里看"
_UNKNOWN = "发件人不在登记资料 recipients.csv 中"
_NO_UNIT = "发件人不是报送单位（recipients.csv 中没有填 unit_code）"


@dataclass
class FromMail:
    """What was taken in, and what kept the mailbox from being read to its end (Chinese)."""

    taken: list[Taken] = field(default_factory=list)
    problem: str = ""


def senders(recipients: Iterable[Recipient]) -> dict[str, Recipient]:
    """The registered recipients by address, in small letters; a reporting unit before another."""
    found: dict[str, Recipient] = {}
    for one in recipients:
        for address in (one.address, *one.also):
            known = found.get(address.lower())
            if known is None or (known.unit_code is None and one.unit_code is not None):
                found[address.lower()] = one
    return found


def take_mailbox(
    home: Home,
    memory: Memory,
    settings: Imap,
    known: Mapping[str, Recipient],
    since: date,
    *,
    progress: Callable[[str], None],
) -> FromMail:
    """Take in every mail that arrived since `since` and was not taken in before, one at a time.

    A mail is received when it reached the server, not when its sender says. Where the mailbox
    fails, what was taken in before stands and the rest comes at the next look. Raises LedgerError
    where nothing can be written.
    """
    done = FromMail()
    clear_work(home)
    try:
        with open_mailbox(settings) as mailbox:
            seen = memory.seen(mailbox.key, mailbox.uidvalidity)
            uids = mailbox.since(seen, settings.since or since)
            for number, envelope in enumerate(mailbox.envelopes(uids), start=1):
                progress(f"邮件 {number}/{len(uids)}")
                with _counted(memory, mailbox, envelope.uid):
                    taken = _take_mail(home, memory, settings, mailbox, envelope, known)
                done.taken += taken
                _remember(memory, mailbox, envelope.uid, taken)
                if settings.mark_seen:
                    mailbox.mark_seen(envelope.uid)
    except MailboxProblem as problem:
        done.problem = problem.message
    return done


@contextmanager
def _counted(memory: Memory, mailbox: Mailbox, uid: int) -> Iterator[None]:
    """Count how often the connection breaks at this mail."""
    try:
        yield
    except MailboxProblem:
        count = memory.broke_at(mailbox.key, mailbox.uidvalidity, uid) + 1
        memory.breaks[mailbox.key] = [mailbox.uidvalidity, uid, count]
        raise
    memory.breaks.pop(mailbox.key, None)


def _remember(memory: Memory, mailbox: Mailbox, uid: int, taken: Iterable[Taken]) -> None:
    note_place(memory.looked, mailbox.key, mailbox.uidvalidity, uid)
    for one in taken:
        message = one.details["mail"]["message"]
        key = attachment_key(message, one.name, one.sha256 or "", aside=bool(one.why))
        memory.attachments[key] = 1


def _take_mail(
    home: Home,
    memory: Memory,
    settings: Imap,
    mailbox: Mailbox,
    envelope: Envelope,
    known: Mapping[str, Recipient],
) -> list[Taken]:
    most = settings.max_megabytes * _MEGABYTE
    with work_folder(home) as folder:
        try:
            pieces, message, sender = _opened(mailbox, envelope, most, folder, memory, known)
        except Unreadable:
            pieces, message, sender = [_left(envelope, _NOT_GIVEN)], "", ""
        message = message or _message_key("", f"{mailbox.key} {mailbox.uidvalidity} {envelope.uid}".encode())
        who = known.get(sender)
        details = {
            "mailbox": mailbox.key,
            "uidvalidity": mailbox.uidvalidity,
            "uid": envelope.uid,
            "message": message,
            "from": None if who is None else who.key,
        }
        return take(home, _new(pieces, memory, details))


def _opened(
    mailbox: Mailbox,
    envelope: Envelope,
    most: int,
    folder: Path,
    memory: Memory,
    known: Mapping[str, Recipient],
) -> tuple[list[Piece], str, str]:
    """What a mail comes to, its key and its sender. Raises Unreadable where the server does not
    give it; one at which the connection breaks time and again is not asked for any more."""
    breaks = memory.broke_at(mailbox.key, mailbox.uidvalidity, envelope.uid)
    if envelope.size is None or breaks >= _MOST_BREAKS:
        raise Unreadable(_NOT_GIVEN)
    if envelope.size > most:
        why = (
            f"邮件有 {envelope.size // _MEGABYTE} MB，超过上限 {most // _MEGABYTE} MB，没有下载；"
            "请到邮箱里看，或请对方只发表格"
        )
        return [_left(envelope, why)], *_identity(mailbox.header(envelope.uid))
    file = folder / f"邮件{envelope.uid}.eml"
    file.write_bytes(mailbox.read(envelope.uid, most))
    parts = folder / "parts"
    parts.mkdir()
    found = unpack("mail", file, parts)
    pieces = _pieces(found, file, envelope, known.get(found.sender))
    return pieces, _message_key(found.message_id, file.read_bytes()), found.sender


def _left(envelope: Envelope, why: str) -> Piece:
    """A mail that stays in the mailbox unread."""
    return Piece(f"邮件{envelope.uid}", None, min(envelope.arrived, now()), MAIL, why)


def _identity(header: bytes) -> tuple[str, str]:
    """Message key and sender of a mail of which only the header was read."""
    message = email.parser.BytesHeaderParser().parsebytes(header)
    stated = names.header_text(message.get("message-id") or "").strip()
    return _message_key(stated, header), sender_of(message)


def _message_key(message_id: str, data: bytes) -> str:
    """What a mail is known by wherever it turns up: its Message-ID, else all its bytes."""
    return hashlib.sha256(message_id.encode("utf-8", "replace") or data).hexdigest()


def _pieces(opened: Unpacked, file: Path, envelope: Envelope, sender: Recipient | None) -> list[Piece]:
    """What a mail comes to, in the order of its parts."""
    if opened.report:
        return []
    arrived = min(envelope.arrived, now())
    known = sender is not None and sender.unit_code is not None
    unknown = _UNKNOWN if sender is None else _NO_UNIT
    pieces = []
    for part in opened.parts:
        path = opened.path(part)
        if not known:
            if part.archive is None:
                pieces.append(Piece(part.name, path, arrived, MAIL, unknown))
        elif part.why:
            pieces.append(Piece(part.name, path, arrived, MAIL, part.why))
        elif not part.opened:
            within = {file.name: file, **opened.around(part)}
            pieces.append(Piece(part.name, path, arrived, MAIL, within=within))
    if opened.why:
        pieces.append(Piece(file.name, file, arrived, MAIL, opened.why))
    return pieces


def _new(pieces: list[Piece], memory: Memory, details: Mapping[str, Any]) -> list[Piece]:
    """The pieces not yet journaled; the last of them says that the mail is done with."""
    fresh: dict[str, Piece] = {}
    for piece in pieces:
        sha256 = piece.sha256 or ""
        key = attachment_key(details["message"], piece.name, sha256, aside=bool(piece.why))
        if key not in memory.attachments:
            fresh.setdefault(key, piece)
    left = list(fresh.values())
    return [
        replace(piece, details={"mail": {**details, "last": place == len(left)}})
        for place, piece in enumerate(left, start=1)
    ]
