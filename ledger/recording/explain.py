"""Explaining a figure to the bottom: export → version → file, sheet, cell, raw text → steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ledger.calendar import moment_text
from ledger.errors import UsageError
from ledger.recording.database import reading
from ledger.recording.exports import known_field, shown
from ledger.recording.model import FindingRow, ItemRow
from ledger.recording.moments import AsOf
from ledger.recording.seen import Seen
from ledger.recording.views import version_rows
from ledger.recording.ways import Way, way_of
from schemas.columns import COLUMNS
from schemas.finding import Finding
from schemas.month import Month
from schemas.plan import PlanItem
from schemas.tables import TABLES

if TYPE_CHECKING:
    from ledger.recording.ledger import Ledger
    from ledger.registry import Registry


@dataclass(frozen=True, slots=True)
class Link:
    """One accepted version of the figure: what it was, in which file and cell, what was done."""

    version: int
    month: Month
    value: str
    file: str
    sha256: str
    sheet: str
    row: int
    cell: str
    raw: str
    steps: tuple[str, ...]
    received_at: str
    current: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "month": str(self.month),
            "value": self.value or None,
            "file": self.file,
            "sha256": self.sha256,
            "sheet": self.sheet,
            "row": self.row,
            "cell": self.cell or None,
            "raw": self.raw or None,
            "steps": list(self.steps),
            "received_at": self.received_at,
            "current": self.current,
        }


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain behind one figure. `source` is None where no figure was ever reported; `way` is how
    its file came in. `findings` are what its file's checks said of it, those no longer open too."""

    month: Month
    item: PlanItem
    field: str
    unit_name: str
    value: str
    source: Link | None
    carried_from: Month | None
    history: tuple[Link, ...]
    findings: tuple[FindingRow, ...]
    way: Way | None = None

    def as_json(self) -> dict[str, Any]:
        column = COLUMNS[self.field]
        return {
            "month": str(self.month),
            "item": self.item.item_id,
            "item_name": self.item.name,
            "table": self.item.table,
            "field": column.export_name,
            "column": TABLES[self.item.table].by_field[self.field].title,
            "unit_of_measure": column.unit or None,
            "unit_code": self.item.unit_code,
            "unit_name": self.unit_name,
            "value": self.value or None,
            "carried_forward": self.carried_from is not None,
            "carried_from": None if self.carried_from is None else str(self.carried_from),
            **self._source_json(),
            "way": None if self.way is None else self.way.as_json(),
            "versions": [link.as_json() for link in self.history],
            "findings": [{**one.finding.as_json(), "open": one.open} for one in self.findings],
        }

    def _source_json(self) -> dict[str, Any]:
        """Where the figure comes from, as one object and, for short, beside it."""
        names = ("version", "file", "sha256", "sheet", "row", "cell", "raw", "steps", "received_at")
        source = None if self.source is None else self.source.as_json()
        return {"source": source, **{name: source[name] if source else None for name in names}}

    def text(self) -> str:
        """The chain in Chinese, for people."""
        column = COLUMNS[self.field]
        title = TABLES[self.item.table].by_field[self.field].title
        figure = f"{self.value}{_spaced(column.unit)}" if self.value else "未报（空白）"
        lines = [f"{self.month.chinese} {self.item.item_id} {self.item.name}", f"{title}：{figure}"]
        if self.source is None:
            lines.append("台帐中没有这一数字：该项目在本年度还没有被采用的报送。")
            return "\n".join(lines)
        source = self.source
        if self.carried_from is not None:
            lines.append(
                f"沿用：{self.month.chinese}没有被采用的报送行，沿用{self.carried_from.chinese}最近一次采用的数字"
                "（本月类列留空）。"
            )
        lines += [
            f"台帐：{self.unit_name} {source.month.chinese} {TABLES[self.item.table].number} 第{source.version}版，"
            f"{source.received_at} 收到",
            f"文件：{source.file}（SHA-256 {source.sha256}）",
            *([self.way.text()] if self.way is not None and self.way.text() else []),
            f"位置：工作表“{source.sheet}”第{source.row}行"
            + (f"，单元格 {source.cell}" if source.cell else "，报表中没有这一列"),
            f"原文：{source.raw}" if source.raw else "原文：空白",
            "处理：" + ("；".join(source.steps) if source.steps else "照原文，未作处理"),
        ]
        if len(self.history) > 1:
            lines.append("历次版本：")
            lines += [
                f"  第{link.version}版 {link.value or '空白'}{_spaced(column.unit) if link.value else ''}"
                f"（{link.file} {link.sheet} {link.cell or f'第{link.row}行'}，{link.received_at} 收到）"
                + ("，现行" if link.current else "")
                for link in self.history
            ]
        if self.findings:
            lines.append("经过的核对：")
            lines += [
                f"  {one.finding.rule} {one.finding.message}" + ("" if one.open else "（现已不成立）")
                for one in self.findings
            ]
        else:
            lines.append("经过的核对：没有发现问题。")
        return "\n".join(lines)


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""


