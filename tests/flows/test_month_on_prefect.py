"""A month of the office by the served flows, on another clock: from the blank forms to the corrected
edition and the next month's forms, each of the served flows killed once in its midst.

What arrives at the mail server is compared with a list written from the contract and a calendar of
2019, and with what the same month sends without Prefect.
"""

from __future__ import annotations

import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from flows import duties, server
from flows.programmes import SERVER_FOLDER
from flows.status import month_status
from flows.verify import verify_home
from ledger.calendar import clock_at
from ledger.home import Home
from ledger.recording.journal import Journal
from schemas.month import Month
from tests.flow_runs import FINAL, Clerk, Kill
from tests.office import LEADERS, OWING, SLUGS, make_home, write_book
from tests.office_days import PlainOffice, mail_server, on, silent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

MARCH = Month(2019, 3)
LATE, WRONG, MENDING = "松涧乡", "县水务局", "石桥铺镇"
BEGIN = on("2019-03-20", 7)
#: Each served flow and where it is killed, once or more, the first time that it gets there. A flow
#: that is served and not here fails the test.
KILLS = {
    "预填表": [Kill("-sent.json", times=2)],
    # first as files are taken in, then, taken up again, as what is wrong goes back
    "收件": [Kill("-received.json", times=3, step=4), Kill("-mail_queued.json")],
    "催报": [Kill("-sent.json")],
    "补办": [Kill("-run.json")],  # the morning's run is done, the reminder is not
    "每月报告": [Kill("-草稿.pdf", times=2)],
    "签发": [Kill("-approved.json", step=3)],  # decided, no edition made yet
    "发送": [Kill("-sent.json", times=2)],
    "各县汇总": [Kill("汇总-2019-03", times=2)],
}


def expected() -> list[tuple[str, str, str]]:
    """(day, recipient, subject) of every mail."""
    forms = {"2019-03-25": (3, "4月10日"), "2019-04-25": (4, "5月10日")}
    mails = [
        (day, SLUGS[unit], f"2019年{month}月月报表请于{due}前报送（{unit}）")
        for day, (month, due) in forms.items()
        for unit in OWING
    ]
    mails.append(("2019-04-03", SLUGS[WRONG], f"【请改正后重报】2019年3月月报表（{WRONG}）"))
    # the 5th to the 7th are a holiday: the reminder three days before the deadline goes on the 4th
    mails += [
        ("2019-04-04", SLUGS[unit], f"【催报】2019年3月月报表请于4月10日前报送（{unit}）")
        for unit in (LATE, WRONG)
    ]
    # the machine was off on the 9th
    mails.append(("2019-04-11", SLUGS[LATE], f"【催报】2019年3月月报表已逾期1天，请尽快报送（{LATE}）"))
    for day, mark in (("2019-04-12", ""), ("2019-04-16", "第2版：更正，替换第1版")):
        mails += [(day, key, f"云岚县结对合作简报（2019年3月）{mark}") for key in [*LEADERS, SLUGS["松涧乡"]]]
    return mails


class Office(Protocol):
    """Whoever does the month's work."""

    home: Home
    now: datetime

    def due(self, flow: str) -> None: ...
    def arrive(self, *paths: Path) -> None: ...
    def correct(self, path: Path) -> None: ...
    def sign(self, month: Month, number: int) -> None: ...


def the_month(office: Office, books: Path) -> None:
    """March 2019, from its forms to April's."""
    books.mkdir()

    def book(unit: str, number: int = 0, **given: Any) -> Path:
        return write_book(books / f"{unit}_{MARCH}_{number}.xlsx", unit, MARCH, **given)

    assert not duties.overdue(office.home, office.now)  # from now on the calendar is kept
    office.now = on("2019-03-25", 8)
    office.due("预填表")
    office.now = on("2019-04-03")
    in_time = [book(unit) for unit in OWING if unit not in (LATE, WRONG)]
    office.arrive(*in_time, book(WRONG, households="四十余户"))
    office.now = on("2019-04-04", 8, 30)
    office.due("催报")
    office.now = on("2019-04-08")
    office.arrive(book(WRONG, 1))
    office.now = on("2019-04-11", 10)
    office.due("补办")
    office.now = on("2019-04-11")
    office.home.drop(MARCH).mkdir(exist_ok=True)
    shutil.copyfile(book(LATE), office.home.drop(MARCH) / "松涧乡.xlsx")  # waits for the morning
    office.now = on("2019-04-12", 8)
    office.due("每月报告")
    office.now = on("2019-04-12", 10)
    office.sign(MARCH, 1)
    office.now = on("2019-04-15")
    office.correct(book(MENDING, 1, households=45, reason="户数核实后更正"))
    office.now = on("2019-04-16", 8)
    office.sign(MARCH, 2)
    office.now = on("2019-04-25", 8)
    office.due("预填表")


