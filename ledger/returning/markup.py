"""XML edited in place, byte for byte: what is not meant to change is never parsed and rewritten.

A general XML library would rename prefixes, drop declarations that only an attribute's text uses
(mc:Ignorable) and reorder nothing we could vouch for. Here a document is cut at tags, the pieces
to change are replaced, and the result is checked to be well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from xml.parsers import expat
from xml.sax.saxutils import escape

#: A comment, CDATA section, processing instruction or declaration; else a tag, its name in group 1.
_TOKEN = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<![^>]*>"
    rb"|<(/?[^\s/>!?]+)(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=\"'<>/]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"'][^>]*\?>")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


class Unmarkable(Exception):
    """The package can't be marked safely; an error list alone goes back."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element by its offsets: its tag is ``[start:inner]``, all of it ``[start:end]``.

    `close` is where its end tag begins; an empty element has `inner` = `close` = `end`.
    """

    name: str
    start: int
    inner: int
    close: int
    end: int

    @property
    def empty(self) -> bool:
        return self.inner == self.end


@dataclass(slots=True)
class Document:
    """A document's bytes, its root, the root's direct children, and the edits to be made."""

    data: bytes
    prefix: str
    root: Element
    children: list[Element]
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        return next((child for child in self.children if child.name == name), None)

    def tag(self, element: Element) -> bytes:
        return self.data[element.start : element.inner]

    def replace(self, start: int, end: int, text: bytes) -> None:
        self.edits.append((start, end, text))

    def insert(self, at: int, text: bytes) -> None:
        self.edits.append((at, at, text))

    def open_name(self, name: str) -> str:
        """An element's name with the document's own prefix."""
        return f"{self.prefix}{name}"

    def result(self) -> bytes:
        """The document with its edits. Raises Unmarkable where it is no longer well-formed."""
        if not self.edits:
            return self.data
        parts: list[bytes] = []
        done = 0
        for start, end, text in sorted(self.edits, key=lambda edit: (edit[0], edit[1])):
            if start < done:
                raise Unmarkable("edits overlap")
            parts += (self.data[done:start], text)
            done = end
        parts.append(self.data[done:])
        whole = b"".join(parts)
        try:
            expat.ParserCreate().Parse(whole, True)
        except expat.ExpatError as error:
            raise Unmarkable(f"edited part is not well-formed: {error}") from error
        return whole


def document(data: bytes, *, skip: str = "") -> Document:
    """Cut a document at its root's children. The inside of the child `skip` is passed over.

    Raises Unmarkable for a document type declaration, an unknown encoding, or what is no XML.
    """
    data = _as_utf8(data)
    root_name = ""
    root_start = root_inner = 0
    children: list[Element] = []
    tokens = _tags(data, 0, len(data))
    for name, start, end in tokens:
        if name.startswith("/"):
            raise Unmarkable("an end tag first")
        root_name, root_start, root_inner = name, start, end
        break
    if not root_name:
        raise Unmarkable("no root element")
    prefix = root_name[: root_name.find(":") + 1]
    if data[root_inner - 2 : root_inner] == b"/>":
        raise Unmarkable("an empty root element")
    position = root_inner
    while True:
        element, position = _next_child(data, position, f"{prefix}{skip}" if skip else "")
        if element is None:
            break
        children.append(element)
    close = position
    end = data.index(b">", close) + 1
    local = root_name.removeprefix(prefix)
    return Document(data, prefix, Element(local, root_start, root_inner, close, end), children)


def elements(data: bytes, start: int, end: int) -> list[Element]:
    """The direct children inside ``data[start:end]``, which must be an element's inside."""
    found = []
    position = start
    while position < end:
        element, position = _next_child(data, position, "", end)
        if element is None:
            break
        found.append(element)
    return found


def attributes(tag: bytes) -> dict[str, str]:
    """A start tag's attributes, entities resolved; prefixes are kept."""
    text = tag.decode("utf-8")
    body = re.sub(r"^<[^\s/>]+", "", text)
    return {m[1]: unescape(m[2] if m[2] is not None else m[3]) for m in _ATTRIBUTE.finditer(body)}


def with_attributes(tag: bytes, **changes: str | None) -> bytes:
    """The start tag with some attributes set; None takes one away."""
    text = tag.decode("utf-8")
    for name, value in changes.items():
        pattern = re.compile(rf"\s{re.escape(name)}\s*=\s*(?:\"[^\"]*\"|'[^']*')")
        new = "" if value is None else f' {name}="{quoted(value)}"'
        if pattern.search(text):
            text = pattern.sub(lambda _, new=new: new, text, count=1)  # type: ignore[misc]
        elif new:
            text = re.sub(r"^(<[^\s/>]+)", lambda m, new=new: m[1] + new, text, count=1)  # type: ignore[misc]
    return text.encode("utf-8")


def quoted(text: str) -> str:
    """Text as it stands in an attribute."""
    return escape(_FORBIDDEN.sub("", text), {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def escaped(text: str) -> str:
    """Text as it stands in a cell or a note: no forbidden characters, no accidental escapes."""
    clean = _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return escape(_LOOKS_ESCAPED.sub("_x005F_", clean))


def _as_utf8(data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16").encode("utf-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARED.match(data)
    if declared:
        encoding = declared[1].decode("ascii").lower()
        if encoding in {"utf-16", "utf-16le", "utf-16be"}:
            head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            return head + data[declared.end() :]
        if encoding not in {"utf-8", "utf8", "us-ascii", "ascii"}:
            raise Unmarkable(f"encoding {encoding}")
    return data


def _tags(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Start and end tags in order: name (``/name`` for an end tag), offsets."""
    for match in _TOKEN.finditer(data, start, end):
        if match[1] is not None:
            yield match[1].decode("utf-8"), match.start(), match.end()
        elif match[0].startswith(b"<!DOCTYPE"):
            raise Unmarkable("a document type declaration")


def _next_child(data: bytes, position: int, skip: str, end: int | None = None) -> tuple[Element | None, int]:
    """The next element from `position` on and where it ends; None at the parent's end tag."""
    depth = 0
    name = ""
    start = inner = 0
    limit = len(data) if end is None else end
    while True:
        for tag, tag_start, tag_end in _tags(data, position, limit):
            closing = tag.startswith("/")
            empty = not closing and data[tag_end - 2 : tag_end] == b"/>"
            if depth == 0:
                if closing:
                    return None, tag_start
                name, start, inner = tag, tag_start, tag_end
                if empty:
                    return Element(_local(tag), start, tag_end, tag_end, tag_end), tag_end
                depth = 1
                if skip and tag == skip:
                    position = data.index(f"</{skip}".encode(), tag_end)
                    break
            elif closing:
                depth -= 1
                if depth == 0:
                    if tag[1:] != name:
                        raise Unmarkable("tags do not match")
                    return Element(_local(name), start, inner, tag_start, tag_end), tag_end
            elif not empty:
                depth += 1
        else:
            if depth == 0 and end is not None:
                return None, limit
            raise Unmarkable("the document ends too early")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
