"""What `ledger doctor` looks at around the home: the mail server, the mailbox, Prefect."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from flows.doctor import Check, Look, broken, well
from flows.server import healthy, prefect_server, running
from ledger.home import Home
from ledger.settings import Settings

#: The longest that a mail server is waited for here, seconds.
_PATIENCE = 10.0


def _smtp(home: Home) -> Iterator[Check]:
    what, settings = "发信（SMTP）", Settings.load(home).smtp
    if not settings.set:
        yield well(what, "没有设邮件服务器，邮件写成 .eml 放在 reports/月份/outbox")
        return
    if not settings.sender:
        yield broken(what, "没有设发件人。", "请在 ledger.toml 的 [smtp] 里写 sender。")
        return
    from ledger.sending.server import MailServer, Unusable

    given = settings.model_copy(update={"timeout_seconds": min(settings.timeout_seconds, _PATIENCE)})
    try:
        with MailServer(given, "localhost") as server:
            server.open()
    except Unusable as problem:
        found, _, remedy = problem.message.partition("。")
        yield broken(what, f"{found}。", remedy)
        return
    how = {"starttls": "STARTTLS 加密", "tls": "TLS 加密", "none": "不加密"}[settings.security]
    login = "，登录成功" if settings.user else ""
    yield well(what, f"{settings.host}：连得上，{how}{login}；没有发信")


def _imap(home: Home) -> Iterator[Check]:
    what, settings = "收信（IMAP）", Settings.load(home).imap
    if not settings.set:
        yield well(what, "没有设收件邮箱，只收文件夹里的")
        return
    from ledger.fetching.mailbox import open_mailbox

    given = settings.model_copy(update={"timeout_seconds": min(settings.timeout_seconds, _PATIENCE)})
    with open_mailbox(given):
        yield well(what, f"{settings.host}：连得上，登录成功，文件夹打得开；没有收信")


def _prefect(home: Home) -> Iterator[Check]:
    what = "Prefect"
    try:
        installed = version("prefect") if find_spec("prefect") else None
    except PackageNotFoundError:
        installed = None
    if installed is None:
        yield broken(what, "没有安装。", "请运行 make setup；此前可用 ledger run --plain。")
        return
    given = os.environ.get("PREFECT_API_URL")
    if given:
        if healthy(given):
            yield well(what, f"{installed}，服务在 PREFECT_API_URL 所指的地方，有应答")
        else:
            yield broken(
                what, f"{installed}，PREFECT_API_URL 所指的服务没有应答。", "请启动它，或去掉这个变量。"
            )
        return
    url = running(home)
    if url:
        yield well(what, f"{installed}，服务正在运行（{url.removesuffix('/api')}）")
    else:
        yield well(what, f"{installed}，服务没有在运行，需要时自动启动")


def _prefect_starts(home: Home) -> Iterator[Check]:
    began = time.monotonic()
    with prefect_server(home):
        yield well("启动 Prefect", f"{time.monotonic() - began:.0f} 秒内有应答")


LOOKS: tuple[tuple[str, Look], ...] = (
    ("发信（SMTP）", _smtp),
    ("收信（IMAP）", _imap),
    ("Prefect", _prefect),
)
THOROUGH: tuple[tuple[str, Look], ...] = (("启动 Prefect", _prefect_starts),)
