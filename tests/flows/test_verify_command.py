"""`ledger verify` as an outsider runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
LEDGER = str(Path(sys.executable).with_name("ledger"))


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = [LEDGER, *words, "--home", str(home)]
    return subprocess.run(done, capture_output=True, text=True, check=False, timeout=120)


def test_sound_then_damaged_then_mended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    subprocess.run([LEDGER, "init", str(home)], check=True, capture_output=True)
    assert run(home, "verify").returncode == 2
    assert run(home, "plan", str(PLAN), "--year", "2018").returncode == 1
    sound = run(home, "verify", "--json")
    assert (sound.returncode, json.loads(sound.stdout)["sound"]) == (0, True)
    (original,) = (home / "data" / "raw" / "originals").glob("*.xlsx")
    content = original.read_bytes()
    original.chmod(0o644)
    original.write_bytes(content[:-1])
    damaged = run(home, "verify", "--quick")
    assert damaged.returncode == 1
    assert f"✗ 原件 data/raw/originals/{original.name}" in damaged.stdout
    assert "请从备份恢复" in damaged.stdout
    fault = json.loads(run(home, "verify", "--quick", "--json").stdout)["fault"]
    assert fault["where"] == f"data/raw/originals/{original.name}"
    original.write_bytes(content)
    assert run(home, "verify").returncode == 0
