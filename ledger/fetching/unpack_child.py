"""Opens one mail or archive within limits, away from everything else.

Started by ledger.fetching.unpack as ``python -m ledger.fetching.unpack_child mail|zip FILE FOLDER``.
Writes each part into the folder under a number and what it is into ``parts.json``. Whatever is
wrong with the file is said there; a file that kills this process is answered for by its death.
"""

from __future__ import annotations

import base64
import binascii
import email
import email.utils
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from email.message import Message
from pathlib import Path

from ledger.child_limits import limit_memory, limit_time
from ledger.fetching import kinds, names
from ledger.fetching.kinds import HIDDEN, NOT_SENT

MEMORY_LIMIT = 1 << 30
CPU_SECONDS = 20
#: All that one mail or archive may come to, unpacked.
MAX_UNPACKED = 300 << 20
#: Parts of a mail that are looked at, and what may be attached to it or be in an archive.
MAX_PARTS = 2_000
MAX_ATTACHED = 100
MAX_MEMBERS = 300
#: Files in one mail or archive, all counted.
MAX_FILES = 500
#: Mails within mails, archives within archives.
MAX_DEPTH = 8
MAX_ARCHIVES = 2
MANIFEST = "parts.json"
_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_IN_BRACKETS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_ENCRYPTED = 0x1
_UTF8 = 0x800


@dataclass
class Part:
    """One file of a mail or archive. `file` is its name in the folder, blank where it is not there;
    `why` why it can't be received, blank where it can; `archive` the place of the archive it was
    in; `opened` marks an archive whose members follow."""

    name: str
    file: str = ""
    why: str = ""
    archive: int | None = None
    opened: bool = False


@dataclass
class Parts:
    """What is written into ``parts.json``. `why` says why nothing could be looked at."""

    parts: list[Part] = field(default_factory=list)
    why: str = ""
    #: the From header's address in small letters; blank where there is not exactly one
    sender: str = ""
    message_id: str = ""
    report: bool = False


class _Full(Exception):
    """There is more than there may be."""


#: What the standard library raises over archives and mails that are none.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
)


class _Unpacking:
    def __init__(self, folder: Path, *, is_archive: bool) -> None:
        self.folder = folder
        self._outer = int(is_archive)
        self.found = Parts()
        self._left = MAX_UNPACKED
        self._seen: set[tuple[str, int | None]] = set()

    def add(self, name: str, data: bytes, archive: int | None = None) -> None:
        """Keep one part and say what it is; an archive's members come after it."""
        self._spend(len(data))
        digest = (hashlib.sha256(data).hexdigest(), archive)
        if digest in self._seen:
            return
        self._seen.add(digest)
        place = len(self.found.parts)
        if place >= MAX_FILES:
            raise _Full
        (self.folder / str(place)).write_bytes(data)
        part = Part(name, str(place), archive=archive)
        self.found.parts.append(part)
        if not kinds.is_archive(data, name):
            part.why = kinds.why_not(name, data)
        elif self._level(archive) >= MAX_ARCHIVES:
            part.why = "压缩包里层层套着压缩包，请解压后再报"
        else:
            self._open(part, place)

    def _open(self, part: Part, place: int) -> None:
        before = len(self.found.parts)
        try:
            self.members(self.folder / part.file, part.name, place)
        except (_Full, *_FAULTS) as fault:
            del self.found.parts[before:]
            part.why = why_closed(fault)
            return
        part.opened = True
        if len(self.found.parts) == before:
            part.opened, part.why = False, "压缩包是空的"

    def members(self, path: Path, name: str, place: int | None) -> None:
        """The files of a zip archive. Raises what zipfile does, and _Full."""
        with zipfile.ZipFile(path) as opened:
            infos = [
                info for info in opened.infolist() if not info.is_dir() and not _is_hidden(info.filename)
            ]
            if len(infos) > MAX_MEMBERS or sum(info.file_size for info in infos) > self._left:
                raise _Full
            for info in infos:
                if info.flag_bits & _ENCRYPTED:
                    raise RuntimeError("encrypted")
                with opened.open(info) as member:
                    data = member.read(self._left + 1)
                inner = names.member_name(info.filename, is_utf8=bool(info.flag_bits & _UTF8))
                self.add(inner if place is None else f"{name}/{inner}", data, place)

    def _level(self, archive: int | None) -> int:
        level = self._outer
        while archive is not None:
            level, archive = level + 1, self.found.parts[archive].archive
        return level

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _Full

    # --- mails

    def mail(self, data: bytes) -> None:
        """The attachments of a mail, those of mails forwarded within it included."""
        message = email.message_from_bytes(data)
        self.found.sender = sender_of(message)
        self.found.message_id = names.header_text(message.get("message-id") or "").strip()
        self.found.report = message.get_content_type() == "multipart/report"
        if self.found.report:
            return
        count = 0
        for part, inline in _leaves(message):
            name = names.attachment_name(part)
            if not _is_attached(part, name, inline):
                continue
            count += 1
            if count > MAX_ATTACHED:
                raise _Full
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                self.add(name or f"附件{count}{kinds.ending_of(part.get_content_type())}", content)


