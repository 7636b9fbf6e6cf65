"""kill -9 between any two steps of sending, durable ones and words with the server: none is lost,
none is doubled but under its own Message-ID, and then the record says so."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.deliveries import month_deliveries
from flows.distribute import send_month
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from tests.faulty import Killer, copied, ended, fill, in_child, ledger, mounted, said
from tests.mailing import GETTING, MARCH, issued_home, set_recipients, smtp
from tests.mailserver import mail_server

_KILLED = -9
LEADER, PARTNER, _ = GETTING


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = issued_home(tmp_path_factory.mktemp("base") / "home")
    set_recipients(home, songjian=None)
    return home


@contextlib.contextmanager
def armed(killer: Killer) -> Iterator[None]:
    """Die at durable steps, and before and after each word to and from the server."""
    with killer.armed(), pytest.MonkeyPatch.context() as patch:
        for name in ("send", "getreply"):
            patch.setattr(smtplib.SMTP, name, _around(killer, getattr(smtplib.SMTP, name)))
        yield


def _around(killer: Killer, real: Callable[..., Any]) -> Callable[..., Any]:
    def stepped(*given: Any) -> Any:
        killer.step()
        result = real(*given)
        killer.step()
        return result

    return stepped


def _steps(base: Home, folder: Path) -> int:
    """How many steps a sending has."""
    home = copied(base, folder)
    killer = Killer()
    with armed(killer):
        assert send_month(home, MARCH).all_done
    return killer.count


def _killed(home: Home, at: int) -> None:
    def send() -> None:
        with armed(Killer(at)):
            send_month(home, MARCH)

    assert ended(in_child(send)) == _KILLED, at


@pytest.mark.slow
@pytest.mark.timeout(900)  # some 135 kills, two seconds each on a slow machine with PostgreSQL
def test_killed_at_any_step(base: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doubled = 0
    with mail_server() as (box, port):
        for name, value in smtp(port, timeout_seconds=10).items():
            monkeypatch.setenv(name, value)
        steps = _steps(base, tmp_path / "count")
        assert steps > 60, steps
        for at in range(1, steps + 1):
            home = copied(base, tmp_path / "home")
            box.messages.clear()
            _killed(home, at)
            sent = send_month(home, MARCH)
            assert sent.all_done, at
            assert box.to().keys() == {LEADER, PARTNER}, at
            assert len(box.ids()) == 2 and len({data for _, _, data in box.messages}) == 2, at
            told = month_deliveries(home, MARCH)
            assert not told["open"] and not told["not_yet"], at
            twice = {address for address, count in box.to().items() if count > 1}
            assert len(twice) <= 1, at
            doubled += len(twice)
            said_so = {one["recipient_key"] for one in told["holders"] if one["doubtful"]}
            assert {address.partition("@")[0] for address in twice} <= said_so, at
            again = send_month(home, MARCH)
            assert not again.queued and not again.delivered.deliveries, at
            if at % 10 == 0:
                with Ledger.open(home, Registry.load(home)) as opened:
                    assert verify(home, opened.registry).differences == [], at
    assert doubled > 0, "the moment between the server's word and ours was among them"


@pytest.mark.slow
def test_killed_while_writing_files(base: Home, tmp_path: Path) -> None:
    steps = _steps(base, tmp_path / "count")
    whole = {path.name: path.read_bytes() for path in Home(tmp_path / "count").outbox(MARCH).iterdir()}
    assert len(whole) == 2
    # the journal's own steps are struck one by one above
    for at in range(1, steps + 1, 5):
        home = copied(base, tmp_path / "home")
        _killed(home, at)
        assert send_month(home, MARCH).all_done, at
        found = {path.name: path.read_bytes() for path in home.outbox(MARCH).iterdir()}
        assert found.keys() == whole.keys(), at
        for data in found.values():
            assert data.endswith(b"--\r\n"), at


def test_a_disk_that_fills_up_while_the_server_takes_it(
    base: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=16m", "none") as disk,
        mail_server() as (box, port),
    ):
        for name, value in smtp(port, timeout_seconds=10).items():
            monkeypatch.setenv(name, value)
        home = copied(base, disk / "home")
        ballast: list[Path] = []
        box.before_answer = lambda: ballast.append(fill(disk, 0)) if not ballast else None
        said(ledger(home.root, "send", "2019-03"), 5, "磁盘")
        assert box.to() == {LEADER: 1}, "its word is on record, the next was not begun"
        box.before_answer = None
        ballast[0].unlink()
        done = ledger(home.root, "send", "2019-03")
        assert done.returncode == 0, done.stderr
        assert box.to() == {LEADER: 1, PARTNER: 1}
