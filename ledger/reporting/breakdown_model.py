"""A total or a rate of the report taken apart: its formula, its sides, each row to its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.month import Month


@dataclass(frozen=True, slots=True)
class Part:
    """One item's share of a side: `value` as text, and the cell it comes from.

    Where it is not `counted`, `why` says so; `cell` is '' where the sheet has no such column.
    `version` is the ledger's, or the plan's for a planned figure (`planned`).
    """

    item: str
    item_name: str
    unit_name: str
    column: str
    value: str
    counted: bool
    why: str = ""
    planned: bool = False
    carried_from: Month | None = None
    version: int | None = None
    file: str = ""
    sha256: str = ""
    sheet: str = ""
    row: int | None = None
    cell: str = ""
    raw: str = ""
    steps: tuple[str, ...] = ()
    received_at: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "item_name": self.item_name,
            "unit_name": self.unit_name,
            "column": self.column,
            "value": self.value or None,
            "counted": self.counted,
            "why": self.why or None,
            "from_plan": self.planned,
            "carried_from": None if self.carried_from is None else str(self.carried_from),
            "version": self.version,
            "file": self.file or None,
            "sha256": self.sha256 or None,
            "sheet": self.sheet or None,
            "row": self.row,
            "cell": self.cell or None,
            "raw": self.raw or None,
            "steps": list(self.steps),
            "received_at": self.received_at or None,
        }

    def text(self, *, column: bool) -> str:
        """The part on one line; with `column` its column is named."""
        told = f"{self.item} {self.item_name}"
        told += f" {self.column}" if column else ""
        told += f"：{self.value}" if self.value else ""
        return (
            told
            + "".join(f"，{part}" if n else f"（{part}" for n, part in enumerate(self._where()))
            + ("）" if self._where() else "")
        )

    def _where(self) -> list[str]:
        if not self.file:
            return [self.why] if self.why else []
        place = self.cell or (f"第{self.row}行" if self.row else "")
        version = f"计划第{self.version}版" if self.planned else f"第{self.version}版"
        parts = [f"{self.file} {self.sheet} {place}".rstrip()]
        parts += [f"原文“{self.raw}”"] if self.raw and self.raw != self.value else []
        parts += list(self.steps)
        parts.append(version)
        parts += [f"沿用{self.carried_from.chinese}"] if self.carried_from else []
        parts += [self.why] if self.why else []
        return parts


@dataclass(frozen=True, slots=True)
class Side:
    """A sum, a count, or one side of a rate."""

    name: str
    value: str
    unit: str
    parts: tuple[Part, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value or None,
            "unit": self.unit or None,
            "rows": [part.as_json() for part in self.parts],
        }

    def lines(self) -> list[str]:
        """The side in Chinese: its figure, the rows counted, the rows that are not and why."""
        counted = [part for part in self.parts if part.counted]
        left = [part for part in self.parts if not part.counted]
        several = len({part.column for part in self.parts}) > 1
        figure = f"{self.value} {self.unit}".strip() if self.value else "没有数字"
        lines = [f"{self.name}：{figure}，{len(counted)} 个数" if self.parts else f"{self.name}：{figure}"]
        lines += [f"  {part.text(column=several)}" for part in counted]
        if left:
            lines.append(f"  不计入 {len(left)} 个：")
            lines += [f"    {part.text(column=several)}" for part in left]
        return lines


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One figure of the report: what is printed, how it comes about, its sides.

    `figure` is its name for programs, `exact` the value before it is rounded for print.
    """

    month: Month
    scope: str
    figure: str
    name: str
    printed: str
    exact: str
    formula: str
    sides: tuple[Side, ...]
    numerator: Side | None = None
    denominator: Side | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.month),
            "scope": self.scope,
            "figure": self.figure,
            "name": self.name,
            "printed": self.printed,
            "value": self.exact or None,
            "formula": self.formula,
            "numerator": None if self.numerator is None else self.numerator.as_json(),
            "denominator": None if self.denominator is None else self.denominator.as_json(),
            "rows": [] if self.numerator else [row for side in self.sides for row in side.as_json()["rows"]],
            "note": self.note or None,
        }

    def text(self) -> str:
        """The breakdown in Chinese, for people."""
        lines = [f"{self.month.chinese} {self.scope} {self.name}：{self.printed}", self.formula]
        for label, side in (("分子　", self.numerator), ("分母　", self.denominator)):
            if side is not None:
                first, *rest = side.lines()
                lines += [f"{label}{first}", *rest]
        if self.numerator is None:
            for side in self.sides:
                lines += side.lines()
        if self.note:
            lines.append(self.note)
        if self.sides:
            lines.append("再往下追一个数：ledger explain 月份 项目编号 字段。")
        return "\n".join(lines)
