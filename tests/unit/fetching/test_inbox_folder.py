"""The inbox: what is taken in, once, and what is left alone."""

from __future__ import annotations

import os
import shutil
import threading
import time
import zipfile
from pathlib import Path

import pytest

from flows.fetch import Fetched, fetch
from ledger.calendar import moment_text
from ledger.errors import Busy, UsageError
from ledger.fetching import inbox
from ledger.fetching.from_inbox import take_inbox
from ledger.fetching.memory import Memory
from ledger.home import Home
from ledger.recording import originals
from ledger.recording.journal import Journal
from ledger.recording.lock import exclusive
from tests.fake_programme import A, B, new_home, write_file
from tests.mails import attached, mail


def made(folder: Path) -> Home:
    home = new_home(folder / "home")
    home.inbox.mkdir()
    return home


def looked(home: Home, settle: float = 0) -> list[str]:
    """The names taken in by one look, received or set aside."""
    memory = Memory.load(home)
    done = take_inbox(home, memory, settle=settle)
    memory.save(home)
    return [one.name for one in done.taken]


def journaled(home: Home) -> list[tuple[str, str]]:
    return [(event.kind, event.payload["file_name"]) for event in Journal(home.journal).events()]


def lying(home: Home) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(home.inbox)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in home.inbox.rglob("*")
        if path.is_file()
    }


def test_each_file_is_received_once_and_left_as_it_is(tmp_path: Path) -> None:
    home = made(tmp_path)
    write_file(home.inbox / "甲.json", A, "2018-09")
    write_file(home.inbox / "九月" / "乙.json", B, "2018-09")
    before = lying(home)
    assert looked(home) == ["九月/乙.json", "甲.json"]
    assert looked(home) == []
    assert lying(home) == before
    (first, second) = Journal(home.journal).of_kind("received")
    assert (first.payload["source"], first.payload["month"]) == ("inbox", None)
    assert second.payload["file_name"] == "甲.json"


def test_a_scan_is_set_aside_and_half_a_workbook_is_told_to_its_unit(tmp_path: Path) -> None:
    home = made(tmp_path)
    (home.inbox / "盖章.pdf").write_bytes(b"%PDF-1.4 ...")
    (home.inbox / "半份.xlsx").write_bytes(b"PK\x03\x04\x14\x00")
    (home.inbox / "7z.xlsx").write_bytes(b"7z\xbc\xaf\x27\x1c...")
    memory = Memory.load(home)
    why = {one.name: one.why for one in take_inbox(home, memory, settle=0).taken}
    assert why["盖章.pdf"].startswith("不是表格")
    assert why["半份.xlsx"] == ""
    assert "7z" in why["7z.xlsx"]
    assert looked(home) == []


def test_nothing_is_received_twice_where_the_memory_is_lost(tmp_path: Path) -> None:
    home = made(tmp_path)
    write_file(home.inbox / "甲.json", A, "2018-09")
    looked(home)
    shutil.rmtree(home.processed)
    assert looked(home) == []
    (home.processed / "fetched.json").write_text('{"upto": 1, "sha256": "another journal')
    assert looked(home) == []
    (home.processed / "fetched.json").write_text('{"upto": 1, "sha256": "of another journal"}')
    assert looked(home) == []


def test_a_memory_of_another_journal_hides_no_file(tmp_path: Path) -> None:
    home = made(tmp_path)
    write_file(home.inbox / "甲.json", A, "2018-09")
    looked(home)
    shutil.rmtree(home.journal)
    assert looked(home) == ["甲.json"]


def test_a_file_saved_over_is_received_again_and_back_again(tmp_path: Path) -> None:
    home = made(tmp_path)
    file = write_file(home.inbox / "甲.json", A, "2018-09")
    first = file.read_bytes()
    looked(home)
    write_file(file, A, "2018-09", note="更正")
    assert looked(home) == ["甲.json"]
    file.write_bytes(first)
    assert looked(home) == ["甲.json"]
    os.utime(file)
    assert looked(home) == [], "the same content under the same name is not new"
    assert len(journaled(home)) == 3


