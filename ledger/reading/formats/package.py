"""A zip package (xlsx, ods) opened with care: nothing is unpacked beyond its limits."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from ledger.reading.formats import limits
from ledger.reading.formats.refusal import bloated, damaged, locked

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1


class Package:
    """The parts of a zip package by name.

    Raises Refused: F01 where the package or a part is damaged, F02 where it is encrypted as a zip,
    F04 where its declared or its real size is out of bounds.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as opened:
                infos = opened.infolist()
        except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, struct.error, OverflowError) as fault:
            raise damaged("压缩结构不完整") from fault
        except NotImplementedError as fault:
            raise damaged("压缩方式不认识") from fault
        self._infos = {info.filename.replace("\\", "/").removeprefix("/"): info for info in infos}
        declared = sum(info.file_size for info in infos)
        if (
            declared > limits.MAX_PACKAGE
            or len(infos) > limits.MAX_PARTS
            or (declared > limits.RATIO_FROM and declared > limits.MAX_RATIO * len(data))
        ):
            raise bloated(
                f"{_megabytes(len(data))} 的文件解压后有 {_megabytes(declared)}、{len(infos)} 个部分"
            )
        self._folded: dict[str, str] | None = None

    @property
    def names(self) -> list[str]:
        return list(self._infos)

    def find(self, name: str) -> str | None:
        """The stored name of a part: as given, else the same in other letter case."""
        if name in self._infos:
            return name
        if self._folded is None:
            self._folded = {stored.lower(): stored for stored in self._infos}
        return self._folded.get(name.lower())

    def read(self, name: str) -> bytes | None:
        """A part unpacked, None where there is none."""
        stored = self.find(name)
        if stored is None:
            return None
        info = self._infos[stored]
        if info.flag_bits & _ENCRYPTED:
            raise locked("压缩包设有密码")
        if info.file_size > limits.MAX_PART:
            raise bloated(f"其中 {stored} 解压后有 {_megabytes(info.file_size)}")
        packed = self._packed(info)
        if info.compress_type == zipfile.ZIP_STORED:
            content = packed
        elif info.compress_type == zipfile.ZIP_DEFLATED:
            content = _inflate(packed, info.file_size, stored)
        else:
            raise damaged(f"其中 {stored} 的压缩方式不认识")
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise damaged(f"其中 {stored} 不完整")
        return content

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        start = info.header_offset
        header = self._data[start : start + _LOCAL_HEADER.size]
        if len(header) < _LOCAL_HEADER.size:
            raise damaged("压缩结构不完整")
        magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        if magic != _LOCAL_MAGIC:
            raise damaged("压缩结构不完整")
        start += _LOCAL_HEADER.size + name_length + extra_length
        return self._data[start : start + info.compress_size]


def _inflate(packed: bytes, declared: int, name: str) -> bytes:
    """Unpack at most what the directory declares: more than that is a lie, and a bomb."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, declared + 1)
    except zlib.error as fault:
        raise damaged(f"其中 {name} 不完整") from fault
    if len(content) > declared:
        raise bloated(f"其中 {name} 解压后比声明的 {_megabytes(declared)} 还大")
    return content


def _megabytes(size: int) -> str:
    if size < limits.MEGABYTE:
        return f"{max(1, round(size / 1024))} KB"
    return f"{round(size / limits.MEGABYTE)} MB"
