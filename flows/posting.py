"""Mail as the office's flows send it: what is queued and delivered, told in a state and a sentence.

Plain Python, without Prefect. What is sent and to whom is in flows/distribute.py and flows/remind.py.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.delivering import Delivered, deliver_waiting, pending, tidy
from flows.opened import open_ledger
from ledger.errors import Busy
from ledger.home import Home
from ledger.recording.month_lock import hold_sending
from ledger.recording.wishes import Wish, ever_wished, open_wishes
from ledger.sending.post import Delivery
from schemas.month import Month

Progress = Callable[[str], None]

#: How long what is to be sent at once waits for another sending of its month, in seconds.
_PATIENCE, _PAUSE = 120.0, 1.0
_KINDS = {"edition": "月报", "forms": "预填表", "return": "退回", "reminder": "催报"}
_STATES = {
    "sent": "已发出",
    "written": "已写成邮件文件",
    "deferred": "等待再发",
    "uncertain": "不确定，将再发",
    "refused": "对方拒收",
    "dropped": "已不必发",
}


@dataclass(frozen=True, slots=True)
class Posted:
    """Mails that were dealt with: all of them out, a Chinese sentence, a row each for people."""

    all_done: bool
    sentence: str
    rows: list[dict[str, str]]


def posted(delivered: Delivered, *, still_refused: Sequence[Delivery] = (), note: str = "") -> Posted:
    """What delivering came to. The servers' own words are left out: they may quote an address."""
    dealt = [*delivered.deliveries, *still_refused]
    counts = Counter(_STATES.get(one.state, one.state) for one in dealt)
    told = [f"{word} {count} 封" for word, count in counts.items()] or ["没有要发的邮件"]
    told += [each for each in (delivered.problem, note) if each]
    rows = [
        {
            "收件方": one.name,
            "内容": _KINDS.get(one.kind, one.kind) + (f"第{one.edition}版" if one.edition else ""),
            "情况": _STATES.get(one.state, one.state),
        }
        for one in dealt
    ]
    return Posted(delivered.all_done and not still_refused, "，".join(told), rows)


def send_edition(home: Home, month: Month, retry_refused: bool, progress: Progress) -> Posted:
    """The month's last edition to everyone who has not got it. Raises as `send_month`."""
    from flows.distribute import send_month

    sent = send_month(home, month, retry_refused=retry_refused, progress=progress)
    note = f"名单上已没有、仍持旧版的：{'、'.join(sent.unlisted)}" if sent.unlisted else ""
    return posted(sent.delivered, still_refused=sent.still_refused, note=note)


def send_wished(home: Home, month: Month, progress: Progress) -> Posted | None:
    """What was to be sent as soon as it was signed, and is not wholly queued; None where there is
    nothing of the kind (any more). Waits for whoever sends the month. Raises as `send_edition`."""
    until = time.monotonic() + _PATIENCE
    while wished(home, month):
        try:
            return send_edition(home, month, False, progress)
        except Busy:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
    return None


def wished(home: Home, month: Month | None = None) -> list[Wish]:
    """The editions, of one month or of all, that are still to be sent because their approval said so.
    Raises as `Ledger.catch_up`."""
    if not ever_wished(home):
        return []
    with open_ledger(home) as ledger:
        ledger.catch_up()
        return open_wishes(ledger, month)


def send_forms(home: Home, month: Month, progress: Progress) -> Posted:
    """The prefilled workbooks written and sent. Raises as `flows.distribute.send_forms`."""
    from flows import distribute

    return posted(distribute.send_forms(home, month, progress=progress).delivered)


def remind(home: Home, month: Month, progress: Progress) -> Posted:
    """The month's returns and reminders. Raises as `remind_month`."""
    from flows.remind import remind_month

    reminded = remind_month(home, month, progress=progress)
    note = f"没有登记邮箱，请打电话：{'、'.join(reminded.to_telephone)}" if reminded.to_telephone else ""
    return posted(reminded.delivered, note=note)


def send_back(home: Home, month: Month, progress: Progress) -> Posted:
    """The month's returns alone: every marked workbook to its unit, once. Raises Busy."""
    from flows.remind import queue_returns

    queue_returns(home, month)
    return send_waiting(home, month, progress)


def send_waiting(home: Home, month: Month, progress: Progress) -> Posted:
    """What waits of a month, tried again; nothing is queued. Raises Busy."""
    if not pending(home, month):
        return posted(Delivered([]))
    with hold_sending(home, month), open_ledger(home) as ledger:
        tidy(ledger, month)
        return posted(deliver_waiting(home, ledger, month, progress))
