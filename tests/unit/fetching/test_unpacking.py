"""What is found in mails and archives: forwarded mails, archives, things that are no tables, bombs."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from ledger.fetching import unpack as unpacking
from ledger.fetching.unpack import Unpacked, unpack
from ledger.fetching.unpack_child import look_into
from tests.mails import BOUNDARY, Attached, attached, disposition, mail, rfc2231, zipped
from tests.workbooks import NIL, make_book

NAME = "景阳镇9月报表.xlsx"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("book") / "book.xlsx"
    return make_book(path, "景阳镇", "2018年9月", projects=NIL).read_bytes()


def given(folder: Path, data: bytes, kind: str) -> tuple[Path, Path]:
    file, into = folder / f"given.{kind}", folder / "parts"
    file.write_bytes(data)
    into.mkdir()
    return file, into


def opened(folder: Path, data: bytes, kind: str = "mail") -> Unpacked:
    """What is found, without the cost of a process of its own."""
    file, into = given(folder, data, kind)
    found = look_into(kind, file, into)
    return Unpacked(into, tuple(found.parts), found.why, found.sender, found.message_id, found.report)


def apart(folder: Path, data: bytes, kind: str = "mail") -> Unpacked:
    """The same as the program does it."""
    return unpack(kind, *given(folder, data, kind))


def names(found: Unpacked) -> list[str]:
    return [part.name for part in found.parts]


def test_an_attachment_is_found_whole(tmp_path: Path, book: bytes) -> None:
    found = apart(tmp_path, mail([attached(NAME, book)]))
    assert (found.sender, found.message_id) == ("jingyang@jianshi.example", "<1@jianshi.example>")
    assert [(part.name, part.why) for part in found.parts] == [(NAME, "")]
    assert found.path(found.parts[0]).read_bytes() == book


def test_the_letter_the_pictures_in_it_and_the_signature_are_no_attachments(
    tmp_path: Path, book: bytes
) -> None:
    logo = Attached(b"Content-Type: image/png; name=logo.png\r\nContent-ID: <logo>", b"\x89PNG\r\n\x1a\n123")
    shown = Attached(
        b"Content-Type: image/png\r\nContent-Disposition: inline; filename=a.png", b"\x89PNG\r\n\x1a\n4"
    )
    page = Attached(b"Content-Type: text/html", b"<html>x</html>")
    signature = Attached(b"Content-Type: application/pkcs7-signature; name=smime.p7s", b"0000")
    assert names(opened(tmp_path, mail([page, logo, shown, signature, attached(NAME, book)]))) == [NAME]


def test_a_photograph_that_was_attached_is_told_of(tmp_path: Path) -> None:
    photo = attached("盖章页.jpg", b"\xff\xd8\xff\xe0" + bytes(50), "image/jpeg")
    (part,) = opened(tmp_path, mail([photo])).parts
    assert part.why == "不是表格：这不是电子表格，而是 JPEG 图片，无法读取。"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("说明.docx", zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "Word"),
        ("扫描.pdf", b"%PDF-1.4 ...", "PDF"),
        ("说明.txt", "请查收".encode(), "不是表格"),
        ("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(30), "winmail.dat"),
        ("报表.rar", b"Rar!\x1a\x07\x00" + bytes(30), "RAR"),
        ("报表.7z", b"7z\xbc\xaf\x27\x1c" + bytes(30), "7z"),
        ("打不开的.xlsx", b"%PDF-1.4 ...", ""),
        ("网页.xls", b"<html><table></table></html>", ""),
        ("旅游局.csv", "单位,月份".encode("gb18030"), ""),
    ],
)
def test_what_is_meant_as_a_table_is_received_whatever_it_is(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (part,) = opened(tmp_path, mail([attached(name, content, "application/octet-stream")])).parts
    assert (why in part.why) if why else part.why == ""


def test_a_workbook_without_a_name_gets_the_ending_of_its_type(tmp_path: Path, book: bytes) -> None:
    bare = Attached(b"Content-Type: application/vnd.ms-excel\r\nContent-Disposition: attachment", book)
    assert [(part.name, part.why) for part in opened(tmp_path, mail([bare])).parts] == [("附件1.xls", "")]


@pytest.mark.parametrize(
    "carrier",
    [
        pytest.param(
            lambda inner: Attached(b"Content-Type: message/rfc822", inner, bare=True), id="as a mail"
        ),
        pytest.param(lambda inner: Attached(b"Content-Type: message/rfc822", inner), id="in base64"),
        pytest.param(
            lambda inner: Attached(disposition(b"filename=a.eml", "application/octet-stream"), inner),
            id="as a file",
        ),
    ],
)
def test_a_forwarded_mail_is_looked_through(tmp_path: Path, book: bytes, carrier) -> None:  # type: ignore[no-untyped-def]
    inner = mail([attached(NAME, book)], sender=b"other@else.example").replace(BOUNDARY.encode(), b"inner_17")
    found = opened(tmp_path, mail([carrier(inner)]))
    assert names(found) == [NAME]
    assert found.path(found.parts[0]).read_bytes() == book
    assert found.sender == "jingyang@jianshi.example", "who forwards answers for it"


def test_the_same_attachment_twice_is_one(tmp_path: Path, book: bytes) -> None:
    assert names(opened(tmp_path, mail([attached(NAME, book), attached("副本.xlsx", book)]))) == [NAME]


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        (b"JingYang@JianShi.Example", "jingyang@jianshi.example"),
        (b'"\xbe\xb0\xd1\xf4" <jingyang@jianshi.example>', "jingyang@jianshi.example"),
        (b"=?gb2312?B?vrDR9A==?= <jingyang@jianshi.example>", "jingyang@jianshi.example"),
        (b"a@b.example, jingyang@jianshi.example", ""),
        (b"a@b.example\r\nFrom: jingyang@jianshi.example", ""),
        (b"jingyang@jianshi.example <a@b.example>", "a@b.example"),
        (b"", ""),
    ],
)
def test_the_sender_is_the_one_address_of_the_one_from_line(
    tmp_path: Path, sender: bytes, address: str
) -> None:
    assert opened(tmp_path, mail(sender=sender)).sender == address


def test_a_servers_notice_about_our_own_mail_is_none_of_a_units(tmp_path: Path, book: bytes) -> None:
    found = opened(
        tmp_path, mail([attached(NAME, book)], kind=b"multipart/report; report-type=delivery-status")
    )
    assert found.report
    assert found.parts == ()


# --- archives


def test_an_attached_archive_is_opened(tmp_path: Path, book: bytes) -> None:
    packed = zipped(
        {"甲/景阳.xlsx": book, "乙/景阳.xlsx": book + b" ", "盖章.pdf": b"%PDF-1.4", "~$景阳.xlsx": b"x"}
    )
    found = opened(tmp_path, mail([attached("报表.zip", packed, "application/zip")]))
    assert names(found) == ["报表.zip", "报表.zip/甲/景阳.xlsx", "报表.zip/乙/景阳.xlsx", "报表.zip/盖章.pdf"]
    assert [part.opened for part in found.parts] == [True, False, False, False]
    assert [part.archive for part in found.parts] == [None, 0, 0, 0]
    assert [bool(part.why) for part in found.parts] == [False, False, False, True]


def test_a_workbook_is_no_archive_whatever_it_begins_with(tmp_path: Path, book: bytes) -> None:
    parts = {}
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        for name in reversed(package.namelist()):
            parts[name] = package.read(name)
    assert names(opened(tmp_path, mail([attached(NAME, zipped(parts))]))) == [NAME]


def test_names_in_an_archive_of_a_chinese_windows(tmp_path: Path, book: bytes) -> None:
    plain = zipped({"XXXXXX.xlsx": book})
    packed = plain.replace(b"XXXXXX", "景阳镇".encode("gb18030"))
    assert names(opened(tmp_path, packed, "zip")) == ["景阳镇.xlsx"]


def encrypted(packed: bytes) -> bytes:
    """The same archive, its entries marked as encrypted."""
    data = bytearray(packed)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(mark, start + 4)
    return bytes(data)


def declaring(packed: bytes, size: int) -> bytes:
    """The same archive, its directory stating another unpacked size."""
    data = bytearray(packed)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.find(mark)
        data[start + at : start + at + 4] = size.to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        pytest.param(encrypted(zipped({"a.xlsx": b"123"})), "密码", id="password"),
        pytest.param(declaring(zipped({"a.xlsx": b"123"}), 310 << 20), "太大", id="bomb"),
        pytest.param(zipped({f"{n}.xlsx": b"%d" % n for n in range(400)}), "太多", id="many"),
        pytest.param(zipped({"a.xlsx": b"123" * 999})[:-40], "打不开", id="cut off"),
        pytest.param(zipped({"a/": b""}), "空", id="empty"),
    ],
)
def test_an_archive_that_stays_closed_says_why(tmp_path: Path, packed: bytes, why: str) -> None:
    (part,) = opened(tmp_path, mail([attached("报表.zip", packed, "application/zip")])).parts
    assert why in part.why
    assert not part.opened


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    packed = declaring(zipped({"a.xlsx": bytes(4 << 20)}), 1000)
    (part,) = opened(tmp_path, mail([attached("报表.zip", packed, "application/zip")])).parts
    assert part.why


def test_archives_full_of_archives_are_bounded(tmp_path: Path) -> None:
    inner = [zipped({f"{n}-{m}.csv": b"%d-%d" % (n, m) for m in range(250)}) for n in range(4)]
    found = opened(tmp_path, zipped({f"{n}.zip": data for n, data in enumerate(inner)}), "zip")
    assert len(found.parts) <= 500
    assert [part.opened for part in found.parts if part.archive is None] == [True, False, False, False]


def test_archives_in_archives_are_opened_once_more_and_no_further(tmp_path: Path, book: bytes) -> None:
    innermost = zipped({"a.xlsx": book})
    packed = zipped({"镇.zip": zipped({"b.xlsx": book + b" ", "里.zip": innermost}), "外.xlsx": book})
    found = opened(tmp_path, packed, "zip")
    assert [(part.name, part.opened, bool(part.why)) for part in found.parts] == [
        ("镇.zip", True, False),
        ("镇.zip/b.xlsx", False, False),
        ("镇.zip/里.zip", False, True),
        ("外.xlsx", False, False),
    ]
    assert list(found.around(found.parts[1])) == ["镇.zip"]


# --- mails that mean harm

HEAD = b"From: jingyang@jianshi.example\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
FILE = b"--x\r\nContent-Disposition: attachment; filename=a%d.txt\r\n\r\nhello%d\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(MIXED + b"".join(FILE % (n, n) for n in range(50_000)), id="50,000 parts"),
        pytest.param(
            HEAD
            + b"".join(
                b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
                for n in range(3_000)
            ),
            id="3,000 parts in each other",
        ),
        pytest.param(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 900, id="900 mails in each other"),
        pytest.param(
            HEAD + b"".join(b"Content-Type: message/rfc822\r\n\r\n" for _ in range(12)) + b"\r\nx",
            id="12 mails deep",
        ),
    ],
)
def test_a_mail_without_end_is_not_followed(tmp_path: Path, data: bytes) -> None:
    found = apart(tmp_path, data)
    assert found.why
    assert len(found.parts) <= 100


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"X-Flood: " + b"a" * 900 + b"\r\n", id="no end of headers"),
        pytest.param(b"From: " + b"a@b,((" * 300_000, id="an address without end"),
        pytest.param(bytes(range(256)) * 200, id="no mail at all"),
        pytest.param(b"", id="nothing"),
        pytest.param(
            MIXED + b"--x\r\nContent-Disposition: attachment" + b';"' * 99_999 + b"\r\n\r\nx", id="parameters"
        ),
    ],
)
def test_nonsense_is_opened_in_peace(tmp_path: Path, data: bytes) -> None:
    found = apart(tmp_path, data)
    assert found.sender in ("", "jingyang@jianshi.example")
    assert all(part.name == "附件1" for part in found.parts)


def test_a_mail_that_takes_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "TIMEOUT", 0.01)
    found = apart(tmp_path, mail())
    assert found.why == "邮件结构异常，没有打开，请对方重发"


def test_the_process_that_opens_mails_knows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}
    monkeypatch.setenv("LEDGER_IMAP__PASSWORD", "secret")
    real = unpacking.subprocess.run

    def run(*words: object, **named: object) -> object:
        given.update(named["env"])  # type: ignore[call-overload]
        return real(*words, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(unpacking.subprocess, "run", run)
    apart(tmp_path, mail())
    assert "PATH" in given
    assert not [name for name in given if name.startswith("LEDGER_")]


def test_base64_that_is_broken_loses_no_other_part(tmp_path: Path, book: bytes) -> None:
    broken = Attached(
        disposition(rfc2231("坏.xlsx")) + b"\r\nContent-Transfer-Encoding: base64",
        b"!!!=" + base64.b64encode(b"abc"),
        bare=True,
    )
    assert NAME in names(opened(tmp_path, mail([broken, attached(NAME, book)])))
