"""What a figure of the report is over: the county, a section, a unit, an item."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import UsageError
from ledger.recording.model import MonthView
from ledger.recording.seen import Seen
from ledger.registry import fold_name
from ledger.reporting.texts import heading, joined
from schemas.month import Month
from schemas.plan import PlanItem

#: Words for the whole county.
_ALL = frozenset({"total", "county", "合计", "总计", "全县", "全部", "小计"})


@dataclass(frozen=True)
class Scope:
    """The items that a figure is over."""

    view: MonthView
    before: MonthView | None
    name: str
    items: tuple[PlanItem, ...]
    item: PlanItem | None = None

    @classmethod
    def find(cls, seen: Seen, month: Month, text: str) -> Scope:
        views = seen.views_until(month)
        view, before = views[-1], views[-2] if len(views) > 1 else None
        plan, wanted = view.plan, text.strip()
        folded = fold_name(wanted)
        county = str(seen.registry.programme.get("county", ""))
        if wanted in _ALL or (county and folded == fold_name(county)):
            return cls(view, before, "全县", plan.items)
        item = plan.by_id.get(wanted) or next((i for i in plan.items if fold_name(i.name) == folded), None)
        if item is not None:
            return cls(view, before, f"{item.item_id} {joined(item.name)}", (item,), item)
        unit = seen.registry.find_unit(wanted)
        if unit is not None:
            return cls(view, before, seen.registry.names[unit], plan.of_unit(unit))
        within = tuple(
            i
            for i in plan.items
            if any(folded in (fold_name(part), fold_name(heading(part))) for part in i.section)
            or folded == fold_name(str(i.values.get("category") or ""))
        )
        if within:
            return cls(view, before, heading(wanted), within)
        sections = list(dict.fromkeys(heading(part) for i in plan.items for part in i.section))
        raise UsageError(
            f"没有“{text}”。可以写项目编号（如 {plan.items[0].item_id if plan.items else '2018-A1-01'}）、"
            f"单位、计划中的类别（{'、'.join(sections)}），或“合计”。"
        )

    def of_table(self, key: str) -> list[PlanItem]:
        return [item for item in self.items if item.table == key]
