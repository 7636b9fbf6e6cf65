"""The sample programme's report against its exports: every sum and rate by another path.

The exports are read as text and added up with fractions here; nothing of the report's own
arithmetic is used.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import dataclass
from fractions import Fraction

import pytest

from ledger.home import CHECKOUT, Home
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.model import MonthView
from ledger.recording.writers import to_bytes
from ledger.registry import Registry
from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html
from ledger.reporting.model import CountyReport
from schemas.month import Month

SEPTEMBER = Month(2018, 9)


@dataclass(frozen=True)
class Sample:
    """The sample month as the ledger has it; `tables` are the rows of each export by month and table."""

    report: CountyReport
    tables: dict[tuple[Month, str], list[dict[str, str]]]
    views: list[MonthView]
    registry: Registry


def sampled(home: Home) -> Sample:
    for folder in ("plan", "registry", "2018-06", "2018-07", "2018-08", "2018-09"):
        shutil.copytree(CHECKOUT / "data" / "raw" / folder, home.raw / folder)
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        ledger.take_in(SEPTEMBER)
        ledger.catch_up()
        views = ledger.views_until(SEPTEMBER)
        tables = {
            (month, table): rows_of(ledger, month, table)
            for month in (Month(2018, 8), SEPTEMBER)
            for table in ("projects", "needs", "indicators", "submissions", "findings", "corrections")
        }
    return Sample(build_county_report(views, registry), tables, list(views), registry)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """(report, rows of each export by table)."""
    taken = sampled(Home(tmp_path_factory.mktemp("home")))
    return taken.report, taken.tables


def rows_of(ledger, month, table):
    columns, rows = export(ledger, month, table)
    text = to_bytes(columns, rows, "csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def add(rows, name):
    return sum((Fraction(row[name]) for row in rows if row[name]), Fraction(0))


def wan(fraction: Fraction) -> str:
    """Half up, two digits, no trailing zeros: with integers only."""
    hundredths = (fraction * 100 + Fraction(1, 2)).__floor__()
    return f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")


def one_digit(fraction: Fraction) -> str:
    tenths = (fraction * 10 + Fraction(1, 2)).__floor__()
    return f"{tenths // 10}.{tenths % 10}"


def test_the_money_of_page_one(sample):
    report, tables = sample
    now, before = tables[SEPTEMBER, "projects"], tables[Month(2018, 8), "projects"]
    received, paid = add(now, "fiscal_received_cum"), add(now, "fiscal_paid_cum")
    cards = {card.name: card for card in report.key_figures}
    assert cards["财政资金到位"].figure == wan(received)
    assert cards["财政资金支付"].figure == wan(paid)
    assert cards["财政资金支付"].change == f"较上月+{wan(paid - add(before, 'fiscal_paid_cum'))}"
    assert f"支付率{one_digit(paid * 100 / received)}%" in cards["财政资金支付"].detail
    assert f"计划支付率{one_digit(paid * 100 / 2000)}%" in report.conclusion
    gap = Fraction(one_digit(Fraction(75))) - Fraction(one_digit(paid * 100 / 2000))
    assert f"落后序时进度{one_digit(gap)}个百分点" in report.conclusion


def test_progress_and_counts(sample):
    report, tables = sample
    rows = [row for row in tables[SEPTEMBER, "projects"] if row["status"] != "已取消"]
    progress = [Fraction(row["progress_pct"]) for row in rows]
    assert Fraction(report.progress) == pytest.approx(sum(progress) / len(progress))
    begun = [row for row in rows if row["status"] in ("在建", "已完工", "已验收")]
    assert report.started.numerator == len(begun)
    assert report.benefit.persons == add(rows, "poor_persons")
    signed = [r for r in tables[SEPTEMBER, "needs"] if r["status"] in ("已签约", "已开工", "已完成")]
    cards = {card.name: card for card in report.key_figures}
    assert cards["招商签约"].figure == str(len(signed))
    assert wan(add(tables[SEPTEMBER, "needs"], "signed_amount")) in cards["招商签约"].detail


def test_every_project_of_annex_1_cell_by_cell(sample):
    report, tables = sample
    html = county_html(report)
    rows = {row["item_id"]: row for row in tables[SEPTEMBER, "projects"]}
    assert set(rows) == {line.item_id for line in report.projects}, "the sample leaves no project out"
    table = html.split('data-mark="附件1"')[1].split("</table>")[0]
    printed = [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)]
        for line in re.findall(r'<tr class="item">(.*?)</tr>', table, re.DOTALL)
    ]
    assert len(printed) == len(rows)
    for cells, row in zip(printed, rows.values(), strict=True):
        status, progress, _, got, own_got, invested, paid, own_paid, rate = cells[-9:]
        assert status.startswith(row["status"])
        assert progress == row["progress_pct"]
        amounts = (
            "fiscal_received_cum",
            "self_received_cum",
            "invested_cum",
            "fiscal_paid_cum",
            "self_paid_cum",
        )
        assert [got, own_got, invested, paid, own_paid] == [wan(Fraction(row[name])) for name in amounts]
        both = add([row], "fiscal_received_cum") + add([row], "self_received_cum")
        spent = add([row], "fiscal_paid_cum") + add([row], "self_paid_cum")
        assert rate == one_digit(spent * 100 / both)


def test_every_need_and_indicator_stands_in_its_annex(sample):
    report, tables = sample
    needs = {row["item_id"]: row for row in tables[SEPTEMBER, "needs"]}
    for line in report.needs:
        row = needs[line.item_id]
        assert line.status == row["status"]
        assert line.partner == row["partner"]
    done = {row["item_id"]: row for row in tables[SEPTEMBER, "indicators"]}
    for line in report.indicators:
        row = done[line.item_id]
        assert Fraction(line.done) == Fraction(row["done_cum"])
        assert Fraction(line.rate) == pytest.approx(Fraction(row["done_cum"]) * 100 / Fraction(row["target"]))
        assert line.carried_forward == (row["carried_forward"] == "true")


def test_who_reported(sample):
    report, tables = sample
    accepted = {row["unit_name"] for row in tables[SEPTEMBER, "submissions"] if row["first_accepted_at"]}
    assert {unit.name for unit in report.units if unit.first_accepted_at} == accepted
    late = {row["unit_name"] for row in tables[SEPTEMBER, "submissions"] if row["timely"] == "false"}
    assert {unit.name for unit in report.units if unit.timely is False} == late
    carried = sum(
        row["carried_forward"] == "true"
        for table in ("projects", "needs", "indicators")
        for row in tables[SEPTEMBER, table]
    )
    assert f"{carried}项沿用" in report.quality_brief


def test_corrections_to_august_are_told_in_september(sample):
    report, tables = sample
    told = {
        (line.item_id, line.old.removesuffix("万元"), line.new.removesuffix("万元"))
        for line in report.corrections
    }
    for row in tables[Month(2018, 8), "corrections"]:
        assert (row["item_id"], row["old"], row["new"]) in told
