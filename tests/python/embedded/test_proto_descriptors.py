# SPDX-License-Identifier: Apache-2.0
"""proto/ says the same as the descriptors that pyspark-client ships."""

import importlib.util
import subprocess
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

PROTO = Path(__file__).resolve().parents[3] / "proto"

Field = descriptor_pb2.FieldDescriptorProto


def load_converter():
    spec = importlib.util.spec_from_file_location("converter", PROTO / "convert_descriptors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def theirs():
    return {file.name: file for file in load_converter().load_files()}


@pytest.fixture(scope="module")
def ours(theirs, tmp_path_factory):
    """What protoc makes of our files."""
    target = tmp_path_factory.mktemp("proto") / "all.bin"
    subprocess.run(
        ["protoc-c", "-I.", "-I/usr/include", f"--descriptor_set_out={target}", *sorted(theirs)],
        cwd=PROTO,
        check=True,
    )
    files = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    return {file.name: file for file in files.file}


def wire_name(field):
    """The type as it is on the wire: text and bytes are one."""
    kind = Field.TYPE_BYTES if field.type == Field.TYPE_STRING else field.type
    return field.number, field.label, kind, field.type_name.lstrip(".")


def describe(message):
    """All that matters of a message, in a form that can be compared."""
    oneofs = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            oneofs.setdefault(message.oneof_decl[field.oneof_index].name, []).append(field.name)
    return {
        "fields": {field.name: wire_name(field) for field in message.field},
        "oneofs": oneofs,
        "is_map": message.options.map_entry,
        "messages": {nested.name: describe(nested) for nested in message.nested_type},
        "enums": {enum.name: values(enum) for enum in message.enum_type},
    }


def values(enum):
    return {value.name: value.number for value in enum.value}


def walk(prefix, messages):
    for message in messages:
        yield f"{prefix}.{message.name}", message
        yield from walk(f"{prefix}.{message.name}", message.nested_type)


def test_same_files_and_packages(ours, theirs):
    assert {name: file.package for name, file in ours.items()} == {
        name: file.package for name, file in theirs.items()
    }


def test_same_messages(ours, theirs):
    for name, file in theirs.items():
        left = {message.name: describe(message) for message in ours[name].message_type}
        right = {message.name: describe(message) for message in file.message_type}
        assert left == right, name


def test_same_top_level_enums(ours, theirs):
    for name, file in theirs.items():
        left = {enum.name: values(enum) for enum in ours[name].enum_type}
        assert left == {enum.name: values(enum) for enum in file.enum_type}, name


def test_presence(ours, theirs):
    """A default marks exactly the scalars that proto3 declares without presence."""
    for name, file in theirs.items():
        mine = dict(walk(file.package, ours[name].message_type))
        for full_name, message in walk(file.package, file.message_type):
            if message.options.map_entry:
                continue
            for left, right in zip(mine[full_name].field, message.field, strict=True):
                implicit = (
                    right.label != Field.LABEL_REPEATED
                    and right.type != Field.TYPE_MESSAGE
                    and not right.HasField("oneof_index")
                )
                assert left.HasField("default_value") == implicit, (full_name, left.name)
                packable = right.label == Field.LABEL_REPEATED and right.type not in (
                    Field.TYPE_MESSAGE,
                    Field.TYPE_STRING,
                    Field.TYPE_BYTES,
                )
                assert left.options.packed == packable, (full_name, left.name)


def test_files_are_what_the_converter_writes():
    for name, text in load_converter().convert().items():
        assert (PROTO / name).read_text() == text, name
