"""A worksheet's XML edited in place: order of elements, inherited styles, what must not move."""

from __future__ import annotations

import pytest

from ledger.returning.markup import Unmarkable, attributes, document, escaped, with_attributes
from ledger.returning.sheet_edit import SheetEdit, place

HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac" '
    'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac">'
)


def sheet(rows: str, *, before: str = "", after: str = "") -> bytes:
    return f"{HEAD}{before}<sheetData>{rows}</sheetData>{after}</worksheet>".encode()


def marked(data: bytes, *cells: str) -> str:
    edit = SheetEdit(data)
    edit.restyle({place(cell): lambda base: base + 100 for cell in cells})
    return edit.result().decode()


@pytest.mark.parametrize(("text", "expected"), [("A1", (1, 1)), ("AA27", (27, 27)), ("$C$7", (7, 3))])
def test_places(text: str, expected: tuple[int, int]) -> None:
    assert place(text) == expected


@pytest.mark.parametrize("text", ["", "7", "C", "第3行", "A1:B2"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="not a cell"):
        place(text)


def test_a_stored_cell_keeps_everything_but_its_style() -> None:
    text = marked(sheet('<row r="2"><c r="B2" s="3" t="s" x14ac:dy="1"><f>A1</f><v>5</v></c></row>'), "B2")
    assert '<c r="B2" s="103" t="s" x14ac:dy="1"><f>A1</f><v>5</v></c>' in text
    assert text.startswith(HEAD)


def test_a_blank_cell_takes_the_rows_style_then_the_columns() -> None:
    cols = '<cols><col min="2" max="3" width="9" style="7"/></cols>'
    rows = '<row r="2" s="5" customFormat="1"><c r="D2"/></row><row r="3" s="5"><c r="A3"/></row>'
    text = marked(sheet(rows, before=cols), "C2", "C3", "C9", "F9")
    assert '<c r="C2" s="105"/><c r="D2"/>' in text
    assert '<c r="A3"/><c r="C3" s="107"/>' in text
    assert '<row r="9"><c r="C9" s="107"/><c r="F9" s="100"/></row></sheetData>' in text


def test_rows_and_cells_are_added_in_order() -> None:
    text = marked(sheet('<row r="3" spans="2:2"><c r="B3"/></row><row r="6"/>'), "A1", "A3", "D3", "B6", "A5")
    order = [text.index(f'r="{cell}"') for cell in ("A1", "A3", "B3", "D3", "A5", "B6")]
    assert order == sorted(order)
    assert "spans" not in text


def test_an_empty_sheet_gets_its_rows() -> None:
    data = f"{HEAD}<sheetData/></worksheet>".encode()
    assert '<sheetData><row r="4"><c r="B4" s="100"/></row></sheetData>' in marked(data, "B4")


def test_the_notes_drawing_stands_where_the_standard_wants_it() -> None:
    after = (
        '<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells><pageMargins left="1" right="1" top="1" '
        'bottom="1" header="1" footer="1"/><drawing r:id="rId1"/><tableParts count="1"><tablePart r:id="rId2"/>'
        "</tableParts><extLst><ext/></extLst>"
    )
    edit = SheetEdit(sheet("", after=after))
    edit.hang_notes("rId9", "urn:r")
    text = edit.result().decode()
    assert '<drawing r:id="rId1"/><legacyDrawing xmlns:r="urn:r" r:id="rId9"/><tableParts' in text


def test_a_merged_range_is_seen_at_its_upper_left_cell() -> None:
    edit = SheetEdit(sheet("", after='<mergeCells><mergeCell ref="B2:D5"/></mergeCells>'))
    assert edit.anchor(4, 3) == (2, 2)
    assert edit.anchor(6, 3) == (6, 3)


def test_nothing_asked_nothing_changed() -> None:
    data = sheet('<row r="2"><c r="B2"/></row>')
    edit = SheetEdit(data)
    edit.deselect()
    assert not edit.changed
    assert edit.result() == data


def test_only_a_selected_sheet_is_deselected() -> None:
    views = '<sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews>'
    edit = SheetEdit(sheet("", before=views))
    edit.deselect()
    assert '<sheetView workbookViewId="0"/>' in edit.result().decode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<worksheet>",
        b"<worksheet/>",
        b"<a><sheetData></worksheet>",
        b"<chartsheet><sheetData/></chartsheet>",
        b"<!DOCTYPE x><worksheet><sheetData/></worksheet>",
        b'<?xml version="1.0" encoding="GBK"?><worksheet><sheetData/></worksheet>',
    ],
)
def test_what_is_no_worksheet_is_not_touched(data: bytes) -> None:
    with pytest.raises((Unmarkable, ValueError)):
        SheetEdit(data)


def test_a_sign_inside_an_attribute_ends_no_tag() -> None:
    doc = document(b"""<a><b x="1 > 0" y='"/>'/><c/></a>""")
    assert [child.name for child in doc.children] == ["b", "c"]
    assert attributes(doc.tag(doc.children[0])) == {"x": "1 > 0", "y": '"/>'}


def test_attributes_are_set_added_and_taken_away() -> None:
    assert with_attributes(b'<c r="A1" s="2"/>', s="9") == b'<c r="A1" s="9"/>'
    assert with_attributes(b'<x:c r="A1"/>', s="9") == b'<x:c s="9" r="A1"/>'
    assert with_attributes(b"<c tabSelected='1' r='A1'>", tabSelected=None) == b"<c r='A1'>"


def test_escapes_are_not_made_by_accident() -> None:
    assert escaped("a<b>&\x00 _x0041_") == "a&lt;b&gt;&amp; _x005F_x0041_"
