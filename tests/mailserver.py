"""Mail servers on the loopback address: one that keeps what it takes, one that fails at a given point."""

from __future__ import annotations

import asyncio
import contextlib
import email
import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What a server took, and what it is to do instead: by recipient, the actions of the next tries.

    ``451`` and the like: that reply to RCPT. ``data 554``: to the message. ``lose``: the connection
    breaks after the message, which is not kept; ``keep and lose``: which is. ``hang``: no answer.
    """

    messages: list[tuple[str, str, bytes]] = field(default_factory=list)
    script: dict[str, list[str]] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    before_answer: Any = None

    def next(self, address: str, stage: str) -> str:
        actions = self.script.get(address, [])
        if actions and actions[0][0].isdigit() == (stage == "RCPT"):
            return actions.pop(0)
        return ""

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.tries[address] += 1
        action = self.next(address, "RCPT")
        if action:
            return f"{action} <{address}> says no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        action = self.next(address, "DATA")
        if action.startswith("data "):
            return f"{action[5:]} not this one"
        if action != "lose":
            self.messages.append((envelope.mail_from, address, envelope.original_content))
        if action in ("lose", "keep and lose"):
            server.transport.abort()
        if action == "hang":
            await asyncio.sleep(2)
        if self.before_answer is not None:
            self.before_answer()
        return "250 queued as 1A2B"

    # --- what is asked of it

    def parsed(self) -> list[EmailMessage]:
        found = []
        for _, _, data in self.messages:
            message = email.message_from_bytes(data, policy=policy.SMTP)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    def ids(self) -> Counter[str]:
        return Counter(str(message["Message-ID"]) for message in self.parsed())

    def to(self) -> Counter[str]:
        return Counter(address for _, address, _ in self.messages)


@contextlib.contextmanager
def mail_server(
    *,
    password: str | None = None,
    certificate: tuple[Path, Path] | None = None,
    starttls: bool = False,
    utf8: bool = True,
) -> Iterator[tuple[Mailbox, int]]:
    """A real SMTP server, its mailbox and its port."""
    box = Mailbox()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        box.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    given: dict[str, Any] = {"enable_SMTPUTF8": utf8, "hostname": "127.0.0.1", "port": free_port()}
    if password is not None:
        given |= {"authenticator": known, "auth_required": True, "auth_require_tls": starttls}
    if starttls:
        given |= {"tls_context": context, "require_starttls": True}
    elif context is not None:
        given |= {"ssl_context": context}
    controller = Controller(box, **given)
    controller.start()
    try:
        yield box, given["port"]
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def certificate(folder: Path, name: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate for this machine, or another `name`, its own authority, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key}"
    named = [
        "-out",
        str(cert),
        "-subj",
        "/CN=localhost",
        "-addext",
        f"subjectAltName={name}",
    ]
    subprocess.run([*words.split(), *named], check=True, capture_output=True)
    return cert, key


#: Where a scripted server fails, in the order of the dialogue.
STAGES = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "content", "dot")


@contextlib.contextmanager
def failing_server(stage: str, reply: bytes = b"", *, hanging: bool = False) -> Iterator[int]:
    """A server that at `stage` says `reply`, or nothing, and closes the connection; its port. A
    `hanging` one holds it for some seconds.

    ``content``: once some of the message has come; ``dot``: once all of it has.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with contextlib.suppress(OSError), connection:
                    _talk(connection, stage, reply)
                    over.wait(5 if hanging else 0)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _talk(connection: socket.socket, stage: str, reply: bytes) -> None:
    file = connection.makefile("rwb", buffering=0)
    if stage == "greeting":
        connection.sendall(reply)
        return
    connection.sendall(b"220 here\r\n")
    for line in iter(file.readline, b""):
        word = line.split()[0].upper().decode().partition(":")[0] if line.split() else ""
        if word == stage:
            connection.sendall(reply)
            if not reply or reply.startswith(b"421"):
                return
            continue
        connection.sendall(b"354 go on\r\n" if word == "DATA" else b"250 fine\r\n")
        if word == "DATA":
            if stage == "content":
                file.read(100)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            for content in iter(file.readline, b""):
                if content == b".\r\n":
                    break
            if stage == "dot":
                connection.sendall(reply)
                return
            connection.sendall(b"250 kept\r\n")
