"""The roll-up's figures and rates, each declared once.

The model, the tables on the page, the data workbook, the CSV and docs/dictionary.md follow from
this. A figure is a sum over programmes; a rate divides two sums and is never an average of rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from schemas.exports import ExportColumn


class Kind(StrEnum):
    """What a figure is counted in: MONEY is int 分, COUNT int, NUMBER Decimal."""

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that programmes have and areas add up: export name, Chinese title, kind, meaning."""

    name: str
    title: str
    kind: Kind
    meaning: str
    planned: bool = False


@dataclass(frozen=True, slots=True)
class RateOf:
    """A rate: `above` ÷ `below` (names of figures). `mean` where `above` is a sum of percentages."""

    name: str
    title: str
    above: str
    below: str
    mean: bool = False


def _count(name: str, title: str, meaning: str = "") -> Figure:
    return Figure(name, title, Kind.COUNT, meaning or title)


def _money(name: str, title: str, meaning: str = "", *, planned: bool = False) -> Figure:
    return Figure(name, title, Kind.MONEY, f"{meaning or title}（万元）", planned)


FIGURES: Mapping[str, Figure] = {
    figure.name: figure
    for figure in (
        _count("units", "应报单位"),
        _count("units_reported", "已报单位", "本月有内容被采用的单位"),
        _count("units_timely", "按时报送单位"),
        _count("units_missing", "未报单位"),
        _count("units_returned", "退回单位", "报表全部或部分退回、尚未补正的单位"),
        _count("projects", "援建项目"),
        _count("projects_going", "未取消项目"),
        _count("projects_started", "已开工项目"),
        _count("projects_finished", "已完工项目"),
        _count("projects_accepted", "已验收项目"),
        _count("projects_unreported", "未报项目", "从未报送的项目，未计入进度和资金"),
        _count("red", "红灯项目"),
        _count("yellow", "黄灯项目"),
        _count("green", "绿灯项目"),
        _count("judged", "评灯项目", "红、黄、绿灯项目合计"),
        Figure("progress_sum", "形象进度之和", Kind.NUMBER, "各未取消且已报项目形象进度（%）之和"),
        _count("progress_projects", "有进度的项目", "未取消、报有形象进度的项目"),
        _money("fiscal_planned", "财政帮扶资金计划", planned=True),
        _money("fiscal_received", "财政帮扶资金累计到位"),
        _money("fiscal_paid", "财政帮扶资金累计支付"),
        _money("self_planned", "自筹资金计划", planned=True),
        _money("self_received", "自筹资金累计到位"),
        _money("self_paid", "自筹资金累计支付"),
        Figure("poor_households", "受益贫困户", Kind.NUMBER, "受益贫困户（户）"),
        Figure("poor_persons", "受益贫困人口", Kind.NUMBER, "受益贫困人口（人）"),
        _count("needs", "招商需求"),
        _count("needs_signed", "已签约需求", "已签约、已开工、已完成的需求"),
        _money("needs_planned", "招商需求计划资金", "招商需求项目资金安排合计", planned=True),
        _money("signed_amount", "签约金额"),
        _money("enterprise_received", "企业资金累计到位", "企业投资或社会帮扶累计到位"),
        _count("indicators", "工作要点指标"),
        _count("indicators_met", "已完成指标", "完成率达到100%的指标"),
        _count("indicators_behind", "落后指标", "完成率低于序时进度的指标"),
        _count("indicators_unreported", "未报指标"),
        _count("errors", "差错", "尚未解决的错误"),
        _count("warnings", "提示", "尚未解决的警告"),
    )
}

