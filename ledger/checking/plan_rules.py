"""What is wrong with a plan: the rules of rules.csv that judge the plan itself.

Each rule looks at lines already read and, where proved, put right, and yields findings with sheet
and cell. R01, R02: sums across a row. T01–T03: stated totals. P05–P07: lead unit, start, what is
not stated. R07, R08, C06: dates out of order, an item twice, an item without a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.checking.plan_shifts import Move
from ledger.reading.model import CellKind, ReadValue, address
from ledger.reading.plan import PlanRow, PlanSheet, RowKind
from ledger.reading.words import fold
from schemas.columns import Column
from schemas.finding import Effect, Finding, finding
from schemas.money import wan, wan_text
from schemas.month import PartialDate

#: The parts of an amount's 合计; each annex has two of them.
PART_FIELDS = ("fiscal_planned_fen", "enterprise_planned_fen", "self_planned_fen")
TOTAL = "funds_total_fen"
WHOLE = "total_investment_fen"

_NUMBER = r"[\d〇一二三四五六七八九十百千万两]+(?:余|多|来|几)?"
_POOR = r"(?<!非)(?:贫困(?!村|县|乡|镇|地区)|建档立卡)"
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORDS = r"[^，。、；：,;.:\d]{0,8}?"
#: 「80户贫困户」, and 「贫困户175户」, 「贫困人口629人」, 「建档立卡贫困户609户2209人」.
_POOR_COUNTS = (
    re.compile(rf"{_NUMBER}(?:户|人|名)的?{_WORDS}{_POOR}"),
    re.compile(rf"{_POOR}{_WORDS}[:：]?{_NUMBER}(?:户|人|名)"),
)


@dataclass(slots=True)
class Line:
    """One item or total of an annex, read: its values by field, and how it was read.

    `shifted` is '' for a row as it stands, F17 for one put right (`move`), F16 for one whose
    figures stay blank (`move` is then what could not be proved, if anything).
    """

    row: PlanRow
    values: dict[str, ReadValue]
    item_id: str | None = None
    shifted: str = ""
    move: Move | None = None

    def fen(self, name: str) -> int | None:
        read = self.values.get(name)
        return read.value if read is not None and isinstance(read.value, int) else None

    def failed(self, name: str) -> bool:
        read = self.values.get(name)
        return read is not None and read.failed


@dataclass(slots=True)
class Annex:
    """One sheet of the plan with its lines in sheet order, and the cells to name in findings."""

    sheet: PlanSheet
    file: str
    lines: list[Line] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.sheet.sheet.name

    @property
    def parts(self) -> list[str]:
        return [name for name in PART_FIELDS if name in self.sheet.columns]

    @property
    def money(self) -> list[str]:
        return self.sheet.money_fields

    def column(self, name: str) -> Column:
        return self.sheet.table.by_field[name]

    def cell(self, line: Line, name: str) -> str:
        """Where the figure of that column stands: in a shifted row not under its heading."""
        read = line.values.get(name)
        if read is not None and read.cell:
            return read.cell
        column = self.sheet.columns.get(name)
        return address(line.row.row, column) if column is not None else ""

    def finding(
        self,
        code: str,
        line: Line,
        name: str,
        text: str,
        *,
        expected: str | None = None,
        difference: Decimal | None = None,
        cell: str | None = None,
    ) -> Finding:
        """A finding at one column of a line; `text` follows sheet and cell in the message."""
        at = cell or self.cell(line, name) or None
        read = line.values.get(name)
        return finding(
            code,
            effect=Effect.ROW_RETURNED if code == "F16" else None,
            message=f"{self.name} {at or f'第 {line.row.row} 行'}：{text}",
            file=self.file,
            sheet=self.name,
            cell=at,
            row=line.row.row,
            column=self.column(name).title,
            item=line.item_id,
            value=read.raw if read is not None and read.raw else None,
            expected=expected,
            difference=difference,
            table=self.sheet.table.key,
        )


def _label(annex: Annex, line: Line) -> str:
    """What a line is called in a message: 「长梁镇下坝中心小学综合楼工程」, 二、基础设施的小计."""
    if line.row.kind is RowKind.TOTAL:
        section = line.row.section[-1] if line.row.section else ""
        return f"{section}的{line.row.label}" if section not in {"", line.row.label} else line.row.label
    read = line.values.get(annex.sheet.table.name_field)
    return f"「{read.value}」" if read is not None and read.value else f"第 {line.row.row} 行"


def judge_row(annex: Annex, line: Line) -> Iterator[Finding]:
    """R01 and R02: the sums across one row, as far as the row states them."""
    total, whole = line.fen(TOTAL), line.fen(WHOLE)
    known = {name: line.fen(name) for name in annex.parts}
    if total is not None and any(value is not None for value in known.values()):
        unread = any(line.failed(name) for name in annex.parts)
        parts = sum(value for value in known.values() if value is not None)
        if parts != total and not unread:
            stated = "、".join(
                f"{annex.column(name).leaf} {wan_text(value) if value is not None else '（空）'}"
                for name, value in known.items()
            )
            yield annex.finding(
                "R01",
                line,
                TOTAL,
                f"{_label(annex, line)}的资金安排合计 {wan_text(total)} 万元，与各项之和 {wan_text(parts)} 万元"
                f"（{stated}）不符，相差 {wan_text(abs(total - parts))} 万元",
                expected=wan_text(parts),
                difference=wan(total - parts),
            )
    if total is not None and whole is not None and whole != total:
        yield annex.finding(
            "R02",
            line,
            WHOLE,
            f"{_label(annex, line)}的项目总投资 {wan_text(whole)} 万元，与资金安排合计 {wan_text(total)} 万元"
            f"不符，相差 {wan_text(abs(whole - total))} 万元",
            expected=wan_text(total),
            difference=wan(whole - total),
        )


def judge_total(annex: Annex, line: Line) -> Iterator[Finding]:
    """T01, T02, T03: one stated 小计 or 合计 against the rows it covers."""
    covered = [other for other in annex.lines if other.row.row in line.row.covers]
    if line.shifted != "F16":
        for name in annex.money:
            yield from _column_total(annex, line, name, covered)
    count = line.row.count
    if count is not None and count != len(covered):
        yield annex.finding(
            "T02",
            line,
            annex.sheet.table.name_field,
            f"{_label(annex, line)}写 {count} 个，所列项目 {len(covered)} 个，相差 {abs(count - len(covered))} 个",
            expected=str(len(covered)),
            difference=Decimal(count - len(covered)),
            cell=line.row.count_cell,
        ).at(value=raw_texts(line.row).get(line.row.count_cell or ""))
    blank = [name for name in annex.money if line.fen(name) is None and not line.failed(name)]
    if blank and not line.shifted:
        titles = "、".join(annex.column(name).title for name in blank)
        every = "全部金额" if len(blank) == len(annex.money) else f"“{titles}”"
        yield annex.finding("T03", line, blank[0], f"{_label(annex, line)}行{every}空白")


def _column_total(annex: Annex, line: Line, name: str, covered: Sequence[Line]) -> Iterator[Finding]:
    stated = line.fen(name)
    if stated is None or any(other.failed(name) for other in covered):
        return
    figures = []
    for other in covered:
        if other.shifted != "F16":
            figures.append(other.fen(name))
        elif other.move is not None:
            # both readings of such a row must fail before the total is blamed
            figures.append(other.move.amounts.get(name))
        else:
            return
    total = sum(value for value in figures if value is not None)
    if total != stated:
        yield annex.finding(
            "T01",
            line,
            name,
            f"{_label(annex, line)}“{annex.column(name).title}” {wan_text(stated)} 万元，与所列 {len(covered)} 行"
            f"之和 {wan_text(total)} 万元不符，相差 {wan_text(abs(stated - total))} 万元",
            expected=wan_text(total),
            difference=wan(stated - total),
        )


def judge_item(annex: Annex, line: Line, issued: date) -> Iterator[Finding]:
    """P06, P07, R07 and C06 of one item; the lead unit (P05) is settled where units are known."""
    for name in annex.sheet.table.required:
        read = line.values.get(name)
        blank = read is None or read.value in (None, "")
        if blank and not line.shifted and not line.failed(name):
            yield annex.finding("C06", line, name, f"{_label(annex, line)}的“{annex.column(name).title}”空白")
    if not line.shifted:
        yield from _dates(annex, line, issued)
    yield from _not_stated(annex, line)


def _dates(annex: Annex, line: Line, issued: date) -> Iterator[Finding]:
    start = _date(line, "start_planned")
    accept = _date(line, "accept_planned")
    if start is not None and PartialDate.of(issued).certainly_after(start):
        yield annex.finding(
            "P06",
            line,
            "start_planned",
            f"{_label(annex, line)}计划开工时间 {start.chinese} 早于计划印发日期 {PartialDate.of(issued).chinese}",
            expected=f"{PartialDate.of(issued)} 或以后",
        )
    if start is not None and accept is not None and start.certainly_after(accept):
        yield annex.finding(
            "R07",
            line,
            "accept_planned",
            f"{_label(annex, line)}计划验收时间 {accept.chinese} 早于计划开工时间 {start.chinese}",
        )


def _date(line: Line, name: str) -> PartialDate | None:
    read = line.values.get(name)
    return read.value if read is not None and isinstance(read.value, PartialDate) else None


def _not_stated(annex: Annex, line: Line) -> Iterator[Finding]:
    """P07: no amounts, or no poor households and persons (where the annex has a column for them)."""
    missing: list[tuple[str, str]] = []
    stated = any(line.fen(name) is not None or line.failed(name) for name in annex.money)
    if annex.money and not stated and line.shifted != "F16":
        missing.append((annex.money[0], "没有金额"))
    moved = line.move is not None and annex.sheet.columns.get("benefit") in line.move.moved
    if "benefit" in annex.sheet.columns and not moved:
        read = line.values.get("benefit")
        if not states_poor(str(read.value or "") if read is not None else ""):
            missing.append(("benefit", "扶贫效益没有写明受益贫困户数或贫困人口数"))
    if missing:
        text = "，".join(words for _, words in missing)
        yield annex.finding("P07", line, missing[0][0], f"{_label(annex, line)}{text}")


def states_poor(text: str) -> bool:
    """Whether a text says how many poor households or persons benefit (P07).

    >>> states_poor("可直接帮助全村 80 户贫困户稳定脱贫"), states_poor("10 户发展民宿旅游")
    (True, False)
    """
    folded = _THOUSANDS.sub("", "".join(unicodedata.normalize("NFKC", text).split()))
    return any(pattern.search(folded) for pattern in _POOR_COUNTS)


def judge_repeats(annex: Annex) -> Iterator[Finding]:
    """R08: the same item named twice; every one of its rows is named."""
    name_field = annex.sheet.table.name_field
    by_name: dict[str, list[Line]] = {}
    for line in annex.lines:
        read = line.values.get(name_field)
        if line.row.kind is RowKind.ITEM and read is not None and isinstance(read.value, str):
            by_name.setdefault(fold(read.value), []).append(line)
    for lines in by_name.values():
        if len(lines) > 1:
            rows = "、".join(str(line.row.row) for line in lines)
            for line in lines:
                text = f"{_label(annex, line)}在本表出现 {len(lines)} 次（第 {rows} 行）"
                yield annex.finding("R08", line, name_field, text)


def judge_shift(annex: Annex, line: Line) -> Iterator[Finding]:
    """F17 for a row put right, F16 for one whose figures had to stay blank."""
    if not line.shifted:
        return
    name = annex.money[0]
    figures = _stated_figures(annex, line)
    first, raw = figures[0] if figures else (None, None)
    texts = "、".join(f"{cell} {raw}" for cell, raw in figures)
    if line.shifted == "F17" and line.move is not None:
        way = "左" if line.move.step > 0 else "右"
        amounts = "、".join(
            f"{annex.column(field_).leaf} {wan_text(value)}" for field_, value in line.move.amounts.items()
        )
        closes = "所属各行之和" if line.row.kind is RowKind.TOTAL else "合计数"
        text = (
            f"{_label(annex, line)}的金额（{texts}）整体向{way}错 {abs(line.move.step)} 列；按表头还原为"
            f"{amounts}（万元），合计等于各项之和，且与{closes}相符"
        )
        yield annex.finding("F17", line, name, text, cell=first, expected=amounts).at(value=raw, column=None)
    else:
        why = "移回后与合计数不符" if line.move is not None else "怎样移动都不能使合计等于各项之和"
        text = f"{_label(annex, line)}的金额（{texts}）与表头错位，{why}，无法还原，该行金额留空"
        yield annex.finding("F16", line, name, text, cell=first).at(value=raw, column=None)


def _stated_figures(annex: Annex, line: Line) -> list[tuple[str, str]]:
    """The shifted amounts of a row where they really stand: (address, raw text), left to right."""
    money = {annex.sheet.columns[name] for name in annex.money}
    if line.move is not None:
        shifted = line.move.moved
        cells = [c for column, c in line.move.cells.items() if column in money and c.column in shifted]
    else:
        left = annex.sheet.columns.get(annex.sheet.table.name_field, 0)
        cells = [c for column, c in line.row.cells.items() if column > left and c.kind is CellKind.NUMBER]
    return [(cell.address, cell.raw) for cell in sorted(cells, key=lambda cell: cell.column)]


def raw_texts(row: PlanRow) -> Mapping[str, str]:
    """The raw texts of a row by A1 address."""
    return {cell.address: cell.raw for cell in row.cells.values()}
