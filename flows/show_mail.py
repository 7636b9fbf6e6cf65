"""What sending, reminding and `status --deliveries` print for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from flows.delivering import Delivered
    from flows.distribute import Sent
    from flows.remind import Reminded
    from ledger.sending.post import Delivery

_KINDS = {"edition": "月报", "forms": "预填表", "return": "退回", "reminder": "催报"}
_STATES = {
    "queued": ("待发", "yellow"),
    "attempted": ("正在发，或发时中断", "yellow"),
    "sent": ("已发", "green"),
    "written": ("已写成邮件文件", "green"),
    "deferred": ("未发成，下次再发", "yellow"),
    "refused": ("对方拒收", "bold red"),
    "uncertain": ("是否收到不能确定，下次再发（同一邮件）", "yellow"),
    "dropped": ("不再发送", "dim"),
}
_DOUBTFUL = "（前一次发送中断过，对方可能收到同一邮件两次）"


def sent(outcome: Sent) -> None:
    """What was sent to whom, what was not and what to do about it."""
    console = _console()
    what = f"{outcome.month.chinese}月报第{outcome.edition}版" if outcome.edition else "预填表"
    if not outcome.queued and not outcome.delivered.deliveries:
        console.print(f"{what}：没有要发的，名单上的都已发过。")
    else:
        console.print(f"{what}：新排入 {len(outcome.queued)} 封。")
    _delivered(console, outcome.delivered)
    for one in outcome.still_refused:
        _line(console, one)
    refused = [one for one in outcome.delivered.deliveries if one.state == "refused"]
    if refused or outcome.still_refused:
        console.print(
            "拒收的不会自动再发：请核对 recipients.csv 中的邮箱，改正后再运行 ledger send；"
            "地址无误的，加 --retry-refused 再试。",
            style="yellow",
        )
    if outcome.unlisted:
        names = "、".join(outcome.unlisted)
        console.print(
            f"手里有旧版、已不在名单上、因此没有收到本版的：{names}。请另行告知。",
            style="yellow",
            markup=False,
        )


def reminded(outcome: Reminded) -> None:
    """Who was written to, whom to telephone."""
    console = _console()
    counts = Counter(one.kind for one in outcome.queued)
    told = "，".join(f"{_KINDS[kind]} {count} 封" for kind, count in counts.items())
    console.print(f"{outcome.month.chinese}：{told or '今天没有新的催报和退回'}。")
    _delivered(console, outcome.delivered)
    if outcome.to_telephone:
        names = "、".join(outcome.to_telephone)
        console.print(
            f"没有登记催报邮箱、请打电话的 {len(outcome.to_telephone)} 家：{names}。",
            style="yellow",
            markup=False,
        )


def deliveries(told: Mapping[str, Any]) -> None:
    """Who holds which edition since when, who does not hold the last one, what waits."""
    console = _console()
    console.print(f"{told['month']} 发送情况")
    if told["holders"]:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for title in ("收件人", "持有", "自", "说明"):
            table.add_column(title, no_wrap=title != "说明")
        for one in told["holders"]:
            when = one["at"][:16].replace("T", " ")
            table.add_row(Text(one["name"]), f"第{one['edition']}版", when, _note(one))
        console.print(table)
    else:
        console.print("月报还没有发给任何人。")
    if told["superseded"]:
        names = "、".join(told["superseded"])
        console.print(f"手里还是旧版的 {len(told['superseded'])} 个：{names}。", style="yellow", markup=False)
    if told["not_yet"]:
        names = "、".join(told["not_yet"])
        console.print(
            f"应收最后一版、还没有收到的 {len(told['not_yet'])} 个：{names}。", style="yellow", markup=False
        )
    for one in told["open"]:
        word, style = _STATES[one["state"]]
        tries = f"，试过 {one['tries']} 次" if one["tries"] else ""
        what = _KINDS[one["kind"]] + (f"第{one['edition']}版" if one["edition"] else "")
        text = Text.assemble(f"  {what}  {one['name']}  ", (word, style), tries)
        if one["detail"]:
            text.append(f"：{one['detail']}")
        console.print(text)
    counts = Counter(one["kind"] for one in told["mails"] if one["state"] in ("sent", "written"))
    if counts:
        console.print(
            "已发：" + "，".join(f"{_KINDS[kind]} {count} 封" for kind, count in counts.items()) + "。"
        )


def _note(one: Mapping[str, Any]) -> str:
    words = ["已写成邮件文件"] if one["via"] == "file" and one["certain"] else []
    words += ["已有新版"] if one["superseded"] else []
    words += ["已不在名单上"] if not one["listed"] else []
    words += ["是否收到不能确定"] if not one["certain"] else []
    words += ["可能收到同一邮件两次"] if one["doubtful"] and one["certain"] else []
    return "，".join(words)


def _delivered(console: Console, outcome: Delivered) -> None:
    if outcome.problem:
        console.print(outcome.problem, style="bold red", markup=False)
        console.print("没发出的都还排着，设置改好或网络恢复后再运行一次即可。", style="yellow")
    _lines(console, outcome.deliveries)


def _lines(console: Console, deliveries: Iterable[Delivery]) -> None:
    for one in deliveries:
        _line(console, one)


def _line(console: Console, one: Delivery) -> None:
    word, style = _STATES[one.state]
    text = Text.assemble(f"  {_KINDS[one.kind]}  {one.name}  ", (word, style))
    if one.state != "sent" and one.detail:
        text.append(f"：{one.detail}")
    if one.doubtful and one.state == "sent":
        text.append(_DOUBTFUL, style="dim")
    console.print(text)


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
