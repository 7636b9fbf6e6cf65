"""The journal and the originals on disk: chained, read-only, and honest about damage."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from ledger.errors import Busy, Damaged, UsageError
from ledger.recording.journal import Journal
from ledger.recording.lock import exclusive
from ledger.recording.originals import Originals, extension, hash_file


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal")
    for number in range(1, 4):
        journal.append("received", {"file_name": f"{number}号.xlsx"})
    return journal


def test_events_are_numbered_chained_and_read_only(journal: Journal) -> None:
    assert journal.names() == [f"00000{n}-received.json" for n in (1, 2, 3)]
    events = list(journal.events())
    assert [e.previous for e in events] == [None, events[0].sha256, events[1].sha256]
    assert hash_file(journal.folder / "000002-received.json") == events[1].sha256
    assert [e.payload["file_name"] for e in journal.events(after=2)] == ["3号.xlsx"]
    assert all(not path.stat().st_mode & 0o222 for path in journal.folder.iterdir())


def _rewrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_changed_event_breaks_the_chain(journal: Journal) -> None:
    path = journal.folder / "000001-received.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["payload"]["file_name"] = "别的.xlsx"
    _rewrite(path, json.dumps(content).encode())
    with pytest.raises(Damaged, match="000002-received"):
        list(journal.events())


def test_a_truncated_last_event_is_named_and_nothing_is_added_after_it(journal: Journal) -> None:
    path = journal.folder / "000003-received.json"
    _rewrite(path, path.read_bytes()[:40])
    with pytest.raises(Damaged, match="000003-received"):
        list(journal.events())
    with pytest.raises(Damaged, match="000003-received"):
        journal.append("received", {})
    assert len(journal.names()) == 3


def test_a_missing_event_is_named(journal: Journal) -> None:
    (journal.folder / "000002-received.json").unlink()
    with pytest.raises(Damaged, match="第 2 号事件缺少"):
        journal.names()


def test_a_renamed_event_is_told(journal: Journal) -> None:
    (journal.folder / "000003-received.json").rename(journal.folder / "000003-approved.json")
    with pytest.raises(Damaged, match="改名"):
        list(journal.events())


def test_what_a_killed_writer_left_is_swept(journal: Journal) -> None:
    left = journal.folder / ".aside-1-000004-received.json"
    left.write_bytes(b"{")
    assert journal.last_seq() == 3
    journal.append("approved", {"by": "县办"})
    assert not left.exists()
    assert journal.names()[-1] == "000004-approved.json"


def test_writers_take_turns(journal: Journal) -> None:
    def write(number: int) -> None:
        for step in range(5):
            Journal(journal.folder).append("received", {"by": number, "step": step})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = list(journal.events())
    assert len(events) == 43
    for number in range(8):
        assert [e.payload["step"] for e in events if e.payload.get("by") == number] == list(range(5))


def test_a_held_folder_is_busy(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path, "台帐"),
        pytest.raises(Busy, match="台帐"),
        exclusive(tmp_path, "台帐", wait=0.05),
    ):
        pass
    with exclusive(tmp_path, "台帐", wait=0.05):
        pass


def test_originals_are_kept_once_and_read_only(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals")
    source = tmp_path / "表 1.XLSX"
    source.write_bytes(b"bytes")
    kept = originals.keep(source)
    assert (kept.ext, kept.new) == ("xlsx", True)
    assert originals.keep(source).new is False
    path = originals.path(kept.sha256, kept.ext)
    assert path.name == f"{hash_file(source)}.xlsx"
    assert path.stat().st_mode & 0o777 == 0o444
    source.write_bytes(b"saved over")
    assert originals.read(kept.sha256, kept.ext) == b"bytes"
    assert list(originals.folder.iterdir()) == [path]
    _rewrite(path, b"other")
    with pytest.raises(Damaged, match=kept.sha256):
        originals.read(kept.sha256, kept.ext)
    path.unlink()
    with pytest.raises(Damaged, match="不在"):
        originals.read(kept.sha256, kept.ext)
    with pytest.raises(UsageError, match="没有"):
        originals.keep(tmp_path / "没有.xlsx")


def test_a_damaged_original_is_healed_by_the_same_file(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals")
    source = tmp_path / "a.xlsx"
    source.write_bytes(b"bytes")
    kept = originals.keep(source)
    _rewrite(originals.path(kept.sha256, "xlsx"), b"bytEs")
    assert originals.keep(source).new is True
    assert originals.read(kept.sha256, "xlsx") == b"bytes"


def test_unfinished_copies_are_swept_once_nobody_writes_them(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    old, young = tmp_path / ".aside-1-aa", tmp_path / ".aside-2-bb"
    for path in (old, young):
        path.write_bytes(b"b")
    os.utime(old, (0, 0))
    originals.sweep()
    assert list(tmp_path.iterdir()) == [young]


def test_odd_endings() -> None:
    assert [extension(n) for n in ("a.ET", "a", "a.表", "a.xlsx ", ".xls")] == [
        "et",
        "bin",
        "bin",
        "bin",
        "bin",
    ]
