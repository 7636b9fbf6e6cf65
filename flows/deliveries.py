"""`ledger status --deliveries`: who holds which edition, and what has not gone out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flows.distribute import files_for
from ledger.calendar import moment_text
from ledger.home import Home
from ledger.recipients import Recipient, load_recipients
from ledger.recording.editions import issued, registry_of
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.outbox import Kind, Mail, State
from ledger.registry import Registry
from ledger.sending.queue import mails
from schemas.month import Month


def month_deliveries(home: Home, month: Month) -> dict[str, Any]:
    """The month's deliveries as JSON-able values.

    `holders`: who holds which edition since when (``certain`` False where the server's word was
    lost), and whether a newer one replaces it; `not_yet`: who gets the last edition by the list and
    does not hold it; `open`: mails that wait, were refused or are uncertain; `mails`: all.
    """
    registry = Registry.load(home)
    with Ledger.open(home, registry) as ledger:
        ledger.catch_up()
        found = mails(ledger, month)
        editions = issued(ledger, month)
    listed = load_recipients(home, registry)
    newest = editions[-1] if editions else None
    holders = list(_holders(found, {one.key for one in listed}, newest.number if newest else None))
    return {
        "month": str(month),
        "editions": [edition.number for edition in editions],
        "holders": holders,
        "superseded": [one["name"] for one in holders if one["superseded"]],
        "not_yet": _not_yet(home, listed, holders, newest) if newest else [],
        "open": [_mail(one) for one in found if one.waiting or one.state is State.REFUSED],
        "mails": [_mail(one) for one in found],
    }


def _holders(found: Sequence[Mail], listed: set[str], newest: int | None) -> Iterable[dict[str, Any]]:
    last: dict[str, Mail] = {}
    for mail in found:
        if mail.kind is Kind.EDITION and mail.held:
            held = last.get(mail.recipient_key)
            if held is None or (mail.edition or 0) > (held.edition or 0):
                last[mail.recipient_key] = mail
    for mail in last.values():
        yield {
            "recipient_key": mail.recipient_key,
            "name": mail.recipient_name,
            "unit_code": mail.unit_code,
            "edition": mail.edition,
            "at": moment_text(mail.at),
            "via": "file" if mail.state is State.WRITTEN else "smtp",
            "certain": mail.state in (State.SENT, State.WRITTEN),
            "doubtful": mail.doubtful,
            "superseded": newest is not None and (mail.edition or 0) < newest,
            "listed": mail.recipient_key in listed,
        }


def _not_yet(
    home: Home, listed: Sequence[Recipient], holders: Sequence[dict[str, Any]], newest: Edition
) -> list[str]:
    """The names of those for whom there is something in the newest edition and who do not hold it."""
    has = {one["recipient_key"] for one in holders if one["edition"] == newest.number and one["certain"]}
    names = registry_of(home, newest).names
    return [one.name for one in listed if one.key not in has and files_for(newest, one, names, 0)]


def _mail(mail: Mail) -> dict[str, Any]:
    return {
        "message_id": mail.message_id,
        "kind": mail.kind.value,
        "edition": mail.edition,
        "day": mail.day,
        "recipient_key": mail.recipient_key,
        "name": mail.recipient_name,
        "unit_code": mail.unit_code,
        "state": mail.state.value,
        "queued_at": moment_text(mail.queued_at),
        "at": moment_text(mail.at),
        "tries": mail.tries,
        "doubtful": mail.doubtful,
        "detail": mail.detail,
    }
