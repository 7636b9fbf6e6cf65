"""Real workbooks through `ledger check`: what is written in a cell, and the exact findings.

Each line: the row of 2018-A1-04 with one thing changed, and the findings it must raise (rule and
field, or rule alone). The file is a July one over an accepted June, as a township sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from flows import check as checking
from flows import plan as planning
from flows import receive as receiving
from flows import steps
from flows.init import make_home
from ledger.calendar import parse_moment
from ledger.home import Home
from schemas.month import Month
from tests.workbooks import NIL, cell, make_book, water

JULY = Month(2018, 7)
PLAN = Path(__file__).resolve().parents[2] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"


def july(**reported: Any) -> dict[str, Any]:
    """July of 2018-A1-04: 10 万元 more paid of each source than in June."""
    return water(
        **{
            "progress_pct": 70,
            "self_received_cum": 150,
            "invested_cum": 180,
            "fiscal_paid_month": 10,
            "self_paid_month": 10,
            "fiscal_paid_cum": 30,
            "self_paid_cum": 40,
            **reported,
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("home"))
    make_home(home)
    planning.register(home, PLAN, 2018)
    june = make_book(home.root / "6月.xlsx", "景阳镇", "2018年6月", projects=[water()])
    receiving.receive_files(home, [june], parse_moment("2018-07-03T09:00"), None)
    steps.record(home, Month(2018, 6))
    yield home


def found(home: Home, book: Path, month: Month | None = JULY) -> tuple[str, list[tuple[str, str | None]]]:
    (checked,) = checking.check_files(home, [book], month).files
    return checked.verdict.value, [(f.rule, f.cell) for f in checked.findings]


C = "row returned"
S = "stands"
#: what is changed → the findings at the fields, whether the row stands
ROWS: list[tuple[dict[str, Any], list[tuple[str, str]], str]] = [
    ({}, [], S),
    ({"progress_pct": "70%"}, [("C11", "progress_pct")], S),
    ({"progress_pct": (0.7, "0%")}, [], S),
    ({"progress_pct": 0.7}, [("C11", "progress_pct")], S),
    ({"progress_pct": "约70"}, [("C10", "progress_pct")], C),
    ({"progress_pct": "过半"}, [("C10", "progress_pct")], C),
    ({"progress_pct": 120}, [("C03", "progress_pct")], C),
    ({"progress_pct": "七十"}, [("C01", "progress_pct")], C),
    ({"progress_pct": None}, [("C06", "progress_pct")], C),
    ({"fiscal_paid_cum": "30.00"}, [], S),
    ({"fiscal_paid_cum": "３０"}, [("C11", "fiscal_paid_cum")], S),
    ({"fiscal_paid_cum": "30万元"}, [("C11", "fiscal_paid_cum")], S),
    ({"fiscal_paid_cum": "300,000元"}, [("C11", "fiscal_paid_cum")], S),
    ({"fiscal_paid_cum": "—"}, [("C06", "fiscal_paid_cum")], C),
    ({"poor_households": "—"}, [("C11", "poor_households")], S),
    ({"poor_households": "无"}, [("C11", "poor_households")], S),
    ({"poor_households": 175.5}, [("C12", "poor_households")], S),
    ({"poor_households": -1}, [("C04", "poor_households"), ("H01", "poor_households")], C),
    ({"invested_cum": 180.00000049}, [("C12", "invested_cum")], S),
    ({"invested_cum": 179.99999999999997}, [], S),
    ({"invested_cum": "100-120"}, [("C10", "invested_cum")], C),
    ({"invested_cum": 320}, [("R05", "invested_cum")], S),
    ({"invested_cum": 400000}, [("C09", "invested_cum"), ("R05", "invested_cum")], C),
    ({"status": "施工中"}, [("C05", "status")], C),
    ({"status": None}, [("C06", "status")], C),
    ({"status": "已取消", "progress_pct": None, "invested_cum": None}, [], S),
    ({"start_actual": None}, [("R10", "start_actual")], C),
    ({"start_actual": "2018.5"}, [("C11", "start_actual")], S),
    ({"start_actual": 2018.5}, [("C11", "start_actual")], S),
    ({"start_actual": 2018.1}, [("C02", "start_actual")], C),
    ({"start_actual": (2018.1, "0.00"), "finish_actual": None}, [("C13", "start_actual")], C),
    ({"start_actual": "5月"}, [("C11", "start_actual")], S),
    ({"start_actual": 43235}, [("C11", "start_actual")], S),
    ({"start_actual": datetime(2018, 5, 15)}, [], S),
    ({"start_actual": date(2018, 8, 15)}, [("C13", "start_actual")], C),
    ({"start_actual": "2018年13月"}, [("C13", "start_actual")], C),
    ({"start_actual": "上半年"}, [("C02", "start_actual")], C),
    ({"finish_actual": "2018年4月"}, [("R07", "finish_actual")], C),
    ({"self_received_cum": 260}, [("R04", "self_received_cum")], S),
    ({"fiscal_paid_month": 40, "fiscal_paid_cum": 60}, [("R03", "fiscal_paid_cum")], C),
    ({"fiscal_paid_month": 11}, [("H02", "fiscal_paid_cum")], C),
    ({"poor_persons": 600}, [("H01", "poor_persons")], C),
    ({"poor_persons": 600, "remarks": "核减重复人口"}, [("H01", "poor_persons")], S),
    (
        {"fiscal_paid_month": -5, "fiscal_paid_cum": 15, "remarks": "退回多付款"},
        [("H01", "fiscal_paid_cum")],
        S,
    ),
    (
        {"status": "未开工", "problems": "停工", "measures": "督促复工"},
        [("R06", "status"), ("H03", "status")],
        C,
    ),
    ({"status": "已完工", "finish_actual": "2018年7月"}, [("R06", "status")], C),
    ({"status": "已完工", "progress_pct": 100}, [("R10", "finish_actual")], C),
    ({"total_investment": 301}, [("P02", "total_investment")], C),
    ({"start_planned": "2018.5"}, [], S),
    ({"start_planned": "2018年6月"}, [("P02", "start_planned")], C),
    ({"seq": 5}, [("P08", "seq")], S),
    ({"item_name": "景阳镇社坛村安全饮水工程"}, [("P08", "item_name")], S),
    ({"item_name": "社坛村光伏电站", "seq": 9}, [("P01", "item_name")], C),
    ({"item_name": "青马线旅游扶贫公路", "seq": 7}, [("P03", "item_name")], C),
]


@pytest.mark.parametrize(("changed", "expected", "effect"), ROWS, ids=[str(r[0])[:60] for r in ROWS])
def test_row(
    home: Home, tmp_path: Path, changed: dict[str, Any], expected: list[tuple[str, str]], effect: str
) -> None:
    book = make_book(tmp_path / "景阳7月.xlsx", "景阳镇", "2018年7月", projects=[july(**changed)])
    verdict, findings = found(home, book)
    if any(rule in ("P01", "P03") for rule, _ in expected):
        findings = [f for f in findings if f[0] not in ("P02", "P04")]
    assert sorted(findings) == sorted((rule, cell("projects", field)) for rule, field in expected)
    assert verdict == ("accepted" if effect == S else "returned")


def edited(path: Path, **cells: Any) -> Path:
    book = load_workbook(path)
    for place, value in cells.items():
        book["表1 援建项目"][place] = value
    book.save(path)
    return path


def rules(findings: list[tuple[str, str | None]]) -> list[str]:
    return [rule for rule, _ in findings]


def test_file_and_table_rules(home: Home, tmp_path: Path) -> None:
    def book(unit: str = "景阳镇", month: str = "2018年7月", **tables: Any) -> Path:
        return make_book(tmp_path / "甲.xlsx", unit, month, **(tables or {"projects": [july()]}))

    assert found(home, book(unit="某某局")) == ("returned", [("F06", "B2")])
    verdict, findings = found(home, book(month="2018年8月"))
    assert (verdict, rules(findings)) == ("returned", ["F07"])
    assert rules(found(home, edited(book(), K3="现在的样子"))[1]) == ["F09", "F11"]
    assert rules(found(home, edited(book(), AB3="多出一列"))[1]) == ["F11"]
    assert rules(found(home, edited(book(), AB3="项目状态", AB5="在建"))[1]) == ["F10"]
    assert rules(found(home, edited(book(), G2="单位：元"))[1]) == ["F18"]
    assert rules(found(home, book(needs=NIL))[1]) == ["F12"]
    verdict, findings = found(home, book(projects=NIL))
    assert (verdict, rules(findings)) == ("accepted", ["P04"])
    assert rules(found(home, edited(book(projects=[july(), july()]), A5=NIL))[1])[0] == "F13"
    assert rules(found(home, book(projects=[july(), july()]))[1]) == ["R08", "R08"]
    empty = make_book(tmp_path / "空.xlsx", "景阳镇", "2018年7月")
    assert rules(found(home, empty)[1]) == ["F05"]
    late = make_book(tmp_path / "8.xlsx", "景阳镇", "2018年8月", projects=[july()])
    assert "H06" in rules(found(home, late, Month(2018, 8))[1])


def test_totals(home: Home, tmp_path: Path) -> None:
    rows = [july(), {"seq": "合计", "item_name": "1个", "total_investment": 300, "invested_cum": 181}]
    book = make_book(tmp_path / "甲.xlsx", "景阳镇", "2018年7月", projects=rows)
    _, findings = found(home, book)
    assert ("T01", cell("projects", "invested_cum", 6)) in findings
    rows[1]["item_name"] = "2个"
    _, findings = found(home, make_book(tmp_path / "乙.xlsx", "景阳镇", "2018年7月", projects=rows))
    assert "T02" in rules(findings)
