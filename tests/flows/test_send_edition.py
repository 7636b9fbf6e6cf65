"""`ledger send` against a real SMTP server: each recipient each edition once, whatever happens."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from flows.deliveries import month_deliveries
from flows.delivering import deliver, pending
from flows.distribute import queue_edition, send_month
from ledger.calendar import clock_at, parse_moment
from ledger.errors import Busy, UsageError
from ledger.home import Home
from ledger.recording.editions import withdraw
from ledger.recording.journal import Journal
from ledger.recording.ledger import Ledger
from ledger.recording.month_lock import hold_month
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from tests.faulty import copied
from tests.mailing import GETTING, MARCH, issue_next, issued_home, set_recipients, smtp
from tests.mailserver import mail_server
from tests.office import write_book

LEADER, PARTNER, TOWN = GETTING


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return issued_home(tmp_path_factory.mktemp("base") / "home")


@pytest.fixture
def home(base: Home, tmp_path: Path) -> Home:
    return copied(base, tmp_path / "home")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch):
    with mail_server() as (box, port):
        for name, value in smtp(port).items():
            monkeypatch.setenv(name, value)
        yield box


def states(home: Home) -> dict[str, str]:
    return {one["recipient_key"]: one["state"] for one in month_deliveries(home, MARCH)["mails"]}


def test_each_gets_what_the_list_says_once(home: Home, served) -> None:
    sent = send_month(home, MARCH)
    assert sent.all_done and len(sent.queued) == 3
    assert served.to() == dict.fromkeys(GETTING, 1)
    attached = {
        str(m["To"].addresses[0].addr_spec): [a.get_filename() for a in m.iter_attachments()]
        for m in served.parsed()
    }
    assert attached == {
        LEADER: ["月报-2019-03-第1版.pdf", "一页纸-2019-03-第1版.pdf"],
        PARTNER: ["月报-2019-03-第1版.pdf", "月报-2019-03-第1版.xlsx"],
        TOWN: ["月报-2019-03-松涧乡-第1版.pdf"],
    }
    again = send_month(home, MARCH)
    assert again.all_done and not again.queued and not again.delivered.deliveries
    assert served.to() == dict.fromkeys(GETTING, 1)
    with Ledger.open(home, Registry.load(home)) as ledger:
        assert verify(home, ledger.registry).differences == []


def test_a_unit_without_a_report_of_its_own_is_owed_none(home: Home, served) -> None:
    path = home.own_registry / "recipients.csv"
    line = "tongji,县统计局,报送单位,tongji@office.example,单位报告,990123-tjj\n"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    assert "县统计局" not in month_deliveries(home, MARCH)["not_yet"]
    assert len(month_deliveries(home, MARCH)["not_yet"]) == 3
    send_month(home, MARCH)
    assert month_deliveries(home, MARCH)["not_yet"] == []


def test_only_what_is_approved_is_sent(home: Home, served) -> None:
    with pytest.raises(UsageError, match="没有第2版"):
        send_month(home, MARCH, 2)
    with Ledger.open(home, Registry.load(home)) as ledger:
        withdraw(ledger, MARCH, "王主任", "", parse_moment("2019-04-13T09:00"))
    with pytest.raises(UsageError, match="还没有签发"):
        send_month(home, MARCH)
    assert not served.messages


def test_a_corrected_edition_goes_to_all_who_hold_the_earlier_one(home: Home, served) -> None:
    served.script[PARTNER] = ["550"]
    send_month(home, MARCH)
    with Ledger.open(home, Registry.load(home)) as ledger:
        issue_next(ledger, "2019-04-20T10:00")
    with pytest.raises(UsageError, match="已有第2版"):
        send_month(home, MARCH, 1)
    told = month_deliveries(home, MARCH)
    assert told["superseded"] == ["市结对合作领导小组", "松涧乡"]
    # the township gets no editions any more: it holds the first, and must hear of the second
    path = home.own_registry / "recipients.csv"
    path.write_text(path.read_text().replace("催报|单位报告", "催报"), encoding="utf-8")
    sent = send_month(home, MARCH)
    assert sent.edition == 2 and sent.all_done
    second = {str(m["To"].addresses[0].addr_spec): m for m in served.parsed()[2:]}
    assert second.keys() == set(GETTING)
    for address in (LEADER, TOWN):
        assert "更正，替换第1版" in second[address]["Subject"]
        body = second[address].get_body(("plain",)).get_content()
        assert "替换此前送上的第1版" in body and "与第1版相比" in body and "没有更正已入账的数字" in body
    # who never got the first is told of no correction
    assert "更正" not in second[PARTNER]["Subject"] and "第2版" in second[PARTNER]["Subject"]
    told = month_deliveries(home, MARCH)
    assert told["superseded"] == [] and told["not_yet"] == []
    assert {one["edition"] for one in told["holders"]} == {2}


def report(ledger: Ledger, at: str, households: int, reason: str) -> None:
    """The township's March with so many households, in time or corrected."""
    path = ledger.home.root / f"石桥铺镇{households}.xlsx"
    write_book(path, "石桥铺镇", MARCH, households=households, reason=reason)
    ledger.receive([path], parse_moment(at), MARCH)


