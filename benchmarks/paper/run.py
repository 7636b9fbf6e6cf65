"""What paper costs: CPU for a document of text and tables, as we print and without our measures.

Usage: ``python benchmarks/paper/run.py [repeats]``. Each line is measured in a process of its own,
the first document (which loads fonts and libraries) left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAYS = {
    "as we print": "",
    "garbage collector left on": "collector",
    "system fonts, not the prepared ones": "fonts",
    "WeasyPrint's own justification (ragged)": "justify",
    "no archival profile": "variant",
    "archival profile with tags": "tags",
}
SENTENCE = (
    "截至2018年9月30日，全县援建项目共64个，计划总投资26485万元，支付率43.0%，低于序时进度7.0个百分点；"
    "产业发展、村级公路两个领域较快，安全饮水受雨季影响——进展较慢。"
)


def document(system_fonts: bool) -> str:
    css = (ROOT / "templates" / "report" / "paper.css").read_text(encoding="utf-8")
    if system_fonts:
        for ours, theirs in (
            ("Ledger Latin", "Liberation Serif"),
            ("Ledger Hei", "Noto Sans CJK SC"),
            ("Ledger Fangsong", "Noto Serif CJK SC"),
            ("Ledger Kai", "Noto Serif CJK SC"),
            ("Ledger Song", "Noto Serif CJK SC"),
            ("Ledger Biaosong", "Noto Serif CJK SC"),
        ):
            css = css.replace(f'"{ours}"', f'"{theirs}"')
    text = "".join(f"<h2>{n}、情况</h2>" + f"<p>{SENTENCE * 3}</p>" * 4 for n in range(1, 10))
    cells = "".join(f"<td>{place}建始县{place * 37 % 1000}</td>" for place in range(14))
    rows = "".join(f"<tr>{cells}</tr>" for _ in range(60))
    return (
        f'<!doctype html><html lang="zh-CN"><head><style>{css} table {{ font-size: 7pt; line-height: 9pt }}'
        f'</style></head><body><div class="body">{text}</div>'
        f'<div class="annex-landscape"><table>{rows}</table></div></body></html>'
    )


def measure(way: str, repeats: int) -> dict[str, float]:
    """CPU seconds a document (the median) and its kilobytes, in this process."""
    from ledger.reporting import pdf

    if way == "collector":
        pdf._collector_held_off = __import__("contextlib").nullcontext
    weasyprint = pdf._weasyprint()
    if way == "fonts":
        import os

        del os.environ["FONTCONFIG_FILE"]
    if way == "justify":
        from weasyprint.layout import inline

        inline.justify_line = lambda *_: None
        inline.split_first_line = weasyprint.text.line_break.split_first_line
    variant = {"variant": None, "tags": "pdf/a-3a"}.get(way, "pdf/a-3u")
    html = document(way == "fonts")
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        printed = pdf.render_pdf(html, title="量", variant=variant)
        times.append(time.process_time() - start)
    return {
        "seconds": sorted(times[1:])[repeats // 2],
        "kilobytes": len(printed) / 1024,
    }


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'':42}{'CPU s':>8}{'KB':>8}")
    for name, way in WAYS.items():
        child = subprocess.run(
            [sys.executable, __file__, "--one", way, str(repeats)],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        result = json.loads(child.stdout)
        print(f"{name:42}{result['seconds']:8.2f}{result['kilobytes']:8.0f}", flush=True)


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        main()
