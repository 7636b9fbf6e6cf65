"""The dialogue with a mail server: what came of a mail, whatever the server does; nothing secret told."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from ledger.recording.outbox import State
from ledger.sending.server import MailServer, Unusable, without_addresses
from ledger.settings import Smtp
from tests.mailserver import certificate, failing_server, free_port, mail_server

SECRET = "Tr0ub4dor-and-three"
DATA = b"Subject: x\r\n\r\n.\r\n..\r\nbody\r\n.."
FROM, TO = "office@yunlan.example", "leader@office.example"


def settings(port: int, **given: object) -> Smtp:
    return Smtp.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "timeout_seconds": 1, **given}
    )


def give(port: int, to: str = TO, **given: object):
    with MailServer(settings(port, **given), "yunlan.example") as server:
        server.open()
        return server.send(FROM, to, DATA)


def test_taken_as_it_is() -> None:
    with mail_server() as (box, port):
        answer = give(port)
        assert (answer.state, answer.code, answer.text) == (State.SENT, 250, "queued as 1A2B")
        ((sender, to, data),) = box.messages
        assert (sender, to) == (FROM, TO) and data == DATA + b"\r\n"


def test_many_over_one_connection_and_one_refused_between() -> None:
    with mail_server() as (box, port), MailServer(settings(port), "yunlan.example") as server:
        box.script["b@x.example"] = ["550"]
        server.open()
        answers = [server.send(FROM, to, DATA) for to in ("a@x.example", "b@x.example", "c@x.example")]
        assert [one.state for one in answers] == [State.SENT, State.REFUSED, State.SENT]
        assert server.is_open and box.to() == {"a@x.example": 1, "c@x.example": 1}


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("451", State.DEFERRED),
        ("550", State.REFUSED),
        ("data 452", State.DEFERRED),
        ("data 554", State.REFUSED),
        ("lose", State.UNCERTAIN),
        ("keep and lose", State.UNCERTAIN),
        ("hang", State.UNCERTAIN),
    ],
)
def test_what_the_server_says_is_what_came_of_it(action: str, state: State) -> None:
    with mail_server() as (box, port):
        box.script[TO] = [action]
        answer = give(port)
        assert answer.state is state
        assert "@" not in answer.text


@pytest.mark.parametrize("reply", [b"", b"421 going down\r\n", b"not a reply\r\n", b"999 what\r\n"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "content", "dot"])
def test_lost_before_the_dot_is_certain_after_it_is_not(stage: str, reply: bytes) -> None:
    if stage == "content" and reply:
        pytest.skip("nothing is said while the content comes")
    with failing_server(stage, reply) as port:
        answer = give(port)
    if stage == "content":
        # a short mail may be handed over whole before the connection is seen to break
        assert answer.state in (State.DEFERRED, State.UNCERTAIN)
    elif stage == "dot" and not reply.startswith(b"421"):
        assert answer.state is State.UNCERTAIN
    else:
        assert answer.state is State.DEFERRED


@pytest.mark.parametrize(
    ("stage", "state"),
    [("MAIL", State.DEFERRED), ("RCPT", State.DEFERRED), ("DATA", State.DEFERRED), ("dot", State.UNCERTAIN)],
)
def test_a_server_that_hangs_is_not_waited_for_for_ever(stage: str, state: State) -> None:
    with failing_server(stage, hanging=True) as port:
        answer = give(port, timeout_seconds=0.3)
    assert answer.state is state and "超时" in answer.text


def test_a_server_that_hangs_before_its_greeting() -> None:
    with (
        failing_server("greeting", hanging=True) as port,
        pytest.raises(Unusable, match=r"超时") as hung,
    ):
        give(port, timeout_seconds=0.3)
    assert hung.value.passing


def test_a_large_mail_broken_off_in_the_midst_never_arrived() -> None:
    with (
        failing_server("content") as port,
        MailServer(settings(port), "yunlan.example") as server,
    ):
        server.open()
        answer = server.send(FROM, TO, DATA + b"line of some length\r\n" * 500_000)
        assert answer.state is State.DEFERRED and not server.is_open


def test_a_sender_whom_the_server_does_not_take_is_the_settings_matter() -> None:
    said = b"553 who are you <office@yunlan.example>\r\n"
    match = r"不接受本单位的发件人.*sender"
    with failing_server("MAIL", said) as port, pytest.raises(Unusable, match=match) as refused:
        give(port)
    assert "@" not in str(refused.value) and not refused.value.passing


@pytest.mark.parametrize(
    ("reply", "passing"), [(b"", True), (b"554 go away\r\n", True), (b"421 busy\r\n", True)]
)
def test_a_server_that_does_not_greet(reply: bytes, passing: bool) -> None:
    with failing_server("greeting", reply) as port, pytest.raises(Unusable) as problem:
        give(port)
    assert problem.value.passing is passing


def test_nobody_there_or_nobody_answers() -> None:
    with pytest.raises(Unusable, match="连不上"):
        give(free_port())
    with pytest.raises(Unusable, match="连不上"):
        give(25, host="no-such-host.invalid")
    with pytest.raises(Unusable, match="连不上"):
        give(25, host="x" * 70 + ".invalid")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(keys: tuple[Path, Path], security: str) -> None:
    with mail_server(password=SECRET, certificate=keys, starttls=security == "starttls") as (box, port):
        given = {"security": security, "host": "localhost", "user": "office", "password": SECRET}
        assert give(port, ca_file=str(keys[0]), **given).state is State.SENT
        assert box.logins == ["office"]
        with pytest.raises(Unusable, match=r"证书通不过验证.*ca_file"):
            give(port, **given)
        with pytest.raises(Unusable, match=r"证书文件"):
            give(port, ca_file="/nowhere.pem", **given)
        assert box.logins == ["office"], "no password for a server that is not proved"


def test_the_certificate_must_bear_the_server_s_name(tmp_path: Path) -> None:
    other = certificate(tmp_path, "DNS:mail.other.example")
    with mail_server(certificate=other) as (box, port), pytest.raises(Unusable, match="证书通不过验证"):
        give(port, security="tls", host="localhost", ca_file=str(other[0]))
    assert not box.messages


def test_no_encryption_no_mail(keys: tuple[Path, Path]) -> None:
    with mail_server() as (box, port):
        with pytest.raises(Unusable, match="不支持加密"):
            give(port, security="starttls")
        with pytest.raises(Unusable, match="加密连接"):
            give(port, security="tls")
        assert not box.messages


def test_a_password_never_goes_unencrypted_to_another_machine() -> None:
    with pytest.raises(Unusable, match="连接不加密，不能登录"), mail_server() as (_, port):
        server = MailServer(settings(port, user="office", password=SECRET), "yunlan.example")
        server._settings = server._settings.model_copy(update={"host": "localhost.localdomain."})
        server._log_in(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["wrong-" + SECRET, "密码" + SECRET])
def test_nothing_secret_is_told(
    keys: tuple[Path, Path], password: str, caplog: pytest.LogCaptureFixture, capfd
) -> None:
    caplog.set_level(logging.DEBUG)
    with mail_server(password=SECRET, certificate=keys) as (_, port):
        try:
            give(
                port,
                security="tls",
                host="localhost",
                ca_file=str(keys[0]),
                user="office",
                password=password,
            )
        except Unusable as problem:
            told = "".join(traceback.format_exception(problem)) + repr(problem) + problem.message
            assert "用户名" in problem.message
            assert problem.__suppress_context__ or problem.__context__ is None
        else:
            pytest.fail("a wrong password was taken")
    out = capfd.readouterr()
    assert SECRET not in told + caplog.text + out.out + out.err


@pytest.mark.parametrize("utf8", [True, False])
def test_an_address_in_chinese_only_where_the_server_can(utf8: bool) -> None:
    with mail_server(utf8=utf8) as (box, port):
        answer = give(port, "办公室@建始.example")
        assert answer.state is (State.SENT if utf8 else State.REFUSED)
        assert give(port, "office@建始.example").state is State.SENT
        expected = ["办公室@xn--exs93j.example"] if utf8 else []
        assert [to for _, to, _ in box.messages] == [*expected, "office@xn--exs93j.example"]


def test_addresses_are_left_out_of_a_server_s_words() -> None:
    said = b"5.1.1 <a.b@c.example>: Recipient a.b@c.example rejected: see \xff\x1b[31m " + b"x" * 500
    told = without_addresses(said)
    assert "@" not in told and "\x1b" not in told and len(told) == 200
