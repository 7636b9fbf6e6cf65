"""Values, findings and plans as JSON and back, exactly.

A value of kind Decimal is ``{"number": "12.5"}`` and a date ``{"date": "2018-05"}``; text, whole
numbers and blanks are themselves. The same text always comes from the same value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from schemas.finding import Effect, Finding, Scope, Severity
from schemas.money import plain
from schemas.month import PartialDate
from schemas.plan import Plan, PlanItem, PlanTotal, Value

_PLAIN_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def dumps(value: Any) -> str:
    """JSON text in one fixed form."""
    return _PLAIN_JSON.encode(value)


def encode(value: Value) -> Any:
    match value:
        case Decimal():
            return {"number": plain(value)}
        case PartialDate():
            return {"date": str(value)}
        case _:
            return value


def decode(stored: Any) -> Value:
    if isinstance(stored, dict):
        if "number" in stored:
            return Decimal(stored["number"])
        return PartialDate.parse(stored["date"])
    if stored is None or isinstance(stored, int | str):
        return stored
    raise TypeError(f"not a stored value: {stored!r}")


def encode_value(value: Value) -> str:
    return dumps(encode(value))


def decode_value(text: str) -> Value:
    return decode(json.loads(text))


def finding_fields(finding: Finding) -> dict[str, Any]:
    """A finding's fields as plain values; the difference as decimal text."""
    fields = asdict(finding)
    for name in ("severity", "scope", "effect"):
        fields[name] = str(fields[name])
    if finding.difference is not None:
        fields["difference"] = plain(finding.difference)
    return fields


def finding_from(fields: Mapping[str, Any]) -> Finding:
    difference = fields["difference"]
    return Finding(
        **{
            **fields,
            "severity": Severity(fields["severity"]),
            "scope": Scope(fields["scope"]),
            "effect": Effect(fields["effect"]),
            "difference": None if difference is None else Decimal(difference),
        }
    )


def _encode_all(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: encode(value) for name, value in values.items()}


def _decode_all(stored: Mapping[str, Any]) -> dict[str, Value]:
    return {name: decode(value) for name, value in stored.items()}


def plan_text(plan: Plan) -> str:
    """A plan as JSON text."""
    return dumps(
        {
            "year": plan.year,
            "version": plan.version,
            "sha256": plan.sha256,
            "file_name": plan.file_name,
            "items": [
                {**_slots(item), "values": _encode_all(item.values), "section": list(item.section)}
                for item in plan.items
            ],
            "totals": [
                {**_slots(total), "values": _encode_all(total.values), "section": list(total.section)}
                for total in plan.totals
            ],
            "findings": [finding_fields(found) for found in plan.findings],
        }
    )


def _slots(item: PlanItem | PlanTotal) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def plan_from(text: str) -> Plan:
    """The plan that `plan_text` wrote."""
    stored = json.loads(text)
    return Plan(
        year=stored["year"],
        version=stored["version"],
        sha256=stored["sha256"],
        file_name=stored["file_name"],
        items=tuple(
            PlanItem(**{**item, "values": _decode_all(item["values"]), "section": tuple(item["section"])})
            for item in stored["items"]
        ),
        totals=tuple(_total(total) for total in stored["totals"]),
        findings=tuple(finding_from(found) for found in stored["findings"]),
    )


def _total(stored: Mapping[str, Any]) -> PlanTotal:
    return PlanTotal(**{**stored, "section": tuple(stored["section"])})
