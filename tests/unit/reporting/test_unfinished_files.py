"""What a killed run left half written is cleared; nobody's own files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.reporting import writer


def test_a_killed_write_is_cleared_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "reports" / "单位"
    folder.mkdir(parents=True)
    writer.put(folder / "月报-2018-06-草稿.pdf", b"whole")
    own = folder / ".说明.txt"
    own.write_text("县办自己的")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            writer.put(folder / "月报-2018-06-草稿.pdf", b"new")
    assert len(list(folder.iterdir())) == 3
    writer.clear_unfinished(tmp_path / "reports")
    assert sorted(folder.iterdir()) == sorted([own, folder / "月报-2018-06-草稿.pdf"])
    assert (folder / "月报-2018-06-草稿.pdf").read_bytes() == b"whole"
    writer.clear_unfinished(tmp_path / "nothing")
