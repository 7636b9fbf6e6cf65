"""What reading hands on: addressed cells, then typed rows in which each value knows its cell.

Two stages, two sets of types:

* `Book`, `Sheet`, `Cell` — a workbook as it is, whatever its format (ledger.reading.formats);
* `Submission`, `ReadTable`, `ReadRow`, `ReadValue` — what of it is known to us
  (ledger.reading.submission).

All of them are plain and picklable: they cross the border of the reading process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ledger.registry import Registry
from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import Plan, Value


class CellKind(StrEnum):
    """What a cell is. A cell without content is not in `Sheet.cells` at all."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"
    #: a formula whose result was never stored
    FORMULA = "formula"


class Cell(NamedTuple):
    """One cell with content (a named tuple: a workbook has hundreds, and it is built in a third of
    the time of a frozen dataclass).

    `row` and `column` count from 1, as the submitter sees them. `value` is Decimal for NUMBER
    (the shortest decimal text of the stored number), str for TEXT (unchanged) and ERROR
    (``#REF!``), bool for BOOLEAN, datetime or time for DATE, None for FORMULA. `raw` is the text
    shown in findings and kept as provenance: the stored text (``0.65``, ``120.5``), not the
    formatted one. `number_format` is the format code, '' or 'General' where there is none.
    `is_formula` says that the value is a formula's stored result.
    """

    row: int
    column: int
    kind: CellKind
    value: Decimal | str | bool | datetime | time | None
    raw: str
    number_format: str = ""
    is_formula: bool = False

    @property
    def address(self) -> str:
        return address(self.row, self.column)


@cache
def column_letters(column: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """(7, 3) → C7."""
    return f"{column_letters(column)}{row}"


@dataclass(slots=True)
class Sheet:
    """One sheet: its cells by (row, column), its merged ranges, what is hidden.

    `merges` are (first row, first column, last row, last column), inclusive, from 1. Only the
    upper left cell of a merged range is in `cells`. `hidden` is the sheet's own state;
    `hidden_rows` and `hidden_columns` hold those hidden by hand or by a filter, whether or not
    they have content, up to the last column (and, in .xls and .ods, row) that has.
    """

    name: str
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    @property
    def last_row(self) -> int:
        return max((row for row, _ in self.cells), default=0)

    @property
    def last_column(self) -> int:
        return max((column for _, column in self.cells), default=0)


@dataclass(slots=True)
class Book:
    """A workbook as it is. `format` is one of xlsx, xls, ods, csv, told by the content."""

    format: str
    sheets: list[Sheet]
    date1904: bool = False


class ReadValue(NamedTuple):
    """A typed value and where it comes from (a named tuple, for the same reason as `Cell`).

    `value` is of the column's kind (schemas.columns.Kind), None = blank. `cell` is the A1 address
    ('' where the table has no such column), `raw` the text as stored, `steps` what was done to it
    in Chinese, in order (「去掉千分位」「元→万元」), empty where it stands as written. `failed` is
    True where the cell could not be parsed: `value` is then None and a finding says why, and no
    other check may take the cell for blank.
    """

    value: Value
    cell: str = ""
    raw: str = ""
    steps: tuple[str, ...] = ()
    failed: bool = False


@dataclass(slots=True)
class ReadRow:
    """One data row: its values by field, the item it names, its own findings.

    `shifted` marks a row whose cells stand off their columns (F16: its values are not to be
    checked; F17: they have been put right).
    """

    row: int
    values: dict[str, ReadValue]
    findings: list[Finding] = field(default_factory=list)
    shifted: str = ""

    def value(self, name: str) -> Value:
        read = self.values.get(name)
        return None if read is None else read.value

    def failed(self, name: str) -> bool:
        read = self.values.get(name)
        return read is not None and read.failed


@dataclass(slots=True)
class StatedTotal:
    """A 小计 or 合计 row as the submitter states it; never data (rules T01–T03).

    `covers` are the sheet rows it sums; `count` is a stated number of projects, as
    written in `count_text` (「8个」) at `count_cell`.
    """

    row: int
    label: str
    covers: tuple[int, ...]
    values: dict[str, ReadValue]
    count: int | None = None
    count_cell: str = ""
    count_text: str = ""


@dataclass(slots=True)
class ReadTable:
    """One table found in a file.

    `header_cells` maps each found column's field to its header's A1 address; `nil_report` is
    True where the first data row says 零报告; `findings` are those of the table's form (F09–F20),
    with the effect they have. `sections` maps a data row to the headings above it.
    """

    table: str
    sheet: str
    header_cells: dict[str, str]
    rows: list[ReadRow]
    totals: list[StatedTotal] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    nil_report: bool = False
    sections: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def returned(self) -> bool:
        return any(f.returns_table for f in self.findings)


@dataclass(slots=True)
class Submission:
    """One file, read: who it is from, for which month, its tables and its findings.

    `unit_code` and `month` are None where they could not be told (F06, F07 are then among the
    findings). `cover` holds the 封面 fields by their Chinese names. `findings` are the file's own
    (F01–F08, F14, F19 …). Nothing is returned here yet: that is what checking decides.
    """

    file: str
    sha256: str
    unit_code: str | None = None
    month: Month | None = None
    cover: Mapping[str, str] = field(default_factory=dict)
    tables: list[ReadTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def returned(self) -> bool:
        return any(f.returns_file for f in self.findings)

    def table(self, key: str) -> ReadTable | None:
        return next((table for table in self.tables if table.table == key), None)


@dataclass(frozen=True)
class Filing:
    """What a file is read against: who may report, which month is being filed, the plan's items.

    `month` is the month being filed (``check --month``, the drop folder's name), None where the
    file alone must tell. `plan` proves shifts (F17) and is None where none is registered.
    """

    registry: Registry
    month: Month | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class ReadJob:
    """One file to read: where its bytes are, the name it came under, what it is read against."""

    path: Path
    name: str
    sha256: str
    filing: Filing
