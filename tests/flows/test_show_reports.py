"""What `ledger run` says of the files it wrote: the month's own by name, the units' by their number."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from flows import show
from flows.show import _reports


def told(paths: list[str]) -> list[str]:
    written = io.StringIO()
    _reports(Console(file=written, width=200), paths)
    return written.getvalue().splitlines()


def test_the_units_reports_are_counted_not_listed() -> None:
    own = ["reports/2018-09/月报-2018-09-草稿.pdf", "reports/2018-09/一页纸-2018-09-草稿.html"]
    units = [
        f"reports/2018-09/单位/月报-2018-09-{name}-草稿.{kind}"
        for name in ("长梁镇", "高坪镇")
        for kind in ("pdf", "html")
    ]
    assert told([*own, *units]) == [
        *(f"报告  {path}" for path in own),
        "报告  reports/2018-09/单位/（2 家，各一份 PDF 和网页）",
    ]


def test_nothing_written_nothing_said() -> None:
    assert told([]) == []


def test_status_says_where_its_deadline_only_knows_weekends(capsys: pytest.CaptureFixture[str]) -> None:
    standing: dict[str, Any] = {
        **{"month": "2031-09", "deadline": "2031-10-06T23:59:59+08:00", "holidays_known": False},
        **{"units": [], "units_count": 0, "reported": [], "missing": [], "returned": []},
        **{"edition": None, "edition_due": False, "editions_due": [], "withdrawn": [], "set_aside": []},
        "submissions": [],
    }
    show.status(standing)
    assert "按周末推算" in capsys.readouterr().out
    show.status({**standing, "holidays_known": True})
    assert "按周末推算" not in capsys.readouterr().out
