"""Explaining a figure, and the export formats."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from ledger.calendar import parse_moment
from ledger.errors import UsageError
from ledger.recording.editions import approve, frozen, issue
from ledger.recording.explain import explain
from ledger.recording.moments import AsOf
from ledger.recording.writers import to_bytes, xlsx_text
from schemas.month import Month
from tests.fake_programme import P1, P2, A, write_file

JUNE, JULY = Month(2018, 6), Month(2018, 7)
COLUMNS = ("item_id", "paid", "problems", "version", "carried_forward")
ROWS = [
    ("2018-A1-01", Decimal("120.50"), '=HYPERLINK("x")', 1, False),
    ("2018-A1-02", None, '一行\n两行,“引号"', 12, True),
    ("2018-A1-03", Decimal("-0.000001"), "-1\x07", 2, False),
]


def read_csv(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_is_exact_and_text_is_as_it_is() -> None:
    header, *rows = read_csv(to_bytes(COLUMNS, ROWS, "csv"))
    assert header == list(COLUMNS)
    assert rows == [
        ["2018-A1-01", "120.5", '=HYPERLINK("x")', "1", "false"],
        ["2018-A1-02", "", '一行\n两行,“引号"', "12", "true"],
        ["2018-A1-03", "-0.000001", "-1\x07", "2", "false"],
    ]
    safe = read_csv(to_bytes(COLUMNS, ROWS, "csv", excel_safe=True))
    assert [row[2][:2] for row in safe[1:]] == ["'=", "一行", "'-"]
    assert [row[1] for row in safe[1:]] == ["120.5", "", "-0.000001"]


def test_json_keeps_decimals_exact() -> None:
    rows = json.loads(to_bytes(COLUMNS, ROWS, "json"))
    assert rows[0] == {
        "item_id": "2018-A1-01",
        "paid": "120.5",
        "problems": '=HYPERLINK("x")',
        "version": 1,
        "carried_forward": False,
    }
    assert rows[1]["paid"] is None


def test_xlsx_has_text_cells_and_no_formulas() -> None:
    sheet = load_workbook(io.BytesIO(to_bytes(COLUMNS, ROWS, "xlsx", title="2018-06 projects"))).active
    assert sheet.title == "2018-06-projects"
    assert [cell.value for cell in sheet[1]] == list(COLUMNS)
    assert (sheet["B2"].value, sheet["B3"].value) == (120.5, None)
    assert (sheet["C2"].value, sheet["C2"].data_type) == ('=HYPERLINK("x")', "s")
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "b"}
    assert sheet.freeze_panes == "A2"
    assert sheet["C3"].value == ROWS[1][2], "a line break is text as any other"
    assert sheet["C4"].value == "-1_x0007_"


def test_xlsx_text_escapes_only_what_xml_cant_say() -> None:
    assert xlsx_text("一\n二\t三 _x_") == "一\n二\t三 _x_"
    assert xlsx_text("\r\x1b_x000A_") == "_x000D__x001B__x005F_x000A_"


def test_parquet_types() -> None:
    table = pq.read_table(io.BytesIO(to_bytes(COLUMNS, ROWS, "parquet")))
    assert table.column_names == list(COLUMNS)
    assert table.column("paid").to_pylist()[0] == Decimal("120.5")
    assert table.column("version").to_pylist() == [1, 12, 2]
    assert table.column("carried_forward").to_pylist() == [False, True, False]
    empty = pq.read_table(io.BytesIO(to_bytes(COLUMNS, [], "parquet")))
    assert (empty.num_rows, empty.column_names) == (0, list(COLUMNS))
    with pytest.raises(UsageError):
        to_bytes(COLUMNS, ROWS, "pdf")


def test_explain(planned, tmp_path: Path) -> None:
    june = write_file(tmp_path / "6月.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 30}})
    corrected = write_file(
        tmp_path / "6月改.json",
        A,
        "2018-06",
        "误报",
        projects={P1: {"fiscal_paid_cum_fen": 20, "fiscal_paid_month_fen": 20}},
    )
    july = write_file(
        tmp_path / "7月.json", A, "2018-07", projects={P1: {"fiscal_paid_cum_fen": 10, "remarks": "退回"}}
    )
    with planned() as ledger:
        ledger.receive([june], parse_moment("2018-07-03T09:00"))
        ledger.receive([corrected], parse_moment("2018-07-09T09:00"))
        ledger.receive([july], parse_moment("2018-08-03T09:00"))
        ledger.catch_up()
        chain = explain(ledger, JUNE, P1, "fiscal_paid_cum")
        shown = chain.as_json()
        assert (shown["value"], shown["source"]["cell"], shown["source"]["raw"]) == ("20", "D5", "20")
        assert [(v["version"], v["value"], v["current"]) for v in shown["versions"]] == [
            (1, "30", False),
            (2, "20", True),
        ]
        text = chain.text()
        for words in ("6月改.json", "sheet projects", "D5", "20 万元", "第2版", "2018-07-09T09:00:00+08:00"):
            assert words in text
        carried = explain(ledger, JULY, P1, "累计支付(万元)—财政帮扶资金")
        assert (carried.value, carried.carried_from) == ("20", JUNE)
        assert "沿用" in carried.text()
        month_alone = explain(ledger, JULY, P1, "fiscal_paid_month")
        assert month_alone.value == ""
        nothing = explain(ledger, JULY, P2, "status")
        assert (nothing.source, nothing.as_json()["source"]) == (None, None)
        assert "没有这一数字" in nothing.text()
        for item, field in (("2018-A1-99", "status"), (P1, "signed_amount")):
            with pytest.raises(UsageError):
                explain(ledger, JUNE, item, field)


def test_a_finding_that_a_later_check_took_back_is_said_to_be_so(planned, tmp_path: Path) -> None:
    def book(name: str, month: str, paid: int, note: str = "") -> Path:
        return write_file(tmp_path / name, A, month, note, projects={P1: {"fiscal_paid_cum_fen": paid}})

    with planned() as ledger:
        ledger.receive([book("6月.json", "2018-06", 10)], parse_moment("2018-07-03T09:00"))
        ledger.receive([book("7月.json", "2018-07", 20)], parse_moment("2018-08-03T09:00"))
        ledger.receive([book("6月改.json", "2018-06", 30, "漏报")], parse_moment("2018-08-09T09:00"))
        ledger.receive([book("6月再改.json", "2018-06", 15, "误报")], parse_moment("2018-08-12T09:00"))
        ledger.catch_up()
        wrong = explain(ledger, JULY, P1, "fiscal_paid_cum", as_of=parse_moment("2018-08-10"))
        assert [(one["rule"], one["open"]) for one in wrong.as_json()["findings"]] == [("H01", True)]
        assert "现已不成立" not in wrong.text()
        right = explain(ledger, JULY, P1, "fiscal_paid_cum")
        assert [(one["rule"], one["open"]) for one in right.as_json()["findings"]] == [("H01", False)]
        assert "（现已不成立）" in right.text()


def test_explain_as_it_was(planned, tmp_path: Path) -> None:
    """What was known at a moment, or printed by an edition: the figure, its file, its versions."""
    first = write_file(tmp_path / "6月.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 30}})
    then = write_file(
        tmp_path / "6月改.json", A, "2018-06", "误报", projects={P1: {"fiscal_paid_cum_fen": 20}}
    )
    with planned() as ledger:
        ledger.receive([first], parse_moment("2018-07-03T09:00"))
        ledger.catch_up()
        edition = approve(ledger, JUNE, "张三", parse_moment("2018-07-06T10:00"))
        issue(ledger, edition, {})
        ledger.receive([then], parse_moment("2018-07-05T09:00"))
        ledger.catch_up()

        def told(as_of: AsOf) -> tuple[str, str, list[tuple[int, bool]]]:
            chain = explain(ledger, JUNE, P1, "fiscal_paid_cum", as_of=as_of)
            assert chain.source is not None
            return chain.value, chain.source.file, [(link.version, link.current) for link in chain.history]

        assert told(None) == ("20", "6月改.json", [(1, False), (2, True)])
        assert told(parse_moment("2018-07-04T09:00")) == ("30", "6月.json", [(1, True)])
        # said to have come before the approval, recorded after it: the edition did not print it
        assert told(parse_moment("2018-07-05T10:00"))[0] == "20"
        assert told(frozen(edition)) == ("30", "6月.json", [(1, True)])
        early = explain(ledger, JUNE, P1, "fiscal_paid_cum", as_of=parse_moment("2018-07-01"))
        assert (early.source, early.value) == (None, "")
