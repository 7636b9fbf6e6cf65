"""The master workbook: what people see, what can't come in, the same bytes."""

from __future__ import annotations

import io
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from ledger.home import Home
from ledger.recording.master import Master, MasterTable
from ledger.reporting import master_book as made
from ledger.reporting.master_book import clean, write_master
from schemas.master import MASTER, SHEETS, names_of
from schemas.month import Month

NASTY = '=HYPERLINK("http://x","点")'


def table(name: str, *rows: dict[str, object], changed: tuple[str, ...] = ()) -> MasterTable:
    names = names_of(MASTER[name])
    places = frozenset(names.index(each) for each in changed)
    return MasterTable(
        name,
        MASTER[name],
        tuple(tuple(row.get(each) for each in names) for row in rows),  # type: ignore[misc]
        tuple(places if number else frozenset() for number in range(len(rows))),
    )


def sample(**others: MasterTable) -> Master:
    projects = table(
        "projects",
        {"state": "superseded", "item_id": "X", "fiscal_paid_cum": Decimal("95.5"), "problems": NASTY},
        {"state": "current", "item_id": "X", "fiscal_paid_cum": Decimal(90), "problems": "@SUM(A1)\x07\x1b"},
        {"state": "carried", "item_id": "Y", "carried_forward": True, "remarks": "-1"},
        changed=("fiscal_paid_cum",),
    )
    tables = {name: table(name) for name in MASTER} | {
        "projects": projects,
        "plan": table("plan", {"item_id": "X", "table": "projects"}),
        "corrections": table("corrections", {"item_id": "X", "field": "fiscal_paid_cum", "old": "95.5"}),
        "submissions": table("submissions", {"received_at": "2018-10-05T09:00:00+08:00", "timely": False}),
    }
    return Master(Month(2018, 6), Month(2018, 9), tables | others, "2018-10-05T09:00:00+08:00")


def sheets(master: Master):
    return load_workbook(io.BytesIO(made.master_book(master)))


def test_heads_marks_and_filters() -> None:
    book = sheets(sample())
    assert book.sheetnames == ["说明", *SHEETS.values()]
    projects = book["援建项目"]
    names = names_of(MASTER["projects"])
    paid = names.index("fiscal_paid_cum")
    assert projects.cell(1, paid + 1).value == "累计支付(万元)—财政帮扶资金"
    assert [row[0].value for row in projects.iter_rows(min_row=2)] == ["已更正", "现行", "沿用"]
    assert [row[paid].value for row in projects.iter_rows(min_row=2)] == [95.5, 90, None]
    assert projects["A2"].font.strike and not projects["A3"].font.strike
    assert projects.cell(3, paid + 1).fill.fgColor.rgb == "00FFF2CC"
    assert projects.cell(3, paid).fill.fgColor.rgb != "00FFF2CC"
    assert projects.cell(4, names.index("carried_forward") + 1).value == "是"
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, "printed as wide as its paper"
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None and sheet.freeze_panes.endswith("2")
        assert sheet.auto_filter.ref.startswith("A1:")
    assert book["更正"]["C2"].value == "累计支付(万元)—财政帮扶资金"
    assert [cell.value for cell in book["报送"][2]][6] == "2018-10-05 09:00:00"
    told = "".join(str(cell.value or "") for row in book["说明"] for cell in row)
    assert "现行 1、沿用 1、已更正 1" in told and "2018年6月至2018年9月" in told


def test_no_text_becomes_a_formula() -> None:
    package = made.master_book(sample())
    book = load_workbook(io.BytesIO(package))
    problems = names_of(MASTER["projects"]).index("problems") + 1
    cell = book["援建项目"].cell(2, problems)
    assert (cell.value, cell.data_type, cell.number_format) == (NASTY, "s", "@")
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        assert not [n for n in files.namelist() if b"<f>" in files.read(n) or b"<hyperlink" in files.read(n)]
    texts = [cell for sheet in book for row in sheet for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in texts} == {"s"}
    assert all(cell.number_format == "@" for cell in texts)


def test_text_that_a_cell_cannot_hold() -> None:
    assert clean("a\x00b\x1fc\ud800\ufffe") == "a_x0000_b_x001F_c?_xFFFE_"
    assert clean("原文_x0041_") == "原文_x005F_x0041_"
    assert clean("两行\n和\t制表") == "两行\n和\t制表"
    long = clean("长" * 40_000)
    assert len(long) <= 32_767 and "Parquet" in long


def test_a_long_table_goes_on_on_the_next_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "MOST_ROWS", 2)
    book = sheets(sample())
    assert book.sheetnames[1:3] == ["援建项目", "援建项目(2)"]
    assert (book["援建项目"].max_row, book["援建项目(2)"].max_row) == (3, 2)
    assert book["援建项目(2)"]["A2"].value == "沿用"


def test_the_same_bytes_and_unchanged_files_are_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    paths = write_master(home, sample())
    assert [path.name for path in paths][:2] == ["台帐-2018-09.xlsx", "projects.parquet"]
    assert paths[1].parent.name == "台帐-2018-09"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    time.sleep(2.1)  # a zip's dates count in steps of two seconds
    write_master(home, sample())
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths} == before
