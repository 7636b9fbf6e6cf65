"""A mailbox on a real IMAP server, read into a home: once each, from whom, when, and why not."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.cli import main
from flows.explain import explain_figure
from flows.fetch import Fetched, fetch
from flows.init import make_home
from flows.plan import register
from ledger.calendar import SHANGHAI, now
from ledger.errors import Busy, UsageError
from ledger.fetching import from_mail
from ledger.home import CHECKOUT, Home
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from schemas.month import Month
from tests.dovecot import PASSWORD, USER, Dovecot, running
from tests.mails import Attached, attached, mail
from tests.workbooks import NIL, make_book, water

ARRIVED = datetime(2018, 10, 4, 17, 30, tzinfo=SHANGHAI)
NAME = "景阳镇9月报表.xlsx"
USERS = tuple(f"{USER}{number}" for number in range(30))


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with running(USERS) as started:
        yield started


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with the sample programme's registry and plan."""
    home = Home(tmp_path_factory.mktemp("home"))
    make_home(home)
    register(home, CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx", 2018, None)
    return home


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("books")
    jingyang = make_book(folder / "1.xlsx", "景阳镇", "2018年9月", projects=[water()], needs=NIL)
    corrected = make_book(
        folder / "2.xlsx",
        "景阳镇",
        "2018年9月",
        cover={"更正说明": "户数录错"},
        projects=[water(poor_households=101)],
        needs=NIL,
    )
    nobody = make_book(folder / "3.xlsx", "", "", projects=NIL)
    return {
        "jingyang": jingyang.read_bytes(),
        "corrected": corrected.read_bytes(),
        "nobody": nobody.read_bytes(),
    }


class Office:
    """A home, a mailbox of its own, and what comes of looking into it."""

    def __init__(self, home: Home, server: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.server, self.user = home, server, user
        self._patch = monkeypatch
        self.set()

    def set(self, **other: object) -> None:
        stated = {
            "host": "localhost",
            "port": self.server.tls_port,
            "security": "tls",
            "user": self.user,
            "ca_file": str(self.server.ca_file),
            "timeout_seconds": 20,
            **other,
        }
        for name, value in {"password": PASSWORD, **stated}.items():
            self._patch.setenv(f"LEDGER_IMAP__{name.upper()}", str(value))

    def deliver(self, data: bytes, arrived: datetime = ARRIVED) -> None:
        self.server.deliver(data, arrived, self.user)

    def look(self) -> Fetched:
        return fetch(self.home, settle=0)

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        wanted = kinds or ("received", "set_aside")
        return [dict(one.payload) for one in Journal(self.home.journal).events() if one.kind in wanted]


_next = iter(USERS)


@pytest.fixture
def office(base: Home, server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    shutil.copytree(base.root, tmp_path / "home")
    return Office(Home(tmp_path / "home"), server, next(_next), monkeypatch)


def told(found: Fetched) -> list[tuple[str, str, str]]:
    return [(one.file, one.unit, one.verdict) for one in found.received]


# --- received


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_units_workbook_is_received_when_it_arrived(
    office: Office, books: dict[str, bytes], security: str
) -> None:
    office.set(security=security, port=office.server.tls_port if security == "tls" else office.server.port)
    office.deliver(mail([attached(NAME, books["jingyang"])]))
    found = office.look()
    assert told(found) == [(NAME, "景阳镇", "accepted")]
    assert found.problems == []
    (event,) = office.events()
    assert event["received_at"] == "2018-10-04T17:30:00+08:00", "not the Date of the sender's own clock"
    assert event["source"] == "mail"
    assert event["mail"]["from"] == "jingyang"
    assert event["mail"]["uid"] == 1


def test_nothing_is_received_twice_however_often_and_wherever_it_is_seen(
    office: Office, books: dict[str, bytes]
) -> None:
    letter = mail([attached(NAME, books["jingyang"])])
    office.deliver(letter)
    assert len(office.look().received) == 1
    assert office.look() == Fetched()
    shutil.rmtree(office.home.processed)
    assert office.look() == Fetched()
    office.deliver(letter)  # a copy, as a rule of the mailbox or a list makes it
    assert office.look() == Fetched()
    office.set(folder="报送")  # moved there, and there once more under another UIDVALIDITY
    validities = set()
    for _ in range(2):
        office.server.deliver(letter, ARRIVED, office.user, "报送")
        assert office.look() == Fetched()
        with office.server.client(office.user) as client:
            validities.add(client.select_folder("报送")[b"UIDVALIDITY"])
            client.unselect_folder()
            client.delete_folder("报送")
    assert len(validities) == 2
    assert len(office.events()) == 1


def test_the_same_file_sent_once_more_is_received_once_more(office: Office, books: dict[str, bytes]) -> None:
    for number, book in enumerate(("jingyang", "corrected", "jingyang")):
        office.deliver(
            mail([attached(NAME, books[book])], message_id=f"<{number}@x>"), ARRIVED + timedelta(hours=number)
        )
    found = office.look()
    assert len(found.received) == 3
    assert [one["received_at"][11:13] for one in office.events("received")] == ["17", "18", "19"]
    text, _ = explain_figure(office.home, Month(2018, 9), water()["item_name"], "poor_households")
    assert "第3版" in text


def test_the_mailbox_is_left_as_it_was_found(office: Office, books: dict[str, bytes]) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])]))
    office.look()
    with office.server.client(office.user) as client:
        client.select_folder("INBOX", readonly=True)
        assert client.get_flags(client.search())[1] in ((), (b"\\Recent",))


