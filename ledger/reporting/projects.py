"""Annex 1 with what was reported: each project's line, its light, its paragraph; the sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ledger.checking import lights as judging
from ledger.recording.model import ItemRow, MonthView
from ledger.registry import Registry
from ledger.reporting import figures, sentences
from ledger.reporting.matters import marks
from ledger.reporting.model import Late, Lights, ProjectLine, Section
from ledger.reporting.rates import Funds, mean, time_progress, together
from ledger.reporting.texts import clip, heading, joined, sentence, shown
from schemas.month import Month, PartialDate
from schemas.plan import PlanItem, Value
from schemas.tables import PROJECTS

CANCELLED = judging.CANCELLED
STARTED = frozenset({"在建", "已完工", "已验收"})
FINISHED = frozenset({"已完工", "已验收"})
ACCEPTED = judging.ACCEPTED
_MOST_TEXT = 300


def rows_by_item(view: MonthView | None, table: str) -> Mapping[str, ItemRow]:
    """A view's rows of a table by item id; empty without a view."""
    if view is None:
        return {}
    return {row.item_id: row for row in view.rows.get(table, ())}


def project_lines(view: MonthView, before: MonthView | None, registry: Registry) -> tuple[ProjectLine, ...]:
    """Every project of the plan in its order, reported or not."""
    now_rows = rows_by_item(view, PROJECTS.key)
    last_rows = rows_by_item(before, PROJECTS.key)
    return tuple(
        _line(item, now_rows.get(item.item_id), last_rows.get(item.item_id), view, registry)
        for item in view.plan.of_table(PROJECTS.key)
    )


def window_pct(item: PlanItem, at: Month) -> Decimal | None:
    """Window progress of a planned project, 0–100; None where the plan states no whole window."""
    start, end = item.start_month(), item.accept_month()
    if start is None or end is None:
        return None
    share = judging.window_progress(start, end, at)
    return Decimal(share.numerator) * 100 / Decimal(share.denominator)


def light_of(item: PlanItem, row: ItemRow | None, at: Month) -> str:
    """red, yellow, green; '' where the project was never reported, is cancelled or has no window."""
    if row is None:
        return ""
    status = row.text("status") or None
    progress = row.number("progress_pct")
    return judging.light(status, progress, item.start_month(), item.accept_month(), at) or ""


def lateness(item: PlanItem, row: ItemRow | None, at: Month) -> Late | None:
    """What a red project is late for; None where it is not red."""
    if row is None or light_of(item, row, at) != judging.RED:
        return None
    start, end = item.start_month(), item.accept_month()
    status = row.text("status")
    if status == judging.NOT_STARTED and start is not None and at > start:
        days = (at.last_day - start.last_day).days
        return Late("start", sentences.late_text("start", start, days), days)
    if status != judging.ACCEPTED and end is not None and at > end:
        days = (at.last_day - end.last_day).days
        return Late("accept", sentences.late_text("accept", end, days), days)
    progress, due = row.number("progress_pct"), window_pct(item, at)
    if progress is None or due is None or start is None or end is None:
        return None
    gap = due - progress
    months = gap * judging.window_months(start, end) / 100
    return Late("behind", sentences.behind_text(gap, months), None)


