"""The commands of the office machine: what keeps the calendar and looks after the installation."""

from __future__ import annotations

import click

from flows.command import DONE, command
from ledger.home import Home


@command("serve")
@click.option("--port", type=click.IntRange(1024, 65535), default=4200, show_default=True, help="网页端口。")
def serve(home: Home, as_json: bool, port: int) -> int:
    """常驻运行：按日程自动出月报，网页上可看进度（仅本机）。"""
    from flows.serving import serve as serve_home

    if not as_json:
        click.echo(f"网页：http://127.0.0.1:{port}　按 Ctrl-C 停止。")
    serve_home(home, port)
    return DONE
