"""The one-page brief (一页纸) from the county's report: what a leader reads before a meeting.

Everything on it stands in the county report too. What goes on the page is counted and cut here, so
that it stays one page whatever the month brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.reporting import sentences
from ledger.reporting.model import CountyReport, IndicatorLine, ProjectLine
from ledger.reporting.texts import abridged

_MOST_RED = 5
_MOST_NAMES = 3
_LONGEST = 110
_MOST_ASKS = 6


@dataclass(frozen=True, slots=True)
class Brief:
    """The page: its parts (name, sentences), the most urgent red projects, what asks for a decision."""

    county: CountyReport
    parts: tuple[tuple[str, str], ...]
    red: tuple[ProjectLine, ...]
    asks: tuple[str, ...]


def build_brief(report: CountyReport) -> Brief:
    """The brief of a county report."""
    parts = (
        ("总体。", _within("".join(report.overview[1:3]), 2 * _LONGEST)),
        ("援建项目。", _within("".join(report.projects_intro[:1]), _LONGEST)),
        ("招商需求。", _within("".join(report.needs_intro), _LONGEST + 40)),
        ("工作要点。", _within("".join(report.indicators_intro[:1]), _LONGEST)),
        ("报送。", _within(report.quality_brief, _LONGEST)),
        ("更正。", _within("".join(report.correction_notes), _LONGEST) if report.edition > 1 else ""),
    )
    return Brief(
        county=report,
        parts=tuple((name, text) for name, text in parts if text),
        red=tuple(report.projects[place] for place in report.red[:_MOST_RED]),
        asks=_asks(report),
    )


def _within(text: str, limit: int) -> str:
    """As many whole sentences as `limit` characters hold; the first one is cut where it is longer."""
    whole, _, rest = text[:limit].rpartition("。")
    if len(text) <= limit:
        return text
    return f"{whole}。" if whole and rest else abridged(text, limit)


def _asks(report: CountyReport) -> tuple[str, ...]:
    """What needs a word from above: who does not report, what is late, what the plan leaves open."""
    missing = [unit.name for unit in report.units_in_order if unit.state == "missing"]
    returned = [unit.name for unit in report.units_in_order if unit.state in ("returned", "in_part")]
    overdue = [
        line.name
        for line in (report.projects[place] for place in report.red)
        if line.late is not None and line.late.days
    ]
    idle = [
        line.name
        for line in report.projects
        if line.fiscal.received and line.fiscal.paid == 0 and line.status != "已取消"
    ]
    behind = [line.name for line in report.indicators if _far_behind(line, report)]
    grave = sum(1 for each in report.discrepancies if each.grave)
    asks = (
        _names(missing, "个单位", "未报本月报表，请催报") if missing else "",
        _names(returned, "个单位", "有内容退回，请督促更正") if returned else "",
        _names(overdue, "个项目", "已过计划开工或验收月份，请过问") if overdue else "",
        _names(idle, "个项目", "财政资金已到位、尚未支付，请查明原因") if idle else "",
        _names(behind, "项指标", "完成率不到序时进度的一半，请调度") if behind else "",
        f"计划中有差错{grave}处（见全县月报第六部分），请计划印发单位核定。" if grave else "",
    )
    told = tuple(text for text in asks if text)[:_MOST_ASKS]
    return told or ("没有需要领导决定的事项。",)


def _far_behind(line: IndicatorLine, report: CountyReport) -> bool:
    return line.rate is not None and line.rate * 2 < report.time_progress


def _names(names: Sequence[str], counter: str, what: str) -> str:
    listed = sentences.listing([abridged(name, 14) for name in names], _MOST_NAMES, counter)
    return f"{listed}{what}。"
