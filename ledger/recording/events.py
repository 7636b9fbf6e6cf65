"""The kinds of journal events, and a receipt as its event has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.calendar import moment_text, parse_moment
from ledger.errors import Damaged
from ledger.recording.journal import Event
from ledger.recording.originals import extension
from schemas.month import Month

PLAN_REGISTERED = "plan_registered"
RECEIVED = "received"
#: The ledger's digest once all events up to `upto` are applied; what `rebuild --verify` compares.
DIGEST = "digest"
#: The registry from an event on; see ledger.recording.registries.
REGISTRY = "registry"
#: Events about the journal itself, which the ledger's rows do not record.
NOT_APPLIED = (DIGEST, REGISTRY)
APPROVED = "approved"
EDITION_ISSUED = "edition_issued"
#: In an approved event: send the edition as soon as it is issued; see ledger.recording.wishes.
THEN_SEND = "then_send"
#: Every mail of an edition that was to be sent at once is queued.
EDITION_QUEUED = "edition_queued"
#: An approval taken back before anything of its edition was sent.
APPROVAL_WITHDRAWN = "approval_withdrawn"
SENT = "sent"
#: What becomes of a mail: it waits, is tried, got the server's word or not, waits again, is left out.
#: A `sent` that names a message is a mail's.
MAIL_QUEUED = "mail_queued"
MAIL_ATTEMPTED = "mail_attempted"
MAIL_FAILED = "mail_failed"
MAIL_AGAIN = "mail_again"
MAIL_DROPPED = "mail_dropped"
#: Something that came and was not received, with why: no table, an unknown sender.
SET_ASIDE = "set_aside"
#: In a received event: the mail or archive that the file was in, SHA-256 by file name.
WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A file as received. `folder` is the month being filed: the drop folder's, or the one given
    on the command line; None where the file alone must tell."""

    seq: int
    sha256: str
    ext: str
    file_name: str
    received_at: datetime
    folder: Month | None
    event_sha256: str

    @property
    def month_due(self) -> Month:
        """The month a file is about that does not say: the folder's, else the one due then."""
        return self.folder or Month.of(self.received_at.date()).plus(-1)


def originals_of(event: Event) -> list[tuple[str, str]]:
    """(SHA-256, ending) of each original that an event names: the file received with the mail or
    archive it was in, the registry's files, what an edition issued, what is attached to a mail."""
    payload = event.payload
    named = [(payload["sha256"], payload["ext"])] if payload.get("sha256") and payload.get("ext") else []
    if event.kind == MAIL_QUEUED:
        return named + [(one["sha256"], one["ext"]) for one in payload.get("attachments") or ()]
    if event.kind not in (RECEIVED, REGISTRY, APPROVED, EDITION_ISSUED):
        return named
    for key in ("files", "registry", WITHIN):
        named += [(sha256, extension(name)) for name, sha256 in (payload.get(key) or {}).items()]
    return named


def receipt_payload(
    sha256: str, ext: str, file_name: str, received_at: datetime, month: Month | None, source: str
) -> dict[str, str | None]:
    """The payload of a received event. `source` is ``drop``, ``command``, ``inbox`` or ``mail``."""
    return {
        "sha256": sha256,
        "ext": ext,
        "file_name": file_name,
        "received_at": moment_text(received_at),
        "month": None if month is None else str(month),
        "source": source,
    }


def receipt_of(event: Event) -> Receipt:
    """The receipt that an event records. Raises Damaged where its payload is none."""
    payload = event.payload
    try:
        return Receipt(
            seq=event.seq,
            sha256=payload["sha256"],
            ext=payload["ext"],
            file_name=payload["file_name"],
            received_at=parse_moment(payload["received_at"]),
            folder=None if payload["month"] is None else Month.parse(payload["month"]),
            event_sha256=event.sha256,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"日志 {event.name} 的内容不全。请从备份恢复。") from error
