"""Sentences composed from figures: one line a case, read by eye."""

from decimal import Decimal

import pytest

from ledger.reporting import figures, sentences
from ledger.reporting.rates import Funds, Rate, mean, time_progress, together, total
from schemas.month import Month

WAN = 1_000_000


def d(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ("45.2", "40.2", "较上月提高5.0个百分点"),
        ("40.2", "45.2", "较上月下降5.0个百分点"),
        ("40.2", "40.2", "与上月持平"),
        ("40.24", "40.21", "与上月持平"),  # both are printed 40.2
        ("40.25", "35.04", "较上月提高5.3个百分点"),  # 40.3 − 35.0, as printed
        ("0", "0", "与上月持平"),
        ("40", None, ""),
        (None, "40", ""),
    ],
)
def test_change_in_points(now, before, said):
    assert sentences.change_points(d(now), d(before)) == said


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (120, 100, "较上月增加20万元"),
        (100, 120, "较上月减少20万元"),
        (100, 100, "与上月持平"),
        (100, None, ""),
        (None, 100, ""),
        (100, 0, "较上月增加100万元"),
    ],
)
def test_change_in_wan(now, before, said):
    def fen(wan):
        return None if wan is None else wan * WAN

    assert sentences.change_wan(fen(now), fen(before)) == said


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(3, 1, "较上月增加2个"), (1, 3, "较上月减少2个"), (0, 0, "与上月持平"), (3, None, "")],
)
def test_change_in_count(now, before, said):
    assert sentences.change_count(now, before) == said


@pytest.mark.parametrize(
    ("pct", "time", "said"),
    [
        ("40.25", "75", "落后序时进度34.7个百分点"),
        ("80", "75", "超前序时进度5.0个百分点"),
        ("75", "75", "与序时进度持平"),
        ("74.99", "75", "与序时进度持平"),  # both are printed 75.0
        (None, "75", ""),
    ],
)
def test_against_time(pct, time, said):
    assert sentences.against(d(pct), d(time), "序时进度") == said


@pytest.mark.parametrize(
    ("count", "of", "said"),
    [
        (0, 8, "尚无项目开工，开工率0.0%（0/8）"),
        (1, 8, "已开工1个，开工率12.5%（1/8）"),
        (7, 8, "已开工7个，开工率87.5%（7/8）"),
        (8, 8, "8个项目全部开工，开工率100.0%（8/8）"),
        (1, 1, "项目已开工，开工率100.0%（1/1）"),
        (0, 0, ""),
    ],
)
def test_reached(count, of, said):
    assert sentences.reached(Rate("开工率", count, of, money=False), "开工") == said


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["甲"], "甲"), (["甲", "乙"], "甲、乙"), (["甲", "乙", "丙"], "甲、乙等3个")],
)
def test_listing(names, said):
    assert sentences.listing(names, most=2) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (Month(2018, 5), Month(2018, 10), "2018年5月至10月"),
        (Month(2018, 5), Month(2019, 3), "2018年5月至2019年3月"),
        (Month(2018, 5), Month(2018, 5), "2018年5月"),
        (None, Month(2018, 5), ""),
    ],
)
def test_window(start, end, said):
    assert sentences.window(start, end) == said


@pytest.mark.parametrize(
    ("planned", "received", "paid", "said"),
    [
        (200, 150, 60, "帮扶计划200万元，累计到位150万元，到位率75.0%（150/200）；累计支付60万元，支付率40.0%（60/150），计划支付率30.0%（60/200）。"),
        (200, 150, 0, "帮扶计划200万元，累计到位150万元，到位率75.0%（150/200）；尚未支付。"),
        (200, 0, 0, "帮扶计划200万元，尚未到位；尚未支付。"),
        (200, None, None, "帮扶计划200万元，尚无到位和支付数据。"),
        (200, 150, None, "帮扶计划200万元，累计到位150万元，到位率75.0%（150/200）；支付情况未报。"),
        (None, 150, 60, "帮扶，累计到位150万元；累计支付60万元，支付率40.0%（60/150）。"),
        (0, 0, 0, ""),
        (None, None, None, ""),
    ],
)  # fmt: skip
def test_funds(planned, received, paid, said):
    money = Funds(*(None if wan is None else wan * WAN for wan in (planned, received, paid)))
    assert sentences.funds("帮扶", money) == said


