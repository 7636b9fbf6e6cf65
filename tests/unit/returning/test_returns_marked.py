"""Returns: marks and notes at the right cells, links that lead there, and nothing else changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from PIL import Image
from python_calamine import CalamineWorkbook
from sample_return import MONTH, PROJECTS_SHEET, TOWNSHIP, checked, fill, last_month, plan, registry

from ledger.checking.model import Verdict
from ledger.home import Home
from ledger.reading.model import Filing, Submission
from ledger.reading.submission import read_submission
from ledger.returning.forms import form_bytes
from ledger.returning.marking import mark_package
from ledger.returning.markup import Unmarkable
from ledger.returning.notice import HEADING_ROW, HEADINGS, SHEET
from ledger.returning.returns import return_bytes, write_return
from ledger.returning.style_edit import ERROR_FILL, WARNING_FILL
from schemas.finding import Finding, Severity, finding
from schemas.tables import PLAN_TABLES, TABLES

PAID = "累计支付(万元)—财政帮扶资金"


def at(cell: str | None, code: str = "R03", *, sheet: str | None = PROJECTS_SHEET, **more) -> Finding:
    row = int(re.sub(r"\D", "", cell)) if cell else None
    return finding(
        code, f"{code} 的说明", sheet=sheet, table="projects", **{"cell": cell, "row": row, **more}
    )


def submitted() -> bytes:
    """A form filled in, with what units add: a chart, a picture, a note, a name, a formula."""
    book = registry()
    data = fill(form_bytes(book, plan(), MONTH, last_month(), book.by_code[TOWNSHIP]))
    workbook = load_workbook(BytesIO(data))
    sheet = workbook[PROJECTS_SHEET]
    sheet["K5"].comment = Comment("我自己的批注", "张三")
    sheet["O5"].fill = PatternFill("solid", fgColor="FF00B0F0")
    sheet["O5"].font = Font(bold=True, color="FF7030A0")
    sheet["O5"].number_format = "0.0"
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=5, max_row=6))
    sheet.add_chart(chart, "D10")
    picture = BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")
    picture.seek(0)
    extra = workbook.create_sheet("自留")
    extra.add_image(SheetImage(picture), "B2")
    extra["A1"] = "=1+1"
    extra["A2"].comment = Comment("另一张表的批注", "李四")
    workbook.defined_names["县级"] = DefinedName("县级", attr_text="'自留'!$A$1")
    workbook.active = 2
    workbook.worksheets[2].sheet_view.tabSelected = True
    written = BytesIO()
    workbook.save(written)
    return with_part(
        written.getvalue(),
        "xl/worksheets/sheet5.xml",
        lambda x: x.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"),
    )


def with_part(data: bytes, name: str, change) -> bytes:
    """The package with one part changed (None takes it away)."""
    written = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(written, "w", ZIP_DEFLATED) as target:
        for part in source.namelist():
            content = source.read(part)
            if part == name:
                content = change(content)
            if content is not None:
                target.writestr(part, content)
    return written.getvalue()


def parts(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def returned(data: bytes, *findings: Finding) -> bytes:
    marked, suffix = return_bytes(registry(), checked(list(findings)), data)
    assert suffix == ".xlsx"
    return marked


def read(data: bytes) -> Submission:
    return read_submission(
        data, "9月报表.xlsx", hashlib.sha256(data).hexdigest(), Filing(registry(), MONTH, plan())
    )


def as_read(submission: Submission):
    return [
        (t.table, t.sheet, t.nil_report, t.header_cells, [(r.row, r.values) for r in t.rows], t.findings)
        for t in submission.tables
    ], (submission.unit_code, submission.month, dict(submission.cover), submission.findings)


def test_red_for_errors_yellow_for_warnings_and_a_note_on_each() -> None:
    marked = returned(
        submitted(), at("U5", column=PAID), at("U5", "R04", column=PAID), at("O6", "H04"), at("Y6", "C06")
    )
    sheet = load_workbook(BytesIO(marked))[PROJECTS_SHEET]
    colours = {c: sheet[c].fill.fgColor.rgb for c in ("U5", "O6", "Y6", "U6", "V5")}
    assert colours == {
        "U5": ERROR_FILL,
        "O6": WARNING_FILL,
        "Y6": ERROR_FILL,
        "U6": "00000000",
        "V5": "00000000",
    }
    note = sheet["U5"].comment.text
    assert note.startswith("【退回核对】")
    assert "错误（R03 " in note
    assert "提示（R04 " in note
    assert "改正：" in note
    assert sheet["U6"].comment is None
    assert sheet["U5"].value == 35


def test_only_the_fill_of_a_marked_cell_changes() -> None:
    before = load_workbook(BytesIO(submitted()))[PROJECTS_SHEET]["O5"]
    after = load_workbook(BytesIO(returned(submitted(), at("O5"))))[PROJECTS_SHEET]["O5"]
    assert after.fill.fgColor.rgb == ERROR_FILL
    for name in ("font", "border", "number_format", "alignment", "protection", "value"):
        assert repr(getattr(after, name)) == repr(getattr(before, name)), name


def test_parts_that_are_not_marked_stay_byte_for_byte() -> None:
    data = submitted()
    before, after = parts(data), parts(returned(data, at("U5")))
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet2.xml",
        "xl/worksheets/sheet3.xml",  # was the selected one: two selected sheets would be edited together
        "xl/comments/comment1.xml",
        "xl/drawings/commentsDrawing1.vml",
    }
    assert set(after) - set(before) == {"xl/worksheets/returned1.xml"}
    assert {n for n in before if "chart" in n or "media" in n} <= set(before) - changed
    # in the sheet itself only the style of the cell has changed
    cut = re.compile(rb'(<c r="U5" )s="\d+"')
    assert cut.sub(rb"\1", before["xl/worksheets/sheet2.xml"]) == cut.sub(
        rb"\1", after["xl/worksheets/sheet2.xml"]
    )


def test_formulas_keep_their_stored_results() -> None:
    marked = returned(submitted(), at("A1", "F11", sheet="自留"))
    assert load_workbook(BytesIO(marked))["自留"]["A1"].value == "=1+1"
    assert load_workbook(BytesIO(marked), data_only=True)["自留"]["A1"].value == 2
    assert load_workbook(BytesIO(marked))["自留"]["A2"].comment.text == "另一张表的批注"


def test_the_units_own_note_stays_above_ours() -> None:
    sheet = load_workbook(BytesIO(returned(submitted(), at("K5"), at("L5"))))[PROJECTS_SHEET]
    assert sheet["K5"].comment.text.startswith("我自己的批注\n【退回核对】")
    assert sheet["K5"].comment.author == "张三"
    assert sheet["L5"].comment.author == "退回核对"


def test_the_list_comes_first_in_the_order_of_mending_with_links() -> None:
    findings = [
        finding("F12", "缺少表2"),
        at("U5", column=PAID, value="35", item="2018-A1-01"),
        at(None, "P04"),
        at(None, "P01", row=6),
    ]
    workbook = load_workbook(BytesIO(returned(submitted(), *findings)))
    assert workbook.sheetnames[0] == SHEET
    assert workbook.active.title == SHEET
    sheet = workbook[SHEET]
    assert [cell.value for cell in sheet[HEADING_ROW]] == list(HEADINGS)
    rows = list(sheet.iter_rows(min_row=HEADING_ROW + 1, values_only=True))
    assert [(r[1], r[2], r[3], r[9]) for r in rows] == [
        ("提示", "（全文件）", None, "F12"),
        ("错误", PROJECTS_SHEET, "U5", "R03"),
        ("错误", PROJECTS_SHEET, None, "P04"),
        ("错误", PROJECTS_SHEET, "C6", "P01"),
    ]
    assert rows[1][4:7] == ("累计支付(万元) 财政帮扶资金", "35", "R03 的说明")
    assert [r[8] for r in rows] == ["照收，请核对", "本行退回", "数字照收，须答复", "本行退回"]
    links = {c.coordinate: c.hyperlink.location for row in sheet.iter_rows() for c in row if c.hyperlink}
    assert links == {"D7": "'表1 援建项目'!U5", "C8": "'表1 援建项目'!A1", "D9": "'表1 援建项目'!C6"}
    # a whole row is marked at the item's name
    assert workbook[PROJECTS_SHEET]["C6"].fill.fgColor.rgb == ERROR_FILL
    assert "长梁镇" in sheet["A2"].value
    assert "2018年9月" in sheet["A2"].value


def test_names_that_belong_to_a_sheet_move_with_it() -> None:
    before = load_workbook(BytesIO(submitted()))
    after = load_workbook(BytesIO(returned(submitted(), at("U5"))))
    for name in before.sheetnames:
        assert after[name].print_title_rows == before[name].print_title_rows
        assert after[name].print_area == before[name].print_area
    assert after.defined_names["县级"].attr_text == "'自留'!$A$1"
    assert sum(bool(sheet.sheet_view.tabSelected) for sheet in after.worksheets) == 1


def test_a_cell_under_a_merge_is_marked_where_it_is_seen() -> None:
    workbook = load_workbook(BytesIO(returned(submitted(), at("G3", "F11"))))
    assert workbook[PROJECTS_SHEET]["E3"].fill.fgColor.rgb == WARNING_FILL
    assert workbook[SHEET].cell(HEADING_ROW + 1, 4).value == "E3"


def test_a_marked_file_sent_back_unmended_reads_as_the_same_data() -> None:
    data = submitted()
    marked = returned(data, at("U5"), at("K5", "C05"), at("R6", "C06"), at("C3", "F11"))
    assert as_read(read(marked)) == as_read(read(data))


def test_the_return_of_a_return_shows_only_what_remains() -> None:
    data = submitted()
    first = returned(data, at("U5"), at("K5", "C05"), at("O5", "H04"), at("R6", "C06"))
    second = returned(first, at("U5"))
    workbook, before = load_workbook(BytesIO(second)), load_workbook(BytesIO(data))
    assert workbook.sheetnames == [SHEET, *before.sheetnames]
    assert len(list(workbook[SHEET].iter_rows(min_row=HEADING_ROW + 1))) == 1
    sheet, original = workbook[PROJECTS_SHEET], before[PROJECTS_SHEET]
    assert sheet["U5"].fill.fgColor.rgb == ERROR_FILL
    assert sheet["U5"].comment.text.count("【退回核对】") == 1
    for cell in ("K5", "R6"):
        assert repr(sheet[cell].fill) == repr(original[cell].fill), cell
    assert sheet["R6"].comment is None
    assert sheet["K5"].comment.text.strip() == "我自己的批注"
    assert sum(bool(s.sheet_view.tabSelected) for s in workbook.worksheets) == 1
    assert as_read(read(second)) == as_read(read(data))


def test_the_same_bytes_every_time() -> None:
    data = submitted()
    assert returned(data, at("U5"), at("V6")) == returned(data, at("U5"), at("V6"))


def test_nothing_goes_back_without_errors_or_warnings(tmp_path: Path) -> None:
    original = tmp_path / "in.xlsx"
    original.write_bytes(submitted())
    verdict = checked([at("L5", "C11")], Verdict.ACCEPTED)
    assert write_return(Home(tmp_path), registry(), verdict, original, tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_the_original_is_only_read_and_the_name_says_whose_it_is(tmp_path: Path) -> None:
    original = tmp_path / "in.xlsx"
    original.write_bytes(submitted())
    original.chmod(0o444)
    before = original.read_bytes()
    verdict = checked([at("U5")], name="9月/报表.xlsx")
    (path,) = write_return(Home(tmp_path), registry(), verdict, original)
    assert path == Home(tmp_path).returns(MONTH) / "退回_长梁镇_2018-09_报表.xlsx"
    assert original.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_of_no_unit_and_no_month_has_a_name_too(tmp_path: Path) -> None:
    original = tmp_path / "in.pdf"
    original.write_bytes(b"%PDF-1.4 not a workbook")
    verdict = checked([finding("F03", "这不是电子表格")], Verdict.RETURNED, name="扫描件.pdf")
    verdict.submission.unit_code = verdict.submission.month = None
    (path,) = write_return(Home(tmp_path), registry(), verdict, original, tmp_path / "out")
    assert path.name == "退回_单位不明_月份不明_扫描件_00000000.xlsx"
    workbook = load_workbook(path)
    assert workbook.sheetnames == [SHEET]
    assert workbook[SHEET].cell(HEADING_ROW + 1, 10).value == "F03"


def test_the_lists_own_words_are_no_columns_and_no_captions() -> None:
    known = set()
    for table in (*TABLES.values(), *PLAN_TABLES.values()):
        for column in table.columns:
            known |= {column.title, column.leaf, column.group, *column.aliases}
    assert not set(HEADINGS) & known


@pytest.mark.parametrize(
    "text", ["<坏&字>\"'", "控制\x01符\x0b", "_x0041_ 逃逸", "换\r\n行", "＂𬭊㛃", "=1+1"]
)
def test_any_text_can_stand_in_a_finding(text: str) -> None:
    marked = returned(submitted(), replace(at("U5"), message=text, value=text))
    sheet = load_workbook(BytesIO(marked))[SHEET]
    seen = sheet.cell(HEADING_ROW + 1, 7).value
    assert seen == re.sub(r"[\x00-\x08\x0b]", "", text).replace("\r\n", "\n").replace(
        "_x0041_", "_x005F_x0041_"
    )
    by_calamine = CalamineWorkbook.from_filelike(BytesIO(marked)).get_sheet_by_name(SHEET).to_python()
    assert by_calamine[HEADING_ROW][9] == "R03"


def small(*, numbered: bool = True) -> bytes:
    """A workbook of a single sheet without a style, optionally without any cell references."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = PROJECTS_SHEET
    for row in (["a", "b", "c"], [1, 2, 3], [4, 5, 6]):
        sheet.append(row)
    written = BytesIO()
    workbook.save(written)
    data = written.getvalue()
    if not numbered:
        data = with_part(data, "xl/worksheets/sheet1.xml", lambda x: re.sub(rb'<(c|row) r="\w+"', rb"<\1", x))
    return data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("prefixed", lambda: _every_part_prefixed(small())),
        ("byte order mark", lambda: with_part(small(), "xl/worksheets/sheet1.xml", lambda x: b"\xef\xbb\xbf" + x)),
        ("UTF-16", lambda: with_part(small(), "xl/worksheets/sheet1.xml", lambda x: ('<?xml version="1.0" encoding="UTF-16"?>' + x.decode()).encode("utf-16"))),
        ("no references", lambda: small(numbered=False)),
        ("single quotes", lambda: with_part(small(), "xl/worksheets/sheet1.xml", lambda x: x.replace(b'"', b"'"))),
        ("absolute targets", lambda: with_part(small(), "xl/_rels/workbook.xml.rels", lambda x: x.replace(b'Target="worksheets', b'Target="/xl/worksheets'))),
        ("a comment in the way", lambda: with_part(small(), "xl/worksheets/sheet1.xml", lambda x: x.replace(b"<sheetData>", b"<!-- <sheetData> --><sheetData>"))),
    ],
)  # fmt: skip
def test_packages_of_all_producers(name: str, data) -> None:
    marked = returned(data(), at("B2"), at("E2", "C06"), at("B3", "C06"), at("A9", "C06"))
    sheet = load_workbook(BytesIO(marked))[PROJECTS_SHEET]
    assert [c.value for c in sheet[2]][:3] == [1, 2, 3]
    for cell in ("B2", "E2", "B3", "A9"):
        assert sheet[cell].fill.fgColor.rgb == ERROR_FILL, cell
        assert sheet[cell].comment is not None, cell
    assert sheet["C2"].fill.fgColor.rgb == "00000000"
    values = CalamineWorkbook.from_filelike(BytesIO(marked)).get_sheet_by_name(PROJECTS_SHEET).to_python()
    assert [row[:3] for row in values[:3]] == [["a", "b", "c"], [1, 2, 3], [4, 5, 6]]


