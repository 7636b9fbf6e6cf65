"""One located table into typed rows: every cell read on its own, shifted rows proved or set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ledger.reading import table_findings
from ledger.reading.header import FoundHeader
from ledger.reading.headings import Rows
from ledger.reading.model import (
    Cell,
    ReadRow,
    ReadTable,
    ReadValue,
    Sheet,
    StatedTotal,
    address,
)
from ledger.reading.rows import RawRow, RawTotal, SortedRows, sort_rows
from ledger.reading.shifts import (
    Frame,
    Shift,
    common_shift,
    find_plan_shift,
    find_shift,
    fits_better,
    has_stray_status,
    is_proved,
    may_be_crooked,
    plan_amounts,
    states_no_amounts,
)
from ledger.reading.slots import slots_of
from ledger.reading.values import Setting, blank_required, parse, place
from ledger.reading.words import fold
from schemas.columns import Column, Kind
from schemas.finding import Finding, finding
from schemas.money import plain
from schemas.plan import Plan, PlanItem, Value
from schemas.tables import NEEDS, PROJECTS, Table

_CANCELLED = "已取消"
_SIGNED = frozenset({"已签约", "已开工", "已完成"})
_SUMMED = frozenset({Kind.MONEY, Kind.COUNT, Kind.QUANTITY})


def required_fields(table: Table, status: Value) -> tuple[str, ...]:
    """The cells a row with this status must have filled in (CONTRACT §3)."""
    if table is PROJECTS and status == _CANCELLED:
        return ("item_name", "status")
    if table is NEEDS and status in _SIGNED:
        return (*table.required, "partner", "signed_amount_fen")
    return table.required


def read_table(
    sheet: Sheet,
    rows: Rows,
    header: FoundHeader,
    end: int,
    setting: Setting,
    money_unit: str = "",
    plan: Plan | None = None,
) -> ReadTable:
    """Read the rows from under a header up to `end` (exclusive).

    `money_unit` is the caption's unit of money, '' where it states none; a heading that names its
    own unit goes before it. Findings of the header (F09–F11) and of the caption (F18) are the
    caller's, as is what is hidden (F14); F13, F16 and F17 are raised here.
    """
    table = header.table
    frame = Frame.of(header, slots_of(header, setting, money_unit))
    sorted_rows = sort_rows(sheet, rows, header, end)
    read = ReadTable(
        table=table.key,
        sheet=sheet.name,
        header_cells=dict(header.cells),
        rows=[],
        findings=header.findings(),
        nil_report=sorted_rows.nil is not None,
    )
    data = sorted_rows.data
    if sorted_rows.nil is not None:
        data = [raw for raw in data if _reports(raw, header)]
        if data:
            read.findings.append(table_findings.nil_beside_rows(sorted_rows.nil, data, setting, header))
    plain = [_read_row(raw, frame, None) for raw in data]
    shifts = _shifts(data, plain, frame, setting, plan, sorted_rows)
    whole = _whole_table(data, shifts)
    for raw, row, shift in zip(data, plain, shifts, strict=True):
        kept = row if shift is None else _shifted_row(raw, frame, shift, setting, alone=whole is None)
        read.rows.append(kept)
        if raw.sections:
            read.sections[raw.row] = raw.sections
    moved = [shift is not None for shift in shifts]
    read.findings += table_findings.unheaded(data, moved, header, setting)
    if whole is not None:
        read.findings.append(table_findings.whole_shift(whole, data, frame, setting))
    read.totals = [_stated(total, frame, whole) for total in sorted_rows.totals]
    return read


def _reports(raw: RawRow, header: FoundHeader) -> bool:
    """Whether a row holds anything the unit filled in itself."""
    plan_fields = header.table.plan_fields
    return any(
        column in raw.cells and column not in raw.filled
        for name, column in header.columns.items()
        if name not in plan_fields
    )


def _read_row(raw: RawRow, frame: Frame, shift: Shift | None) -> ReadRow:
    """Read one row's cells where they stand, or where a shift has put them."""
    table = frame.header.table
    row = ReadRow(raw.row, {})
    values, findings = row.values, row.findings
    required = required_fields(table, _status(raw, frame, shift))
    measure = _measure(raw, frame, shift) if "unit_of_measure" in table.by_field else ""
    number = str(raw.row)
    cells, filled = raw.cells, raw.filled
    for slot in frame.slots.all:
        here = slot.here
        name = slot.field
        source = here if shift is None else shift.source(here)
        cell = None if source is None else cells.get(source)
        needed = name in required
        if cell is None:
            values[name] = blank = slot.blank(number)
            if needed:
                findings.append(blank_required(blank.cell, raw.row, slot.column, frame.settings[name]))
            continue
        where = slot.letters + number if source == here else cell.address
        reader = slot.measured(measure) if measure else slot
        value, told = reader.read(cell, where, needed=needed)
        if source in filled:
            value, told = _filled(cell, slot.column, frame.settings[name], filled[source], value, told)
        elif source != here:
            value = value._replace(steps=(f"列错位还原：取自 {cell.address}", *value.steps))
        values[name] = value
        if told:
            findings += told
    _require_absent(row, raw, frame, required)
    columns = frame.header.columns
    for group in table.any_of:
        if any(name in columns for name in group) and all(row.value(name) is None for name in group):
            name = next(name for name in reversed(group) if name in columns)
            if not any(row.failed(other) for other in group):
                where = row.values[name].cell
                column = table.by_field[name]
                row.findings.append(blank_required(where, raw.row, column, frame.settings[name]))
    return row


