"""Notes (批注) on marked cells: two parts for each sheet, their texts and their boxes.

A sheet's own notes stay as they are; where a marked cell has one already, ours is written below
it. Ours are told by their author and by the words they begin with, so that they can be taken
away when a marked workbook comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ledger.reading.model import address
from ledger.returning.markup import Document, attributes, document, elements, escaped
from ledger.returning.package_edit import WorkbookPackage
from ledger.returning.sheet_edit import SheetEdit, place

AUTHOR = "退回核对"
#: Begins our part of a note.
OPENING = "【退回核对】"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHAPE_ID = re.compile(rb"_x0000_s(\d+)")
_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
_RUN_START = re.compile(rb"<(?:\w+:)?r>")
_TEXT_END = re.compile(rb"</(?:\w+:)?text>")
_SOME_TEXT = re.compile(rb"<(?:\w+:)?t(?: [^>]*)?>[^<]*[^<\s]")
#: Shape numbers come in blocks of this size, one block a drawing.
_BLOCK = 1024
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_NOTE_COLUMNS = 4
_NOTE_CHARACTERS = 40

Notes = Mapping[tuple[int, int], str]


def hang(package: WorkbookPackage, part: str, sheet: SheetEdit, notes: Notes) -> None:
    """Hang `notes` (text by place) on the sheet stored in `part`."""
    if not notes:
        return
    relations = package.relations(part)
    comments = next((r.target for r in relations if r.kind == "comments"), "")
    had: set[tuple[int, int]] = set()
    if comments and package.find(comments):
        had = _extend_comments(package, comments, notes)
    else:
        comments = package.new_name("xl", "comments", ".xml")
        package.put(comments, _new_comments(notes, strict=package.strict))
        package.declare(comments, _COMMENTS_TYPE)
        package.relate(part, "comments", comments)
    missing = {at: text for at, text in notes.items() if at not in had}
    if not missing:
        return
    drawing = ""
    if sheet.notes_relation:
        drawing = next((r.target for r in relations if r.id == sheet.notes_relation), "")
    if drawing and package.find(drawing):
        _extend_drawing(package, drawing, missing)
        return
    drawing = package.new_name("xl/drawings", "vmlDrawing", ".vml")
    package.put(drawing, _new_drawing(missing, _free_block(package)))
    package.declare_suffix("vml", _VML_TYPE)
    relation = package.relate(part, "vmlDrawing", drawing)
    sheet.hang_notes(relation, _RELATIONS_STRICT if package.strict else _RELATIONS)


def take_away(package: WorkbookPackage, part: str) -> None:
    """Take away what an earlier return hung on the sheet; the unit's own notes stay."""
    relations = package.relations(part)
    comments = next((r.target for r in relations if r.kind == "comments"), "")
    if not comments or not package.find(comments):
        return
    if OPENING.encode() not in package.part(comments):
        return
    doc = document(package.part(comments))
    listed = doc.child("commentList")
    if listed is None:
        return
    gone: set[tuple[int, int]] = set()
    for comment in elements(doc.data, listed.inner, listed.close):
        whole = doc.data[comment.start : comment.end]
        kept = _without_ours(whole)
        if kept == whole:
            continue
        if _SOME_TEXT.search(kept):
            doc.replace(comment.start, comment.end, kept)
        else:
            gone.add(place(attributes(doc.tag(comment))["ref"]))
            doc.replace(comment.start, comment.end, b"")
    package.put(comments, doc.result())
    for relation in relations:
        if relation.kind == "vmlDrawing" and package.find(relation.target) and gone:
            drawing = package.part(relation.target)
            package.put(relation.target, _SHAPE.sub(lambda m: _kept_shape(m[0], gone), drawing))


