"""What a clerk filled in on Prefect's page, read so that what is wrong is said in Chinese.

Plain Python, without Prefect: it would say it in English, and where a run is named after what was
filled in, under an invented name.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import UsageError
from schemas.month import Month

#: What a schedule puts into the field 月份.
ON_SCHEDULE = "按日程"


def month(given: object) -> Month | None:
    """The month filled in; None where the calendar decides: nothing was, or a schedule did. Raises
    UsageError."""
    text = "" if given is None else str(given).strip()
    if text in ("", ON_SCHEDULE):
        return None
    try:
        return Month.parse(text)
    except ValueError:
        raise UsageError(f"“{text}”不是月份，请写成 2018-09 的样子。") from None


def is_month(given: object, chosen: Month) -> bool:
    """Whether what was filled in means `chosen`."""
    try:
        return month(given) == chosen
    except UsageError:
        return False


def names(field: str, given: object) -> Sequence[str]:
    """A list of names. Raises UsageError."""
    if given is None:
        return ()
    if isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
        return given
    raise UsageError(f'“{field}”要写成名称的列表，如 ["高坪镇"]；不选是全部。')


def switch(field: str, given: object) -> bool:
    """A switch. Raises UsageError."""
    if isinstance(given, bool) or given is None:
        return bool(given)
    raise UsageError(f"“{field}”只能是 true（是）或 false（否），写的是“{given}”。")
