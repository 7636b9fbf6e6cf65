"""Hand-made months for the report's tests: the first, a normal one, half missing, after corrections.

The plan is the sample programme's as printed (read here with openpyxl, independently of the
reader), the reported figures are made up in the tables below, one line a project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import openpyxl

from ledger.calendar import SHANGHAI, deadline
from ledger.home import CHECKOUT, Home
from ledger.recording.model import Correction, FindingRow, ItemRow, MonthView, SubmissionRow, UnitStanding
from ledger.registry import Registry
from schemas.finding import Effect, finding
from schemas.money import FEN_PER_WAN
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem, PlanTotal, Value

JUNE, JULY, AUGUST, SEPTEMBER = (Month(2018, number) for number in (6, 7, 8, 9))
_PRINTED = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
_SECTIONS = {
    **dict.fromkeys((8, 9, 10), ("一、产业发展",)),
    15: ("二、基础设施", "(一) 安全饮水"),
    **dict.fromkeys((18, 19, 20), ("二、基础设施", "(二) 村级公路")),
    23: ("三、社会事业",),
}
_UNITS = (
    "422822106",
    "422822101",
    "422822-fpb",
    "422822103",
    "422822104",
    "422822104",
    "422822203",
    "422822-edu",
)


@cache
def registry() -> Registry:
    return Registry.load(Home(Path("/nonexistent")))


def fen(wan: object) -> int | None:
    return None if wan is None else int(Decimal(str(wan)) * FEN_PER_WAN)


def _month(text: str) -> PartialDate:
    year, month = re.findall(r"\d+", text)
    return PartialDate(int(year), int(month))


@cache
def plan() -> Plan:
    """The printed plan, its shifted rows put right, with some of its discrepancies."""
    book = openpyxl.load_workbook(_PRINTED)
    return Plan(
        year=2018,
        version=1,
        sha256="0" * 64,
        file_name=_PRINTED.name,
        items=(*_projects(book["附件1"]), *_needs(book["附件2"]), *_indicators()),
        totals=(*_totals(),),
        findings=_discrepancies(),
    )


def _projects(sheet) -> list[PlanItem]:
    items = []
    for place, row in enumerate(_SECTIONS):
        cells = [cell.value for cell in sheet[row]]
        values: dict[str, Value] = {
            "seq": cells[0],
            "place": cells[1],
            "item_name": cells[2],
            "scale": cells[3],
            "benefit": cells[4],
            "total_investment_fen": fen(cells[5]),
            "funds_total_fen": fen(cells[6]),
            "fiscal_planned_fen": fen(cells[7]),
            "self_planned_fen": fen(cells[8]),
            "start_planned": _month(cells[9]),
            "accept_planned": _month(cells[10]),
            "lead_unit": cells[11],
        }
        items.append(
            PlanItem(
                f"2018-A1-{place + 1:02d}", "projects", cells[0], cells[2], _UNITS[place],
                _SECTIONS[row], values, "附件1", row,
            )
        )  # fmt: skip
    return items


def _needs(sheet) -> list[PlanItem]:
    items = []
    for row in range(6, 26):
        cells = [cell.value for cell in sheet[row]]
        money = cells[5:9]
        if row in (6, 7, 9, 10):
            money = [None, *money[:3]]
        values: dict[str, Value] = {
            "seq": cells[0],
            "place": cells[1],
            "item_name": cells[2],
            "scale": cells[3],
            "period": cells[4],
            "total_investment_fen": fen(money[0]),
            "funds_total_fen": fen(money[1]),
            "enterprise_planned_fen": fen(money[2]),
            "self_planned_fen": fen(money[3]),
            "category": cells[9],
        }
        items.append(
            PlanItem(
                f"2018-A2-{row - 5:02d}", "needs", cells[0], cells[2], "422822-inv", (), values, "附件2", row
            )
        )
    return items


def _indicators() -> list[PlanItem]:
    known = registry()
    items = []
    for place, target in enumerate(known.targets, start=1):
        unit = known.find_unit(target.responsible[0]) if target.responsible else "422822-fpb"
        values: dict[str, Value] = {
            "item_code": f"2018-T-{place:02d}",
            "indicator_name": target.indicator,
            "unit_of_measure": target.unit_of_measure,
            "target": target.target,
            "responsible_units": "、".join(target.responsible),
        }
        items.append(
            PlanItem(
                f"2018-T-{place:02d}", "indicators", place, target.indicator, unit, (), values, None, None
            )
        )
    return items


def _total(table, label, section, row, count, *wans) -> PlanTotal:
    second = "fiscal_planned_fen" if table == "projects" else "enterprise_planned_fen"
    names = ("total_investment_fen", "funds_total_fen", second, "self_planned_fen")
    sheet = "附件1" if table == "projects" else "附件2"
    return PlanTotal(table, label, section, sheet, row, count, dict(zip(names, map(fen, wans), strict=True)))


def _totals() -> list[PlanTotal]:
    return [
        _total("projects", "合计", (), 5, 8, 5005, 5005, 2000, 2705),
        _total("projects", "小计", ("一、产业发展",), 7, 3, 675, 675, 400, 275),
        _total("projects", "小计", ("二、基础设施",), 12, 4, 3800, 3800, 1450, 2350),
        _total("projects", "小计", ("二、基础设施", "(一) 安全饮水"), 14, 1, 300, 300, 50, 250),
        _total("projects", "小计", ("二、基础设施", "(二) 村级公路"), 17, 3, 3500, 3500, 1400, 2100),
        _total("projects", "小计", ("三、社会事业",), 22, 1, None, None, None, None),
        _total("needs", "合 计", (), 5, None, None, 39242, 31292, 7950),
    ]


def _discrepancies():
    funds = "项目资金安排(万元)—合计"
    return (
        finding("R01", "附件1 G5：合计5005万元，而财政帮扶资金2000万元与自筹资金2705万元之和为4705万元，相差300万元",
                sheet="附件1", cell="G5", row=5, column=funds, value="5005", expected="4705", difference=Decimal(300)),
        finding("P07", "附件1 第8行：未写明受益贫困户或贫困人口", sheet="附件1", row=8, item="2018-A1-01"),
        finding("P05", "附件1 L10：牵头单位“刘克友”不是登记的报送单位", sheet="附件1", cell="L10", row=10,
                column="牵头单位", value="刘克友", item="2018-A1-03"),
        finding("F17", "附件1 第12行：数字右移一列，已按合计还原", sheet="附件1", row=12,
                effect=Effect.STANDS),
        finding("T03", "附件1 第22行：小计未填", sheet="附件1", row=22),
        finding("R01", "附件1 G23：合计530万元，而财政帮扶资金150万元与自筹资金80万元之和为230万元，相差300万元",
                sheet="附件1", cell="G23", row=23, column=funds, item="2018-A1-08", value="530", expected="230",
                difference=Decimal(300)),
        finding("T03", "附件2 F5：项目总投资合计未填", sheet="附件2", cell="F5", row=5, column="项目总投资(万元)"),
        finding("P07", "附件2 第8行：未列金额", sheet="附件2", row=8, item="2018-A2-03"),
    )  # fmt: skip


# month → one line a project: status, progress, received 财政/自筹, invested, paid 财政/自筹, households, persons
_PROGRESS: Mapping[Month, tuple[tuple[object, ...] | None, ...]] = {
    JUNE: (
        ("在建", 20, 50, 60, 40, 10, 20, 10, 32),
        ("未开工", 0, 0, 0, 0, 0, 0, 0, 0),
        ("未开工", 0, 0, 0, 0, 0, 0, None, None),
        ("在建", 15, 25, 50, 45, 10, 20, 175, 629),
        ("在建", 10, 100, 0, 30, 20, 0, 128, 382),
        ("在建", 5, 350, 0, 80, 60, 0, 609, 2209),
        ("在建", 12, 200, 100, 190, 80, 60, 418, 1413),
        ("在建", 10, 0, 20, 20, 0, 10, None, None),
    ),
    JULY: (
        ("在建", 40, 50, 90, 80, 20, 40, 10, 32),
        ("在建", 10, 75, 0, 15, 10, 0, 0, 0),
        ("未开工", 0, 0, 0, 0, 0, 0, None, None),
        ("在建", 35, 25, 100, 105, 15, 60, 175, 629),
        ("在建", 30, 100, 30, 90, 60, 10, 128, 382),
        ("在建", 20, 350, 200, 320, 180, 100, 609, 2209),
        ("在建", 25, 250, 300, 400, 150, 200, 418, 1413),
        ("在建", 25, 75, 20, 60, 20, 15, None, None),
    ),
    AUGUST: (
        ("在建", 65, 50, 150, 130, 30, 90, 10, 32),
        ("在建", 35, 75, 10, 60, 40, 5, 40, 150),
        ("未开工", 0, 100, 0, 0, 0, 0, None, None),
        ("在建", 60, 50, 200, 180, 30, 140, 175, 629),
        ("在建", 55, 200, 60, 165, 110, 40, 128, 382),
        ("在建", 38, 500, 400, 600, 310, 250, 609, 2209),
        ("在建", 45, 350, 600, 720, 240, 420, 418, 1413),
        ("在建", 40, 75, 60, 120, 45, 40, None, None),
    ),
    SEPTEMBER: (
        ("在建", "85.5", 50, 150, 170, 45, 120, 10, 32),
        ("在建", 60, 150, 25, 105, 80, 20, 80, 291),
        ("未开工", 0, 100, 0, 0, 0, 0, None, None),
        ("在建", 72, 50, 250, 216, "41.25", 200, 175, 629),
        ("已完工", 100, 200, 100, 298, 180, 90, 128, 382),
        ("在建", 47, 600, 600, 750, 400, 330, 609, 2209),
        ("在建", 58, 500, 700, 930, "305.6", 520, 418, 1413),
        ("在建", 52, 100, 80, 150, 60, 50, None, None),
    ),
}
_TROUBLE = {
    "2018-A1-03": (
        "四个乡镇冷库选址尚未全部落实，用地手续未办结",
        "由县国土局现场办公，10月底前完成用地审批",
    ),
    "2018-A1-06": ("沿线2.3公里征地未完成，雨季影响路基施工；" * 3, "增加作业面，10月中旬前完成征地"),
    "2018-A1-07": ("", "抢抓晴天施工"),
}
_NEED = {
    1: ("洽谈中", None, None, 0, 0, "与滨江区两家电商企业商谈合作方案"),
    2: ("已签约", "滨江富硒果品有限公司", 2600, 300, 0, "签订合作协议，首批资金到位"),
    6: ("已开工", "滨江区教育发展基金会", 750, 375, 0, "首批750台电脑发放到校"),
    13: ("洽谈中", None, None, 0, 0, None),
}
_DONE = (0, 9800, 1, 620, 3, 6, 2, 28, 1, 1, 1, 1, 1250)

_PLACES = {month: place for place, month in enumerate(_PROGRESS)}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def _row(month, item: PlanItem, values, received_at, *, reported: Month | None = None) -> ItemRow:
    return ItemRow(
        month=month,
        reported_month=reported or month,
        table=item.table,
        unit_code=item.unit_code,
        item_id=item.item_id,
        values=values,
        sources={},
        version=1,
        source_sha256="1" * 64,
        source_file=f"{registry().names[item.unit_code]}{month.month}月报表.xlsx",
        source_sheet="表1",
        source_row=8,
        received_at=received_at,
        carried_forward=reported is not None,
    )


def _project_values(line: tuple[object, ...], before: tuple[object, ...] | None, item_id: str, month: Month):
    status, progress, got, own_got, invested, paid, own_paid, households, persons = line
    paid_before, own_before = (before[5], before[6]) if before else (0, 0)
    problems, measures = _TROUBLE.get(item_id, ("", "")) if month == SEPTEMBER else ("", "")
    return {
        "status": status,
        "start_actual": None if status == "未开工" else PartialDate(2018, 6, 20),
        "finish_actual": PartialDate(2018, 9, 25) if status == "已完工" else None,
        "accept_actual": None,
        "progress_pct": Decimal(str(progress)),
        "fiscal_received_cum_fen": fen(got),
        "self_received_cum_fen": fen(own_got),
        "invested_cum_fen": fen(invested),
        "fiscal_paid_month_fen": fen(Decimal(str(paid)) - Decimal(str(paid_before))),
        "self_paid_month_fen": fen(Decimal(str(own_paid)) - Decimal(str(own_before))),
        "fiscal_paid_cum_fen": fen(paid),
        "self_paid_cum_fen": fen(own_paid),
        "poor_households": None if households is None else Decimal(households),
        "poor_persons": None if persons is None else Decimal(persons),
        "problems": problems or None,
        "measures": measures or None,
        "remarks": None,
    }


def _rows(month: Month, missing: frozenset[str], never: frozenset[str]) -> dict[str, tuple[ItemRow, ...]]:
    due = _at(f"{month.plus(1)}-03T10:00:00")
    place = _PLACES[month]
    months = list(_PROGRESS)
    rows: dict[str, list[ItemRow]] = {"projects": [], "needs": [], "indicators": []}
    for number, item in enumerate(plan().of_table("projects")):
        if item.unit_code in never:
            continue
        carried = item.unit_code in missing
        source = months[place - 1] if carried else month
        before = _PROGRESS[months[place - 1]][number] if place and not carried else None
        values = _project_values(_PROGRESS[source][number], before, item.item_id, source)
        if carried:
            values |= {"fiscal_paid_month_fen": None, "self_paid_month_fen": None}
        rows["projects"].append(_row(month, item, values, due, reported=source if carried else None))
    for item in plan().of_table("needs"):
        if item.unit_code in never:
            continue
        status, partner, signed, got, own, news = _NEED.get(
            item.seq if place >= 2 else 0, ("未对接", None, None, 0, 0, None)
        )
        values = {
            "need_status": status,
            "partner": partner,
            "signed_amount_fen": fen(signed),
            "enterprise_received_cum_fen": fen(got),
            "self_received_cum_fen": fen(own),
            "month_progress": news if month == SEPTEMBER else None,
            "remarks": None,
        }
        rows["needs"].append(_row(month, item, values, due))
    for item, done in zip(plan().of_table("indicators"), _DONE, strict=True):
        if item.unit_code in never:
            continue
        share = Decimal(done) * (place + 1) // 4
        values = {
            "done_month": share // (place + 1),
            "done_cum": share,
            "evidence": "名册、照片" if done else None,
        }
        rows["indicators"].append(_row(month, item, values, due))
    return {table: tuple(each) for table, each in rows.items()}


def _standing(code: str, state: str, month: Month, *, late: int = 0, errors: int = 0) -> UnitStanding:
    arrived = _at(f"{month.plus(1)}-03T10:00:00") if state != "missing" else None
    stands = state in ("accepted", "in_part", "nil")
    return UnitStanding(
        unit_code=code,
        state=state,
        owes=("projects",),
        reported_tables=("projects",) if stands else (),
        first_received_at=arrived,
        first_accepted_at=arrived if stands else None,
        timely=late == 0 if stands else None,
        days_late=late or None,
        versions={"projects": 1} if stands else {},
        errors_count=errors,
        warnings_count=1 if errors else 0,
    )


def _units() -> list[str]:
    owing = {item.unit_code for item in plan().items}
    return [unit.code for unit in registry().units if unit.kind == "township" or unit.code in owing]


def _submissions(month: Month) -> tuple[SubmissionRow, ...]:
    moment = _at(f"{month.plus(1)}-08T09:30:00")
    return (
        SubmissionRow(
            1, month, "422822106", "projects", "1" * 64, "长梁镇报表.xlsx", moment, moment, moment,
            "accepted", True, 1, "",
        ),
    )  # fmt: skip


def view(
    month: Month,
    *,
    missing: frozenset[str] = frozenset(),
    never: frozenset[str] = frozenset(),
    states: Mapping[str, tuple[str, int, int]] | None = None,
    findings: tuple[FindingRow, ...] = (),
    corrections: tuple[Correction, ...] = (),
) -> MonthView:
    """One month's view; `states` gives (state, days late, errors) where a unit did not simply report."""
    standings = []
    has = {item.unit_code for item in plan().items}
    for code in _units():
        default = (
            ("missing", 0, 0) if code in missing | never else ("accepted" if code in has else "nil", 0, 0)
        )
        state, late, errors = (states or {}).get(code, default)
        standings.append(_standing(code, state, month, late=late, errors=errors))
    return MonthView(
        month=month,
        as_of=None,
        plan=plan(),
        rows=_rows(month, missing, never),
        submissions=_submissions(month),
        findings=findings,
        corrections=corrections,
        standings=tuple(standings),
        deadline=deadline(month).moment,
    )


