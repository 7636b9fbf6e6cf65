"""`ledger explain`: the chain behind a figure, or a total or rate taken apart."""

from __future__ import annotations

from typing import Any

from flows.opened import open_ledger
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording.explain import explain
from schemas.month import Month

#: The scope where only a figure is named.
_COUNTY = "合计"


def explain_figure(home: Home, month: Month, item: str, field: str | None) -> tuple[str, dict[str, Any]]:
    """The chain behind one cell, or what a total, a rate or a count is made of, as Chinese text and
    as JSON-able values. Without `field` it is `item` that names the figure, over the county.

    Raises UsageError for unknown names.
    """
    from ledger.reporting.breakdown import explain_total

    with open_ledger(home) as ledger:
        ledger.catch_up()
        if field is None:
            if item.strip() in ledger.view(month).plan.by_id:
                raise UsageError(f"请在 {item} 后面写明字段，如 fiscal_paid_cum、支付率。")
            item, field = _COUNTY, item
        total = explain_total(ledger, month, item, field)
        if total is not None:
            return total.text(), total.as_json()
        chain = explain(ledger, month, item, field)
    return chain.text(), chain.as_json()
