"""`ledger remind`: the marked workbook back to the unit that sent it, a reminder to those missing.

Each kind at most once a day to a recipient; reminders stop when the unit has reported. A unit that
nobody can be written to for is named: somebody telephones.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.delivering import Delivered, deliver_waiting, tidy
from ledger.calendar import deadline, now
from ledger.checking.model import Checked, Verdict
from ledger.home import Home
from ledger.recipients import Gets, Recipient, load_recipients
from ledger.recording.ledger import Ledger
from ledger.recording.model import UnitStanding
from ledger.recording.month_lock import hold_sending
from ledger.recording.originals import Originals
from ledger.recording.outbox import Kind, Mail, State
from ledger.registry import Registry
from ledger.reporting.texts import clip, shown
from ledger.sending.letters import Letter, Office, due_text, short_day, write
from ledger.sending.queue import Attachment, Draft, Outbox, Queued, mails
from ledger.settings import Settings
from schemas.finding import Severity
from schemas.month import Month

#: So many findings of a file are told in the mail; its workbook tells all.
_TOLD = 6
_LONGEST_LINE = 160
_SILENT_STATES = ("missing", "returned")
_VERDICTS = {
    Verdict.RETURNED: "没有数字入台帐",
    Verdict.IN_PART: "部分入台帐，标明“退回”的没有入台帐",
    Verdict.ACCEPTED: "数字均已入台帐",
}


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Reminded:
    """What reminding came to. `to_telephone`: units that owe a report, or a mended one, and have
    nobody on the list who gets such mails."""

    month: Month
    queued: list[Queued]
    delivered: Delivered
    to_telephone: list[str]

    @property
    def all_done(self) -> bool:
        return self.delivered.all_done

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.month),
            "queued": [one.as_json() for one in self.queued],
            **self.delivered.as_json(),
            "to_telephone": self.to_telephone,
        }


def remind_month(home: Home, month: Month, *, progress: Any = _silent) -> Reminded:
    """Queue and deliver the month's returns and reminders, with whatever else of it still waits.

    Raises UsageError where the year has no plan, Busy where another program sends this month.
    """
    registry = Registry.load(home)
    with hold_sending(home, month), Ledger.open(home, registry) as ledger:
        progress("退回、催报")
        queued = [*_queue_returns(ledger, month), *_queue_reminders(ledger, month)]
        tidy(ledger, month)
        delivered = deliver_waiting(home, ledger, month, progress)
        return Reminded(month, queued, delivered, _to_telephone(ledger, month))


# --- reminders


def queue_reminders(home: Home, month: Month) -> list[Queued]:
    """Queue today's reminder to every unit that has not reported, or whose report went back whole."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        return _queue_reminders(ledger, month)


def _queue_reminders(ledger: Ledger, month: Month) -> list[Queued]:
    ledger.catch_up()
    registry, home = ledger.registry, ledger.home
    today = now().date()
    owing = _owing(ledger, month)
    told_today = {m.unit_code for m in mails(ledger, month, [Kind.RETURN]) if m.day == today.isoformat()}
    for code in told_today:
        # its workbook goes back today; that is reminder enough
        owing.pop(code, None)
    outbox = Outbox(home, Settings.load(home).smtp, now())
    drafts = [
        Draft(
            Kind.REMINDER,
            month,
            one,
            _reminder(registry, month, one, owing[one.unit_code], today),
            day=today.isoformat(),
        )
        for one in load_recipients(home, registry)
        if Gets.REMINDER in one.gets and one.unit_code in owing
    ]
    return outbox.queue(ledger, drafts)


def _owing(ledger: Ledger, month: Month) -> dict[str | None, UnitStanding]:
    """The units that have not reported or must report again, by code."""
    return {unit.unit_code: unit for unit in ledger.view(month).standings if unit.state in _SILENT_STATES}


def _to_telephone(ledger: Ledger, month: Month) -> list[str]:
    written_to = {
        one.unit_code for one in load_recipients(ledger.home, ledger.registry) if Gets.REMINDER in one.gets
    }
    names = ledger.registry.names
    return [names[code] for code in _owing(ledger, month) if code is not None and code not in written_to]


