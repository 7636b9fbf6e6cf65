"""Prepare the report's fonts, once, at set-up: TrueType outlines, own names, one set of metrics.

Why not the distribution's files as they are: CFF outlines come out blank in some viewers once a
PDF's subset is cut from them; an unknown family falls to Japanese glyphs; Fandol's weights are
mislabelled; and fonts with different ascents move the baseline of every line that mixes them,
so that a page of 22 lines does not hold 22 lines. Each source is therefore converted to ``glyf``,
named ``Ledger …``, given the ascent and descent of an em square, and cut to what is needed.

Usage: ``python tools/prepare_fonts.py TARGET [--fandol FOLDER]``. TARGET receives the fonts, a
``fonts.conf`` that lists only them, and a stamp; nothing is done where the stamp still holds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

EM = 1000
ASCENT, DESCENT = 880, -120
#: Largest distance between a cubic outline and its quadratic replacement, in 1/1000 em.
TOLERANCE = 0.8
#: 2018-01-01 in the font epoch (1904): the same bytes from every preparation.
CREATED = 3597609600
PACKAGE = "texlive-lang-chinese"
NOTO = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/local/share/fonts")
LIBERATION = (
    "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/truetype/liberation2",
    "/usr/share/fonts/liberation",
    "/usr/local/share/fonts",
)
#: Where the Fandol package can't be had: the wrong face, but every character.
STAND_IN = "NotoSerifCJK-Regular.ttc"
SYSTEM = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")

#: Latin letters and digits only. Quotes, dashes, dots and signs are full-width in Chinese text.
LATIN = frozenset([*range(0x20, 0x7F), *range(0xC0, 0xD7), *range(0xD8, 0xF7), *range(0xF8, 0x180)])


def _encoded(encoding: str, first: Iterable[int], second: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for a in first:
        for b in second:
            try:
                text = bytes([a, b]).decode(encoding)
            except UnicodeDecodeError:
                continue
            found.update(map(ord, text))
    return found


def common_characters() -> frozenset[int]:
    """GB2312 with its signs, and the signs of official documents; about 7,500 characters."""
    gb2312 = _encoded("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))
    signs = set(map(ord, "〇〔〕—…“”‘’·•①②③④⑤⑥⑦⑧⑨⑩℃％‰×÷±≥≤≠≈▲▼◆●○■□★☆△▽◇㎡㎥№√→←↑↓─│┌┐└┘├┤┬┴┼«»°′″"))
    return frozenset(gb2312 | signs | set(range(0x20, 0x7F)) | {0xA0, 0x200B, 0x2002, 0x2003, 0x3000})


@dataclass(frozen=True)
class Face:
    """One prepared file: where its outlines come from and what is kept of them."""

    file: str
    family: str
    weight: int
    sources: tuple[str, ...]
    folders: tuple[str, ...]
    keep: str  # "common", "latin", "all" but Latin, or "everything"
    italic: bool = False


def faces(fandol: Path) -> list[Face]:
    """Every face. A licensed font of the machine comes before its free stand-in."""
    free = (str(fandol),)
    licensed = (*SYSTEM, *free)
    return [
        Face(
            "fangsong.ttf",
            "Ledger Fangsong",
            400,
            (
                "仿宋_GB2312.ttf",
                "FangSong_GB2312.ttf",
                "SIMFANG.TTF",
                "simfang.ttf",
                "FandolFang-Regular.otf",
                STAND_IN,
            ),
            (*licensed, *NOTO),
            "all",
        ),
        Face(
            "kai.ttf",
            "Ledger Kai",
            400,
            ("楷体_GB2312.ttf", "KaiTi_GB2312.ttf", "simkai.ttf", "FandolKai-Regular.otf", STAND_IN),
            (*licensed, *NOTO),
            "all",
        ),
        Face(
            "biaosong.ttf",
            "Ledger Biaosong",
            700,
            (
                "方正小标宋简体.ttf",
                "方正小标宋_GBK.ttf",
                "FZXBSJW.TTF",
                "FZXBSK.TTF",
                "NotoSerifCJK-Bold.ttc",
            ),
            (*SYSTEM, *NOTO),
            "common",
        ),
        Face("song.ttf", "Ledger Song", 400, ("NotoSerifCJK-Regular.ttc",), NOTO, "common"),
        Face("song-bold.ttf", "Ledger Song", 700, ("NotoSerifCJK-Bold.ttc",), NOTO, "common"),
        Face("hei.ttf", "Ledger Hei", 400, ("NotoSansCJK-Regular.ttc",), NOTO, "common"),
        Face("hei-bold.ttf", "Ledger Hei", 700, ("NotoSansCJK-Bold.ttc",), NOTO, "common"),
        Face("rare.ttf", "Ledger Rare", 400, ("NotoSerifCJK-Regular.ttc",), NOTO, "everything"),
        Face("latin.ttf", "Ledger Latin", 400, ("LiberationSerif-Regular.ttf",), LIBERATION, "latin"),
        Face("latin-bold.ttf", "Ledger Latin", 700, ("LiberationSerif-Bold.ttf",), LIBERATION, "latin"),
        Face(
            "latin-italic.ttf",
            "Ledger Latin",
            400,
            ("LiberationSerif-Italic.ttf",),
            LIBERATION,
            "latin",
            italic=True,
        ),
    ]


def find_source(face: Face) -> Path:
    """The first source on this machine. Raises FileNotFoundError naming what to install."""
    for name in face.sources:
        for folder in face.folders:
            root = Path(folder).expanduser()
            found = sorted(root.rglob(name)) if root.is_dir() else []
            if found:
                return found[0]
    raise FileNotFoundError(
        f"{face.family}: none of {', '.join(face.sources)} found; "
        f"install fonts-noto-cjk, fonts-liberation and take the Fandol fonts out of {PACKAGE}"
    )


def open_source(path: Path) -> TTFont:
    """The font; of a collection the Simplified Chinese face."""
    if path.suffix.lower() != ".ttc":
        return TTFont(path, lazy=True)
    names = [font["name"].getDebugName(1) or "" for font in TTCollection(path, lazy=True).fonts]
    number = next((i for i, name in enumerate(names) if name.endswith(" SC")), 0)
    return TTFont(path, fontNumber=number, lazy=True)


def wanted(keep: str) -> Callable[[int], bool]:
    if keep == "latin":
        return LATIN.__contains__
    if keep == "all":
        return lambda code: code not in LATIN or code == 0x20
    if keep == "everything":
        return lambda _: True
    return common_characters().__contains__


def build(face: Face, source: Path, target: Path) -> tuple[str, int]:
    """Write one face; returns its file name and how many characters it has."""
    font = open_source(source)
    is_wanted = wanted("common" if face.keep == "all" and source.name == STAND_IN else face.keep)
    cmap = {code: name for code, name in font.getBestCmap().items() if is_wanted(code)}
    glyph_set = font.getGlyphSet()
    scale = EM / font["head"].unitsPerEm
    order = [".notdef", *dict.fromkeys(name for name in cmap.values() if name != ".notdef")]
    glyphs, metrics = {}, {}
    for name in order:
        recording = DecomposingRecordingPen(glyph_set)
        glyph_set[name].draw(recording)
        pen = TTGlyphPen(None)
        cubic = any(operator == "curveTo" for operator, _ in recording.value)
        outline = Cu2QuPen(pen, TOLERANCE, reverse_direction=True) if cubic else pen
        _scaled(recording, scale).replay(outline)
        glyphs[name] = pen.glyph()
        metrics[name] = round(glyph_set[name].width * scale)
    names = {name: f"g{place}" for place, name in enumerate(order) if name != ".notdef"}
    names[".notdef"] = ".notdef"
    _write(
        face,
        target,
        [names[n] for n in order],
        {code: names[n] for code, n in cmap.items()},
        {names[n]: g for n, g in glyphs.items()},
        {names[n]: w for n, w in metrics.items()},
    )
    return face.file, len(cmap)


def _scaled(recording: DecomposingRecordingPen, scale: float) -> DecomposingRecordingPen:
    if scale != 1:
        recording.value = [
            (operator, tuple(p and (p[0] * scale, p[1] * scale) for p in points))
            for operator, points in recording.value
        ]
    return recording


def _write(
    face: Face,
    target: Path,
    order: list[str],
    cmap: dict[int, str],
    glyphs: dict[str, object],
    widths: dict[str, int],
) -> None:
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs, calcGlyphBounds=True)
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics({n: (w, getattr(table[n], "xMin", 0) or 0) for n, w in widths.items()})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT, lineGap=0)
    bold = face.weight >= 700
    style = "Italic" if face.italic else "Bold" if bold else "Regular"
    postscript = f"{face.family.replace(' ', '')}-{style}"
    builder.setupNameTable(
        {
            "familyName": face.family,
            "styleName": style,
            "fullName": f"{face.family} {style}",
            "uniqueFontIdentifier": postscript,
            "psName": postscript,
            "version": "Version 1.000",
        }
    )
    selection = (0x01 if face.italic else 0) | (0x20 if bold else 0)
    builder.setupOS2(
        version=4,
        sTypoAscender=ASCENT,
        sTypoDescender=DESCENT,
        sTypoLineGap=0,
        usWinAscent=ASCENT,
        usWinDescent=-DESCENT,
        usWeightClass=face.weight,
        fsSelection=(selection or 0x40) | 0x80,
        fsType=0,
    )
    builder.setupPost(keepGlyphNames=False, isFixedPitch=0)
    head = builder.font["head"]
    head.created = head.modified = CREATED
    head.macStyle = (1 if bold else 0) | (2 if face.italic else 0)
    builder.font.recalcTimestamp = False
    partial = target.with_suffix(".part")
    builder.save(partial)
    partial.replace(target)


CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<!-- Written at set-up. Only these fonts: an unknown family must not fall to another country's glyphs. -->
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{folder}/cache</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last" binding="weak"><string>Ledger Song</string></edit>
    <edit name="family" mode="append_last" binding="weak"><string>Ledger Rare</string></edit>
  </match>
  <config><rescan><int>0</int></rescan></config>
</fontconfig>
"""


