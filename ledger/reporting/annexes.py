"""The annexes' rows as printed: sections, 小计 and 合计, items, in the plan's own order."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.reporting.matters import marks
from ledger.reporting.model import Annex, AnnexRow, NeedLine, ProjectLine, TotalLine
from ledger.reporting.projects import active, reported_window
from ledger.reporting.rates import Funds, mean, together, total
from ledger.reporting.texts import joined
from schemas.plan import Plan, PlanTotal
from schemas.tables import NEEDS, PROJECTS

_Path = tuple[str, ...]


def annex1(plan: Plan, lines: Sequence[ProjectLine], title: str) -> Annex:
    """附件1: the projects, with the plan's stated totals beside what the reported rows give."""
    by_id = {line.item_id: line for line in lines}
    covered = [(item.section, by_id[item.item_id]) for item in plan.of_table(PROJECTS.key)]

    def sum_up(stated: PlanTotal) -> TotalLine:
        inside = [line for path, line in covered if path[: len(stated.section)] == stated.section]
        going = active(inside)
        return TotalLine(
            label=joined(stated.label),
            section=stated.section,
            count=stated.count,
            stated=tuple(sorted(stated.values.items())),
            marks=marks(plan, PROJECTS.key, stated.sheet, stated.row),
            fiscal=together(line.fiscal for line in inside),
            own=together(line.own for line in inside),
            invested=total(line.invested for line in inside),
            signed=None,
            progress=mean(line.progress for line in going),
            window_pct=reported_window(going),
        )

    totals = tuple(sum_up(stated) for stated in plan.totals if stated.table == PROJECTS.key)
    return Annex(title, _rows(plan, PROJECTS.key), totals)


def annex2(plan: Plan, lines: Sequence[NeedLine], title: str) -> Annex:
    """附件2: the needs, with the plan's stated totals beside what the reported rows give."""
    by_id = {line.item_id: line for line in lines}
    covered = [(item.section, by_id[item.item_id]) for item in plan.of_table(NEEDS.key)]

    def sum_up(stated: PlanTotal) -> TotalLine:
        inside = [line for path, line in covered if path[: len(stated.section)] == stated.section]
        return TotalLine(
            label=joined(stated.label),
            section=stated.section,
            count=stated.count,
            stated=tuple(sorted(stated.values.items())),
            marks=marks(plan, NEEDS.key, stated.sheet, stated.row),
            fiscal=Funds(
                total(line.enterprise_planned for line in inside),
                total(line.enterprise_received for line in inside),
                None,
            ),
            own=Funds(
                total(line.own_planned for line in inside),
                total(line.own_received for line in inside),
                None,
            ),
            invested=None,
            signed=total(line.signed for line in inside),
            progress=None,
            window_pct=None,
        )

    totals = tuple(sum_up(stated) for stated in plan.totals if stated.table == NEEDS.key)
    return Annex(title, _rows(plan, NEEDS.key), totals)


def _rows(plan: Plan, table: str) -> tuple[AnnexRow, ...]:
    """Headings, totals and items by their row in the plan's sheet."""
    totals = [stated for stated in plan.totals if stated.table == table]
    placed: list[tuple[int, int, str, _Path, int, str]] = [
        (stated.row, 0, "total", stated.section, place, joined(stated.label))
        for place, stated in enumerate(totals)
    ]
    placed += [
        (item.row or 0, 1, "item", item.section, place, "") for place, item in enumerate(plan.of_table(table))
    ]
    if all(item.row is not None for item in plan.of_table(table)):
        placed.sort(key=lambda entry: entry[:2])
    rows: list[AnnexRow] = []
    current: _Path = ()
    for _, _, kind, path, index, label in placed:
        common = 0
        while common < min(len(current), len(path)) and current[common] == path[common]:
            common += 1
        rows.extend(AnnexRow("section", joined(path[level]), level, -1) for level in range(common, len(path)))
        current = path
        rows.append(AnnexRow(kind, label, len(path), index))
    return tuple(rows)
