"""Any month makes a report: whatever is blank, missing, cancelled, late or in another year."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal

from golden_views import JUNE, SEPTEMBER, plan, registry, view
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.recording.model import MonthView
from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html
from schemas.columns import NEED_STATUSES, PROJECT_STATUSES, Kind
from schemas.month import Month, PartialDate
from schemas.tables import TABLES

_VALUES = {
    Kind.TEXT: st.text(max_size=40),
    Kind.MONEY: st.integers(0, 10**13),
    Kind.PERCENT: st.decimals(0, 100, places=2),
    Kind.COUNT: st.integers(0, 10**6).map(Decimal),
    Kind.QUANTITY: st.decimals(0, 10**6, places=3),
    Kind.DATE: st.dates().filter(lambda day: 1900 <= day.year < 2199).map(PartialDate.of),
}


@st.composite
def months(draw) -> MonthView:
    month = Month(2018, draw(st.integers(6, 12)))
    base = view(SEPTEMBER)
    rows = {}
    for key, table in TABLES.items():
        kept = []
        for row in base.rows[key]:
            if draw(st.booleans()):
                continue
            values = {}
            for column in table.reported:
                if column.kind is Kind.CHOICE:
                    words = PROJECT_STATUSES if key == "projects" else NEED_STATUSES
                    values[column.field] = draw(st.sampled_from(words))
                elif draw(st.booleans()):
                    values[column.field] = draw(_VALUES[column.kind])
            carried = draw(st.booleans())
            kept.append(
                replace(
                    row,
                    values=values,
                    month=month,
                    carried_forward=carried,
                    reported_month=JUNE if carried else month,
                )
            )
        rows[key] = tuple(kept)
    standings = tuple(
        replace(
            each,
            state=draw(st.sampled_from(["missing", "received", "returned", "in_part", "accepted", "nil"])),
        )
        for each in base.standings
    )
    return replace(base, month=month, plan=plan(), rows=rows, standings=standings)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(months(), st.booleans())
def test_any_month_makes_a_well_formed_report(month, with_last):
    views = [replace(view(SEPTEMBER), month=month.month.plus(-1)), month] if with_last else [month]
    report = build_county_report(views, registry())
    html = county_html(report)
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    for svg in re.findall(r"<svg.*?</svg>", body, flags=re.DOTALL):
        ET.fromstring(svg)
    ours = [
        *report.overview,
        *report.projects_intro,
        *report.needs_intro,
        *report.reporting,
        report.conclusion,
    ]
    for text in ours:
        assert not re.search(r"None|nan|Decimal|，，|。。|；；|，。|；。|（）|——", text), text
    for line in report.projects:
        assert (line.reported_month is None) == (
            line.item_id not in {r.item_id for r in month.rows["projects"]}
        )
    assert sum((report.lights.red, report.lights.yellow, report.lights.green)) <= len(report.projects)
