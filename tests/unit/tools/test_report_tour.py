"""The tour of the report: its pictures are there, small, and all of them shown; its figures hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.report.views import MONTH, sample_home, views
from ledger.recording.explain import explain
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html
from schemas.exports import EXPORTS

ROOT = Path(__file__).resolve().parents[3]
TOUR = (ROOT / "docs" / "report-tour.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"images/(tour-[a-z]+-\d\d\.png)", TOUR)


def test_every_picture_is_shown_once() -> None:
    kept = sorted(path.name for path in (ROOT / "docs" / "images").glob("tour-*.png"))
    assert sorted(SHOWN) == kept
    assert len(kept) >= 20


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs" / "images").glob("*.png"):
        assert path.stat().st_size < 150_000, path.name


def test_columns_named_as_sources_are_exported() -> None:
    named = set(re.findall(r"`(projects|needs|indicators|submissions|corrections)\.(\w+)`", TOUR))
    assert len(named) >= 15
    assert [
        (table, column) for table, column in named if column not in {each.name for each in EXPORTS[table]}
    ] == []


@pytest.mark.slow
def test_figures_quoted_of_page_one_stand_on_it(tmp_path: Path) -> None:
    """Every figure of the page-one table is on the sample's page, and the chain quoted is the chain."""
    home = sample_home(tmp_path)
    months = views(home)
    registry = Registry.load(home)
    page = county_html(build_county_report(months, registry)).split('<section class="contents')[0]
    text = re.sub(r"<[^>]*>|\s", "", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    table = TOUR[TOUR.index("| masthead") : TOUR.index("## Page 2")]
    quoted = {
        figure
        for line in table.splitlines()
        if line.startswith("|")
        for figure in re.findall(r"\d[\d.]*%?", line.split("|")[1])
    }
    assert {"59.2%", "1184.7", "15.8", "61.0%"} <= quoted
    assert [figure for figure in quoted if figure.rstrip("%") not in text] == []
    with Ledger.open(home, registry) as ledger:
        chain = explain(ledger, MONTH, "2018-A1-06", "fiscal_paid_cum").text()
    block = TOUR[TOUR.index("2018年9月 2018-A1-06") : TOUR.index("原文：288")]
    for line in block.splitlines():
        assert line.split("（SHA-256")[0] in chain
