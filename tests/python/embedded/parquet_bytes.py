# SPDX-License-Identifier: Apache-2.0
"""Parquet files by hand: layouts that writers of today no longer make, and damaged ones.

A file is a schema of elements in order, and per leaf the pages as they are to stand there.
"""

import dataclasses
import struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BINARY, FIXED = range(8)
REQUIRED, OPTIONAL, REPEATED = range(3)
UTF8, MAP, MAP_KEY_VALUE, LIST = range(4)
PLAIN, RLE, BIT_PACKED = 0, 3, 4
I32, I64, BYTES, LISTS, STRUCT = 5, 6, 8, 9, 12


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint((n << 1) ^ (n >> 63))


def thrift(fields):
    """A struct of the compact protocol; fields: [(id, type, value)], ids ascending, lists as (type, values)."""
    out, last = bytearray(), 0
    for number, kind, value in fields:
        if value is None:
            continue
        if isinstance(value, bool):
            kind = 1 if value else 2
        out.append((number - last) << 4 | kind)
        last = number
        if not isinstance(value, bool):
            out += encoded(kind, value)
    return bytes(out) + b"\0"


def encoded(kind, value):
    if kind in (I32, I64):
        return zigzag(value)
    if kind == BYTES:
        return varint(len(value)) + value
    if kind == LISTS:
        element, values = value
        n = len(values)
        head = bytes([n << 4 | element]) if n < 15 else bytes([0xF0 | element]) + varint(n)
        return head + b"".join(encoded(element, v) for v in values)
    return value  # a struct, packed


@dataclasses.dataclass
class Element:
    name: str
    physical: int | None = None
    repetition: int | None = OPTIONAL
    children: int | None = None
    converted: int | None = None
    length: int | None = None
    scale: int | None = None
    precision: int | None = None
    logical: bytes | None = None

    def bytes(self):
        return thrift(
            [
                (1, I32, self.physical),
                (2, I32, self.length),
                (3, I32, self.repetition),
                (4, BYTES, self.name.encode()),
                (5, I32, self.children),
                (6, I32, self.converted),
                (7, I32, self.scale),
                (8, I32, self.precision),
                (10, STRUCT, self.logical),
            ]
        )


def runs(levels, width):
    """Levels of the hybrid, each as a run of one."""
    size = (width + 7) // 8
    return b"".join(varint(2) + v.to_bytes(size, "little") for v in levels)


def bits(max_level):
    return max_level.bit_length()


def page(values, n, rep=None, def_=None, max_rep=0, max_def=0, encoding=PLAIN, **lies):
    """A v1 data page. lies: uncompressed, compressed, n_values say other than is so; codec(body) packs it."""
    body = b""
    for levels, top in ((rep, max_rep), (def_, max_def)):
        if top:
            packed = levels if isinstance(levels, bytes) else runs(levels, bits(top))
            body += struct.pack("<I", len(packed)) + packed
    body += values
    stored = lies.get("codec", lambda b: b)(body)
    level = lies.get("level_encoding", RLE)
    if level == BIT_PACKED:
        body = stored = values
    head = thrift(
        [
            (1, I32, 0),
            (2, I32, lies.get("uncompressed", len(body))),
            (3, I32, lies.get("compressed", len(stored))),
            (
                5,
                STRUCT,
                thrift(
                    [
                        (1, I32, lies.get("n_values", n)),
                        (2, I32, encoding),
                        (3, I32, level),
                        (4, I32, level),
                    ]
                ),
            ),
        ]
    )
    return head + stored


@dataclasses.dataclass
class Leaf:
    physical: int
    pages: bytes
    n_values: int
    codec: int = 0
    statistics: bytes | None = None


def parquet(elements, leaves, n_rows, keys=()):
    """The bytes of a file of one row group."""
    out, chunks = bytearray(b"PAR1"), []
    for leaf in leaves:
        meta = thrift(
            [
                (1, I32, leaf.physical),
                (2, LISTS, (I32, [PLAIN, RLE])),
                (3, LISTS, (BYTES, [b"x"])),
                (4, I32, leaf.codec),
                (5, I64, leaf.n_values),
                (6, I64, len(leaf.pages)),
                (7, I64, len(leaf.pages)),
                (9, I64, len(out)),
                (12, STRUCT, leaf.statistics),
            ]
        )
        chunks.append(thrift([(2, I64, len(out)), (3, STRUCT, meta)]))
        out += leaf.pages
    group = thrift([(1, LISTS, (STRUCT, chunks)), (2, I64, len(out)), (3, I64, n_rows)])
    tops, at = 0, 0
    while at < len(elements):
        tops, open_ = tops + 1, 1
        while open_:
            open_ += (elements[at].children or 0) - 1
            at += 1
    root = Element("schema", repetition=None, children=tops)
    footer = thrift(
        [
            (1, I32, 1),
            (2, LISTS, (STRUCT, [e.bytes() for e in [root, *elements]])),
            (3, I64, n_rows),
            (4, LISTS, (STRUCT, [group])),
            (
                5,
                LISTS,
                (STRUCT, [thrift([(1, BYTES, k), (2, BYTES, v)]) for k, v in keys]),
            )
            if keys
            else (5, LISTS, None),
        ]
    )
    return bytes(out) + footer + struct.pack("<I", len(footer)) + b"PAR1"


def int32s(*values):
    return struct.pack(f"<{len(values)}i", *values)


def strings(*values):
    encoded_ = [v.encode() for v in values]
    return b"".join(struct.pack("<I", len(v)) + v for v in encoded_)
