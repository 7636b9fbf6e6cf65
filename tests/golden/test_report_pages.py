"""The pages themselves: page one stays on one page whatever the month brings; nothing is lost."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache

import pypdf
import pytest
from golden_views import MONTHS, SEPTEMBER, normal, plan, registry
from test_report_model import evil_views

from ledger.calendar import SHANGHAI
from ledger.home import Home
from ledger.recording.model import Correction, MonthView
from ledger.registry import Registry, Unit
from ledger.reporting import pdf as paper
from ledger.reporting.build import build_county_report
from ledger.reporting.glyphs import settable
from ledger.reporting.html import county_html
from ledger.reporting.writer import write_county_report, write_files
from schemas.finding import finding

pytestmark = pytest.mark.skipif(
    not (paper.FONTS / "rare.ttf").is_file(), reason="fonts are prepared by set-up"
)


def pages(html: str) -> list[str]:
    rendered = paper.render_pdf(settable(html), title="试")
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(rendered)).pages]


def crowded() -> tuple[list[MonthView], Registry]:
    """Forty units, eight sections, sixty-four projects, all of them red, late or missing."""
    mine = registry()
    units = tuple(
        Unit(f"422822{number:03d}", f"第{number}民族自治乡镇", "township", f"第{number}乡", ())
        for number in range(40)
    )
    words = {**mine.programme, "coordinating_unit": units[0].code}
    known = Registry(words, units, mine.targets)
    month = normal()[-1]
    items, rows = [], []
    base, first = plan().of_table("projects"), month.rows["projects"]
    for number in range(64):
        unit = units[number % 40].code
        item_id = f"2018-A1-{number + 1:02d}"
        name = f"第{number}号高山蔬菜基地和旅游扶贫公路升级改造配套工程(深度贫困村)"
        section = (f"{'一二三四五六七八'[number % 8]}、第{number % 8}大类社会事业和基础设施",)
        items.append(
            replace(
                base[number % 8], item_id=item_id, seq=number + 1, name=name, unit_code=unit, section=section
            )
        )
        values = {**first[number % 8].values, "progress_pct": Decimal(3), "status": "在建",
                  "problems": "征地拆迁和设计变更均未完成，" * 9, "measures": "增加作业面，抢抓晴天施工，" * 9}  # fmt: skip
        rows.append(replace(first[number % 8], item_id=item_id, unit_code=unit, values=values))
    states = ["missing", "returned", "in_part", "accepted"]
    standings = tuple(
        replace(month.standings[0], unit_code=unit.code, state=states[place % 4], timely=None if place % 4 < 2 else False,
                days_late=12, errors_count=30)
        for place, unit in enumerate(units)
    )  # fmt: skip
    corrections = tuple(
        Correction(SEPTEMBER, items[n].item_id, "fiscal_paid_cum_fen", 123_456_789_01, 2_345_678_901, units[n].code,
                   datetime(2018, 10, 9, tzinfo=SHANGHAI), "录入时把本月数当作累计数填报，现据财政专户对账单更正" * 3)
        for n in range(9)
    )  # fmt: skip
    findings = tuple(
        finding(
            "R01",
            "合计与财政帮扶资金、自筹资金之和不符，相差三百万元，请由计划印发单位核实后更正" * 3,
            sheet="附件1",
            cell=f"G{n}",
            row=n,
        )
        for n in range(40)
    )
    crowd = replace(plan(), items=tuple(items), totals=(), findings=findings)
    view = replace(
        month, plan=crowd, rows={"projects": tuple(rows)}, standings=standings, corrections=corrections
    )
    return [view], known


@pytest.mark.parametrize("name", list(MONTHS))
def test_page_one_is_one_page(name):
    report = build_county_report(MONTHS[name](), registry())
    texts = pages(county_html(report))
    assert "计划中待核定的事项" in texts[0] and "—1—" in texts[0]
    assert texts[1].startswith("目录") and "各乡镇人民政府，县直有关单位" in texts[2]
    assert "示例：计划为真实印发文件" in texts[0]
    assert all("示例：" in text and "草稿" in text for text in texts)


@pytest.mark.slow
def test_page_one_is_one_page_when_everything_goes_wrong():
    views, known = crowded()
    report = build_county_report(views, known)
    assert report.lights.red == 64
    texts = pages(county_html(report))
    assert "计划中待核定的事项" in texts[0] and "另有差错36处" in texts[0]
    assert texts[1].startswith("目录") and "各乡镇人民政府，县直有关单位" in texts[2]


@pytest.mark.slow
def test_hostile_text_is_printed_and_stays_in_its_place():
    texts = pages(county_html(build_county_report(evil_views(), registry())))
    assert "计划中待核定的事项" in texts[0]
    assert "<script>alert(1)</script>" in "".join(texts)


def test_every_part_and_annex_is_there_in_order():
    texts = "".join(pages(county_html(build_county_report(normal(), registry()))))
    parts = [
        "一、总体情况", "二、援建项目", "三、招商项目需求", "四、工作要点指标", "五、报送情况", "六、存疑事项",
        "2018年东西部扶贫协作财政资金援建项目进度表", "2018年对口帮扶招商项目需求对接表",
        "2018年工作要点指标完成情况表", "口径说明", "报：县委",
    ]  # fmt: skip
    places = [texts.rindex(part) for part in parts]
    assert places == sorted(places)
    for item in plan().items:
        assert "".join(item.name.split()) in texts, item.item_id


@cache
def normal_month() -> tuple[str, bytes]:
    """The normal month's page and PDF, with a workbook inside."""
    exports = [paper.Attached("月报.xlsx", b"PK\x03\x04", "本期数据")]
    html = settable(county_html(build_county_report(normal(), registry())))
    return html, paper.render_pdf(html, title="试", attachments=exports)


