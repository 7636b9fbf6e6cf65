"""HTML to PDF: the only file that imports WeasyPrint.

The same HTML gives the same bytes on every run: no date, identifier or name comes from the clock,
the machine or chance. Nothing is fetched: fonts come from the prepared folder alone, a style sheet
or a picture has to stand in the HTML. A character without a glyph fails the document; a blank
square on an official page is worse than no page.

WeasyPrint 70 stretches spaces only, and Chinese has none: `_stretch_line` takes the place of its
justification and spreads a line over the gaps `ledger.reporting.justify` allows.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

from ledger.errors import LedgerError
from ledger.home import CHECKOUT
from ledger.reporting import justify

#: Prepared at set-up by tools/prepare_fonts.py.
FONTS = CHECKOUT / ".setup" / "fonts"
#: The files inside a PDF carry a date; it is always this one.
_EPOCH = datetime(2018, 1, 1, tzinfo=UTC)
#: Within so many bytes of its end a file says what it is (the cross-reference stream's head).
_TAIL = 1 << 16
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_REFUSED = "refused to fetch"
_LOG = logging.getLogger(__name__)
_MISSING = re.compile(r'\.notdef glyph .*"(?P<text>.*)" \(U\+(?P<code>[0-9A-F]+)\)', re.DOTALL)


class PdfError(LedgerError):
    """The document can't be printed as it is: a glyph or the fonts are missing."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that travels inside the PDF (the data workbook of the same edition)."""

    name: str
    data: bytes
    description: str = ""


def render_pdf(
    html: str, *, title: str, attachments: Sequence[Attached] = (), variant: str | None = "pdf/a-3a"
) -> bytes:
    """Render a whole HTML document.

    `title` becomes the PDF's title; `variant` is the archival profile; the document is tagged for
    readers that follow its structure. The collector is held off
    meanwhile: a document builds some hundred thousand objects, none of which can go before its end.

    Raises PdfError where the fonts have not been prepared, a character has no glyph, or the HTML
    asks for something from outside.
    """
    weasyprint = _weasyprint()
    with _collector_held_off(), _complaints() as complaints:
        bare, sheets = _apart(html)
        document = weasyprint.HTML(string=bare, url_fetcher=_deny_all()).render(
            font_config=weasyprint.text.fonts.FontConfiguration(), stylesheets=sheets
        )
        document.metadata.title = title
        document.metadata.lang = document.metadata.lang or "zh-CN"
        pdf: bytes = document.write_pdf(
            finisher=_settle,
            pdf_variant=variant,
            pdf_identifier=_identifier(html, title, attachments),
            output_intent="srgb" if variant else None,
            pdf_tags=True,
            attachments=[
                weasyprint.Attachment(
                    file_obj=BytesIO(attached.data),
                    name=attached.name,
                    description=attached.description or attached.name,
                    relationship="Data",
                    created=_EPOCH,
                    modified=_EPOCH,
                )
                for attached in attachments
            ],
        )
    complaints.settle()
    return pdf


def _settle(_document: object, pdf: Any) -> None:
    """Turn every object into its bytes. The library asks each one twice, to write it and for the
    file's identifier, and would compress all pages and fonts a second time. The metadata stays
    uncompressed, as PDF/A has it, and a file beside the document is named once, not twice."""
    if "Metadata" in pdf.catalog:
        pdf.objects[int(pdf.catalog["Metadata"].split()[0])].compress = False
    if "AF" in pdf.catalog:
        pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])
    pdf.objects[:] = [each if each.free == "f" else _settled_type()(each) for each in pdf.objects]


@cache
def _settled_type() -> Any:
    import pydyf  # type: ignore[import-untyped]

    class Settled(pydyf.Object):  # type: ignore[misc]
        """A PDF object that is its own bytes."""

        data = b""
        compressible = False

        def __init__(self, of: Any) -> None:
            super().__init__()
            self.number, self.generation = of.number, of.generation
            self.data, self.compressible = of.data, of.compressible

    return Settled


def _apart(html: str) -> tuple[str, list[Any]]:
    """The document without its style sheets, and these, parsed once for all documents that have
    them: a tenth of a short one's time. One that asks for something from outside stays inside."""
    found = _STYLE.findall(html)
    if any("@import" in text or "url(" in text for text in found):
        return html, []
    return _STYLE.sub("", html), [_sheet(text) for text in found]


