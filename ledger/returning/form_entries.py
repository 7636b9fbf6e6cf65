"""What a clerk is told and held to while typing: prompts, drop-downs, limits.

All of it is derived from the columns' declarations (schemas.columns); nothing here names one.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from openpyxl.worksheet.datavalidation import DataValidation

from schemas.columns import JOINT, Column, Kind
from schemas.month import Month

#: Excel's own limits for a validation's texts.
_TITLE_LIMIT = 32
_TEXT_LIMIT = 225
_EARLIEST = "DATE(2000,1,1)"

_Style = Literal["stop", "warning"]
_STOP: Final = "stop"
_WARN: Final = "warning"


def plain_title(column: Column) -> str:
    """A column's title in one line: 「累计支付(万元)—自筹资金」 → 「累计支付(万元) 自筹资金」."""
    return column.title.replace(JOINT, " ")


def validation(column: Column, month: Month, *, required: bool, last: str = "") -> DataValidation:
    """The prompt and the limits of one entry cell of `column`.

    `last` is last month's figure as the clerk reads it, '' where there is none. A figure that
    rules.csv may let stand (a negative 本月 beside an explained fall, a date written as text) is
    questioned, not refused.
    """
    limits, style, error = _limits(column, month)
    rule = DataValidation(
        **limits,
        allow_blank=True,
        showInputMessage=True,
        showErrorMessage=bool(error),
        errorStyle=style,
        promptTitle=plain_title(column)[:_TITLE_LIMIT],
        prompt=_prompt(column, required=required, last=last)[:_TEXT_LIMIT],
    )
    if error:
        rule.errorTitle = f"请核对：{plain_title(column)}"[:_TITLE_LIMIT]
        rule.error = error[:_TEXT_LIMIT]
    return rule


def _limits(column: Column, month: Month) -> tuple[dict[str, Any], _Style, str]:
    match column.kind:
        case Kind.CHOICE:
            words = "、".join(column.allowed)
            listed = {"type": "list", "formula1": '"' + ",".join(column.allowed) + '"'}
            return listed, _STOP, f"只能填：{words}。请从下拉框中选择。"
        case Kind.PERCENT:
            between = {"type": "decimal", "operator": "between", "formula1": "0", "formula2": "100"}
            return between, _STOP, "请填0到100之间的数，如65（不写“约”“过半”）。"
        case Kind.COUNT:
            whole = {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "0"}
            return whole, _STOP, f"请填不小于0的整数，不写单位“{column.unit}”。"
        case Kind.MONEY | Kind.QUANTITY:
            unit = f"，单位为{column.unit}，不写单位" if column.unit else ""
            amount = {"type": "decimal", "operator": "greaterThanOrEqual", "formula1": "0"}
            if column.cumulative_of:
                return amount, _WARN, f"一般应填不小于0的数{unit}。因更正而调减的可以为负，须在备注写明原因。"
            return amount, _STOP, f"请填不小于0的数{unit}，不写“约”“多”等字。"
        case Kind.DATE:
            last_day = month.last_day
            until = f"DATE({last_day.year},{last_day.month},{last_day.day})"
            day = {"type": "date", "operator": "between", "formula1": _EARLIEST, "formula2": until}
            return (
                day,
                _WARN,
                f"请填日期，如{month.year}-{month.month}-1；只知月份的填“{month.chinese}”。不得晚于{month.chinese}末。",
            )
        case Kind.TEXT | Kind.SEQUENCE:
            return {}, _STOP, ""


def _prompt(column: Column, *, required: bool, last: str) -> str:
    parts = [f"{column.meaning}。"]
    if column.allowed:
        parts.append("请从下拉框中选择。")
    if column.kind is Kind.MONEY:
        parts.append("单位：万元。没有的填0。" if required else "单位：万元。")
    elif column.kind is Kind.DATE:
        parts.append("填日期，只知月份的填年月；还没有的不填。")
    elif required and column.kind in (Kind.PERCENT, Kind.QUANTITY):
        parts.append("没有的填0。")
    if last:
        parts.append(f"\n{last}")
    return "".join(parts)