def _without_ours(comment: bytes) -> bytes:
    """A comment up to where our part begins: ours is the last, in one run or cut up in several."""
    opening = comment.find(OPENING.encode())
    if opening < 0:
        return comment
    end = _TEXT_END.search(comment, opening)
    starts = [match.start() for match in _RUN_START.finditer(comment, 0, opening)]
    if end is None or not starts:
        return comment
    run = comment[starts[-1] : opening]
    before = run if _SOME_TEXT.search(run) else b""
    if before:
        prefix = run[1 : run.index(b"r>")]
        before = before.rstrip() + b"</" + prefix + b"t></" + prefix + b"r>"
    return comment[: starts[-1]] + before + comment[end.start() :]


def _kept_shape(shape: bytes, gone: set[tuple[int, int]]) -> bytes:
    row = re.search(rb"<x:Row>\s*(\d+)\s*</x:Row>", shape)
    column = re.search(rb"<x:Column>\s*(\d+)\s*</x:Column>", shape)
    if row and column and (int(row[1]) + 1, int(column[1]) + 1) in gone:
        return b""
    return shape


def _new_comments(notes: Notes, *, strict: bool) -> bytes:
    listed = "".join(_comment("", at, text, 0) for at, text in sorted(notes.items()))
    namespace = _MAIN_STRICT if strict else _MAIN
    return (
        f'{_HEAD}<comments xmlns="{namespace}"><authors><author>{AUTHOR}</author></authors>'
        f"<commentList>{listed}</commentList></comments>"
    ).encode()


def _comment(prefix: str, at: tuple[int, int], text: str, author: int) -> str:
    return (
        f'<{prefix}comment ref="{address(*at)}" authorId="{author}"><{prefix}text>'
        f"{_run(prefix, text)}</{prefix}text></{prefix}comment>"
    )


def _run(prefix: str, text: str) -> str:
    return (
        f'<{prefix}r><{prefix}rPr><{prefix}sz val="10"/><{prefix}rFont val="宋体"/></{prefix}rPr>'
        f'<{prefix}t xml:space="preserve">{escaped(text)}</{prefix}t></{prefix}r>'
    )


def _extend_comments(package: WorkbookPackage, part: str, notes: Notes) -> set[tuple[int, int]]:
    """Add the notes to a sheet's own; return the places that had one already."""
    doc = document(package.part(part))
    listed = doc.child("commentList")
    authors = doc.child("authors")
    had: dict[tuple[int, int], tuple[int, int]] = {}
    if listed is not None:
        for comment in elements(doc.data, listed.inner, listed.close):
            at = place(attributes(doc.tag(comment)).get("ref", "").partition(":")[0])
            had[at] = (comment.start, comment.end)
    author = _author(doc)
    new = "".join(_comment(doc.prefix, at, t, author) for at, t in sorted(notes.items()) if at not in had)
    for at, (start, end) in had.items():
        if at in notes:
            doc.replace(start, end, _with_run(doc, start, end, f"\n{notes[at]}"))
    if listed is None:
        where = authors.end if authors else doc.root.inner
        doc.insert(where, f"<{doc.prefix}commentList>{new}</{doc.prefix}commentList>".encode())
    elif listed.empty:
        whole = f"<{doc.prefix}commentList>{new}</{doc.prefix}commentList>"
        doc.replace(listed.start, listed.end, whole.encode())
    else:
        doc.insert(listed.close, new.encode())
    package.put(part, doc.result())
    return set(had)


def _author(doc: Document) -> int:
    """The number of our author, added where it is not listed yet."""
    authors = doc.child("authors")
    line = f"<{doc.prefix}author>{AUTHOR}</{doc.prefix}author>".encode()
    if authors is None:
        doc.insert(
            doc.root.inner, b"<%sauthors>%s</%sauthors>" % (doc.prefix.encode(), line, doc.prefix.encode())
        )
        return 0
    listed = [] if authors.empty else elements(doc.data, authors.inner, authors.close)
    for number, author in enumerate(listed):
        if doc.data[author.inner : author.close].decode("utf-8").strip() == AUTHOR:
            return number
    if authors.empty:
        name = f"{doc.prefix}authors"
        doc.replace(authors.start, authors.end, f"<{name}>".encode() + line + f"</{name}>".encode())
    else:
        doc.insert(authors.close, line)
    return len(listed)


