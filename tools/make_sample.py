"""Write the sample programme: the workbooks of all units, June to September 2018.

    python -m tools.make_sample [FOLDER]

writes ``<FOLDER>/2018-06`` … ``2018-09`` (default: data/raw), each with the files as units name
them and received.csv. The plan is the real one, the progress is invented (tools/sample/story.py).
The months are then disturbed as real ones are: see `_filed` and `DISTURBED`.
"""

from __future__ import annotations

import csv
import io
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ledger.calendar import deadline, is_working_day
from ledger.checking.plan import check_plan
from ledger.home import CHECKOUT, Home
from ledger.registry import DEPARTMENT, Registry
from schemas.finding import Finding
from schemas.money import wan
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem
from schemas.tables import TABLES
from tools.sample import formats
from tools.sample.needs import NEEDS
from tools.sample.projects import PAID_BEFORE_JUNE, PROJECTS
from tools.sample.sheets import Grid, Habit, Row, Scalar, compact, cover, official
from tools.sample.story import MONTHS
from tools.sample.targets import INDICATORS

_SEED = 20180619
_WRITERS = ("张三", "李四", "王五", "赵六", "孙七", "周八")

#: What goes wrong in which month, by unit (CONTRACT §6). Nothing else in the months is amiss.
DISTURBED = {
    ("2018-08", "422822202"): "late: two days after the deadline",
    ("2018-08", "422822101"): "corrected in September by a second file with 更正说明",
    ("2018-09", "422822-org"): "missing",
    ("2018-09", "422822103"): "returned: 累计拨付 in place of 累计支付",
    ("2018-09", "422822104"): "one of two rows returned: paid more than received",
    ("2018-09", "422822203"): "late: two days after the deadline, which National Day moved to the 8th",
}

_VARIANT_PROJECTS = {
    "seq": "序号",
    "item_name": "工程名称",
    "status": "项目状态",
    "progress_pct": "形象进度",
    "invested_cum_fen": "累计完成投资",
    "fiscal_received_cum_fen": "累计到位—财政帮扶资金",
    "self_received_cum_fen": "累计到位—自筹资金",
    "fiscal_paid_month_fen": "本月支付—财政帮扶资金",
    "self_paid_month_fen": "本月支付—自筹资金",
    "fiscal_paid_cum_fen": "累计支付财政帮扶资金",
    "self_paid_cum_fen": "累计支付自筹资金",
    "start_actual": "开工日期",
    "finish_actual": "完工日期",
    "accept_actual": "验收日期",
    "poor_households": "受益贫困户数",
    "poor_persons": "受益贫困人口",
    "problems": "存在的问题",
    "measures": "下一步措施",
    "remarks": "备注",
}
_PASSED_ON = {
    "fiscal_paid_cum_fen": "累计拨付(万元)—财政帮扶资金",
    "self_paid_cum_fen": "累计拨付(万元)—自筹资金",
}


@dataclass(frozen=True)
class Office:
    """How one unit reports: `file` its way of naming files ({m} the month), `shape` its layout."""

    file: str
    shape: str = "official"
    habit: Habit = field(default_factory=Habit)
    every_table: bool = False


OFFICES: dict[str, Office] = {
    "422822100": Office("业州镇{m}月零报告.xlsx"),
    "422822101": Office("高坪镇{m}月报表.xlsx", habit=Habit(dates="date", percent="share")),
    "422822102": Office("红岩寺镇2018年{m}月.xlsx", every_table=True),
    "422822103": Office("景阳镇东西部协作月报（{m}月）.xlsx", habit=Habit(dates="date")),
    "422822104": Office("官店镇 {m}月.xlsx", habit=Habit(total=True)),
    "422822105": Office("花坪镇{m}月份报表.xlsx"),
    "422822106": Office("长梁镇扶贫协作月报2018.{m:02d}.xls", "xls", Habit("dotted", yuan=True)),
    "422822201": Office("茅田乡2018年{m}月表1.csv", "csv"),
    "422822202": Office("龙坪乡{m}月.csv", "csv-gb18030"),
    "422822203": Office("三里乡{m}月报表(最终).xlsx", "compact", Habit(percent="text", total=True)),
    "422822-fpb": Office("县扶贫办2018年{m}月.xlsx", habit=Habit(dates="date")),
    "422822-edu": Office("教育局—综合楼项目{m}月进度.xlsx"),
    "422822-inv": Office("县招商局2018年{m}月表2.xlsx", habit=Habit(total=True)),
    "422822-tour": Office("旅游局{m}月.csv", "csv-gb18030"),
    "422822-org": Office("组织部挂职交流{m}月.xlsx"),
    "422822-hr": Office("县人社局劳务协作{m}月.ods", "ods"),
    "422822-party": Office("县委办{m}月工作要点.xls", "xls"),
}


