"""Names are compared without white space and invisible characters, whatever their code point."""

from __future__ import annotations

import sys
import unicodedata

from ledger.registry import fold_name


def test_every_invisible_character_is_left_out_and_nothing_else() -> None:
    left_out, kept = [], []
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character.isspace() or unicodedata.category(character) == "Cf":
            left_out.append(character)
        elif unicodedata.category(character)[0] in "PSZM":
            kept.append(character)
    assert fold_name("".join(left_out)) == ""
    assert fold_name("长\u3000梁\u200b镇（ＯＦＦＩＣＥ）") == "长梁镇(office)"
    for character in kept:
        folded = unicodedata.normalize("NFKC", character)
        expected = "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Cf").lower()
        assert fold_name(character) == expected, hex(ord(character))
