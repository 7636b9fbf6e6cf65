"""Delivering: each mail of the outbox to the mail server, or into the outbox folder.

Journaled before the dialogue and right after the server's word: a program that is stopped in
between leaves a mail of which nobody knows whether it arrived. It is sent again, the same bytes
under the same Message-ID, as RFC 5321 has it; the record says so.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ledger.calendar import moment_text, now
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import events
from ledger.recording.journal import Journal, sync_folder
from ledger.recording.originals import Originals
from ledger.recording.outbox import Kind, Mail, State
from ledger.sending.message import Sender, build
from ledger.sending.server import Answer, MailServer, Unusable
from ledger.settings import Smtp
from schemas.month import Month

_FORBIDDEN_IN_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*\s]+')
_LONGEST_NAME = 30
_PLAIN_KEY = re.compile(r"[\w-]{1,40}")
_KIND_NAMES = {Kind.EDITION: "月报", Kind.FORMS: "预填表", Kind.RETURN: "退回", Kind.REMINDER: "催报"}
_LEFT = ".part"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one mail: `state` sent, written, deferred, refused or uncertain; `detail` the
    server's words or ours. `doubtful` where an earlier try may have arrived too; `broken` where the
    connection was lost with it."""

    message_id: str
    kind: str
    recipient_key: str
    name: str
    unit_code: str | None
    edition: int | None
    state: str
    detail: str
    doubtful: bool = False
    broken: bool = False

    @property
    def done(self) -> bool:
        return self.state in (State.SENT, State.WRITTEN)

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "kind": self.kind,
            "recipient_key": self.recipient_key,
            "name": self.name,
            "unit_code": self.unit_code,
            "edition": self.edition,
            "state": self.state,
            "detail": self.detail,
            "doubtful": self.doubtful,
        }


class Post:
    """Delivers the mails of one home, over one connection as long as it holds.

    Raises UsageError where the settings name a server and no sender. A context manager: the leave
    is taken at its end, when all is on record.
    """

    def __init__(self, home: Home, settings: Smtp, office: str) -> None:
        self._home = home
        self._settings = settings
        self._journal = Journal(home.journal)
        self._originals = Originals(home.originals)
        self._sender = Sender.of(settings.sender, settings.reply_to, office)
        if settings.set and not settings.sender:
            raise UsageError("设了邮件服务器，没有设发件人。请在 ledger.toml 的 [smtp] 中写明 sender。")
        self._server = MailServer(settings, self._sender.domain)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def deliver(self, mail: Mail) -> Delivery:
        """Deliver a waiting mail and journal what came of it.

        Raises Unusable, and the mail waits on, where the server takes none at all; Damaged where an
        attachment is gone; LedgerError where the journal can't be written.
        """
        payload = self._journal.event(f"{mail.queued_seq:06d}-{events.MAIL_QUEUED}.json").payload
        by_mail = self._settings.set
        data = build(payload, mail.address, self._sender, self._originals.read, unsent=not by_mail)
        return self._send(mail, data) if by_mail else self._write(mail, data)

    def _send(self, mail: Mail, data: bytes) -> Delivery:
        self._server.open()
        self._note(events.MAIL_ATTEMPTED, mail, {})
        with self._journal.room() as give_free:  # so that a disk that fills up now loses no word
            try:
                answer = self._server.send(self._sender.address, mail.address, data)
            except Unusable as problem:
                give_free()
                self._failed(mail, Answer(State.DEFERRED, 0, problem.message))
                raise
            give_free()
            if answer.state is not State.SENT:
                return self._failed(mail, answer)
            said = f"{answer.code} {answer.text}".strip()
            self._note(events.SENT, mail, {"via": "smtp", "detail": said})
            return _delivery(mail, State.SENT, said)

    def _failed(self, mail: Mail, answer: Answer) -> Delivery:
        said = f"{answer.code} {answer.text}".strip() if answer.code else answer.text
        self._note(
            events.MAIL_FAILED,
            mail,
            {
                "code": answer.code,
                "detail": said,
                "permanent": answer.state is State.REFUSED,
                "uncertain": answer.state is State.UNCERTAIN,
            },
        )
        return _delivery(mail, answer.state, said, broken=not self._server.is_open)

    def _write(self, mail: Mail, data: bytes) -> Delivery:
        self._note(events.MAIL_ATTEMPTED, mail, {})
        folder = self._home.outbox(mail.month)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(mail)
        half = path.with_name(f".{path.name}{_LEFT}")
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        sync_folder(folder)
        self._note(events.SENT, mail, {"via": "file", "detail": path.name})
        return _delivery(mail, State.WRITTEN, self._home.relative(path))

    def _note(self, kind: str, mail: Mail, given: dict[str, Any]) -> None:
        self._journal.append(kind, {"message_id": mail.message_id, "at": moment_text(now()), **given})


def _delivery(mail: Mail, state: State, detail: str, *, broken: bool = False) -> Delivery:
    return Delivery(
        mail.message_id,
        mail.kind.value,
        mail.recipient_key,
        mail.recipient_name,
        mail.unit_code,
        mail.edition,
        state.value,
        detail,
        # a try whose end nobody knows came before this one
        mail.doubtful or mail.state in (State.ATTEMPTED, State.UNCERTAIN),
        broken,
    )


def file_name(mail: Mail) -> str:
    """``月报第1版_县委_xianwei.eml``: what, to whom, and the recipient's key, which is his alone."""
    what = _KIND_NAMES[mail.kind]
    if mail.edition is not None:
        what += f"第{mail.edition}版"
    if mail.day is not None:
        what += f"_{mail.day}"
    name = _FORBIDDEN_IN_NAME.sub("_", mail.recipient_name)[:_LONGEST_NAME]
    key = mail.recipient_key
    if not _PLAIN_KEY.fullmatch(key):
        key = mail.message_id.rpartition(".")[2]
    return f"{what}_{name}_{key}.eml"


def clear_unfinished(home: Home, month: Month) -> None:
    """Remove what a stopped program left half written; only while the sending is held."""
    folder = home.outbox(month)
    for path in folder.glob(f".*{_LEFT}") if folder.is_dir() else ():
        path.unlink(missing_ok=True)
