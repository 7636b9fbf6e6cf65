"""The mailbox that units send to, read over IMAP. Nothing in it is moved, deleted or, unless set,
marked as read; what was seen is remembered on our side.

Every way in which a server can fail is one Chinese sentence with its remedy. No password, no name
and no address gets into a message or a log.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import imapclient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from ledger.calendar import SHANGHAI, now
from ledger.errors import LedgerError
from ledger.settings import Imap

# below this it tells the log who logs in and what is in the mails
logging.getLogger("imapclient").setLevel(logging.WARNING)
_log = logging.getLogger(__name__)

#: Seconds that a whole look at a mailbox may take; the rest is read at the next.
TOTAL_SECONDS = 600.0
_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_AT_ONCE = 200
_HEADER_BYTES = 1 << 16
_NONSENSICAL = "收件服务器的回答读不懂，邮件没有收完；请联系邮箱的管理员。"
_SEEN = b"\\Seen"
T = TypeVar("T")
#: What a library may raise over answers that no honest server gives.
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


class MailboxProblem(LedgerError):
    """The mailbox can't be read, or not to its end."""


class Unreadable(MailboxProblem):
    """The server is there, but what it says can't be used: of one mail, perhaps not of the next."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail as the server lists it: its UID, its size in bytes, when it arrived there. `size` is
    None where the server does not tell."""

    uid: int
    size: int | None
    arrived: datetime


class Mailbox:
    """An opened folder. Every method raises MailboxProblem where the server fails.

    `key` identifies it without naming it; `uidvalidity` is the server's word that its UIDs are
    still those of before.
    """

    def __init__(self, client: imapclient.IMAPClient, key: str, uidvalidity: int) -> None:
        self._client = client
        self.key = key
        self.uidvalidity = uidvalidity

    def since(self, uid: int, day: date) -> list[int]:
        """The UIDs above `uid` of mails that arrived on `day` or later, in order."""
        criteria = ["UID", f"{uid + 1}:*", "SINCE", day - timedelta(days=1)]
        found = _asked(lambda: self._client.search(criteria))
        # n:* names the last mail even where its UID is below n
        return sorted(one for one in found if one > uid)

    def envelopes(self, uids: Sequence[int]) -> Iterator[Envelope]:
        """Size and time of arrival of each mail that is still there."""
        for start in range(0, len(uids), _AT_ONCE):
            some = uids[start : start + _AT_ONCE]
            try:
                yield from self._envelopes(some)
            except Unreadable:
                for uid in some:
                    yield self._envelope(uid)

    def _envelope(self, uid: int) -> Envelope:
        try:
            found = self._envelopes([uid])
        except Unreadable:
            found = []
        return found[0] if found else Envelope(uid, None, now())

    def _envelopes(self, uids: Sequence[int]) -> list[Envelope]:
        def ask() -> list[Envelope]:
            answer = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
            return [_envelope(uid, answer[uid]) for uid in uids if uid in answer]

        return _asked(ask)

    def read(self, uid: int, most: int) -> bytes:
        """A mail, at most so many bytes of it; empty where it is gone."""
        return self._part(uid, "BODY.PEEK[]", b"BODY[]", most)

    def header(self, uid: int) -> bytes:
        """The beginning of a mail's header."""
        return self._part(uid, "BODY.PEEK[HEADER]", b"BODY[HEADER]", _HEADER_BYTES)

    def mark_seen(self, uid: int) -> None:
        _asked(lambda: self._client.add_flags([uid], [_SEEN], silent=True))

    def _part(self, uid: int, wanted: str, key: bytes, most: int) -> bytes:
        answer = _asked(lambda: self._client.fetch([uid], [f"{wanted}<0.{most}>"]))
        if uid not in answer:
            return b""
        found = answer[uid]
        data = found.get(key + b"<0>", found.get(key))
        if not isinstance(data, bytes):
            raise Unreadable(_NONSENSICAL)
        return data


def _envelope(uid: int, found: dict[bytes, Any]) -> Envelope:
    arrived = found[b"INTERNALDATE"]
    if arrived.tzinfo is None:
        arrived = arrived.replace(tzinfo=SHANGHAI)
    return Envelope(uid, int(found[b"RFC822.SIZE"]), arrived.astimezone(SHANGHAI).replace(microsecond=0))


def _asked(ask: Callable[[], T]) -> T:
    """The server's answer. Raises MailboxProblem where it gives none, or nonsense."""
    try:
        return ask()
    except TimeoutError:
        raise MailboxProblem(
            "收件服务器迟迟不答，邮件没有收完；下次会接着收。常有的话，请调大 [imap] timeout_seconds。"
        ) from None
    except (OSError, IMAPClientAbortError) as fault:
        _log.warning("the mail server failed: %s", type(fault).__name__)
        raise MailboxProblem("与收件服务器的连接中断，邮件没有收完；下次会接着收。") from None
    except (IMAPClientError, *_NONSENSE) as fault:
        _log.warning("the mail server's answer can't be used: %s", type(fault).__name__)
        raise Unreadable(_NONSENSICAL) from None


