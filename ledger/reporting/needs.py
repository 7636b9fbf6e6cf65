"""Annex 2 and the targets with what was reported."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger.recording.model import ItemRow, MonthView
from ledger.registry import Registry
from ledger.reporting import figures, sentences
from ledger.reporting.matters import marks
from ledger.reporting.model import Category, IndicatorLine, NeedLine
from ledger.reporting.projects import rows_by_item
from ledger.reporting.rates import MONTHS_IN_YEAR, time_progress, total
from ledger.reporting.texts import clip, joined, sentence, shown
from schemas.columns import NEED_STATUSES
from schemas.month import Month
from schemas.plan import PlanItem, Value
from schemas.tables import INDICATORS, NEEDS

#: From here on a need has a partner and an amount (CONTRACT §3).
SIGNED = frozenset({"已签约", "已开工", "已完成"})
_MOST_TEXT = 300


def _text(item: PlanItem, field: str) -> str:
    value = item.values.get(field)
    return joined(value) if isinstance(value, str) else ""


def _decimal(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def need_lines(view: MonthView, before: MonthView | None, registry: Registry) -> tuple[NeedLine, ...]:
    """Every need of the plan in its order, reported or not."""
    now_rows = rows_by_item(view, NEEDS.key)
    last_rows = rows_by_item(before, NEEDS.key)
    return tuple(
        _need(item, now_rows.get(item.item_id), last_rows.get(item.item_id), view, registry)
        for item in view.plan.of_table(NEEDS.key)
    )


def _need(
    item: PlanItem, row: ItemRow | None, last: ItemRow | None, view: MonthView, registry: Registry
) -> NeedLine:
    def said(field: str) -> str:
        return clip(shown(row.text(field)), _MOST_TEXT) if row else ""

    def fen(field: str) -> int | None:
        return row.fen(field) if row else None

    return NeedLine(
        item_id=item.item_id,
        seq=item.seq,
        name=joined(item.name),
        place=_text(item, "place"),
        scale=_text(item, "scale"),
        period=_text(item, "period"),
        category=_text(item, "category"),
        unit_code=item.unit_code,
        unit_name=registry.names.get(item.unit_code, item.unit_code),
        total_investment=item.fen("total_investment_fen"),
        funds_total=item.fen("funds_total_fen"),
        enterprise_planned=item.fen("enterprise_planned_fen"),
        own_planned=item.fen("self_planned_fen"),
        reported_month=row.reported_month if row else None,
        carried_forward=row.carried_forward if row else False,
        status=row.text("need_status") if row else "",
        status_before=last.text("need_status") if last else "",
        partner=said("partner"),
        signed=fen("signed_amount_fen"),
        enterprise_received=fen("enterprise_received_cum_fen"),
        own_received=fen("self_received_cum_fen"),
        month_progress=said("month_progress"),
        remarks=said("remarks"),
        marks=marks(view.plan, NEEDS.key, item.sheet, item.row),
    )


def categories(lines: Sequence[NeedLine]) -> tuple[Category, ...]:
    """The needs by 类别, in the order in which the plan names them."""
    names = list(dict.fromkeys(line.category for line in lines))
    return tuple(_category(name, [line for line in lines if line.category == name]) for name in names)


def _category(name: str, lines: Sequence[NeedLine]) -> Category:
    return Category(
        name=name or "未分类",
        count=len(lines),
        funds_total=total(line.funds_total for line in lines),
        statuses=tuple(
            (status, sum(1 for line in lines if line.status == status)) for status in NEED_STATUSES
        ),
        unreported=sum(1 for line in lines if line.reported_month is None),
        signed=total(line.signed for line in lines),
        enterprise_received=total(line.enterprise_received for line in lines),
        own_received=total(line.own_received for line in lines),
    )


def signed_count(lines: Sequence[NeedLine], *, before: bool = False) -> int:
    """How many needs are signed or further (at the end of last month with `before`)."""
    return sum(1 for line in lines if (line.status_before if before else line.status) in SIGNED)


def needs_intro(lines: Sequence[NeedLine], *, first: bool) -> tuple[str, ...]:
    """What the needs amount to, and where they stand."""
    if not lines:
        return ()
    planned = total(line.funds_total for line in lines)
    unpriced = sum(1 for line in lines if line.funds_total is None)
    enterprise = total(line.enterprise_planned for line in lines)
    own = total(line.own_planned for line in lines)
    head = sentences.full(
        f"计划列入招商项目需求{len(lines)}个",
        sentences.clauses(
            f"计划资金{figures.wan(planned)}万元",
            f"其中企业投资或社会帮扶{figures.wan(enterprise)}万元" if enterprise else "",
            f"自筹资金{figures.wan(own)}万元" if own else "",
            joint="，",
        )
        if planned
        else "",
        f"{unpriced}个未列金额" if unpriced else "",
        joint="；",
    )
    return tuple(text for text in (head, _needs_standing(lines, first=first)) if text)


def _needs_standing(lines: Sequence[NeedLine], *, first: bool) -> str:
    reported = [line for line in lines if line.reported_month is not None]
    if not reported:
        return "至本月末尚无对接情况报送。"
    signed = signed_count(lines)
    amount = total(line.signed for line in reported if line.status in SIGNED)
    received = total(line.enterprise_received for line in reported)
    own = total(line.own_received for line in reported)
    missing = len(lines) - len(reported)
    contracts = (
        sentences.clauses(
            f"签约及以上{signed}个",
            sentences.change_count(signed, None if first else signed_count(lines, before=True)),
            f"签约金额{figures.wan(amount)}万元" if amount else "",
        )
        if signed
        else "尚无需求签约"
    )
    money = sentences.clauses(
        f"企业投资或社会帮扶累计到位{figures.wan(received)}万元" if received else "",
        f"自筹资金累计到位{figures.wan(own)}万元" if own else "",
    )
    return sentences.full(
        _spread(reported),
        contracts,
        money or ("尚无资金到位" if signed else ""),
        f"{missing}个未报" if missing else "",
        joint="；",
    )


def _spread(reported: Sequence[NeedLine]) -> str:
    """未对接8个、洽谈中6个、已签约2个 / 均为洽谈中."""
    counts = [
        (status, count)
        for status in NEED_STATUSES
        if (count := sum(1 for line in reported if line.status == status))
    ]
    if len(counts) == 1:
        return f"{len(reported)}个需求均为{counts[0][0]}" if len(reported) > 1 else f"需求{counts[0][0]}"
    return f"其中{'、'.join(f'{status}{count}个' for status, count in counts)}" if counts else ""


def needs_news(lines: Sequence[NeedLine]) -> tuple[str, ...]:
    """The needs whose 对接状态 changed this month, with what the unit says about it."""
    return tuple(
        f"{line.name}（{line.status_before}→{line.status}）"
        + (f"：{sentence(line.month_progress)}。" if line.month_progress else "。")
        for line in lines
        if line.status_before and line.status and line.status_before != line.status
    )


def indicator_lines(
    view: MonthView, before: MonthView | None, registry: Registry
) -> tuple[IndicatorLine, ...]:
    """Every indicator in its order, reported or not."""
    now_rows = rows_by_item(view, INDICATORS.key)
    last_rows = rows_by_item(before, INDICATORS.key)
    return tuple(
        _indicator(item, now_rows.get(item.item_id), last_rows.get(item.item_id), view, registry)
        for item in view.plan.of_table(INDICATORS.key)
    )


def _gone(month: Month, year: int) -> int:
    return min(max(month.index - Month(year, 1).index + 1, 1), MONTHS_IN_YEAR)


def _indicator(
    item: PlanItem, row: ItemRow | None, last: ItemRow | None, view: MonthView, registry: Registry
) -> IndicatorLine:
    target = _decimal(item.values.get("target"))
    done = row.number("done_cum") if row else None
    rate = done * 100 / target if done is not None and target else None
    expected = (
        done * MONTHS_IN_YEAR / _gone(view.month, view.plan.year)
        if done is not None and row is not None and not row.carried_forward
        else None
    )
    time = time_progress(view.month, view.plan.year)
    return IndicatorLine(
        item_id=item.item_id,
        seq=item.seq,
        name=joined(item.name),
        unit_of_measure=_text(item, "unit_of_measure"),
        target=target,
        unit_code=item.unit_code,
        unit_name=registry.names.get(item.unit_code, item.unit_code),
        responsible=_text(item, "responsible_units"),
        reported_month=row.reported_month if row else None,
        carried_forward=row.carried_forward if row else False,
        done_month=row.number("done_month") if row else None,
        done=done,
        done_before=last.number("done_cum") if last else None,
        rate=rate,
        expected=expected,
        on_time=None if rate is None else rate >= time,
        evidence=clip(shown(row.text("evidence")), _MOST_TEXT) if row else "",
        remarks=clip(shown(row.text("remarks")), _MOST_TEXT) if row else "",
        marks=marks(view.plan, INDICATORS.key, item.sheet, item.row),
    )


def indicators_intro(lines: Sequence[IndicatorLine], time: Decimal) -> tuple[str, ...]:
    """How many targets are met, on time, behind; which are behind and who answers for them."""
    if not lines:
        return ()
    reported = [line for line in lines if line.rate is not None]
    head = f"工作要点共有量化指标{len(lines)}项"
    if not reported:
        return (f"{head}，至本月末尚无报送。",)
    met = [line for line in reported if line.rate is not None and line.rate >= 100]
    ahead = [line for line in reported if line.on_time and line not in met]
    behind = [line for line in reported if not line.on_time]
    missing = len(lines) - len(reported)
    text = sentences.full(
        f"{head}，序时进度{figures.percent(time)}",
        f"{len(met)}项已完成年度目标" if met else "尚无指标完成年度目标",
        f"{len(ahead)}项达到序时进度" if ahead else "",
        f"{len(behind)}项落后序时进度" if behind else "",
        f"{missing}项未报" if missing else "",
        joint="；",
    )
    names = sentences.listing(
        [f"{line.name}（{line.unit_name}，{figures.percent(line.rate)}）" for line in behind],
        most=8,
        counter="项",
    )
    return (text, f"落后序时进度的是：{names}。") if behind else (text,)
