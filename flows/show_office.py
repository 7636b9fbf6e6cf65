"""What the office machine's commands print for people."""

from __future__ import annotations

import click

from flows.backup import BackedUp, Restored
from flows.doctor import Diagnosis
from flows.verify import told


def size(count: int) -> str:
    """A number of bytes for people."""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def backed_up(made: BackedUp) -> None:
    manifest = made.manifest
    click.echo(f"已备份：{made.path}（{size(made.size)}）。")
    click.echo(
        f"  日志 {manifest.upto} 个事件，文件 {len(manifest.entries)} 个，共 {size(manifest.size)}；"
        "写完后又读了一遍，全部相符。"
    )
    for path in made.removed:
        click.echo(f"  已删去较早的 {path.name}。")
    if made.same_disk:
        click.echo("  它与数据在同一块磁盘上：请再复制到另一台机器或移动硬盘。")


def restored(done: Restored) -> None:
    moment = f"{done.manifest.made_at:%Y-%m-%d %H:%M}"
    click.echo(f"已由 {moment} 的备份恢复到 {done.home.root}。")
    for line in done.lines:
        click.echo(f"  {line}")
    if done.proof is not None:
        for line in told(done.proof):
            click.echo(line)


def diagnosis(found: Diagnosis) -> None:
    for check in found.checks:
        click.echo(f"{check.state.sign} {check.what}：{check.found}")
        if check.remedy:
            click.echo(f"    → {check.remedy}")
    signs = [check.state.sign for check in found.checks]
    if found.sound:
        later = f"，{signs.count('!')} 项可以缓办" if "!" in signs else ""
        click.echo(f"体检 {len(signs)} 项，都能用{later}。")
    else:
        click.echo(f"体检 {len(signs)} 项，{signs.count('✗')} 项现在要处理。")
