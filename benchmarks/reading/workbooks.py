"""Two hundred realistic submissions for the benchmarks: three tables of five rows each, one a unit.

The programme is invented: a registry of as many units as files, a plan with fifteen items a unit,
one month of history. The layout is the county's own form, with its cover and two-row headers.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ledger.checking.model import Context, History
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Filing, ReadJob
from ledger.registry import TOWNSHIP, Registry, Unit
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem, Value
from schemas.tables import TABLES
from tools.sample import formats
from tools.sample.sheets import Habit, Scalar, cover, official

MONTH = Month(2018, 9)
ITEMS = 5
_FEN = 1_000_000
_TALK = "受连续降雨影响，砂石料运输困难，施工便道两处滑坡，已组织抢修并增加一个作业面"


@dataclass(frozen=True)
class Batch:
    """The files, what they are read against and what they are checked against."""

    paths: list[Path]
    jobs: list[ReadJob]
    contexts: list[Context]


def make_batch(folder: Path, files: int, seed: int = 2018) -> Batch:
    """Write `files` workbooks into `folder`; the same seed gives the same figures."""
    chance = random.Random(seed)
    sample = Registry.load(Home(CHECKOUT))
    units = tuple(
        Unit(f"4228{place:05d}", f"第{place}乡", TOWNSHIP, f"示范县第{place}乡", ())
        for place in range(1, files + 1)
    )
    registry = Registry(sample.programme, units, ())
    items = [item for unit in units for key in TABLES for item in _items(unit.code, key, chance)]
    plan = Plan(2018, 1, "", "plan.xlsx", tuple(items))
    filing = Filing(registry, MONTH, plan)
    paths, jobs, contexts = [], [], []
    for unit in units:
        before = {
            item.item_id: {MONTH.plus(-1): _figures(item, chance, 0)} for item in plan.of_unit(unit.code)
        }
        grids = [cover(unit.name, MONTH, "2018年10月3日", "张三")]
        for key, table in TABLES.items():
            rows = [
                {**_written(item.values), **_written(_figures(item, chance, 1, before[item.item_id]))}
                for item in plan.of_unit(unit.code, key)
            ]
            grids.append(official(table, unit.name, MONTH, rows, Habit(dates="date")))
        data = formats.xlsx(grids)
        path = folder / f"{unit.name}9月.xlsx"
        path.write_bytes(data)
        paths.append(path)
        jobs.append(ReadJob(path, path.name, hashlib.sha256(data).hexdigest(), filing))
        reported = frozenset((unit.code, key, MONTH.plus(-1)) for key in TABLES)
        history = History({item: dict(rows) for item, rows in before.items()}, reported)
        contexts.append(Context(plan, history, registry.first_month, registry.names))
    return Batch(paths, jobs, contexts)


def _items(code: str, key: str, chance: random.Random) -> list[PlanItem]:
    marks = {"projects": "A1", "needs": "A2", "indicators": "T"}
    made = []
    for number in range(1, ITEMS + 1):
        name = f"{code[-3:]}村第{number}号{'公路硬化' if key == 'projects' else '产业'}建设项目(深度贫困村)"
        own = chance.randrange(50, 900)
        other = chance.randrange(50, 900)
        values: dict[str, Value] = {
            "seq": number,
            "place": f"示范县第{int(code[-5:])}乡",
            "item_name": name,
            "indicator_name": name,
            "item_code": f"{code[-5:]}-{number}",
            "unit_of_measure": "人次",
            "target": Decimal(1000),
            "total_investment_fen": (own + other) * _FEN,
            "funds_total_fen": (own + other) * _FEN,
            "fiscal_planned_fen": other * _FEN,
            "enterprise_planned_fen": other * _FEN,
            "self_planned_fen": own * _FEN,
            "start_planned": PartialDate(2018, 5),
            "accept_planned": PartialDate(2018, 12),
            "lead_unit": "乡政府",
            "period": "2018-2020",
            "category": "公共服务",
        }
        kept = {name_: values[name_] for name_ in TABLES[key].plan_fields}
        item_id = f"2018-{marks[key]}-{code[-5:]}{number:02d}"
        made.append(PlanItem(item_id, key, number, name, code, (), kept, "附件", number))
    return made


def _figures(
    item: PlanItem, chance: random.Random, month: int, before: dict[Month, dict[str, Value]] | None = None
) -> dict[str, Value]:
    """What is reported of an item; with `before`, one month on."""
    last = before[MONTH.plus(-1)] if before else {}

    def grown(name: str, step: int) -> int:
        value = last.get(name, 0)
        return (value if isinstance(value, int) else 0) + chance.randrange(1, step) * 10_000

    if item.table == "indicators":
        done = Decimal(chance.randrange(10, 90))
        total = done + (last.get("done_cum") or 0)  # type: ignore[operator]
        return {"done_month": done, "done_cum": total, "evidence": "名册、照片", "remarks": None}
    if item.table == "needs":
        return {
            "need_status": "已签约",
            "partner": "某农产品电商企业",
            "signed_amount_fen": 120 * _FEN,
            "enterprise_received_cum_fen": grown("enterprise_received_cum_fen", 1000),
            "self_received_cum_fen": grown("self_received_cum_fen", 1000),
            "month_progress": "签订产销合作协议，首批订金到位，组织两地供货",
        }
    paid = {name: grown(name, 900) for name in ("fiscal_paid_cum_fen", "self_paid_cum_fen")}
    spent = {name: value - int(str(last.get(name) or 0)) for name, value in paid.items()}
    return {
        "status": "在建",
        "start_actual": PartialDate(2018, 5, 20),
        "progress_pct": Decimal(56 + 6 * month),
        "fiscal_received_cum_fen": paid["fiscal_paid_cum_fen"] + 5 * _FEN,
        "self_received_cum_fen": paid["self_paid_cum_fen"] + 5 * _FEN,
        "invested_cum_fen": sum(paid.values()),
        "fiscal_paid_month_fen": spent["fiscal_paid_cum_fen"],
        "self_paid_month_fen": spent["self_paid_cum_fen"],
        **paid,
        "poor_households": Decimal(40 + month),
        "poor_persons": Decimal(130 + month),
        "problems": _TALK,
        "measures": "增加一个作业面，夜间运料，确保年底验收",
        "remarks": None,
    }


def _written(values: dict[str, Value]) -> dict[str, Scalar]:
    """Values as the form's writer takes them: amounts in 万元, dates as text."""
    written: dict[str, Scalar] = {}
    for name, value in dict(values).items():
        if isinstance(value, PartialDate):
            written[name] = str(value)
        elif isinstance(value, int) and name.endswith("_fen"):
            written[name] = Decimal(value) / _FEN
        else:
            written[name] = value
    return written
