"""What a file is, as far as receiving goes: a table or meant as one, an archive, something else."""

from __future__ import annotations

from pathlib import PurePath

from ledger.reading.formats import sniff
from ledger.reading.formats.compound import SIGNATURE
from ledger.reading.formats.package import Package
from ledger.reading.formats.refusal import Refused

#: What programs leave beside files: their locks and what they know of a folder. Nobody sends them.
HIDDEN = (".", "~$", "__MACOSX")
NOT_SENT = frozenset({"received.csv", "thumbs.db", "desktop.ini"})
#: A file called one of these is meant as a table: what is wrong with it the unit is told.
TABLES = frozenset({".xlsx", ".xlsm", ".xltx", ".xlsb", ".xls", ".xlt", ".et", ".ett", ".ods", ".csv"})
#: What the parts of a workbook or a document in a zip package begin with; an archive's don't.
_PACKAGE_PARTS = (
    "[Content_Types]",
    "mimetype",
    "docProps/",
    "_rels/",
    "xl/",
    "word/",
    "ppt/",
    "META-INF/",
    "customXml/",
    "content.xml",
)
_NAME_LENGTH = slice(26, 28)
_NAME_FROM = 30
#: Bytes of a file from which `is_archive` and `closed_archive` can be told.
HEAD = 512
_CLOSED = (
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
)
_TNEF = b"\x78\x9f\x3e\x22"
_ENDINGS = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "text/csv": ".csv",
    "application/zip": ".zip",
    "application/pdf": ".pdf",
}


def meant_as_table(name: str) -> bool:
    """Whether a file is called a table."""
    return PurePath(name).suffix.lower() in TABLES


def is_archive(head: bytes, name: str = "") -> bool:
    """Whether a file is a zip archive of files, and not a workbook or document, which are zip
    packages, too. Judged by its first entry; what ends before that has a name, by its own."""
    if not head.startswith(sniff.ZIP):
        return False
    length = int.from_bytes(head[_NAME_LENGTH], "little")
    if not length and meant_as_table(name):
        return False
    return not head[_NAME_FROM : _NAME_FROM + length].decode("latin-1").startswith(_PACKAGE_PARTS)


def closed_archive(head: bytes) -> str:
    """Why an archive of a kind that is not opened is set aside; blank where it is none."""
    for signature, kind in _CLOSED:
        if head.startswith(signature):
            return f"{kind} 压缩包打不开，请解压后报其中的表格，或改用 .zip"
    return ""


def why_not(name: str, data: bytes, *, by_hand: bool = False) -> str:
    """Why a file that was sent is set aside; blank where it is a table or is called one. `by_hand`:
    somebody laid it into the inbox, where a text may be meant as a table."""
    closed = closed_archive(data[:HEAD])
    if closed:
        return closed
    if data.startswith(_TNEF) or name.lower() == "winmail.dat":
        return "Outlook 的专用格式（winmail.dat）打不开，请对方改以纯文本或 HTML 格式重发"
    if meant_as_table(name):
        return ""
    try:
        kind = _kind(data)
    except Refused as refusal:
        # locked or damaged, but a package of some kind: the unit is told when it is read
        return "" if refusal.code == "F02" else f"不是表格：{refusal.message}"
    return f"不是表格，而是{kind}" if kind and not by_hand else ""


def _kind(data: bytes) -> str:
    """Blank for a workbook, else what it is. Raises Refused for other known things."""
    kind = sniff.kind_of(data)
    if kind == "zip":
        sniff.package_kind(Package(data))
    elif kind == "ole":
        if not data.startswith(SIGNATURE):
            return "其他文件"
        sniff.workbook_stream(data)
    elif kind == "text":
        return "文字或其他文件"
    return ""


def ending_of(content_type: str) -> str:
    """The ending for a part that came without a name."""
    return _ENDINGS.get(content_type.lower(), "")
