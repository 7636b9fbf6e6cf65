"""The plan: a workbook as the government issued it → items, totals, open discrepancies.

A plan with errors is registered all the same (CONTRACT §2): its figures stay as printed, every
discrepancy is a finding that stays open until a new version settles it. Only a shifted row whose
repair is proved is put right (ledger.checking.plan_shifts).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ledger.checking.plan_rules import (
    Annex,
    Line,
    judge_item,
    judge_repeats,
    judge_row,
    judge_shift,
    judge_total,
)
from ledger.checking.plan_shifts import find_shifts
from ledger.reading.formats import open_book
from ledger.reading.model import Cell, CellKind, ReadValue, address
from ledger.reading.plan import PlanRow, PlanSheet, RowKind, printed_text, read_plan_sheets
from ledger.reading.values import Setting, parse
from ledger.reading.words import fold
from ledger.registry import Registry, Target
from schemas.columns import Kind
from schemas.finding import Finding, Severity, finding
from schemas.money import FEN_PER_WAN
from schemas.plan import Plan, PlanItem, PlanTotal, Value
from schemas.tables import ANNEX1, ANNEX2, WORK_POINTS, plan_tables

#: How an item's number is written after the year, by table.
_ID_MARKS = {ANNEX1.key: "A1", ANNEX2.key: "A2", WORK_POINTS.key: "T"}
#: What stands between several units, surest first: a line break or a gap is often only the page's.
_SEVERAL = (
    re.compile(r"[、,，;；/]"),
    re.compile(r"[、,，;；/\s]"),
    re.compile(r"[、,，;；/\s]|以?及|[和与]"),
)
#: An indicator's 编号: the item id, its short form, or a bare number.
_CODE = re.compile(r"(?:(?:(\d{4})-)?t-?)?(\d{1,3})")
_REMEDY = "请由计划印发单位核实，用更正后的计划重新登记。"
#: Texts that are shown again, without the gaps of the printed page.
_PRINTED = {"place", "item_name", "scale", "benefit", "lead_unit", "report_unit", "indicator_name"}


def check_plan(data: bytes, name: str, year: int, version: int, registry: Registry) -> Plan | list[Finding]:
    """Read and check one version of a year's plan.

    `data` and `name` are the workbook's bytes and file name. Gives the plan with its findings in
    sheet order; where the file can't be opened or holds no annex (F01–F05), those findings alone.
    Source: CONTRACT §2, rules R01, R02, T01–T03, P05–P07, F16, F17 and the cell rules.
    """
    book = open_book(data, name)
    if isinstance(book, Finding):
        return [book.at(file=name)]
    sheets = read_plan_sheets(book, plan_tables(registry.plan_headings))
    if not any(plan_sheet.table.key in (ANNEX1.key, ANNEX2.key) for plan_sheet in sheets):
        text = f"{name}：没有找到{ANNEX1.number}或{ANNEX2.number}的表头"
        return [finding("F05", text, file=name)]
    items: list[PlanItem] = []
    totals: list[PlanTotal] = []
    findings: list[Finding] = _missing_annexes(sheets, name)
    for plan_sheet in sheets:
        reader = _AnnexReader(plan_sheet, name, year, book.date1904, registry)
        items += reader.items()
        totals += reader.totals()
        findings += reader.findings()
    if not any(plan_sheet.table.key == WORK_POINTS.key for plan_sheet in sheets):
        items += _registry_indicators(registry, year)
    return Plan(
        year=year,
        version=version,
        sha256=hashlib.sha256(data).hexdigest(),
        file_name=name,
        items=tuple(items),
        totals=tuple(totals),
        findings=tuple(findings),
    )


def _missing_annexes(sheets: Sequence[PlanSheet], name: str) -> list[Finding]:
    present = {plan_sheet.table.key for plan_sheet in sheets}
    return [
        finding("F12", f"{name}：没有{table.number}“{table.title}”", file=name, table=table.key)
        for table in (ANNEX1, ANNEX2)
        if table.key not in present
    ]


def plan_cells(
    data: bytes, name: str, year: int, registry: Registry
) -> dict[tuple[str, int, str], tuple[str, str]]:
    """Address and raw text of every cell of a registered plan, by sheet, row and field; a proved
    shift (F17) gives the cell that the figure was taken from. Empty where it can't be opened."""
    book = open_book(data, name)
    if isinstance(book, Finding):
        return {}
    found: dict[tuple[str, int, str], tuple[str, str]] = {}
    for plan_sheet in read_plan_sheets(book, plan_tables(registry.plan_headings)):
        annex = _AnnexReader(plan_sheet, name, year, book.date1904, registry).annex
        for line in annex.lines:
            for field, read in line.values.items():
                found[annex.name, line.row.row, field] = (read.cell, read.raw)
    return found


