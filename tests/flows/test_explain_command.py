"""`ledger explain` for totals and rates, as an outsider runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
LEDGER = str(Path(sys.executable).with_name("ledger"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained") / "home"
    subprocess.run([LEDGER, "init", str(folder)], check=True, capture_output=True)
    command = [LEDGER, "plan", str(PLAN), "--year", "2018", "--home", str(folder)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    return folder


def explain(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [LEDGER, "explain", "2018-06", *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_rate_of_the_county_before_anything_was_reported(home: Path) -> None:
    told = explain(home, "计划支付率")
    assert told.returncode == 0
    assert "全县 财政帮扶资金计划支付率：—" in told.stdout
    assert "没有数字，0 个数" in told.stdout and "从未有被采用的报送" in told.stdout
    shown = json.loads(explain(home, "计划支付率", "--json").stdout)
    assert (shown["value"], shown["numerator"]["value"]) == (None, None)
    assert shown["denominator"]["value"] == "2000"
    assert {row["cell"][0] for row in shown["denominator"]["rows"]} == {"H"}


def test_words_that_name_nothing_are_wrong_usage(home: Path) -> None:
    for words in (["不存在的率"], ["不存在的镇", "支付率"], ["2018-A1-04"], ["合计", "remarks"]):
        told = explain(home, *words)
        assert told.returncode == 2, words
        assert told.stderr.strip()