def _every_part_prefixed(data: bytes) -> bytes:
    """As some producers write it: every element with a prefix."""
    for name in ("xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml"):
        data = with_part(data, name, _prefix)
    return data


def _prefix(content: bytes) -> bytes:
    content = re.sub(rb"<(/?)(?![?!/])(\w+)(?=[ >/])", rb"<\1x:\2", content)
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return content.replace(b'xmlns="' + main, b'xmlns:x="' + main)


def test_a_package_without_styles_gets_some() -> None:
    data = with_part(small(), "xl/styles.xml", lambda _: None)
    data = with_part(
        data, "xl/_rels/workbook.xml.rels", lambda x: re.sub(rb"<Relationship [^>]*styles[^>]*/>", b"", x)
    )
    data = with_part(data, "[Content_Types].xml", lambda x: re.sub(rb"<Override [^>]*styles[^>]*/>", b"", x))
    sheet = load_workbook(BytesIO(returned(data, at("B2"))))[PROJECTS_SHEET]
    assert sheet["B2"].fill.fgColor.rgb == ERROR_FILL


def test_a_macro_workbook_stays_one() -> None:
    data = with_part(small(), "[Content_Types].xml", lambda x: x.replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    ))  # fmt: skip
    marked, suffix = return_bytes(registry(), checked([at("B2")]), data)
    assert suffix == ".xlsm"
    assert b"macroEnabled" in parts(marked)["[Content_Types].xml"]


