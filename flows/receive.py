"""`ledger receive`: record files as received. Nothing is judged here; the run does that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.announce import Event, announce
from ledger import logs
from ledger.calendar import moment_text
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.month import Month


def receive_files(
    home: Home, files: Sequence[Path], at: datetime | None, month: Month | None
) -> list[dict[str, Any]]:
    """Keep the originals and journal the receipts; what was recorded, in the order given."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        received = ledger.receive(files, at, month)
    logs.note(files=len(received), seen_before=sum(one.seen_before for one in received))
    announce(home, Event.RECEIVED, month, files=len(received))
    return [
        {
            "file": one.file_name,
            "sha256": one.sha256,
            "received_at": moment_text(one.received_at),
            "seen_before": one.seen_before,
        }
        for one in received
    ]
