"""What a file really is, told by its content; its name counts for nothing."""

from __future__ import annotations

import re

from ledger.reading.formats.compound import SIGNATURE, Compound
from ledger.reading.formats.markup import Attributes, attribute, walk
from ledger.reading.formats.package import Package
from ledger.reading.formats.refusal import Refused, foreign, locked

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
_BIFF = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")

#: Beginnings of files that are no spreadsheets (offset, bytes, what it is).
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG 图片"),
    (0, b"\xff\xd8\xff", "JPEG 图片"),
    (0, b"GIF8", "GIF 图片"),
    (0, b"II*\x00", "TIFF 图片"),
    (0, b"MM\x00*", "TIFF 图片"),
    (8, b"WEBP", "WebP 图片"),
    (4, b"ftyphei", "HEIC 图片"),
    (4, b"ftypmif", "HEIC 图片"),
    (4, b"ftyp", "视频文件"),
    (0, b"{\\rtf", "RTF（Word）文档"),
    (0, b"Rar!", "RAR 压缩包"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (0, b"\x1f\x8b", "gzip 压缩包"),
    (0, b"\x7fELF", "可执行程序"),
    (0, b"SQLite format 3\x00", "数据库文件"),
    (0, b"%!PS", "PostScript 文件"),
)
_OPEN_DOCUMENTS = {
    "text": "ODF 文字文档",
    "presentation": "ODF 演示文稿",
    "graphics": "ODF 图形",
    "database": "ODF 数据库",
    "formula": "ODF 公式",
}
_OOXML_FOLDERS = {"word": "Word 文档（docx）", "ppt": "PowerPoint 演示文稿（pptx）", "visio": "Visio 图"}
_OLE_STREAMS = (
    ("WordDocument", "Word 文档（doc）"),
    ("PowerPoint Document", "PowerPoint 演示文稿（ppt）"),
    ("Current User", "PowerPoint 演示文稿（ppt）"),
    ("__properties_version1.0", "Outlook 邮件"),
    ("VisioDocument", "Visio 图"),
)
_HTML = re.compile(r"<(?:!doctype html|html|head|body|table|meta|div|style|title|p|h1)[\s>]", re.IGNORECASE)
_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"])')
_HEAD = 4096


def other_kind(data: bytes) -> str | None:
    """What a binary file is, where it begins like something that is no spreadsheet."""
    if b"%PDF-" in data[:1024]:
        return "PDF 文件"
    for offset, signature, kind in _SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    # two letters alone may begin a text: these need the zeros of their headers, too
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "BMP 图片"
    return "可执行程序" if data.startswith(b"MZ") and bytes(2) in data[:64] else None


def other_text(text: str) -> str | None:
    """What a text file is, where it is no table of separated values."""
    head = text[:_HEAD].lstrip("\ufeff \t\r\n")
    if head.startswith("<"):
        if "urn:schemas-microsoft-com:office:spreadsheet" in head:
            return "XML 格式的表格（不在收取的格式之内）"
        if "opendocument" in head:
            return "单个 XML 的 ODF 文件（不在收取的格式之内）"
        return "网页（HTML）" if _HTML.search(head) else "XML 文件"
    if head.lower().startswith(("mime-version:", "from: <saved")):
        return "网页存档（MHTML）"
    return "JSON 数据" if _JSON.match(head) else None


def package_kind(package: Package) -> str:
    """``xlsx`` or ``ods``. Raises Refused where the zip package is neither, or is encrypted."""
    names = package.names
    kind = _open_document(package)
    if kind is not None:
        return kind
    folders = {name.partition("/")[0].lower() for name in names}
    if package.find("xl/workbook.bin"):
        raise foreign("二进制工作簿（xlsb，不在收取的格式之内）")
    if package.find("[Content_Types].xml") or package.find("_rels/.rels"):
        for folder, what in _OOXML_FOLDERS.items():
            if folder in folders:
                raise foreign(what)
        return "xlsx"
    if package.find("xl/workbook.xml"):
        return "xlsx"
    if package.find("OFD.xml"):
        raise foreign("OFD 版式文件")
    if package.find("AndroidManifest.xml") or package.find("META-INF/MANIFEST.MF"):
        raise foreign("程序安装包")
    raise foreign("ZIP 压缩包（请解压后报送其中的表格）")


def _open_document(package: Package) -> str | None:
    stated = package.read("mimetype")
    if stated is None:
        if not (package.find("content.xml") and package.find("META-INF/manifest.xml")):
            return None
        stated = b"application/vnd.oasis.opendocument.spreadsheet"
    family, _, kind = stated.decode("latin-1").strip().rpartition(".")
    if not family.endswith("opendocument"):
        return None
    manifest = package.read("META-INF/manifest.xml")
    if manifest is not None and _is_encrypted(manifest):
        raise locked("设有打开密码")
    kind = kind.removesuffix("-template")
    if kind == "spreadsheet":
        return "ods"
    raise foreign(_OPEN_DOCUMENTS.get(kind, "其他 ODF 文件"))


def _is_encrypted(manifest: bytes) -> bool:
    found = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal found
        found = found or name == "encryption-data" or attribute(attributes, "algorithm-name") is not None

    walk(manifest, "manifest.xml", start)
    return found


def workbook_stream(data: bytes) -> bytes:
    """The BIFF stream of a compound file. Raises Refused where it holds something else (F01–F03)."""
    compound = Compound(data)
    names = compound.names
    if "EncryptedPackage" in names:
        raise locked("设有打开密码")
    for name in ("Workbook", "Book", "WORKBOOK", "BOOK"):
        if name in names:
            return compound.stream(name)
    for stream, what in _OLE_STREAMS:
        if stream in names:
            raise foreign(what)
    raise foreign("其他程序的文档")


def is_bare_biff(data: bytes) -> bool:
    """A BIFF stream without its container, as old programs wrote it."""
    return data.startswith(_BIFF) and 4 <= int.from_bytes(data[2:4], "little") <= 16 and len(data) > 32


def kind_of(data: bytes) -> str:
    """The container: ``zip``, ``ole``, ``biff`` or ``text``. Raises Refused (F01, F03)."""
    if not data:
        raise Refused("F01", "文件是空的（0 字节），请检查后重新报送。")
    if data.startswith((ZIP, EMPTY_ZIP)):
        return "zip"
    if data.startswith(SIGNATURE):
        return "ole"
    if is_bare_biff(data):
        return "biff"
    other = other_kind(data)
    if other is not None:
        raise foreign(other)
    return "text"