def _own(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _date(value: Value) -> PartialDate | None:
    return value if isinstance(value, PartialDate) else None


def _fen(row: ItemRow | None, field: str) -> int | None:
    return row.fen(field) if row is not None else None


def funds_of(item: PlanItem, row: ItemRow | None) -> tuple[Funds, Funds]:
    """Fiscal and own funds of a project: (财政帮扶资金, 自筹资金)."""
    fiscal = Funds(
        item.fen("fiscal_planned_fen"),
        _fen(row, "fiscal_received_cum_fen"),
        _fen(row, "fiscal_paid_cum_fen"),
    )
    own = Funds(
        item.fen("self_planned_fen"),
        _fen(row, "self_received_cum_fen"),
        _fen(row, "self_paid_cum_fen"),
    )
    return fiscal, own


def _line(
    item: PlanItem, row: ItemRow | None, last: ItemRow | None, view: MonthView, registry: Registry
) -> ProjectLine:
    at = view.month
    fiscal, own = funds_of(item, row)
    values: Mapping[str, Value] = row.values if row is not None else {}
    texts = {name: shown(row.text(name)) if row else "" for name in ("problems", "measures", "remarks")}
    line = ProjectLine(
        item_id=item.item_id,
        seq=item.seq,
        name=joined(item.name),
        place=joined(_text(item, "place")),
        scale=joined(_text(item, "scale")),
        benefit=joined(_text(item, "benefit")),
        section=tuple(heading(part) for part in item.section),
        unit_code=item.unit_code,
        unit_name=registry.names.get(item.unit_code, item.unit_code),
        lead_unit=joined(_text(item, "lead_unit")),
        total_investment=item.fen("total_investment_fen"),
        funds_total=item.fen("funds_total_fen"),
        fiscal=fiscal,
        own=own,
        window_start=item.start_month(),
        window_end=item.accept_month(),
        window_pct=window_pct(item, at),
        reported_month=row.reported_month if row else None,
        carried_forward=row.carried_forward if row else False,
        status=row.text("status") if row else "",
        status_before=last.text("status") if last else "",
        progress=_own(values.get("progress_pct")),
        progress_before=last.number("progress_pct") if last else None,
        light=light_of(item, row, at),
        light_before=light_of(item, last, at.plus(-1)),
        late=lateness(item, row, at),
        started=_date(values.get("start_actual")),
        finished=_date(values.get("finish_actual")),
        accepted=_date(values.get("accept_actual")),
        invested=_fen(row, "invested_cum_fen"),
        fiscal_paid_month=_fen(row, "fiscal_paid_month_fen"),
        own_paid_month=_fen(row, "self_paid_month_fen"),
        households=_own(values.get("poor_households")),
        persons=_own(values.get("poor_persons")),
        problems=clip(texts["problems"], _MOST_TEXT),
        measures=clip(texts["measures"], _MOST_TEXT),
        remarks=clip(texts["remarks"], _MOST_TEXT),
        marks=marks(view.plan, PROJECTS.key, item.sheet, item.row),
        paragraph="",
    )
    return replace(line, paragraph=_paragraph(line, view))


def _text(item: PlanItem, field: str) -> str:
    value = item.values.get(field)
    return value if isinstance(value, str) else ""


def _paragraph(line: ProjectLine, view: MonthView) -> str:
    """The project in words: standing, money, benefit, problem, measure."""
    if line.reported_month is None:
        window = sentences.window(line.window_start, line.window_end)
        return (
            sentences.clauses(
                f"{line.unit_name}尚未报送，没有可用数据",
                f"计划窗口{window}，窗口进度{figures.percent(line.window_pct)}" if window else "",
                joint="；",
            )
            + "。"
            + sentences.funds("财政帮扶资金", line.fiscal)
            + sentences.own_funds("自筹资金", line.own)
        )
    carried = f"沿用{line.reported_month.chinese}数：" if line.carried_forward else ""
    if line.status == CANCELLED:
        return carried + "项目已取消" + (f"（{sentence(line.remarks)}）。" if line.remarks else "。")
    return carried + "".join(
        (
            _standing(line, view),
            sentences.funds("财政帮扶资金", line.fiscal),
            sentences.own_funds("自筹资金", line.own),
            sentences.full(_invested(line), sentences.benefit(line.households, line.persons)),
            f"存在问题：{sentence(line.problems)}。" if line.problems else "",
            f"下步措施：{sentence(line.measures)}。" if line.measures else "",
        )
    )


def _standing(line: ProjectLine, view: MonthView) -> str:
    change = "" if line.carried_forward else sentences.change_points(line.progress, line.progress_before)
    window = sentences.window(line.window_start, line.window_end)
    light = sentences.LIGHT_WORDS.get(line.light, "")
    why = f"（{line.late.text}）" if line.late else ""
    return sentences.full(
        sentences.clauses(line.status, _progress(line), change),
        sentences.clauses(
            f"计划窗口{window}" if window else "",
            f"窗口进度{figures.percent(line.window_pct)}" if line.window_pct is not None else "",
            f"序时进度{figures.percent(time_progress(view.month, view.plan.year))}",
            f"亮{light}{why}" if light else "",
        ),
        joint="；",
    )


def _progress(line: ProjectLine) -> str:
    return f"形象进度{figures.number(line.progress)}%" if line.progress is not None else ""


def _invested(line: ProjectLine) -> str:
    return f"累计完成投资{figures.wan(line.invested)}万元" if line.invested else ""


def count_lights(lines: Sequence[ProjectLine], *, before: bool = False) -> Lights:
    """How many of the projects show which light (last month's with `before`)."""
    shown_lights = [line.light_before if before else line.light for line in lines]
    judged = {name: shown_lights.count(name) for name in ("red", "yellow", "green")}
    cancelled = sum(1 for line in lines if line.status == CANCELLED)
    return Lights(**judged, unknown=len(lines) - sum(judged.values()) - cancelled)


def active(lines: Sequence[ProjectLine]) -> tuple[ProjectLine, ...]:
    """The projects that are not cancelled: what averages and rates of start are taken over."""
    return tuple(line for line in lines if line.status != CANCELLED)


def section_light(progress: Decimal | None, window: Decimal | None) -> str:
    """A section's colour: its mean progress against its mean window, by the projects' own rule."""
    if progress is None or window is None:
        return ""
    behind = window - progress
    if behind <= 0:
        return judging.GREEN
    return judging.YELLOW if behind <= judging.TOLERANCE else judging.RED


def sections(lines: Sequence[ProjectLine]) -> tuple[Section, ...]:
    """The plan's sections in its order, each with its projects together."""
    paths = list(dict.fromkeys(line.section for line in lines))
    return tuple(
        _section(path, [(place, line) for place, line in enumerate(lines) if line.section == path])
        for path in paths
    )


def reported_window(lines: Sequence[ProjectLine]) -> Decimal | None:
    """Mean window progress of the projects that have a progress to compare it with."""
    return mean(line.window_pct for line in active(lines) if line.progress is not None)


def _section(path: tuple[str, ...], placed: Sequence[tuple[int, ProjectLine]]) -> Section:
    lines = [line for _, line in placed]
    going = active(lines)
    progress = mean(line.progress for line in going)
    fresh = any(not line.carried_forward for line in going if line.progress is not None)
    before = mean(line.progress_before for line in going) if fresh else None
    window = reported_window(lines)
    counted = count_lights(lines)
    fiscal = together(line.fiscal for line in lines)
    own = together(line.own for line in lines)
    name = path[-1] if path else "援建项目"
    told = sentences.full(
        f"{name}共{len(lines)}个项目" if len(lines) > 1 else "",
        sentences.clauses(
            f"平均形象进度{figures.percent(progress)}",
            sentences.change_points(progress, before),
            sentences.against(progress, window, "平均窗口进度"),
        )
        if progress is not None and len(lines) > 1
        else "",
        sentences.lights(counted.red, counted.yellow, counted.green, counted.unknown)
        if len(lines) > 1
        else "",
        joint="；",
    )
    return Section(
        name=name,
        path=path,
        count=len(lines),
        progress=progress,
        progress_before=before,
        window_pct=window,
        light=section_light(progress, window),
        lights=counted,
        fiscal=fiscal,
        own=own,
        projects=tuple(place for place, _ in placed),
        sentence=told + (sentences.funds("财政帮扶资金", fiscal) if len(lines) > 1 else ""),
    )
