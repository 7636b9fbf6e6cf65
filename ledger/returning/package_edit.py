"""The submitter's package: its parts, their relations and content types, and how it is put back.

Every part that is not set anew is written back with the very bytes it had.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ledger.reading.formats.package import Package
from ledger.returning.markup import Unmarkable, attributes, document, quoted
from ledger.returning.settle import NO_TIME

CONTENT_TYPES = "[Content_Types].xml"
_RELATIONS_NS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MACRO_ENABLED = "macroEnabled"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a part: its id, its kind (the type's last word), the part it leads to."""

    id: str
    kind: str
    target: str
    external: bool


class WorkbookPackage:
    """An .xlsx or .xlsm package being edited.

    `workbook` is the name of its main part. Raises Unmarkable where it is no such package, Refused
    (ledger.reading.formats.refusal) where the zip itself can't be read.
    """

    def __init__(self, data: bytes) -> None:
        self._package = Package(data)
        self._changed: dict[str, bytes] = {}
        main = [r for r in self.relations("") if r.kind == "officeDocument"]
        if not main or self.find(main[0].target) is None:
            raise Unmarkable("no workbook part")
        self.workbook = main[0].target
        self.strict = _STRICT.encode() in self.part(self.workbook)
        overrides, _ = self._content_types()
        self._main_type = overrides.get(self.workbook.lower(), "")
        if "sheet" not in self._main_type or not self._main_type.endswith("main+xml"):
            raise Unmarkable(f"not a workbook: {self._main_type}")

    @property
    def suffix(self) -> str:
        """``.xlsm`` where the package holds macros (Excel insists), else ``.xlsx``."""
        return ".xlsm" if _MACRO_ENABLED in self._main_type else ".xlsx"

    @property
    def names(self) -> list[str]:
        """All parts, the new ones last."""
        old = self._package.names
        return [*old, *(new for new in self._changed if new not in old)]

    def find(self, name: str) -> str | None:
        return name if name in self._changed else self._package.find(name)

    def part(self, name: str) -> bytes:
        """A part's bytes, edits included. Raises Unmarkable where there is none."""
        if name in self._changed:
            return self._changed[name]
        content = self._package.read(name)
        if content is None:
            raise Unmarkable(f"no part {name}")
        return content

    def put(self, name: str, content: bytes) -> None:
        self._changed[self.find(name) or name] = content

    def new_name(self, folder: str, stem: str, suffix: str) -> str:
        """A part name that is not taken: ``xl/comments1.xml``, ``xl/comments2.xml`` …"""
        number = 1
        while self.find(f"{folder}/{stem}{number}{suffix}") is not None:
            number += 1
        return f"{folder}/{stem}{number}{suffix}"

    def relations(self, part: str) -> list[Relation]:
        """What a part is related to; '' for the package itself."""
        name = _relations_name(part)
        if self.find(name) is None:
            return []
        doc = document(self.part(name))
        found = []
        for child in doc.children:
            at = attributes(doc.tag(child))
            kind = at.get("Type", "").rstrip("/").rpartition("/")[2]
            external = at.get("TargetMode") == "External"
            target = at.get("Target", "")
            found.append(
                Relation(at.get("Id", ""), kind, target if external else _resolve(part, target), external)
            )
        return found

    def relate(self, part: str, kind: str, target: str) -> str:
        """Add a relation from `part` to the part `target` and return its id."""
        name = _relations_name(part)
        relative = posixpath.relpath(target, posixpath.dirname(part) or ".")
        taken = {relation.id for relation in self.relations(part)}
        number = len(taken) + 1
        while f"rId{number}" in taken:
            number += 1
        kind_uri = f"{_STRICT if self.strict else _TRANSITIONAL}/{kind}"
        line = f'Relationship Id="rId{number}" Type="{kind_uri}" Target="{quoted(relative)}"/>'
        if self.find(name) is None:
            whole = f'<Relationships xmlns="{_RELATIONS_NS}"><{line}</Relationships>'
            self.put(name, _HEAD + whole.encode())
        else:
            self._append(name, line)
        return f"rId{number}"

    def declare(self, part: str, content_type: str) -> None:
        """Give a new part its content type."""
        if part.lower() not in self._content_types()[0]:
            self._append(CONTENT_TYPES, f'Override PartName="/{quoted(part)}" ContentType="{content_type}"/>')

    def declare_suffix(self, suffix: str, content_type: str) -> None:
        """Give all parts of an ending (without the dot) their content type."""
        if suffix not in self._content_types()[1]:
            doc = document(self.part(CONTENT_TYPES))
            line = f'<{doc.prefix}Default Extension="{suffix}" ContentType="{content_type}"/>'
            doc.insert(doc.root.inner, line.encode())
            self.put(CONTENT_TYPES, doc.result())

    def result(self) -> bytes:
        """The package's bytes, the same for the same edits: old parts in their order, then new."""
        written = BytesIO()
        with ZipFile(written, "w", ZIP_DEFLATED) as target:
            for name in self.names:
                if name.endswith("/"):
                    continue
                info = ZipInfo(name, NO_TIME)
                info.compress_type = ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                target.writestr(info, self.part(name))
        return written.getvalue()

    def _append(self, name: str, line: str) -> None:
        doc = document(self.part(name))
        doc.insert(doc.root.close, f"<{doc.prefix}{line}".encode())
        self.put(name, doc.result())

    def _content_types(self) -> tuple[dict[str, str], set[str]]:
        doc = document(self.part(CONTENT_TYPES))
        overrides: dict[str, str] = {}
        suffixes: set[str] = set()
        for child in doc.children:
            at = attributes(doc.tag(child))
            if child.name == "Override":
                overrides[at.get("PartName", "").lstrip("/").lower()] = at.get("ContentType", "")
            elif child.name == "Default":
                suffixes.add(at.get("Extension", "").lower())
        return overrides, suffixes


def _relations_name(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _resolve(part: str, target: str) -> str:
    target = re.sub(r"#.*$", "", target.replace("\\", "/"))
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))