class _AnnexReader:
    """One sheet of the plan: its lines, items, totals and findings."""

    def __init__(
        self, plan_sheet: PlanSheet, file: str, year: int, date1904: bool, registry: Registry
    ) -> None:
        self.sheet = plan_sheet
        self.table = plan_sheet.table
        self.year = year
        self.date1904 = date1904
        self.registry = registry
        self.annex = Annex(plan_sheet, file)
        self.cell_findings: dict[int, list[Finding]] = {}
        self.units: dict[int, str] = {}
        self.shifts = find_shifts(plan_sheet, self._value, year)
        numbers = iter(_numbers([self._sequence(row) for row in plan_sheet.items]))
        for row in plan_sheet.rows:
            if row.kind is RowKind.ITEM:
                self.annex.lines.append(self._line(row, next(numbers)))
            elif row.kind is RowKind.TOTAL:
                self.annex.lines.append(self._line(row, None))
        for line in self.annex.lines:
            if line.item_id is not None:
                self.units[line.row.row] = self._unit(line)

    # --- cells

    def _setting(self, name: str, measure: str = "") -> Setting:
        return Setting(
            year=self.year,
            fen_per_unit=self.sheet.fen_per_unit.get(name, FEN_PER_WAN),
            date1904=self.date1904,
            sheet=self.annex.name,
            table=self.table.key,
            measure=measure,
        )

    def _value(self, cell: Cell, name: str) -> ReadValue:
        return parse(cell, self.table.by_field[name], self._setting(name)).read

    def _sequence(self, row: PlanRow) -> int | None:
        """The number an item has of its own: its 序号, or what its 编号 (2018-T-03, T-3, 3) says."""
        column = self.table.by_field.get("seq") or self.table.by_field["item_code"]
        move = self.shifts.proved.get(row.row)
        cell = (row.cells if move is None else move.cells).get(self.sheet.columns.get(column.field, -1))
        if cell is None:
            return None
        if column.kind is not Kind.SEQUENCE:
            code = _CODE.fullmatch(fold(cell.raw))
            return int(code[2]) if code and code[1] in (None, str(self.year)) else None
        value = parse(cell, column, self._setting(column.field)).read.value
        return value if isinstance(value, int) else None

    def _line(self, row: PlanRow, number: int | None) -> Line:
        """Read one row where its cells belong; what is wrong with single cells is kept aside."""
        item_id = None if number is None else f"{self.year}-{_ID_MARKS[self.table.key]}-{number:02d}"
        move = self.shifts.proved.get(row.row) or self.shifts.would_be.get(row.row)
        shifted = "F17" if row.row in self.shifts.proved else ""
        shifted = "F16" if row.row in self.shifts.unproved else shifted
        line = Line(row, {}, item_id, shifted, move)
        cells = move.cells if move is not None and shifted == "F17" else row.cells
        found: list[Finding] = []
        for column in self.table:
            place = self.sheet.columns.get(column.field)
            cell = cells.get(place) if place is not None else None
            unsaved = cell is not None and cell.kind is CellKind.FORMULA
            if row.kind is RowKind.TOTAL and (unsaved or column.kind is not Kind.MONEY):
                cell = None  # a formula without a result leaves a total blank (T03)
            if shifted == "F16" and cell is not None and self._displaced(column.kind, cell):
                cell = None
            measure = line.values.get("unit_of_measure", ReadValue(None)).raw
            read, wrong = self._read(cell, column.field, measure)
            line.values[column.field] = read
            found += [f.at(item=item_id) for f in wrong]
            if place in row.filled and cell is not None:
                found.append(self._filled(line, column.field, row.filled[place]))
        self.cell_findings[row.row] = [] if shifted else found
        return line

    def _displaced(self, kind: Kind, cell: Cell) -> bool:
        """Whether a cell of a row that stays shifted is one of those off their column."""
        return kind is Kind.MONEY or (cell.kind is CellKind.NUMBER and kind is not Kind.SEQUENCE)

    def _read(self, cell: Cell | None, name: str, measure: str) -> tuple[ReadValue, list[Finding]]:
        column = self.table.by_field[name]
        if cell is None:
            return ReadValue(None), []
        parsed = parse(cell, column, self._setting(name, measure))
        read = parsed.read
        if isinstance(read.value, str) and name in _PRINTED:
            read = ReadValue(printed_text(read.value), read.cell, read.raw, read.steps, read.failed)
        return read, [f.at(file=self.annex.file) for f in parsed.findings]

    def _filled(self, line: Line, name: str, mark: str) -> Finding:
        text = f"写“{mark}”" if mark else "与上方单元格合并"
        filled = f"{text}，已按上方填入“{printed_text(line.values[name].raw)}”"
        at = address(line.row.row, self.sheet.columns[name])
        return self.annex.finding("C14", line, name, filled, cell=at).at(value=mark or None)

    # --- who reports

    def _unit(self, line: Line) -> str:
        """The code of the unit that reports an item (CONTRACT §2); P05 where the one named is unknown."""
        default = self.registry.defaults[self.table.key]
        for name in ("report_unit", "lead_unit", "responsible_units"):
            read = line.values.get(name)
            if read is None or not isinstance(read.value, str) or not read.value:
                continue
            code = find_first_unit(read.raw, self.registry)
            if code is not None:
                return code
            if not line.shifted:
                self.cell_findings[line.row.row].append(self._unknown_unit(line, name, default))
            return default
        return default if self.table.key == ANNEX2.key else self.registry.coordinating_unit

    def _unknown_unit(self, line: Line, name: str, default: str) -> Finding:
        known = self.registry.names.get(default, default)
        title = self.table.by_field[name].title
        return self.annex.finding(
            "P05",
            line,
            name,
            f"{title}“{line.values[name].value}”不是登记的单位，明确之前由{known}报送",
            expected="登记的单位名称",
        )

    # --- what comes of it

    def items(self) -> Iterator[PlanItem]:
        for line in self.annex.lines:
            if line.item_id is None:
                continue
            values: dict[str, Value] = {name: read.value for name, read in line.values.items()}
            yield PlanItem(
                item_id=line.item_id,
                table=self.table.key,
                seq=int(line.item_id.rpartition("-")[2]),
                name=str(values.get(self.table.name_field) or ""),
                unit_code=self.units[line.row.row],
                section=line.row.section,
                values=values,
                sheet=self.annex.name,
                row=line.row.row,
            )

    def totals(self) -> Iterator[PlanTotal]:
        for line in self.annex.lines:
            if line.item_id is None:
                yield PlanTotal(
                    table=self.table.key,
                    label=line.row.label,
                    section=line.row.section,
                    sheet=self.annex.name,
                    row=line.row.row,
                    count=line.row.count,
                    values={name: line.fen(name) for name in self.annex.money},
                )

    def findings(self) -> list[Finding]:
        """Everything found on the sheet, from top to bottom, from left to right."""
        found = [f.at(file=self.annex.file) for f in self.sheet.findings]
        for line in self.annex.lines:
            found += self.cell_findings[line.row.row]
            found += judge_shift(self.annex, line)
            if self.annex.money:
                if line.shifted != "F16":
                    found += judge_row(self.annex, line)
                if line.item_id is None:
                    found += judge_total(self.annex, line)
            if line.item_id is not None:
                found += judge_item(self.annex, line, self.registry.issued)
        found += judge_repeats(self.annex)
        return sorted((_for_the_issuer(f) for f in found), key=_place)


