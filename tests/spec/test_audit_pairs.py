"""Two faults in one row: each is told, and nothing else (no finding hides or makes another)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

from flows.check import check_files
from flows.init import make_home
from flows.plan import register
from flows.receive import receive_files
from flows.steps import record
from ledger.calendar import parse_moment
from ledger.home import Home
from schemas.month import Month
from tests.workbooks import cell, make_book, water

PLAN = Path(__file__).resolve().parents[2] / "data" / "raw" / "plan" / "2018-as-printed.xlsx"

#: what is changed in July's row → rule, field; whether the row is returned
FAULTS: list[tuple[dict[str, Any], str, bool]] = [
    ({"fiscal_paid_cum": "３０"}, "C11", False),
    ({"poor_households": 175.5}, "C12", False),
    ({"poor_persons": 600}, "H01", True),
    ({"progress_pct": None}, "C06", True),
    ({"progress_pct": "约70"}, "C10", True),
    ({"invested_cum": 320}, "R05", False),
    ({"self_received_cum": 260}, "R04", False),
    ({"start_actual": "上半年"}, "C02", True),
    ({"start_planned": "2018年6月"}, "P02", True),
    ({"total_investment": 301}, "P02", True),
    ({"place": "恩施市"}, "P02", True),
    ({"seq": 5}, "P08", False),
    ({"status": "施工中"}, "C05", True),
    ({"self_paid_cum": "#REF!"}, "C07", True),
]


def july(**reported: Any) -> dict[str, Any]:
    figures = {"fiscal_paid_month": 10, "fiscal_paid_cum": 30, "self_paid_month": 10, "self_paid_cum": 40}
    return water(**{**figures, "progress_pct": 70, "self_received_cum": 150, "invested_cum": 180, **reported})


def test_each_pair_of_faults_is_told_whole(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    make_home(home)
    register(home, PLAN, 2018)
    june = make_book(tmp_path / "6月.xlsx", "景阳镇", "2018年6月", projects=[water()])
    receive_files(home, [june], parse_moment("2018-07-03"), None)
    record(home, Month(2018, 6))
    pairs = [(one, two) for one, two in combinations(FAULTS, 2) if not one[0].keys() & two[0].keys()]
    books = [
        make_book(
            tmp_path / f"景阳7月{number}.xlsx", "景阳镇", "2018年7月", projects=[july(**one[0], **two[0])]
        )
        for number, (one, two) in enumerate(pairs)
    ]
    wrong = []
    for (one, two), checked in zip(pairs, check_files(home, books, Month(2018, 7)).files, strict=True):
        expected = Counter(
            (rule, cell("projects", field)) for changed, rule, _ in (one, two) for field in changed
        )
        found = Counter((finding.rule, finding.cell) for finding in checked.findings)
        verdict = "returned" if one[2] or two[2] else "accepted"
        if (found, checked.verdict.value) != (expected, verdict):
            wrong.append((one[0], two[0], dict(found), checked.verdict.value))
    assert not wrong
