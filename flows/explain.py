"""`ledger explain`: the chain behind a figure, or a total or rate taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.opened import open_ledger
from ledger.calendar import moment_text
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording.editions import frozen, registry_of, require_edition
from ledger.recording.explain import explain
from ledger.recording.ledger import Ledger
from ledger.recording.moments import AsOf
from ledger.registry import Registry
from schemas.month import Month

#: The scope where only a figure is named.
_COUNTY = "合计"


@dataclass(frozen=True)
class _Look:
    """When the figure is looked at, and by which registry; `told` says so."""

    as_of: AsOf
    registry: Registry | None
    told: str
    as_json: dict[str, Any]

    @classmethod
    def at(cls, ledger: Ledger, month: Month, as_of: datetime | None, edition: int | None) -> _Look:
        if as_of is not None and edition is not None:
            raise UsageError("--as-of 和 --edition 只写一个。")
        if as_of is not None:
            moment = moment_text(as_of)
            return cls(as_of, None, f"截至 {moment} 收到的数字：", {"as_of": moment, "edition": None})
        if edition is not None:
            issued = require_edition(ledger, month, edition)
            moment = moment_text(issued.at)
            told = f"{month.chinese}月报第{edition}版（{moment} 签发）所印的数字："
            registry = registry_of(ledger.home, issued)
            return cls(frozen(issued), registry, told, {"as_of": moment, "edition": edition})
        return cls(None, None, "", {"as_of": None, "edition": None})


def explain_figure(
    home: Home,
    month: Month,
    item: str,
    field: str | None,
    as_of: datetime | None = None,
    edition: int | None = None,
) -> tuple[str, dict[str, Any]]:
    """The chain behind one cell, or what a total, a rate or a count is made of, as Chinese text and
    as JSON-able values: now, as of a moment, or as an issued edition printed it. Without `field` it
    is `item` that names the figure, over the county.

    Raises UsageError for unknown names, and for an edition that was not issued.
    """
    from ledger.reporting.breakdown import explain_total

    with open_ledger(home) as ledger:
        ledger.catch_up()
        look = _Look.at(ledger, month, as_of, edition)
        if field is None:
            if item.strip() in ledger.view(month, look.as_of).plan.by_id:
                raise UsageError(f"请在 {item} 后面写明字段，如 fiscal_paid_cum、支付率。")
            item, field = _COUNTY, item
        found = explain_total(ledger, month, item, field, as_of=look.as_of, told_by=look.registry)
        chain = found or explain(ledger, month, item, field, as_of=look.as_of, told_by=look.registry)
    text = f"{look.told}\n{chain.text()}" if look.told else chain.text()
    return text, {**chain.as_json(), **look.as_json}