@contextmanager
def open_mailbox(settings: Imap) -> Iterator[Mailbox]:
    """The folder of the settings, logged in over TLS, STARTTLS or, where it is set so, neither.

    Raises MailboxProblem, saying which setting to look at.
    """
    client = _connect(settings)
    watch = threading.Timer(TOTAL_SECONDS, _cut, [client])
    watch.daemon = True
    watch.start()
    try:
        with client:
            _log_in(client, settings)
            yield Mailbox(client, mailbox_key(settings), _select(client, settings))
    finally:
        watch.cancel()


def mailbox_key(settings: Imap) -> str:
    """What a mailbox is known by: a hash of server, user and folder, none of them readable."""
    stated = "\n".join((settings.host.lower(), settings.user.lower(), settings.folder))
    return hashlib.sha256(stated.encode()).hexdigest()[:16]


def _cut(client: imapclient.IMAPClient) -> None:
    """End a connection that takes for ever; whoever waits on it is told that it broke."""
    try:
        client.socket().shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.info("the mail server's connection had ended before its time was up")


def _connect(settings: Imap) -> imapclient.IMAPClient:
    port = settings.port or _PORTS[settings.security]
    where = f"收件服务器 {settings.host}:{port}"
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError):
        raise MailboxProblem("[imap] ca_file 读不出来：请核对证书文件。") from None
    try:
        client = imapclient.IMAPClient(
            settings.host,
            port,
            ssl=settings.security == "tls",
            ssl_context=context,
            timeout=settings.timeout_seconds,
        )
        client.normalise_times = False
        if settings.security == "starttls":
            _start_tls(client, context, where)
    except MailboxProblem:
        raise
    except ssl.SSLCertVerificationError:
        raise MailboxProblem(
            f"{where} 的证书不可信，没有登录。请核对 [imap] host；"
            "本县自建的服务器，请把其证书机构写在 [imap] ca_file。"
        ) from None
    except ssl.SSLError:
        raise MailboxProblem(
            f"与{where} 谈不成加密。请核对 [imap] port 和 security（tls 或 starttls）。"
        ) from None
    except socket.gaierror:
        raise MailboxProblem(f"找不到{where}。请核对 [imap] host 和网络。") from None
    except TimeoutError:
        raise MailboxProblem(f"连不上{where}：没有回应。请核对 [imap] port、网络和防火墙。") from None
    except (OSError, IMAPClientError, *_NONSENSE):
        raise MailboxProblem(f"连不上{where}。请核对 [imap] host、port 和 security。") from None
    return client


def _start_tls(client: imapclient.IMAPClient, context: ssl.SSLContext, where: str) -> None:
    if not client.has_capability("STARTTLS"):
        client.shutdown()
        raise MailboxProblem(
            f'{where} 不提供 STARTTLS 加密，没有登录，密码没有发出。请改用 security = "tls"，或核对端口。'
        )
    client.starttls(ssl_context=context)


def _log_in(client: imapclient.IMAPClient, settings: Imap) -> None:
    try:
        password = settings.password.get_secret_value()
        if (settings.user + password).isascii():
            client.login(settings.user, password)
        else:  # LOGIN has no way to send it
            client.plain_login(settings.user, password)
        if client.has_capability("ID"):
            # some providers let nobody in who does not say what program he is
            client.id_({"name": "ledger", "version": "1"})
    except (LoginError, *_NONSENSE):
        raise MailboxProblem(
            "收件邮箱拒绝登录。请核对 [imap] user 和环境变量 LEDGER_IMAP__PASSWORD；"
            "网易、腾讯等邮箱要用“授权码”代替密码，并在网页上开通 IMAP。"
        ) from None
    except (OSError, IMAPClientError):
        raise MailboxProblem("登录收件邮箱时连接中断；下次会再试。") from None


def _select(client: imapclient.IMAPClient, settings: Imap) -> int:
    try:
        answer = client.select_folder(settings.folder, readonly=not settings.mark_seen)
        return int(answer[b"UIDVALIDITY"])
    except TimeoutError:
        raise MailboxProblem("收件服务器迟迟不答；下次会再试。") from None
    except (IMAPClientError, *_NONSENSE):
        raise MailboxProblem(f"收件邮箱里打不开文件夹“{settings.folder}”。请核对 [imap] folder。") from None
    except OSError:
        raise MailboxProblem("打开收件邮箱时连接中断；下次会再试。") from None
