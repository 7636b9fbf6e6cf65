"""kill -9 before the durable steps of fetching, from the inbox and from a mailbox: nothing is lost,
nothing is received twice."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zipfile import ZipFile

from flows import posting, sent_back
from flows.fetch import fetch
from ledger.calendar import SHANGHAI
from ledger.fetching.from_inbox import take_inbox
from ledger.fetching.from_mail import senders, take_mailbox
from ledger.fetching.memory import Memory
from ledger.home import Home
from ledger.recipients import Gets, Recipient
from ledger.recording import events
from ledger.recording.journal import Journal
from ledger.recording.originals import Originals
from schemas.month import Month
from tests import office
from tests.dovecot import USER, Dovecot, running
from tests.fake_programme import A, B, new_home, write_file
from tests.faulty import Killer, copied, ended, in_child
from tests.mailing import planned_home
from tests.mails import attached, mail

KNOWN = senders([Recipient("jia", "甲镇", "", "jia@x.example", frozenset({Gets.RETURN}), A)])
ARRIVED = datetime(2018, 10, 4, 17, 30, tzinfo=SHANGHAI)
Work = Callable[[Home], None]


def from_folder(home: Home) -> None:
    memory = Memory.load(home)
    take_inbox(home, memory, settle=0)
    memory.save(home)


def from_mailbox(server: Dovecot) -> Work:
    def work(home: Home) -> None:
        memory = Memory.load(home)
        found = take_mailbox(
            home, memory, server.settings(), KNOWN, date(2018, 6, 1), progress=lambda _: None
        )
        assert found.problem == ""
        memory.save(home)

    return work


def taken(home: Home) -> list[tuple[str, str, str | None]]:
    """What is journaled, in its order; every original that is named is there and whole."""
    found = []
    originals = Originals(home.originals)
    for event in Journal(home.journal).events():
        for sha256, ext in events.originals_of(event):
            originals.read(sha256, ext)
        kept = event.payload.get("kept")
        assert not kept or (home.root / kept).is_file()
        found.append((event.kind, event.payload["file_name"], event.payload["sha256"]))
    return found


def killed_at_every_step(base: Home, folder: Path, work: Work, every: int) -> int:
    """Kill `work` before every so many of its durable steps and before each of the last, when all
    is taken in and not yet tidied up, each time in a fresh copy; how often."""
    whole = copied(base, folder / "whole")
    with Killer().armed() as counted:
        work(whole)
    expected = taken(whole)
    assert len(expected) > 3
    steps = sorted({*range(1, counted.count, every), *range(counted.count - 5, counted.count + 1)})
    for at in steps:
        home = copied(base, folder / "killed")

        def die(home: Home = home, at: int = at) -> None:
            with Killer(at).armed():
                work(home)

        assert ended(in_child(die)) == -signal.SIGKILL, at
        before = taken(home)
        assert before == expected[: len(before)], at
        if at % 2:
            shutil.rmtree(home.processed, ignore_errors=True)
        work(home)
        assert taken(home) == expected, at
        work(home)
        assert taken(home) == expected, at
        assert not list((home.raw / "mailbox-aside").rglob(".*")), at
        assert not (home.processed / "fetching").exists(), at
    return len(steps)


def inbox_killed(folder: Path, every: int) -> int:
    """A workbook, an archive and what is set aside, from the inbox."""
    home = new_home(folder / "base")
    write_file(home.inbox / "1.json", A, "2018-09")
    with ZipFile(home.inbox / "2.zip", "w") as archive:
        for number in range(2):
            archive.write(write_file(folder / f"{number}.xlsx", B, f"2018-0{number + 7}"), f"{number}.xlsx")
    (home.inbox / "3.rar").write_bytes(b"Rar!" + bytes(20))
    return killed_at_every_step(home, folder, from_folder, every)


def mailbox_killed(folder: Path, every: int) -> int:
    """A unit's mail of three parts and a stranger's, from an IMAP server."""
    with running((USER,)) as server:
        first, second = (write_file(folder / f"{n}.json", A, f"2018-0{n}").read_bytes() for n in (7, 8))
        parts = [attached("1.xlsx", first), attached("2.pdf", b"%PDF-1.4"), attached("3.xlsx", second)]
        server.deliver(mail(parts, sender=b"jia@x.example"), ARRIVED)
        stranger = mail([attached("4.xlsx", first)], sender=b"who@x.example", message_id="<2@x>")
        server.deliver(stranger, ARRIVED)
        return killed_at_every_step(new_home(folder / "base"), folder, from_mailbox(server), every)


def test_from_the_inbox(tmp_path: Path) -> None:
    assert inbox_killed(tmp_path, 4) > 5


def test_from_a_mailbox(tmp_path: Path) -> None:
    assert mailbox_killed(tmp_path, 7) > 5


def look(home: Home) -> None:
    """A served look: what came in is received and judged, and what has to be mended goes back."""
    since = sent_back.begin(home)
    fetch(home, settle=0)
    sent_back.see_to(home, since, lambda month: posting.send_back(home, month, lambda _: None))


def test_what_has_to_be_mended_goes_back_wherever_the_look_was_killed(tmp_path: Path) -> None:
    march = Month(2019, 3)
    base = planned_home(tmp_path / "base")
    base.inbox.mkdir(parents=True)
    office.write_book(base.inbox / "松涧.xlsx", "松涧乡", march, households="约四十")
    sent_back.begin(base)

    def returns(home: Home) -> list[str]:
        return sorted(path.name for path in home.reports(march).rglob("*.eml"))

    whole = copied(base, tmp_path / "whole")
    with Killer().armed() as counted:
        look(whole)
    assert len(returns(whole)) == 1
    look(whole)
    assert len(returns(whole)) == 1
    for at in [*range(2, counted.count, 6), counted.count]:
        home = copied(base, tmp_path / "killed")

        def die(home: Home = home, at: int = at) -> None:
            with Killer(at).armed():
                look(home)

        assert ended(in_child(die)) == -signal.SIGKILL, at
        look(home)
        assert returns(home) == returns(whole), at
        shutil.rmtree(home.root)