RATES: Mapping[str, RateOf] = {
    rate.name: rate
    for rate in (
        RateOf("reported_rate", "报送率", "units_reported", "units"),
        RateOf("timely_rate", "按时报送率", "units_timely", "units"),
        RateOf("fiscal_received_rate", "到位率", "fiscal_received", "fiscal_planned"),
        RateOf("fiscal_paid_rate", "支付率", "fiscal_paid", "fiscal_received"),
        RateOf("fiscal_paid_of_plan", "计划支付率", "fiscal_paid", "fiscal_planned"),
        RateOf("self_received_rate", "自筹到位率", "self_received", "self_planned"),
        RateOf("self_paid_rate", "自筹支付率", "self_paid", "self_received"),
        RateOf("started_rate", "开工率", "projects_started", "projects_going"),
        RateOf("finished_rate", "完工率", "projects_finished", "projects_going"),
        RateOf("accepted_rate", "验收率", "projects_accepted", "projects_finished"),
        RateOf("red_rate", "红灯率", "red", "judged"),
        RateOf("progress", "平均形象进度", "progress_sum", "progress_projects", mean=True),
        RateOf("signed_rate", "签约率", "needs_signed", "needs"),
        RateOf("met_rate", "指标完成率", "indicators_met", "indicators"),
    )
}


class Level(StrEnum):
    """The levels of a roll-up, the widest first."""

    NATION = "nation"
    PROVINCE = "province"
    PREFECTURE = "prefecture"
    PROGRAMME = "programme"


LEVEL_WORDS: Mapping[Level, str] = {
    Level.NATION: "全国",
    Level.PROVINCE: "省",
    Level.PREFECTURE: "市州",
    Level.PROGRAMME: "县",
}


def _rate_columns(rate: RateOf) -> tuple[ExportColumn, ...]:
    above, below = FIGURES[rate.above].title, FIGURES[rate.below].title
    return (
        ExportColumn(rate.name, f"{rate.title}（%，{above} ÷ {below}）"),
        ExportColumn(f"{rate.name}_above", f"{rate.title}的分子"),
        ExportColumn(f"{rate.name}_below", f"{rate.title}的分母"),
    )


#: What the CSV and the workbook's first sheet have: a row an area and a row a programme.
COLUMNS: tuple[ExportColumn, ...] = (
    ExportColumn("month", "月份"),
    ExportColumn("level", "级次：" + "、".join(Level)),
    ExportColumn("province", "省"),
    ExportColumn("prefecture", "市州"),
    ExportColumn("county", "县"),
    ExportColumn("programme", "项目（programme.toml 的 name）"),
    ExportColumn("folder", "县文件夹，相对于汇总的文件夹"),
    ExportColumn("programmes", "计入的县数"),
    ExportColumn("programmes_reported", "已有报送的县数"),
    ExportColumn("programmes_unread", "未能读取、没有计入的县数"),
    *(ExportColumn(figure.name, figure.meaning) for figure in FIGURES.values()),
    *(column for rate in RATES.values() for column in _rate_columns(rate)),
    ExportColumn("edition", "数字取自县月报的哪一版；空白为尚未签发过"),
    ExportColumn("draft", "是否取自草稿"),
    ExportColumn("received_at", "计入的最后一份报送的收到时间"),
    ExportColumn("plan_version", "县计划的版次"),
    ExportColumn("events", "县台帐的事件数：数字取自这些事件"),
)

#: Why figures are blank: a row for each figure that a programme's plan or reports do not state.
ABSENT: tuple[ExportColumn, ...] = (
    ExportColumn("county", "县"),
    ExportColumn("folder", "县文件夹"),
    ExportColumn("figure", "没有的数字（导出名）"),
    ExportColumn("title", "名称"),
    ExportColumn("why", "原因：计划没有此栏，或本年没有报送"),
)

UNREAD: tuple[ExportColumn, ...] = (
    ExportColumn("province", "省"),
    ExportColumn("prefecture", "市州"),
    ExportColumn("county", "县；读不出名称的为文件夹名"),
    ExportColumn("folder", "县文件夹"),
    ExportColumn("reason", "没有计入的原因"),
)

#: The data workbook's sheets in order, by table.
SHEETS: Mapping[str, tuple[str, tuple[ExportColumn, ...]]] = {
    "rollup": ("汇总", COLUMNS),
    "absent": ("空缺", ABSENT),
    "unread": ("未计入", UNREAD),
}
