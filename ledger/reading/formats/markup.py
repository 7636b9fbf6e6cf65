"""XML read with expat: local names only, no entities of the file's own, no network.

Namespaces are left aside on purpose: transitional and strict OOXML differ in nothing else that is
read here, and producers are free in their prefixes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar
from xml.parsers import expat

from ledger.reading.formats.refusal import Refused, bloated, damaged

R = TypeVar("R")

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
End = Callable[[str], None]
Text = Callable[[str], None]

#: Elements inside elements; the formats read here stay below 30.
_MAX_DEPTH = 256
_CHUNK = 1 << 16
#: Larger documents are not kept: a cache must not hold what a hostile file puts into it.
_MAX_CACHED = 1 << 16


def cached_by_document(size: int) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Remember what was read from small documents (the first argument).

    The workbooks of a month are made from one form: their styles, their lists of sheets and what
    stands around the rows are the same bytes in most of them.
    """

    def decorate(read: Callable[..., R]) -> Callable[..., R]:
        remembered = lru_cache(maxsize=size)(read)

        def choose(document: bytes, *where: str) -> R:
            chosen = read if len(document) > _MAX_CACHED else remembered
            return chosen(document, *where)

        return choose

    return decorate


def walk(data: bytes, part: str, start: Start, end: End | None = None, text: Text | None = None) -> None:
    """Send a document's elements and character data to the handlers.

    Names come without prefix; attributes keep theirs away too (``r:id`` → ``id``) where that is
    unambiguous in the formats read. Raises Refused: F01 where the XML is not well-formed, F04
    where it declares entities or nests without end.
    """
    depth = 0

    def started(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise bloated(f"其中 {part} 层层嵌套")
        start(name.rpartition(":")[2], attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name.rpartition(":")[2])

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.EntityDeclHandler = _refuse_entity
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        for begin in range(0, len(data), _CHUNK):
            parser.Parse(data[begin : begin + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise damaged(f"其中 {part} 不完整") from fault
    except (UnicodeDecodeError, LookupError) as fault:
        raise damaged(f"其中 {part} 的文字编码不认识") from fault


def _refuse_entity(name: str, *_: object) -> None:
    raise Refused(
        "F04", f"文件过大或异常：其中定义了 XML 实体（{name[:20]}），正常的表格没有这种内容，已停止读取。"
    )


def attribute(attributes: Attributes, name: str) -> str | None:
    """An attribute whatever its prefix (``r:id``, ``ns0:id``)."""
    if name in attributes:
        return attributes[name]
    ending = ":" + name
    return next((value for key, value in attributes.items() if key.endswith(ending)), None)


def is_true(value: str | None) -> bool:
    """xsd:boolean."""
    return value in ("1", "true", "on")
