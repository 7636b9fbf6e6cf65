"""The mail server: one connection, many mails, and of each the server's word as it was given.

The dialogue is taken step by step, for one question decides everything: was the final dot sent? A
connection lost before it left nothing behind; lost after it, the server may have the mail.
Nothing that is secret and no address leaves this module in a message or an exception.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from ledger.recording.outbox import State
from ledger.sending.message import ascii_address, needs_utf8
from ledger.settings import Smtp

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS = re.compile(r"<[^<>\s]*>|\S*@\S*")
_LINE_START = re.compile(rb"(?m)^\.")
_LONGEST_REPLY = 200
#: What servers say to a sender who should have logged in, or to a mail that is too large.
_LOGIN_FIRST, _TOO_LARGE = 530, 552
_CLOSING = 421
_GO_AHEAD = 354
#: What smtplib says for an answer that is none.
_NO_ANSWER = -1


class Unusable(Exception):
    """The mail server can't be used as it is set: `message` is Chinese and says what to do.
    `passing` where another try may do."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one mail: `state` sent, deferred, refused or uncertain; the server's `code`, 0
    where it gave none, and its words without addresses."""

    state: State
    code: int
    text: str


class MailServer:
    """A connection, opened with the first mail and again after it was lost."""

    def __init__(self, settings: Smtp, domain: str) -> None:
        self._settings = settings
        self._domain = domain
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take leave. What the server says to that changes nothing."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    @property
    def is_open(self) -> bool:
        return self._client is not None

    # --- connecting

    def open(self) -> None:
        """Connect, encrypt, log in; nothing where that is done. Raises Unusable."""
        if self._client is not None:
            return
        settings = self._settings
        client = None
        try:
            client = self._connected()
            if settings.security == "starttls":
                client.starttls(context=self._tls())
                client.ehlo()
            if settings.user:
                self._log_in(client)
        except Unusable:
            _drop(client)
            raise
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            _drop(client)
            raise _unusable(error, settings) from None
        self._client = client

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        port = settings.port or _PORTS[settings.security]
        wait = settings.timeout_seconds
        if settings.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, port, local_hostname=self._domain, timeout=wait, context=self._tls()
            )
        else:
            client = smtplib.SMTP(settings.host, port, local_hostname=self._domain, timeout=wait)
        client.ehlo_or_helo_if_needed()
        return client

    def _tls(self) -> ssl.SSLContext:
        """The system's authorities, and the county's own where there is one; names are verified."""
        context = ssl.create_default_context()
        if self._settings.ca_file:
            try:
                context.load_verify_locations(self._settings.ca_file)
            except (OSError, ssl.SSLError):
                raise Unusable("ledger.toml 的 [smtp] ca_file 读不出来，请核对证书文件。") from None
        return context

    def _log_in(self, client: smtplib.SMTP) -> None:
        settings = self._settings
        if settings.security == "none" and not _is_here(settings.host):
            raise Unusable(
                '[smtp] security = "none" 时连接不加密，不能登录（密码会被看到）。请改用 starttls 或 tls。'
            )
        if not (settings.user + settings.password.get_secret_value()).isascii():
            raise Unusable(
                "邮箱的用户名和密码里不能有中文或全角字符。请核对 [smtp] user 和 LEDGER_SMTP__PASSWORD。"
            )
        client.login(settings.user, settings.password.get_secret_value())

    # --- one mail

    def send(self, sender: str, to: str, data: bytes) -> Answer:
        """Give the server one mail; `open` was called. Raises Unusable where it takes none at all
        from this sender: nothing was sent then."""
        client = self._client
        assert client is not None
        try:
            refused = self._envelope(client, ascii_address(sender), ascii_address(to), len(data))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._lost()
            return Answer(State.DEFERRED, 0, f"连接中断（{_kind(error)}），邮件没有发出")
        if refused is not None:
            return refused
        try:
            client.send(_LINE_START.sub(b"..", data))
            client.send(b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")
        except (smtplib.SMTPException, OSError) as error:
            # what could not be handed over ends with the dot: the server never got it
            self._lost()
            return Answer(State.DEFERRED, 0, f"传送中连接中断（{_kind(error)}），邮件没有发出")
        try:
            code, reply = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._lost()
            return Answer(
                State.UNCERTAIN, 0, f"已传完，没有等到服务器答复（{_kind(error)}），是否收下不能确定"
            )
        return self._answered(code, reply)

    def _envelope(self, client: smtplib.SMTP, sender: str, to: str, size: int) -> Answer | None:
        """MAIL, RCPT and DATA; what refused the mail, None where its content may follow."""
        options = [f"size={size}"] if client.has_extn("size") else []
        if needs_utf8(to) or needs_utf8(sender):
            if not client.has_extn("smtputf8"):
                return Answer(State.REFUSED, 0, "邮件服务器不支持含中文的邮箱地址（SMTPUTF8）")
            options.append("SMTPUTF8")
        code, reply = client.mail(sender, options)
        client.command_encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        if code // 100 != 2:
            return self._turned_down(code, reply, whole=code != _TOO_LARGE)
        code, reply = client.rcpt(to)
        if code // 100 != 2:
            return self._turned_down(code, reply, whole=code == _LOGIN_FIRST)
        code, reply = client.docmd("DATA")
        if code != _GO_AHEAD:
            return self._turned_down(code, reply, whole=code == _LOGIN_FIRST)
        return None

    def _turned_down(self, code: int, reply: bytes, *, whole: bool) -> Answer:
        """The answer before any content went over; `whole` where a final no is not to this mail."""
        answer = self._answered(code, reply)
        if answer.state is State.UNCERTAIN or code // 100 in (2, 3):
            self._lost()
            return Answer(State.DEFERRED, code, f"邮件服务器答非所问（{answer.text}），邮件没有发出")
        if self._client is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._client.rset()
        if answer.state is State.REFUSED and whole:
            raise Unusable(
                f"邮件服务器不接受本单位的发件人（{code} {answer.text}）。请核对 ledger.toml 的 [smtp] "
                "sender、user 和密码。"
            )
        return answer

    def _answered(self, code: int, reply: bytes) -> Answer:
        text = without_addresses(reply)
        if code in (_CLOSING, _NO_ANSWER):
            self._lost()
        match code // 100:
            case 2:
                return Answer(State.SENT, code, text)
            case 4:
                return Answer(State.DEFERRED, code, text)
            case 5:
                return Answer(State.REFUSED, code, text)
            case _:
                return Answer(State.UNCERTAIN, code, text)

    def _lost(self) -> None:
        client, self._client = self._client, None
        _drop(client)


def without_addresses(reply: bytes) -> str:
    """A server's words on one line, addresses left out, not too long."""
    text = " ".join(reply.decode("utf-8", "replace").split())
    text = "".join(c if c.isprintable() else "�" for c in _ADDRESS.sub("…", text))
    return text[:_LONGEST_REPLY]


