"""Rebuilding: the same rows from data/raw alone, and what verification says of damage."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from ledger.calendar import parse_moment
from ledger.errors import Damaged
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import rebuild, verify
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, write_file, write_plan

JUNE = Month(2018, 6)


@pytest.fixture
def filled(open_ledger, tmp_path: Path):
    """A ledger with a receipt before the plan, a correction, a return and a repetition."""
    files = [
        write_file(tmp_path / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 1}, P2: {}}),
        write_file(tmp_path / "2.json", B, "2018-06", projects={P3: {"remarks": "退回"}}),
        write_file(tmp_path / "3.json", A, "2018-06", "改", projects={P1: {"fiscal_paid_cum_fen": 2}}),
    ]
    with open_ledger() as ledger:
        ledger.receive(files[:1], parse_moment("2018-07-01"))
        ledger.catch_up()
        ledger.register_plan(write_plan(tmp_path), 2018)
        for number, file in enumerate([*files[1:], files[2]], start=2):
            ledger.receive([file], parse_moment(f"2018-07-0{number}"))
        ledger.catch_up()
    return open_ledger


def url_of(open_ledger) -> str | None:
    with open_ledger() as ledger:
        return ledger._url


def all_exports(open_ledger) -> list[object]:
    with open_ledger() as ledger:
        ledger.catch_up()
        names = ("projects", "submissions", "findings", "corrections")
        return [export(ledger, JUNE, name) for name in names]


def all_rows(open_ledger) -> list[object]:
    """What the ledger holds, the journal not asked."""
    with open_ledger() as ledger:
        return [export(ledger, JUNE, name) for name in ("projects", "submissions", "findings")]


def test_rebuilt_and_verified(filled, home: Home) -> None:
    url = url_of(filled)
    before = all_exports(filled)
    assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []
    outcome = rebuild(home, REGISTRY, url=url, tools=TOOLS)
    assert (outcome.differences, outcome.counts["receipts"]) == ([], 4)
    assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []
    assert all_exports(filled) == before
    shutil.rmtree(home.processed)
    events = sorted(home.journal.iterdir())
    assert all_exports(filled) == before
    assert sorted(home.journal.iterdir()) == events


def _without_ledger(filled, home: Home) -> None:
    if url_of(filled) is not None:
        pytest.skip("about ledger files")
    shutil.rmtree(home.processed)


def test_without_a_ledger_the_journals_digest_is_compared(filled, home: Home) -> None:
    _without_ledger(filled, home)
    outcome = verify(home, REGISTRY, tools=TOOLS)
    assert outcome.differences == []
    assert not home.database.exists()
    other = TOOLS.__class__(TOOLS.read, TOOLS.check, _lenient_plan)
    assert verify(home, REGISTRY, tools=other).differences == ["重建结果与日志中的校验值不同"]


def _lenient_plan(data, name, year, version, registry):
    plan = TOOLS.check_plan(data, name, year, version, registry)
    return plan.__class__(plan.year, plan.version, plan.sha256, plan.file_name, plan.items[:-1])


def test_verification_names_what_is_wrong(filled, home: Home) -> None:
    if url_of(filled) is not None:
        pytest.skip("about ledger files")
    with sqlite3.connect(home.database) as connection:
        connection.execute("DROP TRIGGER no_update_projects_rows")
        connection.execute("UPDATE projects_rows SET fiscal_paid_cum_fen = 7 WHERE version = 2")
    outcome = verify(home, REGISTRY, tools=TOOLS)
    assert any(
        line == "projects_rows（2018-06, 2018-A1-01, 999001, 2）：内容不同" for line in outcome.differences
    )
    original = next(home.originals.glob("*.json"))
    original.chmod(0o644)
    original.write_bytes(b"changed")
    (difference,) = verify(home, REGISTRY, tools=TOOLS).differences
    assert original.name in difference


def test_a_damaged_ledger_file_says_what_to_do_and_is_rebuilt(filled, home: Home) -> None:
    if url_of(filled) is not None:
        pytest.skip("about ledger files")
    before = all_exports(filled)
    seal = home.database.with_name("ledger.db.seal")
    data = bytearray(home.database.read_bytes())
    data[0:16] = b"not a database!!"
    home.database.write_bytes(data)
    seal.unlink()
    with pytest.raises(Damaged, match="ledger rebuild"):
        all_exports(filled)
    rebuild(home, REGISTRY, tools=TOOLS)
    assert all_exports(filled) == before


@pytest.mark.parametrize("part", range(6))
def test_a_changed_ledger_file_is_built_anew(filled, home: Home, part: int) -> None:
    """A flipped bit that SQLite does not notice, wherever it is: no wrong figure is shown."""
    if url_of(filled) is not None:
        pytest.skip("about ledger files")
    before = all_exports(filled)
    data = bytearray(home.database.read_bytes())
    data[len(data) * part // 6 + 50] ^= 4
    home.database.write_bytes(data)
    with Ledger.open(home, REGISTRY, tools=TOOLS, readonly=True) as ledger:
        assert export(ledger, JUNE, "projects") == before[0]
    with filled() as ledger:
        assert ledger.months() == [JUNE]
        assert ["重建" in message for message in ledger.messages] == [True]
    assert all_exports(filled) == before
    assert verify(home, REGISTRY, tools=TOOLS).differences == []


def test_an_older_ledger_is_rebuilt_with_a_message(
    filled, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_exports(filled)
    monkeypatch.setattr(tables, "SCHEMA_VERSION", tables.SCHEMA_VERSION + 1)
    with filled() as ledger:
        assert ledger.months() == [JUNE]
        assert len(ledger.messages) == 1
    assert all_exports(filled) == before
    with filled() as ledger:
        assert ledger.months() and ledger.messages == []


def test_a_ledger_of_another_journal_is_refused(filled, home: Home) -> None:
    last = sorted(home.journal.iterdir())[-1]
    for path in sorted(home.journal.iterdir())[-3:]:
        path.unlink()
    assert not last.exists()
    with filled() as ledger, pytest.raises(Damaged, match="rebuild"):
        ledger.catch_up()
    before = all_rows(filled)
    with pytest.raises(Damaged, match="备份"):
        rebuild(home, REGISTRY, url=url_of(filled), tools=TOOLS)
    # without a witness beside it the ledger itself is one
    home.journal_head.unlink()
    with pytest.raises(Damaged, match="备份"):
        rebuild(home, REGISTRY, url=url_of(filled), tools=TOOLS)
    assert all_rows(filled) == before
    rebuild(home, REGISTRY, url=url_of(filled), tools=TOOLS, accept_loss=True)
    with filled() as ledger:
        assert ledger.catch_up() == []


def test_a_home_can_be_copied(filled, home: Home, tmp_path: Path) -> None:
    if url_of(filled) is not None:
        pytest.skip("about ledger files")
    before = all_exports(filled)
    shutil.copytree(home.root, tmp_path / "copy")
    shutil.rmtree(home.root)
    with Ledger.open(Home(tmp_path / "copy"), REGISTRY, tools=TOOLS) as ledger:
        names = ("projects", "submissions", "findings", "corrections")
        assert [export(ledger, JUNE, name) for name in names] == before
    stored = [
        p for p in (tmp_path / "copy").rglob("*") if p.is_file() and str(tmp_path).encode() in p.read_bytes()
    ]
    assert stored == []
