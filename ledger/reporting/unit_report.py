"""A unit's own report from the county's: a pure function of it and of the month's view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from ledger.calendar import SHANGHAI, deadline
from ledger.recording.model import MonthView
from ledger.registry import Registry
from ledger.reporting import figures, sentences
from ledger.reporting.matters import EFFECTS, place_of
from ledger.reporting.model import CountyReport, KeyFigure, ProjectLine, UnitLine
from ledger.reporting.rates import mean
from ledger.reporting.texts import clip, joined, shown
from ledger.reporting.unit_model import Rank, Returned, Task, UnitReport
from schemas.finding import Effect

#: The effect that lets a figure stand but asks for an answer.
_ANSWER = EFFECTS[Effect.MUST_BE_ANSWERED]
_MOST_TEXT = 300
_MOST_RETURNED = 40


def build_unit_reports(report: CountyReport, view: MonthView, registry: Registry) -> tuple[UnitReport, ...]:
    """The reports of all units that must report, in the registry's order."""
    return tuple(build_unit_report(report, unit, view, registry) for unit in report.units_in_order)


def build_unit_report(
    report: CountyReport, unit: UnitLine, view: MonthView, registry: Registry
) -> UnitReport:
    """One unit's report. `view` is the view the county's report was built for."""
    projects = tuple(line for line in report.projects if line.unit_code == unit.code)
    returned = _returned(view, unit.code)
    due = deadline(report.month.plus(1), registry.deadline_day).day
    tasks = _tasks(report, unit, projects, returned, due)
    return UnitReport(
        county=report,
        unit=unit,
        conclusion=_conclusion(unit, tasks),
        key_figures=_cards(unit, projects, returned),
        tasks=tasks,
        ranks=_ranks(report.units, unit),
        standing=_standing(report, unit),
        projects=projects,
        needs=tuple(line for line in report.needs if line.unit_code == unit.code),
        indicators=tuple(line for line in report.indicators if line.unit_code == unit.code),
        returned=returned,
        corrections=tuple(line for line in report.corrections if line.unit_name == unit.name),
        due=due,
    )


def _returned(view: MonthView, code: str) -> tuple[Returned, ...]:
    """What is open of what went back to the unit, as it went back, with what to do."""
    rows = [row for row in view.findings if row.unit_code == code and row.open]
    return tuple(
        Returned(
            file=clip(joined(row.finding.file), _MOST_TEXT),
            place=place_of(row.finding),
            effect=EFFECTS[row.finding.effect],
            message=clip(shown(row.finding.message), _MOST_TEXT),
            remedy=clip(shown(row.finding.remedy), _MOST_TEXT),
        )
        for row in rows
        if row.finding.effect in EFFECTS
    )[:_MOST_RETURNED]


def _tasks(
    report: CountyReport,
    unit: UnitLine,
    projects: Sequence[ProjectLine],
    returned: Sequence[Returned],
    due: date,
) -> tuple[Task, ...]:
    """What the unit has to do, the urgent first, the next report last."""
    month = report.month.chinese
    own = report.deadline.astimezone(SHANGHAI).date() if report.deadline is not None else None
    # a report made before the day is over still leaves time
    soon = own if own is not None and report.day <= own else None
    tasks: list[Task] = []
    if unit.state == "missing":
        tasks.append(Task(f"补报{month}报表", soon, grave=True))
    answers = sum(1 for each in returned if each.effect == _ANSWER)
    if len(returned) > answers:
        tasks.append(
            Task(f"按退回单更正{len(returned) - answers}处，整份重报（明细见下表）", soon, grave=True)
        )
    if answers:
        tasks.append(Task(f"对{answers}处须答复的数字作出说明（填“更正说明”或“备注”）", soon, grave=True))
    if unit.carried and unit.state != "missing":
        tasks.append(Task(f"补报沿用以前月份数的{unit.carried}项", soon, grave=True))
    red = [line for line in projects if line.light == "red" and line.reported_month is not None]
    silent = [line for line in red if not (line.problems and line.measures)]
    if silent:
        names = sentences.listing([line.name for line in silent], most=3)
        tasks.append(Task(f"写明亮红灯项目的存在问题和下步措施：{names}", soon or due, grave=True))
    if len(red) > len(silent):
        spoken = [line.name for line in red if line not in silent]
        tasks.append(
            Task(
                f"落实亮红灯项目的措施，下月报表写明结果：{sentences.listing(spoken, most=3)}",
                due,
                grave=True,
            )
        )
    marked = sorted({number for line in projects for _, number in line.marks})
    if marked:
        numbers = "、".join(f"※{number}" for number in marked)
        tasks.append(Task(f"协助核实计划存疑事项{numbers}（见全县月报第六部分）", due, grave=False))
    following = report.month.plus(1).chinese
    kind = "报表" if unit.items else "零报告"
    tasks.append(Task(f"报送{following}{kind}", due, grave=False))
    return tuple(tasks)


