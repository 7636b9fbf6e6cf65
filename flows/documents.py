"""The reports' files for a browser: `ledger serve` serves them beside Prefect's pages.

Prefect shows links and serves no files, and a browser opens no file:// from a page. So the months'
PDFs, pages and workbooks in ``reports/`` are served, read only, to this machine alone. Where
`Settings.web.documents_url` is not a loopback address, the office's own web server does it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ledger.home import Home
from ledger.settings import Settings

_LOG = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost")
_KINDS = {
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_GONE = "没有这个文件。草稿签发后换成正式的一版：请看本月最新的文件清单。"


@contextmanager
def serving(homes: Mapping[str, Home]) -> Iterator[list[str]]:
    """Serve the documents of `homes`, by their programme's name; the addresses served. An address
    that is taken is left to whoever has it."""
    by_port: dict[int, dict[str, Home]] = {}
    for name, home in homes.items():
        address = urlsplit(Settings.load(home).web.documents_url)
        if address.hostname in _LOOPBACK and address.scheme == "http":
            by_port.setdefault(address.port or 80, {})[name] = home
    with ExitStack() as stack:
        served = []
        for port, some in by_port.items():
            try:
                server = ThreadingHTTPServer(("127.0.0.1", port), _handler(some))
            except OSError as error:
                _LOG.warning("documents are not served on port %d: %s", port, type(error).__name__)
                continue
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            served.append(f"http://127.0.0.1:{server.server_port}")
        yield served


def find(homes: Mapping[str, Home], path: str) -> Path | None:
    """The file that an address's path names (``/programme/2018-09/月报….pdf``), None where none does:
    only reports' pages and workbooks, only below ``reports/``."""
    name, _, rest = unquote(path).lstrip("/").partition("/")
    home = homes.get(name)
    if home is None or "\0" in rest:
        return None
    root = (home.root / "reports").resolve()
    file = (root / rest).resolve()
    inside = file.is_relative_to(root) and not any(
        part.startswith(".") for part in file.relative_to(root).parts
    )
    return file if inside and file.suffix in _KINDS and file.is_file() else None


def _handler(homes: Mapping[str, Home]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "ledger", ""

        def do_GET(self) -> None:
            # another name for this machine is how a foreign page would read what is here
            if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _LOOPBACK:
                self._answer(HTTPStatus.FORBIDDEN, "text/plain; charset=utf-8", b"")
                return
            file = find(homes, urlsplit(self.path).path)
            if file is None:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", _GONE.encode())
                return
            self._answer(HTTPStatus.OK, _KINDS[file.suffix], file.read_bytes(), file.name)

        def _answer(self, status: HTTPStatus, kind: str, content: bytes, name: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", _POLICY)
            if name:
                self.send_header("Content-Disposition", f"inline; filename*=UTF-8''{quote(name)}")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
            """Who looked at what is nobody's business."""

    return Handler


#: Pages are self-contained; what units wrote is on them, and no script is run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