def write_conf(target: Path) -> None:
    """Write fonts.conf for this folder, where it is not already so. Paths in it are absolute:
    fontconfig takes a relative cache folder from wherever the program happens to stand."""
    text = CONF.format(folder=escape(str(target.resolve())))
    conf = target / "fonts.conf"
    if not conf.is_file() or conf.read_text(encoding="utf-8") != text:
        partial = conf.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(conf)


def fetch_fandol(folder: Path) -> None:
    """Take the two Fandol files out of Debian's package; no TeX is installed."""
    names = ("FandolFang-Regular.otf", "FandolKai-Regular.otf")
    if all((folder / name).is_file() for name in names):
        return
    for root in ("/usr/share/texlive", "/usr/share/texmf", "/usr/share/fonts"):
        found = {name: next(Path(root).rglob(name), None) for name in names if Path(root).is_dir()}
        if found and all(found.values()):
            folder.mkdir(parents=True, exist_ok=True)
            for name, path in found.items():
                shutil.copyfile(str(path), folder / name)
            return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        subprocess.run(
            ["apt-get", "-qq", "download", PACKAGE], cwd=scratch, check=True, stderr=subprocess.DEVNULL
        )
        package = next(Path(scratch).glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, "out"], cwd=scratch, check=True)
        for name in names:
            shutil.copyfile(next((Path(scratch) / "out").rglob(name)), folder / name)


