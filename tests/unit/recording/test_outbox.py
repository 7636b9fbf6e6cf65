"""What the ledger says of mails: their state by their last event, on both databases, after a rebuild."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import Busy
from ledger.home import Home
from ledger.recording import events
from ledger.recording.database import reading
from ledger.recording.ledger import Ledger
from ledger.recording.month_lock import hold_month, hold_sending
from ledger.recording.outbox import Kind, Mail, State, mails_of
from ledger.recording.rebuild import rebuild, verify
from schemas.month import Month
from tests.fake_programme import REGISTRY, TOOLS

JUNE = Month(2018, 6)


def queued(key: str, kind: str = "edition", **given: object) -> dict[str, object]:
    return {
        "message_id": f"{kind}.2018-06.{key}",
        "domain": "x.example",
        "kind": kind,
        "month": "2018-06",
        "edition": 1 if kind == "edition" else None,
        "day": None if kind == "edition" else "2018-07-03",
        "unit": None,
        "recipient": {"key": key, "name": f"收件人{key}", "address": f"{key}@x.example"},
        "about": [],
        "attachments": [],
        "at": "2018-07-03T09:00:00+08:00",
        **given,
    }


ATTEMPT = (events.MAIL_ATTEMPTED, {})
SENT = (events.SENT, {"via": "smtp", "detail": "250 queued"})
WRITTEN = (events.SENT, {"via": "file", "detail": "x.eml"})
DEFERRED = (events.MAIL_FAILED, {"code": 451, "permanent": False, "uncertain": False, "detail": "451"})
REFUSED = (events.MAIL_FAILED, {"code": 550, "permanent": True, "uncertain": False, "detail": "550"})
LOST = (events.MAIL_FAILED, {"code": 0, "permanent": False, "uncertain": True, "detail": "?"})
AGAIN = (events.MAIL_AGAIN, {"address": "new@x.example"})
DROPPED = (events.MAIL_DROPPED, {"detail": "why"})
#: What happened to a mail → its state, whether it waits, is held, may have come twice, its tries.
COURSES = [
    ([], (State.QUEUED, True, False, False, 0)),
    ([ATTEMPT], (State.ATTEMPTED, True, True, False, 1)),
    ([ATTEMPT, SENT], (State.SENT, False, True, False, 1)),
    ([ATTEMPT, WRITTEN], (State.WRITTEN, False, True, False, 1)),
    ([ATTEMPT, DEFERRED], (State.DEFERRED, True, False, False, 1)),
    ([ATTEMPT, DEFERRED, ATTEMPT, SENT], (State.SENT, False, True, False, 2)),
    ([ATTEMPT, REFUSED], (State.REFUSED, False, False, False, 1)),
    ([ATTEMPT, REFUSED, AGAIN], (State.QUEUED, True, False, False, 1)),
    ([ATTEMPT, LOST], (State.UNCERTAIN, True, True, False, 1)),
    ([ATTEMPT, LOST, ATTEMPT, SENT], (State.SENT, False, True, True, 2)),
    ([ATTEMPT, ATTEMPT, SENT], (State.SENT, False, True, True, 2)),
    ([ATTEMPT, LOST, ATTEMPT, REFUSED], (State.REFUSED, False, True, True, 2)),
    ([ATTEMPT, AGAIN, ATTEMPT, SENT], (State.SENT, False, True, True, 2)),
    ([DROPPED], (State.DROPPED, False, False, False, 0)),
    ([ATTEMPT, LOST, DROPPED], (State.DROPPED, False, True, True, 1)),
]


def found(ledger: Ledger) -> tuple[Mail, ...]:
    with reading(ledger.engine) as connection:
        return mails_of(connection, JUNE)


def test_a_mail_stands_where_its_last_event_left_it(planned, home: Home, open_ledger) -> None:
    with planned() as ledger:
        for number, (course, _) in enumerate(COURSES):
            payload = queued(f"r{number}")
            ledger._journal.append(events.MAIL_QUEUED, payload)
            for kind, more in course:
                ledger._journal.append(kind, {"message_id": payload["message_id"], **more})
        ledger.catch_up()
        mails = found(ledger)
        assert [(mail.state, mail.waiting, mail.held, mail.doubtful, mail.tries) for mail in mails] == [
            expected for _, expected in COURSES
        ]
        assert mails[7].address == "new@x.example" and mails[0].address == "r0@x.example"
        assert mails[2].detail == "250 queued" and mails[2].recipient_name == "收件人r2"
        url = None if ledger.engine.dialect.name == "sqlite" else ledger._url
        assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []
    rebuild(home, REGISTRY, url=url, tools=TOOLS)
    with open_ledger() as ledger:
        assert found(ledger) == mails


def test_queued_twice_is_queued_once_and_unknown_mails_change_nothing(planned) -> None:
    with planned() as ledger:
        ledger.note(events.MAIL_QUEUED, queued("a"))
        ledger.note(events.MAIL_ATTEMPTED, {"message_id": "edition.2018-06.a"})
        # from another machine, a moment too late
        ledger.note(events.MAIL_QUEUED, queued("a", edition=2))
        ledger.note(events.SENT, {"message_id": "edition.2018-06.nobody", "via": "smtp"})
        (mail,) = found(ledger)
        assert (mail.edition, mail.state) == (1, State.ATTEMPTED)


def test_kinds_are_told_apart(planned) -> None:
    with planned() as ledger:
        ledger.note(events.MAIL_QUEUED, queued("a"))
        ledger.note(events.MAIL_QUEUED, queued("a", "return", about=["1" * 64, "2" * 64], unit="999001"))
        with reading(ledger.engine) as connection:
            (mail,) = mails_of(connection, JUNE, [Kind.RETURN])
        assert (mail.about, mail.unit_code, mail.day) == (("1" * 64, "2" * 64), "999001", "2018-07-03")


def test_attachments_are_originals_that_verify_asks_for(planned, home: Home) -> None:
    with planned() as ledger:
        gone = {"name": "x.xlsx", "sha256": "f" * 64, "ext": "xlsx"}
        ledger.note(events.MAIL_QUEUED, queued("a", attachments=[gone]))
        (line,) = verify(home, REGISTRY, tools=TOOLS).differences
        assert "f" * 64 in line


@pytest.mark.parametrize("kind", [events.MAIL_ATTEMPTED, events.MAIL_FAILED, events.SENT])
def test_an_event_of_another_manner_is_no_mail_s(planned, kind: str) -> None:
    with planned() as ledger:
        ledger.note(kind, {"month": "2018-06", "edition": 1})
        assert found(ledger) == ()


@pytest.mark.slow
def test_another_machine_s_sending_keeps_ours_out(tmp_path: Path, postgres_url: str) -> None:
    here, there = Home(tmp_path / "here"), Home(tmp_path / "there")
    with hold_sending(here, JUNE, url=postgres_url):
        with pytest.raises(Busy), hold_sending(there, JUNE, url=postgres_url):
            pass
        with hold_month(there, JUNE, url=postgres_url), hold_sending(there, Month(2018, 7), url=postgres_url):
            pass
    with hold_sending(there, JUNE, url=postgres_url):
        pass
