"""A mail's bytes: right for the standard's reader, for the clients of old, and the same every time."""

from __future__ import annotations

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import pytest

from ledger.sending.message import NOBODY, Sender, ascii_address, build, needs_utf8

SENDER = Sender("建始县扶贫开发办公室", "fupin@jianshi.example", "shou@jianshi.example")
FILES = {"a" * 64: b"%PDF-1.7\r\n.\r\nnot the end\r\n" * 9, "b" * 64: bytes(range(256)) * 5}
LONG = "月报-2018-09-建始工业园区管委会（原建始县经济开发区管理委员会）-第12版.pdf"


def payload(**given: Any) -> dict[str, Any]:
    return {
        "message_id": "edition.2018-09.3fa9c1d2e4b5a6978877665",
        "domain": "jianshi.example",
        "recipient": {"key": "k", "name": "滨江区发展改革和经济局", "address": "fgj@binjiang.example"},
        "date": "2018-10-08T09:30:00+08:00",
        "subject": "建始县东西部扶贫协作月报（2018年9月）第2版：更正，替换第1版",
        "text": "滨江区：\n\n.一行以点开头\n喆堃犇昇㛃𬭊\n",
        "html": "<p>滨江区：</p>",
        "attachments": [{"name": LONG, "sha256": "a" * 64, "ext": "pdf"}],
        **given,
    }


def load(sha256: str, ext: str) -> bytes:
    return FILES[sha256]


def made(**given: Any) -> bytes:
    stated = payload(**given)
    return build(stated, stated["recipient"]["address"], SENDER, load)


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def test_a_standard_reader_sees_what_was_meant() -> None:
    message = parsed(made())
    assert message["Subject"] == payload()["subject"]
    (to,) = message["To"].addresses
    assert (to.display_name, to.addr_spec) == ("滨江区发展改革和经济局", "fgj@binjiang.example")
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("建始县扶贫开发办公室", "fupin@jianshi.example")
    assert message["Reply-To"] == "shou@jianshi.example"
    assert message["Message-ID"] == "<edition.2018-09.3fa9c1d2e4b5a6978877665@jianshi.example>"
    assert message["Date"].datetime.isoformat() == "2018-10-08T09:30:00+08:00"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == payload()["text"]
    assert message.get_body(("html",)).get_content().strip() == payload()["html"]
    (attachment,) = message.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == FILES["a" * 64]
    assert not [defect for part in message.walk() for defect in part.defects]


def headers_of(data: bytes) -> str:
    """All headers of all parts, as they stand."""
    text = data.decode("ascii")
    return "\r\n".join(
        re.findall(r"(?:^|\r\n\r\n|--\r\n|_\d_[^\r]*\r\n)((?:[\w-]+:.*\r\n(?:[ \t].*\r\n)*)+)", text)
    )


def test_raw_headers_keep_the_rules() -> None:
    data = made()
    assert data.isascii() and b"\n" not in data.replace(b"\r\n", b"")
    headers = headers_of(data)
    assert "filename*" in headers and headers.count("Content-Type") >= 5
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    words = re.findall(r"=\?[^?]*\?[bBqQ]\?[^?]*\?=", headers)
    assert len(words) > 8 and max(map(len, words)) <= 75
    for header in ("Subject", "To", "From"):
        (block,) = re.findall(rf"(?m)^{header}: .*\r\n(?:[ \t].*\r\n)*", headers)
        assert all(len(line) <= 76 for line in block.split("\r\n"))


def test_the_file_name_is_told_in_both_manners() -> None:
    headers = headers_of(made())
    (exact,) = re.findall(r"filename\*=utf-8''([%\w.~-]+)", headers)
    assert unquote(exact) == LONG
    for name in ("filename", "name"):
        (quoted,) = re.findall(rf'[ ;]{name}="([^"]*)"', headers)
        assert str(make_header(decode_header(quoted))) == LONG


def test_an_older_reader_sees_it_too() -> None:
    message = email.message_from_bytes(made(), policy=policy.compat32)
    assert str(make_header(decode_header(message["Subject"]))) == payload()["subject"]
    (part,) = [part for part in message.walk() if part.get_content_disposition() == "attachment"]
    assert str(make_header(decode_header(part.get_filename()))) == LONG
    assert part.get_payload(decode=True) == FILES["a" * 64]


@pytest.mark.parametrize(
    "name",
    [
        "县委",
        'A "quoted" \\ name, with (all) <sorts>',
        "滨江区发展改革和经济局，建始工业园区管委会及县直有关单位、各乡镇人民政府办公室",
        "县委\r\nBcc: everyone@evil.example",
        "plain\r\nBcc: everyone@evil.example",
        "",
    ],
)
def test_any_name_is_one_recipient(name: str) -> None:
    data = made(recipient={"key": "k", "name": name, "address": "a@b.example"}, subject=f"致{name}")
    message = parsed(data)
    (to,) = message["To"].addresses
    assert to.addr_spec == "a@b.example" and message["Bcc"] is None
    # the standard library's reader of addresses puts blanks between two encoded words of a name
    raw = email.message_from_bytes(data, policy=policy.compat32)["To"]
    told = str(make_header(decode_header(raw))).removesuffix("<a@b.example>").strip()
    plain = " ".join(name.split())
    assert told == plain if not name.isascii() else to.display_name == plain


def test_the_same_bytes_on_every_try() -> None:
    assert made() == made()
    assert made() != made(message_id="edition.2018-09.other")


def test_parts_can_not_be_mistaken_for_boundaries() -> None:
    data = made(text="--=_0_edition.2018-09.3fa9c1d2e4b5a6978877665\n")
    assert len(list(parsed(data).walk())) == 5


def test_addresses_in_chinese() -> None:
    assert ascii_address("办公室@建始.example") == "办公室@xn--exs93j.example"
    assert ascii_address("office@建始.example") == "office@xn--exs93j.example"
    assert needs_utf8("办公室@建始.example") and not needs_utf8("office@建始.example")


def test_without_a_sender_nobody_is_named() -> None:
    sender = Sender.of("", "", "县扶贫办")
    assert (sender.name, sender.address, sender.domain) == ("县扶贫办", NOBODY, "ledger.invalid")
    assert Sender.of("office@建始.example", "", "县扶贫办").domain == "xn--exs93j.example"
    assert Sender.of("王 <a@b.example>", "", "县扶贫办").name == "王"
