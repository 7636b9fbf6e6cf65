"""What came in through inbox and mailbox and has not been sent back yet where it has to be.

A look that is killed after recording a file and before its return is queued would leave the return to
the next morning's run. So what was seen to is noted: ``data/processed/schedule/returned.json`` has
the last event up to which it was. Where the file is gone, it begins anew at the journal's end; the
morning's run sends what was left.
"""

from __future__ import annotations

from collections.abc import Callable

from flows import duties
from flows.opened import open_ledger
from ledger.errors import Busy
from ledger.fetching.memory import INBOX, MAIL
from ledger.home import Home
from ledger.recording.arrived import months_of
from ledger.recording.events import RECEIVED
from ledger.recording.journal import Journal
from schemas.month import Month

_NOTE = "returned.json"


def begin(home: Home) -> int:
    """The last event that was seen to; noted now where it never was. To be asked before a look."""
    seq = duties.read_note(home, _NOTE, lambda noted: int(noted["seq"]))
    if seq is None:
        seq = duties.last_event(home)
        _note(home, seq)
    return seq


def see_to(home: Home, since: int, send: Callable[[Month], object]) -> None:
    """`send` back what came in after event `since`, month by month, and note it as seen to. Where
    another holds the ledger or a month's mails the rest is left for the next look."""
    last = duties.last_event(home)
    if last == since:
        return
    try:
        for month in _months(home, since):
            send(month)
    except Busy:
        return
    _note(home, last)


def _months(home: Home, since: int) -> list[Month]:
    """The months of what came in after event `since`, in order. Raises Busy."""
    seqs = [
        event.seq
        for event in Journal(home.journal).events(since)
        if event.kind == RECEIVED and event.payload.get("source") in (INBOX, MAIL)
    ]
    if not seqs:
        return []
    with open_ledger(home) as ledger:
        ledger.catch_up()
        return sorted(months_of(ledger, seqs))


def _note(home: Home, seq: int) -> None:
    duties.write_note(home, _NOTE, {"seq": seq})
