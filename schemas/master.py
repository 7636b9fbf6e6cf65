"""The master (台帐): every table of the year up to a month, every version in it.

Declared here once: the workbook for people, the Parquet files for analysts and docs/dictionary.md
follow it. The item tables are the exports' columns behind `STATE`, which says what each row is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from schemas.columns import COLUMNS, Kind
from schemas.exports import EXPORTS, ExportColumn
from schemas.tables import PLAN_TABLES, TABLES


class State(StrEnum):
    """What a row of an item table is."""

    CURRENT = "current"
    CARRIED = "carried"
    SUPERSEDED = "superseded"
    RETURNED_LATER = "returned_later"
    WITHDRAWN = "withdrawn"


#: Each state's mark in the workbook, and what it means.
STATES: Mapping[State, tuple[str, str]] = {
    State.CURRENT: ("现行", "现行数字"),
    State.CARRIED: ("沿用", "本月没有被采用的行，沿用最近一次采用的数字；本月类列留空"),
    State.SUPERSEDED: ("已更正", "已被后一版取代，留作历史"),
    State.RETURNED_LATER: ("后版退回", "后一版中这一行被退回，数字由此行沿用"),
    State.WITHDRAWN: ("已撤回", "后一版中不再有这一行"),
}
#: The rows that together are the figures of the month, as in the report and the exports.
STANDING = (State.CURRENT, State.CARRIED)

STATE = ExportColumn("state", "行的状态：" + "、".join(State))


def _plan_columns() -> Iterator[ExportColumn]:
    seen: set[str] = set()
    for table in PLAN_TABLES.values():
        for column in table:
            if column.export_name not in seen:
                seen.add(column.export_name)
                yield ExportColumn(column.export_name, column.meaning, column.field)


#: The master's tables by name, in order: those of the exports, the plan and the editions.
MASTER: Mapping[str, tuple[ExportColumn, ...]] = {
    **{name: (STATE, *EXPORTS[name]) if name in TABLES else EXPORTS[name] for name in EXPORTS},
    "plan": (
        ExportColumn("plan_version", "计划版次"),
        ExportColumn("effective_from", "计划自哪个月起执行"),
        ExportColumn("table", "表：projects、needs、indicators"),
        ExportColumn("item_id", "计划项目编号"),
        ExportColumn("section", "计划中的类别标题"),
        ExportColumn("unit_code", "报送单位代码"),
        ExportColumn("unit_name", "报送单位登记的简称"),
        *_plan_columns(),
        ExportColumn("source_sheet", "计划工作簿的工作表"),
        ExportColumn("source_row", "计划工作簿的行号"),
    ),
    "editions": (
        ExportColumn("month", "月份"),
        ExportColumn("edition", "版次"),
        ExportColumn("issued_at", "定版时间"),
        ExportColumn("approved_by", "批准人"),
        ExportColumn("plan_version", "所据计划版次"),
        ExportColumn("files", "文件及其 SHA-256"),
    ),
}

#: The workbook's sheets.
SHEETS: Mapping[str, str] = {
    "projects": "援建项目",
    "needs": "招商需求",
    "indicators": "工作要点",
    "submissions": "报送",
    "findings": "问题",
    "corrections": "更正",
    "plan": "计划",
    "editions": "定版",
}

#: Heads of the columns that the ledger adds; those units fill in have their own titles.
_HEADS: Mapping[str, str] = {
    "state": "状态",
    "month": "月份",
    "unit_code": "单位代码",
    "unit_name": "报送单位",
    "item_id": "项目编号",
    "item_name": "项目名称",
    "unit_of_measure": "计量单位",
    "target": "年度目标",
    "version": "版次",
    "source_sha256": "来源文件 SHA-256",
    "source_sheet": "来源工作表",
    "source_row": "来源行号",
    "carried_forward": "沿用",
    "table": "表",
    "sha256": "文件 SHA-256",
    "file_name": "文件名",
    "received_at": "收到时间",
    "first_received_at": "首次收到时间",
    "first_accepted_at": "首次采用时间",
    "verdict": "结论",
    "timely": "按时",
    "superseded_by": "被哪个文件取代",
    "rule": "规则",
    "severity": "程度",
    "scope": "范围",
    "sheet": "工作表",
    "cell": "单元格",
    "row": "行号",
    "value": "原文",
    "expected": "应为",
    "difference": "差额",
    "message": "问题",
    "remedy": "办法",
    "open": "未解决",
    "field": "更正的列",
    "old": "原数",
    "new": "新数",
    "reason": "原因",
    "editions_affected": "受影响的版",
    "plan_version": "计划版次",
    "effective_from": "自何月起",
    "section": "类别标题",
    "edition": "版次",
    "issued_at": "定版时间",
    "approved_by": "批准人",
    "files": "文件",
}

_INTEGERS = frozenset({"version", "source_row", "row", "plan_version", "edition"})
_TRUTHS = frozenset({"carried_forward", "timely", "open"})
_MOMENTS = frozenset({"received_at", "first_received_at", "first_accepted_at", "issued_at"})
_NUMBERS = frozenset({"difference", "target"})
_NUMBER_KINDS = frozenset({Kind.MONEY, Kind.PERCENT, Kind.COUNT, Kind.QUANTITY})


def names_of(columns: Iterable[ExportColumn]) -> tuple[str, ...]:
    """The columns' names."""
    return tuple(column.name for column in columns)


def head_of(table: str, column: ExportColumn) -> str:
    """The Chinese head of a column in the workbook."""
    if table == "plan" and column.name == "unit_name":
        return "登记的报送单位"
    if not column.field:
        return _HEADS[column.name]
    if table in TABLES:
        return TABLES[table].by_field[column.field].title
    return COLUMNS[column.field].title


def type_of(column: ExportColumn) -> str:
    """What a column holds whatever the month: money, number, integer, truth, moment or text."""
    if column.field:
        kind = COLUMNS[column.field].kind
        if kind is Kind.SEQUENCE:
            return "integer"
        if kind is Kind.MONEY:
            return "money"
        return "number" if kind in _NUMBER_KINDS else "text"
    for kind_name, names in (
        ("integer", _INTEGERS),
        ("truth", _TRUTHS),
        ("moment", _MOMENTS),
        ("number", _NUMBERS),
    ):
        if column.name in names:
            return kind_name
    return "text"
