"""The journal's last event as it was last seen: the witness of a file missing at the end.

A chain proves what stands inside it, not that its end is the end. The ledger knows the last event
that it applied, and not those about the journal itself (digest, registry), which stand last after
every run. So their number and hash are kept beside the ledger. It is written after the event and
may lie behind it, never ahead; where ``data/processed`` was deleted there is no witness.
"""

from __future__ import annotations

import contextlib
import os

from ledger.errors import Damaged
from ledger.home import Home
from ledger.recording.journal import Journal


def note_head(home: Home, journal: Journal) -> None:
    """Keep the number and hash of the last event; the caller holds the ledger."""
    seq = journal.last_seq()
    aside = home.journal_head.with_name(f"{home.journal_head.name}.aside-{os.getpid()}")
    # a witness that can't be written (full disk) is an older one, which proves less and nothing wrong
    with contextlib.suppress(OSError):
        try:
            home.processed.mkdir(parents=True, exist_ok=True)
            aside.write_text(f"{seq} {journal.sha256_of(seq) or '-'}\n", encoding="ascii")
            aside.replace(home.journal_head)
        finally:
            aside.unlink(missing_ok=True)


def missing_end(home: Home, journal: Journal) -> tuple[str, str] | None:
    """What is wrong with the journal's end and with which event, None where nothing is."""
    try:
        text = home.journal_head.read_text(encoding="ascii", errors="replace")
        number, sha256 = text.split()
        seq = int(number)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    names = journal.names()
    if seq > len(names):
        return f"日志缺少第 {len(names) + 1} 号起的事件：上次写到第 {seq} 号", ""
    if seq and journal.sha256_of(seq) != sha256:
        return f"日志 {names[seq - 1]} 与写入时不同：文件被改动过", names[seq - 1]
    return None


def require_end(home: Home, journal: Journal) -> None:
    """Raise Damaged where the journal's end is missing or changed: nothing may be written behind it."""
    wrong = missing_end(home, journal)
    if wrong is not None:
        raise Damaged(
            f"{wrong[0]}。请从备份恢复 data/raw/journal；没有备份、愿意舍弃缺少的事件的，"
            "运行 ledger rebuild --accept-loss。"
        )
