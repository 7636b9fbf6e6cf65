"""`ledger rebuild`: the ledger again, from data/raw alone."""

from __future__ import annotations

from typing import Any

from ledger.recording.rebuild import rebuild, verify

from ledger.home import Home
from ledger.registry import Registry


def rebuild_ledger(home: Home, verify_only: bool) -> dict[str, Any]:
    """Rebuild, or rebuild beside and compare. `differences` is empty where all is the same."""
    registry = Registry.load(home)
    outcome = verify(home, registry) if verify_only else rebuild(home, registry)
    return {"lines": outcome.lines, "differences": outcome.differences, "counts": outcome.counts}
