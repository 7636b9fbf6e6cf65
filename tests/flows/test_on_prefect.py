"""The month on the Prefect page: runs, tasks, artifacts, events, and the signature that waits."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import subprocess
import time
import urllib.error
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest

from flows.artifacts import plain
from flows.drafts import waiting as waiting_draft
from ledger.recording.journal import Event, Journal
from schemas.month import Month
from tests.office import OWING, make_home, write_book
from tests.prefect_office import Office
from tests.serving import LEDGER, gone

MARCH = Month(2019, 3)
MISSING, WRONG = "县水务局", "石桥铺镇"
#: flow runs are processes: on a busy machine they take many times what they take on an idle one
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """`ledger serve` over a county of which, for March, one unit is missing and one is sent back."""
    home = make_home(tmp_path_factory.mktemp("prefect") / "云岚 office")
    home.drop(MARCH).mkdir(parents=True)
    for unit in OWING:
        if unit != MISSING:
            households = "很多" if unit == WRONG else None
            write_book(home.drop(MARCH) / f"{unit}.xlsx", unit, MARCH, households=households)
    office = Office(home)
    try:
        yield office
    finally:
        office.stop()


@pytest.fixture(scope="module")
def outcome(office: Office) -> dict[str, Any]:
    """A run in which one unit's report can't be written: a folder is in its place."""
    in_the_way = office.home.unit_reports(MARCH) / "月报-2019-03-松涧乡-草稿.pdf"
    in_the_way.mkdir(parents=True)
    outcome: dict[str, Any] = office.ledger("run", "2019-03", expect=5)
    in_the_way.rmdir()
    return outcome


def key(office: Office, name: str) -> str:
    """The key under which the page keeps an artifact of this home."""
    keys = {one["key"] for one in office.ask("/artifacts/latest/filter", {})}
    (found,) = [key for key in keys if key.startswith(f"2019-03-{name}")]
    return str(found)


def test_a_failed_part_hides_nothing(office: Office, outcome: dict[str, Any]) -> None:
    assert outcome["failed"] == ["单位报告 松涧乡（IsADirectoryError）"]
    assert outcome["state"] == "Degraded"
    assert outcome["missing"] == [MISSING]
    assert any("云东街道" in name for name in outcome["reports"])
    assert not any("松涧乡" in name for name in outcome["reports"])
    (run,) = office.runs("月报")
    assert run["name"] == "2019-03 月报"
    assert (run["state_name"], run["state_type"]) == ("Degraded", "COMPLETED")
    for words in (MISSING, "没有做成 1 项：单位报告 松涧乡"):
        assert words in run["state"]["message"]


def test_tasks_bear_the_names_of_units_and_documents(office: Office, outcome: dict[str, Any]) -> None:
    steps = ["收件", "读取、核对、入账", "台帐", "汇总"]
    parts = ["读取 1–5", f"{WRONG} 退回", "月报 PDF", "一页纸", *(f"单位报告 {unit}" for unit in OWING)]

    def tasks() -> dict[str, str]:
        found = office.ask("/task_runs/filter", {"flows": {"name": {"any_": ["月报"]}}, "limit": 200})
        states = {one["name"]: one["state_name"] for one in found}
        over = {"Completed", "Failed"}.issuperset(states.values())  # the server hears of them by and by
        return states if len(states) == len(steps) + len(parts) and over else {}

    states = office.until(tasks)
    assert set(states) == {*steps, *parts}
    assert [name for name, state in states.items() if state != "Completed"] == ["单位报告 松涧乡"]
    assert states["单位报告 松涧乡"] == "Failed"


def findings_in(markdown: str) -> list[tuple[str, str, str]]:
    """(unit, problem, remedy) of each finding; the problem less its place where that is set before."""
    rows, unit, problem = [], "", ""
    for line in markdown.splitlines():
        if line.startswith("### "):
            unit = line.removeprefix("### ")
        elif line.startswith("- **"):
            problem = re.sub(r"^(表\d )?([A-Z]+\d+|第 \d+ 行)：", "", line.partition("**　")[2])
        elif line.startswith("  - 怎么办："):
            rows.append((unit, problem, line.removeprefix("  - 怎么办：")))
    return rows


def test_artifacts_say_what_the_commands_say(office: Office, outcome: dict[str, Any]) -> None:
    status = office.ledger("status", "2019-03")
    rows = json.loads(office.artifact(key(office, "reported"))["data"])
    assert [row["单位"] for row in rows] == [unit["unit_name"] for unit in status["units"]]
    words = {row["单位"]: row["状态"] for row in rows}
    assert words[MISSING] == "未报"
    assert words[WRONG] in ("退回", "部分采用")
    for row, unit in zip(rows, status["units"], strict=True):
        assert row["收到时间"] == (unit["first_received_at"] or "")[:16].replace("T", " ")
        assert row["错误"] == str(unit["errors_count"] or "")

    exported = subprocess.run(
        [LEDGER, "export", "2019-03", "--table", "findings", "--home", str(office.home.root)],
        capture_output=True,
        check=True,
    ).stdout.decode("utf-8-sig")
    listed = [line for line in csv.DictReader(io.StringIO(exported)) if line["open"] == "true"]
    shown = office.artifact(key(office, "findings"))["data"]
    assert listed
    expected = [(line["unit_name"], plain(line["message"]), plain(line["remedy"])) for line in listed]
    assert sorted(findings_in(shown)) == sorted(expected)
    assert office.artifact(key(office, "progress"))["data"] == 100.0


def test_documents_open_from_their_links(office: Office, outcome: dict[str, Any]) -> None:
    text = office.artifact(key(office, "documents"))["data"]
    report = "月报-2019-03-草稿.pdf"
    path = f"/{quote(office.home.root.name)}/2019-03/{quote(report)}"
    assert f"({office.documents}{path})" in text
    assert f"`reports/2019-03/{report}`" in text
    code, content = office.document(path)
    assert (code, content[:5]) == (200, b"%PDF-")
    assert content == (office.home.reports(MARCH) / report).read_bytes()
    (office.home.reports(MARCH) / "notes.txt").write_text("not a report", encoding="utf-8")
    name = quote(office.home.root.name)
    for other in (
        f"/{name}/2019-03/notes.txt",
        f"/{name}/../ledger.toml",
        f"/{name}/%2e%2e/data/raw/2019-03/{quote('松涧乡')}.xlsx",
        f"/{name}/2019-03/%00.pdf",
        "/other/2019-03/x.pdf",
        "/",
    ):
        assert office.document(other)[0] == 404, other
    assert office.document(path, host="evil.example")[0] == 403


def test_events_can_be_waited_for(office: Office, outcome: dict[str, Any]) -> None:
    (received,) = office.events("ledger.received")
    assert received["resource"]["prefect.resource.id"] == f"ledger.programme.{office.home.root.name}.2019-03"
    assert received["payload"] == {"files": 5}
    (returned,) = office.events("ledger.returned")
    assert returned["payload"]["files"] == 1
    (ready,) = office.events("ledger.draft-ready")
    assert len(ready["payload"]["draft"]) == 64


def test_a_signature_waits_for_its_draft(office: Office, outcome: dict[str, Any]) -> None:
    """Asked, answered too late for a newer draft, asked anew; restarted; signed. Then a correction:
    asked again; a file arrives: refused and asked anew; signed by command: the form ends."""
    office.ledger("run", "2019-03", expect=1)  # whole now: another draft than the run before's
    waiting = office.until(lambda: _suspended(office, 1))
    schema = waiting["state"]["state_details"]["run_input_keyset"]
    form = _form(office, waiting, "schema")
    assert [one["title"] for one in form["properties"].values()] == [
        "签发人",
        "同意或退回",
        "意见",
        "签发后随即发送",
    ]
    told = _form(office, waiting, "description")
    assert MISSING in told
    assert not any(
        run["state_name"] == "Suspended" for run in office.runs("签发") if run["id"] != waiting["id"]
    )

    # another draft comes about without the page's knowing: the answer was for the older one
    write_book(office.home.drop(MARCH) / f"{MISSING}.xlsx", MISSING, MARCH)
    office.ledger("run", "2019-03", "--plain", expect=1)
    answer(office, waiting, "同意")
    again = office.until(lambda: _suspended(office, 1, unlike=schema["schema"]))
    assert again["id"] == waiting["id"]
    draft = waiting_draft(office.home, MARCH)
    assert draft is not None
    assert [tag for tag in again["tags"] if tag.startswith("draft-")] == [f"draft-{draft.short}"]
    assert office.ledger("status", "2019-03")["edition"] is None

    office.stop()
    office.start()
    answer(office, again, "同意")
    signed = office.run_in_state("签发", "Approved")
    assert signed["id"] == waiting["id"]
    assert "第1版已签发" in signed["state"]["message"]
    assert office.ledger("status", "2019-03")["edition"] == 1
    assert (office.home.reports(MARCH) / "月报-2019-03-第1版.pdf").is_file()
    assert office.events("ledger.approved")[0]["payload"] == {"edition": 1}


def test_what_came_in_since_is_not_signed(office: Office, outcome: dict[str, Any]) -> None:
    write_book(office.home.drop(MARCH) / f"{WRONG}.xlsx", WRONG, MARCH, reason="更正")
    office.ledger("run", "2019-03", expect=None)
    waiting = office.until(lambda: _suspended(office, 1))
    book = write_book(office.home.root / "late.xlsx", WRONG, MARCH, households=55, reason="再更正")
    office.ledger("receive", str(book), "--month", "2019-03")
    answer(office, waiting, "同意")
    refused = office.run_in_state("签发", "Refused")
    assert refused["state"]["message"].startswith("没有签发：")
    assert refused["state"]["message"].endswith("已重新送签。")
    assert office.ledger("status", "2019-03")["edition"] == 1
    asked = office.until(lambda: _suspended(office, 1))
    assert asked["id"] != waiting["id"]
    assert "草稿没有变化" in _form(office, asked, "description")

    # started by hand as well, the month written otherwise: nobody is asked twice
    other = office.ask(
        f"/deployments/{asked['deployment_id']}/create_flow_run", {"parameters": {"month": "2019-3"}}
    )
    assert office.run_in_state("签发", "Already asked")["id"] == other["id"]
    assert office.until(lambda: _suspended(office, 1))["id"] == asked["id"]


def test_signed_by_command_the_form_ends(office: Office, outcome: dict[str, Any]) -> None:
    asked = office.until(lambda: _suspended(office, 1))
    office.ledger("run", "2019-03", "--plain", expect=None)
    office.ledger("approve", "2019-03", "--by", "某某")
    office.ledger("run", "2019-03", expect=None)
    ended = office.run_in_state("签发", "Approved elsewhere")
    assert ended["id"] == asked["id"]


def test_signing_ends_the_month_s_other_forms(office: Office, outcome: dict[str, Any]) -> None:
    """A form still waits for an older draft; the newer one is asked for by hand and signed there."""
    write_book(office.home.drop(MARCH) / f"{WRONG}.xlsx", WRONG, MARCH, households=58, reason="更正")
    office.ledger("run", "2019-03", expect=None)
    older = office.until(lambda: _suspended(office, 1))
    write_book(office.home.drop(MARCH) / f"{WRONG}.xlsx", WRONG, MARCH, households=59, reason="又更正")
    office.ledger("run", "2019-03", "--plain", expect=None)
    office.ask(f"/deployments/{older['deployment_id']}/create_flow_run", {"parameters": {"month": "2019-03"}})
    form = older["state"]["state_details"]["run_input_keyset"]["schema"]
    newer = office.until(lambda: _suspended(office, 1, unlike=form))
    answer(office, newer, "同意")
    assert office.until(lambda: _over(office, newer["id"]))["state_name"] == "Approved"
    ended = office.until(lambda: _over(office, older["id"]))
    assert (ended["state_name"], ended["state"]["message"]) == (
        "Approved elsewhere",
        "本月已经签发，不用再签。",
    )


def test_killed_between_signature_and_sending_it_sends_at_the_next_start(
    office: Office, outcome: dict[str, Any]
) -> None:
    """签发后随即发送, and kill -9 of the whole service as soon as the edition is on record."""
    # a correction, so that there is something to sign; the edition before was sent to nobody
    write_book(office.home.drop(MARCH) / f"{WRONG}.xlsx", WRONG, MARCH, households=61, reason="三次更正")
    office.ledger("run", "2019-03", expect=None)
    asked = office.until(lambda: _suspended(office, 1))
    before = len(_issued(office))
    pids = office.service.processes()
    answer(office, asked, "同意", send=True)
    for _ in range(12_000):
        if len(_issued(office)) > before:
            break
        time.sleep(0.01)
    office.service.kill()
    assert gone(pids)
    assert len(_issued(office)) == before + 1, "it was signed"
    left = Journal(office.home.journal).of_kind("mail_queued")
    assert not left, "killed before the sending began"

    # a form that was asked anew for newer drafts has begun often; that is no reason to give it up
    with closing(sqlite3.connect(office.home.prefect / "prefect.db")) as database, database:
        changed = database.execute("update flow_run set run_count = 5 where id = ?", (asked["id"],))
        assert changed.rowcount == 1
    office.start()
    signed = office.until(lambda: _over(office, asked["id"]))
    assert signed["state_name"] == "Approved", signed["state"]
    queued = office.until(lambda: _all_written(office, 3))
    assert len({event.payload["message_id"] for event in queued}) == len(queued) == 3
    # the last mail lies there a moment before its run is over
    office.until(lambda: all(run["state_type"] == "COMPLETED" for run in office.runs("补办")))


def _issued(office: Office) -> list[str]:
    return [name for name in Journal(office.home.journal).names() if name.endswith("-edition_issued.json")]


def _over(office: Office, run_id: str) -> dict[str, Any] | None:
    return next(
        (run for run in office.runs("签发") if run["id"] == run_id and run["state_type"] == "COMPLETED"), None
    )


def _all_written(office: Office, count: int) -> list[Event]:
    """The queued mails once as many lie in the outbox, none before."""
    queued = Journal(office.home.journal).of_kind("mail_queued")
    return queued if len(list(office.home.outbox(MARCH).glob("*.eml"))) == count else []


def _form(office: Office, run: dict[str, Any], part: str) -> Any:
    """A part of the form of a run that waits. Prefect says that it waits, then writes the form."""
    key = run["state"]["state_details"]["run_input_keyset"][part]

    def written() -> Any:
        try:
            return office.ask(f"/flow_runs/{run['id']}/input/{key}")
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return None

    return office.until(written)


def _suspended(office: Office, count: int, unlike: str = "") -> dict[str, Any] | None:
    """The one run that waits for an answer, of another form than `unlike`."""
    found = [run for run in office.runs("签发") if run["state_name"] == "Suspended"]
    others = [run for run in found if run["state"]["state_details"]["run_input_keyset"]["schema"] != unlike]
    alive = [run for run in office.runs("签发") if run["state_type"] in ("SCHEDULED", "PENDING", "RUNNING")]
    return others[0] if len(others) == count and not alive else None


def answer(office: Office, run: dict[str, Any], decision: str, *, send: bool = False) -> None:
    """Fill the form in, as the page does."""
    told = {"by": "某某", "decision": decision, "remark": "", "send": send}
    reply = office.ask(f"/flow_runs/{run['id']}/resume", {"run_input": told})
    assert reply["status"] == "ACCEPT", reply
