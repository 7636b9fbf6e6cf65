"""The names of attachments in every form that mail programs give them."""

from __future__ import annotations

import base64
import email

import pytest

from ledger.fetching.names import MAX_LENGTH, attachment_name, clean, member_name
from tests.mails import disposition, rfc2231, word

NAME = "景阳镇9月报表（更正）.xlsx"


def named(headers: bytes) -> str:
    return attachment_name(email.message_from_bytes(headers + b"\r\n\r\n"))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(disposition(rfc2231(NAME)), id="RFC 2231"),
        pytest.param(disposition(rfc2231(NAME, "gb2312")), id="RFC 2231, GB2312 stated, GB18030 meant"),
        pytest.param(
            disposition(
                b"filename*0*=utf-8''" + b"%E6%99%AF%E9%98%B3%E9%95%879%E6%9C%88;\r\n filename*1*="
                b"%E6%8A%A5%E8%A1%A8%EF%BC%88%E6%9B%B4%E6%AD%A3%EF%BC%89;\r\n filename*2=.xlsx"
            ),
            id="RFC 2231 in three pieces",
        ),
        pytest.param(disposition(b'filename="' + word(NAME) + b'"'), id="encoded word in quotes"),
        pytest.param(disposition(b"filename=" + word(NAME)), id="encoded word without quotes"),
        pytest.param(disposition(b'filename="' + word(NAME, "gb2312", "gb18030") + b'"'), id="GB2312 word"),
        pytest.param(
            disposition(b'filename="' + word(NAME[:6], "gbk") + b"\r\n\t" + word(NAME[6:], "gbk") + b'"'),
            id="two words, folded",
        ),
        pytest.param(disposition(b'filename="' + NAME.encode() + b'"'), id="bare UTF-8"),
        pytest.param(disposition(b'filename="' + NAME.encode("gb18030") + b'"'), id="bare GB18030"),
        pytest.param(
            b'Content-Type: application/octet-stream;\r\n name="' + word(NAME) + b'"', id="name= alone"
        ),
        pytest.param(
            b"Content-Type: application/octet-stream; name=" + NAME.encode("gb18030"), id="name= bare GB18030"
        ),
        pytest.param(disposition(b'filename="C:\\\\tmp\\\\' + NAME.encode() + b'"'), id="a Windows path"),
        pytest.param(disposition(b'filename="../../' + NAME.encode() + b'"'), id="a path upwards"),
    ],
)
def test_every_form_of_a_chinese_name_is_read(headers: bytes) -> None:
    assert named(headers) == NAME


def test_a_character_cut_in_two_by_encoded_words_is_joined() -> None:
    data = NAME.encode("gb18030")
    words = [b"=?GB2312?B?" + base64.b64encode(part) + b"?=" for part in (data[:3], data[3:])]
    assert named(disposition(b'filename="' + b"\r\n ".join(words) + b'"')) == NAME


def test_a_rare_character_of_gb18030_survives_a_narrower_charset() -> None:
    assert named(disposition(rfc2231("犇㛃镇.xlsx", "gb2312"))) == "犇㛃镇.xlsx"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Type: application/octet-stream",
        disposition(b"filename="),
        disposition(b'filename="'),
        disposition(b"filename*=utf-8''"),
        disposition(b'filename="' + b"\x00\x01\x02" + b'"'),
        disposition(b";" * 20_000 + b"filename=a.xlsx"),
    ],
)
def test_no_name_is_no_name(headers: bytes) -> None:
    assert named(headers) == ""


@pytest.mark.parametrize("charset", ["x-unknown", "base64", "rot13", "\x00", "utf-7"])
def test_a_charset_that_is_none_is_no_fault(charset: str) -> None:
    assert named(disposition(f'filename="=?{charset}?B?YWJjLnhsc3g=?="'.encode())).endswith((".xlsx", "?="))


def test_what_can_not_be_seen_or_stored_is_taken_out() -> None:
    assert clean("9月\u202exslx.exe") == "9月xslx.exe"
    assert clean("a\x00b\r\n\tc\ud800.xlsx") == "ab c.xlsx"
    assert clean(" .xlsx. ") == "xlsx"
    assert clean("..") == ""


def test_a_long_name_keeps_its_ending_and_fits_a_file_system() -> None:
    cut = clean("长" * 300 + ".xlsx")
    assert cut.endswith("长.xlsx")
    assert len(cut) == MAX_LENGTH
    assert len(f"{'0' * 12}-{cut}".encode()) <= 255


@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_an_archive_member_without_the_mark_for_utf8(codec: str) -> None:
    as_read = ("甲\\" + NAME).encode(codec).decode("cp437")
    assert member_name(as_read, is_utf8=False) == "甲/" + NAME


def test_an_archive_member_can_not_climb() -> None:
    assert member_name("../../etc/./passwd", is_utf8=True) == "etc/passwd"
    assert member_name("//", is_utf8=True) == "无名文件"
