"""Totals, rates, averages and counts explained: the report's own figures, each row in its cell."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pytest
from openpyxl import load_workbook

from ledger.calendar import parse_moment
from ledger.errors import UsageError
from ledger.home import CHECKOUT, Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from ledger.reporting import figures
from ledger.reporting.breakdown import explain_total
from ledger.reporting.breakdown_model import Breakdown, Part
from ledger.reporting.build import build_county_report
from ledger.reporting.model import CountyReport
from schemas.month import Month

SEPTEMBER = Month(2018, 9)


@dataclass
class Sample:
    home: Home
    ledger: Ledger
    report: CountyReport

    def explain(self, scope: str, figure: str) -> Breakdown:
        found = explain_total(self.ledger, SEPTEMBER, scope, figure)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The sample month: its ledger and its report."""
    home = Home(tmp_path_factory.mktemp("home"))
    for folder in ("plan", "registry", "2018-06", "2018-07", "2018-08", "2018-09"):
        shutil.copytree(CHECKOUT / "data" / "raw" / folder, home.raw / folder)
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        ledger.take_in(SEPTEMBER)
        ledger.catch_up()
        yield Sample(home, ledger, build_county_report(ledger.views_until(SEPTEMBER), registry))


def added(parts: tuple[Part, ...]) -> Fraction:
    return sum((Fraction(part.value) for part in parts if part.counted), Fraction(0))


def test_the_countys_money_rates_are_the_reports(sample: Sample) -> None:
    report = sample.report
    for prefix, funds in (("", report.fiscal), ("自筹资金", report.own)):
        for name, rate in (
            ("支付率", funds.paid_rate),
            ("计划支付率", funds.paid_of_plan),
            ("到位率", funds.received_rate),
        ):
            found = sample.explain("合计", prefix + name)
            assert found.printed == figures.percent(rate.pct)
            assert found.numerator is not None and found.denominator is not None
            assert found.numerator.value == figures.wan_exact(rate.numerator or 0)
            assert added(found.numerator.parts) == Fraction(rate.numerator, 1_000_000)
            assert added(found.denominator.parts) == Fraction(rate.denominator, 1_000_000)
            assert len(found.numerator.parts) == len(report.projects)


def test_sections_and_units_have_the_reports_figures(sample: Sample) -> None:
    for section in sample.report.sections:
        found = sample.explain(section.name, "支付率")
        assert found.printed == figures.percent(section.fiscal.paid_rate.pct)
        assert found.numerator is not None
        assert len(found.numerator.parts) == section.count
        assert sample.explain(section.name, "形象进度").printed == figures.percent(section.progress)
    with_projects = [unit for unit in sample.report.units if unit.projects]
    assert len(with_projects) > 3
    for unit in with_projects:
        paid = sample.explain(unit.name, "fiscal_paid_cum")
        assert paid.printed == f"{figures.wan(unit.fiscal.paid)} 万元"
        assert sample.explain(unit.code, "到位率").printed == figures.percent(unit.fiscal.received_rate.pct)
        assert sample.explain(unit.name, "平均形象进度").printed == figures.percent(unit.progress)


def test_count_rates_averages_and_lights(sample: Sample) -> None:
    report = sample.report
    for name, rate in (("开工率", report.started), ("完工率", report.finished), ("验收率", report.accepted)):
        found = sample.explain("全县", name)
        assert found.printed == figures.percent(rate.pct)
        assert found.numerator is not None and found.denominator is not None
        assert len([p for p in found.numerator.parts if p.counted]) == rate.numerator
        assert len([p for p in found.denominator.parts if p.counted]) == rate.denominator
    mean = sample.explain("全县", "progress")
    counted = [p for p in mean.sides[0].parts if p.counted]
    assert added(mean.sides[0].parts) / len(counted) == Fraction(report.progress)
    assert sample.explain("全县", "平均窗口进度").printed == figures.percent(report.window_pct)
    assert sample.explain("全县", "序时进度").printed == figures.percent(report.time_progress) == "75.0%"
    for name, many in (
        ("红灯", report.lights.red),
        ("黄灯", report.lights.yellow),
        ("绿灯", report.lights.green),
    ):
        assert sample.explain("全县", name).exact == str(many)
    assert {p.item for p in sample.explain("全县", "red").sides[0].parts} == {
        report.projects[place].item_id for place in report.red
    }


