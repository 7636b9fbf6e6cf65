"""F01–F04: what is no workbook is named for what it is, and nothing is unpacked beyond limits."""

from __future__ import annotations

import io
import re
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from raw_packages import MAIN, ods, shared_strings, worksheet, xlsx, zipped

from ledger.reading.formats import limits, open_book
from ledger.reading.model import Book
from schemas.finding import Finding, Severity


def refusal(data: bytes, name: str = "九月.xlsx") -> Finding:
    found = open_book(data, name)
    assert isinstance(found, Finding), found
    assert found.file == name
    assert found.severity is Severity.ERROR
    assert re.search("[一-龥]", found.message)
    assert found.remedy
    return found


def good_xlsx() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = "长梁镇"
    for row in range(2, 60):
        book.active.append([row, f"第{row}行", row * 1.5])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def good_xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表1")
    for row in range(60):
        sheet.write(row, 0, f"第{row}行")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ole_with(stream: str) -> bytes:
    """A compound file whose one stream has this name."""
    data = good_xls()
    old, new = "Workbook".encode("utf-16-le"), stream.encode("utf-16-le")
    at = data.rindex(old)
    entry = bytearray(data[at : at + 128])
    entry[: len(old)] = bytes(len(old))
    entry[: len(new)] = new
    entry[64:66] = struct.pack("<H", len(new) + 2)
    return data[:at] + bytes(entry) + data[at + 128 :]


@pytest.mark.parametrize(
    "data", [b"", b" \r\n\t ", b"\xef\xbb\xbf", bytes(64)], ids=["0", "blank", "bom", "zeros"]
)
def test_f01_empty_files(data: bytes) -> None:
    assert refusal(data).rule == "F01"


def test_f01_truncated_files() -> None:
    for whole in (good_xlsx(), good_xls()):
        for share in (0.1, 0.5, 0.9):
            assert refusal(whole[: int(len(whole) * share)]).rule == "F01"


def test_f01_flipped_bytes_inside_a_part() -> None:
    whole = good_xlsx()
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        info = package.getinfo("xl/worksheets/sheet1.xml")
    at = info.header_offset + 60
    assert refusal(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]).rule == "F01"


def test_f01_binary_rubbish() -> None:
    assert refusal(bytes(range(256)) * 8).rule == "F01"


def test_f02_passwords() -> None:
    assert refusal(ole_with("EncryptedPackage")).rule == "F02"
    whole = good_xls()
    at = whole.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    # the first record of the globals becomes FILEPASS; its content does not matter
    assert refusal(whole[:at] + b"\x2f\x00" + whole[at + 2 :], "九月.xls").rule == "F02"
    manifest = (
        '<m:manifest xmlns:m="urn:m"><m:file-entry m:full-path="content.xml">'
        '<m:encryption-data m:checksum="x"/></m:file-entry></m:manifest>'
    )
    assert refusal(ods("<table:table/>", manifest=manifest), "九月.ods").rule == "F02"


def test_f02_encrypted_zip_parts() -> None:
    data = bytearray(xlsx(worksheet("")))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(magic, at + 4)
    assert refusal(bytes(data)).rule == "F02"


FOREIGN = {
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(64), "JPEG"),
    "GIF": (b"GIF89a" + bytes(64), "GIF"),
    "BMP": (b"BM\x36\x00\x0c\x00" + bytes(64), "BMP"),
    "TIFF": (b"II*\x00" + bytes(64), "TIFF"),
    "RTF": (rb"{\rtf1\ansi hello}", "RTF"),
    "RAR": (b"Rar!\x1a\x07\x00" + bytes(64), "RAR"),
    "HTML": (
        "<html><head><meta charset=gbk></head><table><tr><td>长梁镇</td></tr></table>".encode("gbk"),
        "网页",
    ),
    "HTML with space before": (b"\r\n  <!DOCTYPE HTML><html><body>1</body></html>", "网页"),
    "table alone": (b"<table><tr><td>1</td></tr></table>", "网页"),
    "MHTML": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", "MHTML"),
    "XML 2003": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "XML",
    ),
    "JSON": (b'{"a": 1, "b": [1, 2, 3]}', "JSON"),
    "plain words": ("县扶贫办：\n现将九月情况报上，请审阅。\n".encode(), "文字"),
    "ASCII words": (b"this is not a workbook", "文字"),
    "docx": (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}), "docx"),
    "pptx": (zipped({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>"}), "pptx"),
    "odt": (zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}), "ODF"),
    "zip": (zipped({"九月.xlsx": good_xlsx()}), "压缩包"),
    "empty zip": (zipped({}), "压缩包"),
    "doc": (ole_with("WordDocument"), "Word"),
    "ppt": (ole_with("PowerPoint Document"), "PowerPoint"),
    "other OLE": (ole_with("SomethingElse"), "其他程序"),
}


@pytest.mark.parametrize(("data", "named"), FOREIGN.values(), ids=FOREIGN)
def test_f03_names_what_the_file_is(data: bytes, named: str) -> None:
    for name in ("九月.xlsx", "九月.xls", "九月.csv"):
        found = refusal(data, name)
        assert (found.rule, named in found.message) == ("F03", True), found.message