def _conclusion(unit: UnitLine, tasks: Sequence[Task]) -> str:
    urgent = sum(1 for task in tasks if task.grave)
    return sentences.clauses(
        f"本月报送：{unit.state_text}",
        sentences.lights(unit.lights.red, unit.lights.yellow, unit.lights.green, 0),
        f"有{urgent}件事要办" if urgent else "没有要补办的事",
        joint="；",
    )


def _cards(
    unit: UnitLine, projects: Sequence[ProjectLine], returned: Sequence[Returned]
) -> tuple[KeyFigure, ...]:
    progress = unit.progress
    window = mean(line.window_pct for line in projects if line.progress is not None)
    change = figures.BLANK
    if unit.progress_change is not None:
        change = f"较上月{figures.signed(unit.progress_change)}点" if unit.progress_change else "与上月持平"
    cards = [
        KeyFigure(
            "本月报送",
            unit.state_text,
            "",
            f"应报{unit.items}项" if unit.items else "无应报事项，报零报告即可",
            f"沿用{unit.carried}项" if unit.carried else "没有沿用以前月份的数",
            False if unit.grave else None,
        ),
        KeyFigure(
            "待更正、答复",
            str(len(returned)),
            "处",
            f"差错{unit.errors} 提示{unit.warnings}",
            "见下表" if returned else "没有",
            False if returned else None,
        ),
    ]
    if projects:
        cards += [
            KeyFigure(
                "平均形象进度",
                figures.points(progress),
                "%" if progress is not None else "",
                f"窗口{figures.percent(window)}",
                change,
                None if not unit.progress_change else unit.progress_change > 0,
            ),
            KeyFigure(
                "财政资金支付",
                figures.wan(unit.fiscal.paid),
                "万元" if unit.fiscal.paid is not None else "",
                f"支付率{figures.percent(unit.fiscal.paid_rate.pct)}",
                f"到位{figures.wan(unit.fiscal.received)} 计划{figures.wan(unit.fiscal.planned)}",
                None,
            ),
        ]
    return tuple(cards)


def _ranks(units: Sequence[UnitLine], unit: UnitLine) -> tuple[Rank, ...]:
    """Where the unit stands among the others that have the figure; '' of a single one is no rank."""
    measures: tuple[tuple[str, Callable[[UnitLine], Decimal | None]], ...] = (
        ("平均形象进度", lambda line: line.progress),
        ("财政资金支付率", lambda line: line.fiscal.paid_rate.pct),
        ("财政资金计划支付率", lambda line: line.fiscal.paid_of_plan.pct),
    )
    found = []
    for name, measure in measures:
        mine = measure(unit)
        known = [pct for line in units if (pct := measure(line)) is not None]
        middle = mean(known)
        if mine is None or middle is None or len(known) < 2:
            continue
        ahead = sum(1 for pct in known if figures.rounded(pct) > figures.rounded(mine))
        found.append(Rank(name, mine, ahead + 1, len(known), middle))
    return tuple(found)


def _standing(report: CountyReport, unit: UnitLine) -> tuple[str, ...]:
    """How the unit's reporting went, in sentences."""
    due = report.deadline
    day = due.astimezone(SHANGHAI) if due is not None else None
    first = _moment("首次收到", unit.first_received_at)
    accepted = _moment("首次通过", unit.first_accepted_at)
    told = sentences.full(
        f"{report.month.chinese}数据报送截止日为{day.month}月{day.day}日" if day else "",
        first or "至今未收到报表",
        accepted if first else "",
        f"迟{unit.days_late}天" if unit.days_late else "",
        f"现为第{unit.version}版" if unit.version > 1 else "",
    )
    stands = sentences.full(
        f"应报{unit.items}项" if unit.items else "没有应报事项",
        f"其中{unit.carried}项沿用以前月份数" if unit.carried else "",
        f"{unit.unreported}项从未报送" if unit.unreported else "",
    )
    return tuple(text for text in (told, stands) if text)


def _moment(word: str, moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(SHANGHAI)
    return f"{word}{local.month}月{local.day}日{local:%H:%M}"