def test_each_is_told_what_changed_since_the_edition_it_holds(home: Home, served) -> None:
    first = "石桥铺镇 石桥铺镇茶叶初制所 2019年3月 受益贫困户：41户→45户（漏报4户）"
    second = "石桥铺镇 石桥铺镇茶叶初制所 2019年3月 受益贫困户：45户→47户（又查实2户）"
    with Ledger.open(home, Registry.load(home)) as ledger:
        report(ledger, "2019-04-12T11:00", 41, "")
        issue_next(ledger, "2019-04-13T10:00")
        send_month(home, MARCH)
        report(ledger, "2019-04-14T11:00", 45, "漏报4户")
        issue_next(ledger, "2019-04-15T10:00")
        served.script[LEADER] = ["451"] * 3
        send_month(home, MARCH)
        report(ledger, "2019-04-16T11:00", 47, "又查实2户")
        issue_next(ledger, "2019-04-17T10:00")
        send_month(home, MARCH)
    last = {str(m["To"].addresses[0].addr_spec): m for m in served.parsed()}
    leader, partner = (last[one].get_body(("plain",)).get_content() for one in (LEADER, PARTNER))
    assert "第4版，替换此前送上的第2版" in leader and "第4版，替换此前送上的第3版" in partner
    assert f"· {first}" in leader and f"· {second}" in leader
    assert first not in partner and f"· {second}" in partner
    assert served.to() == {LEADER: 2, PARTNER: 3, TOWN: 3}


def test_who_is_new_gets_it_and_who_is_gone_is_named(home: Home, served) -> None:
    send_month(home, MARCH)
    path = home.own_registry / "recipients.csv"
    path.write_text(path.read_text() + "new,县审计局,领导,audit@office.example,月报,\n", encoding="utf-8")
    assert [one.name for one in send_month(home, MARCH).queued] == ["县审计局"]
    with Ledger.open(home, Registry.load(home)) as ledger:
        issue_next(ledger, "2019-04-20T10:00")
    set_recipients(home, leader=None)
    sent = send_month(home, MARCH)
    assert sent.unlisted == ["市结对合作领导小组"]
    assert served.to()[LEADER] == 1 and served.to()["audit@office.example"] == 2
    (left,) = [one for one in month_deliveries(home, MARCH)["holders"] if one["superseded"]]
    assert (left["name"], left["listed"], left["edition"]) == ("市结对合作领导小组", False, 1)


def test_a_server_that_defers_gets_it_again(home: Home, served) -> None:
    served.script[LEADER] = ["451", "450", "data 452"]
    sent = send_month(home, MARCH)
    # three tries a run here; greylisting outlasts them
    assert not sent.all_done and states(home)["leader"] == "deferred"
    assert served.to() == {PARTNER: 1, TOWN: 1}
    assert [one["name"] for one in month_deliveries(home, MARCH)["open"]] == ["市结对合作领导小组"]
    assert send_month(home, MARCH).all_done
    assert served.to() == dict.fromkeys(GETTING, 1) and max(served.ids().values()) == 1


def test_a_greylisting_server_gets_it_in_the_same_run(home: Home, served) -> None:
    served.script = {address: ["450"] for address in GETTING}
    assert send_month(home, MARCH).all_done
    assert served.to() == dict.fromkeys(GETTING, 1) and served.tries == dict.fromkeys(GETTING, 2)


def test_one_refused_stops_nobody_and_is_tried_at_another_address(home: Home, served) -> None:
    served.script[LEADER] = ["550"]
    sent = send_month(home, MARCH)
    assert not sent.all_done and served.to() == {PARTNER: 1, TOWN: 1}
    (refused,) = [one for one in sent.delivered.deliveries if one.state == "refused"]
    assert refused.detail == "550 … says no", "no address in the record"
    again = send_month(home, MARCH)
    assert not again.all_done and [one.name for one in again.still_refused] == ["市结对合作领导小组"]
    assert served.tries[LEADER] == 1, "not tried by itself"
    served.script[LEADER] = ["550"]
    assert not send_month(home, MARCH, retry_refused=True).all_done
    assert served.tries[LEADER] == 2
    set_recipients(home, leader="new.leader@office.example")
    assert send_month(home, MARCH).all_done
    assert served.to()["new.leader@office.example"] == 1


@pytest.mark.parametrize(("action", "kept"), [("lose", 0), ("keep and lose", 1), ("hang", 1)])
def test_when_the_word_is_lost_the_same_message_goes_again(
    home: Home, served, action: str, kept: int
) -> None:
    served.script[LEADER] = [action]
    sent = send_month(home, MARCH)
    assert not sent.all_done and states(home)["leader"] == "uncertain"
    assert served.to()[LEADER] == kept
    told = month_deliveries(home, MARCH)
    assert [one["name"] for one in told["holders"] if not one["certain"]] == ["市结对合作领导小组"]
    sent = send_month(home, MARCH)
    assert sent.all_done and served.to()[LEADER] == kept + 1
    assert len(served.ids()) == 3, "one Message-ID a recipient: receivers drop the double"
    copies = {data for _, address, data in served.messages if address == LEADER}
    assert len(copies) == 1, "byte for byte the same"
    (holder,) = [one for one in month_deliveries(home, MARCH)["holders"] if one["recipient_key"] == "leader"]
    assert holder["doubtful"] and holder["certain"]


