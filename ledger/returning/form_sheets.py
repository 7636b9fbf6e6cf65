"""One table of a form: caption, header, the unit's items, last month's figures beside.

Laid out from the declarations in schemas.tables; the reader finds what is written here because it
looks for the same declarations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.cell import Cell, MergedCell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ledger.recording.model import ItemRow
from ledger.returning import form_style as style
from ledger.returning.form_entries import plain_title, validation
from schemas.columns import Column, Kind
from schemas.money import plain, wan
from schemas.month import Month, PartialDate
from schemas.plan import PlanItem, Value
from schemas.tables import Table

NIL_REPORT = "零报告"
REFERENCE = "上月末数（供参考，不报送）"
_TITLE_ROW, _CAPTION_ROW, _HEADER_ROW = 1, 2, 3
_NUMBERS = (Kind.MONEY, Kind.PERCENT, Kind.COUNT, Kind.QUANTITY)
#: Below this share of its size print can't be read: the table then goes on two pages' width.
_LEAST_SCALE = 0.5


@dataclass(frozen=True)
class TableForm:
    """What one table of one unit's form is written from."""

    table: Table
    items: Sequence[PlanItem]
    month: Month
    unit_name: str
    last: Mapping[str, ItemRow]


def write_table(sheet: Worksheet, form: TableForm) -> None:
    """Write the whole table into an empty sheet."""
    columns = form.table.columns
    first_data = _HEADER_ROW + _header_rows(columns)
    _caption(sheet, form)
    _header(sheet, form.table)
    if form.items:
        for row, item in enumerate(form.items, start=first_data):
            _item_row(sheet, row, item, form)
        reference = _reference_columns(form) if form.last else []
        _reference(sheet, form, reference, first_data)
        _validations(sheet, form, first_data)
        _hints(sheet, form, reference, first_data)
    else:
        _nil_row(sheet, first_data, form.table)
    _paper(sheet, form.table, first_data, first_data + max(1, len(form.items)) - 1)
    style.protect(sheet)


def put(cell: Cell | MergedCell, value: object) -> None:
    """Write a value; a text is a text even where it begins like a formula."""
    if isinstance(cell, MergedCell):
        raise TypeError(f"{cell.coordinate} lies under a merged cell")
    cell.value = value  # type: ignore[assignment]
    if isinstance(value, str):
        cell.data_type = "s"


def shown(column: Column, value: Value) -> str | int | Decimal | None:
    """A value as the form's cell holds it: money in 万元, a date in Chinese."""
    if value is None:
        return None
    if column.kind is Kind.MONEY and isinstance(value, int):
        return Decimal(plain(wan(value)))
    if isinstance(value, PartialDate):
        return value.chinese
    if isinstance(value, Decimal):
        return Decimal(plain(value))
    return value


def planned(column: Column, item: PlanItem, table: Table) -> Value:
    """What the plan says in one of the prefilled columns."""
    if column.field == table.name_field:
        return item.name
    value = item.values.get(column.field)
    if value is None and column.kind is Kind.SEQUENCE:
        return item.seq
    if value is None and any(column.field in group for group in table.any_of):
        return item.item_id
    return value


def _header_rows(columns: Sequence[Column]) -> int:
    return 2 if any(column.group for column in columns) else 1