def test_mails_are_marked_as_read_where_the_office_wants_it(office: Office, books: dict[str, bytes]) -> None:
    office.set(mark_seen="true")
    office.deliver(mail([attached(NAME, books["jingyang"])]))
    office.look()
    with office.server.client(office.user) as client:
        client.select_folder("INBOX", readonly=True)
        assert b"\\Seen" in client.get_flags(client.search())[1]


def test_another_folder_with_a_chinese_name(office: Office, books: dict[str, bytes]) -> None:
    office.set(folder="报送")
    office.server.deliver(mail([attached(NAME, books["jingyang"])]), ARRIVED, office.user, "报送")
    office.deliver(mail([attached("别处.xlsx", books["corrected"])], message_id="<2@x>"))
    assert [one.file for one in office.look().received] == [NAME]


def test_a_unit_writes_from_a_second_address_in_capitals(office: Office, books: dict[str, bytes]) -> None:
    file = office.home.own_registry / "recipients.csv"
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    lines = [
        lines[0] + ",also",
        *(
            line + (",Zhang@QQ.example|li@163.example" if line.startswith("jingyang") else ",")
            for line in lines[1:]
        ),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    office.deliver(mail([attached(NAME, books["jingyang"])], sender=b"<zhang@qq.EXAMPLE>"))
    assert told(office.look()) == [(NAME, "景阳镇", "accepted")]
    assert office.events()[0]["mail"]["from"] == "jingyang"


def test_a_township_may_send_for_another_and_it_is_told(office: Office, books: dict[str, bytes]) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])], sender=b"gaoping@jianshi.example"))
    (one,) = office.look().received
    assert (one.unit, one.sender) == ("景阳镇", "gaoping")
    assert one.note == "发件的是高坪镇，表是景阳镇的；已按景阳镇的收下，请留意是否发错。"


def test_a_workbook_without_a_unit_is_returned_and_the_sender_told(
    office: Office, books: dict[str, bytes]
) -> None:
    office.deliver(mail([attached("报表.xlsx", books["nobody"])]))
    (one,) = office.look().received
    assert (one.unit, one.verdict) == ("", "returned")
    assert "发件的是景阳镇" in one.note


def test_the_mail_is_kept_and_stands_behind_the_figure(office: Office, books: dict[str, bytes]) -> None:
    letter = mail([attached(NAME, books["jingyang"])])
    office.deliver(letter)
    office.look()
    (event,) = office.events()
    kept = office.home.originals / f"{event['within']['邮件1.eml']}.eml"
    assert kept.read_bytes() == letter
    assert verify(office.home, Registry.load(office.home)).differences == []
    text, chain = explain_figure(office.home, Month(2018, 9), water()["item_name"], "poor_households")
    assert "来路：邮件（邮箱内编号 UID 1，发件人登记代号 jingyang），在 邮件1.eml（原件 " in text
    assert chain["way"]["within"] == event["within"]
    kept.chmod(0o644)
    kept.write_bytes(b"changed")
    assert verify(office.home, Registry.load(office.home)).differences


