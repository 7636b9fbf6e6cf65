"""The same workbook, the same bytes: what openpyxl writes is freed of the clock.

openpyxl stamps each part and the properties with the moment of writing. Forms and returns are
made again by every rerun and every rebuild and must not differ.
"""

from __future__ import annotations

import re
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook

#: The earliest moment a zip directory can state; it says nothing about when a file was written.
NO_TIME = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_CORE = "docProps/core.xml"


def settled_bytes(workbook: Workbook, moment: datetime) -> bytes:
    """The workbook as .xlsx bytes that depend on its content and `moment` alone."""
    workbook.properties.created = moment.replace(tzinfo=None)
    written = BytesIO()
    workbook.save(written)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    settled = BytesIO()
    with ZipFile(written) as source, ZipFile(settled, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            if name == _CORE:
                part = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", part)
            info = ZipInfo(name, NO_TIME)
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, part)
    return settled.getvalue()
