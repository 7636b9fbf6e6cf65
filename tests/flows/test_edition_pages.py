"""What the pages of an approved and of a corrected edition say of themselves: who signed, which
issue and edition, when, what was changed. Taken through `ledger approve`, read from the PDFs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from tests.workbooks import NIL, make_book, water

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
LEDGER = str(Path(sys.executable).with_name("ledger"))
UNITS = ("422822103", "422822-fpb", "422822-inv")
ISSUER = "建始县扶贫开发办公室"
#: The unit of water(), and a name that no other text of the report holds.
UNIT, FIRST, SECOND = "景阳镇", "欧阳启明", "上官知远"


def ledger(home: Path, *words: str, expect: int = 0) -> Any:
    done = subprocess.run(
        [LEDGER, *words, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "LEDGER_HOME": str(home)},
        check=False,
        timeout=240,
    )
    assert done.returncode == expect, (words, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


def pages(path: Path) -> list[str]:
    """The text of each page, without white space."""
    document = pypdfium2.PdfDocument(path.read_bytes())
    return [re.sub(r"\s", "", page.get_textpage().get_text_range()) for page in document]


class Issued:
    """The pages of an edition's three kinds of documents."""

    def __init__(self, home: Path, number: int) -> None:
        folder = home / "reports" / "2018-06"
        self.county = pages(folder / f"月报-2018-06-第{number}版.pdf")
        self.brief = pages(folder / f"一页纸-2018-06-第{number}版.pdf")
        self.unit = pages(folder / "单位" / f"月报-2018-06-{UNIT}-第{number}版.pdf")

    @property
    def all(self) -> str:
        return "".join([*self.county, *self.brief, *self.unit])


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Issued, Issued, Issued]:
    """June as a draft (of the first), its first edition, and the second after a correction."""
    home = tmp_path_factory.mktemp("pages") / "home"
    ledger(home, "init", str(home))
    units = home / "data" / "raw" / "registry" / "units.csv"
    head, *lines = units.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[0] in UNITS]
    units.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    ledger(home, "plan", str(PLAN), "--year", "2018", expect=1)
    files = home.parent
    june = make_book(files / "6.xlsx", UNIT, "2018年6月", projects=[water()], needs=NIL)
    ledger(home, "receive", str(june), "--at", "2018-07-03T09:00")
    ledger(home, "run", "2018-06", "--plain")
    (draft,) = (home / "reports" / "2018-06").glob("月报-2018-06-草稿.pdf")
    (home / "reports" / "2018-06" / "月报-2018-06-第0版.pdf").write_bytes(draft.read_bytes())
    for kind, place in (("一页纸-2018-06", ""), (f"月报-2018-06-{UNIT}", "单位")):
        folder = home / "reports" / "2018-06" / place
        (folder / f"{kind}-第0版.pdf").write_bytes((folder / f"{kind}-草稿.pdf").read_bytes())
    drafted = Issued(home, 0)
    ledger(home, "approve", "2018-06", "--by", FIRST, "--at", "2018-07-06T10:00")
    again = make_book(
        files / "6b.xlsx", UNIT, "2018年6月", cover={"更正说明": "支付凭证录入有误"}, needs=NIL,
        projects=[water(fiscal_paid_month=18.5, fiscal_paid_cum=18.5)],
    )  # fmt: skip
    ledger(home, "receive", str(again), "--at", "2018-07-09T09:00")
    ledger(home, "run", "2018-06", "--plain")
    ledger(home, "approve", "2018-06", "--by", SECOND, "--at", "2018-07-11T16:30")
    return drafted, Issued(home, 1), Issued(home, 2)


def test_a_draft_is_signed_by_nobody(editions: tuple[Issued, Issued, Issued]) -> None:
    draft = editions[0]
    assert "签发人" not in draft.all
    assert all("草稿" in page for page in [*draft.county, *draft.brief, *draft.unit])


def test_an_edition_says_who_signed_it_and_when(editions: tuple[Issued, Issued, Issued]) -> None:
    first = editions[1]
    head = f"2018年第6期签发人：{FIRST}{ISSUER}2018年7月6日"
    assert head in first.county[0]
    assert head in first.brief[0] and head in first.unit[0]
    assert f"{ISSUER}2018年7月6日" in "".join(first.county[1:-4])  # where the text ends
    assert f"{ISSUER}2018年7月6日印发（共印60份）" in first.county[-1]
    assert "草稿" not in first.all and "（更正）" not in first.all


def test_a_corrected_edition_says_so_and_what_was_changed(editions: tuple[Issued, Issued, Issued]) -> None:
    _, first, second = editions
    head = f"2018年第6期第2版（更正）签发人：{SECOND}{ISSUER}2018年7月11日"
    for page in (second.county[0], second.brief[0], second.unit[0]):
        assert head in page
        assert FIRST not in page
    change = "支付财政帮扶资金：20万元→18.5万元"
    assert "第1版以来的更正" in second.county[0] and "上期以来的更正" in first.county[0]
    assert f"累计{change}，原因：支付凭证录入有误。" in second.county[0]
    assert f"累计{change}" in second.brief[0]
    text = "".join(second.county)
    assert "第1版（2018年7月6日签发）以来，各单位更正已入账的数字2处" in text
    assert "七、更正" in second.county[1] and f"2018年6月累计支付财政帮扶资金20万元18.5万元{UNIT}" in text
    assert "上期以来本单位的更正" in "".join(second.unit)
