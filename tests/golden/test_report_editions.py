"""The editions for single readers: what is on them, that the brief is one page, what is set again."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from fractions import Fraction

import pypdf
import pytest
from golden_views import MONTHS, SEPTEMBER, normal, registry
from test_report_model import EVIL, evil_views
from test_report_pages import crowded

from ledger.errors import Damaged
from ledger.home import Home
from ledger.reporting import editions, press, writer
from ledger.reporting import pdf as paper
from ledger.reporting.brief import build_brief
from ledger.reporting.build import build_county_report
from ledger.reporting.editions import write_editions
from ledger.reporting.glyphs import settable
from ledger.reporting.html import brief_html, unit_html
from ledger.reporting.sober import without_words
from ledger.reporting.unit_report import build_unit_reports

pytestmark = pytest.mark.skipif(
    not (paper.FONTS / "rare.ttf").is_file(), reason="fonts are prepared by set-up"
)


def units_of(views, known=None):
    known = known or registry()
    reports = build_unit_reports(build_county_report(views, known), views[-1], known)
    return {each.unit.name: each for each in reports}


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>|\s", "", html.split("</head>")[1])


def pages(html: str) -> list[str]:
    rendered = paper.render_pdf(settable(html), title="试")
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(rendered)).pages]


@pytest.mark.parametrize("name", list(MONTHS))
def test_the_brief_is_one_page_with_what_the_county_says(name):
    report = build_county_report(MONTHS[name](), registry())
    texts = pages(brief_html(build_brief(report)))
    assert len(texts) == 1
    assert "".join(report.conclusion.split()) in texts[0]
    assert "请领导关注" in texts[0] and "口径和明细见全县月报" in texts[0]
    for card in report.key_figures:
        assert card.name in texts[0] and card.figure in texts[0]


@pytest.mark.slow
@pytest.mark.parametrize("make", [crowded, lambda: (evil_views(), registry())])
def test_the_brief_stays_one_page_whatever_happens(make):
    views, known = make()
    texts = pages(brief_html(build_brief(build_county_report(views, known))))
    assert len(texts) == 1 and "口径和明细见全县月报" in texts[0]


def test_the_brief_asks_for_what_is_open():
    brief = build_brief(build_county_report(MONTHS["half-missing"](), registry()))
    asks = "".join(brief.asks)
    missing = [unit.name for unit in brief.county.units_in_order if unit.state == "missing"]
    assert all(name in asks for name in missing[:3]) and f"等{len(missing)}个单位未报本月报表" in asks
    calm = replace(brief.county, units_in_order=(), red=(), projects=(), indicators=(), discrepancies=())
    assert build_brief(calm).asks == ("没有需要领导决定的事项。",)


@pytest.mark.parametrize("name", list(MONTHS))
def test_every_unit_has_a_report_with_its_own_items_and_no_others(name):
    views = MONTHS[name]()
    county = build_county_report(views, registry())
    reports = units_of(views)
    assert list(reports) == [unit.name for unit in county.units_in_order]
    for table in ("projects", "needs", "indicators"):
        told = [line.item_id for each in reports.values() for line in getattr(each, table)]
        assert sorted(told) == sorted(line.item_id for line in getattr(county, table))
    for each in reports.values():
        text = text_of(unit_html(each))
        for line in county.projects:
            assert ("".join(line.paragraph.split()) in text) == (line.unit_code == each.unit.code)


def test_what_a_unit_has_to_do_and_by_when():
    reports = units_of(MONTHS["half-missing"]())
    for each in reports.values():
        todo = [task.text for task in each.tasks]
        assert ("补报2018年7月报表" in todo) == (each.unit.state == "missing")
        assert todo[-1] == ("报送2018年8月报表" if each.unit.items else "报送2018年8月零报告")
        assert str(each.due) == "2018-09-05" and each.tasks[-1].when == "9月5日前"
    late = next(each for each in reports.values() if each.unit.state == "missing")
    assert late.tasks[0].when == "立即", "the deadline of 6 August is over on the report's day"
    early = replace(late.county, day=late.county.deadline.date())
    view = MONTHS["half-missing"]()[-1]
    again = next(u for u in build_unit_reports(early, view, registry()) if u.unit.name == late.unit.name)
    assert again.tasks[0].when == "8月6日前"


def test_what_went_back_is_told_with_its_cell_and_its_remedy():
    views = normal()
    open_rows = [row for row in views[-1].findings if row.open]
    assert open_rows
    reports = units_of(views)
    for each in reports.values():
        own = [row.finding for row in open_rows if row.unit_code == each.unit.code]
        assert len(each.returned) <= len(own)
        text = text_of(unit_html(each))
        for found in each.returned:
            assert "".join(found.place.split()) in text
            assert "".join(found.remedy.rstrip("。").split()) in text
    assert any(each.returned for each in reports.values())


def test_a_unit_s_place_is_counted_from_all_units():
    reports = units_of(normal())
    county = next(iter(reports.values())).county
    known = {
        unit.name: Fraction(unit.fiscal.paid, unit.fiscal.received)
        for unit in county.units
        if unit.fiscal.paid is not None and unit.fiscal.received
    }
    for name, share in known.items():
        rank = next(rank for rank in reports[name].ranks if rank.name == "财政资金支付率")
        assert rank.place == 1 + sum(round(o * 1000) > round(share * 1000) for o in known.values())
        assert rank.among == len(known)
        assert Fraction(rank.mean) == pytest.approx(sum(known.values()) * 100 / len(known))
    assert not any(each.ranks for name, each in reports.items() if not each.projects)


def test_hostile_text_does_nothing_in_a_unit_s_report():
    for each in units_of(evil_views()).values():
        html = unit_html(each)
        assert "<script" not in html and "<img" not in html and "\u202e" not in html
        assert "长" * 400 not in html


def test_only_what_changed_is_set_again(tmp_path, monkeypatch):
    home = Home(tmp_path)
    done = []

    def set_quickly(html, *, title, attachments=()):
        done.append(title)
        mark = paper._identifier(html, title, attachments)
        return b"%PDF-1.7\n<</Type /XRef/ID [(" + mark + b") (x)]>>\n%%EOF"

    monkeypatch.setattr(editions, "print_pdf", set_quickly)
    first = write_editions(home, registry(), normal())
    assert len(first) == 2 * len(done) == 2 * (1 + len(normal()[-1].standings))
    times = {path: path.stat().st_mtime_ns for path in first}
    done.clear()
    assert write_editions(home, registry(), normal()) == first
    assert done == [] and {path: path.stat().st_mtime_ns for path in first} == times
    rows = normal()[-1].rows
    changed = replace(
        rows["projects"][0], values={**rows["projects"][0].values, "remarks": "改", "problems": "新"}
    )
    views = [
        *normal()[:-1],
        replace(normal()[-1], rows={**rows, "projects": (changed, *rows["projects"][1:])}),
    ]
    write_editions(home, registry(), views)
    assert [title.rpartition(" ")[2] for title in done] == [registry().names[changed.unit_code]]
    stale = home.unit_reports(SEPTEMBER) / "月报-2018-09-旧单位-草稿.pdf"
    stale.write_bytes(b"x")
    write_editions(home, registry(), views)
    assert not stale.exists()


def test_a_frozen_edition_is_never_set_anew(tmp_path, monkeypatch):
    home = Home(tmp_path)
    monkeypatch.setattr(editions, "print_pdf", lambda html, *, title: b"another")
    write_editions(home, registry(), normal(), draft=False)
    before = {path: path.read_bytes() for path in home.reports(SEPTEMBER).rglob("*第1版*")}
    assert len(before) == 2 * 18
    with pytest.raises(Damaged, match="定版"):
        write_editions(home, registry(), normal(), draft=False)
    assert {path: path.read_bytes() for path in before} == before


def test_a_text_that_stops_the_typesetter_does_not_stop_the_month(tmp_path, monkeypatch):
    home = Home(tmp_path)
    wicked = "无尽"

    def stopped_by_it(html, *, title, attachments=()):
        if wicked in html:
            raise press.PressFault("报告排版超出时间或内存上限，已停止。")
        return b"%PDF set"

    monkeypatch.setattr(editions, "print_pdf", stopped_by_it)
    monkeypatch.setattr(press, "print_pdf", stopped_by_it)
    views = normal()
    rows = views[-1].rows["projects"]
    row = replace(rows[0], values={**rows[0].values, "problems": wicked, "measures": wicked})
    views[-1] = replace(views[-1], rows={**views[-1].rows, "projects": (row, *rows[1:])})
    county = writer.write_county_report(home, registry(), views)
    own = [
        path
        for path in write_editions(home, registry(), views)
        if registry().names[row.unit_code] in path.name
    ]
    for path in (*county, *own):
        assert path.exists()
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            assert wicked not in text and "（文字未能排印，见数据工作簿）" in text
            assert str(row.number("progress_pct")) in text, "the figures stay"


@pytest.mark.slow
def test_hostile_remarks_are_set_within_a_few_seconds(tmp_path, monkeypatch):
    """Ten thousand characters, thirty lines, marks that climb, words without an end: no page gives up."""
    monkeypatch.setattr(press, "CPU_LIMIT", 30)
    monkeypatch.setattr(editions, "without_words", lambda report: pytest.fail("the limit was reached"))
    month = evil_views()[-1]
    texts = (
        "长" * 10_000,
        "一行\n" * 30,
        "a" * 10_000,
        "\u0301" * 5_000 + "\u202e进度",
        "1,000,000.5 " * 900,
    )
    rows = month.rows["projects"]
    wicked = tuple(
        replace(
            row, values={**row.values, **dict.fromkeys(("problems", "measures", "remarks"), texts[n % 5])}
        )
        for n, row in enumerate(rows)
    )
    view = replace(month, rows={**month.rows, "projects": wicked})
    county = writer.write_county_report(Home(tmp_path), registry(), [view])
    written = write_editions(Home(tmp_path), registry(), [view])
    press.close_press()
    for path in (*county, *written):
        if path.suffix == ".pdf":
            assert len(pypdf.PdfReader(path).pages) >= 1
            assert path.stat().st_size < 1 << 20
    assert "（文字未能排印" not in county[1].read_text(encoding="utf-8")


def test_a_report_without_words_quotes_nobody():
    quiet = without_words(build_county_report(evil_views(), registry()))
    from ledger.reporting.html import county_html

    body = county_html(quiet).split("表6　存疑事项")[0]
    assert EVIL[:20] not in body and "长长长" not in body
