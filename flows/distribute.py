"""`ledger send`: an approved edition to everyone who gets it, once; and the prefilled forms.

First every mail is queued, whole, in the journal; then the mails that wait are delivered. Each step
can be called by itself (`queue_edition`, `pending`, `deliver`) and repeated at will.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows import forms
from flows.delivering import Delivered, deliver, deliver_waiting, pending, tidy
from ledger import notices
from ledger.calendar import SHANGHAI, deadline, now
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recipients import OF_AN_EDITION, Gets, Recipient, load_recipients
from ledger.recording.editions import due_in_year, frozen, issued, registry_of, unfinished
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.month_lock import hold_sending
from ledger.recording.originals import Originals, extension
from ledger.recording.outbox import Kind, Mail, State
from ledger.recording.wishes import settle_wish
from ledger.registry import Registry
from ledger.sending.letters import Letter, Office, day_text, due_text, short_day, write
from ledger.sending.post import Delivery
from ledger.sending.queue import Attachment, Draft, Outbox, Queued, mails
from ledger.settings import Settings
from schemas.month import Month

__all__ = ["deliver", "pending", "queue_edition", "queue_forms", "send_forms", "send_month"]

_FORBIDDEN_IN_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
#: So many changes are told in a mail; the report tells all.
_TOLD = 12


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sending came to. `edition` None for forms and reminders; `still_refused`: those of the
    edition whom the server refused before; `unlisted`: holders of an earlier edition who are no
    longer on the list and are not told of this one."""

    month: Month
    edition: int | None
    queued: list[Queued]
    delivered: Delivered
    still_refused: list[Delivery]
    unlisted: list[str]

    @property
    def all_done(self) -> bool:
        return self.delivered.all_done and not self.still_refused

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.month),
            "edition": self.edition,
            "queued": [one.as_json() for one in self.queued],
            **self.delivered.as_json(),
            "still_refused": [one.as_json() for one in self.still_refused],
            "unlisted": self.unlisted,
        }


def send_month(
    home: Home,
    month: Month,
    edition: int | None = None,
    *,
    retry_refused: bool = False,
    progress: Any = _silent,
) -> Sent:
    """Send the month's last edition to everyone who gets it and has not got it, with whatever else
    of the month still waits.

    Raises UsageError where nothing is approved, or a newer edition than `edition` is; Busy where
    another program sends this month.
    """
    from flows.delivering import standing

    registry = Registry.load(home)
    with hold_sending(home, month), Ledger.open(home, registry) as ledger:
        progress("排入发送")
        number = _the_edition(ledger, month, edition).number
        queued = _queue_edition(ledger, month, number)
        settle_wish(ledger, month, number)
        tidy(ledger, month, retry_refused=retry_refused)
        before = {mail.message_id: mail for mail in mails(ledger, month)}
        delivered = deliver_waiting(home, ledger, month, progress)
        refused = [m for m in before.values() if m.state is State.REFUSED and m.edition == number]
        return Sent(
            month,
            number,
            queued,
            delivered,
            [standing(mail) for mail in refused],
            _unlisted(ledger, before.values(), number),
        )


