"""What the Prefect page shows, computed without Prefect: artifacts, links, the draft's digest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from flows import artifacts, drafts, show
from flows.announce import Event, announce, resource_id
from flows.documents import find
from flows.monthly import Walk
from ledger.home import Home
from schemas.month import Month

SEPTEMBER = Month(2018, 9)


def status(findings: int) -> dict[str, Any]:
    """A month's status with so many findings, one unit after the other."""
    names = {"1": "甲镇", "2": "乙镇"}
    return {
        "month": "2018-09",
        "units": [{"unit_code": code, "unit_name": name} for code, name in names.items()],
        "findings": [
            {
                "unit_code": str(2 - number % 2),
                "severity": "error" if number % 3 == 0 else "warning",
                "table": "projects",
                "cell": None if number == 1 else f"K{number}",
                "row": 7,
                "sheet": "表1",
                "message": f"第{number}个问题",
                "remedy": "请改正",
            }
            for number in range(findings)
        ],
    }


def shown(page: artifacts.Page) -> list[tuple[str, str, str]]:
    """(unit, severity, place) of each finding on the page."""
    rows, unit = [], ""
    for line in page.markdown.splitlines():
        if line.startswith("### "):
            unit = line.removeprefix("### ")
        elif line.startswith("- **"):
            severity, _, rest = line.removeprefix("- **").partition("**　")
            rows.append((unit, severity, rest.partition("：")[0]))
    return rows


def test_findings_stand_by_unit_the_gravest_first() -> None:
    page = artifacts.findings(status(6))
    assert shown(page) == [
        ("甲镇", "错误", "表1 K3"),
        ("甲镇", "提示", "表1 第 7 行"),
        ("甲镇", "提示", "表1 K5"),
        ("乙镇", "错误", "表1 K0"),
        ("乙镇", "提示", "表1 K2"),
        ("乙镇", "提示", "表1 K4"),
    ]
    assert "  - 怎么办：请改正" in page.markdown
    assert "错误 2 条、提示 4 条" in page.description
    assert "还有" not in page.description


def test_a_place_that_the_sentence_names_is_not_said_twice() -> None:
    one = status(1)
    one["findings"][0]["message"] = "表1 援建项目 K0：第0个问题"
    assert "- **错误**　表1 援建项目 K0：第0个问题" in artifacts.findings(one).markdown


def test_what_is_not_shown_is_counted() -> None:
    page = artifacts.findings(status(artifacts.FINDINGS_SHOWN + 31))
    assert len(shown(page)) == artifacts.FINDINGS_SHOWN
    assert "还有 31 条" in page.description
    assert "没有" in artifacts.findings(status(0)).description


@pytest.mark.parametrize("folder", ["main", "建始", "云岚 2019", "A_b", "a-b", "..."])
def test_keys_are_what_prefect_takes_and_each_home_has_its_own(folder: str) -> None:
    key = artifacts.key_of(Home(Path("/srv") / folder), SEPTEMBER, "reported")
    assert re.fullmatch(r"[a-z0-9-]+", key)
    others = {
        artifacts.key_of(Home(Path("/srv") / other), SEPTEMBER, "reported")
        for other in ("建始县", "云岚2019", "a_b", "ab")
    }
    assert key not in others


def test_the_page_and_the_command_use_the_same_words() -> None:
    assert {state: word for state, (word, _) in show._STATE.items()} == artifacts.STATES


def test_markdown_shows_text_letter_by_letter() -> None:
    assert artifacts.plain("[点这里](http://x)<b>*") == r"\[点这里\]\(http://x\)\<b\>\*"


def test_documents_are_found_only_among_the_reports(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.unit_reports(SEPTEMBER)
    folder.mkdir(parents=True)
    (folder / "月报.pdf").write_bytes(b"%PDF-")
    (folder / ".half.pdf").write_bytes(b"%PDF-")
    (home.outbox(SEPTEMBER)).mkdir()
    (home.outbox(SEPTEMBER) / "mail.eml").write_bytes(b"To: somebody")
    (tmp_path / "secret.pdf").write_bytes(b"%PDF-")
    (folder / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    homes = {"本县": home}
    assert (
        find(homes, "/%E6%9C%AC%E5%8E%BF/2018-09/%E5%8D%95%E4%BD%8D/%E6%9C%88%E6%8A%A5.pdf")
        == folder / "月报.pdf"
    )
    for path in (
        "/本县/2018-09/单位/.half.pdf",
        "/本县/2018-09/单位/link.pdf",
        "/本县/2018-09/outbox/mail.eml",
        "/本县/../secret.pdf",
        "/本县/2018-09/单位",
        "/另一县/2018-09/单位/月报.pdf",
    ):
        assert find(homes, path) is None, path


def test_another_draft_has_another_digest(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.reports(SEPTEMBER)
    folder.mkdir(parents=True)
    assert drafts.waiting(home, SEPTEMBER) is None
    page = folder / "月报-2018-09-草稿.html"
    page.write_text("甲", encoding="utf-8")
    first = drafts.waiting(home, SEPTEMBER)
    assert first is not None
    (folder / "月报-2018-09-草稿.pdf").write_bytes(b"%PDF-")
    same = drafts.waiting(home, SEPTEMBER)
    assert same is not None
    assert same.digest == first.digest
    page.write_text("乙", encoding="utf-8")
    other = drafts.waiting(home, SEPTEMBER)
    assert other is not None
    assert other.digest != first.digest
    page.unlink()
    assert drafts.waiting(home, SEPTEMBER) is None


def test_a_part_that_fails_is_noted_and_a_full_disk_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    walk = Walk()

    def fails() -> list[Path]:
        raise ValueError("".join(("张", "三")))

    def full() -> list[Path]:
        raise OSError(28, "No space left on device")

    assert walk.part("甲镇 退回", fails) == []
    assert walk.part("乙镇 退回", lambda: [Path("x")]) == [Path("x")]
    assert walk.failed == ["甲镇 退回（ValueError）"]
    assert "张三" not in caplog.text
    assert "ValueError" in caplog.text
    with pytest.raises(OSError, match="No space"):
        walk.part("丙镇 退回", full)


def test_an_event_nobody_hears_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    home = Home(tmp_path / "main")
    assert resource_id(home, SEPTEMBER) == "ledger.programme.main.2018-09"
    assert resource_id(home, None) == "ledger.programme.main"
    assert announce(home, Event.SENT, SEPTEMBER, mails=1) is False
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert announce(home, Event.SENT, SEPTEMBER, mails=1) is False
