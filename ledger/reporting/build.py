"""The county report from the ledger's views: a pure function.

The same views and the same registry give the same report: no clock, no chance, no order that is
not the plan's or the registry's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ledger.calendar import SHANGHAI
from ledger.recording.model import MonthView
from ledger.registry import Registry
from ledger.reporting import figures, front, sentences
from ledger.reporting.annexes import annex1, annex2
from ledger.reporting.matters import corrections, corrections_intro, discrepancies, returns
from ledger.reporting.model import Benefit, CountyReport, Discrepancy, ProjectLine, Words
from ledger.reporting.needs import (
    categories,
    indicator_lines,
    indicators_intro,
    need_lines,
    needs_intro,
    needs_news,
)
from ledger.reporting.projects import (
    active,
    count_lights,
    project_lines,
    reported_window,
    rows_by_item,
    sections,
)
from ledger.reporting.rates import mean, time_progress, together, total, total_number
from ledger.reporting.units import Owned, in_registry_order, quality, reporting, unit_lines
from schemas.tables import ANNEX1, ANNEX2, PROJECTS

#: What the annexes are called where the registry says nothing: the plan's words, and ours.
_ANNEX_TITLES = {
    "annex1": ANNEX1.title.replace("计划表", "进度表"),
    "annex2": ANNEX2.title.replace("需求表", "需求对接表"),
}
#: The rule of a row put right because the repair is proved.
_RESTORED = "F17"


def build_county_report(
    views: Sequence[MonthView],
    registry: Registry,
    *,
    draft: bool = True,
    edition: int = 1,
    signatory: str = "",
) -> CountyReport:
    """The county's report for the month of the last view.

    `views` run from the programme's first month to the report's month, all as of one moment. A
    missing month between them is taken as "no last month". `signatory` approved the edition. Raises ValueError without any view.
    """
    if not views:
        raise ValueError("a report needs at least the view of its own month")
    view = views[-1]
    before = next((each for each in views if each.month == view.month.plus(-1)), None)
    found = discrepancies(view.plan)
    lines = project_lines(view, before, registry)
    needs = need_lines(view, before, registry)
    indicators = indicator_lines(view, before, registry)
    units = unit_lines(view, lines, needs, indicators, registry)
    returned = returns(view, registry)
    corrected = corrections(views, registry)
    told = corrections_intro(views, registry)
    going = active(lines)
    progress = mean(line.progress for line in going)
    progress_before = mean(line.progress_before for line in going) if before else None
    window = reported_window(lines)
    fiscal, own = together(line.fiscal for line in lines), together(line.own for line in lines)
    last_fiscal, last_own = front.fiscal_before(before), front.own_before(before)
    lights = count_lights(lines)
    lights_before = count_lights(lines, before=True) if before else None
    rates = front.count_rates(lines, [line.status for line in lines])
    time = time_progress(view.month, view.plan.year)
    unreported = sum(1 for line in lines if line.reported_month is None)
    benefit = Benefit(
        total_number(line.households for line in lines),
        total_number(line.persons for line in lines),
        total_number(row.number("poor_persons") for row in rows_by_item(before, PROJECTS.key).values()),
    )
    conclusion = sentences.conclusion(
        planned=fiscal.planned,
        paid=fiscal.paid,
        pct=fiscal.paid_of_plan.pct,
        time=time,
        red=lights.red,
        judged=lights.red + lights.yellow + lights.green,
        unreported=unreported,
    )
    owned: list[Owned] = [*lines, *needs, *indicators]
    return CountyReport(
        words=words(registry),
        month=view.month,
        plan_year=view.plan.year,
        plan_version=view.plan.version,
        issue=view.month.month,
        edition=edition,
        draft=draft,
        as_of=view.as_of,
        day=report_day(view),
        deadline=view.deadline,
        time_progress=time,
        first=before is None,
        conclusion=conclusion,
        key_figures=front.key_figures(
            lines=lines,
            needs=needs,
            fiscal=fiscal,
            before=last_fiscal,
            progress=(progress, progress_before),
            window=window,
            lights=lights,
            lights_before=lights_before,
            month=view.month,
            year=view.plan.year,
        ),
        fiscal=fiscal,
        own=own,
        fiscal_before=last_fiscal,
        started=rates["started"],
        finished=rates["finished"],
        accepted=rates["accepted"],
        progress=progress,
        progress_before=progress_before,
        window_pct=window,
        lights=lights,
        lights_before=lights_before,
        benefit=benefit,
        sections=sections(lines),
        units=units,
        units_in_order=in_registry_order(units, registry),
        red=front.red_list(lines),
        money=front.month_points(views),
        quality=quality(units, owned),
        quality_brief="".join(quality(units, owned, most=3)),
        correction_notes=front.correction_notes(corrected, told if edition > 1 else ""),
        matters=front.matters(found),
        overview=_overview(view, lines, rates, (fiscal, last_fiscal), (own, last_own), benefit, found),
        projects_intro=_projects_intro(lines, progress, progress_before, window, time),
        projects=lines,
        needs_intro=needs_intro(needs, first=before is None),
        needs_news=needs_news(needs),
        categories=categories(needs),
        needs=needs,
        indicators_intro=indicators_intro(indicators, time),
        indicators=indicators,
        reporting=reporting(view, units, returned),
        returns=returned,
        discrepancies=found,
        discrepancies_intro=_open_questions(found),
        corrections=corrected,
        corrections_intro=told,
        annex1=annex1(view.plan, lines, f"{view.plan.year}年{annex_title(registry, 'annex1')}"),
        annex2=annex2(view.plan, needs, f"{view.plan.year}年{annex_title(registry, 'annex2')}"),
        signatory="" if draft else signatory,
    )


def annex_title(registry: Registry, annex: str) -> str:
    """The title of ``annex1`` or ``annex2`` without the year: the registry's, else a plain one."""
    report: Mapping[str, Any] = registry.programme.get("report", {})
    return str(report.get(f"{annex}_title", _ANNEX_TITLES[annex]))