def test_no_server_at_all_loses_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as (_, port):
        pass
    for name, value in smtp(port).items():
        monkeypatch.setenv(name, value)
    sent = send_month(home, MARCH)
    assert "连不上邮件服务器" in sent.delivered.problem and not sent.all_done
    assert {one.state for one in sent.delivered.deliveries} == {"deferred"}
    with mail_server() as (box, port):
        monkeypatch.setenv("LEDGER_SMTP__PORT", str(port))
        assert send_month(home, MARCH).all_done
        assert box.to() == dict.fromkeys(GETTING, 1)


def test_without_a_server_each_is_a_file_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = send_month(home, MARCH)
    assert sent.all_done and {one.state for one in sent.delivered.deliveries} == {"written"}
    names = sorted(path.name for path in home.outbox(MARCH).iterdir())
    assert names == [
        "月报第1版_市结对合作领导小组_leader.eml",
        "月报第1版_松涧乡_songjian.eml",
        "月报第1版_江澜市合作交流办公室_partner.eml",
    ]
    first = home.outbox(MARCH) / names[0]
    assert b"X-Unsent: 1\r\n" in first.read_bytes()
    first.unlink()  # the clerk has sent it and tidied up
    assert not send_month(home, MARCH).queued and not first.exists()
    with mail_server() as (box, port):
        for name, value in smtp(port).items():
            monkeypatch.setenv(name, value)
        assert send_month(home, MARCH).all_done and not box.messages, "what was written is not sent again"


def test_two_sends_at_once(home: Home, served) -> None:
    entered, go = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert go.wait(20)

    served.before_answer = wait
    first = threading.Thread(target=send_month, args=(home, MARCH))
    with hold_month(home, MARCH):  # a run of the month keeps no sending up, nor the other way round
        first.start()
        assert entered.wait(20)
        served.before_answer = None
        with pytest.raises(Busy, match="正在由另一次运行发送"):
            send_month(home, MARCH)
        go.set()
        first.join(20)
    assert send_month(home, MARCH).all_done
    assert served.to() == dict.fromkeys(GETTING, 1)


def test_one_by_one_as_a_flow_does_it(home: Home, served) -> None:
    queued = queue_edition(home, MARCH)
    assert queue_edition(home, MARCH) == []
    assert pending(home, MARCH) == queued and len(queued) == 3
    threads = [threading.Thread(target=deliver, args=(home, MARCH, one.message_id)) for one in queued]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert deliver(home, MARCH, queued[0].message_id).state == "sent"
    assert served.to() == dict.fromkeys(GETTING, 1) and pending(home, MARCH) == []


def test_a_queued_edition_is_not_withdrawn_and_is_dropped_for_a_newer_one(
    home: Home, served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.script[LEADER] = ["451"] * 3
    send_month(home, MARCH)
    with Ledger.open(home, Registry.load(home)) as ledger:
        with pytest.raises(UsageError, match="已经发出或已排入发送"):
            withdraw(ledger, MARCH, "王主任", "", parse_moment("2019-04-13T09:00"))
        issue_next(ledger, "2019-04-20T10:00")
    assert send_month(home, MARCH).all_done
    (mail,) = [m for m in served.parsed() if m["To"].addresses[0].addr_spec == LEADER]
    assert "第2版" in mail["Subject"] and "更正" not in mail["Subject"]


def test_an_edition_withdrawn_while_it_is_being_queued_is_not(
    home: Home, served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def withdrawn_meanwhile(ledger: Ledger, drafts: object) -> object:
        withdraw(ledger, MARCH, "王主任", "", parse_moment("2019-04-13T09:00"))
        return queue(ledger, drafts)

    queue = Ledger.note_all
    monkeypatch.setattr(Ledger, "note_all", withdrawn_meanwhile)
    assert queue_edition(home, MARCH) == []
    assert not any(event.kind == "mail_queued" for event in Journal(home.journal).events())


def test_the_date_and_the_id_do_not_hang_on_the_try(home: Home, served) -> None:
    served.script[LEADER] = ["keep and lose"]
    with clock_at(lambda: parse_moment("2019-04-12T11:00")):
        send_month(home, MARCH)
    with clock_at(lambda: parse_moment("2019-04-14T11:00")):
        send_month(home, MARCH)
    first, last = [data for _, address, data in served.messages if address == LEADER]
    assert first == last and b"Date: Fri, 12 Apr 2019 11:00:00 +0800\r\n" in first
    kinds = [event.kind for event in Journal(home.journal).events() if "message_id" in event.payload]
    assert kinds.count("mail_queued") == 3 and kinds.count("mail_attempted") == 4