def _require_absent(row: ReadRow, raw: RawRow, frame: Frame, required: Sequence[str]) -> None:
    """C06 where a row's status asks for a cell whose column the table does not have."""
    table = frame.header.table
    for name in required:
        if name not in frame.header.columns and name not in table.required:
            column = table.by_field[name]
            setting = next(iter(frame.settings.values()))
            row.findings.append(
                blank_required("", raw.row, column, setting).at(
                    cell=None,
                    message=f"{place(setting, str(raw.row))} 行：缺少“{column.title}”列，本行必须填写",
                )
            )


def _status(raw: RawRow, frame: Frame, shift: Shift | None) -> Value:
    slot = frame.slots.status
    if slot is None:
        return None
    source = slot.here if shift is None else shift.source(slot.here)
    cell = None if source is None else raw.cells.get(source)
    return None if cell is None else slot.read(cell, "", needed=True).read.value


def _measure(raw: RawRow, frame: Frame, shift: Shift | None) -> str:
    here = frame.header.columns.get("unit_of_measure")
    source = here if shift is None or here is None else shift.source(here)
    cell = None if source is None else raw.cells.get(source)
    return "" if cell is None else fold(cell.raw)


def _shown(cell: Cell) -> str:
    """What a filled cell says: a ditto mark's own text stays in `raw`, its content is the value."""
    if isinstance(cell.value, Decimal):
        return plain(cell.value)
    return " ".join(str(cell.value).split()).removesuffix(" 00:00:00")


def _filled(
    cell: Cell,
    column: Column,
    setting: Setting,
    origin: str,
    value: ReadValue,
    findings: tuple[Finding, ...],
) -> tuple[ReadValue, tuple[Finding, ...]]:
    """A value taken from above: C14, and of what its form raised only what returns the row."""
    warned = finding(
        "C14",
        f"{place(setting, cell.address)}：“{column.title}”由 {origin} 补填为“{_shown(cell)}”",
        sheet=setting.sheet or None,
        cell=cell.address,
        row=cell.row,
        column=column.title,
        value=cell.raw,
        expected=None,
        table=setting.table,
    )
    kept = tuple(f for f in findings if f.is_error)
    return value._replace(steps=(f"由 {origin} 补填", *value.steps)), (warned, *kept)


