"""An .xlsx or .xlsm workbook: the package's parts, put together."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from ledger.reading.formats import limits
from ledger.reading.formats.markup import Attributes, attribute, cached_by_document, is_true, walk
from ledger.reading.formats.numbers import BUILTIN_FORMATS, is_date_format
from ledger.reading.formats.package import Package
from ledger.reading.formats.refusal import bloated, damaged
from ledger.reading.formats.xlsx_cells import Style, Surroundings, unescape
from ledger.reading.formats.xlsx_sheet import read_sheet
from ledger.reading.model import Book, Sheet

_PLAIN_STRING = re.compile(
    r'\s*+(?:<si>\s*+<t(?: xml:space="preserve")?(?: ?/>|>([^<&\r]*+)</t>)\s*+</si>|(</sst>\s*\Z)|([\s\S]))'
)
_SST = re.compile(r"<sst(?: [^<>]*)?>")


def read_xlsx(package: Package) -> Book:
    """Read a workbook. Raises Refused (F01, F02, F04)."""
    workbook_part = _workbook_part(package)
    content = package.read(workbook_part)
    if content is None:
        raise damaged("缺少工作簿目录 workbook.xml")
    folder = posixpath.dirname(workbook_part)
    relations_part = posixpath.join(folder, "_rels", posixpath.basename(workbook_part) + ".rels")
    relations = _relations(package.read(relations_part) or b"", folder)
    listing = _workbook(content)
    around = Surroundings(
        strings=_shared_strings(package, _of_kind(relations, "sharedStrings", folder)),
        styles=_styles(package.read(_of_kind(relations, "styles", folder)) or b""),
        date1904=listing.date1904,
    )
    sheets: list[Sheet] = []
    cells = 0
    for entry in listing.sheets:
        relation = relations.get(entry.relation)
        if relation is None:
            raise damaged(f"工作表“{entry.name}”没有内容")
        if relation.kind != "worksheet":
            continue  # chart sheets, dialogs and macro sheets have no cells of ours
        data = package.read(relation.target)
        if data is None:
            raise damaged(f"缺少工作表“{entry.name}”的内容")
        sheet = read_sheet(data, relation.target, entry.name, around)
        sheet.hidden = entry.hidden
        sheets.append(sheet)
        cells += len(sheet.cells)
        if cells > limits.MAX_CELLS:
            raise bloated(f"全部工作表的单元格超过 {limits.MAX_CELLS // 10_000} 万个")
    if not sheets:
        raise damaged("工作簿中没有工作表")
    return Book("xlsx", sheets, listing.date1904)


@dataclass(frozen=True, slots=True)
class _Relation:
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    relation: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class _Listing:
    sheets: tuple[_Entry, ...]
    date1904: bool


def _workbook_part(package: Package) -> str:
    relations = _relations(package.read("_rels/.rels") or b"", "")
    return _of_kind(relations, "officeDocument", "", default="xl/workbook.xml")


def _of_kind(relations: dict[str, _Relation], kind: str, folder: str, default: str = "") -> str:
    for relation in relations.values():
        if relation.kind == kind:
            return relation.target
    return default or posixpath.join(folder, kind + ".xml")


@cached_by_document(32)
def _relations(document: bytes, folder: str) -> dict[str, _Relation]:
    found: dict[str, _Relation] = {}

    def start(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = unquote(attributes.get("Target", "")).replace("\\", "/")
            path = target if target.startswith("/") else posixpath.join("/", folder, target)
            found[attributes.get("Id", "")] = _Relation(kind, posixpath.normpath(path).lstrip("/"))

    if document:
        walk(document, "关系表", start)
    return found


@cached_by_document(32)
def _workbook(document: bytes) -> _Listing:
    entries: list[_Entry] = []
    date1904 = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal date1904
        if name == "sheet":
            entries.append(
                _Entry(
                    name=unescape(attributes.get("name", "")),
                    relation=attribute(attributes, "id") or "",
                    hidden=attributes.get("state", "visible") in ("hidden", "veryHidden"),
                )
            )
        elif name == "workbookPr":
            date1904 = is_true(attributes.get("date1904"))

    walk(document, "workbook.xml", start)
    return _Listing(tuple(entries), date1904)


@cached_by_document(32)
def _styles(document: bytes) -> tuple[Style, ...]:
    """The cell formats in order: what attribute s of a cell counts."""
    codes = dict(BUILTIN_FORMATS)
    formats: list[int] = []
    part = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal part
        if name in ("numFmts", "cellXfs"):
            part = name
        elif name == "numFmt" and part == "numFmts":  # conditional formats have numFmt of their own
            number = attributes.get("numFmtId", "")
            if number.isdecimal():
                codes[int(number)] = attributes.get("formatCode", "")
        elif name == "xf" and part == "cellXfs":
            number = attributes.get("numFmtId", "0")
            formats.append(int(number) if number.isdecimal() else 0)

    def end(name: str) -> None:
        nonlocal part
        if name == part:
            part = ""

    if document:
        walk(document, "styles.xml", start, end)
    known = {
        number: Style(code, is_date_format(code))
        for number in set(formats)
        for code in (codes.get(number, "General"),)
    }
    return tuple(known[number] for number in formats)


def _shared_strings(package: Package, part: str) -> list[str]:
    document = package.read(part)
    if document is None:
        return []
    try:
        strings = _plain_strings(document.decode("utf-8"))
    except UnicodeDecodeError:
        strings = None
    return _any_strings(document, part) if strings is None else strings


def _plain_strings(document: str) -> list[str] | None:
    """The texts where all are plain (no rich text, no phonetic guides); None otherwise."""
    opening = _SST.search(document)
    if opening is None or "<!" in document:
        return None
    strings: list[str] = []
    for text, closing, unknown in _PLAIN_STRING.findall(document, opening.end()):
        if unknown:
            return None
        if closing:
            return strings
        strings.append(unescape(text))
    return None


def _any_strings(document: bytes, part: str) -> list[str]:
    """The texts through expat: runs of rich text joined, phonetic guides left out."""
    strings: list[str] = []
    pieces: list[str] = []
    in_text = in_phonetic = False

    def start(name: str, _: Attributes) -> None:
        nonlocal in_text, in_phonetic
        if name == "si":
            pieces.clear()
        elif name == "t":
            in_text = not in_phonetic
        elif name == "rPh":
            in_phonetic = True

    def end(name: str) -> None:
        nonlocal in_text, in_phonetic
        if name == "si":
            strings.append(unescape("".join(pieces)))
        elif name == "t":
            in_text = False
        elif name == "rPh":
            in_phonetic = False

    def text(data: str) -> None:
        if in_text:
            pieces.append(data)

    walk(document, part, start, end, text)
    return strings