def report_day(view: MonthView) -> date:
    """The report's date, from the ledger alone: its as-of day, else the last receipt's, else the
    month's last day."""
    if view.as_of is not None:
        return view.as_of.astimezone(SHANGHAI).date()
    received = [row.received_at for row in view.submissions]
    return max(received).astimezone(SHANGHAI).date() if received else view.month.last_day


def words(registry: Registry) -> Words:
    """The programme's words. What the registry leaves out stays blank on the page."""
    programme = registry.programme
    report: Mapping[str, Any] = programme.get("report", {})
    sample = bool(programme.get("sample", False))
    return Words(
        programme=str(programme.get("name", "")),
        county=str(programme.get("county", "")),
        partner=str(programme.get("partner", "")),
        document_number=str(programme.get("document_number", "")),
        masthead=str(report.get("masthead", programme.get("name", ""))),
        issuer=str(report.get("issuer", registry.names.get(registry.coordinating_unit, ""))),
        title=str(report.get("title", programme.get("name", ""))),
        addressees=str(report.get("addressees", "")),
        report_to=tuple(report.get("report_to", ())),
        send_to=tuple(report.get("send_to", ())),
        distribute_to=tuple(report.get("distribute_to", ())),
        copies=int(report.get("copies", 0)),
        sample_notice=str(programme.get("sample_notice", "")) if sample else "",
    )