class Plain(PlainOffice):
    def due(self, flow: str) -> None:
        self.duties()

    def correct(self, path: Path) -> None:
        self.arrive(path)


class Served:
    """The same by the deployments of `ledger serve`, on a server that is started again once."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.now = BEGIN
        self.left = {flow: list(kills) for flow, kills in KILLS.items()}
        self._place = Home(home.root.parent / SERVER_FOLDER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self._process, self._api = server.start(self._place, self._port)
        self.clerk = Clerk(home.root.parent, self._place, self._api)

    def close(self) -> None:
        self.clerk.close()
        server.stop(self._process)

    def restart(self) -> None:
        """The server ends and begins anew; then what `ledger serve` does first."""
        server.stop(self._process)
        self._process, again = server.start(self._place, self._port)
        assert again == self._api
        self.clerk.settle()

    def do(self, flow: str, run_id: str) -> dict[str, Any]:
        """Run to the end, with the kills that are left for the flow and a start after each."""
        for kill in self.left[flow]:
            self.clerk.execute(run_id, self.now, kill)
            assert self.clerk.run(run_id)["state_type"] == "RUNNING"  # nobody has told the server
            self.clerk.settle()
            taken_up = self.clerk.run(run_id)["state"]
            assert (taken_up["type"], taken_up["name"]) == ("SCHEDULED", "AwaitingRetry"), flow
        self.left[flow] = []
        return self.clerk.execute(run_id, self.now)

    def done(self, flow: str, run_id: str, *names: str) -> None:
        run = self.do(flow, run_id)
        assert run["state_type"] in FINAL
        assert run["state_name"] in (names or ("Completed",)), (flow, run["state"])

    def start(self, flow: str, *names: str, **parameters: str) -> None:
        self.done(flow, self.clerk.create(flow, self.now, **parameters), *names)

    def due(self, flow: str) -> None:
        given = {} if flow == "补办" else {"month": "按日程"}
        self.start(flow, "Completed", "Degraded", **given)

    def arrive(self, *paths: Path) -> None:
        self.home.inbox.mkdir(exist_ok=True)
        for path in paths:
            shutil.copyfile(path, self.home.inbox / path.name)
        # taken up as mails go out, it finds nothing new, and sends what waits
        self.start("收件", "Completed", "Nothing")

    def correct(self, path: Path) -> None:
        """What comes in for a month that has been run is run again by the look that took it in, here
        killed over it."""
        self.left["收件"] = [Kill("-草稿.pdf", times=2)]
        self.arrive(path)

    def sign(self, month: Month, number: int) -> None:
        """The form that the run has asked for is filled in, the first after a restart of the server;
        the first edition is sent by hand, the next as soon as it is signed."""
        (asking,) = self.clerk.scheduled("签发")
        waiting = self.clerk.execute(asking["id"], self.now)
        assert waiting["state_name"] == "Suspended", waiting["state"]
        first = number == 1
        if first:
            self.restart()
            assert self.clerk.run(asking["id"])["state"]["id"] == waiting["state"]["id"]
        told = {"by": "王主任", "decision": "同意", "remark": "", "send": not first}
        reply = self.clerk.ask(f"/flow_runs/{asking['id']}/resume", {"run_input": told})
        assert reply["status"] == "ACCEPT", reply
        self.done("签发", asking["id"], "Approved")
        assert month_status(self.home, month, None)["edition"] == number
        if first:
            self.start("发送", month=str(month))


@contextmanager
def served_office(folder: Path) -> Iterator[Served]:
    office = Served(make_home(folder / "县" / "云岚"))
    try:
        yield office
    finally:
        office.close()


def test_the_served_flows_do_the_month(tmp_path: Path) -> None:
    plain = Plain(make_home(tmp_path / "云岚"), BEGIN, {})
    with mail_server(lambda: plain.now) as box, clock_at(lambda: plain.now):
        the_month(plain, tmp_path / "books")
    assert Counter(box.once()) == Counter(expected())

    with mail_server(lambda: office.now) as arrived, served_office(tmp_path) as office:
        assert office.clerk.deployments.keys() == KILLS.keys(), "each served flow has its restart"
        with clock_at(lambda: office.now):
            the_month(office, tmp_path / "the same")
            office.start("各县汇总", month=str(MARCH))
            assert verify_home(office.home, quick=False, progress=silent).fault is None
    assert not any(office.left.values()), office.left
    told, wanted = Counter(arrived.told()), Counter(box.told())
    assert told - wanted == Counter(), "mails that nobody asked for"
    assert wanted - told == Counter(), "mails that never came"
    sendings_killed = sum(kill.mark == "-sent.json" for kills in KILLS.values() for kill in kills)
    assert len(arrived.mails) - len(arrived.once()) <= sendings_killed
    assert len(Journal(office.home.journal).of_kind("edition_issued")) == 2
