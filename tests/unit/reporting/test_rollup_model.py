"""The roll-up adds up: exact sums, rates of sums, worst first, nothing hidden and nothing made up."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from ledger.reporting.html import rollup_html
from ledger.reporting.rollup_build import build_areas, build_rollup, full_name, words
from ledger.reporting.rollup_model import add
from ledger.reporting.rollup_rows import area_rows
from schemas.month import Month
from schemas.rollup import COLUMNS, FIGURES, RATES, Level
from tests.rollups import WAN, programme, programmes, unread

MONTH = Month(2018, 9)
EAST = ("甲省", "东州")


@given(programmes())
def test_totals_of_parts_make_the_total(given_programmes):
    nation = build_areas(given_programmes, [])
    for area in nation.each():
        assert area.totals == add(one.totals for one in area.programmes)
        if area.areas:
            assert area.totals == add(part.totals for part in area.areas)
    for name in FIGURES:
        stated = [one.totals[name] for one in given_programmes if one.totals[name] is not None]
        assert nation.totals[name] == (sum(stated) if stated else None)
        assert nation.totals.stated[name] == len(stated)


@given(programmes())
def test_every_programme_is_in_one_area_of_each_level(given_programmes):
    nation = build_areas(given_programmes, [])
    folders = sorted(one.folder for one in given_programmes)
    for level in (Level.NATION, Level.PROVINCE, Level.PREFECTURE):
        areas = [area for area in nation.each() if area.level is level]
        assert sorted(one.folder for area in areas for one in area.programmes) == folders
        assert sum(area.totals.programmes for area in areas) == len(folders)


@given(programmes())
def test_a_rate_is_of_sums_over_who_states_the_denominator(given_programmes):
    nation = build_areas(given_programmes, [])
    for name, rate in RATES.items():
        counted = [one.totals for one in given_programmes if one.totals[rate.below] is not None]
        above = [t[rate.above] for t in counted if t[rate.above] is not None]
        below = sum(t[rate.below] for t in counted)
        share = nation.totals.rate(name)
        if not above or not below:
            assert share.pct is None
        else:
            exact = Fraction(sum(above)) / Fraction(below) * (1 if rate.mean else 100)
            assert abs(Fraction(share.pct) - exact) <= Fraction(1, 10**12) * max(1, abs(exact))


@given(programmes())
def test_worst_first(given_programmes):
    def badness(totals):
        red, paid = totals.rate("red_rate").pct, totals.rate("fiscal_paid_of_plan").pct
        owing = totals.count("units_missing") + totals.count("units_returned")
        units = totals.count("units")
        return (
            Fraction(totals.programmes - totals.reported, totals.programmes) if totals.programmes else 0,
            red or Decimal(0),
            Decimal(owing) / units if units else 0,
            -paid if paid is not None else Decimal(-101),
        )

    nation = build_areas(given_programmes, [])
    for area in nation.each():
        for ones in (area.areas, area.programmes):
            worst = [badness(one.totals) for one in ones]
            assert worst == sorted(worst, reverse=True)


def test_the_order_of_reading_changes_nothing():
    ones = [programme(f"县{n}", EAST if n % 2 else ("乙省", ""), red=n % 3) for n in range(7)]
    gone = [unread("丙县", EAST), unread("丁县")]
    assert build_areas(ones, gone) == build_areas(ones[::-1], gone[::-1])


def test_who_has_not_reported_stands_first():
    silent = programme("静县", EAST, reported=False, red=0, judged=0, units_missing=12)
    bad = programme("红县", EAST, red=8)
    good = programme("好县", EAST, red=0)
    area = build_areas([good, bad, silent], [])
    assert [one.county for one in area.programmes] == ["静县", "红县", "好县"]


def test_what_is_paid_without_a_plan_is_paid_but_in_no_rate():
    planned = programme("甲县", EAST, self_planned=500 * WAN, self_received=300 * WAN)
    without = programme("乙县", EAST, self_planned=None, self_received=900 * WAN)
    totals = build_areas([planned, without], []).totals
    assert totals.fen("self_received") == 1200 * WAN
    rate = totals.rate("self_received_rate")
    assert (rate.numerator, rate.denominator) == (300 * WAN, 500 * WAN)
    page = build_rollup(MONTH, build_areas([planned, without], []), words({}))
    assert any("自筹资金计划：乙县计划没有此项" in text for text in page.gaps)


def test_nothing_stated_is_blank_and_not_nothing():
    money = {name: None for name, figure in FIGURES.items() if figure.kind == "money"}
    nation = build_areas([programme("空县", EAST, **money)], [])
    rows = [dict(zip([c.name for c in COLUMNS], row, strict=True)) for row in area_rows(MONTH, nation)]
    assert {row["fiscal_paid"] for row in rows} == {None}
    assert {row["fiscal_paid_rate"] for row in rows} == {None}
    page = build_rollup(MONTH, nation, words({}))
    assert page.cards[3].figure == "—"
    assert not any("0万元" in text for text in page.overview)


def test_who_is_not_counted_is_named_at_every_level():
    nation = build_areas([programme("甲县", EAST)], [unread("乙县", ("乙省", "南州")), unread("丙县")])
    assert [full_name(area) for area in nation.areas[-2:]] == ["未注明省份", "乙省"]
    for area, counties in zip(nation.each(), [{"乙县", "丙县"}, set(), set()], strict=False):
        assert {one.county for one in area.unread} == counties
    page = build_rollup(MONTH, nation, words({}))
    assert "另有2个县未能计入" in page.overview[0]
    assert nation.totals.programmes == 1


def test_rows_state_money_exactly_and_each_rate_with_its_sums():
    nation = build_areas([programme("甲县", EAST), programme("乙县", ("乙省", ""))], [])
    names = [column.name for column in COLUMNS]
    rows = [dict(zip(names, row, strict=True)) for row in area_rows(MONTH, nation)]
    first = rows[0]
    assert first["level"] == "nation"
    assert first["fiscal_received"] == Decimal("3140.000002")
    assert first["fiscal_paid_rate_above"] == Decimal("2368.00014")
    assert first["fiscal_paid_rate_below"] == Decimal("3140.000002")
    assert first["fiscal_paid_rate"] == Decimal("75.4")
    assert first["progress"] == Decimal("45.2")  # 723 ÷ 16 = 45.1875
    assert [row["level"] for row in rows] == [
        "nation", "province", "prefecture", "province", "prefecture", "programme", "programme",
    ]  # fmt: skip
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("甲省", "东州"), "甲省东州"),
        (("甲省", ""), "甲省未注明市州"),
        (("", ""), "未注明省份未注明市州"),
    ],
)
def test_an_area_has_a_name(place, name):
    nation = build_areas([programme("甲县", place)], [])
    assert full_name(nation.areas[0].areas[0]) == name
    assert full_name(nation) == "全国"


@pytest.mark.parametrize(
    ("fen", "shown"),
    [
        (99_999_999_999, ("100000", "万元")),
        (100_000_000_000, ("10", "亿元")),
        (9_850_880_600_000, ("985.09", "亿元")),
        (None, ("—", "")),
    ],
)
def test_a_card_has_room_for_its_amount(fen, shown):
    page = build_rollup(MONTH, build_areas([programme("甲县", EAST, fiscal_paid=fen)], []), words({}))
    assert (page.cards[3].figure, page.cards[3].unit) == shown


def test_a_long_table_is_cut_on_the_page_and_whole_in_the_data():
    nation = build_areas([programme(f"县{n:03d}", EAST, red=n % 8) for n in range(130)], [])
    page = build_rollup(MONTH, nation, words({}))
    html = re.sub(r"<[^>]*>", "", rollup_html(page))
    assert "共130个，列最差的100个，其余见数据工作簿" in html
    assert html.count("县007") == 3  # one of the worst: in the table, in the sources and their folder
    assert "县008" not in html  # one of the best
    assert sum(1 for row in area_rows(MONTH, nation) if row[1] == "programme") == 130
    assert nation.totals.programmes == 130
