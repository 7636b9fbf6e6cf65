"""Every number of the brief and of every unit's report, in its order, by another path.

The whole page is taken: what must stand on it is computed from the exports and the plan's cells
(figures_again) and compared with all its numbers, so that none is passed over. Two documents are
set and read back, to see that the paper says what the page says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

import pypdfium2
import pytest
from figures_again import frac, gap, mean, numbers, one, total, wan
from test_report_against_exports import SEPTEMBER, Sample, sampled
from test_report_every_figure import (
    AUGUST,
    TIME,
    Page,
    card_numbers,
    expected_at_year_end,
    fiscal_numbers,
    fresh_step,
    marks_of,
    need_numbers,
    plain,
    progress_numbers,
    quality_numbers,
    rates_of,
    target_numbers,
    work_numbers,
)

from ledger.home import Home
from ledger.reporting.brief import build_brief
from ledger.reporting.html import brief_html, unit_html
from ledger.reporting.pdf import FONTS, render_pdf
from ledger.reporting.unit_report import build_unit_reports

#: October's figures are due on the 5th of November 2018, a Monday.
DUE = ["11", "5"]
HEAD = ["2018", "9", "2018", "10", "10", "2018", "9"]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sampled(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def page(taken: Sample) -> Page:
    return Page(taken.report, taken.tables)


@pytest.fixture(scope="module")
def units(taken: Sample) -> dict[str, str]:
    """The page of each unit, by the unit's name."""
    reports = build_unit_reports(taken.report, taken.views[-1], taken.registry)
    return {report.unit.name: body(unit_html(report)) for report in reports}


def body(html: str) -> str:
    return html.split("</head>")[1]


def told(html: str) -> list[str]:
    """All numbers of a page, but those of its attributes."""
    return numbers(plain(html))


# --- the brief


def brief_numbers(page: Page) -> list[str]:
    _, paid = page.sums()
    pct = paid * 100 / 2000
    worst = sorted(page.red, key=lambda p: Fraction(p.lag()[1]), reverse=True)
    wrong = sum(row["severity"] == "error" for row in doubts(page))
    return [
        *HEAD,
        one(pct), gap(pct, TIME), str(len(page.red)),
        *(number for card in card_numbers(page) for number in card),
        *work_numbers(page), *fiscal_numbers(page),
        *progress_numbers(page), *need_numbers(page), *target_numbers(page), *quality_numbers(page),
        str(len(page.red)),
        *(n for p in worst for n in (p.row["progress_pct"], *p.lag(), *numbers(p.row["problems"]))),
        "1", "2", "3", "4", str(wrong),
    ]  # fmt: skip


def doubts(page: Page) -> list[dict[str, str]]:
    """The plan's open questions, as part six lists them: 差错 and 提示."""
    rows = re.findall(r'<tr id="doubt-.*?</tr>', page.part(6), re.DOTALL)
    return [{"severity": "error" if ">差错<" in row else "warning"} for row in rows]


def test_the_brief(page: Page) -> None:
    html = body(brief_html(build_brief(page.report)))
    assert told(html) == brief_numbers(page)
    asks = re.findall(r'<p class="ask">(.*?)</p>', html)
    far = [
        row["item_name"]
        for row, rate in zip(page.indicators, rates_of(page.indicators), strict=True)
        if rate * 2 < TIME
    ]
    assert asks[2].startswith("3. " + "、".join(far) + "完成率")


# --- a unit's own report


