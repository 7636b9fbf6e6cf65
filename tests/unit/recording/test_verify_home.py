"""`ledger verify`: sound where nothing was touched; else the first thing wrong, and what to do."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.calendar import parse_moment
from ledger.errors import Damaged, UsageError
from ledger.home import Home
from ledger.recording.journal import Journal
from ledger.recording.proof import prove
from ledger.recording.proof_words import Fault, Proof
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, write_file, write_plan


@pytest.fixture
def filled(open_ledger, home: Home, tmp_path: Path):
    """A correction, a return, a receipt before the plan; the last file still in its drop folder."""
    files = [
        write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}, P2: {}}),
        write_file(tmp_path / "2.json", B, "2018-06", projects={P3: {"remarks": "退回"}}),
        write_file(home.drop(Month(2018, 6)) / "3.json", A, "2018-06", "改", projects={P1: {}}),
    ]
    with open_ledger() as ledger:
        ledger.receive(files[:1], parse_moment("2018-07-01"))
        ledger.catch_up()
        ledger.register_plan(write_plan(tmp_path), 2018)
        for number, file in enumerate(files[1:], start=2):
            ledger.receive([file], parse_moment(f"2018-07-0{number}"))
        ledger.catch_up()
    return open_ledger


@pytest.fixture
def proved(filled, home: Home) -> Callable[..., Proof]:
    with filled() as ledger:
        url = ledger._url
    return lambda **how: prove(home, REGISTRY, url=url, tools=TOOLS, **how)


@pytest.fixture
def on_file(proved: Callable[..., Proof], home: Home, request: pytest.FixtureRequest):
    """The same, where the ledger is a file."""
    if not home.database.exists():
        pytest.skip("about ledger files")
    return proved


def fault_of(proof: Proof) -> Fault:
    assert proof.fault is not None, proof
    assert proof.fault.remedy and proof.fault.what
    return proof.fault


def everything(home: Home) -> dict[str, str]:
    return {
        str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def event_file(home: Home, seq: int) -> Path:
    return home.journal / Journal(home.journal).names()[seq - 1]


def rewrite(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    content["payload"].update(changes)
    path.chmod(0o644)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def change_ledger(home: Home, *statements: str, sealed: bool = False) -> None:
    """Change the ledger's file as another program might, its triggers out of the way."""
    with sqlite3.connect(home.database) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount != 0
    connection.close()
    if not sealed:
        home.database.with_name("ledger.db.seal").unlink()


def test_a_sound_home_is_proved_and_not_touched(proved, home: Home) -> None:
    before = everything(home)
    proof = proved()
    assert (proof.fault, proof.notes) == (None, [])
    assert len(proof.lines) == 4 and proof.counts["originals"] == 4
    assert proof.counts["versions"] == 2
    assert proved(quick=True).lines == proof.lines[:3]
    assert everything(home) == before


def test_no_home_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        prove(Home(tmp_path / "nothing"), REGISTRY, tools=TOOLS)
    assert not (tmp_path / "nothing").exists()


def test_what_waits_is_no_fault(proved, filled, tmp_path: Path) -> None:
    late = write_file(tmp_path / "4.json", A, "2018-07", projects={P1: {"fiscal_paid_cum_fen": 3}})
    with filled() as ledger:
        ledger.receive([late], parse_moment("2018-08-01"))
    proof = proved()
    assert proof.fault is None
    assert "1 个事件没有入账" in proof.notes[0]


def test_without_a_ledger_the_journals_digest_is_the_witness(on_file, home: Home) -> None:
    home.database.unlink()
    proof = on_file()
    assert proof.fault is None and "还没有台帐文件" in proof.notes[0]
    assert not home.database.exists()


def test_a_missing_event(proved, home: Home) -> None:
    event_file(home, 3).unlink()
    fault = fault_of(proved())
    assert "第 3 号事件缺少" in fault.what and "备份" in fault.remedy


def test_events_missing_at_the_end(proved, home: Home) -> None:
    names = Journal(home.journal).names()
    kept = next(n for n, name in enumerate(names) if name.endswith("plan_registered.json")) + 1
    for name in names[kept:]:
        (home.journal / name).unlink()
    assert f"日志缺少第 {kept + 1} 号起的事件" in fault_of(proved()).what


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_the_last_event_is_proved_though_the_ledger_does_not_hold_it(
    proved, filled, home: Home, tmp_path: Path, damage: str
) -> None:
    """After a run the journal's last event is the digest; nothing is written behind a lost one."""
    last = event_file(home, 0)
    assert last.name.endswith("-digest.json")
    content = last.read_bytes()
    if damage == "gone":
        last.unlink()
    else:
        last.chmod(0o644)
        last.write_bytes(content.replace(b'"recorded_at": "2', b'"recorded_at": "1'))
    fault = fault_of(proved())
    assert str(int(last.name[:6])) in fault.what and "备份" in fault.remedy
    late = write_file(tmp_path / "4.json", A, "2018-07", projects={P1: {}})
    names = Journal(home.journal).names()
    with filled() as ledger:
        with pytest.raises(Damaged, match="备份"):
            ledger.receive([late], parse_moment("2018-08-01"))
        with pytest.raises(Damaged, match="--accept-loss"):
            ledger.catch_up()
    assert Journal(home.journal).names() == names
    last.unlink(missing_ok=True)
    last.write_bytes(content)
    assert proved().fault is None