@dataclass(frozen=True)
class Filed:
    """One file in a month's drop folder."""

    name: str
    data: bytes
    received_at: datetime


@dataclass(frozen=True)
class _Covering:
    """What goes with a file's figures: 填报日期, 更正说明, and titles of its own."""

    filled: date
    reason: str = ""
    titles: Mapping[str, str] | None = None


class Sample:
    """The plan, the registry and the story, turned into files."""

    def __init__(self) -> None:
        home = Home(CHECKOUT)
        self.registry = Registry.load(home)
        self.plan = _plan(home, self.registry)
        self.random = random.Random(_SEED)  # noqa: S311  receipt times, nothing secret

    def month(self, month: Month) -> list[Filed]:
        """All files of a month's drop folder, in order of receipt."""
        filed: list[Filed] = []
        for code, office in OFFICES.items():
            if DISTURBED.get((str(month), code)) != "missing":
                filed.append(self._filed(month, code, office))
        if str(month) == "2018-08":
            filed.append(self._correction(month))
        return sorted(filed, key=lambda one: (one.received_at, one.name))

    def _filed(self, month: Month, code: str, office: Office) -> Filed:
        rows = self.rows(month, code)
        titles: Mapping[str, str] | None = None
        if (str(month), code) == ("2018-08", "422822101"):
            rows["projects"][0] |= {"fiscal_paid_month_fen": "45", "fiscal_paid_cum_fen": "95"}
        if (str(month), code) == ("2018-09", "422822104"):
            rows["projects"][1] |= {"fiscal_paid_month_fen": "250", "fiscal_paid_cum_fen": "538"}
        if (str(month), code) == ("2018-09", "422822103"):
            titles = _PASSED_ON
        name = office.file.format(m=month.month)
        received = self._received(month, code)
        data = self._file(month, code, rows, _Covering(received.date(), titles=titles))
        return Filed(name, data, received)

    def _correction(self, month: Month) -> Filed:
        """The second file of 高坪镇 for August, in September."""
        code = "422822101"
        reason = "8月财政帮扶资金支付多计5万元（一笔退票），现更正"
        received = datetime(2018, 9, 12, 10, 20)  # noqa: DTZ001  county time
        data = self._file(month, code, self.rows(month, code), _Covering(received.date(), reason))
        return Filed(f"高坪镇{month.month}月报表（更正）.xlsx", data, received)

    def _received(self, month: Month, code: str) -> datetime:
        day = deadline(month, self.registry.deadline_day).day
        if DISTURBED.get((str(month), code), "").startswith("late"):
            day += timedelta(days=2)
        else:
            for _ in range(self.random.randint(0, 3)):
                before = _working_day_before(day)
                day = before if before >= month.plus(1).first_day else day
        minutes = self.random.randint(0, 500)
        return datetime(day.year, day.month, day.day, 8, 30) + timedelta(minutes=minutes)  # noqa: DTZ001

    # --- figures

    def rows(self, month: Month, code: str) -> dict[str, list[dict[str, Scalar]]]:
        """A unit's rows by table, plan columns prefilled; a table without items has none."""
        place = MONTHS.index(str(month))
        return {
            key: [{**_planned(item), **_reported(item, place)} for item in self.plan.of_unit(code, key)]
            for key in TABLES
        }

    def _file(self, month: Month, code: str, rows: Mapping[str, Sequence[Row]], covering: _Covering) -> bytes:
        name, office = self.registry.names[code], OFFICES[code]
        kept = {key: lines for key, lines in rows.items() if lines or office.every_table}
        if not kept:
            kept = {"projects": []}
        if office.shape == "compact":
            grids = [
                compact(TABLES[key], name, month, lines, office.habit, _VARIANT_PROJECTS)
                for key, lines in kept.items()
            ]
            return formats.xlsx(grids)
        grids = [
            official(TABLES[key], name, month, lines, office.habit, covering.titles)
            for key, lines in kept.items()
        ]
        if office.shape.startswith("csv"):
            return formats.csv_file(_flat(grids[0]), "gb18030" if "gb18030" in office.shape else "utf-8-sig")
        whole = [_cover(month, code, name, covering), *grids]
        return {"xls": formats.xls, "ods": formats.ods}.get(office.shape, formats.xlsx)(whole)


def _working_day_before(day: date) -> date:
    day -= timedelta(days=1)
    while not is_working_day(day)[0]:
        day -= timedelta(days=1)
    return day


