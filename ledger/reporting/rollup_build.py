"""From the programmes' months to areas and their documents: a pure function.

Worst first everywhere: who has not reported, then the share of red lights, then the share of units
that are missing or returned, then the lowest 计划支付率; what is alike stands by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from ledger.calendar import SHANGHAI
from ledger.reporting import figures, sentences
from ledger.reporting.rollup_model import (
    Area,
    Card,
    Line,
    Programme,
    RollUp,
    Table,
    Totals,
    Unread,
    Words,
    add,
)
from schemas.month import Month
from schemas.rollup import FIGURES, Level

#: What stands where a programme does not say where it is.
UNSTATED = "未注明"
NATION = "全国"
_MASTHEAD, _TITLE = "项目资金月报汇总", "项目资金进展情况汇总"
_MOST_NAMES = 6
_MOST_BEHIND = 40
#: How many lines a table on the page has at most; the data workbook has all.
_MOST_LINES = 100
_BEYOND = Decimal(101)
#: From so many 分 (10 亿元) on a card has no room for 万元.
_LARGE_FEN = 100_000_000_000
_WAN_A_YI = 10_000

One = TypeVar("One")


def words(stated: Mapping[str, Any]) -> Words:
    """The words of rollup.toml; plain ones where it says nothing."""
    report: Mapping[str, Any] = stated.get("report", {})
    return Words(
        masthead=str(report.get("masthead", _MASTHEAD)),
        issuer=str(report.get("issuer", "")),
        title=str(report.get("title", _TITLE)),
    )


def build_areas(programmes: Sequence[Programme], unread: Sequence[Unread]) -> Area:
    """The nation with its provinces and prefectures; every programme and every unread one is in it."""
    places = {*map(_place, programmes), *map(_place, unread)}
    provinces = []
    for province in sorted({place[0] for place in places}):
        prefectures = [
            _area(
                Level.PREFECTURE,
                (province, prefecture),
                (),
                [one for one in programmes if _place(one) == (province, prefecture)],
                [one for one in unread if _place(one) == (province, prefecture)],
            )
            for prefecture in sorted({place[1] for place in places if place[0] == province})
        ]
        provinces.append(_together(Level.PROVINCE, (province, ""), prefectures))
    return _together(Level.NATION, ("", ""), provinces)


def _place(one: Programme | Unread) -> tuple[str, str]:
    return one.province, one.prefecture


def _together(level: Level, place: tuple[str, str], areas: Sequence[Area]) -> Area:
    return _area(
        level,
        place,
        areas,
        [one for area in areas for one in area.programmes],
        [one for area in areas for one in area.unread],
    )


def _area(
    level: Level,
    place: tuple[str, str],
    areas: Sequence[Area],
    programmes: Sequence[Programme],
    unread: Sequence[Unread],
) -> Area:
    province, prefecture = place
    own = {Level.NATION: NATION, Level.PROVINCE: province, Level.PREFECTURE: prefecture}[level]
    return Area(
        level=level,
        name=own or UNSTATED,
        province=province,
        prefecture=prefecture,
        totals=add(one.totals for one in programmes),
        areas=worst_first(areas, lambda area: area.totals, lambda area: (area.province, area.prefecture)),
        programmes=worst_first(programmes, lambda one: one.totals, lambda one: (one.county, one.folder)),
        unread=tuple(sorted(unread, key=lambda one: one.folder)),
    )


def worst_first(
    ones: Iterable[One], totals: Callable[[One], Totals], name: Callable[[One], tuple[str, ...]]
) -> tuple[One, ...]:
    """Sorted, the worst at the head (see this module's head)."""

    def key(one: One) -> tuple[Any, ...]:
        its = totals(one)
        red, paid = its.rate("red_rate").pct, its.rate("fiscal_paid_of_plan").pct
        owing = its.count("units_missing") + its.count("units_returned")
        units = its.count("units")
        silent = its.programmes - its.reported
        return (
            -Decimal(silent) / its.programmes if its.programmes else 0,
            -(red if red is not None else Decimal(0)),
            -Decimal(owing) / units if units else 0,
            paid if paid is not None else _BEYOND,
            name(one),
        )

    return tuple(sorted(ones, key=key))


def build_rollup(month: Month, area: Area, own_words: Words) -> RollUp:
    """The document of an area."""
    behind = _behind(area.programmes)
    return RollUp(
        month=month,
        area=area,
        words=own_words,
        title=f"{month.chinese}{full_name(area)}{own_words.title}",
        day=_day(month, area.programmes),
        sample_notice=_sample_notice(area.programmes),
        conclusion=_conclusion(area),
        cards=_cards(area),
        overview=_overview(month, area),
        tables=_tables(area),
        gaps=_gaps(area.programmes),
        behind=behind[:_MOST_BEHIND],
        behind_count=len(behind),
        programmes=area.programmes[:_MOST_LINES],
        programmes_count=len(area.programmes),
        unread=area.unread,
    )


def full_name(area: Area) -> str:
    """全国, 某省, 某省某州; what is not stated is said so."""
    if area.level is Level.NATION:
        return NATION
    if area.level is Level.PROVINCE:
        return area.name if area.province else f"{UNSTATED}省份"
    return (area.province or f"{UNSTATED}省份") + (area.prefecture or f"{UNSTATED}市州")


def _day(month: Month, programmes: Sequence[Programme]) -> date:
    """The day of the last receipt that is in the figures, else the month's last day."""
    received = [one.source.received_at for one in programmes if one.source.received_at is not None]
    return max(received).astimezone(SHANGHAI).date() if received else month.last_day


def _sample_notice(programmes: Sequence[Programme]) -> str:
    samples = [one.county for one in programmes if one.sample]
    if not samples:
        return ""
    if len(samples) == len(programmes):
        return "示例：所列各县的进度数字均为演示而虚构"
    return f"含示例数据：{sentences.listing(samples, _MOST_NAMES)}的进度数字是虚构的示例"


def _time(programmes: Sequence[Programme]) -> Decimal | None:
    """序时进度, where the programmes have the same."""
    times = {one.time_progress for one in programmes}
    return times.pop() if len(times) == 1 else None


def _conclusion(area: Area) -> str:
    """Who reported, how much is paid, how many lights are red."""
    totals = area.totals
    if not totals.programmes:
        return "没有可以汇总的县。"
    paid = totals.rate("fiscal_paid_of_plan")
    reported = (
        f"{totals.programmes}个县全部有报送"
        if totals.reported == totals.programmes
        else f"{totals.programmes}个县中{totals.reported}个有报送"
    )
    money = (
        sentences.clauses(
            f"财政帮扶资金计划支付率{figures.percent(paid.pct)}",
            sentences.against(paid.pct, _time(area.programmes), "序时进度"),
        )
        if paid.pct is not None
        else "没有可比的支付数据"
    )
    red, judged = totals.count("red"), totals.count("judged")
    lights = (f"{red}个项目亮红灯" if red else "没有项目亮红灯") if judged else ""
    return sentences.clauses(reported, money, lights, joint="；")


def _cards(area: Area) -> tuple[Card, ...]:
    totals = area.totals
    progress, red = totals.rate("progress"), totals.rate("red_rate")
    paid, received = totals.rate("fiscal_paid_of_plan"), totals.rate("fiscal_received_rate")
    skipped = f" 另{len(area.unread)}个未计入" if area.unread else ""
    return (
        Card("有报送的县", str(totals.reported), "个", f"共{totals.programmes}个{skipped}"),
        Card(
            "已报单位", str(totals.count("units_reported")), "个", f"应报{figures_count(totals, 'units')}个"
        ),
        _money(totals, "财政资金到位", "fiscal_received", f"到位率{figures.percent(received.pct)}"),
        _money(totals, "财政资金支付", "fiscal_paid", f"计划支付率{figures.percent(paid.pct)}"),
        Card(
            "平均形象进度",
            figures.points(progress.pct),
            "%" if progress.pct is not None else "",
            f"{progress.fraction}项目",
        ),
        Card(
            "红灯项目",
            str(totals.count("red")) if totals.count("judged") else figures.BLANK,
            "个" if totals.count("judged") else "",
            f"评灯{totals.count('judged')}个 占{figures.percent(red.pct)}",
        ),
    )


def figures_count(totals: Totals, name: str) -> str:
    """A count as printed, ``—`` where nobody states it."""
    return figures.BLANK if totals[name] is None else str(totals[name])


def _money(totals: Totals, title: str, name: str, detail: str) -> Card:
    """An amount in 万元; from 10 亿元 on in 亿元, the exact one stands in the text."""
    amount = totals.fen(name)
    if amount is not None and abs(amount) >= _LARGE_FEN:
        return Card(title, figures.wan(round(Decimal(amount) / _WAN_A_YI)), "亿元", detail)
    return Card(title, figures.wan(amount), "万元" if amount is not None else "", detail)


def _overview(month: Month, area: Area) -> tuple[str, ...]:
    totals = area.totals
    if not totals.programmes:
        return ("所选文件夹中没有一个县可以读取，原因见下表。",)
    day = month.last_day
    reported = sentences.full(
        f"汇总{totals.programmes}个县，{totals.reported}个有报送",
        sentences.clauses(
            f"应报单位{totals.count('units')}个",
            totals.rate("reported_rate").text,
            totals.rate("timely_rate").text,
        ),
        f"另有{len(area.unread)}个县未能计入，见“未计入的县”" if area.unread else "",
        joint="；",
    )
    projects = sentences.full(
        f"截至{day.year}年{day.month}月{day.day}日，援建项目{totals.count('projects')}个",
        totals.rate("started_rate").text,
        totals.rate("finished_rate").text,
        totals.rate("accepted_rate").text,
        f"从未报送{totals.count('projects_unreported')}个" if totals.count("projects_unreported") else "",
        joint="，",
    )
    progress = totals.rate("progress")
    lights = sentences.full(
        f"平均形象进度{figures.percent(progress.pct)}（{progress.fraction}项目）"
        if progress.pct is not None
        else "",
        sentences.clauses(
            *(
                f"{word}{totals.count(name)}个"
                for word, name in (("红灯", "red"), ("黄灯", "yellow"), ("绿灯", "green"))
            ),
            joint="、",
        )
        if totals.count("judged")
        else "",
    )
    needs = sentences.full(
        f"招商需求{totals.count('needs')}个",
        totals.rate("signed_rate").text,
        f"签约金额{figures.wan(totals.fen('signed_amount'))}万元" if totals["signed_amount"] else "",
        f"企业投资或社会帮扶累计到位{figures.wan(totals.fen('enterprise_received'))}万元"
        if totals["enterprise_received"]
        else "",
    )
    indicators = sentences.full(
        f"工作要点指标{totals.count('indicators')}项",
        f"已完成{totals.count('indicators_met')}项",
        f"落后序时进度{totals.count('indicators_behind')}项" if totals.count("indicators_behind") else "",
        f"未报{totals.count('indicators_unreported')}项" if totals.count("indicators_unreported") else "",
    )
    people = sentences.benefit(totals.number("poor_households"), totals.number("poor_persons"))
    return tuple(
        text
        for text in (
            reported,
            projects + lights,
            _funds(totals, "财政帮扶资金", "fiscal"),
            _funds(totals, "自筹资金", "self"),
            needs if totals.count("needs") else "",
            indicators if totals.count("indicators") else "",
            f"累计{people}。" if people else "",
        )
        if text
    )


def _funds(totals: Totals, name: str, prefix: str) -> str:
    planned, received, paid = (totals.fen(f"{prefix}_{what}") for what in ("planned", "received", "paid"))
    if planned is None and received is None and paid is None:
        return ""
    rates = [f"{prefix}_received_rate", f"{prefix}_paid_rate"]
    if prefix == "fiscal":
        rates.append("fiscal_paid_of_plan")
    return sentences.full(
        sentences.clauses(
            f"{name}计划{figures.wan(planned)}万元" if planned is not None else f"{name}没有列入计划",
            f"累计到位{figures.wan(received)}万元" if received is not None else "到位未报",
            f"累计支付{figures.wan(paid)}万元" if paid is not None else "支付未报",
        ),
        "，".join(totals.rate(rate).text for rate in rates if totals.rate(rate).pct is not None),
        joint="；",
    )


def _tables(area: Area) -> tuple[Table, ...]:
    """The levels below the area: of the nation provinces, prefectures and programmes."""
    programmes = tuple(Line(one.county, one.totals, 0, single=True) for one in area.programmes)
    tables = []
    if area.level is Level.NATION:
        tables.append(_table("各省情况", "省", tuple(map(_line, area.areas))))
    if area.level in (Level.NATION, Level.PROVINCE):
        prefectures = (
            area.areas
            if area.level is Level.PROVINCE
            else worst_first(
                [each for province in area.areas for each in province.areas],
                lambda each: each.totals,
                lambda each: (each.province, each.prefecture),
            )
        )
        tables.append(_table("各市州情况", "市州", tuple(map(_line, prefectures))))
    tables.append(_table("各县情况", "县", programmes))
    return tuple(tables)


def _table(title: str, head: str, lines: tuple[Line, ...]) -> Table:
    return Table(title, head, lines[:_MOST_LINES], len(lines))


def _line(area: Area) -> Line:
    name = area.name
    if area.level is Level.PREFECTURE and not area.prefecture:
        name = f"{area.province}{UNSTATED}市州" if area.province else UNSTATED
    return Line(name, area.totals, len(area.unread), single=False)


def _behind(programmes: Sequence[Programme]) -> tuple[tuple[str, str, str], ...]:
    """Who has not reported all: county, units missing, units returned; the worst first."""
    return tuple(
        (
            one.county,
            "全部单位"
            if not one.reported and not one.returned
            else sentences.listing(one.missing, _MOST_NAMES),
            sentences.listing(one.returned, _MOST_NAMES),
        )
        for one in programmes
        if one.missing or one.returned or not one.reported
    )


def _gaps(programmes: Sequence[Programme]) -> tuple[str, ...]:
    """Which figures some programmes do not have, and that they are left out and not 0."""
    told = []
    for name, figure in FIGURES.items():
        without = [
            one.county for one in programmes if name in one.absent and (figure.planned or one.reported)
        ]
        if without:
            why = "计划没有此项" if figure.planned else "没有此项数据"
            told.append(
                f"{figure.title}：{sentences.listing(without, _MOST_NAMES, '个县')}{why}，未计入合计和相应的率。"
            )
    return tuple(told)
