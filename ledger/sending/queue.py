"""Queueing: who is to get what, as events; each mail once, whatever is queued how often.

A message's id is made of this journal's first event (which is like no other journal's), the kind,
the month, the edition or the day, and the recipient's key. An id that is on record is not queued
again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.calendar import moment_text
from ledger.home import Home
from ledger.recipients import Recipient
from ledger.recording import events
from ledger.recording.database import reading
from ledger.recording.editions import issued
from ledger.recording.journal import Event, Journal
from ledger.recording.ledger import Ledger
from ledger.recording.outbox import SUPERSEDED, WAITING, Kind, Mail, State, mails_of
from ledger.sending.letters import Letter
from ledger.sending.message import Sender
from ledger.settings import Smtp
from schemas.month import Month

Noted = tuple[str, dict[str, object]]
#: Why a mail was left out, as `detail` has it.
NOT_LISTED = "收件人已不在名单中"
_ID_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file among the originals, under the name that the recipient sees."""

    name: str
    sha256: str
    ext: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail about to be queued. `about`: what a return is about (Checked.told_as)."""

    kind: Kind
    month: Month
    recipient: Recipient
    letter: Letter
    attachments: tuple[Attachment, ...] = ()
    edition: int | None = None
    day: str | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queued:
    """A mail in the outbox: to whom, of what."""

    message_id: str
    kind: str
    recipient_key: str
    name: str
    unit_code: str | None
    edition: int | None

    @classmethod
    def of(cls, mail: Mail) -> Queued:
        return cls(
            mail.message_id,
            mail.kind.value,
            mail.recipient_key,
            mail.recipient_name,
            mail.unit_code,
            mail.edition,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "kind": self.kind,
            "recipient_key": self.recipient_key,
            "name": self.name,
            "unit_code": self.unit_code,
            "edition": self.edition,
        }


def mails(ledger: Ledger, month: Month, kinds: Collection[Kind] | None = None) -> tuple[Mail, ...]:
    """The mails of a month as the ledger has them."""
    with reading(ledger.engine) as connection:
        return mails_of(connection, month, kinds)


class Outbox:
    """Queues mails of one home. `moment` is the Date they bear."""

    def __init__(self, home: Home, settings: Smtp, moment: datetime) -> None:
        self._first = Journal(home.journal).sha256_of(1) or ""
        self._domain = Sender.of(settings.sender, "", "").domain
        self._moment = moment

    def message_id(self, kind: Kind, month: Month, what: int | str | None, key: str) -> str:
        """``edition.2018-09.3fa9…``: the part of the Message-ID before the @."""
        words = "\n".join((self._first, kind, str(month), str(what or ""), key))
        return f"{kind}.{month}.{hashlib.sha256(words.encode()).hexdigest()[:_ID_LENGTH]}"

    def queue(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Queued]:
        """Journal those drafts that are not queued yet; what was queued, in order. Pages of an edition
        that was withdrawn meanwhile are left out."""

        def stands(draft: Draft) -> bool:
            if draft.edition is None:
                return True
            files = {
                sha256
                for one in issued(ledger, draft.month)
                if one.number == draft.edition
                for sha256 in one.files.values()
            }
            return files >= {one.sha256 for one in draft.attachments}

        def due() -> list[Noted]:
            known = {mail.message_id for month in {d.month for d in drafts} for mail in mails(ledger, month)}
            payloads = {
                (payload := self._payload(draft))["message_id"]: payload for draft in drafts if stands(draft)
            }
            return [(events.MAIL_QUEUED, one) for key, one in payloads.items() if key not in known]

        return [_queued(event) for event in ledger.note_all(due)] if drafts else []

    def _payload(self, draft: Draft) -> dict[str, Any]:
        recipient = draft.recipient
        what = draft.edition if draft.edition is not None else draft.day
        return {
            "message_id": self.message_id(draft.kind, draft.month, what, recipient.key),
            "domain": self._domain,
            "kind": draft.kind.value,
            "month": str(draft.month),
            "edition": draft.edition,
            "day": draft.day,
            "unit": recipient.unit_code,
            "recipient": {"key": recipient.key, "name": recipient.name, "address": recipient.address},
            "about": list(draft.about),
            "date": moment_text(self._moment),
            "subject": draft.letter.subject,
            "text": draft.letter.text,
            "html": draft.letter.html,
            "attachments": [
                {"name": one.name, "sha256": one.sha256, "ext": one.ext} for one in draft.attachments
            ],
        }


def _queued(event: Event) -> Queued:
    payload = event.payload
    recipient = payload["recipient"]
    return Queued(
        payload["message_id"],
        payload["kind"],
        recipient["key"],
        recipient["name"],
        payload["unit"],
        payload["edition"],
    )


def settle(
    found: Sequence[Mail], listed: Mapping[str, Recipient], *, newest: int | None, retry_refused: bool
) -> list[Noted]:
    """What the list of recipients and a newer edition change for mails that are not delivered:
    those of people no longer listed and of superseded editions are dropped, a new address is tried.

    `newest` is the month's last edition. With `retry_refused` what was refused is tried once more.
    """
    due: list[Noted] = []
    for mail in found:
        if mail.state not in WAITING | {State.REFUSED, State.DROPPED}:
            continue
        recipient = listed.get(mail.recipient_key)
        old = mail.edition is not None and newest is not None and mail.edition < newest
        lasting = mail.kind in (Kind.EDITION, Kind.FORMS)
        if mail.state is State.DROPPED:
            if recipient is not None and lasting and mail.detail == NOT_LISTED and not old:
                due.append(again(mail, recipient.address))
        elif old:
            due.append(drop(mail, SUPERSEDED))
        elif recipient is None:
            due.append(drop(mail, NOT_LISTED))
        elif recipient.address != mail.address or (retry_refused and mail.state is State.REFUSED):
            due.append(again(mail, recipient.address))
    return due


def drop(mail: Mail, why: str) -> Noted:
    """The event that leaves a mail out."""
    return events.MAIL_DROPPED, {"message_id": mail.message_id, "detail": why}


def again(mail: Mail, address: str) -> Noted:
    """The event that lets a mail wait again, for `address`."""
    return events.MAIL_AGAIN, {"message_id": mail.message_id, "address": address}
