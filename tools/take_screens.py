"""Take the manual's pictures of the Prefect page anew (docs/images/page-*.png).

Usage: ``python tools/take_screens.py MONTH [URL]``, while `ledger serve` runs for a home in which the
month has been run and its form waits for a signature. Needs `chromium`; it is driven over its
debugging port (CDP) with the websockets package that Prefect brings.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image
from websockets.sync.client import ClientConnection, connect

from tools.take_pictures import keep

WIDTH, HEIGHT = 1120, 900
#: Fills the form's first field.
_FILL = """
const box = document.querySelector('.p-modal textarea');
box.value = '张某某'; box.dispatchEvent(new Event('input', {bubbles: true}));
"""


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, count(1)

    def tell(self, method: str, **given: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer.get("result", {})
                return result

    def go(self, url: str, words: str) -> None:
        """Open a page and wait for what it is to say."""
        self.tell("Page.navigate", url=url)
        self.wait(f"document.body && document.body.innerText.includes({json.dumps(words)})")
        time.sleep(6)

    def do(self, script: str, seconds: float = 2) -> None:
        done = self.tell("Runtime.evaluate", expression=f"(() => {{ {script} }})()")
        if "exceptionDetails" in done:
            raise RuntimeError(f"{script}: {done['exceptionDetails']['text']}")
        time.sleep(seconds)

    def press(self, words: str, seconds: float = 3) -> None:
        """Click the last, innermost thing that says just these words, once it is there."""
        found = f"[...document.querySelectorAll('*')].filter(one => one.textContent.trim() === {json.dumps(words)}).pop()"
        self.wait(found)
        self.do(f"{found}.click()", seconds)

    def wait(self, script: str) -> None:
        """Until an expression is true."""
        for _ in range(120):
            answer = self.tell("Runtime.evaluate", expression=f"Boolean({script})", returnByValue=True)
            if answer["result"].get("value"):
                return
            time.sleep(0.5)
        raise RuntimeError(f"never true: {script}")

    def click(self, selector: str) -> None:
        """Click the middle of what the selector finds, with the mouse."""
        script = f"""(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2] }})()"""
        x, y = self.tell("Runtime.evaluate", expression=script, returnByValue=True)["result"]["value"]
        for kind in ("mousePressed", "mouseReleased"):
            self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        time.sleep(2)

    def key(self, name: str) -> None:
        code = {"ArrowDown": 40, "Enter": 13}[name]
        for kind in ("rawKeyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)
        time.sleep(1)

    def picture(self, name: str, box: tuple[int, int, int, int] = (0, 0, WIDTH, HEIGHT)) -> None:
        shot = base64.b64decode(self.tell("Page.captureScreenshot", format="png")["data"])
        keep(Image.open(io.BytesIO(shot)).convert("RGB").crop(box), name, colours=64)


def ask(url: str, path: str, **question: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310  the server that is being photographed
        f"{url}/api{path}", json.dumps(question).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def newest_run(url: str, flow: str, month: str, state: str = "") -> str:
    found = ask(url, "/flow_runs/filter", flows={"name": {"any_": [flow]}}, sort="EXPECTED_START_TIME_DESC")
    return next(one["id"] for one in found if month in one["name"] and state in (one["state_name"], ""))


def photograph(browser: Browser, url: str, month: str) -> None:
    artifacts = {
        one["key"].removeprefix(f"{month}-").partition("-")[0]: one["id"]
        for one in reversed(ask(url, "/artifacts/filter", sort="CREATED_DESC", limit=200))
        if (one["key"] or "").startswith(month)
    }
    (start, *_) = ask(url, "/deployments/filter", flows={"name": {"any_": ["每月报告"]}})
    browser.go(f"{url}/runs", f"{month} 月报")
    browser.picture("page-runs.png")
    browser.go(f"{url}/runs/flow-run/{newest_run(url, '月报', month)}", "Task Runs")
    browser.press("Artifacts")
    browser.picture("page-month.png")
    shown = {"reported": ("是否按时", HEIGHT), "findings": ("怎么办", 800), "documents": ("一页纸", 700)}
    for kind, (words, height) in shown.items():
        browser.go(f"{url}/artifacts/artifact/{artifacts[kind]}", words)
        browser.picture(f"page-{kind}.png", (0, 0, WIDTH, height))
    browser.go(f"{url}/deployments/deployment/{start['id']}/run", "月份")
    browser.picture("page-start.png", (0, 0, WIDTH, 760))
    browser.go(f"{url}/runs/flow-run/{newest_run(url, '签发', month, 'Suspended')}", "Resume")
    browser.press("Resume", 8)
    browser.do(_FILL)
    browser.click(".p-modal .p-select")
    for name in ("ArrowDown", "Enter"):
        browser.key(name)
    browser.picture("page-sign.png", (280, 0, 840, HEIGHT))


def main() -> None:
    month = sys.argv[1]
    url = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:4200"
    program = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as profile:
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command += ["--remote-debugging-port=0", f"--window-size={WIDTH},{HEIGHT}", "about:blank"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            known = Path(profile, "DevToolsActivePort")
            while not known.exists():
                time.sleep(0.2)
            port = known.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=60) as answer:
                page = next(one for one in json.load(answer) if one["type"] == "page")
            with connect(page["webSocketDebuggerUrl"], max_size=None) as socket:
                browser = Browser(socket)
                browser.tell(
                    "Emulation.setDeviceMetricsOverride",
                    width=WIDTH,
                    height=HEIGHT,
                    deviceScaleFactor=1,
                    mobile=False,
                )
                browser.tell("Emulation.setTimezoneOverride", timezoneId="Asia/Shanghai")
                photograph(browser, url, month)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
