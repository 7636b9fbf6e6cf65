"""Mails as people's programs write them, byte for byte: the standard library writes only good ones."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

BOUNDARY = "=_part_17"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Attached:
    """A part of a mail: its headers as raw bytes, its content, written in base64 unless `bare`."""

    headers: bytes
    content: bytes
    bare: bool = False

    def bytes(self) -> bytes:
        if self.bare:
            return self.headers + b"\r\n\r\n" + self.content
        encoded = base64.encodebytes(self.content).replace(b"\n", b"\r\n")
        return self.headers + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded


def attached(name: str, content: bytes, kind: str = XLSX) -> Attached:
    """A part named as most programs do it today (RFC 2231)."""
    return Attached(disposition(rfc2231(name), kind), content)


def disposition(parameter: bytes, kind: str = XLSX) -> bytes:
    return b"Content-Type: " + kind.encode() + b"\r\nContent-Disposition: attachment; " + parameter


def rfc2231(name: str, charset: str = "utf-8") -> bytes:
    percent = "".join(f"%{byte:02X}" for byte in name.encode(charset if charset != "gb2312" else "gb18030"))
    return f"filename*={charset}''{percent}".encode()


def word(text: str, charset: str = "utf-8", codec: str = "") -> bytes:
    """An RFC 2047 encoded word, stated to be in `charset`, in fact in `codec`."""
    encoded = base64.b64encode(text.encode(codec or charset)).decode()
    return f"=?{charset}?B?{encoded}?=".encode()


def mail(
    parts: Sequence[Attached] = (),
    *,
    sender: bytes = b"jingyang@jianshi.example",
    message_id: str = "<1@jianshi.example>",
    text: bytes = "报表见附件。".encode(),
    headers: bytes = b"",
    kind: bytes = b"multipart/mixed",
) -> bytes:
    """A mail with a letter and these parts."""
    top = b"From: " + sender + b"\r\nTo: ledger@jianshi.example\r\nSubject: " + word("报表") + b"\r\n"
    top += b"Date: Mon, 01 Jan 2018 09:00:00 +0800\r\nMIME-Version: 1.0\r\n" + headers
    if message_id:
        top += f"Message-ID: {message_id}\r\n".encode()
    line = f"--{BOUNDARY}\r\n".encode()
    letter = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
    body = b"".join(line + one + b"\r\n" for one in (letter, *(part.bytes() for part in parts)))
    closing = f"--{BOUNDARY}--\r\n".encode()
    return top + b"Content-Type: " + kind + f'; boundary="{BOUNDARY}"\r\n\r\n'.encode() + body + closing


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()