def test_a_document_type_declaration_is_not_touched() -> None:
    data = with_part(small(), "xl/worksheets/sheet1.xml", lambda x: b'<!DOCTYPE a [<!ENTITY b "c">]>' + x)
    with pytest.raises(Unmarkable):
        mark_package(data, _notice_of(at("B2")))


def _notice_of(*findings: Finding):
    from ledger.returning.marks import lines
    from ledger.returning.notice import Notice

    return Notice("长梁镇", "2018年9月", "a.xlsx", "", "", lines(checked(list(findings))))


def test_csv_goes_back_with_a_marked_copy() -> None:
    data = "表1 援建项目进度\n序号,项目名称,备注\n1,=危险,2.50\n".encode("gb18030")
    findings = [at("C3", "C01", sheet="9月报表")]
    marked, suffix = return_bytes(registry(), checked(findings, name="9月报表.csv"), data)
    assert suffix == ".xlsx"
    workbook = load_workbook(BytesIO(marked))
    assert workbook.sheetnames == [SHEET, "9月报表"]
    sheet = workbook["9月报表"]
    assert [c.value for c in sheet[3]] == ["1", "=危险", "2.50"]
    assert sheet["B3"].data_type == "s"
    assert sheet["C3"].fill.fgColor.rgb == ERROR_FILL
    assert workbook[SHEET].cell(HEADING_ROW + 1, 4).hyperlink.location == "'9月报表'!C3"


def test_many_findings_are_all_listed() -> None:
    findings = [at(f"B{row}", "C01") for row in range(2, 4002)]
    workbook = load_workbook(BytesIO(returned(small(), *findings)))
    assert workbook[SHEET].max_row == HEADING_ROW + 4000
    assert workbook[PROJECTS_SHEET]["B4001"].fill.fgColor.rgb == ERROR_FILL


def test_information_is_no_reason_to_send_back() -> None:
    marked = returned(submitted(), at("U5"), replace(at("L5", "C11"), severity=Severity.INFO))
    assert load_workbook(BytesIO(marked))[SHEET].max_row == HEADING_ROW + 1
