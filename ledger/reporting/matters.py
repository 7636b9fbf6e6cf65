"""What is open and what was changed: the plan's discrepancies, returns, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger.calendar import SHANGHAI, deadline
from ledger.recording.model import Correction, Edition, MonthView
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


def last_edition(views: Sequence[MonthView]) -> Edition | None:
    """The edition before this report: the month's own last one, None for a first edition."""
    return views[-1].editions[-1] if views[-1].editions else None


def corrections(views: Sequence[MonthView], registry: Registry) -> tuple[CorrectionLine, ...]:
    """What was corrected since the edition before."""
    items = views[-1].plan.by_id
    return tuple(
        _line(correction, joined(items[correction.item_id].name), registry)
        if correction.item_id in items
        else _line(correction, "", registry)
        for correction in _corrected(views, registry)
    )


def _corrected(views: Sequence[MonthView], registry: Registry) -> list[Correction]:
    """The corrections since the edition before. Of a first edition those are the month's own, and
    those to earlier months since the last month's edition (where it was not issued: since it was due).
    """
    view, last = views[-1], last_edition(views)
    return [
        correction
        for each in views
        for correction in each.corrections
        if (
            correction.submission_id > last.upto
            if last is not None
            else each.month == view.month or _is_newer(correction, views, registry)
        )
    ]


def _is_newer(correction: Correction, views: Sequence[MonthView], registry: Registry) -> bool:
    """Whether a correction came after the edition of the month before the report's."""
    before = views[-1].month.plus(-1)
    editions = next((each.editions for each in views if each.month == before), ())
    if editions:
        return correction.submission_id > editions[-1].upto
    return correction.received_at > deadline(before, registry.deadline_day).moment


def corrections_intro(views: Sequence[MonthView], registry: Registry) -> str:
    """What came since the edition before, in words, and which reports it touches; '' where there is
    nothing to say."""
    view, last = views[-1], last_edition(views)
    changed = _corrected(views, registry)
    corrected = ""
    if changed:
        corrected = f"各单位更正已入账的数字{len(changed)}处，原数保留在台帐中。{_touched(views, changed)}"
    if last is None:
        return f"上期以来，{corrected}" if corrected else ""
    day = last.at.astimezone(SHANGHAI).date()
    head = f"第{last.number}版（{day.year}年{day.month}月{day.day}日签发）以来，"
    reports = _reports_since(view, last, registry)
    parts = [corrected or "没有更正已入账的数字。"]
    if reports:
        parts.append(f"新采用的报送：{'、'.join(reports)}。")
    if last.plan_version != view.plan.version:
        parts.append(f"计划改用第{view.plan.version}版。")
    return head + "".join(parts)


def _touched(views: Sequence[MonthView], changed: Sequence[Correction]) -> str:
    """The issued editions that print a figure from before its correction, and the later months that
    were checked again with the new one; '' where there are none."""
    of_month = {each.month: each for each in views}
    issued = {each.name: each for view in views for each in (*view.editions, *view.later_editions)}
    printed = [
        edition
        for edition in sorted(issued.values(), key=lambda each: (each.month, each.number))
        if any(edition.month >= one.month and edition.upto < one.submission_id for one in changed)
    ]
    later = sorted({month for one in changed for month in of_month[one.month].later_months})
    told = ""
    if printed:
        names = "、".join(f"{each.month.month}月月报第{each.number}版" for each in printed)
        told = f"更正前的数字已印入{names}。"
    if later:
        told += f"其后{'、'.join(f'{month.month}月' for month in later)}的数字已按更正后的重新核对。"
    return told


def _reports_since(view: MonthView, last: Edition, registry: Registry) -> list[str]:
    """The month's tables accepted since an edition: 高坪镇表1（第2版）."""
    return [
        f"{registry.names.get(row.unit_code, row.unit_code)}{TABLES[row.table].number}"
        + (f"（第{row.version}版）" if row.version > 1 else "（首次）")
        for row in view.submissions
        if row.version is not None and row.submission_id > last.upto and row.table in TABLES
    ]


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
