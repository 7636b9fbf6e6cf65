"""Chinese composed from figures. Each function returns a whole clause, or '' where there is
nothing to say; none of them knows where its figures come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger.reporting import figures
from ledger.reporting.rates import Funds, Rate
from schemas.month import Month

LIGHT_WORDS = {"red": "红灯", "yellow": "黄灯", "green": "绿灯"}


def clauses(*parts: str, joint: str = "，") -> str:
    """The clauses that have something to say, joined; '' where none has."""
    return joint.join(part for part in parts if part)


def full(*parts: str, joint: str = "，") -> str:
    """`clauses` as a sentence with its full stop; '' where there is nothing to say."""
    text = clauses(*parts, joint=joint)
    return f"{text}。" if text else ""


def listing(names: Sequence[str], most: int = 5, counter: str = "个") -> str:
    """「甲、乙、丙」; beyond `most` names 「甲、乙、丙等8个」."""
    if len(names) <= most:
        return "、".join(names)
    return f"{'、'.join(names[:most])}等{len(names)}{counter}"


def change_points(now: Decimal | None, before: Decimal | None) -> str:
    """较上月提高5.0个百分点 / 较上月下降… / 与上月持平; '' without a last month."""
    step = figures.difference(now, before)
    if step is None:
        return ""
    if step == 0:
        return "与上月持平"
    return f"较上月{'提高' if step > 0 else '下降'}{abs(step)}个百分点"


def change_wan(now: int | None, before: int | None) -> str:
    """较上月增加120.5万元 / 减少 / 与上月持平; '' without a last month."""
    if now is None or before is None:
        return ""
    if now == before:
        return "与上月持平"
    return f"较上月{'增加' if now > before else '减少'}{figures.wan(abs(now - before))}万元"


def change_count(now: int, before: int | None, counter: str = "个") -> str:
    """较上月增加2个 / 减少 / 与上月持平; '' without a last month."""
    if before is None:
        return ""
    if now == before:
        return "与上月持平"
    return f"较上月{'增加' if now > before else '减少'}{abs(now - before)}{counter}"


def change_number(now: Decimal | None, before: Decimal | None, counter: str) -> str:
    """较上月增加12人 / 减少 / 与上月持平; '' where either is missing."""
    if now is None or before is None:
        return ""
    if now == before:
        return "与上月持平"
    return f"较上月{'增加' if now > before else '减少'}{figures.number(abs(now - before))}{counter}"


def against(pct: Decimal | None, measure: Decimal | None, name: str) -> str:
    """落后序时进度34.7个百分点 / 超前… / 与序时进度持平; '' where either is missing."""
    gap = figures.difference(pct, measure)
    if gap is None:
        return ""
    if gap == 0:
        return f"与{name}持平"
    return f"{'超前' if gap > 0 else '落后'}{name}{abs(gap)}个百分点"


def reached(rate: Rate, done: str, noun: str = "项目") -> str:
    """已开工7个，开工率87.5%（7/8） / 全部… / 尚无项目开工，开工率0.0%（0/8）; '' without any item to count."""
    if rate.numerator is None or not rate.denominator:
        return ""
    if rate.numerator == 0:
        return f"尚无{noun}{done}，{rate.text}"
    if rate.numerator == rate.denominator:
        many = f"{rate.denominator}个{noun}全部{done}" if rate.denominator > 1 else f"{noun}已{done}"
        return f"{many}，{rate.text}"
    return f"已{done}{rate.numerator}个，{rate.text}"


def window(start: Month | None, end: Month | None) -> str:
    """2018年5月至10月, 2018年5月至2019年3月, 2018年5月; '' where the plan states none."""
    if start is None or end is None:
        return ""
    if start == end:
        return start.chinese
    last = f"{end.month}月" if end.year == start.year else end.chinese
    return f"{start.chinese}至{last}"


def funds(name: str, money: Funds, before: Funds | None = None) -> str:
    """One source of money in one sentence: planned, received and paid with their rates.

    '' where neither the plan nor the reports state anything of it.
    """
    if not any((money.planned, money.received, money.paid)):
        return ""
    planned = f"{name}计划{figures.wan(money.planned)}万元" if money.planned is not None else name
    if money.received is None and money.paid is None:
        return f"{planned}，尚无到位和支付数据。"
    return clauses(planned, _received(money, before)) + "；" + _paid(money, before) + "。"


def own_funds(name: str, money: Funds) -> str:
    """One source of money in short: planned, received, paid and 支付率; '' where nothing is stated."""
    if not any((money.planned, money.received, money.paid)):
        return ""
    planned = f"{name}计划{figures.wan(money.planned)}万元" if money.planned is not None else name
    if money.received is None and money.paid is None:
        return f"{planned}，尚无到位和支付数据。"
    return full(
        planned,
        _amount("到位", money.received),
        clauses(
            _amount("支付", money.paid),
            money.paid_rate.text if money.paid and money.received else "",
        ),
    )


def _amount(verb: str, fen: int | None) -> str:
    if fen is None:
        return f"{verb}未报"
    return f"{verb}{figures.wan(fen)}万元" if fen else f"尚未{verb}"


def _received(money: Funds, before: Funds | None) -> str:
    if money.received is None:
        return "到位情况未报"
    if money.received == 0:
        return "尚未到位"
    return clauses(
        f"累计到位{figures.wan(money.received)}万元",
        money.received_rate.text if money.planned else "",
        change_wan(money.received, before.received) if before else "",
    )


def _paid(money: Funds, before: Funds | None) -> str:
    if money.paid is None:
        return "支付情况未报"
    if money.paid == 0:
        return "尚未支付"
    return clauses(
        f"累计支付{figures.wan(money.paid)}万元",
        money.paid_rate.text if money.received else "",
        money.paid_of_plan.text if money.planned else "",
        change_wan(money.paid, before.paid) if before else "",
    )


def lights(red: int, yellow: int, green: int, unknown: int) -> str:
    """红灯2个、黄灯1个、绿灯4个，未报1个; '' where nothing can be judged at all."""
    counted = [
        f"{word}{count}个" for word, count in (("红灯", red), ("黄灯", yellow), ("绿灯", green)) if count
    ]
    if not counted:
        return ""
    return clauses("、".join(counted), f"无法评定{unknown}个" if unknown else "")


def conclusion(
    *,
    planned: int | None,
    paid: int | None,
    pct: Decimal | None,
    time: Decimal,
    red: int,
    judged: int,
    unreported: int,
) -> str:
    """The report in one sentence: how much is paid, the gap to time, how many lights are red."""
    if paid is None:
        head = "本月尚无支付数据"
    elif pct is None:
        head = f"财政帮扶资金累计支付{figures.wan(paid)}万元"
    elif paid == 0:
        head = clauses("财政帮扶资金尚未支付", against(pct, time, "序时进度"))
    else:
        head = clauses(f"财政帮扶资金计划支付率{figures.percent(pct)}", against(pct, time, "序时进度"))
    if not judged:
        tail = ""
    elif red:
        tail = f"{red}个项目亮红灯"
    else:
        tail = "没有项目亮红灯" if not unreported else "已报项目没有亮红灯的"
    missing = f"{unreported}个项目未报" if unreported else ""
    return clauses(head, tail, missing, joint="；")


def benefit(households: Decimal | None, persons: Decimal | None) -> str:
    """受益贫困户175户、贫困人口629人; '' where neither was reported."""
    parts = []
    if households is not None:
        parts.append(f"贫困户{figures.number(households)}户")
    if persons is not None:
        parts.append(f"贫困人口{figures.number(persons)}人")
    return f"受益{'、'.join(parts)}" if parts else ""


def late_text(kind: str, due: Month, days: int) -> str:
    """应于2018年5月开工，已逾期122天."""
    return f"应于{due.chinese}{'开工' if kind == 'start' else '验收'}，已逾期{days}天"


def behind_text(gap: Decimal, months: Decimal) -> str:
    """落后窗口进度18.3个百分点，约1.1个月."""
    return f"落后窗口进度{figures.rounded(gap)}个百分点，约{figures.rounded(months)}个月"
