"""The commands over many programmes."""

from __future__ import annotations

from pathlib import Path

import click

from flows.command import DONE, DONE_WITH_ERRORS, MONTH, command, print_json
from ledger.errors import UsageError
from ledger.home import Home
from schemas.month import Month
from schemas.rollup import LEVEL_WORDS, Level


@command("rollup")
@click.argument("month", type=MONTH)
@click.option(
    "--homes",
    required=True,
    metavar="文件夹",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="各县数据文件夹所在的文件夹。",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="写到哪个文件夹。")
@click.option("--run", "run", is_flag=True, help="先把各县本月的报表收件、核对、入账，再汇总。")
@click.option("--plain", is_flag=True, help="不用 Prefect，在本机的进程里做。")
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice([str(level) for level in Level if level is not Level.PROGRAMME]),
    help="只出这一级的（可重复）：" + "、".join(f"{level} {LEVEL_WORDS[level]}" for level in list(Level)[:3]),
)
def rollup(
    home: Home,
    as_json: bool,
    month: Month,
    homes: Path,
    out: Path | None,
    run: bool,
    plain: bool,
    levels: tuple[str, ...],
) -> int:
    """把多个县的月报汇总到市州、省、全国；只读各县台帐（--run 除外）。"""
    from flows import show
    from flows.rollup import roll_up, roll_up_on_prefect, told

    _refuse_home(home, homes)
    wanted = [Level(level) for level in levels]
    do = roll_up if plain else roll_up_on_prefect
    with show.progress(quiet=as_json) as progress:
        outcome = do(homes.resolve(), month, out, run=run, levels=wanted, progress=progress)
    if as_json:
        print_json(outcome.as_json())
    else:
        for line in told(outcome, out or Home(homes).reports(month)):
            click.echo(line)
    return DONE_WITH_ERRORS if outcome.nation.unread or outcome.failed else DONE


def _refuse_home(home: Home, homes: Path) -> None:
    if (homes / "data" / "raw").is_dir():
        raise UsageError(f"{homes.name} 本身就是一个县的文件夹；--homes 请写它上面的文件夹。")
