"""A queued mail as the bytes that go over the wire: the same on every try.

Built from the journal's event and the sender alone: the Message-ID, the date and the boundaries are
not left to chance. Headers that carry Chinese are written by the older, plainer part of the standard
library: the newer one may put a blank between two encoded words of a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import quote

from ledger.calendar import parse_moment
from ledger.reporting.texts import shown

_POLICY = policy.SMTP.clone(refold_source="none", max_line_length=998)
#: An encoded word may have 75 characters, with what stands before it on its line 76.
_WIDTH = 72
_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
}
#: Where no sender is set, mails are only written as files; ``.invalid`` is nobody's for ever.
NOBODY = "noreply@ledger.invalid"


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose name a mail bears: the From line, and where answers go ('' = there too)."""

    name: str
    address: str
    reply_to: str = ""

    @classmethod
    def of(cls, sender: str, reply_to: str, office: str) -> Sender:
        """The settings' `sender` (address, or 姓名 <address>); `office` where no name is given."""
        name, address = parseaddr(sender)
        return cls(name or office, address or NOBODY, reply_to)

    @property
    def domain(self) -> str:
        """What stands behind the @, in the form that every server knows."""
        return ascii_domain(self.address.rpartition("@")[2])


def ascii_domain(domain: str) -> str:
    """A domain in its ASCII form."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def ascii_address(address: str) -> str:
    """An address with its domain in ASCII; the part before the @ stays as it is."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def needs_utf8(address: str) -> bool:
    """Whether an address can only be written where the server offers SMTPUTF8 (RFC 6531)."""
    return not ascii_address(address).isascii()


def build(
    payload: Mapping[str, Any],
    address: str,
    sender: Sender,
    load: Callable[[str, str], bytes],
    *,
    unsent: bool = False,
) -> bytes:
    """The message of a ``mail_queued`` event for `address`, with CRLF line ends.

    `load` gives an attachment's bytes by its SHA-256 and ending, and raises where they are gone.
    `unsent`: a file that a mail program opens as a draft of one's own, ready to be sent.
    """
    message = EmailMessage(policy=_POLICY)
    name = payload["recipient"]["name"]
    _header(message, "From", _mailbox("From", sender.name, sender.address))
    _header(message, "To", _mailbox("To", name, address))
    if sender.reply_to:
        _header(message, "Reply-To", ascii_address(parseaddr(sender.reply_to)[1]))
    _header(message, "Subject", _words("Subject", payload["subject"]))
    _header(message, "Date", format_datetime(parse_moment(payload["date"])))
    _header(message, "Message-ID", f"<{payload['message_id']}@{payload['domain']}>")
    _header(message, "Auto-Submitted", "auto-generated")
    if unsent:
        _header(message, "X-Unsent", "1")
    message.set_content(payload["text"], cte="base64")
    message.add_alternative(payload["html"], subtype="html", cte="base64")
    for one in payload["attachments"]:
        _attach(message, one["name"], one["ext"], load(one["sha256"], one["ext"]))
    for place, part in enumerate(part for part in message.walk() if part.is_multipart()):
        # ``=_`` stands in no base64, so no boundary stands in a part
        part.set_boundary(f"=_{place}_{payload['message_id']}")
    for part in message.walk():
        if part is not message:
            del part["MIME-Version"]
    return message.as_bytes(policy=_POLICY)


def _header(message: EmailMessage, name: str, value: str) -> None:
    """Set a header whose value is folded already."""
    message.set_raw(name, value)


def _words(header: str, text: str) -> str:
    """Text as a header's value: encoded words of at most 75 characters where it is not ASCII."""
    text = shown(text)
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=_WIDTH, header_name=header).encode(linesep="\r\n")


def _mailbox(header: str, name: str, address: str) -> str:
    """A name and its address; an ASCII name in quotes, whatever stands in it."""
    name, address = shown(name), ascii_address(address)
    if not name:
        return address
    if name.isascii():
        plain = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{plain}"\r\n <{address}>'
    return f"{_words(header, name)}\r\n <{address}>"


def _attach(message: EmailMessage, name: str, ext: str, data: bytes) -> None:
    """Attach a file; its name twice, as RFC 2231 has it and as the clients of old write it."""
    maintype, _, subtype = _TYPES.get(ext, "application/octet-stream").partition("/")
    message.add_attachment(data, maintype=maintype, subtype=subtype, cte="base64")
    part = list(message.iter_attachments())[-1]
    name = shown(name).replace('"', "_").replace("\\", "_")
    plain = _words("filename", name).replace("\r\n ", "\r\n  ")
    for header in ("Content-Type", "Content-Disposition"):
        del part[header]
    part.set_raw("Content-Type", f'{maintype}/{subtype};\r\n name="{plain}"')
    exact = "" if name.isascii() else f";\r\n filename*=utf-8''{quote(name, safe='')}"
    part.set_raw("Content-Disposition", f'attachment;\r\n filename="{plain}"{exact}')
