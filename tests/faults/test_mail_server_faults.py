"""Mail servers that drop, hang, lie, or are not who they should be: told in Chinese, and nothing lost."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from ledger.calendar import SHANGHAI
from ledger.fetching import mailbox
from ledger.fetching.from_mail import FromMail, senders, take_mailbox
from ledger.fetching.mailbox import MailboxProblem, open_mailbox
from ledger.fetching.memory import Memory
from ledger.home import Home
from ledger.recipients import Gets, Recipient
from ledger.recording.journal import Journal
from ledger.settings import Imap
from tests.dovecot import PASSWORD, USER, Dovecot, free_port, make_certificates, running
from tests.fake_programme import A, new_home
from tests.mails import attached, mail

KNOWN = senders([Recipient("jia", "甲镇", "", "jia@x.example", frozenset({Gets.RETURN}), A)])
ARRIVED = datetime(2018, 10, 4, 17, 30, tzinfo=SHANGHAI)
FIRST = date(2018, 6, 1)
MAILS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with running((USER,)) as started:
        for number in range(MAILS):
            content = f"{number}".encode() * 3000
            letter = mail(
                [attached(f"{number}.xlsx", content)], sender=b"jia@x.example", message_id=f"<{number}@x>"
            )
            started.deliver(letter, ARRIVED)
        yield started


def look(home: Home, settings: Imap) -> FromMail:
    memory = Memory.load(home)
    found = take_mailbox(home, memory, settings, KNOWN, FIRST, progress=lambda _: None)
    memory.save(home)
    return found


def received(home: Home) -> list[str]:
    return [event.payload["file_name"] for event in Journal(home.journal).of_kind("received")]


def problem(settings: Imap) -> str:
    with pytest.raises(MailboxProblem) as raised, open_mailbox(settings) as opened:
        list(opened.envelopes(opened.since(0, FIRST)))
    assert PASSWORD not in raised.value.message
    assert raised.value.__cause__ is None
    shown = raised.value.__context__ is not None and not raised.value.__suppress_context__
    assert not shown, "a traceback would show what the library had in hand"
    return raised.value.message


# --- who the server is


def test_another_authority_gets_no_password(server: Dovecot, tmp_path: Path) -> None:
    foreign = str(make_certificates(tmp_path))
    for security in ("tls", "starttls"):
        assert "证书不可信" in problem(server.settings(security=security, ca_file=foreign))
    assert "证书不可信" in problem(server.settings(ca_file="")), "nor where none of our own is named"


def test_a_certificate_for_another_name_is_not_trusted(server: Dovecot) -> None:
    assert "证书不可信" in problem(server.settings(host="127.0.0.2"))


def test_a_wrong_password(server: Dovecot) -> None:
    said = problem(server.settings(password="falsch"))
    assert "收件邮箱拒绝登录" in said
    assert "授权码" in said
    assert "falsch" not in said


def test_a_folder_that_is_not_there(server: Dovecot) -> None:
    assert "打不开文件夹“没有”" in problem(server.settings(folder="没有"))


def test_a_file_of_authorities_that_is_none(server: Dovecot, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    for name in ("ca.pem", "no.pem"):
        assert "ca_file" in problem(server.settings(ca_file=str(tmp_path / name)))


def test_nobody_listens(server: Dovecot) -> None:
    assert "连不上" in problem(server.settings(host="127.0.0.1", port=free_port()))


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "找不到" in problem(Imap(host="mail.example", user=USER))


def test_tls_spoken_to_a_plain_port(server: Dovecot) -> None:
    assert "security" in problem(server.settings(port=server.port))


# --- what the server does


@contextlib.contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that says what it is told to, one connection after the other."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                talk(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def answering(*, capabilities: str = "IMAP4rev1", **answers: str) -> Callable[[socket.socket], None]:
    """An IMAP server in a few lines: what it answers to FETCH, SEARCH, SELECT, before its OK."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        for line in connection.makefile("rb"):
            tag, command, *rest = line.decode("utf-8", "replace").split()
            word = rest[0].upper() if command.upper() == "UID" else command.upper()
            said = {
                "CAPABILITY": f"* CAPABILITY {capabilities}\r\n",
                "EXAMINE": "* OK [UIDVALIDITY 7] x\r\n* 1 EXISTS\r\n",
                "SEARCH": "* SEARCH 1\r\n",
                **answers,
            }.get(word, "")
            connection.sendall(f"{said}{tag} OK done\r\n".encode())

    return talk


def plain(port: int, **other: object) -> Imap:
    return Imap(
        **{"host": "127.0.0.1", "port": port, "security": "none", "user": USER, "timeout_seconds": 5, **other}
    )  # type: ignore[arg-type]


def test_without_starttls_nothing_goes_out() -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        for line in connection.makefile("rb"):
            heard.append(line)
            connection.sendall(b"* CAPABILITY IMAP4rev1\r\n" + line.split()[0] + b" OK done\r\n")

    with serving(talk) as port:
        said = problem(plain(port, security="starttls", password="secret"))
    assert "不提供 STARTTLS" in said
    assert not [line for line in heard if b"LOGIN" in line.upper() or b"secret" in line]