def test_what_nobody_sent_is_left_alone(tmp_path: Path) -> None:
    home = made(tmp_path)
    for name in (
        "~$甲.xlsx",
        ".~lock.甲.ods#",
        "甲.xlsx.part",
        "乙.crdownload",
        "Thumbs.db",
        "__MACOSX/甲.xlsx",
        "x.tmp",
    ):
        write_file(home.inbox / name, A, "2018-09")
    (home.inbox / "received.csv").write_text("file_name,received_at\n")
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (home.inbox / "链接.json").symlink_to(secret)
    (home.inbox / "文件夹").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(home.inbox / "pipe.xlsx")
    assert looked(home) == []


def test_an_inbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert looked(new_home(tmp_path / "home")) == []


def test_a_file_being_copied_in_is_left_until_it_keeps_still(tmp_path: Path) -> None:
    home = made(tmp_path)
    whole = write_file(home.inbox / "甲.json", A, "2018-09")
    growing = home.inbox / "乙.json"
    stop = threading.Event()

    def copy() -> None:
        with growing.open("wb") as file:
            while not stop.is_set():
                file.write(b" ")
                file.flush()
                time.sleep(0.01)

    writer = threading.Thread(target=copy)
    writer.start()
    while not growing.exists():
        time.sleep(0.01)
    try:
        memory = Memory.load(home)
        done = take_inbox(home, memory, settle=0.3)
    finally:
        stop.set()
        writer.join()
    assert [one.name for one in done.taken] == [whole.name]
    assert done.moving == ["乙.json"]
    write_file(growing, B, "2018-09")
    assert looked(home, settle=0.05) == ["乙.json"]


def test_a_file_that_changes_while_it_is_taken_in_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made(tmp_path)
    file = write_file(home.inbox / "甲.json", A, "2018-09")
    monkeypatch.setattr(inbox, "lies_as_before", lambda one: False)
    assert looked(home) == []
    monkeypatch.undo()
    assert looked(home) == [file.name]


def test_a_clock_that_runs_behind_the_files_takes_two_looks(tmp_path: Path) -> None:
    home = made(tmp_path)
    file = write_file(home.inbox / "甲.json", A, "2018-09")
    ahead = time.time() + 3600
    os.utime(file, (ahead, ahead))
    assert looked(home, settle=0.05) == ["甲.json"]


def test_a_file_that_can_not_be_opened_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made(tmp_path)
    bad = write_file(home.inbox / "甲.json", A, "2018-09")
    write_file(home.inbox / "乙.json", B, "2018-09")
    real = originals.hash_file

    def refused(path: Path) -> str:
        if path == bad:
            raise UsageError("打不开")
        return real(path)

    monkeypatch.setattr("ledger.fetching.from_inbox.hash_file", refused)
    memory = Memory.load(home)
    done = take_inbox(home, memory, settle=0)
    memory.save(home)
    assert [one.name for one in done.taken] == ["乙.json"]
    assert done.unreadable == ["甲.json"]
    monkeypatch.undo()
    assert looked(home) == ["甲.json"]


def test_received_csv_says_when(tmp_path: Path) -> None:
    home = made(tmp_path)
    write_file(home.inbox / "甲.json", A, "2018-09")
    write_file(home.inbox / "乙.json", B, "2018-09")
    (home.inbox / "received.csv").write_text(
        "file_name,received_at\n甲.json,2018-10-04T17:00\n", encoding="utf-8"
    )
    assert looked(home) == ["甲.json", "乙.json"], "by time of receipt"
    first = Journal(home.journal).events()
    assert next(iter(first)).payload["received_at"] == "2018-10-04T17:00:00+08:00"