def first_month() -> list[MonthView]:
    return [view(JUNE)]


def normal() -> list[MonthView]:
    """September: one late, one missing, one returned in part."""
    returned = FindingRow(
        SEPTEMBER,
        "422822203",
        finding(
            "R03",
            "表1 T8：累计支付财政帮扶资金 520.5 万元大于累计到位 500 万元，请核对后重报",
            file="三里乡9月报表(最终).xlsx",
            sheet="表1 援建项目",
            cell="T8",
            row=8,
            item="2018-A1-07",
        ),
        "2" * 64,
        _at("2018-10-03T10:00:00"),
        True,
        7,
    )
    september = view(
        SEPTEMBER,
        missing=frozenset({"422822103"}),
        states={
            "422822103": ("missing", 0, 0),
            "422822104": ("accepted", 2, 0),
            "422822203": ("in_part", 0, 3),
        },
        findings=(returned,),
    )
    return [view(JUNE), view(JULY), view(AUGUST), september]


def half_missing() -> list[MonthView]:
    """July: half of the units missing, two of them from the start."""
    gone = frozenset({"422822104", "422822-inv", "422822100", "422822102"})
    never = frozenset({"422822-fpb", "422822-edu", "422822-hr", "422822-org"})
    return [view(JUNE, never=never), view(JULY, missing=gone, never=never)]


def corrected() -> list[MonthView]:
    """August after corrections: a figure, a text and a withdrawn row."""
    moment = _at("2018-09-20T15:00:00")
    corrections = (
        Correction(AUGUST, "2018-A1-01", "fiscal_paid_cum_fen", fen("72.6"), fen(30), "422822106", moment, "录入倒置"),
        Correction(AUGUST, "2018-A1-01", "progress_pct", Decimal(70), Decimal(65), "422822106", moment, "录入倒置"),
        Correction(AUGUST, "2018-A2-04", "(row)", "reported", None, "422822-inv", moment, ""),
    )  # fmt: skip
    return [view(JUNE), view(JULY), view(AUGUST, corrections=corrections)]


MONTHS = {
    "first": first_month,
    "normal": normal,
    "half-missing": half_missing,
    "corrected": corrected,
}
