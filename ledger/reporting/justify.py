"""Where a line of Chinese text may be stretched or squeezed so that both margins are straight.

Plain rules over characters, after 《中文排版需求》 (clreq) and the habits of official documents:
space goes between two characters of which at least one is Chinese, never inside a number or a
Latin word, never inside —— or ……, never beside an ideographic space (it is an indent). A full-width
punctuation mark may give up the empty half of its square. Knows nothing of the PDF library.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

OPENING = frozenset("（〔［｛《〈「『【〖“‘")
CLOSING = frozenset("），。、；：！？〕］｝》〉」』】〗”’")
#: Marks that sit in a full square in every Chinese font, whatever Unicode says of their width.
_SQUARE = OPENING | CLOSING | frozenset("—…·～")
#: Marks whose ink stands in one half of the square, so that the other half can be given up.
_GIVES_BEFORE = OPENING
_GIVES_AFTER = CLOSING - frozenset("！？")
_HALF = 0.5
_LOOSE, _TIGHT = 2.5, 0.4
_INDENT = "\u3000"
_PAIRED = frozenset("—…")
#: What takes the place of a picture or a box standing in the line.
OBJECT = "\ufffc"


def is_square(character: str) -> bool:
    """Whether the character stands in a full square of the grid."""
    return character in _SQUARE or unicodedata.east_asian_width(character) in "WF"


def may_stretch(before: str, after: str) -> bool:
    """Whether space may be put between two neighbouring characters of a line."""
    if _INDENT in (before, after):
        return False
    if before == after and before in _PAIRED:
        return False
    if before in " \u00a0":
        return True
    if after in " \u00a0":
        return False
    return is_square(before) or is_square(after) or OBJECT in (before, after)


def stretches(text: str) -> dict[int, float]:
    """The places (index of the character before) at which a line may be stretched, and how much
    each takes of it: more beside a number or a Latin word and after a mark than between two
    characters, less between a mark and what it closes, so that a loose line still reads as words."""
    end = len(text.rstrip(" "))
    return {
        place: _weight(text[place], text[place + 1])
        for place in range(end - 1)
        if may_stretch(text[place], text[place + 1])
    }


def _weight(before: str, after: str) -> float:
    if before in OPENING or after in CLOSING:
        return _TIGHT
    loose = is_square(before) is not is_square(after) or before in _GIVES_AFTER or after in _GIVES_BEFORE
    return _LOOSE if loose else 1.0


def squeezes(text: str) -> dict[int, float]:
    """Where a line may be squeezed: the place (index of the character before) and how much, in em.

    The last place is the line's end: the empty half of a closing mark may lie in the margin.
    """
    found = {}
    for place, character in enumerate(text):
        after = text[place + 1] if place + 1 < len(text) else ""
        give = _HALF * ((character in _GIVES_AFTER) + (after != "" and after in _GIVES_BEFORE))
        if give:
            found[place] = give
    return found


def share(total: float, weights: Sequence[float], sizes: Sequence[float]) -> list[int]:
    """Share `total` over gaps by weight, as whole thousandths of each gap's font size.

    A PDF holds the space between glyphs in whole thousandths; rounding each on its own would leave
    the right margin ragged by up to a third of a millimetre, so the remainder is carried on.
    """
    whole = sum(weights)
    shares: list[int] = []
    wanted = placed = 0.0
    for weight, size in zip(weights, sizes, strict=True):
        wanted += total * weight / whole
        thousandths = round((wanted - placed) * 1000 / size)
        placed += thousandths * size / 1000
        shares.append(thousandths)
    return shares
