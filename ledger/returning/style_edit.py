"""styles.xml with the marks' styles added: each a copy of the cell's own, but for the fill."""

from __future__ import annotations

from ledger.returning.markup import (
    Document,
    Element,
    Unmarkable,
    attributes,
    document,
    elements,
    with_attributes,
)

#: Red for errors, yellow for warnings. Uncommon shades on purpose: they tell our marks from the
#: unit's own colours when a marked workbook comes back.
ERROR_FILL = "FFFF9A9A"
WARNING_FILL = "FFFFF799"

MINIMAL = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    b'<fills count="2"><fill><patternFill patternType="none"/></fill>'
    b'<fill><patternFill patternType="gray125"/></fill></fills>'
    b'<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    b'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    b'<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    b"</styleSheet>"
)


class Styles:
    """styles.xml being added to. Existing entries keep their numbers."""

    def __init__(self, data: bytes) -> None:
        self._doc: Document = document(data)
        self._lists: dict[str, Element] = {}
        self._counts: dict[str, int] = {}
        self._added: dict[str, list[bytes]] = {}
        for name in ("fonts", "fills", "borders", "cellXfs"):
            child = self._doc.child(name)
            if child is None or child.empty:
                raise Unmarkable(f"styles without {name}")
            self._lists[name] = child
            self._counts[name] = len(elements(self._doc.data, child.inner, child.close))
            self._added[name] = []
        xfs = self._lists["cellXfs"]
        self._xfs = [
            self._doc.data[element.start : element.end]
            for element in elements(self._doc.data, xfs.inner, xfs.close)
        ]
        self._marked: dict[tuple[int, str], int] = {}
        self._fill_ids: dict[tuple[str, str], int] = {}
        self._colours = self._read_colours()

    def marked(self, base: int, colour: str) -> int:
        """The number of the style that is `base` with a fill of `colour` (ARGB)."""
        known = self._marked.get((base, colour))
        if known is not None:
            return known
        own = self._xfs[base if 0 <= base < len(self._xfs) else 0]
        tag_end = own.index(b">") + 1
        fill = self._fill(colour, self._colour_of(own)[0])
        tag = with_attributes(own[:tag_end], fillId=str(fill), applyFill="1")
        number = self.add("cellXfs", tag + own[tag_end:])
        self._marked[base, colour] = number
        return number

    def unmarked(self) -> dict[int, int]:
        """Styles that carry one of our fills, each with the style it was a copy of.

        The original is the style that is the same but for the fill, with the fill our own kept in
        its background colour; where none is left, a copy without a fill is added.
        """
        ours = (ERROR_FILL, WARNING_FILL)
        bare = [self._bare(xf) for xf in self._xfs]
        back: dict[int, int] = {}
        for number, xf in enumerate(list(self._xfs)):
            colour, kept = self._colour_of(xf)
            if colour not in ours:
                continue
            alike = {
                self._colour_of(self._xfs[other])[0]: other
                for other in reversed(range(len(bare)))
                if bare[other] == bare[number] and self._colour_of(self._xfs[other])[0] not in ours
            }
            if alike:
                # a program that saved the file in between may have dropped the background
                back[number] = alike[kept] if kept in alike else min(alike.values())
            else:
                tag_end = xf.index(b">") + 1
                back[number] = self.add("cellXfs", with_attributes(xf[:tag_end], fillId="0") + xf[tag_end:])
        return back

    def add(self, name: str, entry: bytes) -> int:
        """Add an entry to one of the lists and return its number. Names are given unprefixed."""
        if self._doc.prefix and not entry.startswith(f"<{self._doc.prefix}".encode()):
            entry = entry.replace(b"</", b"\0").replace(b"<", f"<{self._doc.prefix}".encode())
            entry = entry.replace(b"\0", f"</{self._doc.prefix}".encode())
        self._added[name].append(entry)
        if name == "cellXfs":
            self._xfs.append(entry)
        return self._counts[name] + len(self._added[name]) - 1

    def result(self) -> bytes:
        for name, entries in self._added.items():
            if not entries:
                continue
            element = self._lists[name]
            tag = with_attributes(self._doc.tag(element), count=str(self._counts[name] + len(entries)))
            self._doc.replace(element.start, element.inner, tag)
            self._doc.insert(element.close, b"".join(entries))
        return self._doc.result()

    def _fill(self, colour: str, kept: str) -> int:
        """The number of our fill; its background, which a solid fill does not show, keeps the
        cell's own colour for the day the mark is taken away."""
        if (colour, kept) not in self._fill_ids:
            background = f'<bgColor rgb="{kept}"/>' if kept else '<bgColor indexed="64"/>'
            entry = (
                f'<fill><patternFill patternType="solid"><fgColor rgb="{colour}"/>{background}'
                "</patternFill></fill>"
            )
            self._fill_ids[colour, kept] = self.add("fills", entry.encode())
        return self._fill_ids[colour, kept]

    def _read_colours(self) -> list[tuple[str, str]]:
        """Each fill's colour and background colour, '' where it has none of its own."""
        listed = self._lists["fills"]
        colours = []
        for fill in elements(self._doc.data, listed.inner, listed.close):
            found = {"fgColor": "", "bgColor": ""}
            for pattern in elements(self._doc.data, fill.inner, fill.close):
                for part in elements(self._doc.data, pattern.inner, pattern.close):
                    found[part.name] = attributes(self._doc.tag(part)).get("rgb", "").upper()
            colours.append((found["fgColor"], found["bgColor"]))
        return colours

    def _colour_of(self, xf: bytes) -> tuple[str, str]:
        number = int(attributes(xf[: xf.index(b">") + 1]).get("fillId", "0"))
        return self._colours[number] if number < len(self._colours) else ("", "")

    @staticmethod
    def _bare(xf: bytes) -> bytes:
        tag_end = xf.index(b">") + 1
        at = attributes(xf[:tag_end])
        kept = sorted((k, v) for k, v in at.items() if k not in ("fillId", "applyFill"))
        return repr(kept).encode() + xf[tag_end:]
