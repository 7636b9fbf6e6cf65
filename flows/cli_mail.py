"""The commands of the mail: what goes out to recipients and units, what comes in from them."""

from __future__ import annotations

import click

from flows.command import DONE, DONE_WITH_ERRORS, MONTH, command, print_json
from ledger.home import Home
from schemas.month import Month


@command("send")
@click.argument("month", type=MONTH)
@click.option("--edition", type=click.IntRange(1), help="发第几版（只能是最后签发的一版，写明以防发错）。")
@click.option("--retry-refused", is_flag=True, help="对方邮件服务器拒收过的，也再试一次。")
def send(home: Home, as_json: bool, month: Month, edition: int | None, retry_refused: bool) -> int:
    """发送已签发的月报：名单（recipients.csv）上每人每版一次；可反复运行，只发没发成的。"""
    from flows import show, show_mail
    from flows.distribute import send_month

    with show.progress(quiet=as_json) as progress:
        sent = send_month(home, month, edition, retry_refused=retry_refused, progress=progress)
    if as_json:
        print_json(sent.as_json())
    else:
        show_mail.sent(sent)
    return DONE if sent.all_done else DONE_WITH_ERRORS


@command("remind")
@click.argument("month", type=MONTH)
def remind(home: Home, as_json: bool, month: Month) -> int:
    """催报和退回：提醒没报的单位，把标出问题的表发回报送单位；每天每单位各至多一次。"""
    from flows import show, show_mail
    from flows.remind import remind_month

    with show.progress(quiet=as_json) as progress:
        reminded = remind_month(home, month, progress=progress)
    if as_json:
        print_json(reminded.as_json())
    else:
        show_mail.reminded(reminded)
    return DONE if reminded.all_done else DONE_WITH_ERRORS


@command("fetch")
def fetch(home: Home, as_json: bool) -> int:
    """收取收件文件夹（data/raw/inbox）和收件邮箱里新到的文件，核对入账。"""
    from flows import show, show_fetch
    from flows.fetch import fetch as fetch_all

    with show.progress(quiet=as_json) as progress:
        fetched = fetch_all(home, progress=progress)
    if as_json:
        print_json(fetched.as_json())
    else:
        show_fetch.fetched(fetched)
    return DONE_WITH_ERRORS if fetched.problems else DONE


def send_all_forms(home: Home, as_json: bool, month: Month) -> int:
    """`ledger forms --send`."""
    from flows import show, show_mail
    from flows.distribute import send_forms

    with show.progress(quiet=as_json) as progress:
        sent = send_forms(home, month, progress=progress)
    if as_json:
        print_json(sent.as_json())
    else:
        show_mail.sent(sent)
    return DONE if sent.all_done else DONE_WITH_ERRORS
