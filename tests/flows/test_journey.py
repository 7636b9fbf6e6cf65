"""The journey as an outsider takes it: workbooks in, exports and findings out, by the command."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workbooks import NIL, cell, make_book, water

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
LEDGER = [str(Path(sys.executable).with_name("ledger"))]


def ledger(home: Path, *words: str, expect: int | None = 0) -> Any:
    """Run the command with --json; its parsed output. Fails on another exit code."""
    done = run(home, *words, "--json")
    assert expect is None or done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LEDGER_HOME": str(home)}
    return subprocess.run(
        [*LEDGER, *words], capture_output=True, text=True, env=environment, check=False, timeout=240
    )


def exported(home: Path, month: str, table: str, *more: str) -> list[dict[str, str]]:
    done = run(home, "export", month, "--table", table, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff"))))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    assert subprocess.run([*LEDGER, "init", str(folder)], check=False, capture_output=True).returncode == 0
    ledger(folder, "plan", str(PLAN), "--year", "2018", expect=1)
    return folder


def test_one_unit_one_month(home: Path, tmp_path: Path) -> None:
    book = make_book(tmp_path / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=[water()], needs=NIL)
    checked = ledger(home, "check", str(book))["files"][0]
    assert (checked["unit"], checked["month"], checked["verdict"]) == ("422822103", "2018-06", "accepted")
    assert [f["rule"] for f in checked["findings"]] == []

    ledger(home, "receive", str(book), "--at", "2018-07-03T09:00")
    outcome = ledger(home, "run", "2018-06", "--plain")
    assert outcome["state"] == "Degraded"
    (row,) = exported(home, "2018-06", "projects")
    assert row["item_id"] == "2018-A1-04"
    assert row["unit_name"] == "景阳镇"
    assert row["fiscal_paid_cum"] == "20"
    assert row["start_actual"] == "2018-05"
    assert row["finish_actual"] == ""
    assert row["source_row"] == "5"
    assert row["carried_forward"] == "false"
    (sent,) = [line for line in exported(home, "2018-06", "submissions") if line["table"] == "projects"]
    assert sent["received_at"] == "2018-07-03T09:00:00+08:00"
    assert (sent["timely"], sent["version"]) == ("true", "1")


def test_rerun_changes_nothing(home: Path, tmp_path: Path) -> None:
    book = make_book(tmp_path / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=[water()])
    ledger(home, "receive", str(book), "--at", "2018-07-03T09:00")
    first = ledger(home, "run", "2018-06", "--plain")
    before = {p.name: p.read_bytes() for p in (home / "reports" / "2018-06").iterdir() if p.is_file()}
    again = ledger(home, "run", "2018-06", "--plain")
    after = {p.name: p.read_bytes() for p in (home / "reports" / "2018-06").iterdir() if p.is_file()}
    assert before == after
    assert any(name.endswith(".pdf") for name in before)
    assert again["recorded"] == []
    assert first["reports"] == again["reports"]


def test_a_returned_row_is_carried_forward(home: Path, tmp_path: Path) -> None:
    june = make_book(tmp_path / "6.xlsx", "景阳镇", "2018年6月", projects=[water()])
    july = make_book(
        tmp_path / "7.xlsx",
        "景阳镇",
        "2018年7月",
        projects=[water(fiscal_paid_month=10, fiscal_paid_cum=60, self_paid_month=0, progress_pct="六成")],
    )
    ledger(home, "receive", str(june), "--at", "2018-07-03T09:00")
    ledger(home, "receive", str(july), "--at", "2018-08-03T09:00")
    outcome = ledger(home, "run", "2018-07", "--plain", expect=1)
    assert outcome["returned"] == ["景阳镇"]
    (row,) = exported(home, "2018-07", "projects")
    assert row["month"] == "2018-07"
    assert row["carried_forward"] == "true"
    assert row["fiscal_paid_cum"] == "20"
    assert row["fiscal_paid_month"] == ""
    rules = {(f["rule"], f["cell"]) for f in exported(home, "2018-07", "findings")}
    assert ("C01", cell("projects", "progress_pct")) in rules
    assert ("R03", cell("projects", "fiscal_paid_cum")) in rules
    assert ("H02", cell("projects", "fiscal_paid_cum")) in rules


def test_a_correction_makes_a_version(home: Path, tmp_path: Path) -> None:
    one = make_book(tmp_path / "a.xlsx", "景阳镇", "2018年6月", projects=[water()])
    two = make_book(
        tmp_path / "b.xlsx",
        "景阳镇",
        "2018年6月",
        cover={"更正说明": "支付凭证录入有误"},
        projects=[water(fiscal_paid_month=18.5, fiscal_paid_cum=18.5)],
    )
    ledger(home, "receive", str(one), "--at", "2018-07-03T09:00")
    ledger(home, "run", "2018-06", "--plain")
    ledger(home, "receive", str(two), "--at", "2018-07-09T09:00")
    ledger(home, "run", "2018-06", "--plain")
    (row,) = exported(home, "2018-06", "projects")
    assert (row["fiscal_paid_cum"], row["version"]) == ("18.5", "2")
    (then,) = exported(home, "2018-06", "projects", "--as-of", "2018-07-05")
    assert (then["fiscal_paid_cum"], then["version"]) == ("20", "1")
    changes = {
        (c["field"], c["old"], c["new"], c["reason"]) for c in exported(home, "2018-06", "corrections")
    }
    assert changes == {
        ("fiscal_paid_month", "20", "18.5", "支付凭证录入有误"),
        ("fiscal_paid_cum", "20", "18.5", "支付凭证录入有误"),
    }
    assert not [f for f in exported(home, "2018-06", "findings") if f["rule"] == "F15"]


def test_explain_names_the_cell(home: Path, tmp_path: Path) -> None:
    book = make_book(
        tmp_path / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=[water(fiscal_paid_cum="２０万元")]
    )
    ledger(home, "receive", str(book), "--at", "2018-07-03T09:00")
    ledger(home, "run", "2018-06", "--plain")
    done = run(home, "explain", "2018-06", "2018-A1-04", "fiscal_paid_cum")
    assert done.returncode == 0
    for words in ("景阳6月.xlsx", "表1 援建项目", cell("projects", "fiscal_paid_cum"), "２０万元", "20"):
        assert words in done.stdout


def test_exit_codes(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "照片.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert ledger(home, "check", str(picture), expect=3)["files"][0]["findings"][0]["rule"] == "F03"
    nobody = make_book(tmp_path / "x.xlsx", "无名乡", "2018年6月", projects=[water()])
    assert "F06" in [f["rule"] for f in ledger(home, "check", str(nobody), expect=1)["files"][0]["findings"]]
    assert run(home, "check").returncode == 2
    assert run(home, "run", "2018-13").returncode == 2
    assert run(home, "check", str(tmp_path / "没有.xlsx")).returncode == 2


def test_a_terminal_without_chinese_stops_nothing(home: Path) -> None:
    environment = {**os.environ, "LEDGER_HOME": str(home), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*LEDGER, "status", "2018-06"], capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