def _reminder(registry: Registry, month: Month, to: Recipient, unit: UnitStanding, today: date) -> Letter:
    due = deadline(month, registry.deadline_day).day
    return write(
        "reminder",
        Office.of(registry),
        today,
        name=to.name,
        month=month.chinese,
        due=due_text(due),
        due_short=short_day(due),
        late=max((today - due).days, 0),
        left=max((due - today).days, 0),
        over=today > month.last_day,
        returned=unit.state == "returned",
    )


# --- returns


def queue_returns(home: Home, month: Month) -> list[Queued]:
    """Queue what goes back: to each unit's recipients the marked workbooks they have not had yet."""
    with Ledger.open(home, Registry.load(home)) as ledger:
        return _queue_returns(ledger, month)


def _queue_returns(ledger: Ledger, month: Month) -> list[Queued]:
    from ledger.returning.marks import lines

    ledger.catch_up()
    registry, home = ledger.registry, ledger.home
    today = now().date()
    due = [(checked, path) for checked, path in ledger.returns_due(month) if lines(checked)]
    found = mails(ledger, month, [Kind.RETURN])
    outbox = Outbox(home, Settings.load(home).smtp, now())
    known = {mail.message_id for mail in found}
    drafts = []
    for one in load_recipients(home, registry):
        if Gets.RETURN not in one.gets:
            continue
        if outbox.message_id(Kind.RETURN, month, today.isoformat(), one.key) in known:
            continue
        told = _told(found, one.key)
        mine = [
            (checked, path)
            for checked, path in due
            if checked.submission.unit_code == one.unit_code and checked.told_as not in told
        ]
        if mine:
            drafts.append(_return_draft(home, registry, month, one, mine, today))
    return outbox.queue(ledger, drafts)


def _told(found: Sequence[Mail], key: str) -> set[str]:
    """What a recipient was, or is about to be, told about (Checked.told_as)."""
    return {
        about
        for mail in found
        if mail.recipient_key == key and (mail.state is not State.DROPPED or mail.doubtful)
        for about in mail.about
    }


def _return_draft(
    home: Home,
    registry: Registry,
    month: Month,
    to: Recipient,
    mine: Sequence[tuple[Checked, Path]],
    today: date,
) -> Draft:
    due = deadline(month, registry.deadline_day).day
    letter = write(
        "return",
        Office.of(registry),
        today,
        name=to.name,
        month=month.chinese,
        returned=any(checked.verdict is not Verdict.ACCEPTED for checked, _ in mine),
        files=[_file_told(checked) for checked, _ in mine],
        due=due_text(due) if today <= due else "",
    )
    return Draft(
        Kind.RETURN,
        month,
        to,
        letter,
        tuple(_marked(home, registry, mine)),
        day=today.isoformat(),
        about=tuple(dict.fromkeys(checked.told_as for checked, _ in mine)),
    )


def _marked(home: Home, registry: Registry, mine: Sequence[tuple[Checked, Path]]) -> Iterator[Attachment]:
    """The marked workbooks, kept among the originals, under the names they have in the month's
    folder."""
    from ledger.returning.returns import return_stem, write_return

    originals = Originals(home.originals)
    names = Counter(return_stem(registry, checked) for checked, _ in mine)
    with tempfile.TemporaryDirectory(prefix="returns-") as folder:
        for checked, original in mine:
            apart = names[return_stem(registry, checked)] > 1
            for path in write_return(home, registry, checked, original, Path(folder), hash_in_name=apart):
                kept = originals.keep(path)
                yield Attachment(path.name, kept.sha256, kept.ext)


def _file_told(checked: Checked) -> dict[str, Any]:
    """A file in the letter: its name, how many findings, the first of them."""
    from ledger.returning.marks import lines

    listed = [line.finding for line in lines(checked)]
    errors = sum(found.severity is Severity.ERROR for found in listed)
    counts = [f"错误{errors}处"] if errors else []
    counts += [f"提示{len(listed) - errors}处"] if len(listed) > errors else []
    told = [clip(shown(found.message), _LONGEST_LINE) for found in listed[:_TOLD]]
    return {
        "name": shown(checked.submission.file),
        "counts": "、".join(counts),
        "verdict": _VERDICTS[checked.verdict],
        "lines": told,
        "more": max(len(listed) - _TOLD, 0),
    }
