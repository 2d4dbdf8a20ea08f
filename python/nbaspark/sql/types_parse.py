# SPDX-License-Identifier: Apache-2.0
"""Data types from text: JSON values and DDL, and back to DDL.

The DDL reader knows the grammar of column types only. It exists beside the engine's parser so
that a type can be read before there is a session; both follow the same rules.
"""

from __future__ import annotations

from nbaspark.errors import ParseException, PySparkValueError
from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COLLATIONS_KEY = "__COLLATIONS"

_SIMPLE = {
    "void": t.NullType,
    "null": t.NullType,
    "string": t.StringType,
    "binary": t.BinaryType,
    "boolean": t.BooleanType,
    "byte": t.ByteType,
    "tinyint": t.ByteType,
    "short": t.ShortType,
    "smallint": t.ShortType,
    "integer": t.IntegerType,
    "int": t.IntegerType,
    "long": t.LongType,
    "bigint": t.LongType,
    "float": t.FloatType,
    "real": t.FloatType,
    "double": t.DoubleType,
    "decimal": t.DecimalType,
    "dec": t.DecimalType,
    "numeric": t.DecimalType,
    "date": t.DateType,
    "time": t.TimeType,
    "timestamp": t.TimestampType,
    "timestamp_ltz": t.TimestampType,
    "timestamp_ntz": t.TimestampNTZType,
    "variant": t.VariantType,
}


def from_json_value(value: Any, path: str = "", collations: dict | None = None) -> t.DataType:
    """Return the type that a JSON value stands for; `collations` are those of its field, by path."""
    if isinstance(value, str):
        if value == "string" and collations and path in collations:
            return t.StringType(collations[path])
        if value == "interval":
            return t.CalendarIntervalType()
        try:
            return _Reader(value).whole_type()
        except ParseException:
            raise PySparkValueError(
                errorClass="CANNOT_PARSE_DATATYPE",
                messageParameters={"error": value, "msg": value},
            ) from None
    kind = value["type"]
    if kind == "struct":
        return t.StructType.fromJson(value)
    if kind == "array":
        return t.ArrayType.fromJson(value, path, collations)
    if kind == "map":
        return t.MapType.fromJson(value, path, collations)
    if kind == "udt":
        return t.UserDefinedType.fromJson(value)
    raise PySparkValueError(
        errorClass="UNSUPPORTED_DATA_TYPE", messageParameters={"data_type": str(kind)}
    )


def collation_metadata(name: str, data_type: t.DataType) -> dict[str, str]:
    """Return ``{path: "provider.COLLATION"}`` for the collated strings in a field."""
    found: dict[str, str] = {}

    def visit(dt: t.DataType, path: str) -> None:
        if isinstance(dt, t.StringType) and not dt.isUTF8BinaryCollation():
            found[path] = f"{t.StringType.collationProvider(dt.collation)}.{dt.collation}"
        elif isinstance(dt, t.ArrayType):
            visit(dt.elementType, f"{path}.element")
        elif isinstance(dt, t.MapType):
            visit(dt.keyType, f"{path}.key")
            visit(dt.valueType, f"{path}.value")

    visit(data_type, name)
    return found


def without_collations(dt: t.DataType) -> t.DataType:
    """Return a type with plain strings, except in structs, whose fields care for themselves."""
    if isinstance(dt, t.StringType):
        return t.StringType()
    if isinstance(dt, t.ArrayType):
        return t.ArrayType(without_collations(dt.elementType), dt.containsNull)
    if isinstance(dt, t.MapType):
        key, value = without_collations(dt.keyType), without_collations(dt.valueType)
        return t.MapType(key, value, dt.valueContainsNull)
    return dt


def collations_of(metadata: dict | None) -> dict[str, str]:
    """Return ``{path: "COLLATION"}`` from the metadata of a field."""
    named = (metadata or {}).get(COLLATIONS_KEY, {})
    return {path: value.split(".", 1)[1] for path, value in named.items()}


def parse_ddl(text: str) -> t.DataType:
    """Return the type, or the struct of the listed fields, that `text` describes."""
    reader = _Reader(text)
    try:
        return reader.fields_at_top()
    except ParseException as as_fields:
        try:
            return _Reader(text).whole_type()
        except ParseException:
            raise as_fields from None


def parse_json(text: str) -> t.DataType:
    """Return the type that JSON text describes."""
    import json

    return from_json_value(json.loads(text))


def to_ddl(struct: t.StructType) -> str:
    """Return the fields of a struct as DDL text."""

    def quoted(name: str) -> str:
        plain = name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()
        return name if plain else "`%s`" % name.replace("`", "``")

    def sql(dt: t.DataType) -> str:
        if isinstance(dt, t.StructType):
            return "STRUCT<%s>" % ", ".join(field(f, ": ") for f in dt)
        if isinstance(dt, t.ArrayType):
            return f"ARRAY<{sql(dt.elementType)}>"
        if isinstance(dt, t.MapType):
            return f"MAP<{sql(dt.keyType)}, {sql(dt.valueType)}>"
        return dt.simpleString().upper()

    def field(f: t.StructField, colon: str) -> str:
        comment = (f.metadata or {}).get("comment")
        tail = "" if comment is None else " COMMENT '%s'" % comment.replace("'", "\\'")
        return f"{quoted(f.name)}{colon}{sql(f.dataType)}{'' if f.nullable else ' NOT NULL'}{tail}"

    return ",".join(field(f, " ") for f in struct)


