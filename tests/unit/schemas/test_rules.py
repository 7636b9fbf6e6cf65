"""rules.csv, its Chinese words, and findings made from them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.finding import Effect, Severity, finding, rules


def test_every_rule_has_a_name_and_a_remedy() -> None:
    for code, rule in rules().items():
        assert rule.title
        assert rule.remedy.endswith("。"), code


def test_a_warning_or_a_hint_never_returns_anything() -> None:
    for rule in rules().values():
        if rule.severity is not Severity.ERROR:
            assert rule.effect is Effect.STANDS


def test_a_finding_takes_its_nature_from_the_rule() -> None:
    made = finding("R03", "支付大于到位", cell="U7")
    assert (made.severity, made.scope, made.effect) == ("error", "row", Effect.ROW_RETURNED)
    assert made.remedy == rules()["R03"].remedy
    assert made.returns_row
    assert not made.returns_table


def test_a_rule_that_may_return_table_or_row_must_say_which() -> None:
    with pytest.raises(ValueError, match="F16"):
        finding("F16", "错位")
    assert finding("F16", "错位", effect=Effect.ROW_RETURNED).returns_row


def test_an_unknown_rule_is_a_fault() -> None:
    with pytest.raises(KeyError):
        finding("X99", "")


def test_json_has_the_contracts_keys_in_order_and_plain_numbers() -> None:
    shown = finding("T01", "合计不符", difference=Decimal("300")).as_json()
    keys = "rule severity scope file sheet cell row column item value expected difference message remedy"
    assert list(shown) == keys.split()
    assert (shown["difference"], shown["severity"]) == (300, "error")
    assert finding("T01", "", difference=Decimal("-0.5")).as_json()["difference"] == -0.5
    assert finding("T01", "").as_json()["difference"] is None
