"""A workbook package marked: cells coloured, notes hung, 退回说明 put in front, nothing else touched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.returning import notes
from ledger.returning.marks import Line, note_text
from ledger.returning.markup import (
    Document,
    Element,
    Unmarkable,
    attributes,
    document,
    elements,
    quoted,
    with_attributes,
)
from ledger.returning.notice import HEADING_ROW, SHEET, Notice, notice_sheet
from ledger.returning.package_edit import WorkbookPackage
from ledger.returning.sheet_edit import Restyle, SheetEdit
from ledger.returning.style_edit import ERROR_FILL, MINIMAL, WARNING_FILL, Styles
from schemas.finding import Severity

_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
#: With more boxes than this on a sheet spreadsheet programs become slow; the cells beyond are
#: coloured and listed, without a note.
_MOST_NOTES = 3_000


@dataclass(frozen=True, slots=True)
class _Listed:
    """One sheet as the workbook lists it; a chart's or a dialogue's sheet has no cells."""

    name: str
    part: str
    has_cells: bool
    element: Element


def mark_package(data: bytes, notice: Notice) -> tuple[bytes, str]:
    """The marked workbook's bytes and its ending (``.xlsx`` or ``.xlsm``).

    Lines whose sheet or cell is not in the workbook are listed without a mark. A workbook that was
    marked before loses its old marks. Raises Unmarkable, or Refused where the zip can't be read.
    """
    package = WorkbookPackage(data)
    book = document(package.part(package.workbook))
    listed = _sheets(package, book)
    styles_part, styles = _styles(package)
    again = any(sheet.name == SHEET for sheet in listed)
    old = styles.unmarked() if again else {}
    shown: dict[int, Line] = {}
    for sheet in listed:
        if sheet.name == SHEET or not sheet.has_cells:
            continue
        mine = {number: line for number, line in enumerate(notice.lines) if line.sheet == sheet.name}
        edit = SheetEdit(package.part(sheet.part))
        if again:
            notes.take_away(package, sheet.part)
        shown.update(_mark_sheet(package, sheet, edit, styles, mine, old))
        edit.deselect()
        if edit.changed:
            package.put(sheet.part, edit.result())
    lines = [shown.get(number, line) for number, line in enumerate(notice.lines)]
    names = frozenset(sheet.name for sheet in listed if sheet.name != SHEET)
    content = notice_sheet(replace(notice, lines=lines), styles, names, strict=package.strict, selected=True)
    _put_notice(package, book, listed, content)
    package.put(styles_part, styles.result())
    return package.result(), package.suffix


def _mark_sheet(
    package: WorkbookPackage,
    sheet: _Listed,
    edit: SheetEdit,
    styles: Styles,
    mine: dict[int, Line],
    old: dict[int, int],
) -> dict[int, Line]:
    """Mark one sheet; return its lines with the places that are really seen."""
    at_cell: dict[tuple[int, int], list[Line]] = {}
    shown: dict[int, Line] = {}
    for number, line in mine.items():
        if line.at is None:
            continue
        shown[number] = replace(line, at=edit.anchor(*line.at))
        at_cell.setdefault(edit.anchor(*line.at), []).append(line)
    edit.replace_styles(old, set(at_cell))
    edit.restyle({at: _restyle(styles, lines, old) for at, lines in at_cell.items()})
    texts = {at: note_text(line.finding for line in lines) for at, lines in sorted(at_cell.items())}
    notes.hang(package, sheet.part, edit, dict(list(texts.items())[:_MOST_NOTES]))
    return shown


def _restyle(styles: Styles, lines: Sequence[Line], old: dict[int, int]) -> Restyle:
    grave = any(line.finding.severity is Severity.ERROR for line in lines)
    colour = ERROR_FILL if grave else WARNING_FILL
    return lambda base: styles.marked(old.get(base, base), colour)


def _sheets(package: WorkbookPackage, book: Document) -> list[_Listed]:
    listed = book.child("sheets")
    if listed is None or listed.empty:
        raise Unmarkable("no sheets")
    leads = {relation.id: relation for relation in package.relations(package.workbook)}
    found = []
    for element in elements(book.data, listed.inner, listed.close):
        at = attributes(book.tag(element))
        relation = next((value for name, value in at.items() if name.rpartition(":")[2] == "id"), "")
        if relation not in leads:
            raise Unmarkable(f"sheet {relation} leads nowhere")
        lead = leads[relation]
        found.append(_Listed(at.get("name", ""), lead.target, lead.kind == "worksheet", element))
    return found


def _styles(package: WorkbookPackage) -> tuple[str, Styles]:
    part = next((r.target for r in package.relations(package.workbook) if r.kind == "styles"), "")
    if part and package.find(part):
        return part, Styles(package.part(part))
    # not every reader looks the part up by its relation
    part = "xl/styles.xml"
    package.put(part, MINIMAL)
    package.declare(part, _STYLES_TYPE)
    package.relate(package.workbook, "styles", part)
    return part, Styles(MINIMAL)


def _put_notice(package: WorkbookPackage, book: Document, listed: Sequence[_Listed], content: bytes) -> None:
    """Put 退回说明 in front, or in the place of the one from an earlier return, and show it."""
    before = next((place for place, sheet in enumerate(listed) if sheet.name == SHEET), None)
    if before is not None:
        package.put(listed[before].part, content)
        _show(book, before)
    else:
        part = package.new_name("xl/worksheets", "returned", ".xml")
        package.put(part, content)
        package.declare(part, _SHEET_TYPE)
        relation = package.relate(package.workbook, "worksheet", part)
        numbers = [int(attributes(book.tag(sheet.element)).get("sheetId", "0")) for sheet in listed]
        namespace = _RELATIONS_STRICT if package.strict else _RELATIONS
        name = book.open_name("sheet")
        line = (
            f'<{name} name="{quoted(SHEET)}" sheetId="{max(numbers) + 1}" '
            f'xmlns:r="{namespace}" r:id="{relation}"/>'
        )
        book.insert(listed[0].element.start, line.encode())
        _shift_names(book)
        _show(book, 0)
    package.put(package.workbook, book.result())


def _shift_names(book: Document) -> None:
    """Names that belong to one sheet count sheets from 0: all stand one further now."""
    names = book.child("definedNames")
    repeated = f"'{SHEET}'!${HEADING_ROW}:${HEADING_ROW}"
    name = book.open_name("definedName")
    own = f'<{name} name="_xlnm.Print_Titles" localSheetId="0">{repeated}</{name}>'.encode()
    if names is None or names.empty:
        if names is not None:
            book.replace(names.start, names.end, b"")
        after = [book.child(n) for n in ("sheets", "functionGroups", "externalReferences")]
        at = max(element.end for element in after if element is not None)
        group = book.open_name("definedNames").encode()
        book.insert(at, b"<" + group + b">" + own + b"</" + group + b">")
        return
    book.insert(names.inner, own)
    for element in elements(book.data, names.inner, names.close):
        tag = book.tag(element)
        local = attributes(tag).get("localSheetId")
        if local is not None:
            book.replace(element.start, element.inner, with_attributes(tag, localSheetId=str(int(local) + 1)))


def _show(book: Document, place: int) -> None:
    """Open the workbook at 退回说明."""
    views = book.child("bookViews")
    if views is None or views.empty:
        return
    for view in elements(book.data, views.inner, views.close):
        tag = with_attributes(book.tag(view), activeTab=str(place), firstSheet=None)
        book.replace(view.start, view.inner, re.sub(rb"\s+/>$", b"/>", tag))