def _cover(month: Month, code: str, name: str, covering: _Covering) -> Grid:
    day = covering.filled
    writer = _WRITERS[list(OFFICES).index(code) % len(_WRITERS)]
    return cover(name, month, f"{day.year}年{day.month}月{day.day}日", writer, covering.reason)


def _flat(grid: Grid) -> Grid:
    """A grid as CSV can hold it: the two header rows joined into one."""
    rows = [list(cells) for cells in grid.rows]
    group = ""
    for place, cell in enumerate(rows[2]):
        group = str(cell.value) if cell.value is not None else group
        leaf = rows[3][place].value
        rows[2][place] = replace(cell, value=group if leaf is None else f"{group}—{leaf}")
    return Grid(grid.name, rows[:3] + rows[4:])


def _planned(item: PlanItem) -> dict[str, Scalar]:
    """The plan columns of an item as they are written into a form."""
    table = TABLES[item.table]
    written: dict[str, Scalar] = {}
    for name in table.plan_fields:
        value = item.values.get(name)
        if isinstance(value, PartialDate):
            written[name] = str(value)
        elif name.endswith("_fen"):
            written[name] = wan(value) if isinstance(value, int) else None
        else:
            written[name] = value
    return written


def _reported(item: PlanItem, place: int) -> dict[str, Scalar]:
    return {"projects": _project, "needs": _need, "indicators": _indicator}[item.table](item.item_id, place)


def _project(item_id: str, place: int) -> dict[str, Scalar]:
    now = PROJECTS[item_id][place]
    before = PROJECTS[item_id][place - 1] if place else None
    paid_before = PAID_BEFORE_JUNE.get(item_id, ("0", "0"))
    if before is not None:
        paid_before = (before.fiscal_paid, before.self_paid)
    return {
        "status": now.status,
        "start_actual": now.start,
        "finish_actual": now.finish,
        "accept_actual": now.accept,
        "progress_pct": now.progress,
        "fiscal_received_cum_fen": now.fiscal_received,
        "self_received_cum_fen": now.self_received,
        "invested_cum_fen": now.invested,
        "fiscal_paid_month_fen": Decimal(now.fiscal_paid) - Decimal(paid_before[0]),
        "self_paid_month_fen": Decimal(now.self_paid) - Decimal(paid_before[1]),
        "fiscal_paid_cum_fen": now.fiscal_paid,
        "self_paid_cum_fen": now.self_paid,
        "poor_households": now.households,
        "poor_persons": now.persons,
        "problems": now.problems,
        "measures": now.measures,
        "remarks": now.remarks,
    }


def _need(item_id: str, place: int) -> dict[str, Scalar]:
    now = NEEDS[item_id][place]
    return {
        "need_status": now.status,
        "partner": now.partner,
        "signed_amount_fen": now.signed,
        "enterprise_received_cum_fen": now.enterprise_received,
        "self_received_cum_fen": now.self_received,
        "month_progress": now.progress,
    }


def _indicator(item_id: str, place: int) -> dict[str, Scalar]:
    target = INDICATORS[item_id]
    return {
        "done_month": target.done[place],
        "done_cum": target.cumulative(place),
        "evidence": target.evidence[place],
        "remarks": target.remarks,
    }


def _plan(home: Home, registry: Registry) -> Plan:
    path = sorted(home.plans.glob(f"{registry.year}*.xlsx"))[0]
    plan = check_plan(path.read_bytes(), path.name, registry.year, 1, registry)
    if not isinstance(plan, Plan):
        raise TypeError(
            f"the sample's plan can't be read: {[f.message for f in plan if isinstance(f, Finding)]}"
        )
    reporting = {item.unit_code for item in plan.items}
    missing = reporting - set(OFFICES)
    if missing:
        raise ValueError(f"no office for {sorted(missing)} ({DEPARTMENT})")
    return plan


def received_csv(filed: Sequence[Filed]) -> bytes:
    """The month's received.csv (CONTRACT §4)."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file_name", "received_at"])
    for one in filed:
        writer.writerow([one.name, f"{one.received_at.isoformat()}+08:00"])
    return stream.getvalue().encode()


def write(folder: Path) -> list[Path]:
    """Write all months below `folder`; gives the paths written."""
    sample = Sample()
    written: list[Path] = []
    for month in map(Month.parse, MONTHS):
        target = folder / str(month)
        target.mkdir(parents=True, exist_ok=True)
        filed = sample.month(month)
        for one in filed:
            written.append(target / one.name)
            written[-1].write_bytes(one.data)
        written.append(target / "received.csv")
        written[-1].write_bytes(received_csv(filed))
    return written


if __name__ == "__main__":
    paths = write(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "data" / "raw")
    sys.stdout.write(f"{len(paths)} files\n")
