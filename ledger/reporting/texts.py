"""Text from workbooks, made safe to print: it can do nothing but appear.

Escaping is the templates' matter (autoescape). Here go the characters that would act on their
surroundings without being seen, and the length of what is quoted on a page with no room to spare.
"""

from __future__ import annotations

import re
import unicodedata

#: The printers' mark for a character that can't be set.
GETA = "〓"
#: How a clipped text ends: the whole of it stands in the ledger and in the data workbook.
CLIPPED = "…见台帐"

_UNSEEN = {"Cc", "Cf"}
_UNSETTABLE = {"Cs", "Co", "Cn"}
#: Variation selectors choose among forms of the character before; no font here has any.
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SPACE = re.compile(r"\s+")
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…—\U00020000-\U0003ffff]"
_GAP = re.compile(rf"(?<={_WIDE}) (?={_WIDE})")
_NUMBERING = re.compile(r"^[（(]?[一二三四五六七八九十百0-9]+[)）、.．]\s*")


def shown(text: str | None) -> str:
    """`text` on one line, without control and direction characters, in composed form.

    A character that no font can hold (surrogates, private use, unassigned) becomes 〓. More than
    two combining marks in a row are dropped: they would climb over the lines above.
    """
    if not text:
        return ""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif category in _UNSETTABLE:
            kept.append(GETA)
        elif category not in _UNSEEN and not _VARIATION.match(char):
            marks = marks + 1 if category in {"Mn", "Me"} else 0
            if marks <= 2:
                kept.append(char)
    return _SPACE.sub(" ", "".join(kept)).strip()


def joined(text: str | None) -> str:
    """`shown`, and without the spaces that a printed line's end left between two characters."""
    return _GAP.sub("", shown(text))


def clip(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters and 「…见台帐」 where it is longer."""
    return text if len(text) <= limit else text[:limit].rstrip("，、；。 ") + CLIPPED


def abridged(name: str, limit: int) -> str:
    """A name in a narrow place: at most `limit` characters, the last one 「…」 where it is longer."""
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def heading(section: str) -> str:
    """A plan's heading without its numbering: 「二、基础设施」 → 「基础设施」."""
    text = joined(section)
    return _NUMBERING.sub("", text) or text


def sentence(text: str) -> str:
    """A unit's words as part of our sentence: without the full stop it may end with."""
    return text.rstrip("。；;，,. ")


def stop(text: str) -> str:
    """`text` with exactly one full stop at its end."""
    return f"{sentence(text)}。"
