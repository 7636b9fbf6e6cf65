"""The setting process: the same bytes as in this one, limits that end it, and what comes after."""

from __future__ import annotations

import pytest

from ledger.reporting import press
from ledger.reporting.pdf import FONTS, Attached, PdfError, is_of, render_pdf

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")

PAGE = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><style>body { font-family: '
    '"Ledger Fangsong", "Ledger Rare"; }</style></head><body><h1>建始县</h1><p>120.5 万元</p></body></html>'
)


@pytest.fixture(autouse=True)
def _ended():
    yield
    press.close_press()


def test_the_bytes_are_those_of_this_process() -> None:
    attached = [Attached("台帐.xlsx", b"PK\x03\x04", "数据")]
    pdf = press.print_pdf(PAGE, title="月报", attachments=attached)
    assert pdf == render_pdf(PAGE, title="月报", attachments=attached)
    assert is_of(pdf, PAGE, title="月报", attachments=attached)
    assert not is_of(pdf, PAGE, title="月报")
    assert not is_of(pdf, PAGE.replace("120.5", "120.6"), title="月报", attachments=attached)
    assert not is_of(pdf[:-40], PAGE, title="月报", attachments=attached)


def test_one_process_sets_several_documents() -> None:
    first = press.print_pdf(PAGE, title="甲")
    process = press._kept[0]
    assert press.print_pdf(PAGE, title="甲") == first
    assert press._kept == [process]


def test_what_can_not_be_printed_is_refused_and_the_process_lives_on() -> None:
    with pytest.raises(PdfError, match="U\\+1F600") as refused:
        press.print_pdf(PAGE.replace("建始县", "😀"), title="甲")
    assert not isinstance(refused.value, press.PressFault)
    process = press._kept[0]
    press.print_pdf(PAGE, title="甲")
    assert press._kept == [process]


def test_nothing_is_fetched() -> None:
    for url in ("file:///etc/passwd", "http://127.0.0.1:9/a.png"):
        with pytest.raises(PdfError, match="已拒绝"):
            press.print_pdf(PAGE.replace("<h1>", f'<img src="{url}"><h1>'), title="甲")


def test_a_style_sheet_that_fetches_is_refused_every_time() -> None:
    page = PAGE.replace("<style>", '<style>@import "http://127.0.0.1:9/a.css"; ')
    for _ in range(2):
        with pytest.raises(PdfError, match="已拒绝"):
            press.print_pdf(page, title="甲")


def test_a_document_that_takes_too_long_is_stopped_by_the_kernel() -> None:
    cells = "".join(f"<td>{'很长的备注' * 40}</td>" for _ in range(8))
    slow = PAGE.replace("</h1>", f"</h1><table>{f'<tr>{cells}</tr>' * 400}</table>")
    with pytest.raises(press.PressFault, match="上限"):
        press.print_pdf(slow, title="甲", cpu_limit=1)
    assert press._kept == []
    assert press.print_pdf(PAGE, title="甲").startswith(b"%PDF-")


def test_a_process_that_was_killed_is_replaced() -> None:
    press.warm_up()
    press._kept[0]._process.kill()
    press._kept[0]._process.wait()
    assert press.print_pdf(PAGE, title="甲").startswith(b"%PDF-")


def test_a_process_out_of_memory_is_a_fault_of_its_document(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "from ledger.reporting import press_child; press_child.MEMORY_LIMIT = 330 << 20;"
        "raise SystemExit(press_child.main())"
    )
    monkeypatch.setattr(press, "CHILD", ("-c", program))
    many = PAGE.replace("</h1>", "</h1>" + "<p>长</p>" * 60_000)
    with pytest.raises(press.PressFault):
        press.print_pdf(many, title="甲")


def test_a_very_long_document_has_more_time() -> None:
    """1,000 projects are 1.4 million characters and take 63 s (benchmarks/report); that fits."""
    assert press._limit("字" * 300_000) == press.CPU_LIMIT
    assert press._limit("字" * 1_380_000) > 1.5 * 63
