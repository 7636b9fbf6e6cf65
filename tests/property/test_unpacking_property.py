"""Whatever bytes come as a mail or an archive: something is said, nothing is raised, nothing escapes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.fetching import kinds
from ledger.fetching.names import MAX_LENGTH, clean, guessed, member_name, words_decoded
from ledger.fetching.unpack_child import MAX_ATTACHED, Parts, look_into
from tests.mails import attached, mail, zipped

LETTER = mail(
    [
        attached("报表.xlsx", b"PK\x03\x04" + bytes(60)),
        attached("几份.zip", zipped({"甲/a.xlsx": b"1" * 99, "b.csv": b"2" * 99}), "application/zip"),
    ]
)
PACKED = zipped({"甲/a.xlsx": b"1" * 99, "里.zip": zipped({"b.csv": b"2" * 99})})
damage = st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=6)), min_size=1, max_size=8)


def looked_into(kind: str, data: bytes) -> Parts:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "parts"
        folder.mkdir()
        (Path(name) / "given").write_bytes(data)
        found = look_into(kind, Path(name) / "given", folder)
        assert {path.name for path in folder.iterdir()} == {part.file for part in found.parts if part.file}
        assert sorted(path.name for path in Path(name).iterdir()) == ["given", "parts"], (
            "nothing lies elsewhere"
        )
    return found


def damaged(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    changed = bytearray(data)
    for place, piece in changes:
        at = place % len(changed)
        changed[at : at + len(piece)] = piece
    return bytes(changed)


def is_sound(found: Parts) -> None:
    assert len(found.parts) <= 3 * MAX_ATTACHED
    for part in found.parts:
        last = part.name.rpartition("/")[2]
        assert last
        assert last == clean(last)
        assert ".." not in part.name.split("/")
        assert part.archive is None or found.parts[part.archive].opened


@settings(max_examples=60, deadline=None)
@given(damage)
def test_a_damaged_mail(changes: list[tuple[int, bytes]]) -> None:
    is_sound(looked_into("mail", damaged(LETTER, changes)))


@settings(max_examples=60, deadline=None)
@given(damage)
def test_a_damaged_archive(changes: list[tuple[int, bytes]]) -> None:
    found = looked_into("zip", damaged(PACKED, changes))
    assert found.why or found.parts
    is_sound(found)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["mail", "zip"]))
def test_any_bytes(data: bytes, kind: str) -> None:
    is_sound(looked_into(kind, data))


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_file_is_judged(data: bytes, name: str) -> None:
    assert isinstance(kinds.why_not(name, data), str)
    assert kinds.is_archive(data) in (True, False)


@given(st.text(max_size=300), st.booleans())
def test_any_name_can_be_kept(name: str, is_utf8: bool) -> None:
    cleaned = clean(name)
    assert clean(cleaned) == cleaned
    assert "/" not in cleaned
    assert len(cleaned) <= MAX_LENGTH
    cleaned.encode()
    member = member_name(name, is_utf8=is_utf8)
    assert member
    assert not member.startswith("/")
    words_decoded(name)


@given(st.binary(max_size=100))
def test_any_bytes_are_some_text(data: bytes) -> None:
    guessed(data).encode()