def explain(
    ledger: Ledger,
    month: Month,
    item: str,
    field: str,
    *,
    as_of: AsOf = None,
    told_by: Registry | None = None,
) -> Chain:
    """The chain behind `field` (export name, field or title) of `item` in `month`, as of a moment, by
    the present registry or the one given.

    Raises UsageError for an item that is not in the plan, or a field its table does not have.
    """
    seen = Seen.at(ledger, as_of, told_by)
    view = seen.view(month)
    wanted = item.strip()
    planned = view.plan.by_id.get(wanted) or next((i for i in view.plan.items if i.name == wanted), None)
    if planned is None:
        raise UsageError(f"计划中没有 {item}。项目编号形如 2018-A1-04，可用 ledger export 查看。")
    name = known_field(planned.table, field)
    if name is None:
        names = "、".join(column.export_name for column in TABLES[planned.table].reported)
        raise UsageError(f"{planned.item_id} 没有“{field}”这一列。可用：{names}。")
    row = view.row(planned.item_id)
    history: list[ItemRow] = []
    if row is not None:
        with reading(seen.engine) as connection:
            history = [
                one
                for one in version_rows(connection, view.plan, row.reported_month, planned.table, as_of)
                if one.item_id == planned.item_id
            ]
    links = tuple(_link(one, name, row) for one in history)
    of_month = view if row is None or row.reported_month == month else seen.view(row.reported_month)
    return Chain(
        month=month,
        item=planned,
        field=name,
        unit_name=seen.registry.names.get(planned.unit_code, planned.unit_code),
        value="" if row is None else shown(name, row.values.get(name)),
        source=None if row is None else _link(row, name, row),
        carried_from=row.reported_month if row is not None and row.carried_forward else None,
        history=links,
        findings=() if row is None else _findings(of_month.findings, planned.item_id, row, name),
        way=None if row is None else way_of(ledger.home, seen.engine, row.source_sha256, row.received_at),
    )


def link_of(row: ItemRow, name: str) -> Link:
    """Where a standing row's figure in column `name` comes from."""
    return _link(row, name, row)


def _link(one: ItemRow, name: str, current: ItemRow | None) -> Link:
    source = one.sources.get(name)
    return Link(
        version=one.version,
        month=one.reported_month,
        value=shown(name, one.values.get(name)),
        file=one.source_file,
        sha256=one.source_sha256,
        sheet=one.source_sheet,
        row=one.source_row,
        cell=source.cell if source else "",
        raw=source.raw if source else "",
        steps=source.steps if source else (),
        received_at=moment_text(one.received_at),
        current=current is not None and (one.unit_code, one.version) == (current.unit_code, current.version),
    )


def _findings(found: Sequence[FindingRow], item: str, row: ItemRow, name: str) -> tuple[FindingRow, ...]:
    """What the checks of the row's file said of this figure, each once; that it is still open, first."""
    said: dict[Finding, FindingRow] = {}
    for one in found:
        if one.source_sha256 == row.source_sha256 and _concerns(one.finding, item, row, name):
            known = said.get(one.finding)
            if known is None or not known.open:
                said[one.finding] = one
    return tuple(said.values())


def _concerns(found: Finding, item: str, row: ItemRow, name: str) -> bool:
    """Whether a finding is about this figure: its cell, or its whole row."""
    sources: Mapping[str, Any] = row.sources
    if found.item not in (None, item) or (found.item is None and found.row != row.source_row):
        return False
    if found.table not in (None, row.table):
        return False
    cell = sources[name].cell if name in sources else None
    return found.cell is None or found.cell == cell
