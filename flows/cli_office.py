"""The commands of the office machine: what keeps the calendar and looks after the installation."""

from __future__ import annotations

from pathlib import Path

import click

from flows.command import DONE, DONE_WITH_ERRORS, command, print_json
from ledger.home import Home


@command("serve")
@click.option("--port", type=click.IntRange(1024, 65535), default=4200, show_default=True, help="网页端口。")
@click.option(
    "--homes",
    metavar="文件夹",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="一次照管这个文件夹下的所有项目（各有自己的 data/raw/registry）。",
)
def serve(home: Home, as_json: bool, port: int, homes: Path | None) -> int:
    """常驻运行：按日程发预填表、催报、出月报、收件，网页上可看进度、可手动启动（仅本机）。"""
    from flows import serving

    say: serving.Say = (lambda _: None) if as_json else click.echo
    say(f"网页：http://127.0.0.1:{port}　按 Ctrl-C 停止。")
    if homes is None:
        serving.serve(home, port, say=say)
    else:
        serving.serve_folder(homes, port, say=say)
    return DONE


@command("backup")
@click.argument("target", metavar="[文件.zip|文件夹]", required=False, type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), metavar="N", help="文件夹里只留本数据文件夹最新的 N 份备份。")
def backup(home: Home, as_json: bool, target: Path | None, keep: int | None) -> int:
    """备份：原件、流水、登记资料、投件和设置，做成一个文件，写完再读一遍核对。

    可在运行中进行。默认放在数据文件夹的 backups 里；请放到另一块磁盘或另一台机器上。
    """
    from flows import show, show_office
    from flows.backup import back_up_home

    with show.progress(quiet=as_json) as progress:
        made = back_up_home(home, target, keep, progress=progress)
    if as_json:
        print_json(made.as_json())
    else:
        show_office.backed_up(made)
    return DONE


@command("restore")
@click.argument("archive", metavar="备份文件", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", metavar="空文件夹", type=click.Path(file_okay=False, path_type=Path))
def restore(home: Home, as_json: bool, archive: Path, folder: Path) -> int:
    """由备份恢复到一个空文件夹：核对每个文件，重建台帐，放回已签发的月报，再全部核对一遍。"""
    from flows import show, show_office
    from flows.backup import restore_home

    with show.progress(quiet=as_json) as progress:
        restored = restore_home(archive, folder, progress=progress)
    if as_json:
        print_json(restored.as_json())
    else:
        show_office.restored(restored)
    return DONE if restored.sound else DONE_WITH_ERRORS


@command("doctor")
@click.option("--full", is_flag=True, help="也做慢的：逐个核对原件，启动一次 Prefect 服务。")
def doctor(home: Home, as_json: bool, full: bool) -> int:
    """体检：程序、字体、磁盘、时钟、台帐、登记资料、邮件、Prefect 是否正常；只看，不改动。

    ✓ 正常；! 可以缓办；✗ 现在要处理，这时退出代码为 1。
    """
    from flows import show_office
    from flows.doctor import examine

    diagnosis = examine(home, full=full)
    if as_json:
        print_json(diagnosis.as_json())
    else:
        show_office.diagnosis(diagnosis)
    return DONE if diagnosis.sound else DONE_WITH_ERRORS
