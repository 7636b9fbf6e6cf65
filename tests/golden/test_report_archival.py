"""The documents as archive files: PDF/A-3a by a validator of its own kind, and what matters most
looked up once more in the files themselves.

The validator (page-validation) is young; the second look does not depend on it. Both are shown
files that are spoilt.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import page
import pytest
from golden_views import normal, registry
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, TextStringObject

from ledger.reporting.brief import build_brief
from ledger.reporting.build import build_county_report
from ledger.reporting.glyphs import settable
from ledger.reporting.html import brief_html, county_html, title_of, unit_html
from ledger.reporting.pdf import FONTS, Attached, render_pdf
from ledger.reporting.unit_report import build_unit_reports

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")

BOOK = Attached("月报-2018-09-草稿.xlsx", b"PK\x03\x04 the month's data", "本期数据")


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    """The county's report with its workbook, a unit's report, the brief; and to be spoilt a small
    one with a workbook."""
    views = normal()
    report = build_county_report(views, registry())
    unit = next(each for each in build_unit_reports(report, views[-1], registry()) if each.projects)
    title = title_of(report)
    brief = settable(brief_html(build_brief(report)))
    return {
        "county": render_pdf(settable(county_html(report)), title=title, attachments=[BOOK]),
        "unit": render_pdf(settable(unit_html(unit)), title=title),
        "brief": render_pdf(brief, title=title),
        "small": render_pdf(brief, title=title, attachments=[BOOK]),
    }


@pytest.mark.parametrize("name", ["county", "unit", "brief"])
def test_a_validator_finds_nothing_against_pdf_a_3a(name: str, documents: dict[str, bytes]) -> None:
    report = page.validate_pdf_bytes(documents[name])
    assert report.profile is page.ValidationProfile.PDF_A_3A  # what the file says it is
    assert [str(failure) for failure in report.failures] == []


@pytest.mark.parametrize("name", ["county", "unit", "brief"])
def test_nothing_in_the_file_speaks_against_keeping_it(name: str, documents: dict[str, bytes]) -> None:
    assert list(faults(documents[name])) == []


def test_the_workbook_stands_beside_the_report_as_its_data(documents: dict[str, bytes]) -> None:
    reader = PdfReader(io.BytesIO(documents["county"]))
    (beside,) = (each.get_object() for each in reader.root_object["/AF"])
    assert (beside["/AFRelationship"], beside["/UF"]) == ("/Data", BOOK.name)
    kept = beside["/EF"]["/F"].get_object()
    assert kept.get_data() == BOOK.data
    assert kept["/Subtype"] == "/application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- the second look


def everything(reader: PdfReader) -> Iterator[Any]:
    """Every object of the file."""
    for number in range(1, len(reader.xref[0]) + len(reader.xref_objStm) + 1):
        if number in reader.xref[0] or number in reader.xref_objStm:
            yield IndirectObject(number, 0, reader).get_object()


def faults(pdf: bytes) -> Iterator[str]:
    """What would keep an archive from taking the file, or a reader from using it."""
    reader = PdfReader(io.BytesIO(pdf))
    root = reader.root_object
    xmp = root["/Metadata"].get_object()
    text = xmp.get_data().decode()
    if "/Filter" in xmp:
        yield "the metadata is compressed"
    if not ('pdfaid:part="3"' in text and 'pdfaid:conformance="A"' in text):
        yield "it does not say that it is PDF/A-3a"
    if reader.is_encrypted:
        yield "encrypted"
    if len(reader.trailer.get("/ID", ())) != 2:
        yield "no identifier"
    intents = root.get("/OutputIntents", ())
    if [each.get_object()["/S"] for each in intents] != ["/GTS_PDFA1"]:
        yield "no output intent"
    if root.get("/Lang") != "zh-CN":
        yield "no language"
    if not root.get("/MarkInfo", {}).get("/Marked") or "/StructTreeRoot" not in root:
        yield "not tagged"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle") or not reader.metadata.title:
        yield "its title is not shown"
    for each in everything(reader):
        if isinstance(each, DictionaryObject):
            yield from _object_faults(each)


def _object_faults(each: DictionaryObject) -> Iterator[str]:
    if each.get("/S") in {"/JavaScript", "/Launch", "/URI", "/SubmitForm", "/ImportData", "/GoToR"}:
        yield f"an action: {each['/S']}"
    for key in ("/OpenAction", "/AA", "/JS", "/XFA", "/AcroForm"):
        if key in each:
            yield f"an action: {key}"
    if each.get("/Type") == "/Font" and each["/Subtype"] in {"/Type0", "/Type1", "/TrueType"}:
        yield from _font_faults(each)
    if each.get("/Type") == "/FontDescriptor" and not {"/FontFile2", "/FontFile3"} & each.keys():
        yield f"a font that is not inside: {each['/FontName']}"
    if each.get("/Type") == "/Filespec" and "/AFRelationship" not in each:
        yield "a file that stands in no relation to the document"
    if each.get("/Type") == "/Annot" and not int(each.get("/F", 0)) & 4:
        yield "an annotation that is not printed"


def _font_faults(font: DictionaryObject) -> Iterator[str]:
    name = font["/BaseFont"]
    if "/ToUnicode" not in font:
        yield f"a font whose text can't be read out: {name}"
        return
    mapped = font["/ToUnicode"].get_object().get_data().decode("latin-1")
    parts = re.findall(r"beginbfchar(.*?)endbfchar", mapped, re.DOTALL)
    targets = re.findall(r"<[0-9A-Fa-f]+>\s+<([0-9A-Fa-f]+)>", "".join(parts))
    if not targets:
        yield f"a font that maps to no character: {name}"
    for target in targets:
        characters = bytes.fromhex(target).decode("utf-16-be", "replace")
        if any(
            character in "\x00\ufffe\uffff\ufffd" or "\ue000" <= character <= "\uf8ff"
            for character in characters
        ):
            yield f"a glyph of {name} stands for no character: {target}"


def without(key: str) -> Callable[[PdfWriter], None]:
    def spoil(writer: PdfWriter) -> None:
        del writer.root_object[key]

    return spoil


def with_script(writer: PdfWriter) -> None:
    action = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(DictionaryObject(action))


def with_text_that_cannot_be_read(writer: PdfWriter) -> None:
    font = next(iter(writer.pages[0]["/Resources"]["/Font"].values())).get_object()
    del font["/ToUnicode"]


def with_a_font_from_outside(writer: PdfWriter) -> None:
    font = next(iter(writer.pages[0]["/Resources"]["/Font"].values())).get_object()
    del font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()["/FontFile2"]


def encrypted(writer: PdfWriter) -> None:
    writer.encrypt("", "owner")


def with_a_file_of_no_relation(writer: PdfWriter) -> None:
    del writer.root_object["/AF"][0].get_object()["/AFRelationship"]
    writer.root_object[NameObject("/AF")] = ArrayObject()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without("/OutputIntents"), "no output intent"),
        (without("/MarkInfo"), "not tagged"),
        (without("/StructTreeRoot"), "not tagged"),
        (with_script, "an action: /JavaScript"),
        (with_text_that_cannot_be_read, "can't be read out"),
        (with_a_font_from_outside, "not inside"),
        (encrypted, "encrypted"),
        (with_a_file_of_no_relation, "no relation"),
    ],
)
def test_a_spoilt_file_does_not_pass(
    spoil: Callable[[PdfWriter], None], told: str, documents: dict[str, bytes]
) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(documents["small"]))
    assert list(faults(written(writer))) == []
    spoil(writer)
    spoilt = written(writer)
    if told == "encrypted":
        assert PdfReader(io.BytesIO(spoilt)).is_encrypted
        assert not page.is_pdf_compliant_bytes(spoilt, profile=page.ValidationProfile.PDF_A_3A)
        return
    assert [fault for fault in faults(spoilt) if told in fault]
    assert not page.is_pdf_compliant_bytes(spoilt)


def written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()