@pytest.mark.parametrize(
    "answers",
    [
        {"SEARCH": "* SEARCH one\r\n"},
        {"EXAMINE": "* 1 EXISTS\r\n"},
        {"EXAMINE": "* OK [UIDVALIDITY x] x\r\n"},
    ],
)
def test_nonsense_is_told_as_such(answers: dict[str, str]) -> None:
    with serving(answering(**answers)) as port:
        assert "请" in problem(plain(port))


DATE = 'INTERNALDATE "04-Oct-2018 17:30:00 +0800"'


@pytest.mark.parametrize(
    "fetched",
    [
        "* 1 FETCH (UID 1 RFC822.SIZE ten INTERNALDATE x)\r\n",
        "* 1 FETCH (UID 1 RFC822.SIZE\r\n",
        "* 1 FETCH (UID 1)\r\n",
        "",
        '* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE "32-Foo-2018 99:00:00 +0800")\r\n',
        f"* 1 FETCH (UID 1 RFC822.SIZE 10 {DATE})\r\n",
        f"* 1 FETCH (UID 1 RFC822.SIZE 10 {DATE} BODY[]<0> NIL)\r\n",
    ],
)
def test_a_mail_that_the_server_does_not_give_is_told_and_does_not_bar_the_way(
    tmp_path: Path, fetched: str
) -> None:
    home = new_home(tmp_path / "home")
    with serving(answering(FETCH=fetched)) as port:
        found = look(home, plain(port))
        again = look(home, plain(port))
    if fetched:
        assert [(one.name, one.why) for one in found.taken] == [
            ("邮件1", "收件服务器交不出这封邮件，请到邮箱里看")
        ]
    assert (again.taken, again.problem) == ([], "")


def test_a_mail_at_which_the_connection_always_breaks_is_passed_over(tmp_path: Path) -> None:
    """It is asked for three times; the mails after it then come in."""
    letter = mail([attached("后.xlsx", b"123")], sender=b"jia@x.example", text=b"x").decode("ascii")

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        for line in connection.makefile("rb"):
            tag, *words = line.decode().upper().split()
            if "SEARCH" in words:
                said = "* SEARCH 1 2\r\n"
            elif "EXAMINE" in words:
                said = "* OK [UIDVALIDITY 7] x\r\n"
            elif "RFC822.SIZE" in line.decode():
                said = "".join(f"* {n} FETCH (UID {n} RFC822.SIZE {len(letter)} {DATE})\r\n" for n in (1, 2))
            elif "FETCH" in words and "1" in words:
                return
            elif "FETCH" in words:
                said = f"* 2 FETCH (UID 2 BODY[]<0> {{{len(letter)}}}\r\n{letter})\r\n"
            else:
                said = "* CAPABILITY IMAP4rev1\r\n"
            connection.sendall(f"{said}{tag} OK done\r\n".encode())

    home = new_home(tmp_path / "home")
    with serving(talk) as port:
        for _ in range(3):
            assert "连接中断" in look(home, plain(port)).problem
        found = look(home, plain(port))
    assert [(one.name, bool(one.why)) for one in found.taken] == [("邮件1", True), ("后.xlsx", False)]
    assert found.problem == ""


def test_a_server_that_says_nothing_is_waited_for_only_so_long() -> None:
    with serving(lambda connection: time.sleep(3)) as port:
        started = time.monotonic()
        assert "没有回应" in problem(plain(port, timeout_seconds=0.3))
        assert time.monotonic() - started < 3


def test_a_server_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "TOTAL_SECONDS", 1.0)

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        for line in connection.makefile("rb"):
            if b"SEARCH" in line:
                while True:
                    connection.sendall(b"*")
                    time.sleep(0.1)
            said = b"* CAPABILITY IMAP4rev1\r\n* OK [UIDVALIDITY 7] x\r\n"
            connection.sendall(said + line.split()[0] + b" OK done\r\n")

    with serving(drip) as port:
        started = time.monotonic()
        assert "下次会接着收" in problem(plain(port, timeout_seconds=30))
        assert time.monotonic() - started < 10


@contextlib.contextmanager
def cut_after(server: Dovecot, most: int) -> Iterator[int]:
    """A way to the server that breaks after so many of its bytes."""

    def talk(connection: socket.socket) -> None:
        left = most
        with socket.create_connection(("127.0.0.1", server.port)) as behind:

            def forward() -> None:
                with contextlib.suppress(OSError):
                    while data := connection.recv(4096):
                        behind.sendall(data)

            threading.Thread(target=forward, daemon=True).start()
            while left > 0 and (data := behind.recv(min(4096, left))):
                connection.sendall(data)
                left -= len(data)
            for one in (connection, behind):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    with serving(talk) as port:
        yield port


def test_a_connection_that_breaks_anywhere_loses_nothing_and_doubles_nothing(
    server: Dovecot, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    broken = 0
    for most in (40, 400, 900, 1500, 6_000, 11_000, 17_000, 30_000):
        with cut_after(server, most) as port:
            found = look(home, server.settings(host="127.0.0.1", security="none", port=port))
        broken += bool(found.problem)
        names = received(home)
        assert names == [f"{number}.xlsx" for number in range(len(names))]
    assert broken > 4
    assert look(home, server.settings()).problem == ""
    assert received(home) == [f"{number}.xlsx" for number in range(MAILS)]
