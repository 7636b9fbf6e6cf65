"""docs/dictionary.md, generated from the declarations: tables, columns, exports, rules.

``python -m schemas.dictionary`` writes it; a test fails while the committed one differs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.columns import JOINT, Column, Kind
from schemas.exports import EXPORTS
from schemas.finding import Effect, Scope, Severity, rules
from schemas.master import MASTER, STATES
from schemas.rollup import SHEETS as ROLLUP
from schemas.tables import PLAN_TABLES, TABLES, Table

PATH = Path(__file__).resolve().parent.parent / "docs" / "dictionary.md"

_KINDS = {
    Kind.TEXT: "文字",
    Kind.SEQUENCE: "序号",
    Kind.MONEY: "金额（内部为整数分）",
    Kind.PERCENT: "百分数",
    Kind.COUNT: "个数",
    Kind.QUANTITY: "数量",
    Kind.DATE: "日期或月份",
    Kind.CHOICE: "选项",
}
_SCOPES = {Scope.FILE: "文件", Scope.TABLE: "表", Scope.ROW: "行", Scope.CELL: "单元格"}
_SEVERITIES = {Severity.ERROR: "错误", Severity.WARNING: "警告", Severity.INFO: "提示"}
_EFFECTS = {
    Effect.FILE_RETURNED: "退回全文件",
    Effect.TABLE_RETURNED: "退回本表",
    Effect.TABLE_OR_ROW_RETURNED: "退回本表或本行",
    Effect.ROW_RETURNED: "退回本行",
    Effect.MUST_BE_ANSWERED: "采用，须答复",
    Effect.STANDS: "采用",
}
_HEAD = """\
# 数据字典

由 `python -m schemas.dictionary` 从 `schemas/` 的声明生成，请勿手改。

Generated from the declarations in `schemas/`; do not edit. One declaration of a column serves the
forms, the reader, the checks, the exports and this page.
"""


def dictionary() -> str:
    """The page's text."""
    return "\n".join([_HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    yield "## 报送的表\n"
    for table in TABLES.values():
        yield from _table(table)
    yield "## 计划的表\n"
    for table in PLAN_TABLES.values():
        yield from _table(table)
    yield "## 导出的列\n"
    yield "金额以万元计，不留末尾的零；日期为 `YYYY-MM-DD`，日不详时为 `YYYY-MM`；空白即未报，不是 0。\n"
    for name, columns in EXPORTS.items():
        yield f"### {name}\n"
        yield from _rows(("列", "含义"), ((f"`{c.name}`", c.meaning) for c in columns))
    yield "## 台帐\n"
    yield (
        "`ledger run` 写出的 `台帐-月份.xlsx` 和同名文件夹中的 Parquet 文件：年初至本月的全部数据，每一版都在。"
        "三张数据表在上列之前加一列 `state`；其余各表同上，另有计划和已签发的月报。\n"
    )
    yield from _rows(
        ("`state`", "工作簿中", "含义"),
        ((f"`{state}`", words, meaning) for state, (words, meaning) in STATES.items()),
    )
    for name in [name for name in MASTER if name not in EXPORTS]:
        yield f"### {name}\n"
        yield from _rows(("列", "含义"), ((f"`{c.name}`", c.meaning) for c in MASTER[name]))
    yield "## 多县汇总\n"
    yield (
        "`ledger rollup` 写出的 CSV 和数据工作簿：每个地区一行（全国、省、市州），每个县一行。"
        "金额以万元计，精确到分；率由分子、分母各自相加后相除；空白即没有此项，不是 0。\n"
    )
    for name, (sheet, columns) in ROLLUP.items():
        yield f"### {name}（工作表“{sheet}”）\n"
        yield from _rows(("列", "含义"), ((f"`{c.name}`", c.meaning) for c in columns))
    yield "## 核对规则\n"
    yield from _rows(
        ("代码", "名称", "范围", "程度", "处理", "何时提出", "办法"),
        (
            (
                rule.code,
                rule.title,
                _SCOPES[rule.scope],
                _SEVERITIES[rule.severity],
                _EFFECTS[rule.effect],
                rule.when,
                rule.remedy,
            )
            for rule in rules().values()
        ),
    )


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.number} {table.title}\n"
    yield f"工作表“{table.sheet}”，程序内名 `{table.key}`。\n"
    yield from _rows(
        ("列", "其他写法", "单位", "类型", "要求", "含义", "导出名"),
        (
            (
                column.title,
                _wordings(column),
                column.unit,
                _kind(column),
                _requirement(table, column),
                column.meaning,
                f"`{column.export_name}`",
            )
            for column in table
        ),
    )


def _wordings(column: Column) -> str:
    """The aliases; those of two header rows as the words of the upper and of the lower row."""
    uppers: dict[str, None] = {}
    lowers: dict[str, None] = {}
    single = []
    for alias in column.aliases:
        upper, joint, lower = alias.partition(JOINT)
        if joint:
            uppers[upper], lowers[lower] = None, None
        elif alias != column.title:
            single.append(alias)
    written = [f"上行：{'、'.join(uppers)}；下行：{'、'.join(lowers)}"] if uppers else []
    return "；单行：".join([*written, "、".join(single)] if single else written)


def _kind(column: Column) -> str:
    kind = _KINDS[column.kind]
    return f"{kind}：{'/'.join(column.allowed)}" if column.allowed else kind


def _requirement(table: Table, column: Column) -> str:
    if column.field in table.required:
        return "必填"
    if any(column.field in group for group in table.any_of):
        return "至少填一列"
    return "计划列，只核对" if column.field in table.plan_fields else "选填"


def _rows(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(header)
    yield _line(("---",) * len(header))
    for line in lines:
        yield _line(line)
    yield ""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def main() -> int:
    """Write the page; exit code 0."""
    PATH.write_text(dictionary(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