def _shifts(
    data: Sequence[RawRow],
    plain: Sequence[ReadRow],
    frame: Frame,
    setting: Setting,
    plan: Plan | None,
    sorted_rows: SortedRows,
) -> list[Shift | None]:
    items: dict[str, PlanItem] | None = None
    shifts: list[Shift | None] = []
    for raw, row in zip(data, plain, strict=True):
        found = None
        crooked = plan is not None and may_be_crooked(row.values)
        suspect = _says_something(row) or has_stray_status(raw.cells, frame)
        if suspect or crooked:
            if items is None and plan is not None:
                items = {fold(item.name): item for item in plan.of_table(frame.header.table.key)}
            if suspect:
                found = find_shift(raw.cells, frame, setting.year, items)
            if found is None and crooked:
                found = find_plan_shift(raw.cells, frame, items)
        shifts.append(found)
    shared = common_shift(shifts)
    if shared is not None:
        for place_, raw in enumerate(data):
            if fits_better(raw.cells, frame, shared, setting.year):
                proved = is_proved(raw.cells, frame, shared, items)
                shifts[place_] = replace(shared, proved=proved)
        shared_and_proved = [shift for shift in shifts if shift is not None and shift.proved]
        for place_, (raw, shift) in enumerate(zip(data, shifts, strict=True)):
            # a row without amounts goes with the rows that prove the shift it shares
            alike = shift is not None and any(other.step == shift.step for other in shared_and_proved)
            if shift is not None and alike and states_no_amounts(raw.cells, frame, shift, items):
                shifts[place_] = replace(shift, proved=True)
    if any(shift is not None and shift.proved for shift in shifts):
        shifts = _closed(data, shifts, frame, sorted_rows)
    return shifts


def _says_something(row: ReadRow) -> bool:
    """Whether a row has an error, or a cell that can't be read."""
    if any(found.is_error for found in row.findings):
        return True
    return True in [value.failed for value in row.values.values()]


def _closed(
    data: Sequence[RawRow], shifts: list[Shift | None], frame: Frame, sorted_rows: SortedRows
) -> list[Shift | None]:
    """The shifts, no longer proved where a stated grand total does not close after them."""
    by_row = {raw.row: plan_amounts(raw.cells, frame, s) for raw, s in zip(data, shifts, strict=True)}
    for total in sorted_rows.totals:
        if not total.grand or not total.covers:
            continue
        common = common_shift(shifts)
        readings = [plan_amounts(total.cells, frame, None)]
        if common is not None:
            readings.append(plan_amounts(total.cells, frame, common))
        if not any(_closes(reading, by_row, total.covers) for reading in readings):
            return [replace(s, proved=False) if s is not None else None for s in shifts]
    return shifts


def _closes(
    stated: Mapping[str, int | None], by_row: Mapping[int, Mapping[str, int | None]], covers: Sequence[int]
) -> bool:
    return all(
        amount is None or amount == sum(by_row[row].get(name) or 0 for row in covers)
        for name, amount in stated.items()
    )


def _whole_table(data: Sequence[RawRow], shifts: Sequence[Shift | None]) -> Shift | None:
    """The shift of the whole table, where all its rows (at least two) have the same."""
    if len(data) < 2 or any(shift is None for shift in shifts):
        return None
    found = [shift for shift in shifts if shift is not None]
    if len({shift.step for shift in found}) != 1:
        return None
    return replace(found[0], proved=all(shift.proved for shift in found))


def _shifted_row(raw: RawRow, frame: Frame, shift: Shift, setting: Setting, *, alone: bool) -> ReadRow:
    """A row put right by a proved shift (F17), or set aside (F16); its cells raise nothing else."""
    row = _read_row(raw, frame, shift)
    row.shifted = "F17" if shift.proved else "F16"
    if shift.proved:
        row.findings = [f for f in row.findings if f.is_error]
    else:
        row.findings = []
        for here, column in frame.columns.items():
            moved = shift.source(here) != here
            if moved and column.field not in {frame.header.table.name_field, "seq", "item_code"}:
                cell = raw.cells.get(here)
                raw_text = "" if cell is None else cell.raw
                row.values[column.field] = ReadValue(None, address(raw.row, here), raw_text, (), failed=True)
    if alone:
        row.findings.insert(0, table_findings.row_shift(raw, frame, shift, setting))
    return row


def _stated(total: RawTotal, frame: Frame, whole: Shift | None) -> StatedTotal:
    values: dict[str, ReadValue] = {}
    for here, column in frame.columns.items():
        if column.kind not in _SUMMED:
            continue
        source = here if whole is None else whole.source(here)
        cell = None if source is None else total.cells.get(source)
        if cell is None:
            values[column.field] = ReadValue(None, address(total.row, here))
        else:
            values[column.field] = parse(cell, column, frame.settings[column.field]).read
    return StatedTotal(
        total.row, total.label, total.covers, values, total.count, total.count_cell, total.count_text
    )
