"""The exports: which columns each table has, in which order (CONTRACT: exports).

The reported columns come from schemas.tables, so a new column is exported without a change here;
what stands before and after them is fixed. Money is in 万元, and `export_name` drops ``_fen``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.tables import INDICATORS, NEEDS, PROJECTS, Table


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One export column: its `name`, and its `meaning` in Chinese for docs/dictionary.md.

    `field` is the reported column it shows, '' where it comes from the ledger.
    """

    name: str
    meaning: str
    field: str = ""


#: What the ledger adds to every reported column, by export name.
_KNOWN: dict[str, str] = {
    "month": "月份",
    "unit_code": "报送单位代码",
    "unit_name": "报送单位登记的简称",
    "item_id": "计划项目编号",
    "item_name": "计划项目名称",
    "unit_of_measure": "指标的计量单位",
    "target": "本年度目标值",
    "version": "该单位、月份、表的已采用版次，从 1 起",
    "source_sha256": "来源文件的 SHA-256",
    "source_sheet": "来源工作表",
    "source_row": "来源行号",
    "carried_forward": "本月缺报、撤回或退回，沿用最近一次采用的数字",
    "table": "表：projects、needs、indicators",
    "sha256": "文件的 SHA-256",
    "file_name": "文件名",
    "received_at": "收到时间",
    "first_received_at": "首次收到时间",
    "first_accepted_at": "首次采用时间",
    "verdict": "结论：accepted、accepted_in_part、returned",
    "timely": "是否按时",
    "superseded_by": "被哪个文件取代（SHA-256）",
    "rule": "规则代码",
    "severity": "严重程度：error、warning、info",
    "scope": "范围：file、table、row、cell",
    "sheet": "工作表",
    "cell": "单元格",
    "row": "行号",
    "value": "原文",
    "expected": "应为",
    "difference": "差额",
    "message": "问题",
    "remedy": "处理办法",
    "open": "是否尚未解决",
    "field": "更正的列（导出名）；(row) 为整行撤回",
    "old": "原数",
    "new": "新数",
    "reason": "更正原因",
    "editions_affected": "受影响的期次和版次",
}

_HEAD = ("month", "unit_code", "unit_name", "item_id", "item_name")
_TAIL = ("version", "source_sha256", "source_sheet", "source_row", "carried_forward")


def _known(*names: str) -> tuple[ExportColumn, ...]:
    return tuple(ExportColumn(name, _KNOWN[name]) for name in names)


def _items(table: Table, *plan_columns: str) -> tuple[ExportColumn, ...]:
    reported = tuple(
        ExportColumn(column.export_name, column.meaning, column.field) for column in table.reported
    )
    return (*_known(*_HEAD, *plan_columns), *reported, *_known(*_TAIL))


#: Every export by its name on the command line, with its columns in order.
EXPORTS: Mapping[str, tuple[ExportColumn, ...]] = {
    "projects": _items(PROJECTS),
    "needs": _items(NEEDS),
    "indicators": _items(INDICATORS, "unit_of_measure", "target"),
    "submissions": _known(
        "month",
        "unit_code",
        "unit_name",
        "table",
        "sha256",
        "file_name",
        "received_at",
        "first_received_at",
        "first_accepted_at",
        "verdict",
        "timely",
        "version",
        "superseded_by",
    ),
    "findings": _known(
        "month",
        "unit_code",
        "unit_name",
        "table",
        "rule",
        "severity",
        "scope",
        "item_id",
        "sheet",
        "cell",
        "row",
        "value",
        "expected",
        "difference",
        "message",
        "remedy",
        "source_sha256",
        "received_at",
        "open",
    ),
    "corrections": _known(
        "month",
        "item_id",
        "field",
        "old",
        "new",
        "unit_code",
        "received_at",
        "reason",
        "editions_affected",
    ),
}


def column_names(export: str) -> tuple[str, ...]:
    """The header row of an export. Raises KeyError for an unknown one."""
    return tuple(column.name for column in EXPORTS[export])