def test_the_cards_of_page_one(sample: Sample) -> None:
    cards = {card.name: card for card in sample.report.key_figures}
    for name in ("财政资金到位", "财政资金支付", "援建项目", "招商签约", "红灯项目", "平均形象进度"):
        printed = sample.explain("合计", name).printed
        assert printed.replace(" ", "") == f"{cards[name].figure}{cards[name].unit}", name


def test_needs_by_category_and_an_indicators_rate(sample: Sample) -> None:
    for category in sample.report.categories:
        found = sample.explain(category.name, "签约金额")
        assert found.printed.removesuffix(" 万元") == figures.wan(category.signed)
    for line in sample.report.indicators:
        assert sample.explain(line.item_id, "完成率").printed == figures.percent(line.rate)


def test_each_part_is_what_its_cell_says(sample: Sample) -> None:
    """The cell is opened with another library, in the original that the part names."""
    books: dict[str, object] = {}
    looked = 0
    for figure in ("支付率", "计划支付率"):
        found = sample.explain("合计", figure)
        assert found.numerator is not None and found.denominator is not None
        for part in (*found.numerator.parts, *found.denominator.parts):
            assert part.sheet and part.cell and part.sha256
            path = next(sample.home.originals.glob(f"{part.sha256}.*"))
            if path.suffix != ".xlsx":
                continue
            if part.sha256 not in books:
                books[part.sha256] = load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
            value = books[part.sha256][part.sheet][part.cell].value  # type: ignore[index]
            assert Decimal(str(value)) == Decimal(part.value), (part.file, part.cell)
            looked += 1
    assert looked >= 24


def test_carried_and_unreported_rows_say_so(sample: Sample) -> None:
    month = sample.explain("合计", "fiscal_paid_month")
    left = {p.item: p.why for p in month.sides[0].parts if not p.counted}
    carried = {line.item_id for line in sample.report.projects if line.carried_forward}
    assert set(left) == carried and carried
    assert all("沿用" in why for why in left.values())
    text = sample.explain("合计", "支付率").text()
    assert "沿用2018年8月" in text and "分子" in text and "分母" in text
    assert "不计入" in month.text()


def test_json_and_unknown_names(sample: Sample) -> None:
    shown = sample.explain("基础设施", "到位率").as_json()
    assert (shown["figure"], shown["scope"]) == ("received_rate", "基础设施")
    assert shown["denominator"]["rows"][0]["from_plan"] is True
    assert shown["denominator"]["rows"][0]["cell"] == "H15"
    assert explain_total(sample.ledger, SEPTEMBER, "2018-A1-04", "fiscal_paid_cum") is None
    for scope, figure in (
        ("合计", "problems"),
        ("合计", "没有的率"),
        ("没有的镇", "支付率"),
        ("合计", "完成率"),
    ):
        with pytest.raises(UsageError):
            sample.explain(scope, figure)


def test_as_of_a_moment_and_by_the_registry_of_then(sample: Sample) -> None:
    """The whole county, before its corrections and late files came in: the report's figures of then."""
    early = parse_moment("2018-10-03")
    then = build_county_report(sample.ledger.views_until(SEPTEMBER, early), sample.ledger.registry)
    found = explain_total(sample.ledger, SEPTEMBER, "合计", "支付率", as_of=early)
    assert found is not None
    assert found.printed == figures.percent(then.fiscal.paid_rate.pct)
    assert found.exact != sample.explain("合计", "支付率").exact
    told_by = replace(
        sample.ledger.registry, programme={**sample.ledger.registry.programme, "county": "某县"}
    )
    named = explain_total(sample.ledger, SEPTEMBER, "某县", "支付率", told_by=told_by)
    assert named is not None and named.scope == "全县"
