"""Page one: key figures, the red list's order, the money by month, the three boxes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger.recording.model import MonthView
from ledger.reporting import figures, sentences
from ledger.reporting.model import (
    CorrectionLine,
    Discrepancy,
    KeyFigure,
    Lights,
    MonthPoint,
    NeedLine,
    ProjectLine,
)
from ledger.reporting.needs import signed_count
from ledger.reporting.projects import STARTED, funds_of, rows_by_item, window_pct
from ledger.reporting.rates import MONTHS_IN_YEAR, Funds, Rate, time_progress, together, total
from ledger.reporting.texts import abridged
from schemas.month import Month
from schemas.plan import Plan
from schemas.tables import PROJECTS

_FIRST_TIME = "首次报送"
#: How many matters and corrections page one has room for; the body has them all.
_MOST_NOTES = 4
_MOST_CORRECTIONS = 3
#: So many characters of an item's name leave room for what was corrected, and why.
_LONGEST_NAME = 12


def count_rates(lines: Sequence[ProjectLine], statuses: Sequence[str]) -> dict[str, Rate]:
    """开工率, 完工率 and 验收率 of CONTRACT §5 over the given statuses ('' = never reported)."""
    going = [status for line, status in zip(lines, statuses, strict=True) if line.status != "已取消"]
    started = sum(1 for status in going if status in STARTED)
    finished = sum(1 for status in going if status in {"已完工", "已验收"})
    accepted = sum(1 for status in going if status == "已验收")
    return {
        "started": Rate("开工率", started, len(going), money=False),
        "finished": Rate("完工率", finished, len(going), money=False),
        "accepted": Rate("验收率", accepted, finished, money=False),
    }


def fiscal_before(before: MonthView | None) -> Funds | None:
    """Last month's fiscal funds over all projects, None where there was no last month."""
    if before is None:
        return None
    rows = rows_by_item(before, PROJECTS.key)
    return together(funds_of(item, rows.get(item.item_id))[0] for item in before.plan.of_table(PROJECTS.key))


def own_before(before: MonthView | None) -> Funds | None:
    """Last month's own funds over all projects, None where there was no last month."""
    if before is None:
        return None
    rows = rows_by_item(before, PROJECTS.key)
    return together(funds_of(item, rows.get(item.item_id))[1] for item in before.plan.of_table(PROJECTS.key))


def red_list(lines: Sequence[ProjectLine]) -> tuple[int, ...]:
    """The red projects, longest overdue first, then furthest behind their window."""

    def worst(place: int) -> tuple[float, ...]:
        line = lines[place]
        days = line.late.days if line.late and line.late.days else 0
        gap = (line.window_pct or Decimal(0)) - (line.progress or Decimal(0))
        return (-days, -float(gap), place)

    return tuple(sorted((p for p, line in enumerate(lines) if line.light == "red"), key=worst))


def month_points(views: Sequence[MonthView]) -> tuple[MonthPoint, ...]:
    """Planned by the windows, received and paid (fiscal funds), from the first window to the last.

    `scheduled` spreads each project's planned funds evenly over its window: what would be paid by
    the month's end if every project went by its plan.
    """
    plan = views[-1].plan
    items = plan.of_table(PROJECTS.key)
    starts = [month for item in items if (month := item.start_month()) is not None]
    first = min([*starts, views[0].month])
    first = max(first, Month(plan.year, 1))
    held = {view.month: view for view in views}
    last = max(Month(plan.year, MONTHS_IN_YEAR), views[-1].month)
    points = []
    for index in range(last.index - first.index + 1):
        month = first.plus(index)
        view = held.get(month)
        rows = rows_by_item(view, PROJECTS.key)
        points.append(
            MonthPoint(
                month=month,
                scheduled=_scheduled(plan, month),
                received=total(row.fen("fiscal_received_cum_fen") for row in rows.values()),
                paid=total(row.fen("fiscal_paid_cum_fen") for row in rows.values()),
            )
        )
    return tuple(points)


def _scheduled(plan: Plan, month: Month) -> int | None:
    parts = []
    for item in plan.of_table(PROJECTS.key):
        planned, share = item.fen("fiscal_planned_fen"), window_pct(item, month)
        if planned is not None and share is not None:
            parts.append(int(planned * share / 100))
    return total(parts)


def key_figures(
    *,
    lines: Sequence[ProjectLine],
    needs: Sequence[NeedLine],
    fiscal: Funds,
    before: Funds | None,
    progress: tuple[Decimal | None, Decimal | None],
    window: Decimal | None,
    lights: Lights,
    lights_before: Lights | None,
    month: Month,
    year: int,
) -> tuple[KeyFigure, ...]:
    """The six cards of page one."""
    first = before is None
    rates = count_rates(lines, [line.status for line in lines])
    rates_before = count_rates(lines, [line.status_before for line in lines])
    time = time_progress(month, year)
    return (
        _projects(lines, rates, None if first else rates_before),
        _money(
            "财政资金到位", fiscal.received, fiscal.received_rate, None, before.received if before else None
        ),
        _money(
            "财政资金支付",
            fiscal.paid,
            fiscal.paid_rate,
            fiscal.paid_of_plan,
            before.paid if before else None,
        ),
        KeyFigure(
            "平均形象进度",
            figures.points(progress[0]),
            "%" if progress[0] is not None else "",
            f"窗口{figures.percent(window)} 序时{figures.percent(time)}",
            _FIRST_TIME if first else _points(progress[0], progress[1]),
            _better(figures.difference(progress[0], progress[1])),
        ),
        _signed(needs, first=first),
        _red(lines, lights, lights_before),
    )


