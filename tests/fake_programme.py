"""A programme in miniature: three units, files that are JSON, a reader and a checker to go with it.

The recording layer is tested against these, so that a test says in one line what a file holds and
what is returned, and so that thousands of files cost nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger.checking.model import Checked, CheckedTable, Context, Verdict, worst
from ledger.home import Home
from ledger.reading.model import ReadJob, ReadRow, ReadTable, ReadValue, Submission
from ledger.recording.tools import Tools
from ledger.registry import Registry, Unit
from schemas.columns import COLUMNS, Kind
from schemas.finding import Finding, finding
from schemas.money import to_fen
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem, Value

A, B, C = "999001", "999002", "999-edu"
UNITS = (
    Unit(A, "甲镇", "township", "某县甲镇", ()),
    Unit(B, "乙镇", "township", "某县乙镇", ()),
    Unit(C, "县教育局", "department", "某县教育局", ()),
)
REGISTRY = Registry(
    programme={
        "county": "某县",
        "coordinating_unit": C,
        "default_units": {"projects": C, "needs": C, "indicators": C},
        "plan": {"year": 2018, "issued": "2018-06-19", "first_month": "2018-06"},
        "deadline": {"day": 5},
    },
    units=UNITS,
    targets=(),
)
P1, P2, P3, N1, T1 = "2018-A1-01", "2018-A1-02", "2018-A1-03", "2018-A2-01", "2018-T-01"


def _item(item_id: str, table: str, unit: str, **values: Value) -> PlanItem:
    seq = int(item_id[-2:])
    return PlanItem(item_id, table, seq, f"项目{item_id}", unit, (), values, "附件1", seq + 4)


def make_plan(data: bytes, name: str, year: int, version: int, registry: Registry) -> Plan | list[Finding]:
    """A plan from JSON: ``{"drop": [item ids], "move": {item id: unit}}``; anything else is no plan."""
    try:
        stated = json.loads(data)
    except ValueError:
        return [finding("F05", "不是计划")]
    moved = stated.get("move", {})
    items = (
        _item(P1, "projects", A, fiscal_planned_fen=100_000_000),
        _item(P2, "projects", moved.get(P2, A)),
        _item(P3, "projects", B),
        _item(N1, "needs", C),
        _item(T1, "indicators", C, unit_of_measure="人", target=Decimal(300)),
    )
    kept = tuple(item for item in items if item.item_id not in stated.get("drop", []))
    return Plan(year, version, hashlib.sha256(data).hexdigest(), name, kept)


def _value(name: str, stated: Any) -> Value:
    if stated is None:
        return None
    match COLUMNS[name].kind:
        case Kind.MONEY:
            return to_fen(Decimal(str(stated))).fen
        case Kind.PERCENT | Kind.COUNT | Kind.QUANTITY:
            return Decimal(str(stated))
        case Kind.DATE:
            return PartialDate.parse(stated)
        case _:
            return str(stated)


def read(
    jobs: Sequence[ReadJob], *, workers: int = 1, progress: Callable[[str], None] | None = None
) -> list[Submission]:
    return [_read(job) for job in jobs]


def _read(job: ReadJob) -> Submission:
    submission = Submission(job.name, job.sha256)
    try:
        stated = json.loads(job.path.read_bytes())
    except ValueError:
        submission.findings.append(finding("F01", "打不开", file=job.name))
        return submission
    submission.unit_code = stated.get("unit")
    submission.month = Month.parse(stated["month"]) if stated.get("month") else None
    submission.cover = stated.get("cover", {})
    if submission.unit_code is None:
        submission.findings.append(finding("F06", "没有单位", file=job.name))
    for key, part in stated.get("tables", {}).items():
        table = ReadTable(key, f"sheet {key}", {"remarks": "A1"}, [], nil_report=part == "零报告")
        if isinstance(part, dict):
            for number, (item, values) in enumerate(part.items(), start=5):
                table.rows.append(_row(number, item, values))
        submission.tables.append(table)
    return submission


def _row(number: int, item: str, values: Mapping[str, Any]) -> ReadRow:
    fields = {"item_name": ReadValue(item, f"C{number}", item)}
    for place, (name, stated) in enumerate(values.items(), start=4):
        raw = "" if stated is None else str(stated)
        fields[name] = ReadValue(_value(name, stated), f"{chr(64 + place)}{number}", raw)
    return ReadRow(number, fields)


def check(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
    return [_check(submission, context) for submission, context in items]


def _check(submission: Submission, context: Context) -> Checked:
    """A row whose 备注 is ``退回`` is returned; H01 compares 累计支付 with the month before."""
    found = list(submission.findings)
    if submission.sha256 in context.received_before:
        found.append(finding("F08", "收到过", file=submission.file))
    checked = []
    for read_table in submission.tables:
        table = CheckedTable(
            read_table.table,
            read_table.sheet,
            read_table.header_cells,
            len(read_table.rows),
            nil_report=read_table.nil_report,
        )
        key = (submission.unit_code or "", read_table.table)
        if key in context.history.current and "更正说明" not in submission.cover:
            table.findings.append(finding("F15", "替换未说明", file=submission.file, table=read_table.table))
        for row in read_table.rows:
            item = str(row.value("item_name"))
            wrong = _wrong(row, item, submission, context)
            table.findings += wrong
            if any(one.returns_row for one in wrong):
                table.returned.append((item, row))
            else:
                table.accepted[item] = row
        checked.append(table)
        found += table.findings
    verdict = worst([table.verdict for table in checked]) if not submission.returned else Verdict.RETURNED
    return Checked(submission, checked, found, verdict)


def _wrong(row: ReadRow, item: str, submission: Submission, context: Context) -> list[Finding]:
    where = {"item": item, "row": row.row, "table": "projects", "file": submission.file}
    wrong = []
    if row.value("remarks") == "退回":
        wrong.append(finding("C06", "缺数", cell=f"E{row.row}", **where))
    now_paid = row.value("fiscal_paid_cum_fen")
    if submission.month is not None and isinstance(now_paid, int):
        before = context.history.at(item, submission.month.plus(-1)) or {}
        paid = before.get("fiscal_paid_cum_fen")
        if isinstance(paid, int) and now_paid < paid:
            wrong.append(finding("H01", f"小于上月 {paid}", **where))
    return wrong


def check_by_plan(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
    """The check, and two rules of the plan: a row whose item is not the unit's there goes back (P01),
    an item of the unit that is left out is asked for (P04)."""
    found = check(items)
    for checked, (submission, context) in zip(found, items, strict=True):
        assert context.plan is not None
        mine = context.plan.of_unit(submission.unit_code or "")
        for read_table, table in zip(submission.tables, checked.tables, strict=True):
            planned = {item.item_id for item in mine if item.table == table.table}
            rows = {str(row.value("item_name")): row for row in read_table.rows}
            strange = [item for item in rows if item not in planned]
            left_out = sorted(planned - rows.keys())
            more = [finding("P01", "计划没有", item=i, row=rows[i].row, table=table.table) for i in strange]
            more += [finding("P04", f"缺 {item}", item=item, table=table.table) for item in left_out]
            table.findings += more
            checked.findings += more
            for item in strange:
                if item in table.accepted:
                    table.returned.append((item, table.accepted.pop(item)))
        if not submission.returned:
            checked.verdict = worst([table.verdict for table in checked.tables])
    return found


TOOLS = Tools(read, check, make_plan)
TOOLS_BY_PLAN = Tools(read, check_by_plan, make_plan)


def write_plan(folder: Path, **stated: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "2018-plan.xlsx"
    path.write_text(json.dumps(stated), encoding="utf-8")
    return path


def write_file(path: Path, unit: str | None, month: str | None, note: str = "", **tables: Any) -> Path:
    """Write a file: ``projects={item: {field: value}}``, or 零报告."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cover = {"更正说明": note} if note else {}
    stated = {"unit": unit, "month": month, "cover": cover, "tables": tables}
    path.write_text(json.dumps(stated, ensure_ascii=False), encoding="utf-8")
    return path


def new_home(folder: Path) -> Home:
    home = Home(folder)
    home.raw.mkdir(parents=True)
    return home