@lru_cache(maxsize=16)
def _sheet(text: str) -> Any:
    return _weasyprint().CSS(string=text, url_fetcher=_deny_all())


def prepare() -> None:
    """Load the typesetter ahead of the first document. Raises PdfError where fonts are missing."""
    _weasyprint()


@cache
def _press_mark() -> str:
    """What else a document depends on: the fonts, the typesetter and this way of using it."""
    digest = hashlib.sha256(version("weasyprint").encode())
    for path in (FONTS / "stamp.json", Path(__file__), Path(justify.__file__)):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def is_of(pdf: bytes, html: str, *, title: str, attachments: Sequence[Attached] = ()) -> bool:
    """Whether `pdf` is what `render_pdf` makes of this, told by its identifier, without rendering."""
    end = pdf[-_TAIL:]
    return end.rstrip().endswith(b"%%EOF") and b"/ID [(" + _identifier(html, title, attachments) in end


def _identifier(html: str, title: str, attachments: Sequence[Attached]) -> bytes:
    """The file's identifier, from what it is made of."""
    digest = hashlib.sha256(f"{_press_mark()}\0{title}\0{html}".encode())
    for attached in attachments:
        digest.update(attached.name.encode() + hashlib.sha256(attached.data).digest())
    return digest.hexdigest()[:32].encode()  # letters only: it stands in the file as it is


class _Complaints(logging.Handler):
    """What WeasyPrint says while it works; `settle` raises what must not pass."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.missing: dict[str, None] = {}
        self.refused: list[str] = []
        self.other: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if found := _MISSING.search(text):
            self.missing[f"{found['text']}（U+{found['code']}）"] = None
        elif "instead of HarfBuzz-Subset" in text:
            _LOG.info("weasyprint: %s", text)
        elif _REFUSED in text:
            self.refused.append(text)
        else:
            self.other.append(text)

    def settle(self) -> None:
        for text in self.other:
            _LOG.warning("weasyprint: %s", text)
        if self.missing:
            raise PdfError(
                f"报告中有字体里没有的字：{'、'.join(self.missing)}；请核对原文，或在本机安装含有该字的字体后重新准备字体。"
            )
        if self.refused:
            raise PdfError(f"报告引用了外部内容，已拒绝：{self.refused[0]}")


@contextmanager
def _complaints() -> Iterator[_Complaints]:
    handler = _Complaints()
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


@contextmanager
def _collector_held_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _deny_all() -> Any:
    """A URL fetcher that fetches nothing."""
    from weasyprint.urls import URLFetcher

    class Deny(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: object = None) -> NoReturn:
            raise ValueError(f"{_REFUSED} {url[:80]}")

    return Deny(fail_on_errors=False)


@cache
def _weasyprint() -> Any:
    """WeasyPrint, imported late (0.4 s), with our fonts only and our justification."""
    if not (FONTS / "stamp.json").is_file():
        raise PdfError("字体尚未准备好；请先运行 make setup。")
    # where fontTools has to cut the subsets (no libharfbuzz-subset) it would write today's date
    os.environ["SOURCE_DATE_EPOCH"] = str(int(_EPOCH.timestamp()))
    os.environ["FONTCONFIG_FILE"] = str(FONTS / "fonts.conf")
    import weasyprint
    from weasyprint.layout import inline
    from weasyprint.pdf import anchors
    from weasyprint.text import line_break

    # else the type written beside an attachment hangs on the machine's own list
    anchors.MIMETYPES.add_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx")
    line_break.Layout = _spread_layout(line_break.Layout)
    inline.justify_line = _stretch_line
    inline.split_first_line = _squeezing(inline.split_first_line)
    return weasyprint


def _spread_layout(base: Any) -> Any:
    """WeasyPrint's text layout, with space added after single characters when it is drawn."""
    from weasyprint.text.ffi import TO_UNITS, ffi

    class SpreadLayout(base):  # type: ignore[misc]
        """`spread`: pixels to add after the character that starts at a byte of the text."""

        spread: Mapping[int, float] = {}
        _spread_over: object = None

        def get_first_line(self) -> Any:
            line, index = super().get_first_line()
            if self.spread and self._spread_over is not self.layout:
                self._spread_over = self.layout
                self._widen(line)
            return line, index

        def deactivate(self) -> None:
            self._spread_over = None
            super().deactivate()

        def _widen(self, line: Any) -> None:
            run = line.runs
            while run != ffi.NULL:
                item, run = ffi.cast("PangoGlyphItem *", run.data), run.next
                glyphs, start = item.glyphs, item.item.offset
                for place in range(glyphs.num_glyphs):
                    last = place == glyphs.num_glyphs - 1
                    begin = glyphs.log_clusters[place]
                    end = item.item.length if last else glyphs.log_clusters[place + 1]
                    extra = sum(self.spread.get(start + byte, 0.0) for byte in range(begin, end))
                    if extra:
                        units = extra * TO_UNITS
                        # a hair more than asked: WeasyPrint cuts to whole thousandths
                        glyphs.glyphs[place].geometry.width += int(units) + (1 if units > 0 else -1)

    return SpreadLayout


