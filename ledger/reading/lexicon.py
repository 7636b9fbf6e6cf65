"""The headings each table is known by, derived once from its declaration (schemas.tables)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ledger.reading.words import fold, key
from schemas.columns import JOINT
from schemas.tables import Table

_MOST_KNOWN = 20_000


@dataclass(frozen=True)
class Lexicon:
    """A table's headings by key; which are too short to stand without their group."""

    fields: Mapping[str, str]
    ambiguous: frozenset[str]
    words: frozenset[str]
    canonical: Mapping[str, str]
    known: dict[tuple[str, ...], str | None]

    def find(self, words: tuple[str, ...]) -> str | None:
        """The field that a path of headings names, upper first; None where it names none.

        The upper headings may be more than the column's own (「资金情况」 over 「累计到位」); a
        leaf that stands under several groups is nothing without its own.
        """
        try:
            return self.known[words]
        except KeyError:
            if len(self.known) > _MOST_KNOWN:
                self.known.clear()
            found = self.known[words] = self._find(words)
            return found

    def _find(self, words: tuple[str, ...]) -> str | None:
        for start in range(len(words)):
            rest = words[start:]
            joined = "".join(rest)
            if start and len(rest) == 1 and joined in self.ambiguous:
                return None
            if joined in self.fields:
                return self.fields[joined]
            if len(rest) > 2 and rest[0] + rest[-1] in self.fields:
                return self.fields[rest[0] + rest[-1]]
        return None


@lru_cache(maxsize=32)
def _build(name: str, number: str, columns: tuple[tuple[str, tuple[str, ...]], ...]) -> Lexicon:
    fields: dict[str, str] = {}
    canonical: dict[str, str] = {}
    words: set[str] = set()
    for column, titles in columns:
        canonical.setdefault(key(titles[0]).words, column)
        fields.setdefault(key(titles[0]).words, column)
    for column, titles in columns:
        for title in titles:
            fields.setdefault(key(title).words, column)
            group, joint, leaf = title.partition(JOINT)
            if joint:
                words.update((key(group).words, key(leaf).words))
                # 「财政帮扶资金累计支付」, 「财政帮扶资金(累计支付)」
                fields.setdefault(key(leaf).words + key(group).words, column)
    words.update(fields)
    words.discard("")
    ambiguous = frozenset(
        ending
        for long, column in fields.items()
        for ending in (long[start:] for start in range(1, len(long)))
        if fields.get(ending, column) != column
    )
    return Lexicon(fields, ambiguous, frozenset(words), canonical, {})


_LEXICONS: dict[int, tuple[Table, Lexicon]] = {}


def lexicon(table: Table) -> Lexicon:
    """The headings of a table, computed once for each declaration."""
    known = _LEXICONS.get(id(table))
    if known is None or known[0] is not table:
        columns = tuple((column.field, (column.title, *column.aliases)) for column in table.columns)
        known = _LEXICONS[id(table)] = (table, _build(table.key, table.number, columns))
    return known[1]


@lru_cache(maxsize=64)
def _name_patterns(number: str, title: str, sheet: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """What names a table in a caption: its number, its title, the words of its sheet's name."""
    digits = "一二三四五六七八九"
    kind, digit = fold(number).rstrip("0123456789"), fold(number)[-1]
    if digit.isdigit():
        written = f"{kind}[{digit}{digits[int(digit) - 1]}](?![0-9一二三四五六七八九十])"
    else:
        written = re.escape(fold(number))
    words = [fold(title), fold(sheet.removeprefix(number))]
    return re.compile(written), tuple(word for word in words if len(word) > 1)


def names_table(text: str, table: Table) -> bool:
    """Whether a caption, a sheet's or a file's name names this table."""
    return _names(text, table.number, table.title, table.sheet)


@lru_cache(maxsize=8192)
def _names(text: str, number: str, title: str, sheet: str) -> bool:
    pattern, words = _name_patterns(number, title, sheet)
    folded = fold(text)
    return bool(pattern.search(folded)) or any(word in folded for word in words)
