"""File names as mails and archives carry them, in all the ways that are found in the wild.

RFC 2231 (``filename*0*=gb2312''%BD%A8``), RFC 2047 where it should not be (``name="=?GBK?B?…?="``),
bare UTF-8 or GB18030 bytes, or none at all; in zip archives GB18030 bytes without any mark.
"""

from __future__ import annotations

import contextlib
import email.errors
import email.header
import re
from email.message import Message

#: What a name is cut to, so that it can be kept as a file's name (255 bytes) with something before it.
MAX_LENGTH = 70
#: A header with more parameters than any program writes takes for ever to take apart.
_LONGEST_HEADER = 8_000
_SPACES = re.compile(r"\s+")
#: Controls, marks that turn the direction of writing, surrogates, private characters.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?]*\?=")
#: Narrower sets that are stated where the wider one was used.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
}


def guessed(data: bytes) -> str:
    """Text that states no character set: UTF-8 where it is that, else GB18030."""
    for charset in ("utf-8", "gb18030"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def decoded(data: bytes, charset: str | None) -> str:
    """Text in the character set that is stated, where it is in that."""
    name = (charset or "").strip().lower()
    try:
        return data.decode(_WIDER.get(name, name or "ascii"))
    except (UnicodeDecodeError, LookupError, ValueError):
        return guessed(data)


def header_text(value: object) -> str:
    """A header's value as text, bare bytes decoded, encoded words left as they are."""
    text = str(value) if not isinstance(value, email.header.Header) else _raw(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return guessed(text.encode("utf-8", "surrogateescape"))
    return text


def _raw(value: email.header.Header) -> str:
    # a header with bare bytes: its chunks hold them as surrogates
    return "".join(text for text, _ in value._chunks)  # type: ignore[attr-defined]


def words_decoded(text: str) -> str:
    """Text with its RFC 2047 encoded words decoded; a character cut in two by them is joined."""
    if not _ENCODED_WORD.search(text):
        return text
    try:
        chunks = email.header.decode_header(text)
    except (email.errors.HeaderParseError, ValueError):
        return text
    return "".join(part if isinstance(part, str) else decoded(part, charset) for part, charset in chunks)


def attachment_name(part: Message) -> str:
    """The name a mail's part states for itself, cleaned; blank where it states none."""
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        name = _parameter(part, header, parameter)
        if name:
            return clean(name)
    return ""


def _parameter(part: Message, header: str, parameter: str) -> str:
    stated = part.get(header)
    if stated is None or len(str(stated)) > _LONGEST_HEADER:
        return ""
    alone = Message()
    alone[header] = " ".join(header_text(stated).split())
    try:
        found = alone.get_param(parameter, header=header)
    except (ValueError, IndexError, UnicodeError):
        return ""
    if isinstance(found, tuple):
        charset, _, value = found
        return words_decoded(decoded(value.encode("latin-1", "replace"), charset))
    return words_decoded(found) if isinstance(found, str) else ""


def member_name(name: str, *, is_utf8: bool) -> str:
    """The path of a zip archive's member in it, cleaned. Without its mark for UTF-8 it was written
    in whatever the sender's machine uses, and read as cp437."""
    if not is_utf8:
        with contextlib.suppress(UnicodeEncodeError):
            name = guessed(name.encode("cp437"))
    parts = [clean(part) for part in name.replace("\\", "/").split("/")]
    return "/".join(part for part in parts if part) or "无名文件"


def clean(name: str) -> str:
    """The last part of a path, without characters that can't be seen or stored, not too long."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = _UNSEEN.sub("", _SPACES.sub(" ", name)).strip(' ."')
    stem, dot, ending = name.rpartition(".")
    if dot and stem and len(ending) <= 8:
        return f"{stem[: MAX_LENGTH - len(ending) - 1]}.{ending}"
    return name[:MAX_LENGTH]