class _Reader:
    """A recursive-descent reader over the tokens of DDL text."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Step over these words if they come next."""
        ahead = [w.lower() for w in self.tokens[self.at : self.at + len(words)]]
        if ahead == list(words):
            self.at += len(words)
            return True
        return False

    def expect(self, token: str) -> None:
        if self.next().lower() != token:
            raise self.error()

    def error(self) -> ParseException:
        at = self.tokens[self.at - 1] if 0 < self.at <= len(self.tokens) else "end of input"
        what = "end of input" if at == "end of input" else f"'{at}'"
        position = 0 if what == "end of input" else self.text.find(at)
        return ParseException(
            f"[PARSE_SYNTAX_ERROR] Syntax error at or near {what}. SQLSTATE: 42601 "
            f"(line 1, pos {max(position, 0)})\n\n== SQL ==\n{self.text}\n",
            "PARSE_SYNTAX_ERROR",
            {"error": what, "hint": ""},
            sqlState="42601",
        )

    def whole_type(self) -> t.DataType:
        result = self.type()
        if self.peek():
            self.next()
            raise self.error()
        return result

    def fields_at_top(self) -> t.StructType:
        fields = [self.field()]
        while self.accept(","):
            fields.append(self.field())
        if self.peek():
            self.next()
            raise self.error()
        return t.StructType(fields)

    def name(self) -> str:
        token = self.next()
        if token[:1] == "`":
            return token[1:-1].replace("``", "`")
        if not token or not (token[0].isalnum() or token[0] == "_"):
            raise self.error()
        return token

    def field(self) -> t.StructField:
        name = self.name()
        self.accept(":")
        data_type = self.type()
        nullable, metadata = True, None
        if self.accept("not", "null"):
            nullable = False
        if self.accept("comment"):
            comment = self.next()
            if comment[:1] not in "'\"" or not comment:
                raise self.error()
            metadata = {"comment": comment[1:-1].replace("\\" + comment[0], comment[0])}
        return t.StructField(name, data_type, nullable, metadata)

    def numbers(self) -> list[int]:
        """Read ``(1, 2)`` if it comes next."""
        found: list[int] = []
        if self.accept("("):
            while True:
                sign = -1 if self.accept("-") else 1
                token = self.next()
                if not token.isdigit():
                    raise self.error()
                found.append(sign * int(token))
                if not self.accept(","):
                    break
            self.expect(")")
        return found

    def type(self) -> t.DataType:
        word = self.next().lower()
        if word == "array":
            self.expect("<")
            element = self.type()
            self.expect(">")
            return t.ArrayType(element)
        if word == "map":
            self.expect("<")
            key = self.type()
            self.expect(",")
            value = self.type()
            self.expect(">")
            return t.MapType(key, value)
        if word == "struct":
            self.expect("<")
            fields = []
            if self.peek() != ">":
                fields.append(self.field())
                while self.accept(","):
                    fields.append(self.field())
            self.expect(">")
            return t.StructType(fields)
        if word == "interval":
            return self.interval()
        if word in ("char", "character", "varchar"):
            length = self.numbers()
            if len(length) != 1:
                raise self.error()
            return t.VarcharType(length[0]) if word == "varchar" else t.CharType(length[0])
        if word in ("decimal", "dec", "numeric"):
            return t.DecimalType(*self.numbers()[:2])
        if word == "time":
            return t.TimeType(*self.numbers()[:1])
        if word == "string" and self.accept("collate"):
            return t.StringType(self.name())
        cls = _SIMPLE.get(word)
        if cls is None:
            raise self.unsupported(word)
        return cls()

    def interval(self) -> t.DataType:
        for cls in (t.DayTimeIntervalType, t.YearMonthIntervalType):
            index = {name: number for number, name in cls._fields.items()}
            start = index.get(self.peek().lower())
            if start is not None:
                self.next()
                if not self.accept("to"):
                    return cls(start, start)
                end = index.get(self.next().lower())
                if end is None:
                    raise self.error()
                return cls(start, end)
        return t.CalendarIntervalType()

    def unsupported(self, word: str) -> ParseException:
        if not word or not (word[0].isalpha() or word[0] == "_"):
            return self.error()
        return ParseException(
            f'[UNSUPPORTED_DATATYPE] Unsupported data type "{word.upper()}". SQLSTATE: 0A000 '
            f"(line 1, pos {max(self.text.lower().find(word), 0)})\n\n== SQL ==\n{self.text}\n",
            "UNSUPPORTED_DATATYPE",
            {"typeName": f'"{word.upper()}"'},
            sqlState="0A000",
        )


def _tokens(text: str) -> list[str]:
    """Split DDL text into words, quoted names, quoted strings and single marks."""
    found: list[str] = []
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        if c.isspace():
            i += 1
            continue
        j = i + 1
        if c in "`'\"":
            while j < n and not (text[j] == c and text[j + 1 : j + 2] != c):
                j += 2 if text[j] == c or (text[j] == "\\" and c != "`") else 1
            j += 1
        elif c.isalnum() or c == "_":
            while j < n and (text[j].isalnum() or text[j] == "_"):
                j += 1
        found.append(text[i:j])
        i = j
    return found