def queue_edition(home: Home, month: Month, edition: int | None = None) -> list[Queued]:
    """Queue the month's last edition for everyone who gets it and for all who hold an earlier one;
    what was not queued before. Raises UsageError like `send_month`."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        return _queue_edition(ledger, month, _the_edition(ledger, month, edition).number)


def _the_edition(ledger: Ledger, month: Month, number: int | None) -> Edition:
    """The edition that may be sent: the last one issued."""
    ledger.catch_up()
    editions = issued(ledger, month)
    if unfinished(ledger, month) is not None:
        raise UsageError(
            f"{month.chinese}月报已批准，还没有出完。请再运行一次 ledger approve {month} --by 姓名，然后发送。"
        )
    if not editions:
        raise UsageError(
            f"{month.chinese}月报还没有签发，不能发送。请先运行 ledger run {month}，看过草稿再运行 "
            f"ledger approve {month} --by 姓名。"
        )
    last = editions[-1]
    if number is not None and number != last.number:
        known = any(one.number == number for one in editions)
        raise UsageError(
            f"{month.chinese}月报已有第{last.number}版，请发第{last.number}版：ledger send {month}。"
            if known
            else f"{month.chinese}月报没有第{number}版，最后签发的是第{last.number}版。"
        )
    if f"{month}第{last.number + 1}版" in due_in_year(ledger, month.year):
        notices.tell(
            f"{month.chinese}月报签发后又有更正，应出第{last.number + 1}版；这次发的是第{last.number}版。"
        )
    return last


def _queue_edition(ledger: Ledger, month: Month, number: int) -> list[Queued]:
    registry, home = ledger.registry, ledger.home
    edition = next(one for one in issued(ledger, month) if one.number == number)
    listed = load_recipients(home, registry)
    found = mails(ledger, month, [Kind.EDITION])
    outbox = Outbox(home, Settings.load(home).smtp, now())
    known = {mail.message_id for mail in found}
    office = Office.of(registry)
    names = registry_of(home, edition).names
    changes: dict[int, tuple[list[str], int]] = {}
    drafts = []
    for recipient in listed:
        if outbox.message_id(Kind.EDITION, month, number, recipient.key) in known:
            continue
        holds = _held(found, recipient.key, number)
        files = files_for(edition, recipient, names, holds)
        if not files:
            continue
        if holds and holds not in changes:
            changes[holds] = _changes_since(ledger, edition, holds)
        drafts.append(_edition_draft(edition, recipient, office, files, holds, changes.get(holds, ([], 0))))
    return outbox.queue(ledger, drafts)


def _held(found: Sequence[Mail], key: str, number: int) -> int:
    """The last edition before `number` that a recipient holds, or may; 0 where none."""
    return max(
        (
            mail.edition
            for mail in found
            if mail.recipient_key == key and mail.held and mail.edition is not None and mail.edition < number
        ),
        default=0,
    )


def _unlisted(ledger: Ledger, found: Any, number: int) -> list[str]:
    """The names of those who hold an earlier edition and are no longer on the list."""
    keys = {one.key for one in load_recipients(ledger.home, ledger.registry)}
    return sorted(
        {
            mail.recipient_name
            for mail in found
            if mail.held
            and mail.edition is not None
            and mail.edition < number
            and mail.recipient_key not in keys
        }
    )


def files_for(
    edition: Edition, recipient: Recipient, names: Mapping[str, str], holds: int
) -> tuple[Attachment, ...]:
    """What a recipient gets of an edition, the report first. Who holds an earlier edition and gets
    none any more by the list gets the report, which tells what is replaced."""
    wanted = recipient.gets & OF_AN_EDITION
    if not wanted and holds:
        wanted = frozenset({Gets.UNIT_REPORT if recipient.unit_code else Gets.REPORT})
    mark = f"{edition.month}-第{edition.number}版"
    unit = _FORBIDDEN_IN_NAME.sub("_", names.get(recipient.unit_code or "", ""))
    name_of = {
        Gets.REPORT: f"月报-{mark}.pdf",
        Gets.BRIEF: f"一页纸-{mark}.pdf",
        Gets.UNIT_REPORT: f"单位/月报-{edition.month}-{unit}-第{edition.number}版.pdf",
        Gets.DATA: f"月报-{mark}.xlsx",
    }
    return tuple(
        Attachment(name.rpartition("/")[2], edition.files[name], extension(name))
        for gets, name in name_of.items()
        if gets in wanted and name in edition.files
    )


def _edition_draft(
    edition: Edition,
    recipient: Recipient,
    office: Office,
    files: tuple[Attachment, ...],
    holds: int,
    changes: tuple[list[str], int],
) -> Draft:
    letter = write(
        "edition",
        office,
        now().date(),
        name=recipient.name,
        month=edition.month.chinese,
        edition=edition.number,
        replaces=holds or None,
        changes=changes[0],
        more_changes=changes[1],
        approved=day_text(edition.at.astimezone(SHANGHAI).date()),
        of_unit=recipient.unit_code is not None,
        files=[one.name for one in files],
    )
    return Draft(Kind.EDITION, edition.month, recipient, letter, files, edition=edition.number)


def _changes_since(ledger: Ledger, edition: Edition, holds: int) -> tuple[list[str], int]:
    """What an edition has otherwise than the one held: some lines, and how many more there are."""
    from ledger.reporting.matters import corrections, corrections_intro

    registry = registry_of(ledger.home, edition)
    views = ledger.views_until(edition.month, frozen(edition), registry)
    held = tuple(one for one in views[-1].editions if one.number <= holds)
    views[-1] = replace(views[-1], editions=held)
    found = corrections(views, registry)
    lines = [
        f"{line.unit_name} {line.item_name} {line.month.chinese} {line.column}：{line.old}→{line.new}"
        + (f"（{line.reason}）" if line.reason else "")
        for line in found
    ]
    intro = corrections_intro(views, registry)
    return [*([intro] if intro else []), *lines[:_TOLD]], max(len(lines) - _TOLD, 0)


# --- forms


def queue_forms(home: Home, month: Month) -> list[Queued]:
    """Write the prefilled workbooks of a month and queue each for its unit, once."""
    from ledger.returning.forms import form_name

    registry = Registry.load(home)
    paths = {path.name: path for path in forms.write(home, month)}
    listed = [one for one in load_recipients(home, registry) if Gets.FORMS in one.gets]
    outbox = Outbox(home, Settings.load(home).smtp, now())
    originals = Originals(home.originals)
    office = Office.of(registry)
    with Ledger.open(home, registry) as ledger:
        ledger.catch_up()
        known = {mail.message_id for mail in mails(ledger, month, [Kind.FORMS])}
        drafts = []
        for one in listed:
            path = paths.get(form_name(registry.by_code[one.unit_code or ""], month))
            if path is None or outbox.message_id(Kind.FORMS, month, None, one.key) in known:
                continue
            attached = _attached(originals, path)
            drafts.append(
                Draft(Kind.FORMS, month, one, _forms_letter(registry, office, month, one), (attached,))
            )
        return outbox.queue(ledger, drafts)


def send_forms(home: Home, month: Month, *, progress: Any = _silent) -> Sent:
    """Write, queue and deliver the prefilled workbooks. Raises Busy like `send_month`."""
    registry = Registry.load(home)
    with hold_sending(home, month):
        progress("预填表")
        queued = queue_forms(home, month)
        with Ledger.open(home, registry) as ledger:
            tidy(ledger, month)
            delivered = deliver_waiting(home, ledger, month, progress)
    return Sent(month, None, queued, delivered, [], [])


def _forms_letter(registry: Registry, office: Office, month: Month, to: Recipient) -> Letter:
    due = deadline(month, registry.deadline_day).day
    return write(
        "forms",
        office,
        now().date(),
        name=to.name,
        month=month.chinese,
        due=due_text(due),
        due_short=short_day(due),
    )


def _attached(originals: Originals, path: Path) -> Attachment:
    """Keep a file among the originals and attach it under its own name."""
    kept = originals.keep(path)
    return Attachment(path.name, kept.sha256, kept.ext)
