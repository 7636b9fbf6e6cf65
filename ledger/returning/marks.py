"""From findings to what the clerk sees: which cell is coloured, what its note and the list say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.checking.model import Checked
from ledger.reading.model import ReadTable, address
from ledger.returning.notes import OPENING
from ledger.returning.sheet_edit import place
from schemas.finding import Effect, Finding, Scope, Severity, rules
from schemas.tables import TABLES

#: What becomes of the figures, in a clerk's words.
EFFECTS = {
    Effect.FILE_RETURNED: "整份退回",
    Effect.TABLE_RETURNED: "本表退回",
    Effect.TABLE_OR_ROW_RETURNED: "退回",
    Effect.ROW_RETURNED: "本行退回",
    Effect.MUST_BE_ANSWERED: "数字照收，须答复",
    Effect.STANDS: "照收，请核对",
}
SEVERITIES = {Severity.ERROR: "错误", Severity.WARNING: "提示", Severity.INFO: "说明"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: the finding and the place it leads to (None: no one cell is meant)."""

    finding: Finding
    sheet: str | None
    at: tuple[int, int] | None

    @property
    def address(self) -> str:
        return "" if self.at is None else address(*self.at)


def lines(checked: Checked) -> list[Line]:
    """The errors and warnings in the order of mending, each with its place."""
    return [
        Line(finding, finding.sheet, _place(finding, checked))
        for finding in checked.findings
        if finding.severity is not Severity.INFO
    ]


def note_text(findings: Iterable[Finding]) -> str:
    """The note on one cell: every finding with its remedy, each once."""
    said: dict[str, None] = {}
    for finding in findings:
        title = rules()[finding.rule].title
        severity = SEVERITIES[finding.severity]
        said[f"{severity}（{finding.rule} {title}）：{finding.message}\n改正：{finding.remedy}"] = None
    return OPENING + "\n" + "\n".join(said)


def _place(finding: Finding, checked: Checked) -> tuple[int, int] | None:
    """The finding's cell; for a whole row the cell of the item's name."""
    if finding.cell:
        try:
            return place(finding.cell.partition(":")[0])
        except ValueError:
            return None
    if finding.row is None or finding.sheet is None:
        return None
    if finding.scope is Scope.TABLE and finding.effect is not Effect.ROW_RETURNED:
        # of a whole table (a missing column, say): no one cell is meant
        return None
    table = _table(finding, checked)
    if table is None:
        return finding.row, 1
    declared = TABLES[table.table]
    wanted = next((c.field for c in declared.columns if c.title == finding.column), declared.name_field)
    header = table.header_cells.get(wanted) or table.header_cells.get(declared.name_field)
    return (finding.row, place(header)[1]) if header else (finding.row, 1)


def _table(finding: Finding, checked: Checked) -> ReadTable | None:
    for table in checked.submission.tables:
        if table.sheet == finding.sheet and finding.table in (None, table.table):
            return table
    return None
