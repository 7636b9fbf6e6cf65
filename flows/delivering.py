"""Delivering what waits in the outbox: who waits, one mail, all of a month.

Nothing here raises for what a mail server does: what it would not take waits on, with its words on
record.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from flows.announce import Event, announce
from ledger import logs
from ledger.calendar import now
from ledger.errors import Busy
from ledger.home import Home
from ledger.recipients import load_recipients
from ledger.recording.editions import issued
from ledger.recording.ledger import Ledger
from ledger.recording.month_lock import hold_sending
from ledger.recording.outbox import Kind, Mail, State
from ledger.registry import Registry
from ledger.sending.letters import Office
from ledger.sending.post import Delivery, Post, clear_unfinished
from ledger.sending.queue import Queued, drop, mails, settle
from ledger.sending.server import Unusable
from ledger.settings import Settings
from schemas.month import Month

_LOG = logging.getLogger(__name__)
Progress = Callable[[str], None]
#: After so many broken connections in a row the server is left alone until the next pause.
_MOST_LOST = 3
#: How long `deliver` waits for its turn.
_PATIENCE = 120.0
_PAUSE = 0.2
#: Why a mail was left out, as `detail` has it.
_OUT_OF_DATE = "已过时（单位已报送，或另有新的催报、退回）"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What delivering a month's mails came to. `problem`: why the server could not be used, ''
    where it could."""

    deliveries: list[Delivery]
    problem: str = ""

    @property
    def all_done(self) -> bool:
        return not self.problem and all(one.done for one in self.deliveries)

    def as_json(self) -> dict[str, Any]:
        return {"deliveries": [one.as_json() for one in self.deliveries], "problem": self.problem}


def pending(home: Home, month: Month) -> list[Queued]:
    """The mails of a month that wait to be delivered, those tried least first. What has gone out of
    date, or whose recipient is no longer listed, is dropped first."""
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        tidy(ledger, month)
        return [Queued.of(mail) for mail in waiting(ledger, month)]


def deliver(home: Home, month: Month, message_id: str) -> Delivery:
    """Deliver one waiting mail over a connection of its own; where it is delivered already, say so.

    Two of one month wait for each other. Raises KeyError for an id that was never queued, Busy
    where another program sends for minutes on end.
    """
    registry = Registry.load(home)
    with _turn(home, month), Ledger.open(home, registry) as ledger:
        ledger.catch_up()
        mail = {mail.message_id: mail for mail in mails(ledger, month)}[message_id]
        if not mail.waiting:
            return standing(mail)
        with Post(home, Settings.load(home).smtp, Office.of(registry).name) as post:
            return _one(post, mail)


def deliver_waiting(home: Home, ledger: Ledger, month: Month, progress: Progress) -> Delivered:
    """Deliver all that waits of a month over one connection, what is put off again after growing
    pauses. The caller holds the sending."""
    settings = Settings.load(home).smtp
    clear_unfinished(home, month)
    found: dict[str, Delivery] = {}
    problem = ""
    with Post(home, settings, Office.of(ledger.registry).name) as post:
        for pause in (0.0, *settings.retry_seconds):
            ledger.catch_up()
            left = [
                mail
                for mail in waiting(ledger, month)
                if mail.message_id not in found or found[mail.message_id].state == State.DEFERRED
            ]
            if not left:
                break
            time.sleep(pause)
            try:
                problem = ""
                for done in _pass(post, left, progress):
                    found[done.message_id] = done
            except Unusable as unusable:
                problem = unusable.message
                _LOG.warning("mail server can't be used, passing: %s", unusable.passing)
                if not unusable.passing:
                    break
    ledger.catch_up()
    for mail in waiting(ledger, month):
        if mail.message_id not in found or problem:
            found[mail.message_id] = standing(mail, problem)
    logs.note(
        **{f"mails_{state}": count for state, count in Counter(d.state for d in found.values()).items()}
    )
    _announce(home, month, found.values())
    return Delivered(list(found.values()), problem)