def _caption(sheet: Worksheet, form: TableForm) -> None:
    columns = form.table.columns
    last = _page_break(form.table) or len(columns)
    put(sheet.cell(_TITLE_ROW, 1), f"{form.table.number}  {form.table.title}")
    sheet.merge_cells(start_row=_TITLE_ROW, end_row=_TITLE_ROW, start_column=1, end_column=last)
    title = sheet.cell(_TITLE_ROW, 1)
    title.font, title.alignment = style.TITLE, style.CENTRE
    sheet.row_dimensions[_TITLE_ROW].height = 34
    parts = [f"报送单位：{form.unit_name}", f"月份：{form.month.chinese}"]
    units = {column.unit for column in columns if column.kind is Kind.MONEY}
    parts += [f"单位：{unit}" for unit in sorted(units)]
    # three parts, each over a third of the table, the last flush right
    bounds = [1 + last * part // len(parts) for part in range(len(parts) + 1)]
    for place, text in enumerate(parts):
        start, end = bounds[place], bounds[place + 1] - 1
        cell = sheet.cell(_CAPTION_ROW, start)
        put(cell, text)
        sheet.merge_cells(start_row=_CAPTION_ROW, end_row=_CAPTION_ROW, start_column=start, end_column=end)
        cell.font = style.CAPTION
        at_end = place == len(parts) - 1
        cell.alignment = style.RIGHT if at_end else style.LEFT if place == 0 else style.CENTRE
    sheet.row_dimensions[_CAPTION_ROW].height = 20


def _header(sheet: Worksheet, table: Table) -> None:
    rows = _header_rows(table.columns)
    _header_block(sheet, [(column.group, column.leaf) for column in table.columns], 1, rows)
    for place, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    for offset in range(rows):
        sheet.row_dimensions[_HEADER_ROW + offset].height = 32 if rows == 2 else 36


def _header_block(sheet: Worksheet, titles: Sequence[tuple[str, str]], first_column: int, rows: int) -> None:
    """Header cells from (group, leaf) titles: neighbours of one group under one merged cell."""
    bottom = _HEADER_ROW + rows - 1
    start = 0
    while start < len(titles):
        group = titles[start][0]
        end = start
        while group and end + 1 < len(titles) and titles[end + 1][0] == group:
            end += 1
        left, right = first_column + start, first_column + end
        if group and rows == 2:
            put(sheet.cell(_HEADER_ROW, left), group)
            for place in range(start, end + 1):
                put(sheet.cell(bottom, first_column + place), titles[place][1])
            if right > left:
                sheet.merge_cells(
                    start_row=_HEADER_ROW, end_row=_HEADER_ROW, start_column=left, end_column=right
                )
        else:
            put(sheet.cell(_HEADER_ROW, left), titles[start][1])
            if rows == 2:
                sheet.merge_cells(start_row=_HEADER_ROW, end_row=bottom, start_column=left, end_column=left)
        start = end + 1
    for row in range(_HEADER_ROW, bottom + 1):
        for column in range(first_column, first_column + len(titles)):
            cell = sheet.cell(row, column)
            cell.font, cell.alignment, cell.border = style.HEADER, style.CENTRE, style.BOX


def _item_row(sheet: Worksheet, row: int, item: PlanItem, form: TableForm) -> None:
    lines = 1
    for place, column in enumerate(form.table.columns, start=1):
        cell = sheet.cell(row, place)
        prefilled = column.field in form.table.plan_fields
        _dress(cell, column, locked=prefilled)
        if prefilled:
            value = shown(column, planned(column, item, form.table))
            put(cell, value)
            if isinstance(value, str):
                lines = max(lines, style.lines_needed(value, column.width))
    sheet.row_dimensions[row].height = max(30, 15 * lines + 4)


def _dress(cell: Cell | MergedCell, column: Column, *, locked: bool) -> None:
    cell.font, cell.border = style.BODY, style.BOX
    cell.protection = style.LOCKED if locked else style.OPEN
    if locked:
        cell.fill = style.LOCKED_FILL
    if column.kind in _NUMBERS:
        cell.alignment = style.NUMBER
    else:
        cell.alignment = style.LEFT if column.kind is Kind.TEXT and column.width > 12 else style.CENTRE
    if column.kind is Kind.MONEY:
        cell.number_format = style.MONEY_FORMAT


def _nil_row(sheet: Worksheet, row: int, table: Table) -> None:
    """The statement that the unit has nothing to report in this table."""
    for place, column in enumerate(table.columns, start=1):
        _dress(sheet.cell(row, place), column, locked=True)
    cell = sheet.cell(row, 1 + table.fields.index(table.name_field))
    put(cell, NIL_REPORT)
    cell.alignment = style.CENTRE
    sheet.row_dimensions[row].height = 30


def _reference_columns(form: TableForm) -> list[Column]:
    """What of last month is shown beside: the state and every cumulative figure."""
    return [column for column in form.table.reported if column.cumulative or column.kind is Kind.CHOICE]


def _reference(sheet: Worksheet, form: TableForm, columns: Sequence[Column], first_data: int) -> None:
    """Last month's figures, grey and locked, one empty column right of the table.

    Their headings begin in the caption's row and reach down beside the header by a merge: no cell
    of the header's own rows belongs to them, so that no reader takes them for the table's columns.
    """
    if not columns:
        return
    first = len(form.table.columns) + 2
    last = first + len(columns) - 1
    sheet.column_dimensions[get_column_letter(first - 1)].width = 2.5
    put(sheet.cell(_TITLE_ROW, first), REFERENCE)
    if last > first:
        sheet.merge_cells(start_row=_TITLE_ROW, end_row=_TITLE_ROW, start_column=first, end_column=last)
    for place, column in enumerate(columns, start=first):
        put(sheet.cell(_CAPTION_ROW, place), f"上月末{plain_title(column)}")
        sheet.merge_cells(
            start_row=_CAPTION_ROW, end_row=first_data - 1, start_column=place, end_column=place
        )
        sheet.column_dimensions[get_column_letter(place)].width = max(column.width, 13)
        for row in range(_TITLE_ROW, first_data):
            cell = sheet.cell(row, place)
            cell.font, cell.alignment = style.REFERENCE, style.CENTRE
            cell.border, cell.fill = style.PALE_BOX, style.LOCKED_FILL
    for row, item in enumerate(form.items, start=first_data):
        known = form.last.get(item.item_id)
        for place, column in enumerate(columns, start=first):
            cell = sheet.cell(row, place)
            _dress(cell, column, locked=True)
            cell.font, cell.border = style.REFERENCE, style.PALE_BOX
            if known is not None:
                put(cell, shown(column, known.values.get(column.field)))


def _validations(sheet: Worksheet, form: TableForm, first_data: int) -> None:
    for place, column in enumerate(form.table.columns, start=1):
        if column.field in form.table.plan_fields:
            continue
        letter = get_column_letter(place)
        required = column.field in form.table.required
        for row, item in enumerate(form.items, start=first_data):
            last = _last_text(column, form.last.get(item.item_id))
            if last:
                rule = validation(column, form.month, required=required, last=last)
                rule.add(f"{letter}{row}")
                sheet.add_data_validation(rule)
        without = [
            f"{letter}{row}"
            for row, item in enumerate(form.items, start=first_data)
            if not _last_text(column, form.last.get(item.item_id))
        ]
        if without:
            rule = validation(column, form.month, required=required)
            for cell in without:
                rule.add(cell)
            sheet.add_data_validation(rule)


def _last_text(column: Column, known: ItemRow | None) -> str:
    """「上月末：120.5 万元」, for the prompt of the very cell; '' where there is nothing to say."""
    if known is None or not (column.cumulative or column.kind is Kind.CHOICE):
        return ""
    value = shown(column, known.values.get(column.field))
    if value is None:
        return ""
    when = f"{known.reported_month.chinese}末" if known.carried_forward else "上月末"
    return f"{when}：{value} {column.unit}".rstrip()


def _hints(sheet: Worksheet, form: TableForm, reference: Sequence[Column], first_data: int) -> None:
    """Other letters for figures that fall below last month's, or do not add up with 本月."""
    end = first_data + len(form.items) - 1
    places = {column.field: place for place, column in enumerate(form.table.columns, start=1)}
    beside = len(form.table.columns) + 2
    shown_at = {column.field: beside + place for place, column in enumerate(reference)}
    months = {column.cumulative_of: column.field for column in form.table.columns if column.cumulative_of}
    for column in reference:
        if not column.cumulative:
            continue
        now = f"{get_column_letter(places[column.field])}{first_data}"
        before = f"${get_column_letter(shown_at[column.field])}{first_data}"
        wrong = f"{now}<{before}"
        if column.field in months:
            moved = f"${get_column_letter(places[months[column.field]])}{first_data}"
            wrong = f"OR({wrong},AND(ISNUMBER({moved}),ABS({now}-{before}-{moved})>0.0000001))"
        rule = FormulaRule(  # type: ignore[no-untyped-call]
            formula=[f"AND(ISNUMBER({now}),ISNUMBER({before}),{wrong})"], font=style.HINT
        )
        letter = get_column_letter(places[column.field])
        sheet.conditional_formatting.add(f"{letter}{first_data}:{letter}{end}", rule)


def _page_break(table: Table) -> int:
    """After which column a table too wide for one page is parted, 0 where it fits.

    The second page repeats the columns up to the item's name; no group of columns is torn.
    """
    widths = [column.width for column in table.columns]
    if style.scale_of(widths) >= _LEAST_SCALE:
        return 0
    repeated = 1 + table.fields.index(table.name_field)
    groups = [column.group for column in table.columns]
    places = [
        place
        for place in range(repeated + 1, len(widths))
        if not groups[place] or groups[place] != groups[place - 1]
    ]
    return max(places, key=lambda place: _parted_scale(widths, repeated, place))


def _parted_scale(widths: Sequence[int], repeated: int, place: int) -> float:
    first, second = widths[:place], [*widths[:repeated], *widths[place:]]
    return min(style.scale_of(first), style.scale_of(second))


def _paper(sheet: Worksheet, table: Table, first_data: int, last_row: int) -> None:
    name_place = 1 + table.fields.index(table.name_field)
    sheet.freeze_panes = f"{get_column_letter(name_place + 1)}{first_data}"
    sheet.print_area = f"A1:{get_column_letter(len(table.columns))}{last_row}"
    sheet.print_title_rows = f"{_HEADER_ROW}:{first_data - 1}"
    style.paper(sheet, landscape=True)
    parted = _page_break(table)
    if parted:
        sheet.print_title_cols = f"A:{get_column_letter(name_place)}"
        widths = [column.width for column in table.columns]
        style.on_two_pages(sheet, parted, _parted_scale(widths, name_place, parted))
