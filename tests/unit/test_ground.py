"""The ground the project stands on: the lock, the documents' links, nothing of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
BINARY = {".xlsx", ".xls", ".et", ".ods", ".png", ".jpg", ".pdf", ".db", ".zip", ".parquet"}


def project_files() -> list[Path]:
    """What git keeps, pictures and workbooks left out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git repository")
    files = [ROOT / name for name in listing.stdout.decode("utf-8").split("\0") if name]
    return [file for file in files if file.is_file() and file.suffix.lower() not in BINARY]


def texts() -> list[tuple[Path, str]]:
    found = []
    for file in project_files():
        try:
            found.append((file, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # a CSV in GB18030, as units send them
    assert len(found) > 50
    return found


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(found) > 15
    return found


def test_every_requirement_is_pinned_with_hashes() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    pinned = [entry for entry in entries if not entry.startswith("#")]
    assert len(pinned) > 80
    for entry in pinned:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_lock_has_no_addresses() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK


def test_every_wish_is_locked() -> None:
    locked = {
        name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9._-]+)", LOCK, re.MULTILINE)
    }
    for file in ("requirements.in", "requirements-dev.in"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            wish = re.match(r"[A-Za-z0-9._-]+", line)
            if wish and not line.startswith("-"):
                assert wish.group().lower().replace("_", "-") in locked, line


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith(("mailto:", "#")):
            continue
        path = (document.parent / target.partition("#")[0]).resolve()
        assert path.exists(), f"{document.relative_to(ROOT)}: {target}"
        assert path.is_relative_to(ROOT)


def test_decisions_named_in_the_code_exist() -> None:
    there = {file.name[:4] for file in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    for file, text in texts():
        for number in re.findall(r"docs/decisions/(\d{4})", text):
            assert number in there, f"{file.relative_to(ROOT)}: decision {number}"


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for file in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        assert f"({file.name})" in index


def test_no_path_of_one_machine() -> None:
    # written in halves, so that this file does not find itself
    places = ["/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "/wo" + "rk/", "C:" + "\\Users"]
    for file, text in texts():
        for place in places:
            assert place not in text, f"{file.relative_to(ROOT)}: {place}"


def test_no_package_index_is_named() -> None:
    words = ["py" + "pi.org", "index" + "-url", "files.python" + "hosted", "mirrors" + "."]
    for file, text in texts():
        if file.name == "requirements.lock":
            continue
        for word in words:
            assert word not in text, f"{file.relative_to(ROOT)}: {word}"


def test_make_help_names_every_public_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("report", "test", "check", "serve", "bench", "clean", "help"):
        assert re.search(rf"^{target}:.*## \S", text, re.MULTILINE), target


def test_set_up_scripts_are_executable() -> None:
    for script in ("tools/setup.sh", ".ci/run"):
        assert (ROOT / script).stat().st_mode & 0o111, script
