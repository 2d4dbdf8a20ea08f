# SPDX-License-Identifier: Apache-2.0
"""message_pack and message_unpack against protobuf's own classes."""

import math
import random
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor

from nbaspark import _core
from nbaspark.errors import PySparkException

NAMES = (
    "base",
    "catalog",
    "commands",
    "common",
    "example_plugins",
    "expressions",
    "ml",
    "ml_common",
    "pipelines",
    "relations",
    "types",
)
FILES = [import_module(f"pyspark.sql.connect.proto.{name}_pb2").DESCRIPTOR for name in NAMES]
SEEDS = Path(__file__).resolve().parents[2] / "fuzz" / "seeds" / "plan"


def pack(name, tree):
    return _core.message_pack("spark.connect." + name, tree)


def unpack(name, data):
    return _core.message_unpack("spark.connect." + name, data)


def theirs(name):
    pool = FILES[0].pool
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def all_messages(messages):
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message
        yield from all_messages(message.nested_types)


MESSAGES = [m for file in FILES for m in all_messages(file.message_types_by_name.values())]

NUMBERS = {
    FieldDescriptor.TYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_INT64: (0, 1, -1, 127, 128, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_UINT32: (0, 1, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 1, 2**64 - 1),
    FieldDescriptor.TYPE_BOOL: (False, True),
    FieldDescriptor.TYPE_FLOAT: (0.0, -0.0, 1.5, math.inf),
    FieldDescriptor.TYPE_DOUBLE: (0.0, -0.0, 0.1, -math.inf, sys.float_info.max),
    FieldDescriptor.TYPE_STRING: ("", "a", "\0", "São Paulo ☀ 🏀", "x" * 200),
    FieldDescriptor.TYPE_BYTES: (b"", b"\0\xff", b"y" * 300),
}


class Generator:
    """Random trees of a message type."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def scalar(self, field):
        if field.type == FieldDescriptor.TYPE_ENUM:
            return self.random.choice([value.name for value in field.enum_type.values])
        return self.random.choice(NUMBERS[field.type])

    def value(self, field, depth):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            return self.tree(field.message_type, depth - 1)
        return self.scalar(field)

    def tree(self, message, depth):
        tree = {}
        chosen = {oneof.name: self.random.choice(oneof.fields).name for oneof in message.oneofs}
        fields = list(message.fields)
        self.random.shuffle(fields)
        for field in fields:
            oneof = field.containing_oneof
            if oneof is not None and chosen[oneof.name] != field.name:
                continue
            if self.random.random() < 0.3 or (
                field.type == FieldDescriptor.TYPE_MESSAGE and depth == 0
            ):
                continue
            if (
                field.type == FieldDescriptor.TYPE_MESSAGE
                and field.message_type.GetOptions().map_entry
            ):
                key, value = field.message_type.fields
                tree[field.name] = {
                    self.scalar(key): self.value(value, depth)
                    for _ in range(self.random.randrange(3))
                }
            elif field.is_repeated:
                tree[field.name] = [
                    self.value(field, depth) for _ in range(self.random.randrange(4))
                ]
            else:
                tree[field.name] = self.value(field, depth)
        return tree


def fill(message, tree):
    """Set a protobuf object from a tree."""
    message.SetInParent()
    for name, value in tree.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        is_message = field.type == FieldDescriptor.TYPE_MESSAGE
        if is_message and field.message_type.GetOptions().map_entry:
            target = getattr(message, name)
            for key, item in value.items():
                if field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
                    fill(target[key], item)
                else:
                    target[key] = item
        elif field.is_repeated:
            for item in value:
                if is_message:
                    fill(getattr(message, name).add(), item)
                else:
                    if field.type == FieldDescriptor.TYPE_ENUM:
                        item = field.enum_type.values_by_name[item].number
                    getattr(message, name).append(item)
        elif is_message:
            fill(getattr(message, name), value)
        elif field.type == FieldDescriptor.TYPE_ENUM:
            setattr(message, name, field.enum_type.values_by_name[value].number)
        else:
            setattr(message, name, value)
    return message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.full_name)
def test_every_message_like_protobuf(message):
    for seed in range(6):
        tree = Generator(seed).tree(message, 3)
        expected = fill(theirs(message.full_name)(), tree)
        ours = _core.message_pack(message.full_name, tree)
        parsed = theirs(message.full_name).FromString(ours)
        assert parsed.SerializeToString(deterministic=True) == expected.SerializeToString(
            deterministic=True
        )
        assert len(ours) == expected.ByteSize()
        again = _core.message_unpack(message.full_name, ours)
        assert _core.message_pack(message.full_name, again) == ours


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*.bin")), ids=lambda path: path.stem)
def test_real_plans_byte_for_byte(path):
    data = path.read_bytes()
    if data[0] == 0:
        assert pack("Plan", unpack("Plan", data[1:])) == data[1:]


def test_fields_are_written_in_the_order_of_their_numbers():
    tree = {"step": 1, "num_partitions": 2, "start": 3, "end": 4}
    assert pack("Range", tree) == b"\x08\x03\x10\x04\x18\x01\x20\x02"


def test_zero_is_written_only_where_presence_counts():
    assert pack("Range", {"start": 0, "end": 0, "step": 0}) == b"\x08\x00"
    assert pack("Range", {"start": None, "end": 5}) == b"\x10\x05"
    assert pack("Expression.Literal", {"double": -0.0}) == b"\x59\0\0\0\0\0\0\0\x80"
    assert pack("Sample", {"lower_bound": -0.0}) == b"\x11\0\0\0\0\0\0\0\x80"


def test_packed_bytes_are_spliced_in():
    inner = pack("Relation", {"range": {"end": 5, "step": 1}})
    whole = {"limit": {"input": {"range": {"end": 5, "step": 1}}, "limit": 3}}
    assert pack("Relation", {"limit": {"input": inner, "limit": 3}}) == pack("Relation", whole)
    assert pack("Project", {"expressions": [b"", b""]}) == b"\x1a\0\x1a\0"


def test_enums_by_number_and_name():
    assert pack("Join", {"join_type": "JOIN_TYPE_INNER"}) == pack("Join", {"join_type": 1})
    assert pack("Join", {"join_type": 99}) == b"\x20\x63"
    assert unpack("Join", b"\x20\x01\x20\x63") == {"join_type": 99}
    assert unpack("Join", b"\x20\x01") == {"join_type": "JOIN_TYPE_INNER"}


def test_numpy_scalars_and_buffers():
    import numpy as np

    tree = {"end": np.int64(7), "step": np.int32(1), "num_partitions": np.uint8(3)}
    assert pack("Range", tree) == b"\x10\x07\x18\x01\x20\x03"
    assert pack("LocalRelation", {"data": memoryview(b"abc")}) == b"\x0a\x03abc"
    assert pack("Expression.Literal", {"double": np.float32(1.5)})[0] == 0x59


@pytest.mark.parametrize(
    ("tree", "error", "text"),
    [
        ({"rot": 1}, ValueError, "spark.connect.Plan: spark.connect.Plan has no field 'rot'"),
        ({1: 1}, TypeError, "the keys of a message must be str, not int"),
        ({"root": 3}, TypeError, "spark.connect.Plan.root: expected dict or bytes, not int"),
        (
            {"root": {"project": {"expressions": [{}, {"literal": {"integer": "x"}}]}}},
            TypeError,
            r"Plan.root.project.expressions\[1\].literal.integer: expected int, not str",
        ),
        ({"root": {"project": {"expressions": {}}}}, TypeError, "expected list or tuple, not dict"),
        ({"root": {"project": {"expressions": [None]}}}, TypeError, r"expressions\[0\]: expected"),
        ({"root": {"range": {"end": 2**63}}}, ValueError, "range.end: 9223372036854775808 is out"),
        ({"root": {"range": {"num_partitions": -(2**31) - 1}}}, ValueError, "is out of range"),
        ({"root": {"range": {"end": 1.5}}}, TypeError, "expected int, not float"),
        ({"root": {"range": {}, "limit": {}}}, ValueError, "range is set too"),
        ({"root": {"join": {"join_type": "NO"}}}, ValueError, "'NO' is no value of"),
        ({"root": {"sql": {"query": "\ud800"}}}, ValueError, "lone surrogate"),
        ({"root": {"sql": {"query": 5}}}, TypeError, "root.sql.query: expected str or bytes"),
        ({"root": {"sql": {"args": []}}}, TypeError, "root.sql.args: expected dict, not list"),
        ({"root": {"sql": {"args": {"k": 1}}}}, TypeError, "sql.args.*expected dict or bytes"),
        ({"root": {"sample": {"lower_bound": "x"}}}, TypeError, "expected float, not str"),
    ],
)
def test_errors_name_the_field(tree, error, text):
    with pytest.raises(error, match=text):
        pack("Plan", tree)


def test_unknown_message():
    with pytest.raises(ValueError, match="there is no message 'spark.connect.Nothing'"):
        pack("Nothing", {})
    with pytest.raises(TypeError):
        _core.message_pack(3, {})
    with pytest.raises(TypeError):
        _core.message_pack("spark.connect.Plan")
    with pytest.raises(TypeError):
        pack("Plan", [])


def deep(levels):
    tree = {"range": {"end": 1}}
    for _ in range(levels):
        tree = {"limit": {"input": tree, "limit": 1}}
    return tree


def test_deep_trees_on_a_small_stack():
    results = []
    # trees die on this thread: CPython 3.13 itself needs more stack for that
    trees = [deep(10_000), deep(100_000)]

    def work():
        data = pack("Relation", trees[0])
        trees.append(unpack("Relation", data))
        results.append(pack("Relation", trees[2]) == data)
        try:
            pack("Relation", trees[1])
        except RecursionError as error:
            results.append(str(error))
        try:
            loop = {}
            loop["limit"] = {"input": loop}
            pack("Relation", loop)
        except RecursionError:
            results.append("loop")
        try:
            unpack("Relation", nested_bytes(100_000))
        except RecursionError:
            results.append("unpack")

    threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert results[0] is True
    assert "messages inside each other" in results[1]
    assert results[2:] == ["loop", "unpack"]


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def nested_bytes(levels):
    """Relation.limit.input.limit.input…, written from the inside."""
    parts = []
    size = 0
    for _ in range(levels):
        head = b"\x0a" + varint(size)
        size += len(head)
        parts.append(head)
        head = b"\x42" + varint(size)
        size += len(head)
        parts.append(head)
    return b"".join(reversed(parts))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x0a", "a number that does not end at byte 1"),
        (b"\x0a\x05", "a length beyond the end"),
        (b"\x0b\x0c", "a group or an invalid wire type"),
        (b"\x00\x00", "an invalid tag"),
        (b"\x0a\x05\x52\x03\x0a\x01\xff", "text that is not UTF-8 at byte .* of spark.connect.SQL"),
        (b"\x08" + b"\xff" * 11, "a number that does not end"),
    ],
)
def test_unpack_errors(data, text):
    with pytest.raises(ValueError, match=text):
        unpack("Plan", data)


def test_unpack_follows_protobuf_where_writers_differ():
    cls = theirs("spark.connect.Relation")
    for data in (
        b"\x7a\x02\x10\x05\x7a\x02\x18\x06",  # one sub-message twice: merged
        b"\x1a\x04\x0a\x02\x7a\x00\x1a\x04\x0a\x02\x42\x00",  # merged, with another member of a oneof
        b"\x7a\x02\x10\x05\x42\x02\x10\x06",  # a oneof twice: the last
        b"\x7a\x04\x10\x05\x10\x09",  # a scalar twice: the last
        b"\xa2\x38\x01x\x7a\x00",  # an unknown field
        b"\x7d\x01\x02\x03\x04",  # a known field of another wire type
    ):
        assert pack("Relation", unpack("Relation", data)) == _clean(cls.FromString(data))


def _clean(message):
    message.DiscardUnknownFields()
    return message.SerializeToString()


def check(data):
    try:
        _core.message_check("spark.connect.Plan", data)
    except PySparkException as error:
        assert error.getCondition() == "CONNECT_INVALID_PLAN.CANNOT_PARSE"
        assert error.getSqlState() == "56K00"
        assert str(error).startswith("[CONNECT_INVALID_PLAN.CANNOT_PARSE] ")
        return error.getMessageParameters()["errorMsg"]
    return None


def test_the_engine_refuses_what_is_no_plan():
    assert check(b"") is None
    assert check(pack("Plan", {"root": deep(10_000)})) is None
    assert check(b"\x0a" + varint(len(nested_bytes(50_000))) + nested_bytes(50_000)).startswith(
        "messages too deep inside each other"
    )
    for path in SEEDS.glob("*.bin"):
        data = path.read_bytes()[1:]
        assert check(data) is None
        for size in range(1, len(data), 13):
            assert check(data[:size]) is not None


def test_random_bytes_never_crash():
    rng = random.Random(7)
    seeds = [path.read_bytes()[1:] for path in sorted(SEEDS.glob("*.bin"))]
    for _ in range(3000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            check(data)
            tree = unpack("Plan", data)
        except (ValueError, RecursionError):
            continue
        pack("Plan", tree)
