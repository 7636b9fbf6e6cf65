"""Findings: one thing wrong or doubtful, always with its cell; and the rules they come from.

A data problem is a value, never an exception (docs/decisions/0003). The rules stand in rules.csv
(CONTRACT: findings); their Chinese names and standing remedies in rules_zh.csv. The message is
written where the figures are known.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
#: The rules that say a file could not be opened at all (exit code 3; nothing of it can be marked).
UNOPENED = frozenset({"F01", "F02", "F03", "F04"})


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Scope(StrEnum):
    FILE = "file"
    TABLE = "table"
    ROW = "row"
    CELL = "cell"


class Effect(StrEnum):
    """What a finding does to what was sent (CONTRACT §6.1)."""

    FILE_RETURNED = "file returned"
    TABLE_RETURNED = "table returned"
    TABLE_OR_ROW_RETURNED = "table or row returned"
    ROW_RETURNED = "row returned"
    MUST_BE_ANSWERED = "stands, must be answered"
    STANDS = "stands"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: code, what it looks at, how grave it is, what it does, when it is raised."""

    code: str
    scope: Scope
    severity: Severity
    effect: Effect
    when: str
    title: str
    remedy: str


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by code, in the order of rules.csv."""
    with (_HERE / "rules_zh.csv").open(encoding="utf-8", newline="") as file:
        chinese = {line["code"]: line for line in csv.DictReader(file)}
    with (_HERE / "rules.csv").open(encoding="utf-8", newline="") as file:
        return {
            line["code"]: Rule(
                code=line["code"],
                scope=Scope(line["scope"]),
                severity=Severity(line["severity"]),
                effect=Effect(line["effect"]),
                when=line["when"],
                title=chinese[line["code"]]["title"],
                remedy=chinese[line["code"]]["remedy"],
            )
            for line in csv.DictReader(file)
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as CONTRACT §5 has it (`--json`), and the table it belongs to.

    `cell` is the A1 address as the submitter sees it; `row` the sheet's row number; `column` the
    canonical title; `item` the plan's item id; `value` the raw text; `difference` a number in the
    column's own unit (万元 for money). `effect` is the rule's unless the case is milder (H01 with
    an explanation) or narrower (F16 for one row).
    """

    rule: str
    severity: Severity
    scope: Scope
    effect: Effect
    message: str
    remedy: str
    file: str = ""
    sheet: str | None = None
    cell: str | None = None
    row: int | None = None
    column: str | None = None
    item: str | None = None
    value: str | None = None
    expected: str | None = None
    difference: Decimal | None = None
    table: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def returns_row(self) -> bool:
        return self.effect is Effect.ROW_RETURNED

    @property
    def returns_table(self) -> bool:
        return self.effect is Effect.TABLE_RETURNED

    @property
    def returns_file(self) -> bool:
        return self.effect is Effect.FILE_RETURNED

    def at(self, **changes: Any) -> Finding:
        """The same finding with some of its fields filled in (file, sheet, item …)."""
        return replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """The object of CONTRACT §5, in its order."""
        fields = asdict(self)
        names = "rule severity scope file sheet cell row column item value expected difference message remedy"
        shown = {name: fields[name] for name in names.split()}
        difference = self.difference
        if difference is not None:
            whole = difference == difference.to_integral_value()
            shown["difference"] = int(difference) if whole else float(difference)
        return shown


def finding(
    code: str,
    message: str,
    *,
    remedy: str | None = None,
    severity: Severity | None = None,
    effect: Effect | None = None,
    **where: Any,
) -> Finding:
    """Make a finding of rule `code`; severity, scope, effect and remedy come from the rule.

    `effect` must be given for a rule whose effect is "table or row returned". Raises KeyError for
    an unknown code.
    """
    rule = rules()[code]
    if effect is None:
        effect = rule.effect
        if effect is Effect.TABLE_OR_ROW_RETURNED:
            raise ValueError(f"{code}: say whether the table or the row is returned")
    return Finding(
        rule=code,
        severity=severity or rule.severity,
        scope=rule.scope,
        effect=effect,
        message=message,
        remedy=remedy or rule.remedy,
        **where,
    )
