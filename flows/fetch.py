"""`ledger fetch`: what lies in the inbox and what came by mail, received, read and judged once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from flows.announce import Event, announce
from ledger import logs
from ledger.calendar import moment_text
from ledger.checking.model import Checked, Verdict
from ledger.errors import Busy
from ledger.fetching.from_inbox import take_inbox
from ledger.fetching.from_mail import senders, take_mailbox
from ledger.fetching.inbox import SETTLE_SECONDS
from ledger.fetching.memory import Memory
from ledger.fetching.taking import Taken
from ledger.home import Home
from ledger.recipients import load_recipients
from ledger.recording.ledger import Ledger
from ledger.recording.lock import exclusive
from ledger.registry import Registry
from ledger.settings import Settings
from schemas.month import Month

_LOCK = "fetch"
#: Seconds to wait for another look to end.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was received. `unit`, `month` and `verdict` are what was read in it: blank where
    it does not tell, or where it waits for the plan of its year. `sender` is the key of the
    recipient who mailed it; `note` is what people should be told of it."""

    file: str
    sha256: str
    received_at: str
    source: str
    seen_before: bool
    sender: str = ""
    unit: str = ""
    month: str = ""
    verdict: str = ""
    findings_count: int = 0
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "sha256": self.sha256,
            "received_at": self.received_at,
            "source": self.source,
            "seen_before": self.seen_before,
            "sender": self.sender or None,
            "unit": self.unit or None,
            "month": self.month or None,
            "verdict": self.verdict or None,
            "findings_count": self.findings_count,
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class AsideFile:
    """What was not received, and why; `kept` where it is kept (relative), blank in the inbox."""

    file: str
    sha256: str | None
    why: str
    at: str
    source: str
    kept: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "sha256": self.sha256,
            "why": self.why,
            "at": self.at,
            "source": self.source,
            "kept": self.kept,
        }


@dataclass(frozen=True)
class Fetched:
    """What a look at inbox and mailbox brought. `waiting` are files still being written, taken in
    at the next look; `problems` what kept it from looking everywhere, in Chinese."""

    received: list[ReceivedFile] = field(default_factory=list)
    set_aside: list[AsideFile] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def months(self) -> list[str]:
        """The months that something was received for."""
        return sorted({one.month for one in self.received if one.month})

    def as_json(self) -> dict[str, Any]:
        return {
            "received": [one.as_json() for one in self.received],
            "set_aside": [one.as_json() for one in self.set_aside],
            "waiting": self.waiting,
            "problems": self.problems,
        }


def _silent(_: str) -> None:
    return None


def fetch(
    home: Home, *, progress: Callable[[str], None] = _silent, settle: float = SETTLE_SECONDS
) -> Fetched:
    """Receive what is new, then read and judge it. A look that finds nothing new changes nothing.

    `settle` is how many seconds a file must have kept still. A mailbox that can't be read is told
    in `problems`; the inbox is taken in all the same. Raises Busy where another look is going on,
    UsageError where settings or registry can't be used.
    """
    lock = home.locks / _LOCK
    lock.mkdir(parents=True, exist_ok=True)
    with exclusive(lock, "收件箱", wait=PATIENCE):
        registry = Registry.load(home)
        settings = Settings.load(home)
        recipients = load_recipients(home, registry) if settings.imap.set else ()
        memory = Memory.load(home)
        progress("收件文件夹")
        found = take_inbox(home, memory, settle=settle)
        memory.save(home)
        taken = found.taken
        problems = [f"{name} 打不开，没有收；请核对文件的读取权限。" for name in found.unreadable]
        if settings.imap.set:
            progress("收件邮箱")
            mailed = take_mailbox(
                home,
                memory,
                settings.imap,
                senders(recipients),
                registry.first_month.first_day,
                progress=progress,
            )
            memory.save(home)
            taken = taken + mailed.taken
            problems += [mailed.problem] if mailed.problem else []
        fetched = _told(taken, found.moving, problems)
        logs.note(
            received=len(fetched.received), set_aside=len(fetched.set_aside), problems=len(fetched.problems)
        )
        units = {one.key: registry.names.get(one.unit_code or "", "") for one in recipients}
        if fetched.received:
            progress("读取、核对、入账")
            # where the ledger is held for long, what was received is read by the next run
            with suppress(Busy), Ledger.open(home, registry) as ledger:
                fetched = _judged(fetched, ledger.catch_up(), registry)
        _announce(home, fetched)
        return replace(fetched, received=[_noted(one, units) for one in fetched.received])


def _announce(home: Home, fetched: Fetched) -> None:
    for month in fetched.months:
        verdicts = [one.verdict for one in fetched.received if one.month == month]
        announce(home, Event.RECEIVED, Month.parse(month), files=len(verdicts))
        if returned := sum(verdict != Verdict.ACCEPTED for verdict in verdicts):
            announce(home, Event.RETURNED, Month.parse(month), files=returned)


def _told(taken: list[Taken], waiting: list[str], problems: list[str]) -> Fetched:
    received = [
        ReceivedFile(
            one.name,
            one.sha256 or "",
            moment_text(one.received_at),
            one.source,
            one.seen_before,
            str(one.details.get("mail", {}).get("from") or ""),
        )
        for one in taken
        if not one.why
    ]
    aside = [
        AsideFile(
            one.name, one.sha256, one.why, moment_text(one.received_at), one.source, one.details.get("kept")
        )
        for one in taken
        if one.why
    ]
    return Fetched(received, aside, waiting, problems)


def _judged(fetched: Fetched, applied: list[Checked], registry: Registry) -> Fetched:
    """The same with what was read in each file."""
    by_file = {(checked.submission.sha256, checked.submission.file): checked for checked in applied}
    received = [_with(one, by_file.get((one.sha256, one.file)), registry) for one in fetched.received]
    return replace(fetched, received=received)


def _with(one: ReceivedFile, checked: Checked | None, registry: Registry) -> ReceivedFile:
    if checked is None:
        return one
    submission = checked.submission
    return replace(
        one,
        unit=registry.names.get(submission.unit_code or "", ""),
        month=str(submission.month) if submission.month else "",
        verdict=checked.verdict.value,
        findings_count=len(checked.findings),
    )


def _noted(one: ReceivedFile, units: Mapping[str, str]) -> ReceivedFile:
    """The same with a word where somebody else's table was mailed: it is received all the same."""
    sender = units.get(one.sender, "")
    if not sender or not one.verdict or one.unit == sender:
        return one
    if one.unit:
        return replace(
            one, note=f"发件的是{sender}，表是{one.unit}的；已按{one.unit}的收下，请留意是否发错。"
        )
    return replace(one, note=f"表里没有写明单位，发件的是{sender}；请让其补写后重报。")