def build_all(todo: list[tuple[Face, Path]], target: Path, workers: int) -> list[tuple[str, int]]:
    """Build every face, side by side where the machine lets processes share a semaphore."""
    try:
        pool = ProcessPoolExecutor(workers)
    except OSError:  # no /dev/shm, as in a bare chroot
        return [build(face, source, target / face.file) for face, source in todo]
    with pool:
        jobs = [pool.submit(build, face, source, target / face.file) for face, source in todo]
        return [job.result() for job in jobs]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stands(stamp: Path, script: str) -> bool:
    """Whether what is there was made by this script, with no stand-in to be replaced."""
    try:
        written = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return written.get("script") == script and not written.get("stand_ins")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--fandol", type=Path, help="folder that has, or will get, the Fandol files")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args(arguments)
    target: Path = options.target
    fandol: Path = options.fandol or target.parent / "fandol"
    target.mkdir(parents=True, exist_ok=True)
    write_conf(target)
    stamp, script = target / "stamp.json", _digest(Path(__file__))
    if _stands(stamp, script):
        return 0
    try:
        fetch_fandol(fandol)
    except (OSError, subprocess.CalledProcessError, StopIteration):
        print(f"fonts: {PACKAGE} can't be had; 仿宋 and 楷体 will be set in 宋体", flush=True)
    todo = [(face, find_source(face)) for face in faces(fandol)]
    stand_ins = [face.family for face, source in todo if face.keep == "all" and source.name == STAND_IN]
    print("fonts: preparing (once, about a minute)", flush=True)
    counts = dict(build_all(todo, target, options.workers))
    stamp.write_text(
        json.dumps({"script": script, "characters": counts, "stand_ins": stand_ins}, indent=1),
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
