"""The commands of the mail: what goes out to recipients and units, what comes in from them."""

from __future__ import annotations

from flows.command import DONE, FAULT, command, print_json
from ledger.home import Home


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
    return FAULT if fetched.problems else DONE
