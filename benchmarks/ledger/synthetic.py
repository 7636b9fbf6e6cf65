"""A programme of any size: units, one project each, files that are JSON and are believed.

The recording layer alone is measured: reading and checking cost nothing here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ledger.checking.model import Checked, CheckedTable, Context, worst
from ledger.home import Home
from ledger.reading.model import ReadJob, ReadRow, ReadTable, ReadValue, Submission
from ledger.recording import events
from ledger.recording.tools import Tools
from ledger.registry import Registry, Unit
from schemas.finding import Finding, finding
from schemas.month import Month
from schemas.plan import Plan, PlanItem

#: unit, month, figure of a file; and an event of the journal, as it is appended
Given = tuple[int, Month, int]
Item = tuple[str, dict[str, Any]]
FIGURES = (
    "fiscal_received_cum_fen",
    "self_received_cum_fen",
    "invested_cum_fen",
    "fiscal_paid_month_fen",
    "fiscal_paid_cum_fen",
    "self_paid_cum_fen",
)


def code(number: int) -> str:
    return f"9{number:08d}"


def registry(units: int) -> Registry:
    first = code(0)
    return Registry(
        programme={
            "county": "某县",
            "coordinating_unit": first,
            "default_units": {"projects": first, "needs": first, "indicators": first},
            "plan": {"year": 2018, "issued": "2018-01-02", "first_month": "2018-01"},
            "deadline": {"day": 5},
        },
        units=tuple(Unit(code(n), f"第{n}乡", "township", f"某县第{n}乡", ()) for n in range(units)),
        targets=(),
    )


def tools(units: int) -> Tools:
    def plan(data: bytes, name: str, year: int, version: int, _: Registry) -> Plan | list[Finding]:
        items = tuple(
            PlanItem(item_id(n), "projects", n, f"项目{n}", code(n), (), {}, "附件1", n + 4)
            for n in range(units)
        )
        return Plan(year, version, hashlib.sha256(data).hexdigest(), name, items)

    return Tools(_read, _check, plan)


def item_id(number: int) -> str:
    return f"2018-A1-{number:05d}"


def content(unit: int, month: Month, figure: int) -> bytes:
    return json.dumps([unit, str(month), figure]).encode()


def _read(
    jobs: Sequence[ReadJob], *, workers: int = 1, progress: Callable[[str], None] | None = None
) -> list[Submission]:
    return [_submission(job) for job in jobs]


def _submission(job: ReadJob) -> Submission:
    unit, month, figure = json.loads(job.path.read_bytes())
    values = {"item_name": ReadValue(item_id(unit), "C5", item_id(unit))}
    values["status"] = ReadValue("在建", "K5", "在建")
    for place, name in enumerate(FIGURES):
        values[name] = ReadValue(figure + place, f"P{place}", f"{(figure + place) / 1000000}")
    submission = Submission(job.name, job.sha256)
    submission.unit_code, submission.month = code(unit), Month.parse(month)
    submission.cover = {"更正说明": "更正", "填报人": "某某"}
    submission.tables.append(ReadTable("projects", "表1 援建项目", {"item_name": "C3"}, [ReadRow(5, values)]))
    return submission


def _check(items: Sequence[tuple[Submission, Context]]) -> list[Checked]:
    return [_believed(submission) for submission, _ in items]


def _believed(submission: Submission) -> Checked:
    (read,) = submission.tables
    table = CheckedTable(read.table, read.sheet, read.header_cells, 1)
    (row,) = read.rows
    table.accepted[str(row.value("item_name"))] = row
    table.findings.append(
        finding("H05", "没有进展", file=submission.file, table=read.table, item=str(row.value("item_name")))
    )
    return Checked(submission, [table], list(table.findings), worst([table.verdict]))


def write_originals(home: Home, given: Sequence[Given], received_at: str) -> list[Item]:
    """Put files straight among the originals; the journal's items for them. No flushing: this is
    the preparation, not what is measured."""
    home.originals.mkdir(parents=True, exist_ok=True)
    items: list[Item] = []
    for unit, month, figure in given:
        data = content(unit, month, figure)
        sha256 = hashlib.sha256(data).hexdigest()
        (home.originals / f"{sha256}.json").write_bytes(data)
        payload = {
            "sha256": sha256,
            "ext": "json",
            "file_name": f"{unit}.json",
            "received_at": received_at,
            "month": None,
            "source": "command",
        }
        items.append((events.RECEIVED, payload))
    return items


def write_plan(folder: Path) -> Path:
    path = folder / "2018-plan.xlsx"
    path.write_bytes(b"synthetic")
    return path
