"""How what was received came in, and what came and was not received: from the journal's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.calendar import moment_text
from ledger.home import Home
from ledger.recording import events, tables
from ledger.recording.database import reading
from ledger.recording.journal import Journal
from schemas.month import Month

if TYPE_CHECKING:
    from ledger.recording.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Way:
    """How a file came in. `source` as its event has it; `uid` and `sender` (a recipient's key) of
    the mail it came with; `within` the originals of the mail and archive it was in, by file name."""

    source: str
    uid: int | None
    sender: str | None
    within: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"source": self.source, "uid": self.uid, "sender": self.sender, "within": dict(self.within)}

    def text(self) -> str:
        """One Chinese line; blank for a file that was put into a drop folder or named by hand."""
        match self.source:
            case "mail":
                came = f"邮件（邮箱内编号 UID {self.uid}，发件人登记代号 {self.sender}）"
            case "inbox":
                came = "收件文件夹 data/raw/inbox"
            case _:
                return ""
        kept = "、".join(f"{name}（原件 {sha256[:12]}…）" for name, sha256 in self.within.items())
        return f"来路：{came}" + (f"，在 {kept} 之中" if kept else "")


def way_of(home: Home, engine: Engine, sha256: str, received_at: datetime) -> Way | None:
    """How the file of a receipt came in; None where no such receipt is known."""
    got = tables.receipts
    query = sa.select(got.c.event_seq).where(got.c.sha256 == sha256, got.c.received_at == received_at)
    with reading(engine) as connection:
        seq = connection.scalar(query.order_by(got.c.event_seq).limit(1))
    journal = Journal(home.journal)
    names = journal.names()
    if seq is None or seq > len(names):
        return None
    payload = journal.event(names[seq - 1]).payload
    mail = payload.get("mail") or {}
    return Way(str(payload["source"]), mail.get("uid"), mail.get("from"), payload.get(events.WITHIN) or {})


def set_aside_for(ledger: Ledger, month: Month, as_of: datetime | None = None) -> list[dict[str, Any]]:
    """What came while `month` was due, in the calendar month after it, and was not received; as of
    a moment."""
    out = tables.outgoing
    query = sa.select(out.c.payload, out.c.at).where(out.c.kind == events.SET_ASIDE).order_by(out.c.event_seq)
    with reading(ledger.engine) as connection:
        lines = connection.execute(query).all()
    return [
        {
            "file": payload["file_name"],
            "why": payload["why"],
            "at": moment_text(line.at),
            "source": payload["source"],
            "kept": payload["kept"],
        }
        for line in lines
        if Month.of(line.at.date()).plus(-1) == month and (as_of is None or line.at <= as_of)
        for payload in [json.loads(line.payload)]
    ]