def test_an_archive_is_opened_and_every_file_in_it_received_once(tmp_path: Path) -> None:
    home = made(tmp_path)
    with zipfile.ZipFile(home.inbox / "各镇.zip", "w") as archive:
        for number, unit in enumerate((A, B)):
            archive.write(write_file(tmp_path / f"{number}.xlsx", unit, "2018-09"), f"{number}镇/报表.xlsx")
        archive.write(write_file(tmp_path / "c.txt", B, "2018-08"), "说明.txt")
    assert looked(home) == ["各镇.zip/0镇/报表.xlsx", "各镇.zip/1镇/报表.xlsx", "各镇.zip/说明.txt"]
    first, _, third = Journal(home.journal).events()
    kept = home.originals / f"{first.payload['within']['各镇.zip']}.zip"
    assert kept.read_bytes() == (home.inbox / "各镇.zip").read_bytes()
    assert (third.kind, third.payload["kept"]) == ("set_aside", None)
    shutil.rmtree(home.processed)
    assert looked(home) == []


def test_a_mail_saved_into_the_inbox_is_opened(tmp_path: Path) -> None:
    home = made(tmp_path)
    book = write_file(tmp_path / "1.xlsx", A, "2018-09").read_bytes()
    (home.inbox / "转发.eml").write_bytes(mail([attached("报表.xlsx", book)], sender=b"who@ever.example"))
    (home.inbox / "空信.EML").write_bytes(mail())
    assert looked(home) == ["空信.EML", "转发.eml/报表.xlsx"]
    assert [kind for kind, _ in journaled(home)] == ["set_aside", "received"]
    shutil.rmtree(home.processed)
    assert looked(home) == []


def test_a_film_is_neither_read_nor_copied(tmp_path: Path) -> None:
    home = made(tmp_path)
    with (home.inbox / "录像.mp4").open("wb") as file:
        file.truncate(3 << 30)
    assert looked(home) == ["录像.mp4"]
    shutil.rmtree(home.processed)
    assert looked(home) == []
    assert not home.originals.exists()


@pytest.mark.parametrize(
    "head", [b"Rar!\x1a\x07\x00", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"PK\x03\x04" + bytes(40)]
)
def test_an_archive_that_stays_closed_is_set_aside_once(tmp_path: Path, head: bytes) -> None:
    home = made(tmp_path)
    (home.inbox / "报表.rar").write_bytes(head + bytes(30))
    assert looked(home) == ["报表.rar"]
    assert looked(home) == []
    shutil.rmtree(home.processed)
    assert looked(home) == []
    (event,) = Journal(home.journal).events()
    assert (event.kind, event.payload["source"]) == ("set_aside", "inbox")
    assert "请" in event.payload["why"]
    assert not home.originals.exists(), "it lies in the inbox"


def test_a_thousand_files_known_already_cost_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # what it costs to keep them is not asked here
    home = made(tmp_path)
    for number in range(1000):
        (home.inbox / f"{number}.csv").write_text(f"{number}")
    memory = Memory.load(home)
    assert len(take_inbox(home, memory, settle=0).taken) == 1000
    memory.save(home)
    opened: list[str] = []
    real = Path.open
    with pytest.MonkeyPatch.context() as patch:
        started = time.process_time()
        patch.setattr(
            Path,
            "open",
            lambda path, *given, **named: opened.append(path.name) or real(path, *given, **named),
        )
        assert looked(home) == []
    assert not [name for name in opened if name.endswith(".csv")], "none is read again"
    assert time.process_time() - started < 2


# --- the whole look


def test_a_second_look_at_the_same_time_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = made(tmp_path)
    (home.locks / "fetch").mkdir(parents=True)
    monkeypatch.setattr("flows.fetch.PATIENCE", 0.05)
    with exclusive(home.locks / "fetch", "收件箱"), pytest.raises(Busy, match="收件箱"):
        fetch(home, settle=0)


def test_a_look_that_finds_nothing_writes_nothing_into_the_journal(tmp_path: Path) -> None:
    home = made(tmp_path)
    assert fetch(home, settle=0) == Fetched()
    assert not home.journal.exists()
    assert not home.database.exists()


def test_what_was_taken_in_is_told_by_its_moment(tmp_path: Path) -> None:
    home = made(tmp_path)
    write_file(home.inbox / "甲.json", A, "2018-09")
    memory = Memory.load(home)
    (taken,) = take_inbox(home, memory, settle=0).taken
    (event,) = Journal(home.journal).events()
    assert moment_text(taken.received_at) == event.payload["received_at"]