class Unit:
    """What a unit has in the exports."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.projects = [p for p in page.projects if p.row["unit_name"] == name]
        self.needs = [row for row in page.needs if row["unit_name"] == name]
        self.indicators = [row for row in page.indicators if row["unit_name"] == name]
        self.submissions = [r for r in page.tables[SEPTEMBER, "submissions"] if r["unit_name"] == name]
        self.open = [
            f for f in page.tables[SEPTEMBER, "findings"] if f["unit_name"] == name and f["open"] == "true"
        ]
        rows = [*(p.row for p in self.projects), *self.needs, *self.indicators]
        self.items = len(rows)
        self.carried = sum(row["carried_forward"] == "true" for row in rows)
        self.errors = [f for f in self.open if f["severity"] == "error"]
        self.red = [p for p in self.projects if p.light == "red"]

    def late(self) -> list[str]:
        if not any(row["timely"] == "false" for row in self.submissions):
            return []
        first = datetime.fromisoformat(min(row["first_accepted_at"] for row in self.submissions))
        return [str(first.day - 8)]  # the deadline was the 8th of October

    def got(self, what: str) -> Fraction:
        return total([p.row for p in self.projects], f"fiscal_{what}_cum")

    def measures(self) -> list[Fraction]:
        planned = sum(p.planned for p in self.projects)
        paid = self.got("paid")
        return [
            mean(p.progress for p in self.projects),
            paid * 100 / self.got("received"),
            paid * 100 / planned,
        ]

    def tasks(self) -> list[tuple[bool, list[str]]]:
        """(whether urgent, its numbers), in order."""
        found = [] if self.submissions else [(True, ["2018", "9"])]
        found += [(True, [str(len(self.errors))])] if self.errors else []
        found += [(True, [str(self.carried)])] if self.carried and self.submissions else []
        assert all(p.row["problems"] and p.row["measures"] for p in self.red), "said, so nothing to say"
        found += [(True, DUE)] if self.red else []
        marks = sorted((n for p in self.projects for n in marks_of(self.page, p)), key=int)
        found += [(False, [*marks, *DUE])] if marks else []
        return [*found, (False, ["2018", "10", *DUE])]

    def lights(self) -> list[str]:
        shown = [p.light for p in self.projects]
        return [str(shown.count(light)) for light in ("red", "yellow", "green") if light in shown]


def unit_numbers(unit: Unit, others: list[Unit]) -> Iterator[str]:
    yield from HEAD
    tasks = unit.tasks()
    urgent = sum(grave for grave, _ in tasks)
    yield from unit.late()
    yield from unit.lights()
    yield from [str(urgent)] if urgent else []
    yield from card_texts(unit)
    for place, (_, told_in_it) in enumerate(tasks, start=1):
        yield str(place)
        yield from told_in_it
    yield from standing(unit)
    if unit.projects:
        yield from ranks(unit, others)
    for finding in unit.errors:
        yield from numbers(f"{finding['sheet']} {finding['cell']}")
        yield from numbers(finding["message"])
        yield from numbers(finding["remedy"])
    for p in unit.projects:
        row = p.row
        yield from [str(p.seq), row["progress_pct"], one(p.window), wan(p.planned)]
        for name in ("fiscal_received_cum", "fiscal_paid_cum", "self_received_cum", "self_paid_cum"):
            yield wan(frac(row, name))
    for p in unit.projects:
        yield from p.paragraph()
        yield from marks_of(unit.page, p)
    yield from need_rows(unit)
    for row, rate in zip(unit.indicators, rates_of(unit.indicators), strict=True):
        yield from [*numbers(row["item_name"]), row["target"], *numbers(row["done_month"]), row["done_cum"]]
        yield one(rate)
        yield from numbers(expected_at_year_end(row, rate))
    for row in unit.page.tables[AUGUST, "corrections"]:
        if row["received_at"] > "2018-09-05T23:59:59+08:00" and row["unit_code"] in codes(unit):
            yield from ["2018", "8", row["old"], row["new"]]
    yield "4"  # where the definitions are


def codes(unit: Unit) -> set[str]:
    return {row["unit_code"] for row in unit.submissions}


def card_texts(unit: Unit) -> Iterator[str]:
    yield from unit.late()
    yield from [str(unit.items)] if unit.items else []
    yield from [str(unit.carried)] if unit.carried else []
    warnings = sum(f["severity"] == "warning" for f in unit.open)
    yield from [str(len(unit.errors)), str(len(unit.errors)), str(warnings)]
    if unit.projects:
        progress, rate, _ = unit.measures()
        yield from [one(progress), one(mean(p.window for p in unit.projects))]
        if not any(p.carried for p in unit.projects):
            yield gap(*fresh_step(unit.projects))
        yield from [wan(unit.got("paid")), one(rate), wan(unit.got("received"))]
        yield wan(sum(p.planned for p in unit.projects))


def standing(unit: Unit) -> Iterator[str]:
    yield from ["2018", "9", "10", "8"]
    for column in ("first_received_at", "first_accepted_at"):
        if moments := [row[column] for row in unit.submissions if row[column]]:
            moment = datetime.fromisoformat(min(moments))
            yield from [str(moment.month), str(moment.day), f"{moment:%H}", f"{moment:%M}"]
    yield from unit.late()
    assert {row["version"] for row in unit.submissions} <= {"", "1"}
    yield from [str(unit.items)] if unit.items else []
    yield from [str(unit.carried)] if unit.carried else []


def ranks(unit: Unit, others: list[Unit]) -> Iterator[str]:
    known = [each.measures() for each in others if each.projects]
    for place, mine in enumerate(unit.measures()):
        all_of_them = [measures[place] for measures in known]
        better = sum(Fraction(one(pct)) > Fraction(one(mine)) for pct in all_of_them)
        yield from [one(mine), str(better + 1), str(len(known)), one(mean(all_of_them))]


def need_rows(unit: Unit) -> Iterator[str]:
    for row in unit.needs:
        yield str(int(row["item_id"].rpartition("-")[2]))
        yield from numbers(row["item_name"]) + numbers(row["partner"])
        for name in ("signed_amount", "enterprise_received_cum", "self_received_cum"):
            yield from numbers(row[name])


def test_every_units_report(page: Page, units: dict[str, str]) -> None:
    known = [Unit(page, name) for name in units]
    assert len(known) == 17 and sum(len(unit.projects) for unit in known) == 8
    assert sum(len(unit.needs) for unit in known) == 20 and sum(len(u.indicators) for u in known) == 13
    for unit in known:
        assert told(units[unit.name]) == list(unit_numbers(unit, known)), unit.name


def test_a_changed_figure_is_seen(page: Page, units: dict[str, str]) -> None:
    known = [Unit(page, name) for name in units]
    unit = next(each for each in known if each.name == "长梁镇")
    for old, new in (("第2（共7个）", "第3（共7个）"), ("42.5", "42.6"), ("※3", "※4"), ("86.0", "86.1")):
        html = units[unit.name]
        assert old in html
        assert told(html.replace(old, new, 1)) != list(unit_numbers(unit, known))


@pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")
def test_the_paper_says_what_the_page_says(page: Page, units: dict[str, str], taken: Sample) -> None:
    """The same numbers in the PDF's text, as often, and the pages' own."""
    report = next(
        each
        for each in build_unit_reports(taken.report, taken.views[-1], taken.registry)
        if each.unit.name == "官店镇"
    )
    for html in (brief_html(build_brief(page.report)), unit_html(report)):
        sheets = pypdfium2.PdfDocument(render_pdf(html, title="月报"))
        texts = [sheet.get_textpage().get_text_range() for sheet in sheets]
        printed = Counter(number for text in texts for number in numbers(text))
        assert printed == Counter(told(body(html))) + Counter(str(n + 1) for n in range(len(texts)))
        assert printed.total() > 100
