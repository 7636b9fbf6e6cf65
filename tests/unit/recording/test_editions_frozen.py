"""Editions: what they freeze, when the next is due, what a correction touches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.calendar import parse_moment as at
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import events
from ledger.recording.editions import (
    approve,
    due_in_year,
    frozen,
    issue,
    issued,
    registry_of,
    require_edition,
    restore,
    standing,
    unfinished,
)
from ledger.recording.exports import export
from ledger.recording.issued import payload_of
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.rebuild import verify
from ledger.registry import Registry
from schemas.exports import EXPORTS
from schemas.month import Month
from tests.fake_programme import P1, P2, P3, REGISTRY, TOOLS, A, B, write_file

JUNE, JULY = Month(2018, 6), Month(2018, 7)


def send(ledger: Ledger, folder: Path, unit: str, month: Month, when: str, note: str = "", **paid) -> None:
    """Receive one file for `month`: what was paid by item, in 万元."""
    rows = {item: {"fiscal_paid_cum_fen": amount} for item, amount in paid.items()}
    name = f"{unit}-{month}-{when}-{len(list(folder.iterdir()))}.json"
    file = write_file(folder / name, unit, str(month), note, projects=rows)
    ledger.receive([file], at(when))
    ledger.catch_up()


def issue_now(ledger: Ledger, folder: Path, month: Month, when: str = "2026-11-23T09:00") -> Edition:
    edition = approve(ledger, month, "张三", at(when))
    page = folder / f"page-{month}-{edition.number}"
    page.write_text(f"{edition.name}", encoding="utf-8")
    return issue(ledger, edition, {f"月报-{month}-第{edition.number}版.pdf": page})


def all_of(ledger: Ledger, month: Month, as_of) -> list[object]:
    return [ledger.views_until(month, as_of), *(export(ledger, month, name, as_of=as_of) for name in EXPORTS)]


def a_month(ledger: Ledger, folder: Path) -> None:
    send(ledger, folder, A, JUNE, "2018-07-03", **{P1: 10, P2: 5})
    send(ledger, folder, B, JUNE, "2018-07-04", **{P3: 7})


def test_an_edition_holds_what_was_there_whatever_comes_later(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        edition = issue_now(ledger, tmp_path, JUNE)
        as_of = frozen(edition)
        before = all_of(ledger, JUNE, as_of)
        assert issued(ledger, JUNE) == (edition,)
        assert ledger.view(JUNE).editions == (edition,)
        assert not standing(ledger, JUNE).due
        # said to have been received before the edition was approved, and even before the first file
        send(ledger, folder, A, JUNE, "2018-07-01", "误报", **{P1: 8, P2: 5})
        assert all_of(ledger, JUNE, as_of) == before
        assert standing(ledger, JUNE).due
        assert due_in_year(ledger, 2018) == ["2018-06第2版"]
        _, changes = export(ledger, JUNE, "corrections")
        assert [(line[2], line[-1]) for line in changes] == [("fiscal_paid_cum", "2018-06第1版")]
        second = issue_now(ledger, tmp_path, JUNE)
        assert (second.number, standing(ledger, JUNE).due) == (2, False)
        assert ledger.view(JUNE, frozen(second)).editions == (edition,)
        assert ledger.view(JUNE, as_of).editions == ()


def test_the_same_figures_again_make_no_edition_due(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        issue_now(ledger, tmp_path, JUNE)
        send(ledger, folder, A, JUNE, "2018-07-09", "重送", **{P1: 10, P2: 5})
        assert next(unit.versions for unit in ledger.view(JUNE).standings) == {"projects": 2}
        assert not standing(ledger, JUNE).due
        # who had not reported does so now: the next edition is due without a correction
        send(ledger, folder, A, JULY, "2018-08-03", **{P1: 10})
        issue_now(ledger, tmp_path, JULY)
        send(ledger, folder, B, JULY, "2018-08-09", **{P3: 7})
        assert standing(ledger, JULY).due


def test_a_correction_touches_the_later_months_editions(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        issue_now(ledger, tmp_path, JUNE)
        send(ledger, folder, A, JULY, "2018-08-03", **{P1: 12, P2: 5})
        issue_now(ledger, tmp_path, JULY)
        send(ledger, folder, B, JUNE, "2018-08-20", "漏报", **{P3: 9})
        _, changes = export(ledger, JUNE, "corrections")
        assert [line[-1] for line in changes] == ["2018-06第1版; 2018-07第1版"]
        assert due_in_year(ledger, 2018) == ["2018-06第2版", "2018-07第2版"]
        # July's own correction is none of June's business
        send(ledger, folder, A, JULY, "2018-08-21", "改", **{P1: 13, P2: 5})
        issue_now(ledger, tmp_path, JUNE)
        assert due_in_year(ledger, 2018) == ["2018-07第2版"]
        _, changes = export(ledger, JULY, "corrections")
        assert [line[-1] for line in changes] == ["2018-07第1版"]


def test_a_returned_file_makes_no_edition_due(planned, tmp_path: Path) -> None:
    with planned() as ledger:
        folder = tmp_path / "in"
        folder.mkdir()
        a_month(ledger, folder)
        issue_now(ledger, tmp_path, JUNE)
        bad = write_file(folder / "bad.json", A, "2018-06", projects={P1: {"remarks": "退回"}})
        ledger.receive([bad], at("2018-07-20"))
        ledger.catch_up()
        assert not standing(ledger, JUNE).due


def test_a_stopped_approval_is_found_and_issued(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        approved = approve(ledger, JUNE, "张三", at("2018-07-10"))
        assert issued(ledger, JUNE) == ()
        assert unfinished(ledger, JUNE) == approved
        send(ledger, folder, A, JUNE, "2018-07-11", "改", **{P1: 99})
        page = tmp_path / "page"
        page.write_bytes(b"page")
        done = issue(ledger, approved, {"月报-2018-06-第1版.pdf": page})
        assert (done.upto, unfinished(ledger, JUNE)) == (approved.upto, None)
        assert standing(ledger, JUNE).due
        assert require_edition(ledger, JUNE, 1) == done
        with pytest.raises(UsageError, match="第1版"):
            require_edition(ledger, JUNE, 2)


def test_an_edition_is_not_dated_before_what_it_holds(planned, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        with pytest.raises(UsageError, match="早于"):
            approve(ledger, JUNE, "张三", at("2018-07-03T23:00"))
        assert unfinished(ledger, JUNE) is None


def test_one_number_is_issued_once(planned, tmp_path: Path) -> None:
    """Two machines may both journal edition 1: the first stands, the ledger goes on."""
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        first = issue_now(ledger, tmp_path, JUNE)
        ledger.note(events.EDITION_ISSUED, payload_of(replace(first, by="李四")))
        assert [edition.by for edition in issued(ledger, JUNE)] == ["张三"]
        send(ledger, folder, B, JUNE, "2018-07-20", "改", **{P3: 8})
        assert standing(ledger, JUNE).due


def test_issued_files_come_back_and_a_rebuild_knows_the_editions(planned, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with planned() as ledger:
        a_month(ledger, folder)
        edition = issue_now(ledger, tmp_path, JUNE)
        url = ledger._url
        (path,) = restore(home, edition)
        path.write_bytes(b"someone saved over it")
        assert [p.read_text("utf-8") for p in restore(home, edition)] == ["2018-06第1版"]
        assert registry_of(home, edition).units == Registry.load(home).units
    assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []
    kept = home.originals / f"{next(iter(edition.files.values()))}.pdf"
    kept.chmod(0o644)
    kept.write_bytes(b"damaged")
    (damage,) = verify(home, REGISTRY, url=url, tools=TOOLS).differences
    assert kept.name in damage
