"""What `ledger fetch` prints for people."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ledger.checking.model import Verdict

if TYPE_CHECKING:
    from flows.fetch import AsideFile, Fetched

_VERDICT = {
    Verdict.ACCEPTED.value: ("全部采用", "green"),
    Verdict.IN_PART.value: ("部分采用", "yellow"),
    Verdict.RETURNED.value: ("退回", "bold red"),
}
_SOURCE = {"inbox": "文件夹", "mail": "邮件"}


def fetched(outcome: Fetched) -> None:
    """What was received with its verdict, what was set aside and why, what could not be looked at."""
    console = Console(highlight=False, soft_wrap=True)
    for one in outcome.received:
        where = "，".join(word for word in (one.unit or "单位不明", one.month or "月份不明") if word)
        word, style = _VERDICT.get(one.verdict, ("已收，待核对", "yellow"))
        source = f"{_SOURCE.get(one.source, one.source)} {one.received_at[:16].replace('T', ' ')}"
        console.print(Text.assemble(f"已收：{one.file}（{where}；{source}）：", (word, style)))
        if one.note:
            console.print(Text(f"  {one.note}", style="yellow"))
    set_aside(console, outcome.set_aside)
    for name in outcome.waiting:
        console.print(f"还在写入，下次再收：{name}", markup=False)
    for problem in outcome.problems:
        console.print(problem, style="bold red", markup=False)
    if not (outcome.received or outcome.set_aside or outcome.waiting or outcome.problems):
        console.print("没有新收到的文件。")
    else:
        console.print(f"共收 {len(outcome.received)} 份，未收 {len(outcome.set_aside)} 份。")


def set_aside(console: Console, files: Sequence[AsideFile]) -> None:
    """What was not received, why, and where it is."""
    for one in files:
        console.print(Text.assemble(("未收", "yellow"), f"：{one.file}——{one.why.rstrip('。')}。"))
        if one.kept:
            take_in = f"ledger receive {shlex.quote(one.kept)} --at {one.at[:16]}"
            console.print(Text(f"  附件已另存；确认该收的：{take_in}", style="dim"))
