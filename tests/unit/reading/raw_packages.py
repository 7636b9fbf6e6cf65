"""Packages written by hand: every byte of the XML is the test's own."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def zipped(parts: dict[str, str | bytes], *, level: int = 9) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer.getvalue()


def relations(*entries: tuple[str, str, str], base: str = RELATIONS) -> str:
    lines = "".join(
        f'<Relationship Id="{rid}" Type="{base}/{kind}" Target="{target}"/>' for rid, kind, target in entries
    )
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE_RELATIONS}">{lines}</Relationships>'


def worksheet(body: str, *, before: str = "", after: str = "", main: str = MAIN) -> str:
    return f'{_DECLARATION}<worksheet xmlns="{main}">{before}<sheetData>{body}</sheetData>{after}</worksheet>'


def styles(*codes: str) -> str:
    """Cell format 0 is General, then one for each code."""
    formats = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{code}"/>' for n, code in enumerate(codes))
    xfs = "".join(f'<xf numFmtId="{164 + n}" applyNumberFormat="1"/>' for n in range(len(codes)))
    return (
        f'{_DECLARATION}<styleSheet xmlns="{MAIN}"><numFmts count="{len(codes)}">{formats}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>{xfs}</cellXfs>'
        f'<dxfs><dxf><numFmt numFmtId="164" formatCode="wrong"/></dxf></dxfs></styleSheet>'
    )


def xlsx(
    sheet: str,
    *,
    strings: str = "",
    style_sheet: str = "",
    workbook_extra: str = "",
    main: str = MAIN,
    base: str = RELATIONS,
    name: str = "表1",
    more: dict[str, str | bytes] | None = None,
) -> bytes:
    """A workbook of one sheet whose part is given whole."""
    entries = [("rId1", "worksheet", "worksheets/sheet1.xml")]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f"{_DECLARATION}<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml"), base=base),
        "xl/workbook.xml": (
            f'{_DECLARATION}<workbook xmlns="{main}" xmlns:r="{base}">{workbook_extra}'
            f'<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/worksheets/sheet1.xml": sheet,
    }
    if strings:
        parts["xl/sharedStrings.xml"] = strings
        entries.append(("rId2", "sharedStrings", "sharedStrings.xml"))
    if style_sheet:
        parts["xl/styles.xml"] = style_sheet
        entries.append(("rId3", "styles", "/xl/styles.xml"))
    parts["xl/_rels/workbook.xml.rels"] = relations(*entries, base=base)
    return zipped(parts | (more or {}))


def shared_strings(*items: str) -> str:
    body = "".join(f"<si>{item}</si>" for item in items)
    return f'{_DECLARATION}<sst xmlns="{MAIN}" count="{len(items)}" uniqueCount="{len(items)}">{body}</sst>'


_ODS_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def ods(
    tables: str, *, automatic_styles: str = "", manifest: str = "", generator: str = "", prologue: str = ""
) -> bytes:
    """A spreadsheet whose tables are given whole."""
    parts: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": (
            f"{_DECLARATION}{prologue}<office:document-content {_ODS_NAMES}>"
            f"<office:automatic-styles>{automatic_styles}</office:automatic-styles>"
            f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>"
        ),
        "META-INF/manifest.xml": manifest or "<manifest:manifest xmlns:manifest='urn:x'/>",
    }
    if generator:
        parts["meta.xml"] = f"<meta><generator>{generator}</generator></meta>"
    return zipped(parts)