def _leaves(message: Message) -> Iterator[tuple[Message, bool]]:
    """The parts that hold something, in order, and whether they belong into a page (an inline
    picture). Raises _Full where there is no end of them."""
    waiting: list[tuple[Message, bool, int]] = [(message, False, 0)]
    looked_at = 0
    while waiting:
        part, inline, depth = waiting.pop()
        looked_at += 1
        if looked_at > MAX_PARTS or depth > MAX_DEPTH:
            raise _Full
        inner = _forwarded(part)
        if inner is not None:
            waiting.append((inner, False, depth + 1))
        elif part.get_content_maintype() == "multipart" and part.is_multipart():
            within = part.get_content_type() == "multipart/related"
            below = part.get_payload()
            assert isinstance(below, list)
            waiting += [(one, within, depth) for one in reversed(below) if isinstance(one, Message)]
        elif not part.is_multipart():
            yield part, inline


def _forwarded(part: Message) -> Message | None:
    """The mail that a part carries: as message/rfc822, encoded against the rules or not, or as a
    file called .eml."""
    encoded = str(part.get("content-transfer-encoding", "")).strip().lower() == "base64"
    if part.get_content_type() == "message/rfc822":
        below = part.get_payload()
        inner = below[0] if isinstance(below, list) and below else None
        if not isinstance(inner, Message):
            return None
        if not encoded:
            return inner
        try:
            return email.message_from_bytes(base64.b64decode(str(inner.get_payload())))
        except (binascii.Error, ValueError):
            return inner
    if not part.is_multipart() and names.attachment_name(part).lower().endswith(".eml"):
        content = part.get_payload(decode=True)
        return email.message_from_bytes(content) if isinstance(content, bytes) else None
    return None


def _is_attached(part: Message, name: str, inline: bool) -> bool:
    """Whether a part is something sent, not the letter itself, its pictures or its signature."""
    kind, disposition = part.get_content_type(), (part.get_content_disposition() or "")
    if kind in _SIGNATURES or part.get_content_maintype() == "message":
        return False
    if part.get_content_maintype() == "image" and disposition != "attachment":
        return not (inline or "content-id" in part or disposition == "inline" or not name)
    if part.get_content_maintype() == "text" and not name:
        return disposition == "attachment"
    return True


def sender_of(message: Message) -> str:
    """The one address in the one From header, small letters; blank where there are others."""
    stated = message.get_all("from") or []
    if len(stated) != 1:
        return ""
    text = names.header_text(stated[0])
    found = _IN_BRACKETS.findall(text)
    if len(found) != 1:
        found = [address for _, address in email.utils.getaddresses([text]) if address]
    return found[0].strip().lower() if len(found) == 1 else ""


def _is_hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith(HIDDEN) for part in parts) or parts[-1].lower() in NOT_SENT


def why_closed(fault: Exception) -> str:
    """Why an archive was not opened."""
    if isinstance(fault, _Full):
        return "压缩包里的文件太多或太大，请解压后只报表格"
    if isinstance(fault, RuntimeError) and "encrypted" in str(fault):
        return "压缩包设有密码，请去掉密码或解压后再报"
    return "压缩包打不开，可能已损坏或没有传完整，请重新打包或解压后再报"


def look_into(kind: str, path: Path, folder: Path) -> Parts:
    """What is in `path`, a ``mail`` or a ``zip``; the parts' bytes in `folder`."""
    work = _Unpacking(folder, is_archive=kind == "zip")
    try:
        if kind == "mail":
            work.mail(path.read_bytes())
        else:
            work.members(path, "", None)
    except _Full as fault:
        work.found.why = why_closed(fault) if kind == "zip" else "邮件的附件太多、太大或层层相套，请分开重发"
    except (MemoryError, RecursionError):
        work.found.why = "结构异常，没有打开"
    except _FAULTS as fault:
        work.found.why = why_closed(fault)
    return work.found


def main(kind: str, path: Path, folder: Path) -> int:
    """Look into `path` within limits and write down what is there."""
    limit_memory(MEMORY_LIMIT)
    limit_time(CPU_SECONDS)
    found = look_into(kind, path, folder)
    (folder / MANIFEST).write_text(json.dumps(asdict(found), ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
