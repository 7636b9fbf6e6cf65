"""`ledger rebuild`: the ledger again, from data/raw alone."""

from __future__ import annotations

from typing import Any

from ledger import logs
from ledger.errors import Damaged
from ledger.home import Home
from ledger.recording.rebuild import Outcome, rebuild, verify
from ledger.registry import Registry


def rebuild_ledger(home: Home, verify_only: bool, accept_loss: bool = False) -> dict[str, Any]:
    """Rebuild, or rebuild beside and compare, issued editions included. `differences` is empty
    where all is the same."""
    registry = Registry.load(home)
    if verify_only:
        outcome = verify(home, registry)
        _compare_editions(home, outcome)
    else:
        outcome = rebuild(home, registry, accept_loss=accept_loss)
    logs.note(differences=len(outcome.differences), **outcome.counts)
    return {"lines": outcome.lines, "differences": outcome.differences, "counts": outcome.counts}


def _compare_editions(home: Home, outcome: Outcome) -> None:
    """Set every issued edition again and compare it with what was issued."""
    from flows.approve import differing_editions

    try:
        count, lines = differing_editions(home)
    except Damaged as damage:
        if not outcome.differences:
            outcome.differences.append(damage.message)
            outcome.lines.append(damage.message)
        return
    if not count:
        return
    outcome.differences += lines
    if lines:
        outcome.lines.append(f"已签发的 {count} 版月报，有 {len(lines)} 处与签发时不同：")
        outcome.lines += [f"  {line}" for line in lines]
        outcome.lines.append(
            "程序换过版本，重出的会不同；签发的文件有存档，ledger run 月份 --edition 版次 可照原样放回。"
        )
    else:
        outcome.lines.append(f"已签发的 {count} 版月报重出一遍，与签发时逐字节相同。")
