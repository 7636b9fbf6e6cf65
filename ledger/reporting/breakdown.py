"""Explaining the report's totals, rates, averages and counts (`ledger explain`).

What is computed here is computed by the report's own functions (rates, projects, front), so that
the figure is the printed one; each row is then followed to its cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ledger.errors import UsageError
from ledger.recording.exports import known_field
from ledger.recording.ledger import Ledger
from ledger.recording.moments import AsOf
from ledger.recording.seen import Seen
from ledger.registry import Registry
from ledger.reporting import figures, sentences
from ledger.reporting.breakdown_cells import Cells, field_of, title_of
from ledger.reporting.breakdown_model import Breakdown, Part, Side
from ledger.reporting.breakdown_scope import Scope
from ledger.reporting.front import count_rates
from ledger.reporting.needs import SIGNED
from ledger.reporting.projects import (
    CANCELLED,
    FINISHED,
    STARTED,
    active,
    reported_window,
)
from ledger.reporting.rates import Rate, mean, time_progress, total
from schemas.columns import COLUMNS, Kind
from schemas.money import FEN_PER_WAN
from schemas.month import Month
from schemas.tables import INDICATORS, NEEDS, PROJECTS, TABLES

#: Sources of money that a rate's name may begin with, longest first: (received, paid, planned).
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "财政帮扶资金": ("fiscal",),
    "财政资金": ("fiscal",),
    "财政": ("fiscal",),
    "自筹资金": ("self",),
    "自筹": ("self",),
    "全部资金": ("fiscal", "self"),
    "全部": ("fiscal", "self"),
    "": ("fiscal",),
}
_SOURCE_NAMES = {("fiscal",): "财政帮扶资金", ("self",): "自筹资金", ("fiscal", "self"): "全部资金"}
#: Money rates: (numerator's field, denominator's field), with the source's name in between.
_MONEY_RATES = {
    "支付率": ("paid_rate", "{}_paid_cum_fen", "{}_received_cum_fen"),
    "计划支付率": ("paid_of_plan", "{}_paid_cum_fen", "{}_planned_fen"),
    "到位率": ("received_rate", "{}_received_cum_fen", "{}_planned_fen"),
}
_COUNT_RATES = {"开工率": "started", "完工率": "finished", "验收率": "accepted"}
_LIGHTS = {"红灯": "red", "黄灯": "yellow", "绿灯": "green"}
_OTHERS = {
    "平均形象进度": "progress",
    "平均窗口进度": "window",
    "序时进度": "time",
    "援建项目": "projects",
    "招商签约": "signed",
    "完成率": "done_rate",
}
#: Names for programs, by the names of the report.
_NAMES: Mapping[str, str] = {
    **{name: key for name, (key, _, _) in _MONEY_RATES.items()},
    **_COUNT_RATES,
    **_LIGHTS,
    **_OTHERS,
}
_BY_KEY = {key: name for name, key in _NAMES.items()}
#: Page one's words for figures that are columns, and other short ones.
_SHORT = {
    "财政资金到位": "fiscal_received_cum",
    "财政资金支付": "fiscal_paid_cum",
    "自筹资金到位": "self_received_cum",
    "自筹资金支付": "self_paid_cum",
    "签约金额": "signed_amount",
    "形象进度": "平均形象进度",
    "窗口进度": "平均窗口进度",
    "红灯项目": "红灯",
    "黄灯项目": "黄灯",
    "绿灯项目": "绿灯",
}
_FOUR_DIGITS = Decimal("0.0001")
_SUMMED = frozenset({Kind.MONEY, Kind.COUNT})


def explain_total(
    ledger: Ledger,
    month: Month,
    scope: str,
    figure: str,
    *,
    as_of: AsOf = None,
    told_by: Registry | None = None,
) -> Breakdown | None:
    """The breakdown of `figure` (a rate, a count or a column's total) over `scope`: the county
    (合计), a section or category of the plan, a unit, or one item; as of a moment, by the present
    registry or the one given.

    None where both name one cell: an item and a column. Raises UsageError for unknown names.
    """
    seen = Seen.at(ledger, as_of, told_by)
    taken = Scope.find(seen, month, scope)
    item = taken.item
    if item is not None and known_field(item.table, figure) is not None:
        return None
    return _Figures(seen, taken).explain(figure.strip())


class _Figures(Cells):
    """The figures over one scope."""

    def explain(self, figure: str) -> Breakdown:
        name = _BY_KEY.get(figure, figure)
        name = _SHORT.get(name, name)
        for prefix, sources in _SOURCES.items():
            rest = name.removeprefix(prefix) if name.startswith(prefix) else None
            if rest in _MONEY_RATES:
                return self._money_rate(rest, sources)
        if name in _COUNT_RATES:
            return self._count_rate(name)
        if name in _LIGHTS:
            return self._light(name)
        others: Mapping[str, Callable[[str], Breakdown]] = {
            "平均形象进度": self._progress,
            "平均窗口进度": self._window,
            "序时进度": self._time,
            "援建项目": self._projects,
            "招商签约": self._signed,
            "完成率": self._done,
        }
        if name in others:
            return others[name](name)
        return self._sum(name)

    # --- sums

    def _sum(self, figure: str) -> Breakdown:
        wanted, _, rest = figure.partition(".")
        keys = [wanted] if rest and wanted in TABLES else list(TABLES)
        name = rest if rest and wanted in TABLES else figure
        found = [(key, field) for key in keys if (field := field_of(key, name)) is not None]
        if not found:
            raise UsageError(
                f"没有“{figure}”这个数。可以写一列（如 fiscal_paid_cum），或{'、'.join(_NAMES)}。"
            )
        held = [(key, field) for key, field in found if self.scope.of_table(key)] or found
        key, field = held[0]
        column = COLUMNS[field]
        title = title_of(key, field)
        if column.kind not in _SUMMED:
            raise UsageError(f"“{title}”不能加总；请写一个项目编号。")
        side = self.side(title, [(item, field) for item in self.scope.of_table(key)])
        others = [TABLES[k].number for k, _ in held[1:]]
        note = f"{'、'.join(others)}也有这一列，此处是{TABLES[key].number}的；" if others else ""
        note += f"另一张表写作 {held[1][0]}.{COLUMNS[field].export_name}。" if others else ""
        printed = _printed_sum(side, column.kind)
        return Breakdown(
            month=self.view.month,
            scope=self.scope.name,
            figure=f"{key}.{column.export_name}",
            name=f"{title} 合计",
            printed=f"{printed} {column.unit}".strip(),
            exact=side.value,
            formula=_added(side),
            sides=(side,),
            note=note,
        )

    # --- rates

    def _money_rate(self, name: str, sources: tuple[str, ...]) -> Breakdown:
        key, above, below = _MONEY_RATES[name]
        items = self.scope.of_table(PROJECTS.key)
        tops = [above.format(source) for source in sources]
        bottoms = [below.format(source) for source in sources]
        numerator = self.side(_joint_title(tops), [(i, field) for field in tops for i in items])
        denominator = self.side(_joint_title(bottoms), [(i, field) for field in bottoms for i in items])
        rate = Rate(
            name,
            total(self.fen(item, field) for field in tops for item in items),
            total(self.fen(item, field) for field in bottoms for item in items),
        )
        return self._rate(rate, key, f"{_SOURCE_NAMES[sources]}{name}", numerator, denominator, "万元")

    def _rate(
        self, rate: Rate, key: str, name: str, numerator: Side, denominator: Side, unit: str
    ) -> Breakdown:
        above = numerator.value or figures.BLANK
        below = denominator.value or figures.BLANK
        formula = f"{rate.name} = {numerator.name} ÷ {denominator.name} = {above} {unit} ÷ {below} {unit}"
        if rate.pct is None:
            formula += "，没有数或除数为 0，报告印“—”"
        else:
            formula += (
                f" = {figures.number(rate.pct)[:12]}%，报告印 {figures.percent(rate.pct)}（{rate.fraction}）"
            )
        return Breakdown(
            month=self.view.month,
            scope=self.scope.name,
            figure=key,
            name=name,
            printed=figures.percent(rate.pct),
            exact="" if rate.pct is None else figures.number(rate.pct),
            formula=formula,
            sides=(numerator, denominator),
            numerator=numerator,
            denominator=denominator,
        )

    def _count_rate(self, name: str) -> Breakdown:
        rates = count_rates(self.lines, [line.status for line in self.lines])
        rate = rates[_COUNT_RATES[name]]
        done = {"开工率": STARTED, "完工率": FINISHED, "验收率": frozenset({"已验收"})}[name]
        base = FINISHED if name == "验收率" else None
        above, below = [], []
        for item in self.scope.of_table(PROJECTS.key):
            part = self.part(item, "status")
            if part.value == CANCELLED:
                below.append(_not_counted(part, "已取消，不计"))
            elif base is not None and part.value not in base:
                below.append(_not_counted(part, "还没有完工"))
            else:
                below.append(_counted(part, "" if part.value else "未报，计入总数"))
            if part.value in done:
                above.append(_counted(part, ""))
        numerator = Side(name.removesuffix("率") + "的项目", str(rate.numerator), "个", tuple(above))
        bottom = "完工的项目" if base else "未取消的项目"
        denominator = Side(bottom, str(rate.denominator), "个", tuple(below))
        return self._rate(rate, _COUNT_RATES[name], name, numerator, denominator, "个")

    def _done(self, name: str) -> Breakdown:
        """An indicator's 完成率: done since the year began ÷ the year's target."""
        item = self.scope.item
        if item is None or item.table != INDICATORS.key:
            raise UsageError("完成率是一个指标的；请写指标编号，如 2018-T-01 完成率。")
        done = self.part(item, "done_cum")
        target = self.part(item, "target")
        unit = str(item.values.get("unit_of_measure") or "")
        numerator = Side(done.column, done.value, unit, (done,))
        denominator = Side(target.column, target.value, unit, (target,))
        pct = None
        if done.value and target.value and Decimal(target.value):
            pct = Decimal(done.value) * 100 / Decimal(target.value)
        formula = (
            f"完成率 = 累计完成 ÷ 年度目标 = {done.value or figures.BLANK} ÷ {target.value or figures.BLANK}"
        )
        formula += (
            f" {_equals(pct)}，报告印 {figures.percent(pct)}" if pct is not None else "，没有数，报告印“—”"
        )
        return Breakdown(
            month=self.view.month,
            scope=self.scope.name,
            figure="done_rate",
            name=name,
            printed=figures.percent(pct),
            exact="" if pct is None else figures.number(pct),
            formula=formula,
            sides=(numerator, denominator),
            numerator=numerator,
            denominator=denominator,
        )

    # --- averages and counts

    def _progress(self, name: str) -> Breakdown:
        going = {line.item_id for line in active(self.lines)}
        value = mean(line.progress for line in active(self.lines))
        parts = [self.part(item, "progress_pct") for item in self.scope.of_table(PROJECTS.key)]
        parts = [p if p.item in going else _not_counted(p, "已取消，不计") for p in parts]
        return self._average(name, "progress", COLUMNS["progress_pct"].title, value, parts)

    def _window(self, name: str) -> Breakdown:
        parts = []
        for line in self.lines:
            window = sentences.window(line.window_start, line.window_end)
            pct = "" if line.window_pct is None else _short(line.window_pct)
            part = Part(
                line.item_id,
                line.name,
                line.unit_name,
                "窗口进度(%)",
                pct,
                True,
                f"计划窗口{window}" if window else "",
            )
            if line.status == CANCELLED:
                part = _not_counted(part, "已取消，不计")
            elif line.progress is None:
                part = _not_counted(part, "没有形象进度可比，不计")
            elif line.window_pct is None:
                part = _not_counted(part, "计划没有写明开工和验收时间")
            parts.append(part)
        return self._average(name, "window", "窗口进度(%)", reported_window(self.lines), parts)

    def _average(
        self, name: str, key: str, title: str, value: Decimal | None, parts: Sequence[Part]
    ) -> Breakdown:
        counted = [part for part in parts if part.counted]
        summed = " + ".join(part.value for part in counted)
        exact = "" if value is None else figures.number(value)
        formula = f"{name}：没有数"
        if value is not None:
            formula = (
                f"{name} = ({summed}) ÷ {len(counted)} {_equals(value)}，报告印 {figures.percent(value)}"
            )
        side = Side(title, exact and _short(Decimal(exact)), "%", tuple(parts))
        return Breakdown(
            self.view.month, self.scope.name, key, name, figures.percent(value), exact, formula, (side,)
        )

    def _time(self, name: str) -> Breakdown:
        month = self.view.month
        value = time_progress(month, self.view.plan.year)
        formula = f"序时进度 = 已过 {month.month} 个月 ÷ 12 个月，报告印 {figures.percent(value)}"
        exact = figures.number(value)
        return Breakdown(month, self.scope.name, "time", name, figures.percent(value), exact, formula, ())

    def _light(self, name: str) -> Breakdown:
        colour = _LIGHTS[name]
        parts = []
        for line in self.lines:
            part = self.part(self.view.plan.by_id[line.item_id], "progress_pct")
            window = sentences.window(line.window_start, line.window_end)
            why = "，".join(
                text
                for text in (
                    line.status,
                    f"窗口{window}" if window else "",
                    f"窗口进度{figures.percent(line.window_pct)}" if line.window_pct is not None else "",
                    line.late.text if line.late else "",
                )
                if text
            )
            if line.light == colour:
                parts.append(_counted(part, why))
        return self._count(f"{name}项目", colour, parts)

    def _projects(self, name: str) -> Breakdown:
        parts = [_counted(self.part(i, "status"), "") for i in self.scope.of_table(PROJECTS.key)]
        return self._count(name, "projects", parts)

    def _signed(self, name: str) -> Breakdown:
        parts = [self.part(item, "need_status") for item in self.scope.of_table(NEEDS.key)]
        signed = [_counted(part, "") for part in parts if part.value in SIGNED]
        return self._count(name, "signed", signed)

    def _count(self, name: str, key: str, parts: Sequence[Part]) -> Breakdown:
        side = Side(name, str(len(parts)), "个", tuple(parts))
        formula = f"{name}共 {len(parts)} 个"
        return Breakdown(
            self.view.month, self.scope.name, key, name, f"{len(parts)} 个", str(len(parts)), formula, (side,)
        )


def _counted(part: Part, why: str) -> Part:
    return _with(part, counted=True, why=why)


def _not_counted(part: Part, why: str) -> Part:
    return _with(part, counted=False, why=why)


def _with(part: Part, *, counted: bool, why: str) -> Part:
    return replace(part, counted=counted, why=why)


def _short(value: Decimal) -> str:
    """A percentage with at most four digits behind the point."""
    return figures.number(value.quantize(_FOUR_DIGITS))


def _equals(value: Decimal) -> str:
    """``= 61%``, ``≈ 75.4586%``."""
    short = _short(value)
    return f"{'=' if Decimal(short) == value else '≈'} {short}%"


def _joint_title(fields: Sequence[str]) -> str:
    return "、".join(title_of(PROJECTS.key, field) for field in fields)


def _added(side: Side) -> str:
    counted = [part.value for part in side.parts if part.counted]
    if not counted:
        return "没有数，报告印“—”"
    return f"= {' + '.join(counted)} = {side.value}"


def _printed_sum(side: Side, kind: Kind) -> str:
    if not side.value:
        return figures.BLANK
    if kind is Kind.MONEY:
        return figures.wan(int(Decimal(side.value) * FEN_PER_WAN))
    return side.value