def _projects(
    lines: Sequence[ProjectLine], rates: dict[str, Rate], before: dict[str, Rate] | None
) -> KeyFigure:
    counts = [rates[name].numerator or 0 for name in ("started", "finished", "accepted")]
    reported = any(line.reported_month is not None for line in lines)
    step = None if before is None else counts[0] - (before["started"].numerator or 0)
    return KeyFigure(
        "援建项目",
        str(len(lines)),
        "个",
        "开工{} 完工{} 验收{}".format(*counts) if reported else "均未报送",
        _FIRST_TIME if step is None else f"开工较上月{figures.signed(step)}" if step else "开工与上月持平",
        _better(step),
    )


def _money(name: str, amount: int | None, rate: Rate, second: Rate | None, before: int | None) -> KeyFigure:
    step = amount - before if amount is not None and before is not None else None
    detail = f"{rate.name}{figures.percent(rate.pct)}"
    if second is not None:
        detail += f" 占计划{figures.percent(second.pct)}"
    else:
        detail += f" 计划{figures.wan(rate.denominator)}万元"
    return KeyFigure(
        name,
        figures.wan(amount),
        "万元" if amount is not None else "",
        detail,
        _FIRST_TIME if step is None else f"较上月{figures.signed_wan(step)}" if step else "与上月持平",
        _better(step),
    )


def _signed(needs: Sequence[NeedLine], *, first: bool) -> KeyFigure:
    signed = signed_count(needs)
    step = None if first else signed - signed_count(needs, before=True)
    amount = total(line.signed for line in needs)
    reported = any(line.reported_month is not None for line in needs)
    return KeyFigure(
        "招商签约",
        str(signed) if reported else figures.BLANK,
        "个" if reported else "",
        f"共{len(needs)}个 金额{figures.wan(amount)}万元" if amount else f"需求共{len(needs)}个",
        _FIRST_TIME if step is None else f"较上月{figures.signed(step)}" if step else "与上月持平",
        _better(step),
    )


def _red(lines: Sequence[ProjectLine], now: Lights, before: Lights | None) -> KeyFigure:
    step = None if before is None else now.red - before.red
    judged = now.red + now.yellow + now.green > 0
    days = max((line.late.days or 0 for line in lines if line.late), default=0)
    detail = f"黄灯{now.yellow} 绿灯{now.green}"
    if now.unknown:
        detail += f" 未评{now.unknown}"
    elif days:
        detail += f" 最长逾期{days}天"
    return KeyFigure(
        "红灯项目",
        str(now.red) if judged else figures.BLANK,
        "个" if judged else "",
        detail,
        _FIRST_TIME if step is None else f"较上月{figures.signed(step)}" if step else "与上月持平",
        _better(None if step is None else -step),
    )


def _points(now: Decimal | None, before: Decimal | None) -> str:
    step = figures.difference(now, before)
    if step is None:
        return figures.BLANK
    return f"较上月{figures.signed(step)}点" if step else "与上月持平"


def _better(step: Decimal | int | None) -> bool | None:
    return None if not step else step > 0


def matters(found: Sequence[Discrepancy]) -> tuple[str, ...]:
    """The plan's open questions for page one: the gravest first, and how many more there are."""
    grave = [each for each in found if each.grave]
    others = len(found) - len(grave)
    told = [f"{each.brief}。" for each in grave[:_MOST_NOTES]]
    rest = sentences.clauses(
        f"差错{len(grave) - len(told)}处" if len(grave) > len(told) else "",
        f"提示{others}处" if others else "",
        joint="、",
    )
    if rest:
        told.append(f"另有{rest}，见第六部分。" if told else f"计划表有{rest}，见第六部分。")
    return tuple(told) or ("计划没有未决的疑点。",)


def correction_notes(lines: Sequence[CorrectionLine], intro: str = "") -> tuple[str, ...]:
    """The corrections for page one: old → new and why; of a corrected edition without any, `intro`."""
    told = [
        sentences.clauses(
            f"{abridged(line.item_name, _LONGEST_NAME)}{line.month.month}月{line.column}：{line.old}→{line.new}",
            f"原因：{line.reason}" if line.reason else "未说明原因",
            joint="，",
        )
        + "。"
        for line in lines[:_MOST_CORRECTIONS]
    ]
    if len(lines) > len(told):
        told.append(f"另有{len(lines) - len(told)}处，见第七部分。")
    return tuple(told) or (intro or "上期以来没有更正。",)
