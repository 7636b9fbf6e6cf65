"""The HTML editions on a phone, in headless Chromium: nothing wider than the screen, nothing fetched."""

from __future__ import annotations

import html as markup
import json
import re
import shutil
import subprocess

import pytest
from golden_views import normal, registry

from ledger.reporting.brief import build_brief
from ledger.reporting.build import build_county_report
from ledger.reporting.html import brief_html, county_html, unit_html
from ledger.reporting.unit_report import build_unit_reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH = 390

#: Looks into each frame as a phone would show it: how wide it is, what sticks out, how small type is.
LOOK = """
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const inside = box => { for (let p = box; p; p = p.parentElement)
      if (frame.contentWindow.getComputedStyle(p).overflowX === "auto") return true; return false; };
    const out = [...page.body.querySelectorAll("*")].filter(box =>
      box.getBoundingClientRect().right > innerWidthOf(frame) + 1 && !inside(box));
    const small = [...page.querySelectorAll(".body p, .edition > p")].map(box =>
      parseFloat(frame.contentWindow.getComputedStyle(box).fontSize));
    const cut = [...page.querySelectorAll("td, th, p")].filter(box =>
      box.scrollWidth > box.clientWidth + 1 && box.clientWidth && !inside(box)).map(box => box.textContent.trim().slice(0, 30));
    return {wide: root.scrollWidth, out: out.slice(0, 5).map(box => box.tagName + "." + box.className),
            small: Math.min(...small), cut: cut.slice(0, 5), height: root.scrollHeight,
            fetched: frame.contentWindow.performance.getEntriesByType("resource").length,
            text: page.body.innerText.length};
  });
  document.body.innerHTML = "<pre id=told></pre>";
  document.getElementById("told").textContent = JSON.stringify(told);
});
const innerWidthOf = frame => frame.clientWidth;
"""


def pages() -> dict[str, str]:
    views = normal()
    county = build_county_report(views, registry())
    found = {"county": county_html(county), "brief": brief_html(build_brief(county))}
    units = build_unit_reports(county, views[-1], registry())
    chosen = {each.unit.name: unit_html(each) for each in units if each.projects or each.indicators}
    return found | dict(list(chosen.items())[:4])


def looked_at(found: dict[str, str], folder) -> dict[str, dict[str, object]]:
    frames = "".join(
        f'<iframe width="{WIDTH}" height="844" style="border:0" srcdoc="{markup.escape(page)}"></iframe>'
        for page in found.values()
    )
    outer = folder / "phone.html"
    outer.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><script>{LOOK}</script><body>{frames}</body>", encoding="utf-8"
    )
    shown = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--dump-dom", outer.as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", timeout=180, check=True,
    ).stdout  # fmt: skip
    told = re.search(r'<pre id="told">(.*?)</pre>', shown, re.DOTALL)
    assert told, shown[-500:]
    return dict(zip(found, json.loads(markup.unescape(told[1])), strict=True))


def test_every_page_carries_all_it_needs():
    for name, page in pages().items():
        assert not re.search(r"<(script|link|img|iframe|object|embed)\b|@import|url\(", page), name
        assert set(re.findall(r'href="(.)', page)) <= {"#"}, name
        assert 'name="viewport"' in page and '<meta charset="utf-8">' in page


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_on_a_phone_nothing_sticks_out(tmp_path):
    for name, seen in looked_at(pages(), tmp_path).items():
        assert seen["wide"] <= WIDTH, (name, seen)
        assert not seen["out"] and not seen["cut"], (name, seen)
        assert seen["small"] >= 11, (name, seen)
        assert seen["fetched"] == 0, (name, seen)
        assert seen["text"] > 400, (name, seen)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_look_finds_what_sticks_out(tmp_path):
    page = '<meta name="viewport" content="width=device-width"><body class="edition"><p style="width:900px">长</p>'
    (seen,) = looked_at({"wide": page}, tmp_path).values()
    assert seen["wide"] > WIDTH and seen["out"]
