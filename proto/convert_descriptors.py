# SPDX-License-Identifier: Apache-2.0
"""Write spark/connect/*.proto as proto2 text from the descriptors of pyspark-client.

Usage: python proto/convert_descriptors.py [target folder]   (needs pyspark-client==4.2.0)

protoc-c refuses proto3 `optional`, and its `string` stops at a NUL byte, so the files are written
in proto2 syntax with the same names and numbers, hence the same wire format:

* `string` becomes `bytes` (the same on the wire) with the comment `// string`, from which
  csrc/Makefile makes the list of fields that must hold UTF-8. Map keys stay `string`.
* A scalar without presence in proto3 gets its zero as an explicit default. That default is how
  the C code recognises such a field (`default_value != NULL` in its descriptor): it is written
  only when it is not zero, as proto3 does.
* Repeated scalars say `packed`, which proto3 takes for granted.
"""

import sys
from importlib import import_module
from pathlib import Path

from google.protobuf import descriptor_pb2

MODULES = (
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
GOOGLE = ("any", "timestamp")

Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    Field.TYPE_DOUBLE: "double",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_INT64: "int64",
    Field.TYPE_UINT64: "uint64",
    Field.TYPE_INT32: "int32",
    Field.TYPE_FIXED64: "fixed64",
    Field.TYPE_FIXED32: "fixed32",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "bytes",
    Field.TYPE_BYTES: "bytes",
    Field.TYPE_UINT32: "uint32",
    Field.TYPE_SFIXED32: "sfixed32",
    Field.TYPE_SFIXED64: "sfixed64",
    Field.TYPE_SINT32: "sint32",
    Field.TYPE_SINT64: "sint64",
}


class Writer:
    """Text of one file."""

    def __init__(self, file, enums):
        self.file = file
        self.enums = enums  # full name of an enum -> name of its zero
        self.lines = []

    def line(self, depth, text):
        self.lines.append("  " * depth + text if text else "")

    def type_name(self, field):
        if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
            return field.type_name.lstrip(".")
        return SCALARS[field.type]

    def mark(self, field):
        return " // string" if field.type == Field.TYPE_STRING else ""

    def zero(self, field):
        if field.type == Field.TYPE_ENUM:
            return self.enums[field.type_name.lstrip(".")]
        if field.type == Field.TYPE_BOOL:
            return "false"
        return '""' if field.type in (Field.TYPE_STRING, Field.TYPE_BYTES) else "0"

    def enum(self, depth, enum):
        self.line(depth, f"enum {enum.name} {{")
        if enum.options.allow_alias:
            self.line(depth + 1, "option allow_alias = true;")
        for value in enum.value:
            self.line(depth + 1, f"{value.name} = {value.number};")
        self.line(depth, "}")

    def field(self, depth, field, maps):
        name, number = field.name, field.number
        if field.type == Field.TYPE_MESSAGE and field.type_name in maps:
            key, value = maps[field.type_name].field
            key_type = "string" if key.type == Field.TYPE_STRING else SCALARS[key.type]
            text = f"map<{key_type}, {self.type_name(value)}> {name} = {number};"
            self.line(depth, text + self.mark(value))
            return
        label, options = "optional ", ""
        scalar = field.type != Field.TYPE_MESSAGE
        if field.label == Field.LABEL_REPEATED:
            label = "repeated "
            if scalar and field.type not in (Field.TYPE_STRING, Field.TYPE_BYTES):
                options = " [packed = true]"
        elif field.HasField("oneof_index") and not field.proto3_optional:
            label = ""
        elif scalar and not field.proto3_optional:
            options = f" [default = {self.zero(field)}]"
        text = f"{label}{self.type_name(field)} {name} = {number}{options};"
        self.line(depth, text + self.mark(field))

    def message(self, depth, message, full_name):
        maps = {
            f"{full_name}.{nested.name}": nested
            for nested in message.nested_type
            if nested.options.map_entry
        }
        self.line(depth, f"message {message.name} {{")
        inner = depth + 1
        for span in message.reserved_range:
            last = "max" if span.end == 1 << 29 else span.end - 1
            text = str(span.start) if last == span.start else f"{span.start} to {last}"
            self.line(inner, f"reserved {text};")
        for name in message.reserved_name:
            self.line(inner, f'reserved "{name}";')
        for enum in message.enum_type:
            self.enum(inner, enum)
        for nested in message.nested_type:
            if not nested.options.map_entry:
                self.message(inner, nested, f"{full_name}.{nested.name}")
        opened = None
        for field in message.field:
            oneof = None
            if field.HasField("oneof_index") and not field.proto3_optional:
                oneof = message.oneof_decl[field.oneof_index].name
            if opened is not None and oneof != opened:
                self.line(inner, "}")
            if oneof is not None and oneof != opened:
                self.line(inner, f"oneof {oneof} {{")
            opened = oneof
            self.field(inner + (oneof is not None), field, maps)
        if opened is not None:
            self.line(inner, "}")
        self.line(depth, "}")

    def text(self):
        file = self.file
        self.line(0, "// SPDX-License-Identifier: Apache-2.0")
        self.line(0, "// Written by proto/convert_descriptors.py; do not edit.")
        self.line(0, 'syntax = "proto2";')
        self.line(0, "")
        self.line(0, f"package {file.package};")
        self.line(0, "")
        for name in file.dependency:
            self.line(0, f'import "{name}";')
        self.line(0, 'import "protobuf-c/protobuf-c.proto";')
        self.line(0, "")
        if file.package == "spark.connect":
            self.line(0, 'option (pb_c_file).c_package = "sc";')
        self.line(0, "option (pb_c_file).gen_pack_helpers = false;")
        self.line(0, "option (pb_c_file).gen_init_helpers = false;")
        for enum in file.enum_type:
            self.line(0, "")
            self.enum(0, enum)
        for message in file.message_type:
            self.line(0, "")
            self.message(0, message, f".{file.package}.{message.name}")
        return "\n".join(self.lines) + "\n"


def load_files():
    """Return the FileDescriptorProto of every file, in the order of its name."""
    names = [f"pyspark.sql.connect.proto.{name}_pb2" for name in MODULES]
    names += [f"google.protobuf.{name}_pb2" for name in GOOGLE]
    files = []
    for name in names:
        file = descriptor_pb2.FileDescriptorProto()
        import_module(name).DESCRIPTOR.CopyToProto(file)
        files.append(file)
    return files


def collect_enums(prefix, node, enums):
    """Record the first value of every enum below a file or message."""
    for enum in node.enum_type:
        assert enum.value[0].number == 0
        enums[f"{prefix}.{enum.name}"] = enum.value[0].name
    for nested in node.message_type if hasattr(node, "message_type") else node.nested_type:
        collect_enums(f"{prefix}.{nested.name}", nested, enums)


def convert():
    """Return the text of every file by its path."""
    files = load_files()
    enums = {}
    for file in files:
        collect_enums(file.package, file, enums)
    return {file.name: Writer(file, enums).text() for file in files}


def main():
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for name, text in convert().items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