def _overview(
    view: MonthView,
    lines: Sequence[ProjectLine],
    rates: Mapping[str, Any],
    fiscal: tuple[Any, Any],
    own: tuple[Any, Any],
    benefit: Benefit,
    found: Sequence[Discrepancy],
) -> tuple[str, ...]:
    """一、总体情况: what was planned, what is started and finished, the money, the people."""
    if not lines:
        return (f"{view.plan.year}年计划没有援建项目。",)
    day = view.month.last_day
    upto = f"截至{day.year}年{day.month}月{day.day}日"
    cancelled = sum(1 for line in lines if line.status == "已取消")
    unreported = sum(1 for line in lines if line.reported_month is None)
    standing = (
        sentences.full(
            sentences.reached(rates["started"], "开工"),
            sentences.reached(rates["finished"], "完工"),
            sentences.reached(rates["accepted"], "验收", "完工项目") if rates["finished"].numerator else "",
            f"已取消{cancelled}个" if cancelled else "",
            f"另有{unreported}个项目未报，未计入" if unreported else "",
            joint="；",
        )
        if unreported < len(lines)
        else "各项目均未报送，没有进度数据。"
    )
    people = sentences.benefit(benefit.households, benefit.persons)
    return tuple(
        text
        for text in (
            f"{_planned(view, lines, found)}",
            f"{upto}，{standing}",
            sentences.funds("财政帮扶资金", fiscal[0], fiscal[1]) + _gap(fiscal[0], view),
            sentences.funds("自筹资金", own[0], own[1]),
            sentences.full(
                f"援建项目累计{people}" if people else "",
                sentences.change_number(benefit.persons, benefit.persons_before, "人"),
            )
            if people
            else "",
        )
        if text
    )


def _gap(fiscal: Any, view: MonthView) -> str:
    time = time_progress(view.month, view.plan.year)
    told = sentences.against(fiscal.paid_of_plan.pct, time, f"序时进度（{figures.percent(time)}）")
    return f"计划支付率{told}。" if told else ""


def _planned(view: MonthView, lines: Sequence[ProjectLine], found: Sequence[Discrepancy]) -> str:
    """The plan's money as it states it, with a word where its parts do not make the whole."""
    stated = total(line.funds_total for line in lines)
    fiscal = total(line.fiscal.planned for line in lines)
    own = total(line.own.planned for line in lines)
    head = f"{view.plan.year}年计划安排援建项目{len(lines)}个"
    if stated is None:
        return f"{head}。"
    parts = sentences.clauses(
        f"财政帮扶资金{figures.wan(fiscal)}万元" if fiscal is not None else "",
        f"自筹资金{figures.wan(own)}万元" if own is not None else "",
        joint="、",
    )
    known = (fiscal or 0) + (own or 0)
    doubt = ""
    if parts and known != stated:
        doubt = f"（计划原文如此，两项之和为{figures.wan(known)}万元"
        doubt += "，见第六部分）" if found else "）"
    return sentences.full(
        f"{head}，计划资金{figures.wan(stated)}万元", f"其中{parts}{doubt}" if parts else ""
    )


def _projects_intro(
    lines: Sequence[ProjectLine], progress: Any, before: Any, window: Any, time: Any
) -> tuple[str, ...]:
    """The opening of 二、援建项目: mean progress against window and year, the lights, who is red."""
    counted = count_lights(lines)
    if progress is None:
        return ()
    told = sentences.full(
        sentences.clauses(
            f"援建项目平均形象进度{figures.percent(progress)}",
            sentences.change_points(progress, before),
        ),
        sentences.clauses(
            f"平均窗口进度{figures.percent(window)}" if window is not None else "",
            f"序时进度{figures.percent(time)}",
            sentences.against(progress, window, "窗口进度"),
        ),
        sentences.lights(counted.red, counted.yellow, counted.green, counted.unknown),
        joint="；",
    )
    red = [lines[place].name for place in front.red_list(lines)]
    return tuple(
        text for text in (told, f"亮红灯的是：{sentences.listing(red, most=8)}。" if red else "") if text
    )


def _open_questions(found: Sequence[Discrepancy]) -> str:
    if not found:
        return "计划没有未决的疑点。"
    grave = sum(1 for each in found if each.grave)
    restored = sum(1 for each in found if each.rule == _RESTORED)
    others = "其余均按计划原文列示，未作改动" if restored else "均按计划原文列示，未作改动"
    return sentences.full(
        sentences.clauses(
            f"计划表尚有{len(found)}处存疑",
            sentences.clauses(
                f"差错{grave}处" if grave else "",
                f"提示{len(found) - grave}处" if len(found) - grave else "",
                joint="、",
            ),
        ),
        sentences.clauses(f"经验算证明错列的{restored}行已还原" if restored else "", others),
        "由计划印发单位核实，更正后的计划登记后销号",
        joint="；",
    )
