"""What the Prefect UI shows of a month: who reported, what was found, where the documents are.

The contents are computed here from what `ledger status` says, without Prefect; `show` hands them on.
Keys stand for one home and one month, so that the UI keeps their history: ``2018-09-reported-…``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote

from flows import programmes
from ledger.home import Home
from ledger.settings import Settings
from schemas.month import Month

#: How many findings a table shows; the rest are counted, and are in the export.
FINDINGS_SHOWN = 200
STATES = {
    "missing": "未报",
    "received": "已收，待核对",
    "returned": "已退回",
    "in_part": "部分采用",
    "accepted": "已采用",
    "nil": "零报告",
}
_SEVERITIES = {"error": "错误", "warning": "提示", "info": "说明"}
_TABLES = {"projects": "表1", "needs": "表2", "indicators": "表3"}
_MARKED = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")


@dataclass(frozen=True)
class Table:
    """A table artifact: its key's first part, the sentence over it, its rows by column title."""

    name: str
    description: str
    rows: list[dict[str, str]]


@dataclass(frozen=True)
class Page:
    """A Markdown artifact: its key's first part, the sentence over it, its text."""

    name: str
    description: str
    markdown: str


def key_of(home: Home, month: Month | None, name: str) -> str:
    """``2018-09-reported-main``: lower-case letters, digits and dashes, one for each home; without a
    month what is of none."""
    folder = programmes.name_of(home)
    slug = re.sub(r"[^a-z0-9]+", "-", folder).strip("-")
    if slug != folder:
        slug = f"{slug}-{hashlib.sha256(folder.encode()).hexdigest()[:6]}".lstrip("-")
    return "-".join([*([str(month)] if month else []), name, slug])


def reported(status: Mapping[str, Any]) -> Table:
    """Who reported: one row a unit, from `flows.status.month_status`."""
    rows = [
        {
            "单位": unit["unit_name"],
            "状态": STATES[unit["state"]],
            "收到时间": _clock(unit["first_received_at"]),
            "是否按时": {True: "按时", False: f"迟 {unit['days_late'] or 0} 天", None: ""}[unit["timely"]],
            "退回": _returned(unit),
            "错误": str(unit["errors_count"] or ""),
            "提示": str(unit["warnings_count"] or ""),
        }
        for unit in status["units"]
    ]
    sentence = (
        f"{Month.parse(status['month']).chinese}报送情况：应报 {status['units_count']} 家，"
        f"已采用 {len(status['reported'])} 家，未报 {len(status['missing'])} 家，"
        f"退回 {len(status['returned'])} 家；截止 {(status['deadline'] or '')[:10]}。"
    )
    return Table("reported", sentence, rows)


def _returned(unit: Mapping[str, Any]) -> str:
    return {"returned": "全部退回", "in_part": "部分退回"}.get(unit["state"], "")


def findings(status: Mapping[str, Any]) -> Page:
    """What is open, by unit in the registry's order, the gravest first; so many, the rest counted.

    As a list: the page's tables do not wrap, and a finding's sentence and its remedy are long.
    """
    order = {unit["unit_code"]: place for place, unit in enumerate(status["units"])}
    names = {unit["unit_code"]: unit["unit_name"] for unit in status["units"]}
    grave = list(_SEVERITIES)
    found = sorted(
        status["findings"],
        key=lambda one: (order.get(one["unit_code"], len(order)), grave.index(one["severity"])),
    )
    lines: list[str] = []
    for unit, some in groupby(found[:FINDINGS_SHOWN], key=lambda one: one["unit_code"]):
        lines += ["", f"### {plain(names.get(unit, '单位不明'))}", ""]
        for one in some:
            lines.append(f"- **{_SEVERITIES[one['severity']]}**　{plain(_placed(one))}")
            lines.append(f"  - 怎么办：{plain(one['remedy'])}")
    counted = "、".join(
        f"{word} {count} 条"
        for key, word in _SEVERITIES.items()
        if (count := sum(one["severity"] == key for one in found))
    )
    sentence = f"{Month.parse(status['month']).chinese}待处理的问题：{counted or '没有'}。"
    if len(found) > FINDINGS_SHOWN:
        sentence += (
            f"这里列出前 {FINDINGS_SHOWN} 条，还有 {len(found) - FINDINGS_SHOWN} 条，"
            f"全部见 ledger export {status['month']} --table findings。"
        )
    return Page("findings", sentence, "\n".join([sentence, *lines]))


def _placed(found: Mapping[str, Any]) -> str:
    """The finding's sentence, after its place where it does not name it."""
    where = found["cell"] or (f"第 {found['row']} 行" if found["row"] else "")
    message = str(found["message"])
    if not where or where in message:
        return message
    return f"{_TABLES.get(found['table'], '')} {where}：{message}".strip()


def documents(home: Home, month: Month, paths: Sequence[str]) -> Page:
    """The month's documents: each PDF and workbook with its link and its place.

    A browser does not open a file from a page: the links go to `flows.documents`, which
    `ledger serve` runs beside the UI.
    """
    shown = [path for path in paths if path.startswith("reports/") and path.endswith((".pdf", ".xlsx"))]
    lines = [f"- [{plain(path.rpartition('/')[2])}]({link(home, path)})　`{path}`" for path in shown]
    told = "链接在 `ledger serve` 运行时可打开；也可在数据文件夹中按路径打开。"
    text = "\n".join([f"### {month.chinese}文件", "", *(lines or ["还没有文件。"]), "", told])
    return Page("documents", f"{month.chinese}的月报、一页纸、单位报告和数据", text)


def link(home: Home, path: str) -> str:
    """Where a browser finds a file of the home's reports (`Settings.web`)."""
    base = Settings.load(home).web.documents_url.rstrip("/")
    return f"{base}/{quote(programmes.name_of(home))}/{quote(path.removeprefix('reports/'))}"


def plain(text: str) -> str:
    """Text as Markdown shows it letter by letter."""
    return _MARKED.sub(r"\\\1", text.replace("\n", " "))


def _clock(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")


def show(home: Home, month: Month, status: Mapping[str, Any], paths: Sequence[str]) -> None:
    """Write the month's artifacts, within a flow run."""
    from prefect.artifacts import create_markdown_artifact, create_table_artifact

    table = reported(status)
    create_table_artifact(
        key=key_of(home, month, table.name), table=[*table.rows], description=table.description
    )
    for page in (findings(status), documents(home, month, paths)):
        create_markdown_artifact(
            key=key_of(home, month, page.name), markdown=page.markdown, description=page.description
        )
