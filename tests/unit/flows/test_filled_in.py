"""What is filled in on the page: read, or refused in a Chinese sentence that names the remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flows import filled_in
from ledger.errors import UsageError
from schemas.month import Month


@pytest.mark.parametrize("given", ["2018-09", " 2018-09 ", "2018-9"])
def test_a_month_is_read_as_people_write_it(given: str) -> None:
    assert filled_in.month(given) == Month(2018, 9)
    assert filled_in.is_month(given, Month(2018, 9))


@pytest.mark.parametrize("given", [None, "", " ", filled_in.ON_SCHEDULE])
def test_nothing_filled_in_leaves_it_to_the_calendar(given: object) -> None:
    assert filled_in.month(given) is None
    assert not filled_in.is_month(given, Month(2018, 9))


@pytest.mark.parametrize("given", ["九月", "2018-13", "2018/9", 201809, True, [], {}])
def test_what_is_no_month_is_quoted(given: object) -> None:
    with pytest.raises(UsageError, match="不是月份，请写成 2018-09 的样子"):
        filled_in.month(given)
    assert not filled_in.is_month(given, Month(2018, 9))


def test_names_and_switches() -> None:
    assert list(filled_in.names("单位", ["高坪镇"])) == ["高坪镇"]
    assert list(filled_in.names("单位", None)) == []
    assert filled_in.switch("再试拒收的", True) is True
    assert filled_in.switch("再试拒收的", None) is False


@pytest.mark.parametrize(
    ("read", "given", "told"),
    [
        (filled_in.names, "高坪镇", "“单位”要写成名称的列表"),
        (filled_in.names, [1], "“单位”要写成名称的列表"),
        (filled_in.switch, "是", "“单位”只能是 true（是）或 false（否），写的是“是”"),
        (filled_in.switch, 1, "“单位”只能是 true"),
    ],
)
def test_what_is_of_another_kind_is_refused(
    read: Callable[[str, object], object], given: object, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        read("单位", given)