def _announce(home: Home, month: Month, dealt: Iterable[Delivery]) -> None:
    """Tell automations which editions went out, and to how many."""
    out = Counter(one.edition for one in dealt if one.done and one.kind == Kind.EDITION)
    for edition, count in out.items():
        announce(home, Event.SENT, month, edition=edition or 0, mails=count)


def _pass(post: Post, left: Sequence[Mail], progress: Progress) -> Iterator[Delivery]:
    """Each of the mails once; stops where connection after connection breaks."""
    lost = 0
    for mail in left:
        progress(f"{_KINDS[mail.kind]}：{mail.recipient_name}")
        done = post.deliver(mail)
        _log(done)
        yield done
        lost = lost + 1 if done.broken else 0
        if lost == _MOST_LOST:
            return


def _one(post: Post, mail: Mail) -> Delivery:
    try:
        done = post.deliver(mail)
    except Unusable as problem:
        return standing(mail, problem.message)
    _log(done)
    return done


def _log(done: Delivery) -> None:
    _LOG.info("mail %s %s", done.message_id, done.state)


def standing(mail: Mail, problem: str = "") -> Delivery:
    """A mail as it stands; one that waits counts as deferred, for `problem`."""
    state = State.DEFERRED if mail.state is State.QUEUED else mail.state
    return Delivery(
        mail.message_id,
        mail.kind.value,
        mail.recipient_key,
        mail.recipient_name,
        mail.unit_code,
        mail.edition,
        (State.UNCERTAIN if state is State.ATTEMPTED else state).value,
        problem or mail.detail,
        mail.doubtful,
    )


@contextmanager
def _turn(home: Home, month: Month) -> Iterator[None]:
    """Hold the sending of a month, waiting for others to end. Raises Busy after minutes."""
    last = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(hold_sending(home, month))
                break
            except Busy:
                if time.monotonic() >= last:
                    raise
                time.sleep(_PAUSE)
        yield


# --- what waits


def waiting(ledger: Ledger, month: Month) -> list[Mail]:
    """The mails of a month that wait, those tried least first: one that the server always chokes on
    keeps nobody else waiting."""
    return sorted(
        (mail for mail in mails(ledger, month) if mail.waiting), key=lambda one: (one.tries, one.queued_seq)
    )


def tidy(ledger: Ledger, month: Month, *, retry_refused: bool = False) -> None:
    """Journal what has changed for the month's undelivered mails: see `queue.settle`; reminders and
    returns that have gone out of date are dropped."""
    ledger.catch_up()
    listed = {one.key: one for one in load_recipients(ledger.home, ledger.registry)}

    def due() -> list[tuple[str, dict[str, object]]]:
        found = mails(ledger, month)
        old = list(_out_of_date(ledger, month, found))
        # what was refused stays on record as that; out of date, it is not tried again
        gone = {mail.message_id for mail in old}
        editions = issued(ledger, month)
        changes = settle(
            [mail for mail in found if mail.message_id not in gone],
            listed,
            newest=editions[-1].number if editions else None,
            retry_refused=retry_refused,
        )
        return [*(drop(mail, _OUT_OF_DATE) for mail in old if mail.waiting), *changes]

    if any(mail.state not in (State.SENT, State.WRITTEN) for mail in mails(ledger, month)):
        ledger.note_all(due)


def _out_of_date(ledger: Ledger, month: Month, found: Iterable[Mail]) -> Iterator[Mail]:
    """Reminders of another day or to units that have reported since; returns of superseded files."""
    left = [m for m in found if m.waiting or m.state is State.REFUSED]
    left = [mail for mail in left if mail.kind in (Kind.REMINDER, Kind.RETURN)]
    if not left:
        return
    today = now().date().isoformat()
    silent = {
        unit.unit_code for unit in ledger.view(month).standings if unit.state in ("missing", "returned")
    }
    due = {checked.told_as for checked, _ in ledger.returns_due(month)}
    for mail in left:
        if mail.kind is Kind.REMINDER and (mail.day != today or mail.unit_code not in silent):
            yield mail
        if mail.kind is Kind.RETURN and not due & set(mail.about):
            yield mail


_KINDS = {Kind.EDITION: "月报", Kind.FORMS: "预填表", Kind.RETURN: "退回", Kind.REMINDER: "催报"}
