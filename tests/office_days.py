"""An office's days on another clock: its duties by plain functions, and what arrives at its mail server.

Everything a day brings is done as the served flows do it (flows/deployments.py), without Prefect.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from flows import duties, posting
from flows.approve import approve_month
from flows.distribute import send_forms, send_month
from flows.fetch import fetch
from flows.forms import write as write_forms
from flows.monthly import MonthOutcome, run_month
from flows.opened import open_ledger
from flows.remind import remind_month
from flows.schedule import Duty, Kind
from flows.status import month_status
from ledger.calendar import SHANGHAI
from ledger.home import Home
from schemas.month import Month
from tests.faulty import Killer, ended, in_child


def on(day: str, hour: int = 15, minute: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour, minute), SHANGHAI)


@dataclass
class Mailbox:
    """Keeps what the server is sent, with the day the office's clock shows."""

    today: Callable[[], datetime]
    mails: list[tuple[str, str, str, str]] = field(default_factory=list)
    #: what came with each mail: its text and the names of what is attached
    within: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        [to] = envelope.rcpt_tos
        assert to.endswith("@office.example")
        key = to.partition("@")[0]
        seen = (f"{self.today():%Y-%m-%d}", key, str(message["Subject"]), str(message["Message-ID"]))
        self.mails.append(seen)
        text = message.get_body(["plain"])
        assert text is not None
        attached = tuple(sorted(str(part.get_filename()) for part in message.iter_attachments()))
        self.within[seen[3]] = (text.get_content(), attached)
        return "250 kept"

    def once(self) -> list[tuple[str, str, str]]:
        """What a mailbox that drops doubles by Message-ID shows."""
        seen: dict[str, tuple[str, str, str]] = {}
        for day, key, subject, message_id in self.mails:
            seen.setdefault(message_id, (day, key, subject))
        return list(seen.values())

    def told(self) -> list[tuple[str, str, str, str, tuple[str, ...]]]:
        """The same with what each mail says and brings."""
        seen = {mail[3]: mail[:3] for mail in reversed(self.mails)}
        return [(*seen[message_id], *self.within[message_id]) for message_id in seen]


@contextmanager
def mail_server(today: Callable[[], datetime]) -> Iterator[Mailbox]:
    """A real SMTP server on loopback, named in this process's environment and so to all it starts."""
    box = Mailbox(today)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none",
                                "SENDER": "office@office.example"}.items():  # fmt: skip
                patch.setenv(f"LEDGER_SMTP__{name}", value)
            yield box
    finally:
        controller.stop()


def silent(_: str) -> None:
    return None


class PlainOffice:
    """The home, its clock and its machine. `to_kill` says what is killed in its midst once: kind of
    work, month → at which durable step."""

    def __init__(self, home: Home, now: datetime, to_kill: Mapping[tuple[str, int], int]) -> None:
        self.home = home
        self.now = now
        self.to_kill = to_kill
        self.killed: set[tuple[str, int]] = set()

    def do(self, what: str, month: Month, work: Callable[[], object]) -> None:
        """Do `work`; where it is to be killed, start it in a process that is, then do it again. Work
        that had less to do than that is killed the next time."""
        key = (what, month.month)
        step = None if key in self.killed else self.to_kill.get(key)
        if step is not None:

            def interrupted() -> None:
                with Killer(step).armed():
                    work()

            code = ended(in_child(interrupted))
            assert code in (-9, 0), (what, month, code)
            if code:
                self.killed.add(key)
        work()

    def duties(self) -> None:
        """What is due at this moment and was not done."""
        for duty in duties.overdue(self.home, self.now):
            self.duty(duty)

    def catch_up(self) -> None:
        """The same after a stop, which is killed when the first of several things was done."""
        waiting = duties.overdue(self.home, self.now)
        assert len(waiting) > 1, waiting
        key = ("catch_up", self.now.month)

        def interrupted() -> None:
            self.duty(waiting[0])
            with Killer(self.to_kill[key]).armed():
                for duty in waiting[1:]:
                    self.duty(duty)

        assert ended(in_child(interrupted)) == -9
        self.killed.add(key)
        assert duties.overdue(self.home, self.now) == waiting[1:]
        self.duties()

    def duty(self, duty: Duty) -> None:
        home, month = self.home, duty.month
        assert month is not None
        seq = duties.last_event(home)
        match duty.kind:
            case Kind.FORMS:
                self.do("forms", month, lambda: (write_forms(home, month), send_forms(home, month)))
            case Kind.RUN:
                for each in duties.months_to_run(home, month):
                    self.do("run", each, lambda each=each: run_month(home, each))
                    self.send_back(each)
            case Kind.REMIND:
                self.do("remind", month, lambda: self._remind(month))
        duties.mark_done(home, duty, seq)

    def _remind(self, month: Month) -> None:
        with open_ledger(self.home) as ledger:
            ledger.take_in_plans(month)  # who owes what stands in the plan
        remind_month(self.home, month)

    def send_back(self, month: Month) -> None:
        self.do("send_back", month, lambda: posting.send_back(self.home, month, silent))

    def arrive(self, *paths: Path) -> None:
        """A month's workbooks come into the inbox, are fetched within minutes, go back where they
        must, and are run again where their month has been run."""
        self.home.inbox.mkdir(exist_ok=True)
        for path in paths:
            shutil.copyfile(path, self.home.inbox / path.name)
        [month] = {Month.parse(path.stem.split("_")[1]) for path in paths}
        fetched: list[list[str]] = []
        self.do("fetch", month, lambda: fetched.append(fetch(self.home, settle=0).months))
        for each in fetched[-1]:
            self.send_back(Month.parse(each))
        outcomes: list[MonthOutcome] = []

        def run(again: Month) -> MonthOutcome:
            self.do("run", again, lambda: outcomes.append(run_month(self.home, again)))
            return outcomes[-1]

        for outcome in duties.again(self.home, run):
            self.send_back(Month.parse(outcome.standing.month))

    def sign(self, month: Month, number: int) -> None:
        home = self.home
        self.do("approve", month, lambda: approve_month(home, month, "王主任"))
        self.do("send", month, lambda: send_month(home, month))
        assert month_status(home, month, None)["edition"] == number
