"""kill -9 between the signature and 签发后随即发送: what was to be sent at once is sent at the next start,
to each recipient once, and not where the signature was taken back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from flows import duties, posting
from flows.approve import withdraw_month
from flows.deliveries import month_deliveries
from flows.distribute import send_month
from flows.schedule import Kind
from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording.editions import issue, issued, unfinished
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from schemas.month import Month
from tests.faulty import Killer, copied, ended, in_child
from tests.mailing import GETTING, MARCH, issue_next, pages, planned_home, smtp
from tests.mailserver import mail_server

_KILLED = -9
LATER = parse_moment("2019-04-12T11:00")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return planned_home(tmp_path_factory.mktemp("signing") / "home")


def _with_ledger(home: Home, work: Callable[[Ledger], object]) -> None:
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.catch_up()
        work(ledger)


def _sign(home: Home, *, then_send: bool = True) -> None:
    _with_ledger(home, lambda ledger: issue_next(ledger, then_send=then_send))


def _due(home: Home, at: datetime = LATER) -> list[Month | None]:
    return [duty.month for duty in duties.overdue(home, at) if duty.kind is Kind.SEND]


def _settled(home: Home) -> None:
    """What the next start does: what is due to be sent."""
    for month in _due(home):
        assert month is not None
        posted = posting.send_wished(home, month, lambda _: None)
        assert posted is not None and posted.all_done


def _finish(ledger: Ledger) -> None:
    """As `ledger approve`, or the run of 签发 that is taken up again, does with what was left."""
    left = unfinished(ledger, MARCH)
    if left is None and issued(ledger, MARCH):
        return
    if left is None:
        issue_next(ledger, then_send=True)
    else:
        issue(ledger, left, pages(ledger.home.root / "pages", left.number))


@pytest.mark.slow
def test_killed_at_any_step(base: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = copied(base, tmp_path / "count")
    killer = Killer()
    with mail_server() as (box, port):
        for name, value in smtp(port, timeout_seconds=10).items():
            monkeypatch.setenv(name, value)
        with killer.armed():
            _sign(counted)
            send_month(counted, MARCH)
        assert killer.count > 40, killer.count
        resumed = 0
        for at in range(1, killer.count + 1, 3):
            home = copied(base, tmp_path / "home")
            box.messages.clear()

            def interrupted(home: Home = home, at: int = at) -> None:
                with Killer(at).armed():
                    _sign(home)
                    send_month(home, MARCH)

            assert ended(in_child(interrupted)) == _KILLED, at
            _with_ledger(home, _finish)
            resumed += bool(_due(home))
            _settled(home)
            assert _due(home) == [], at
            send_month(home, MARCH)  # what was queued before is the outbox's
            assert box.to().keys() == set(GETTING), at
            assert len(box.ids()) == len(GETTING), at
            assert len(box.messages) <= len(GETTING) + 1, at
            told = month_deliveries(home, MARCH)
            assert not told["open"] and not told["not_yet"], at
            if at % 10 == 0:
                with Ledger.open(home, Registry.load(home)) as opened:
                    assert verify(home, opened.registry).differences == [], at
        assert resumed > 5, resumed


def test_the_wish_outlives_the_derived_files(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    _sign(home)
    assert _due(home) == [MARCH]
    if home.processed.exists():
        shutil.rmtree(home.processed)
    assert _due(home) == [MARCH]
    _settled(home)
    shutil.rmtree(home.processed)
    assert _due(home) == []
    assert posting.send_wished(home, MARCH, lambda _: None) is None
    assert len(list(home.outbox(MARCH).glob("*.eml"))) == len(GETTING)


def test_without_the_wish_nothing_is_sent(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    _sign(home, then_send=False)
    assert _due(home) == []
    assert posting.send_wished(home, MARCH, lambda _: None) is None
    send_month(home, MARCH)
    assert not Journal(home.journal).of_kind("edition_queued")


def test_sent_by_hand_nothing_is_left_to_be_sent(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    _sign(home)
    send_month(home, MARCH)
    assert _due(home) == []


def test_a_withdrawn_signature_takes_its_wish_with_it(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    _sign(home)
    withdraw_month(home, MARCH, "王主任", at=LATER)
    assert _due(home) == []
    assert posting.send_wished(home, MARCH, lambda _: None) is None
    _with_ledger(home, lambda ledger: issue_next(ledger, "2019-04-12T12:00"))
    assert _due(home) == [], "signed again without the wish"
    assert not home.outbox(MARCH).exists()


def test_a_newer_edition_takes_the_place_of_the_wish(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    _sign(home)
    _with_ledger(home, lambda ledger: issue_next(ledger, "2019-04-15T09:00"))
    assert _due(home) == []