def _for_the_issuer(found: Finding) -> Finding:
    """A finding with a remedy for who issues the plan, where the rule's own speaks to a unit."""
    judged_on_plans = found.rule[0] == "P" or found.rule in {"R01", "R02"}
    if judged_on_plans or found.severity is Severity.INFO:
        return found
    return found.at(remedy=_REMEDY)


def _place(found: Finding) -> tuple[int, int, str]:
    letters = re.match(r"[A-Z]+", found.cell or "")
    return found.row or 0, len(letters[0]) if letters else 0, found.cell or ""


def _numbers(printed: Sequence[int | None]) -> list[int]:
    """The items' numbers: their own 序号 where it is a number of its own, else the next free one.

    An item keeps its id when another is struck from the plan by a later version.
    """
    once = {n for n in printed if n is not None and n > 0 and printed.count(n) == 1}
    numbers: list[int] = []
    for number in printed:
        if number in once and number is not None:
            numbers.append(number)
        else:
            free = next(
                n for n in range(1, len(printed) + max(once, default=0) + 2) if n not in {*once, *numbers}
            )
            numbers.append(free)
    return numbers


def find_first_unit(text: str, registry: Registry) -> str | None:
    """The code of the first unit named in `text` (「县委组织部、县教育局」), None where it is unknown."""
    whole = registry.find_unit(text)
    if whole is not None:
        return whole
    for between in _SEVERAL:
        first = next((part for part in between.split(text) if part.strip()), "")
        code = registry.find_unit(first)
        if code is not None:
            return code
    return None


def _registry_indicators(registry: Registry, year: int) -> list[PlanItem]:
    """The indicators of the plan's text, where the workbook has no sheet for them."""
    return [_indicator(target, number, registry, year) for number, target in enumerate(registry.targets, 1)]


def _indicator(target: Target, number: int, registry: Registry, year: int) -> PlanItem:
    item_id = f"{year}-{_ID_MARKS[WORK_POINTS.key]}-{number:02d}"
    code = registry.find_unit(target.responsible[0]) if target.responsible else None
    return PlanItem(
        item_id=item_id,
        table=WORK_POINTS.key,
        seq=number,
        name=target.indicator,
        unit_code=code or registry.coordinating_unit,
        section=(),
        values={
            "item_code": item_id,
            "indicator_name": target.indicator,
            "unit_of_measure": target.unit_of_measure,
            "target": Decimal(target.target),
            "responsible_units": "、".join(target.responsible) or None,
        },
        sheet=None,
        row=None,
    )