# --- set aside


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        (b"someone@else.example", "发件人不在登记资料 recipients.csv 中"),
        (b"xianwei@jianshi.example", "发件人不是报送单位（recipients.csv 中没有填 unit_code）"),
        (b"jingyang@jianshi.example\r\nFrom: x@y.example", "发件人不在登记资料 recipients.csv 中"),
    ],
)
def test_what_a_stranger_sends_is_kept_aside_and_shown(
    office: Office, books: dict[str, bytes], sender: bytes, why: str
) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])], sender=sender))
    found = office.look()
    assert found.received == []
    (one,) = found.set_aside
    assert (one.file, one.why) == (NAME, why)
    assert one.kept is not None
    assert one.kept.startswith("data/raw/mailbox-aside/2018-10-04-")
    assert Path(one.kept).name == NAME
    assert (office.home.root / one.kept).read_bytes() == books["jingyang"]
    assert office.look() == Fetched()


def test_a_sender_registered_afterwards_is_heard_when_his_mail_comes_up_again(
    office: Office, books: dict[str, bytes]
) -> None:
    letter = mail([attached(NAME, books["jingyang"])], sender=b"new@jianshi.example")
    office.deliver(letter)
    assert len(office.look().set_aside) == 1
    file = office.home.own_registry / "recipients.csv"
    file.write_text(
        file.read_text(encoding="utf-8").replace("jingyang@jianshi.example", "new@jianshi.example"),
        encoding="utf-8",
    )
    assert office.look() == Fetched()
    office.deliver(letter)  # moved out of the folder and back
    assert told(office.look()) == [(NAME, "景阳镇", "accepted")]
    office.deliver(letter)
    assert office.look() == Fetched()


def test_while_the_ledger_is_held_mails_are_received_all_the_same(
    office: Office, books: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])]))

    def held(*_: object, **__: object) -> None:
        raise Busy("另一个程序正在使用台帐")

    monkeypatch.setattr(Ledger, "catch_up", held)
    assert told(office.look()) == [(NAME, "", "")]
    monkeypatch.undo()
    with Ledger.open(office.home, Registry.load(office.home)) as ledger:
        assert [checked.submission.unit_code for checked in ledger.catch_up()] == ["422822103"]


def test_recipients_that_can_not_be_used_stop_it_before_anything_is_taken_in(
    office: Office, books: dict[str, bytes]
) -> None:
    (office.home.inbox / NAME).write_bytes(books["jingyang"])
    (office.home.own_registry / "recipients.csv").write_text("key,name,address\na,b,no address\n")
    with pytest.raises(UsageError, match="不是邮箱地址"):
        office.look()
    assert office.events() == []


def test_what_is_no_table_is_set_aside_beside_the_table(office: Office, books: dict[str, bytes]) -> None:
    scan = attached("盖章.pdf", b"%PDF-1.4", "application/pdf")
    office.deliver(mail([scan, attached(NAME, books["jingyang"]), attached("x.rar", b"Rar!\x1a\x07\x00")]))
    found = office.look()
    assert [one.file for one in found.received] == [NAME]
    assert [one.file for one in found.set_aside] == ["盖章.pdf", "x.rar"]


def test_a_mail_too_large_is_not_loaded_but_told(
    office: Office, books: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    office.set(max_megabytes=1)
    office.deliver(mail([attached("大.xlsx", bytes(1_500_000))]))
    office.deliver(mail([attached(NAME, books["jingyang"])], message_id="<2@x>"))
    monkeypatch.setattr(from_mail, "unpack", _only_small(from_mail.unpack))
    found = office.look()
    assert [one.file for one in found.received] == [NAME]
    (one,) = found.set_aside
    assert one.sha256 is None
    assert "超过上限 1 MB" in one.why
    shutil.rmtree(office.home.processed)
    assert office.look() == Fetched()


def _only_small(real: Any) -> Any:
    def unpacked(kind: str, path: Path, folder: Path) -> Any:
        assert path.stat().st_size < 1_000_000
        return real(kind, path, folder)

    return unpacked


def test_a_mail_that_can_not_be_taken_apart_is_kept_whole(office: Office, books: dict[str, bytes]) -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(3_000)
    )
    office.deliver(b"From: jingyang@jianshi.example\r\nMIME-Version: 1.0\r\n" + deep)
    office.deliver(mail([attached(NAME, books["jingyang"])]))
    found = office.look()
    assert [one.file for one in found.received] == [NAME], "the next mail comes in"
    (one,) = found.set_aside
    assert one.file == "邮件1.eml"
    assert one.kept is not None


