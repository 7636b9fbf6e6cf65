"""What has been taken in already, from the journal; how the files lay, from the last look.

``data/processed/fetched.json`` spares a look from reading the whole journal and every file again.
It is worked out anew from the journal where it is lost or belongs to another one.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ledger.home import Home
from ledger.recording import events
from ledger.recording.journal import Journal

INBOX, MAIL = "inbox", "mail"
_FILE = "fetched.json"
_ASIDE = f"-{events.SET_ASIDE}.json"
_KINDS = (f"-{events.RECEIVED}.json", _ASIDE)


@dataclass
class Memory:
    """`upto` and `sha256` name the last event that is in it.

    `inbox` has the hash last taken in under each name; `lay` the size and times of each file that
    was wholly taken in; `attachments` what came by mail (see `attachment_key`); `mailboxes` by
    mailbox its UIDVALIDITY and the last UID of which all is journaled, `looked` the same with mails
    in which there was nothing to journal; `breaks` the UIDVALIDITY and UID at which the connection
    last broke and how often it did.
    """

    upto: int = 0
    sha256: str | None = None
    inbox: dict[str, str] = field(default_factory=dict)
    attachments: dict[str, int] = field(default_factory=dict)
    mailboxes: dict[str, list[int]] = field(default_factory=dict)
    lay: dict[str, list[int]] = field(default_factory=dict)
    looked: dict[str, list[int]] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def load(cls, home: Home) -> Memory:
        """What is known now, the journal's newest events included. Raises Damaged where it is."""
        journal = Journal(home.journal)
        memory = cls._stored(home.processed / _FILE)
        if memory.upto and journal.sha256_of(memory.upto) != memory.sha256:
            memory = cls()
        memory._catch_up(journal)
        return memory

    @classmethod
    def _stored(cls, path: Path) -> Memory:
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def _catch_up(self, journal: Journal) -> None:
        names = journal.names()
        for name in names[self.upto :]:
            if name.endswith(_KINDS):
                self._note(journal.event(name).payload, aside=name.endswith(_ASIDE))
        self.upto = len(names)
        self.sha256 = journal.sha256_of(self.upto)

    def save(self, home: Home) -> None:
        """Keep it for the next look, what was journaled meanwhile included, in one step; lost in a
        power failure it is worked out again."""
        self._catch_up(Journal(home.journal))
        home.processed.mkdir(parents=True, exist_ok=True)
        aside = home.processed / f"{_FILE}.new-{os.getpid()}"
        try:
            aside.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")
            aside.replace(home.processed / _FILE)
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()

    def _note(self, payload: Mapping[str, Any], *, aside: bool) -> None:
        sha256 = payload.get("sha256") or ""
        if payload.get("source") == INBOX:
            self.inbox[payload["file_name"]] = sha256
        elif payload.get("source") == MAIL:
            mail = payload["mail"]
            key = attachment_key(mail["message"], payload["file_name"], sha256, aside=aside)
            self.attachments[key] = 1
            if mail["last"]:
                note_place(self.mailboxes, mail["mailbox"], mail["uidvalidity"], mail["uid"])

    def broke_at(self, mailbox: str, uidvalidity: int, uid: int) -> int:
        """How often the connection broke at this mail, at the last looks in a row."""
        last = self.breaks.get(mailbox)
        return last[2] if last is not None and last[:2] == [uidvalidity, uid] else 0

    def seen(self, mailbox: str, uidvalidity: int) -> int:
        """The last UID of a mailbox that need not be looked at again; 0 where all must be."""
        places = (self.mailboxes.get(mailbox), self.looked.get(mailbox))
        return max((place[1] for place in places if place and place[0] == uidvalidity), default=0)


def attachment_key(message: str, name: str, sha256: str, *, aside: bool) -> str:
    """What an attachment is known by, in whatever folder its mail turns up again. One that was set
    aside is received when its mail comes up again after its sender was registered."""
    return f"{'-' if aside else '+'}{message[:32]}:{sha256[:32] or name}"


def note_place(places: dict[str, list[int]], mailbox: str, uidvalidity: int, uid: int) -> None:
    """Note that a mailbox was taken in up to `uid`; another UIDVALIDITY begins anew."""
    before = places.get(mailbox)
    if before is not None and before[0] == uidvalidity:
        uid = max(uid, before[1])
    places[mailbox] = [uidvalidity, uid]