def test_own_funds_are_told_in_short():
    assert (
        sentences.own_funds("自筹资金", Funds(150 * WAN, 120 * WAN, 60 * WAN))
        == "自筹资金计划150万元，到位120万元，支付60万元，支付率50.0%（60/120）。"
    )
    assert (
        sentences.own_funds("自筹资金", Funds(150 * WAN, 0, 0)) == "自筹资金计划150万元，尚未到位，尚未支付。"
    )
    assert sentences.own_funds("自筹资金", Funds(0, 0, 0)) == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"paid": 60, "pct": "30", "red": 2, "judged": 8}, "财政帮扶资金计划支付率30.0%，落后序时进度45.0个百分点；2个项目亮红灯"),
        ({"paid": 60, "pct": "30", "red": 0, "judged": 8}, "财政帮扶资金计划支付率30.0%，落后序时进度45.0个百分点；没有项目亮红灯"),
        ({"paid": 160, "pct": "80", "red": 0, "judged": 7, "unreported": 1}, "财政帮扶资金计划支付率80.0%，超前序时进度5.0个百分点；已报项目没有亮红灯的；1个项目未报"),
        ({"paid": 0, "pct": "0", "red": 1, "judged": 1}, "财政帮扶资金尚未支付，落后序时进度75.0个百分点；1个项目亮红灯"),
        ({"paid": None, "pct": None, "red": 0, "judged": 0, "unreported": 8}, "本月尚无支付数据；8个项目未报"),
    ],
)  # fmt: skip
def test_conclusion(facts, said):
    paid = facts["paid"]
    told = sentences.conclusion(
        planned=200 * WAN,
        paid=None if paid is None else paid * WAN,
        pct=d(facts["pct"]),
        time=Decimal(75),
        red=facts["red"],
        judged=facts["judged"],
        unreported=facts.get("unreported", 0),
    )
    assert told == said


@pytest.mark.parametrize(
    ("fen", "shown"),
    [(0, "0"), (120_500_000, "120.5"), (1_205_000, "1.21"), (1_204_999, "1.2"), (-5_000_000, "-5"), (None, "—"), (100, "0")],
)  # fmt: skip
def test_amounts_are_printed_in_wan_with_two_digits(fen, shown):
    assert figures.wan(fen) == shown


@pytest.mark.parametrize(
    ("pct", "shown"),
    [("40.25", "40.3%"), ("99.97", "99.9%"), ("100", "100.0%"), ("0", "0.0%"), (None, "—")],
)
def test_rates_are_printed_with_one_digit_and_never_rounded_up_to_all(pct, shown):
    assert figures.percent(d(pct)) == shown


@pytest.mark.parametrize(
    ("month", "time"), [(Month(2018, 6), "50"), (Month(2018, 9), "75"), (Month(2018, 12), "100"), (Month(2019, 2), "100")]
)  # fmt: skip
def test_time_progress(month, time):
    assert time_progress(month, 2018) == Decimal(time)


def test_what_was_not_reported_is_not_zero():
    assert total([None, None]) is None
    assert total([None, 5]) == 5
    assert mean([None, None]) is None
    assert mean([None, Decimal(0), Decimal(10)]) == 5
    assert together([Funds(1, None, None), Funds(2, 3, None)]) == Funds(3, 3, None)
    assert Rate("支付率", None, 5).pct is None
    assert Rate("支付率", 5, 0).pct is None
    assert Rate("支付率", 5 * WAN, 0).text == "支付率—"
