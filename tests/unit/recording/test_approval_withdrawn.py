"""An approval is taken back until its edition was sent: its number is free again, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.calendar import parse_moment as at
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import editions, events
from ledger.recording.database import reading
from ledger.recording.editions import (
    approve,
    due_in_year,
    every_edition,
    frozen,
    issue,
    issued,
    restore,
    standing,
    unfinished,
    withdraw,
    withdrawals,
)
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.proof import prove
from ledger.recording.rebuild import verify
from ledger.recording.withdrawn import sent_or_queued
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, write_file

JUNE, JULY = Month(2018, 6), Month(2018, 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def send(ledger: Ledger, folder: Path, unit: str, month: Month, when: str, note: str = "", **paid) -> None:
    rows = {item: {"fiscal_paid_cum_fen": amount} for item, amount in paid.items()}
    name = f"{unit}-{month}-{len(list(folder.iterdir()))}.json"
    ledger.receive([write_file(folder / name, unit, str(month), note, projects=rows)], at(when))
    ledger.catch_up()


def issue_now(ledger: Ledger, folder: Path, month: Month, when: str, by: str = "张三") -> Edition:
    edition = approve(ledger, month, by, at(when))
    page = folder / "page"
    page.write_text(f"{edition.name} {by}", encoding="utf-8")
    files = {f"月报-{month}-第{edition.number}版.pdf": page, f"单位/{by}-第{edition.number}版.pdf": page}
    done = issue(ledger, edition, files)
    restore(ledger.home, done)
    return done


def test_a_withdrawn_edition_counts_no_more_and_its_number_is_free(planned, home: Home, folder) -> None:
    with planned() as ledger:
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
        first = issue_now(ledger, folder, JUNE, "2018-07-06T10:00")
        paths = restore(home, first)
        back = withdraw(ledger, JUNE, "李四", "附件有误", at("2018-07-06T15:00"))
        assert (back.edition, back.by, back.reason) == (1, "李四", "附件有误")
        assert issued(ledger, JUNE) == () and every_edition(ledger) == ()
        assert ledger.view(JUNE).editions == ()
        assert unfinished(ledger, JUNE) is None
        assert (standing(ledger, JUNE).last, standing(ledger, JUNE).next_number) == (None, 1)
        # its files are gone from the folder, and kept
        assert not any(path.exists() for path in paths)
        assert not (home.reports(JUNE) / "单位").exists()
        assert (home.originals / f"{first.files['月报-2018-06-第1版.pdf']}.pdf").is_file()
        # a correction after a withdrawn edition touches none
        send(ledger, folder, A, JUNE, "2018-07-07", "误报", **{P1: 8, P2: 5})
        assert due_in_year(ledger, 2018) == []
        _, changes = export(ledger, JUNE, "corrections")
        assert [line[-1] for line in changes] == [None]

        again = issue_now(ledger, folder, JUNE, "2018-07-08T10:00", "王五")
        assert (again.number, again.upto > first.upto) == (1, True)
        assert issued(ledger, JUNE) == (again,)
        assert not standing(ledger, JUNE).due
        # what the ledger says of a moment before stays what it was
        assert ledger.view(JUNE, at("2018-07-06T12:00")).editions == (first,)
        assert ledger.view(JUNE, at("2018-07-06T16:00")).editions == ()
        assert ledger.view(JUNE, frozen(again)).editions == ()
        assert withdrawals(ledger, JUNE) == (back,)
        assert withdrawals(ledger, JUNE, at("2018-07-06T12:00")) == ()
        url = ledger._url
    assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []
    assert prove(home, REGISTRY, url=url, tools=TOOLS).fault is None


def test_only_the_last_edition_is_withdrawn_and_the_one_before_stands_again(planned, home, folder) -> None:
    with planned() as ledger:
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
        first = issue_now(ledger, folder, JUNE, "2018-07-06T10:00")
        send(ledger, folder, A, JUNE, "2018-07-07", "误报", **{P1: 8, P2: 5})
        second = issue_now(ledger, folder, JUNE, "2018-07-08T10:00", "李四")
        assert withdraw(ledger, JUNE, "王五", "", at("2018-07-08T11:00")).edition == 2
        assert issued(ledger, JUNE) == (first,)
        assert standing(ledger, JUNE).due and due_in_year(ledger, 2018) == ["2018-06第2版"]
        assert [path.is_file() for path in restore(home, first)] == [True, True]
        assert not any((home.reports(JUNE) / name).exists() for name in second.files)
        withdraw(ledger, JUNE, "王五", "", at("2018-07-08T12:00"))
        with pytest.raises(UsageError, match="没有可撤回"):
            withdraw(ledger, JUNE, "王五", "", at("2018-07-08T13:00"))
        assert issue_now(ledger, folder, JUNE, "2018-07-09T10:00").number == 1


def mail(month: str, edition: int | None, kind: str = "edition") -> dict[str, object]:
    """A mail that waits to be sent."""
    recipient = {"key": "leader", "name": "县委", "address": "leader@office.example"}
    return {
        "message_id": f"{kind}.{month}.{edition}",
        "kind": kind,
        "month": month,
        "edition": edition,
        "recipient": recipient,
        "at": "2018-07-06T11:00",
    }


@pytest.mark.parametrize("is_sent", [False, True])
def test_what_was_sent_or_queued_is_not_withdrawn(
    planned, home: Home, folder: Path, is_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with planned() as ledger:
        send(ledger, folder, B, JUNE, "2018-07-03", **{P3: 7})
        edition = issue_now(ledger, folder, JUNE, "2018-07-06T10:00")
        # what goes out for another month, another edition or none (a reminder) is none of its business
        for other in (mail("2018-07", 1), mail("2018-06", 2), mail("2018-06", None, "reminder")):
            ledger.note(events.MAIL_QUEUED, other)
        with reading(ledger.engine) as connection:
            assert not sent_or_queued(connection, JUNE, 1)
        ledger.note(events.MAIL_QUEUED, mail("2018-06", 1))
        if is_sent:
            ledger.note(events.SENT, {"message_id": "edition.2018-06.1", "reply": "250", "via": "smtp"})
        with reading(ledger.engine) as connection:
            assert sent_or_queued(connection, JUNE, 1)
        with pytest.raises(UsageError, match=r"不能撤回.*第2版") as refused:
            withdraw(ledger, JUNE, "李四", "", at("2018-07-06T12:00"))
        assert refused.value.exit_code == 2
        # another machine queued it between the look and the word: on record, and without effect
        with monkeypatch.context() as patch:
            patch.setattr(editions, "sent_or_queued", lambda *_: False)
            with pytest.raises(UsageError, match="不能撤回"):
                withdraw(ledger, JUNE, "李四", "", at("2018-07-06T12:00"))
        assert all((home.reports(JUNE) / name).is_file() for name in edition.files)
        assert issued(ledger, JUNE) == (edition,)
        assert withdrawals(ledger, JUNE) == ()
        url = ledger._url
    (home.reports(JUNE) / "月报-2018-06-第1版.pdf").write_text("改过", encoding="utf-8")
    fault = prove(home, REGISTRY, url=url, tools=TOOLS).fault
    assert fault is not None and "月报-2018-06-第1版.pdf" in fault.what


def test_an_approval_that_was_never_issued_can_be_withdrawn(planned, home: Home, folder: Path) -> None:
    with planned() as ledger:
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
        approve(ledger, JUNE, "张三", at("2018-07-06T10:00"))
        withdraw(ledger, JUNE, "李四", "", at("2018-07-06T11:00"))
        assert unfinished(ledger, JUNE) is None
        done = issue_now(ledger, folder, JUNE, "2018-07-07T10:00")
        assert (done.number, issued(ledger, JUNE)) == (1, (done,))
        # an approval left unfinished again under a number withdrawn once is found
        send(ledger, folder, A, JUNE, "2018-07-08", "改", **{P1: 11, P2: 5})
        second = approve(ledger, JUNE, "张三", at("2018-07-09T10:00"))
        assert unfinished(ledger, JUNE) == second


def test_a_withdrawal_is_not_dated_before_the_approval(planned, folder: Path) -> None:
    with planned() as ledger:
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
        edition = issue_now(ledger, folder, JUNE, "2018-07-06T10:00")
        with pytest.raises(UsageError, match="早于"):
            withdraw(ledger, JUNE, "李四", "", at("2018-07-06T09:00"))
        assert issued(ledger, JUNE) == (edition,)


def test_a_stopped_withdrawal_leaves_no_files_behind(planned, home: Home, folder: Path) -> None:
    """Stopped between the word and the files: the next look at the month takes them away."""
    from ledger.recording.editions import clear_withdrawn

    with planned() as ledger:
        send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
        edition = issue_now(ledger, folder, JUNE, "2018-07-06T10:00")
        word = {"month": "2018-06", "edition": 1, "by": "李四", "reason": "", "at": "2018-07-06T12:00"}
        ledger.note(events.APPROVAL_WITHDRAWN, word)
        assert all(path.is_file() for path in (home.reports(JUNE) / name for name in edition.files))
        clear_withdrawn(ledger, JUNE)
        assert not any((home.reports(JUNE) / name).exists() for name in edition.files)
        # issued again under the same name, the file stays
        issue_now(ledger, folder, JUNE, "2018-07-07T10:00", "王五")
        clear_withdrawn(ledger, JUNE)
        assert (home.reports(JUNE) / "月报-2018-06-第1版.pdf").is_file()