def test_the_contents_name_the_pages_where_things_are():
    reader = pypdf.PdfReader(io.BytesIO(normal_month()[1]))
    texts = ["".join(page.extract_text().split()) for page in reader.pages]
    entries = re.findall(r"([^·]+?)·+(\d+)", texts[1].removeprefix("目录"))
    assert len(entries) == 6 + 3 + 4
    for title, number in entries:
        page = int(number)
        if title.startswith("附件"):
            assert texts[page - 1].startswith(title[:3]) and title[3:] in texts[page - 1]
        else:
            assert title in texts[page - 1], "the heading stands on the page named"
        assert f"—{page}—" in texts[page - 1], "the number printed on it is the one named"
    assert [int(number) for _, number in entries] == sorted(int(number) for _, number in entries)
    links = [link.get_object() for link in reader.pages[1]["/Annots"]]
    targets = {str(link["/Dest"]) for link in links if "/Dest" in link}
    assert len(targets) == len(entries) and targets <= set(reader.named_destinations)


def test_the_document_can_be_read_by_its_structure():
    html, rendered = normal_month()
    root = pypdf.PdfReader(io.BytesIO(rendered)).root_object
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "zh-CN"
    kinds: Counter[str] = Counter()
    waiting = [root["/StructTreeRoot"]["/K"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting.extend(element)
        elif isinstance(element, dict):
            kinds[element.get("/S", "")] += 1
            if "/K" in element:
                waiting.append(element["/K"])
    assert kinds["/H2"] == html.count("<h2") and kinds["/H3"] == html.count("<h3")
    assert kinds["/Table"] >= html.count("<table") > 0 and kinds["/TD"] >= html.count("<td")
    assert kinds["/Figure"] == html.count("<svg") == 2
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Data"
    assert len(rendered) < 1 << 20


def test_a_symbol_without_a_glyph_does_not_hold_up_the_report():
    assert settable("进度😀喆㛃𬭊") == "进度〓喆㛃𬭊"


def test_writing_twice_changes_nothing(tmp_path):
    home = Home(tmp_path)
    exports = {"projects": (("month", "item_name"), [("2018-09", "=1+1"), (None, "二")])}
    first = write_county_report(home, registry(), normal(), exports=exports)
    assert [path.name for path in first] == [f"月报-2018-09-草稿.{kind}" for kind in ("pdf", "html", "xlsx")]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in first}
    second = write_county_report(home, registry(), normal(), exports=exports)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in second} == before
    assert not [path for path in home.reports(SEPTEMBER).iterdir() if path.name.startswith(".")]


def test_a_frozen_edition_is_never_overwritten(tmp_path):
    from ledger.errors import Damaged

    home = Home(tmp_path)
    report = build_county_report(normal(), registry(), draft=False)
    write_files(home, report, pdf=b"one", html="one")
    write_files(home, report, pdf=b"one", html="one")
    with pytest.raises(Damaged, match="定版"):
        write_files(home, report, pdf=b"two", html="one")
    assert (home.reports(SEPTEMBER) / "月报-2018-09-第1版.pdf").read_bytes() == b"one"