#: A line this many em short has given a character to the next line so that no mark begins it.
_SHORT = 0.9


def _squeezing(split: Any) -> Any:
    """WeasyPrint's line breaking, with one character more where punctuation can make room for it.

    A closing mark may not begin a line; without this the character before it goes along, and the
    line above is stretched by a whole square.
    """

    def split_first_line(
        text: str, style: Any, context: Any, max_width: Any, justification_spacing: Any, **given: Any
    ) -> Any:
        found = split(text, style, context, max_width, justification_spacing, **given)
        _, _, resume_at, width, _, _ = found
        size = style["font_size"]
        if (
            resume_at is None
            or max_width is None
            or style["text_align_all"] != "justify"
            or style["white_space"] != "normal"
            or max_width - width < _SHORT * size
        ):
            return found
        wider = split(text, style, context, max_width + size, justification_spacing, **given)
        layout, length, resume_at, width, height, baseline = wider
        line = layout.text
        places = justify.squeezes(line)
        room, over = sum(places.values()) * size, width - max_width
        if over <= 0 or over > room or length <= found[1] or line.endswith((" ", "\n")):
            return found
        shares = justify.share(-over, list(places.values()), [size] * len(places))
        layout.spread = {
            len(line[:place].encode()): thousandths * size / 1000
            for place, thousandths in zip(places, shares, strict=True)
        }
        return layout, length, resume_at, max_width, height, baseline

    return split_first_line


def _stretch_line(_context: object, line: Any, extra_width: float) -> None:
    """Spread a line over its width. Replaces `weasyprint.layout.inline.justify_line`."""
    leaves: list[Any] = []
    _collect(line, leaves)
    texts = [getattr(leaf, "text", None) or justify.OBJECT for leaf in leaves]
    owner = [number for number, text in enumerate(texts) for _ in text]
    places = justify.stretches("".join(texts))
    if not places:
        return
    sizes = [leaves[owner[place]].style["font_size"] for place in places]
    after = {
        place: thousandths * size / 1000
        for place, thousandths, size in zip(
            places, justify.share(extra_width, list(places.values()), sizes), sizes, strict=True
        )
    }
    start, widening = 0, {}
    for leaf, text in zip(leaves, texts, strict=True):
        mine = {place - start: after[place] for place in range(start, start + len(text)) if place in after}
        if mine and hasattr(leaf, "text"):
            leaf.pango_layout.spread = {len(text[:place].encode()): pixels for place, pixels in mine.items()}
        widening[id(leaf)] = sum(mine.values())
        start += len(text)
    _widen(line, widening, 0.0)


def _collect(box: Any, leaves: list[Any]) -> None:
    if hasattr(box, "text") or not _is_inline_parent(box):
        leaves.append(box)
        return
    for child in box.children:
        if child.is_in_normal_flow():
            _collect(child, leaves)


def _is_inline_parent(box: Any) -> bool:
    from weasyprint.formatting_structure import boxes

    return isinstance(box, boxes.LineBox | boxes.InlineBox)


def _widen(box: Any, widening: Mapping[int, float], moved: float) -> float:
    """Move a box by what was added before it; returns what is added up to its end."""
    own = widening.get(id(box))
    if own is not None:
        if hasattr(box, "text"):
            box.position_x += moved
            box.width += own
        else:
            box.translate(moved, 0)
        return moved + own
    box.position_x += moved
    before = moved
    for child in box.children:
        if child.is_in_normal_flow():
            moved = _widen(child, widening, moved)
    box.width += moved - before
    return moved