def test_a_letter_without_attachments_and_a_servers_notice_leave_no_trace(
    office: Office, books: dict[str, bytes]
) -> None:
    office.deliver(mail())
    notice = Attached(b"Content-Type: message/delivery-status", b"Status: 5.1.1", bare=True)
    office.deliver(mail([notice, attached(NAME, books["jingyang"])], kind=b"multipart/report"))
    assert office.look() == Fetched()
    assert office.events() == []


def test_mails_from_before_the_programme_are_left_alone(office: Office, books: dict[str, bytes]) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])]), datetime(2018, 5, 2, tzinfo=SHANGHAI))
    assert office.look() == Fetched()
    office.set(since="2018-10-05")
    office.deliver(
        mail([attached(NAME, books["jingyang"])], message_id="<2@x>"), datetime(2018, 10, 1, tzinfo=SHANGHAI)
    )
    assert office.look() == Fetched()


def test_a_time_of_arrival_in_the_future_is_now(office: Office, books: dict[str, bytes]) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"])]), now() + timedelta(days=30))
    before = now()
    (one,) = office.look().received
    assert before <= datetime.fromisoformat(one.received_at) <= now()


# --- the command


def test_the_command_shows_what_came_and_what_did_not(office: Office, books: dict[str, bytes]) -> None:
    office.deliver(mail([attached(NAME, books["jingyang"]), attached("盖章.pdf", b"%PDF-1.4")]))
    done = CliRunner().invoke(main, ["fetch", "--home", str(office.home.root)])
    assert done.exit_code == 0, done.output
    assert f"已收：{NAME}（景阳镇，2018-09；邮件 2018-10-04 17:30）：全部采用" in done.output
    assert "未收：盖章.pdf——不是表格" in done.output
    assert "/盖章.pdf' --at 2018-10-04T17:30" in done.output
    again = CliRunner().invoke(main, ["fetch", "--home", str(office.home.root)])
    assert "没有新收到的文件" in again.output
    standing = CliRunner().invoke(main, ["status", "2018-09", "--home", str(office.home.root)])
    assert "收到而未收下 1 件" in standing.output
    assert "10-04 17:30 盖章.pdf——不是表格" in standing.output
    before = CliRunner().invoke(main, ["status", "2018-08", "--json", "--home", str(office.home.root)])
    assert json.loads(before.stdout)["set_aside"] == []


def test_a_wrong_password_is_told_and_stands_nowhere(
    office: Office, books: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office.home.inbox.mkdir(exist_ok=True)
    (office.home.inbox / NAME).write_bytes(books["jingyang"])
    office.set(password="falsch-4711")
    done = CliRunner().invoke(main, ["fetch", "--home", str(office.home.root)])
    assert done.exit_code == 1
    assert "收件邮箱拒绝登录" in done.output
    assert "LEDGER_IMAP__PASSWORD" in done.output
    assert NAME in done.output, "the inbox was looked at all the same"
    everything = done.output + caplog.text + str(office.events())
    assert "falsch" not in everything
    assert office.user not in caplog.text


def test_no_address_and_no_name_of_a_file_is_in_the_log(
    office: Office, books: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office.deliver(mail([attached(NAME, books["jingyang"])]))
    office.look()
    journal = "".join(
        path.read_text(encoding="utf-8") for path in office.home.journal.glob("*-received.json")
    )
    for word in ("jingyang@", "景阳", PASSWORD, office.user):
        assert word not in caplog.text
    assert "jingyang@" not in journal


def test_settings_that_can_not_be_used_stop_everything(office: Office) -> None:
    office.set(security="ssl")
    with pytest.raises(UsageError, match="imap"):
        office.look()