def test_a_word_document_with_a_workbook_inside_is_a_word_document() -> None:
    # a stream named Workbook somewhere in the directory, but not one that can be read
    data = bytearray(ole_with("WordDocument"))
    spare = data.rindex("WordDocument".encode("utf-16-le")) + 128
    entry = "Workbook".encode("utf-16-le")
    data[spare : spare + len(entry)] = entry
    data[spare + 64 : spare + 67] = struct.pack("<HB", len(entry) + 2, 2)
    assert "Word" in refusal(bytes(data), "九月.xls").message


def limits_kept(data: bytes, name: str = "九月.xlsx") -> Finding:
    tracemalloc.start()
    begun = time.process_time()
    found = refusal(data, name)
    seconds = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (peak < 700 << 20, seconds < 20) == (True, True)
    return found


def stretched(sheet: bytes, at: bytes, filler: bytes, count: int) -> bytes:
    """A workbook whose sheet holds `filler` many times."""
    head, _, tail = sheet.partition(at)
    return xlsx((head + filler * count + at + tail).decode())


def test_f04_a_megabyte_that_unpacks_to_a_gigabyte() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/workbook.xml", "<workbook/>")
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(1024):
                part.write(bytes(1 << 20))
    assert limits_kept(buffer.getvalue()).rule == "F04"


def test_f04_a_directory_that_lies_about_sizes() -> None:
    data = bytearray(xlsx(worksheet("<row/>" * 200_000)))
    for magic, offset in ((b"PK\x01\x02", 24),):
        at = data.find(magic)
        while at >= 0:
            if data[at + 46 :].startswith(b"xl/worksheets/"):
                data[at + offset : at + offset + 4] = struct.pack("<I", 500)
            at = data.find(magic, at + 4)
    assert limits_kept(bytes(data)).rule == "F04"


def test_f04_nested_entities() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "长梁镇">{levels}]>'
    sheet = f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="str"><v>&e9;</v></c></row></sheetData></worksheet>'
    assert limits_kept(xlsx(sheet)).rule == "F04"
    strings = shared_strings("<t>&e9;</t>").replace("<sst", f"{doctype}<sst", 1)
    assert limits_kept(xlsx(worksheet(""), strings=strings)).rule == "F04"
    assert limits_kept(ods("<table:table/>", prologue=doctype), "九月.ods").rule == "F04"


def test_f04_a_grid_from_a1_to_the_last_cell() -> None:
    body = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    found = limits_kept(xlsx(worksheet(body)))
    assert found.rule == "F04"
    assert "XFD1048576" in found.message
    book = xlwt.Workbook()
    sheet = book.add_sheet("表1")
    sheet.write(0, 0, 1)
    sheet.write(65535, 255, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    assert limits_kept(buffer.getvalue(), "九月.xls").rule == "F04"
    cell = '<table:table-cell office:value-type="float" office:value="1"/>'
    far = f'<table:table-row>{cell}</table:table-row><table:table-row table:number-rows-repeated="1048574"/><table:table-row><table:table-cell table:number-columns-repeated="16383"/>{cell}</table:table-row>'
    assert limits_kept(ods(f'<table:table table:name="t">{far}</table:table>'), "九月.ods").rule == "F04"


def test_a_stray_note_far_below_is_no_bomb() -> None:
    rows = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{column}{row}"><v>1</v></c>' for column in "ABCDEFGH") + "</row>"
        for row in range(1, 20)
    )
    stray = '<row r="65536"><c r="AA65536"><v>1</v></c></row>'
    assert isinstance(open_book(xlsx(worksheet(rows + stray)), "x.xlsx"), Book)


def test_f04_repeated_cells_of_an_ods() -> None:
    cell = (
        '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    )
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    assert limits_kept(ods(f'<table:table table:name="t">{row}</table:table>'), "九月.ods").rule == "F04"


def test_f04_one_long_text_shared_by_all_cells() -> None:
    strings = shared_strings(f"<t>{'长' * 32_000}</t>")
    body = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{c}{row}" t="s"><v>0</v></c>' for c in "ABCDEFGHIJ") + "</row>"
        for row in range(1, 2001)
    )
    assert limits_kept(xlsx(worksheet(body), strings=strings)).rule == "F04"


def test_f04_elements_without_end() -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    assert limits_kept(xlsx(worksheet("", after=deep))).rule == "F04"


@pytest.mark.parametrize("name", ["x.xlsx", "x.xls", "x.ods", "x.csv"])
def test_f04_more_cells_than_a_submission_can_have(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CELLS", 100)
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="11"/>'
    made = {
        "x.xlsx": good_xlsx(),
        "x.xls": _wide_xls(),
        "x.ods": ods(
            f'<table:table table:name="t"><table:table-row table:number-rows-repeated="11">{cell}</table:table-row></table:table>'
        ),
        "x.csv": b"1,2,3,4,5,6,7,8,9,10,11\n" * 11,
    }
    assert refusal(made[name], name).rule == "F04"


def _wide_xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表1")
    for row in range(11):
        for column in range(11):
            sheet.write(row, column, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_f01_an_allocation_table_that_runs_in_circles() -> None:
    # found by the fuzzer: xlrd's own reader of compound files never comes back from it
    data = (Path(__file__).parents[2] / "data" / "formats" / "circular.xls").read_bytes()
    assert refusal(data, "九月.xls").rule == "F01"
