"""The PDF as a file: the same bytes, nothing from outside, no blank squares, what it carries."""

from __future__ import annotations

import io
import subprocess
import sys

import pypdf
import pytest

from ledger.reporting.pdf import FONTS, Attached, PdfError, render_pdf

pytestmark = pytest.mark.skipif(not (FONTS / "stamp.json").is_file(), reason="fonts not prepared")


def html(body: str, style: str = "") -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><style>'
        'body { font-family: "Ledger Fangsong", "Ledger Song", "Ledger Rare"; }'
        f"{style}</style></head><body>{body}</body></html>"
    )


def read(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def test_the_same_html_gives_the_same_bytes() -> None:
    page = html("<h1>建始县</h1><p>累计支付 120.5 万元</p>")
    attached = [Attached("台帐.xlsx", b"PK\x03\x04 data", "数据")]
    assert render_pdf(page, title="月报", attachments=attached) == render_pdf(
        page, title="月报", attachments=attached
    )


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import sys, hashlib; from ledger.reporting.pdf import render_pdf;"
        "print(hashlib.sha256(render_pdf(sys.stdin.read(), title='月报')).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program],
            input=html("<b>建始</b>县<i>x</i>"),
            text=True,
            encoding="utf-8",
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": ""},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    }
    assert len(digests) == 1


def test_title_language_and_attachment() -> None:
    reader = read(render_pdf(html("文"), title="2018年9月月报", attachments=[Attached("台帐.xlsx", b"PK..")]))
    assert reader.metadata is not None
    assert reader.metadata.title == "2018年9月月报"
    assert reader.root_object["/Lang"] == "zh-CN"
    assert reader.attachments["台帐.xlsx"] == [b"PK.."]
    assert b"spreadsheetml" in render_pdf(
        html("文"), title="月报", attachments=[Attached("台帐.xlsx", b"PK..")]
    )


def test_it_says_it_is_an_archival_pdf() -> None:
    pdf = render_pdf(html("文"), title="月报")
    xmp = read(pdf).xmp_metadata
    assert xmp is not None
    assert b'pdfaid:part="3"' in xmp.stream.get_data()


def test_every_font_is_embedded_with_truetype_outlines() -> None:
    for page in read(render_pdf(html("仿宋 Latin <b>粗</b> 㛃"), title="字")).pages:
        fonts = page["/Resources"]["/Font"]
        assert len(fonts) >= 2
        for font in fonts.values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert "/FontFile2" in descriptor


def test_a_missing_glyph_fails_and_is_named() -> None:
    with pytest.raises(PdfError, match=r"U\+E000"):
        render_pdf(html("建始县\ue000"), title="缺字")


@pytest.mark.parametrize(
    "body",
    [
        '<img src="file:///etc/hostname">',
        '<img src="http://192.0.2.1/a.png">',
        '<link rel="stylesheet" href="file:///etc/hostname">',
        '<p style="background: url(file:///etc/hostname)">文</p>',
        '<object data="file:///etc/hostname"></object>',
    ],
)
def test_nothing_is_fetched(body: str) -> None:
    with pytest.raises(PdfError, match="外部"):
        render_pdf(html(body), title="外")


def test_a_font_from_outside_is_not_used() -> None:
    style = "@font-face { font-family: Own; src: url(file:///etc/hostname) } p { font-family: Own }"
    pdf = render_pdf(html("<p>文</p>", style), title="外")
    assert all("Own" not in str(font) for font in read(pdf).pages[0]["/Resources"]["/Font"].values())


def test_an_unknown_family_falls_to_the_song_of_this_country() -> None:
    pdf = render_pdf(html("<p style='font-family: Nowhere'>骨直</p>"), title="外")
    names = [font.get_object()["/BaseFont"] for font in read(pdf).pages[0]["/Resources"]["/Font"].values()]
    assert len(names) == 1
    assert "Ledger" in names[0]
