"""Who reported, when, what stands; and how each unit's projects go."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.calendar import SHANGHAI
from ledger.recording.model import MonthView, UnitStanding
from ledger.registry import Registry
from ledger.reporting import figures, sentences
from ledger.reporting.model import (
    IndicatorLine,
    NeedLine,
    ProjectLine,
    ReturnLine,
    UnitLine,
)
from ledger.reporting.projects import active, count_lights
from ledger.reporting.rates import Rate, mean, together

#: The ledger's words for what became of a unit's month (ledger.recording.model.UnitStanding).
_MISSING, _RECEIVED, _RETURNED, _IN_PART, _ACCEPTED, _NIL = (
    "missing",
    "received",
    "returned",
    "in_part",
    "accepted",
    "nil",
)
_STATE_TEXT = {_MISSING: "未报", _RECEIVED: "待核", _RETURNED: "退回"}
#: What is worse comes first in the unit table.
_GRAVITY = {_MISSING: 0, _RETURNED: 1, _RECEIVED: 2, _IN_PART: 3, _ACCEPTED: 4, _NIL: 5}

Owned = ProjectLine | NeedLine | IndicatorLine


def state_text(standing: UnitStanding) -> str:
    """按时, 迟报2天, 部分退回, 零报告, 未报, 退回, 待核."""
    if standing.state in _STATE_TEXT:
        return _STATE_TEXT[standing.state]
    late = f"迟报{standing.days_late}天" if standing.days_late else "迟报"
    if standing.state == _IN_PART:
        return f"{late}·部分退回" if standing.timely is False else "部分退回"
    if standing.state == _NIL:
        return "零报告" if standing.timely is not False else f"零报告·{late}"
    return late if standing.timely is False else "按时"


def unit_lines(
    view: MonthView,
    projects: Sequence[ProjectLine],
    needs: Sequence[NeedLine],
    indicators: Sequence[IndicatorLine],
    registry: Registry,
) -> tuple[UnitLine, ...]:
    """The units that must report, worst first: red lights, reporting, yellow lights, the gap."""
    lines = [
        _line(
            standing,
            [line for line in projects if line.unit_code == standing.unit_code],
            [
                *(line for line in needs if line.unit_code == standing.unit_code),
                *(line for line in indicators if line.unit_code == standing.unit_code),
            ],
            registry,
        )
        for standing in view.standings
    ]
    order = registry.order
    last = len(order)

    def worst(line: UnitLine) -> tuple[float, ...]:
        progress = float(line.progress) if line.progress is not None else 101.0
        return (
            -line.lights.red,
            _GRAVITY.get(line.state, 0),
            -(line.days_late or 0),
            -line.lights.yellow,
            progress,
            order.get(line.code, last),
        )

    return tuple(sorted(lines, key=worst))


def _line(
    standing: UnitStanding,
    projects: Sequence[ProjectLine],
    others: Sequence[NeedLine | IndicatorLine],
    registry: Registry,
) -> UnitLine:
    going = active(projects)
    progress = mean(line.progress for line in going)
    fresh = [line for line in going if not line.carried_forward and line.progress is not None]
    before = mean(line.progress_before for line in fresh)
    owned = [*projects, *others]
    return UnitLine(
        code=standing.unit_code,
        name=registry.names.get(standing.unit_code, standing.unit_code),
        items=len(owned),
        projects=len(projects),
        progress=progress,
        progress_change=figures.difference(progress, before) if len(fresh) == len(going) else None,
        fiscal=together(line.fiscal for line in projects),
        lights=count_lights(projects),
        state=standing.state,
        state_text=state_text(standing),
        grave=standing.state not in (_ACCEPTED, _NIL) or standing.timely is False,
        timely=standing.timely,
        days_late=standing.days_late,
        first_received_at=standing.first_received_at,
        first_accepted_at=standing.first_accepted_at,
        version=max(standing.versions.values(), default=0),
        errors=standing.errors_count,
        warnings=standing.warnings_count,
        carried=sum(1 for line in owned if line.carried_forward),
        unreported=sum(1 for line in owned if line.reported_month is None),
    )


def in_registry_order(units: Sequence[UnitLine], registry: Registry) -> tuple[UnitLine, ...]:
    """The same units as the registry lists them."""
    last = len(registry.order)
    return tuple(sorted(units, key=lambda line: registry.order.get(line.code, last)))


def quality(units: Sequence[UnitLine], owned: Sequence[Owned], *, most: int = 20) -> tuple[str, ...]:
    """The data's quality in short sentences: timely, late, missing, returned, carried forward.

    At most `most` units are named in each.
    """
    if not units:
        return ("尚无单位应报资料。",)
    timely = [unit for unit in units if unit.timely]
    late = [unit for unit in units if unit.timely is False]
    missing = _named(units, _MISSING)
    returned = _named(units, _RETURNED)
    waiting = _named(units, _RECEIVED)
    in_part = _named(units, _IN_PART)
    head = (
        f"应报{len(units)}个单位，全部按时报送"
        if len(timely) == len(units)
        else sentences.clauses(
            f"应报{len(units)}个单位",
            f"按时报送{len(timely)}个" if timely else "无单位按时报送",
        )
    )
    told = [f"{head}。"]
    if late:
        overdue = sentences.listing([f"{unit.name}{_days(unit)}" for unit in late], most=most)
        told.append(f"迟报{len(late)}个：{overdue}。")
    for word, names in (("未报", missing), ("退回", returned), ("待核", waiting), ("部分退回", in_part)):
        if names:
            told.append(f"{word}{len(names)}个：{sentences.listing(names, most=most)}。")
    told.extend(_stand_ins(owned))
    return tuple(told)


def _stand_ins(owned: Sequence[Owned]) -> list[str]:
    carried = [line for line in owned if line.carried_forward]
    never = [line for line in owned if line.reported_month is None]
    told = []
    if carried:
        months = sorted({line.reported_month for line in carried if line.reported_month is not None})
        names = "、".join(month.chinese for month in months[-3:])
        told.append(f"{len(carried)}项沿用{names}数，表中标“＊”。")
    if never:
        told.append(f"{len(never)}项从未报送，表中标“未报”。")
    return told


def _days(unit: UnitLine) -> str:
    return f"（迟{unit.days_late}天）" if unit.days_late else ""


def _named(units: Sequence[UnitLine], state: str) -> list[str]:
    return [unit.name for unit in units if unit.state == state]


def reporting(view: MonthView, units: Sequence[UnitLine], returns: Sequence[ReturnLine]) -> tuple[str, ...]:
    """The opening sentences of 报送情况."""
    due = ""
    if view.deadline is not None:
        day = view.deadline.astimezone(SHANGHAI)
        due = f"{view.month.chinese}数据报送截止日为{day.year}年{day.month}月{day.day}日"
    timely = sum(1 for unit in units if unit.timely)
    rate = Rate("按时报送率", timely, len(units), money=False).text
    errors = sum(unit.errors for unit in units)
    warnings = sum(unit.warnings for unit in units)
    counted = "、".join(f"{word}{count}处" for word, count in (("差错", errors), ("提示", warnings)) if count)
    found = f"核对报表发现{counted}" if counted else "核对报表未发现问题"
    texts = (sentences.full(due, rate, found, joint="；") if units else "",)
    tail = "退回的内容未计入本期数字；各单位应按退回单更正后重新报送。" if returns else ""
    return tuple(text for text in (*texts, tail) if text)