def _drop(client: smtplib.SMTP | None) -> None:
    if client is not None:
        with contextlib.suppress(OSError):
            client.close()


def _kind(error: Exception) -> str:
    """Whether a connection broke or nothing came: smtplib says the first of both."""
    return "超时" if isinstance(error.__context__ or error, TimeoutError) else "断开"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _unusable(error: Exception, settings: Smtp) -> Unusable:
    """Why the server can't be used, in words that name no secret."""
    match error:
        case smtplib.SMTPAuthenticationError():
            code = int(error.smtp_code)
            return Unusable(
                f"邮件服务器不接受用户名或密码（{code}）。请核对 [smtp] user 和环境变量 LEDGER_SMTP__PASSWORD。",
                passing=code // 100 == 4,
            )
        case smtplib.SMTPNotSupportedError():
            what = "加密（STARTTLS）或登录" if settings.user else "加密（STARTTLS）"
            return Unusable(f"邮件服务器不支持{what}。请核对 ledger.toml 的 [smtp] security、port 和 user。")
        case ssl.SSLCertVerificationError():
            return Unusable(
                f"邮件服务器的证书通不过验证（{error.verify_message}）。请核对 [smtp] host；"
                "用本单位自签证书的，把证书机构的证书写进 ca_file。"
            )
        case ssl.SSLError():
            return Unusable("与邮件服务器谈不成加密连接。请核对 ledger.toml 的 [smtp] port 和 security。")
        case _ if _kind(error) == "超时":
            return Unusable(
                "邮件服务器没有应答（超时）。稍后会再试；请查看网络和 [smtp] host、port。", passing=True
            )
        case smtplib.SMTPResponseException():
            said = f"{error.smtp_code} {without_addresses(_bytes(error.smtp_error))}"
            return Unusable(f"邮件服务器现在不接受连接（{said}）。请稍后再发。", passing=True)
        case _:
            return Unusable("连不上邮件服务器。请查看网络和 ledger.toml 的 [smtp] host、port。", passing=True)


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode("utf-8", "replace")
