"""`ledger explain`: the chain behind a figure."""

from __future__ import annotations

from typing import Any

from ledger.recording.explain import explain
from ledger.recording.ledger import Ledger

from ledger.home import Home
from ledger.registry import Registry
from schemas.month import Month


def explain_figure(home: Home, month: Month, item: str, field: str) -> tuple[str, dict[str, Any]]:
    """The chain as Chinese text and as JSON-able values. Raises UsageError for unknown names."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.catch_up()
        chain = explain(ledger, month, item, field)
    return chain.text(), chain.as_json()
