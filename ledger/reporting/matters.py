"""What is open and what was changed: the plan's discrepancies, returns, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ledger.calendar import SHANGHAI, deadline
from ledger.recording.model import Correction, MonthView
from ledger.registry import Registry
from ledger.reporting import figures
from ledger.reporting.model import CorrectionLine, Discrepancy, ReturnLine
from ledger.reporting.texts import abridged, clip, joined, shown
from schemas.columns import Column, Kind
from schemas.finding import Effect, Finding, rules
from schemas.plan import Plan, Value
from schemas.tables import PLAN_TABLES, TABLES

#: The field that stands for a whole withdrawn row (CONTRACT: corrections).
WITHDRAWN = "(row)"
_MOST_TEXT = 120
_MOST_MESSAGE = 300
_SHORT_VALUE = 12
#: A sheet's name has at most this many characters.
_MOST_NAME = 31


def discrepancies(plan: Plan) -> tuple[Discrepancy, ...]:
    """The plan's open discrepancies in the plan's order, numbered from 1.

    Proved repairs (F17) and other things the program did to a row are listed too: the reader must
    know that the printed page reads otherwise.
    """
    return tuple(
        Discrepancy(
            number=place,
            rule=finding.rule,
            grave=finding.is_error,
            sheet=clip(shown(finding.sheet), _MOST_NAME),
            cell=finding.cell or (f"第{finding.row}行" if finding.row else ""),
            item=finding.item or "",
            brief=_brief(finding, plan),
            message=clip(shown(finding.message), _MOST_MESSAGE),
            remedy=shown(finding.remedy),
        )
        for place, finding in enumerate(plan.findings, start=1)
    )


def _brief(finding: Finding, plan: Plan) -> str:
    """Place, item, what is wrong and by how much, in one line."""
    item = plan.by_id.get(finding.item or "")
    name = f"「{abridged(joined(item.name), 12)}」" if item is not None else ""
    what = rules()[finding.rule].title
    column = next((c for t in PLAN_TABLES.values() for c in t if c.title == finding.column), None)
    if finding.difference is not None:
        unit = column.unit if column is not None else ""
        what += f"，相差{figures.number(abs(finding.difference))}{unit}"
    elif finding.value and len(finding.value) <= _SHORT_VALUE:
        what += f"（{joined(finding.value)}）"
    return f"{place_of(finding)}{name}：{what}"


def marks(plan: Plan, table: str, sheet: str | None, row: int | None) -> tuple[tuple[str, int], ...]:
    """(field, number) for each open discrepancy of a row of the plan; field '' = the whole row."""
    if sheet is None or row is None:
        return ()
    titles = {column.title: column.field for column in PLAN_TABLES[table].columns}
    titles |= {column.title: column.field for column in TABLES[table].columns}
    return tuple(
        (titles.get(finding.column or "", ""), number)
        for number, finding in enumerate(plan.findings, start=1)
        if finding.sheet == sheet and finding.row == row
    )


def place_of(finding: Finding) -> str:
    """Sheet and cell (or row) of a finding, as a reader finds it."""
    sheet = clip(shown(finding.sheet), _MOST_NAME)
    if finding.cell:
        return f"{sheet} {finding.cell}".strip()
    return f"{sheet} 第{finding.row}行".strip() if finding.row else sheet


#: What became of what went back, in the unit's words.
EFFECTS = {
    Effect.FILE_RETURNED: "整份退回",
    Effect.TABLE_RETURNED: "整表退回",
    Effect.TABLE_OR_ROW_RETURNED: "退回",
    Effect.ROW_RETURNED: "退回该行",
    Effect.MUST_BE_ANSWERED: "须答复",
}


def returns(view: MonthView, registry: Registry) -> tuple[ReturnLine, ...]:
    """What was returned to the units for the month and is still open, in unit order."""
    known = rules()
    order = registry.order
    last = len(order)
    rows = sorted(
        (row for row in view.findings if row.open and row.finding.effect in EFFECTS),
        key=lambda row: (order.get(row.unit_code, last), row.submission_id),
    )
    return tuple(
        ReturnLine(
            unit_name=registry.names.get(row.unit_code, "单位不明"),
            file=clip(joined(row.finding.file), _MOST_TEXT),
            place=place_of(row.finding),
            rule=known[row.finding.rule].title,
            message=clip(shown(row.finding.message), _MOST_TEXT),
            effect=EFFECTS[row.finding.effect],
        )
        for row in rows
    )


def _shown_value(value: Value, column: Column | None) -> str:
    if value is None:
        return "空白"
    if column is not None and column.kind is Kind.MONEY and isinstance(value, int):
        return f"{figures.wan_exact(value)}万元"
    if isinstance(value, Decimal):
        return figures.number(value) + (column.unit if column is not None else "")
    if isinstance(value, str):
        return clip(shown(value), 40) or "空白"
    return getattr(value, "chinese", str(value))


def _since(view: MonthView, registry: Registry) -> datetime:
    """When the last edition was due: corrections to earlier months count from then on."""
    last = view.month.plus(-1)
    return deadline(last, registry.deadline_day).moment


def corrections(views: Sequence[MonthView], registry: Registry) -> tuple[CorrectionLine, ...]:
    """Corrections to the month's own figures, and to earlier months since the last edition."""
    view = views[-1]
    since = _since(view, registry)
    chosen: list[Correction] = [
        correction
        for each in views
        for correction in each.corrections
        if each.month == view.month or correction.received_at > since
    ]
    items = view.plan.by_id
    return tuple(
        _line(correction, joined(items[correction.item_id].name), registry)
        if correction.item_id in items
        else _line(correction, "", registry)
        for correction in chosen
    )


def _line(correction: Correction, name: str, registry: Registry) -> CorrectionLine:
    tables = [table for table in TABLES.values() if correction.field in table.by_field]
    column = tables[0].by_field[correction.field] if tables else None
    withdrawn = correction.field == WITHDRAWN
    return CorrectionLine(
        month=correction.month,
        item_id=correction.item_id,
        item_name=name or correction.item_id,
        column="整行" if withdrawn else _title(column, correction.field),
        old="已报" if withdrawn else _shown_value(correction.old, column),
        new="撤回" if withdrawn else _shown_value(correction.new, column),
        unit_name=registry.names.get(correction.unit_code, correction.unit_code),
        day=correction.received_at.astimezone(SHANGHAI).date(),
        reason=clip(shown(correction.reason), _MOST_TEXT),
    )


def _title(column: Column | None, field: str) -> str:
    """累计支付财政帮扶资金: a two-row title in one, without its unit."""
    if column is None:
        return field
    upper = column.group.removesuffix("(万元)").removesuffix("资金")
    return upper + column.leaf.partition("(")[0]