def _with_run(doc: Document, start: int, end: int, text: str) -> bytes:
    """A comment with one more run at the end of its text; a bare text becomes a run first."""
    whole = doc.data[start:end]
    prefix = doc.prefix
    run = _run(prefix, text).encode()
    name = f"{prefix}text"
    if f"</{name}>".encode() not in whole:
        return re.sub(
            rb"<" + name.encode() + rb"\s*/>", f"<{name}>".encode() + run + f"</{name}>".encode(), whole
        )
    head, _, tail = whole.rpartition(f"</{name}>".encode())
    bare = re.search(
        rb"(<"
        + name.encode()
        + rb"[^>]*>)\s*(<"
        + prefix.encode()
        + rb"t[ >].*?</"
        + prefix.encode()
        + rb"t>)",
        head,
        re.DOTALL,
    )
    if bare:
        wrapped = b"<%sr>%s</%sr>" % (prefix.encode(), bare[2], prefix.encode())
        head = head[: bare.start(2)] + wrapped + head[bare.end(2) :]
    return head + run + f"</{name}>".encode() + tail


def _new_drawing(notes: Notes, block: int) -> bytes:
    shapes = "".join(
        _shape(at, text, block * _BLOCK + 1 + number)
        for number, (at, text) in enumerate(sorted(notes.items()))
    )
    blocks = ",".join(str(block + more) for more in range(1 + len(notes) // _BLOCK))
    return (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit">'
        f'<o:idmap v:ext="edit" data="{blocks}"/></o:shapelayout>{_SHAPE_TYPE}{shapes}</xml>'
    ).encode()


def _free_block(package: WorkbookPackage) -> int:
    """A block of shape numbers that no drawing of the workbook uses."""
    highest = 0
    for name in package.names:
        if name.lower().endswith(".vml"):
            numbers = [int(n) for n in _SHAPE_ID.findall(package.part(name))]
            highest = max([highest, *numbers])
    return highest // _BLOCK + 1


def _extend_drawing(package: WorkbookPackage, part: str, notes: Notes) -> None:
    """Add boxes to a drawing. Such a part is often no well-formed XML: it is taken as text."""
    text = package.part(part)
    numbers = [int(n) for n in _SHAPE_ID.findall(text)]
    first = max([_free_block(package) * _BLOCK if not numbers else max(numbers), _BLOCK]) + 1
    shapes = "".join(
        _shape(at, note, first + number) for number, (at, note) in enumerate(sorted(notes.items()))
    )
    if b'"_x0000_t202"' not in text:
        shapes = _SHAPE_TYPE + shapes
    head, end, tail = text.rpartition(b"</xml>")
    package.put(part, head + _own_prefixes(text, shapes).encode() + end + tail)


def _own_prefixes(text: bytes, shapes: str) -> str:
    """The boxes, in the prefixes every producer uses; declared again where this one does not."""
    if all(declared in text for declared in (b"xmlns:v=", b"xmlns:o=", b"xmlns:x=")):
        return shapes
    spaces = (
        'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel"'
    )
    return shapes.replace("<v:shape ", f"<v:shape {spaces} ").replace(
        "<v:shapetype ", f"<v:shapetype {spaces} "
    )


def _shape(at: tuple[int, int], text: str, number: int) -> str:
    row, column = at[0] - 1, at[1] - 1
    lines = sum(1 + 2 * len(line) // _NOTE_CHARACTERS for line in text.split("\n"))
    height = 14 * lines + 8
    top = max(0, row - 1)
    anchor = f"{column + 1},12,{top},4,{column + 1 + _NOTE_COLUMNS},12,{top + max(3, lines)},4"
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:80pt;'
        f'margin-top:2pt;width:240pt;height:{height}pt;z-index:{number % _BLOCK};visibility:hidden" '
        'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
        '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        f'<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>'
        f"<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData>"
        "</v:shape>"
    )
