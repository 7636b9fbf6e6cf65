"""The views that the report's benchmark sets: the sample's months, and the same with more projects."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flows import steps
from ledger.home import CHECKOUT, Home
from ledger.recording.ledger import Ledger
from ledger.recording.model import ItemRow, MonthView
from ledger.registry import Registry
from schemas.month import Month
from schemas.plan import PlanItem
from schemas.tables import PROJECTS

MONTH = Month.parse("2018-09")
#: A printed row's place among its copies.
_SPREAD = 10_000


def sample_home(folder: Path) -> Home:
    """A home with the sample programme's four months recorded, nothing rendered."""
    for part in ("registry", "plan", "2018-06", "2018-07", "2018-08", "2018-09"):
        shutil.copytree(CHECKOUT / "data" / "raw" / part, folder / "data" / "raw" / part)
    home = Home(folder)
    steps.take_in(home, MONTH)
    steps.record(home, MONTH)
    return home


def views(home: Home) -> list[MonthView]:
    """The views from the first month to September."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        return list(ledger.views_until(MONTH))


def with_projects(months: Sequence[MonthView], count: int) -> list[MonthView]:
    """The same months with `count` projects: the plan's own, over and over, each under its section."""
    plan = months[-1].plan
    own = plan.of_table(PROJECTS.key)
    items: list[PlanItem] = []
    copies: dict[str, list[str]] = {}
    for place, item in enumerate(own):
        for copy in range(count // len(own) + (place < count % len(own))):
            number = len(items) + 1
            item_id = f"{plan.year}-A1-{number:04d}"
            row = (item.row or 0) * _SPREAD + copy
            name = item.name if not copy else f"{item.name}（{copy + 1}）"
            items.append(replace(item, item_id=item_id, seq=number, name=name, row=row))
            copies.setdefault(item.item_id, []).append(item_id)
    others = tuple(item for item in plan.items if item.table != PROJECTS.key)
    totals = tuple(
        replace(total, row=total.row * _SPREAD) if total.table == PROJECTS.key else total
        for total in plan.totals
    )
    larger = replace(plan, items=(*items, *others), totals=totals)

    def grown(rows: Sequence[ItemRow]) -> tuple[ItemRow, ...]:
        return tuple(replace(row, item_id=each) for row in rows for each in copies.get(row.item_id, ()))

    return [
        replace(view, plan=larger, rows={**view.rows, PROJECTS.key: grown(view.rows[PROJECTS.key])})
        for view in months
    ]
