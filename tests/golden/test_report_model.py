"""The report's figures, re-computed from the views by another way; its words; its safety."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from golden_views import AUGUST, JUNE, MONTHS, SEPTEMBER, fen, first_month, normal, plan, registry, view

from ledger.calendar import SHANGHAI
from ledger.recording.model import Correction, Edition, MonthView
from ledger.registry import Registry
from ledger.reporting import charts
from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html
from ledger.reporting.matters import corrections_intro
from schemas.money import FEN_PER_WAN
from schemas.month import Month


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def build(name: str):
    views = MONTHS[name]()
    return build_county_report(views, registry()), views


@pytest.mark.parametrize("name", list(MONTHS))
def test_money_adds_up_to_what_the_rows_say(name):
    report, views = build(name)
    rows = views[-1].rows["projects"]
    planned = {item.item_id: item.values for item in plan().of_table("projects")}
    assert (
        report.fiscal.planned == sum(v["fiscal_planned_fen"] for v in planned.values()) == 2000 * FEN_PER_WAN
    )
    assert report.own.planned == 2705 * FEN_PER_WAN
    assert report.fiscal.received == sum(row.values["fiscal_received_cum_fen"] for row in rows)
    assert report.fiscal.paid == sum(row.values["fiscal_paid_cum_fen"] for row in rows)
    assert report.own.paid == sum(row.values["self_paid_cum_fen"] for row in rows)
    assert sum(section.fiscal.paid or 0 for section in report.sections) == report.fiscal.paid
    assert sum(section.count for section in report.sections) == len(report.projects) == 8
    assert Fraction(report.fiscal.paid_of_plan.pct) == Fraction(
        report.fiscal.paid * 100, report.fiscal.planned
    )


@pytest.mark.parametrize("name", list(MONTHS))
def test_lights_by_plain_arithmetic(name):
    report, views = build(name)
    month = views[-1].month
    rows = {row.item_id: row for row in views[-1].rows["projects"]}
    for line in report.projects:
        row = rows.get(line.item_id)
        if row is None:
            assert line.light == "" and line.reported_month is None
            continue
        start = line.window_start.month
        end = line.window_end.month
        window = Fraction(min(max(month.month - start + 1, 0), end - start + 1), end - start + 1) * 100
        behind = window - Fraction(row.values["progress_pct"])
        status = row.values["status"]
        expected = "green" if behind <= 0 else "yellow" if behind <= 10 else "red"
        if (status == "未开工" and month.month > start) or (status != "已验收" and month.month > end):
            expected = "red"
        assert line.light == expected, line.name
        assert abs(Fraction(line.window_pct) - window) < Fraction(1, 10**9)
    counted = [line.light for line in report.projects]
    assert (report.lights.red, report.lights.yellow, report.lights.green) == tuple(
        counted.count(light) for light in ("red", "yellow", "green")
    )
    assert [report.projects[place].light for place in report.red] == ["red"] * report.lights.red


def test_counting_rates_have_the_contract_s_denominators():
    report, _ = build("normal")
    assert (report.started.numerator, report.started.denominator) == (7, 8)
    assert (report.finished.numerator, report.finished.denominator) == (1, 8)
    assert (report.accepted.numerator, report.accepted.denominator) == (0, 1)


def test_a_cancelled_project_has_no_light_and_leaves_the_denominators():
    month = view(SEPTEMBER)
    rows = list(month.rows["projects"])
    rows[2] = replace(rows[2], values={"status": "已取消", "remarks": "县政府常务会议决定取消"})
    changed = replace(month, rows={**month.rows, "projects": tuple(rows)})
    report = build_county_report([changed], registry())
    assert report.started.denominator == 7
    assert report.projects[2].light == ""
    assert report.lights.unknown == 0
    assert "项目已取消（县政府常务会议决定取消）" in report.projects[2].paragraph
    assert "已取消1个" in "".join(report.overview)


def test_the_first_month_compares_with_nothing():
    report, _ = build("first")
    assert report.first and report.fiscal_before is None
    assert "较上月" not in county_html(report).replace("较上月<br>（点）", "")
    assert all(card.change == "首次报送" for card in report.key_figures)


def test_carried_and_missing_figures_are_marked_and_never_zero():
    report, _ = build("half-missing")
    carried = [line for line in report.projects if line.carried_forward]
    missing = [line for line in report.projects if line.reported_month is None]
    assert {line.unit_name for line in carried} == {"官店镇"}
    assert {line.unit_name for line in missing} == {"县扶贫开发办", "县教育局"}
    assert all(line.fiscal.paid is None and line.progress is None for line in missing)
    html = county_html(report)
    assert "＊沿用2018年6月数。" in html
    assert 'class="missing" colspan="9">未报' in html
    assert "2个项目未报" in report.conclusion


def test_the_plan_s_own_totals_stand_as_printed_with_their_marks():
    report, _ = build("normal")
    grand = report.annex1.totals[0]
    assert grand.planned("funds_total_fen") == fen(5005)
    assert (grand.fiscal.planned or 0) + (grand.own.planned or 0) == fen(4705)
    assert ("funds_total_fen", 1) in grand.marks
    blank = next(total for total in report.annex1.totals if total.section == ("三、社会事业",))
    assert blank.planned("funds_total_fen") is None
    html = county_html(report)
    assert '5005<a class="doubt" href="#doubt-1">※1</a>' in re.sub(r"\s+<a", "<a", html)
    assert [row.text for row in report.annex1.rows if row.kind == "section"] == [
        "一、产业发展", "二、基础设施", "(一) 安全饮水", "(二) 村级公路", "三、社会事业",
    ]  # fmt: skip


def test_every_open_discrepancy_is_printed_with_sheet_and_cell():
    report, _ = build("normal")
    html = county_html(report)
    for number, found in enumerate(plan().findings, start=1):
        assert f'id="doubt-{number}"' in html
        assert found.sheet in html
        if found.cell:
            assert f"{found.sheet} {found.cell}" in html


def test_only_corrections_since_the_last_edition_are_told():
    old = Correction(
        JUNE, "2018-A1-01", "progress_pct", Decimal(1), Decimal(2), "422822106", at("2018-07-20"), ""
    )
    late = Correction(
        JUNE, "2018-A1-01", "progress_pct", Decimal(2), Decimal(3), "422822106", at("2018-09-10"), "甲"
    )
    own = Correction(
        AUGUST, "2018-A1-02", "fiscal_paid_cum_fen", None, fen("45.205"), "422822101", at("2018-09-04"), "乙"
    )
    views = [view(JUNE, corrections=(old, late)), view(Month(2018, 7)), view(AUGUST, corrections=(own,))]
    told = build_county_report(views, registry()).corrections
    assert [(line.old, line.new, line.reason) for line in told] == [
        ("2%", "3%", "甲"),
        ("空白", "45.205万元", "乙"),
    ]


def test_a_correction_names_the_editions_that_printed_the_old_figure_and_the_later_months():
    def edition(month: Month, number: int, upto: int) -> Edition:
        return Edition(month, number, at("2018-09-06"), "王主任", upto, 1)

    september = Month(2018, 9)
    changed = Correction(
        JUNE, "2018-A1-01", "progress_pct", Decimal(2), Decimal(3), "422822106", at("2018-10-20"), "甲", 70
    )
    june = replace(
        view(JUNE, corrections=(changed,)),
        editions=(edition(JUNE, 1, 20),),
        later_editions=(edition(AUGUST, 1, 60), edition(AUGUST, 2, 80)),
        later_months=(AUGUST, september),
    )
    head = "第1版（2018年9月6日签发）以来，各单位更正已入账的数字1处，原数保留在台帐中。"
    told = corrections_intro([june], registry())
    assert told.startswith(
        head + "更正前的数字已印入6月月报第1版、8月月报第1版。其后8月、9月的数字已按更正后的重新核对。"
    )
    # a report of a later month knows the editions of the months before it
    august = replace(view(AUGUST), editions=(edition(AUGUST, 1, 60),))
    alone = replace(june, later_editions=(), later_months=(AUGUST,))
    assert "更正前的数字已印入6月月报第1版、8月月报第1版。" in corrections_intro([alone, august], registry())
    # where nothing was issued and nothing came after, nothing is said
    first = replace(june, editions=(), later_editions=(), later_months=())
    assert corrections_intro([first], registry()) == (
        "上期以来，各单位更正已入账的数字1处，原数保留在台帐中。"
    )


def test_the_report_s_day_comes_from_the_ledger():
    month = view(SEPTEMBER)
    assert str(build_county_report([month], registry()).day) == "2018-10-08"
    as_of = datetime(2018, 10, 20, 23, 30, tzinfo=SHANGHAI)
    assert str(build_county_report([replace(month, as_of=as_of)], registry()).day) == "2018-10-20"
    assert str(build_county_report([replace(month, submissions=())], registry()).day) == "2018-09-30"


def test_a_month_without_a_single_report_is_a_report():
    empty = MonthView(month=SEPTEMBER, as_of=None, plan=plan(), rows={})
    report = build_county_report([empty], registry())
    assert report.conclusion == "本月尚无支付数据；8个项目未报"
    html = county_html(report)
    assert "未报" in html
    assert not re.search(r"(?<![0-9.])0(\.0)?%", html.split("</style>")[-1])


def test_a_plan_without_projects_or_needs_is_a_report():
    bare = replace(plan(), items=(), totals=(), findings=())
    report = build_county_report([MonthView(month=SEPTEMBER, as_of=None, plan=bare, rows={})], registry())
    html = county_html(report)
    assert "2018年计划没有援建项目。" in html
    assert "计划没有未决的疑点。" in html


def test_the_county_s_words_come_from_the_registry():
    mine = registry()
    programme = {
        **mine.programme,
        "county": "甲县",
        "sample": False,
        "report": {
            "masthead": "甲县协作简报",
            "issuer": "甲县协作办",
            "title": "进展",
            "addressees": "各镇：",
        },
    }
    html = county_html(build_county_report(first_month(), Registry(programme, mine.units, mine.targets)))
    for word in ("建始县东西部扶贫协作月报", "建始县扶贫开发办公室", "示例：", "州扶贫办", "共印"):
        assert word not in html
    assert "甲县协作简报" in html


def test_an_approved_edition_has_no_draft_mark_and_is_signed():
    report = build_county_report(normal(), registry(), draft=False)
    html = county_html(report)
    assert "草稿" not in html
    assert 'class="signature"' in html
    draft = county_html(build_county_report(normal(), registry()))
    assert '<div class="draft-mark">草稿</div>' in draft
    assert 'class="signature"' not in draft


class _Outline(HTMLParser):
    """The tags of a page, and whether each that opens is closed."""

    void = frozenset({"meta", "col", "br", "hr", "wbr", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


EVIL = (
    '<script>alert(1)</script>"\'><img src="file:///etc/passwd" onerror=x>{{ 7*7 }}{% raw %}'
    "]]>&amp;</style></table>url(http://x.test/a)\u202e\u0000" + "长" * 10_000
)


def evil_views() -> list[MonthView]:
    month = view(SEPTEMBER)
    rows = {
        table: tuple(
            replace(row, values={
                field: EVIL if isinstance(value, str) and field not in ("status", "need_status") else value
                for field, value in {**row.values, "remarks": "x", "problems": "x", "measures": "x", "partner": "x",
                                     "month_progress": "x", "evidence": "x"}.items()
            })
            for row in each
        )
        for table, each in month.rows.items()
    }  # fmt: skip
    correction = Correction(
        SEPTEMBER,
        "2018-A1-01",
        "remarks",
        EVIL,
        EVIL,
        "422822106",
        datetime(2018, 10, 8, tzinfo=SHANGHAI),
        EVIL,
    )
    wicked = replace(plan(), findings=tuple(replace(f, message=EVIL) for f in plan().findings))
    findings = tuple(
        replace(row, finding=replace(row.finding, message=EVIL, file=EVIL, sheet=EVIL))
        for row in normal()[-1].findings
    )
    return [replace(month, rows=rows, corrections=(correction,), plan=wicked, findings=findings)]


def test_text_from_workbooks_can_do_nothing_but_appear():
    html = county_html(build_county_report(evil_views(), registry()))
    calm = _Outline()
    calm.feed(county_html(build_county_report([view(SEPTEMBER)], registry())))
    outline = _Outline()
    outline.feed(html)
    assert outline.open == []
    assert outline.tags <= calm.tags | {"a", "b"}
    assert "img" not in outline.tags and "script" not in outline.tags
    assert not any(name.startswith("on") or name == "src" for name in outline.attributes)
    assert "\u202e" not in html and "\x00" not in html
    assert "{{ 7*7 }}" in html
    assert "长" * 400 not in html, "a remark of ten thousand characters is clipped"


def test_charts_are_well_formed_and_escape_their_words():
    report, _ = build("normal")
    section = replace(report.sections[0], name='<&"领域')
    drawn = [
        charts.section_bars((section, *report.sections[1:]), report.time_progress),
        charts.money_lines(report.money, report.fiscal.planned),
        charts.section_bars((), Decimal(100)),
        charts.money_lines((), None),
        charts.money_lines(report.money[:1], 0),
    ]
    for svg in drawn:
        assert ET.fromstring(svg).tag.endswith("svg")
        assert not re.search(r"nan|inf|None", svg)


def test_bars_stay_inside_their_track():
    report, _ = build("normal")
    for progress in ("0", "50", "100"):
        section = replace(report.sections[0], progress=Decimal(progress))
        root = ET.fromstring(charts.section_bars((section,), Decimal(75)))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert 0 <= float(rect.get("x")) <= 860
            assert float(rect.get("x")) + float(rect.get("width")) <= 860 - 236


def test_the_model_is_frozen_all_through():
    report, _ = build("normal")

    def walk(value):
        if dataclasses.is_dataclass(value):
            assert value.__dataclass_params__.frozen
            for field in dataclasses.fields(value):
                walk(getattr(value, field.name))
        else:
            assert not isinstance(value, list | dict | set)
            if isinstance(value, tuple):
                for each in value:
                    walk(each)

    walk(report)