def test_a_journal_that_is_gone_is_a_fault_and_no_wrong_usage(on_file, home: Home) -> None:
    shutil.rmtree(home.journal)
    assert "第 1 号起" in fault_of(on_file()).what
    shutil.rmtree(home.processed)
    fault = fault_of(on_file())
    assert "日志不见了" in fault.what and "4 个" in fault.what


@pytest.mark.parametrize("kind", ["received", "plan_registered"])
def test_a_changed_event_is_named_itself(proved, home: Home, kind: str) -> None:
    """Not the one after it, whose link is the first that does not fit."""
    seq = next(n for n, name in enumerate(Journal(home.journal).names(), 1) if name.endswith(f"{kind}.json"))
    path = event_file(home, seq)
    rewrite(path, file_name="别的.json")
    fault = fault_of(proved())
    assert fault.where == f"data/raw/journal/{path.name}"
    assert path.name in fault.what and "被改动过" in fault.what


def test_the_last_applied_event_changed(proved, home: Home) -> None:
    names = Journal(home.journal).names()
    assert names[-1].endswith("digest.json")
    (home.journal / names[-1]).unlink()
    path = event_file(home, len(names) - 1)
    rewrite(path, received_at="2018-07-05T00:00:00+08:00")
    fault = fault_of(proved())
    assert fault.where.endswith(path.name) and "与入账时不同" in fault.what


def test_a_truncated_event(proved, home: Home) -> None:
    path = event_file(home, 2)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:40])
    assert path.name in fault_of(proved()).what


def test_another_journal(proved, home: Home) -> None:
    """Rewritten and chained anew: only the ledger knows."""
    previous = None
    for name in Journal(home.journal).names():
        path = home.journal / name
        content = json.loads(path.read_text(encoding="utf-8"))
        content["previous"], content["recorded_at"] = previous, "2018-07-09T00:00:00+08:00"
        path.chmod(0o644)
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        previous = hashlib.sha256(path.read_bytes()).hexdigest()
    assert "不是一套" in fault_of(proved()).what


def original_of(home: Home, file_name: str) -> Path:
    event = next(e for e in Journal(home.journal).events() if e.payload.get("file_name") == file_name)
    return home.originals / f"{event.payload['sha256']}.json"


def test_an_original_lost_and_found_in_its_drop_folder(proved, home: Home) -> None:
    path = original_of(home, "3.json")
    path.unlink()
    fault = fault_of(proved())
    assert fault.where == f"data/raw/originals/{path.name}" and "3.json" in fault.what
    assert "data/raw/2018-06/3.json 的内容与它相同" in fault.remedy
    path.write_bytes((home.drop(Month(2018, 6)) / "3.json").read_bytes())
    assert proved().fault is None


def test_a_changed_original(proved, home: Home) -> None:
    path = original_of(home, "1.json")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    fault = fault_of(proved())
    assert "与收到时不同" in fault.what and "备份" in fault.remedy


def test_a_copy_nobody_named_is_a_note(proved, home: Home) -> None:
    (home.originals / f"{'0' * 64}.json").write_bytes(b"left by a crash")
    proof = proved(quick=True)
    assert proof.fault is None and "没有提到" in proof.notes[0]


def test_a_changed_ledger_file(on_file, home: Home) -> None:
    change_ledger(home, "UPDATE projects_rows SET fiscal_paid_cum_fen = 7 WHERE version = 1", sealed=True)
    fault = fault_of(on_file(quick=True))
    assert fault.where == "data/processed/ledger.db" and "ledger rebuild" in fault.remedy


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE receipts SET sha256 = 'x' WHERE file_name = '2.json'", "2.json）与日志不同"),
        ("DELETE FROM receipts WHERE file_name = '2.json'", "台帐中缺少"),
        ("UPDATE table_versions SET version = 5 WHERE version = 2", "版次不连续"),
        ("UPDATE projects_rows SET submission_id = 99 WHERE version = 1", "来历不明"),
        ("UPDATE plan_versions SET sha256 = 'x'", "登记的计划与日志不同"),
        ("DELETE FROM events_applied WHERE kind = 'plan_registered'", "没有入账"),
        (
            "UPDATE events_applied SET digest = 'x' WHERE position = (SELECT max(position) FROM events_applied)",
            "校验值",
        ),
    ],
)
def test_a_changed_record_without_a_seal(on_file, home: Home, statement: str, words: str) -> None:
    change_ledger(home, statement)
    assert words in fault_of(on_file(quick=True)).what


def test_a_changed_figure_without_a_seal(on_file, home: Home) -> None:
    change_ledger(home, "UPDATE projects_rows SET fiscal_paid_cum_fen = 7 WHERE version = 1")
    assert on_file(quick=True).fault is None
    fault = fault_of(on_file())
    assert "projects_rows" in fault.where and P1 in fault.where


def test_a_ledger_file_that_is_none(on_file, home: Home) -> None:
    home.database.with_name("ledger.db.seal").unlink()
    home.database.write_bytes(b"not a database!!" + home.database.read_bytes()[16:])
    fault = fault_of(on_file(quick=True))
    assert "已损坏" in fault.what and "ledger rebuild" in fault.remedy
