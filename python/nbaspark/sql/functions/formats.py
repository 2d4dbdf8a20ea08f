# SPDX-License-Identifier: Apache-2.0
"""CSV, JSON, variant, XML and URL. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check, value_error
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import given, invoke, lit, option_map, schema_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbaspark.sql.functions.base import ColumnOrName
    from nbaspark.sql.types import ArrayType, StructType


def from_csv(
    col: ColumnOrName, schema: Column | str, options: Mapping[str, str] | None = None
) -> Column:
    """Read a struct from CSV text."""
    check("schema", schema, (Column, str), "Column or str")
    return invoke("from_csv", col, lit(schema), *option_map(options))


def from_json(
    col: ColumnOrName,
    schema: ArrayType | StructType | Column | str,
    options: Mapping[str, str] | None = None,
) -> Column:
    """Read a value of a schema from JSON text; null where it is malformed."""
    return invoke(
        "from_json", col, schema_column(schema, "Column, str or DataType"), *option_map(options)
    )


def from_xml(
    col: ColumnOrName, schema: StructType | Column | str, options: Mapping[str, str] | None = None
) -> Column:
    """Read a struct from XML text."""
    return invoke(
        "from_xml", col, schema_column(schema, "StructType, Column or str"), *option_map(options)
    )


def get_json_object(col: ColumnOrName, path: str) -> Column:
    """Return what a path in JSON text leads to, as text."""
    return invoke("get_json_object", col, lit(path))


def is_valid_variant(v: ColumnOrName) -> Column:
    """Return whether a variant is well formed."""
    return invoke("is_valid_variant", v)


def is_variant_null(v: ColumnOrName) -> Column:
    """Return whether a variant is a JSON null."""
    return invoke("is_variant_null", v)


def json_array_length(col: ColumnOrName) -> Column:
    """Return how many elements the outermost JSON array has."""
    return invoke("json_array_length", col)


def json_object_keys(col: ColumnOrName) -> Column:
    """Return the keys of the outermost JSON object."""
    return invoke("json_object_keys", col)


def json_tuple(col: ColumnOrName, *fields: str) -> Column:
    """Return several fields of a JSON object, a column for each."""
    if not fields:
        raise value_error("CANNOT_BE_EMPTY", item="field")
    return invoke("json_tuple", col, *map(lit, fields))


def parse_json(col: ColumnOrName) -> Column:
    """Read a variant from JSON text."""
    return invoke("parse_json", col)


def parse_url(
    url: ColumnOrName, partToExtract: ColumnOrName, key: ColumnOrName | None = None
) -> Column:
    """Return a part of a URL."""
    return invoke("parse_url", url, partToExtract, *given(key))


def schema_of_csv(csv: str | Column, options: Mapping[str, str] | None = None) -> Column:
    """Return the schema of a CSV text, as DDL."""
    check("csv", csv, (str, Column), "Column or str")
    return invoke("schema_of_csv", lit(csv), *option_map(options))


def schema_of_json(json: str | Column, options: Mapping[str, str] | None = None) -> Column:
    """Return the schema of a JSON text, as DDL."""
    check("json", json, (str, Column), "Column or str")
    return invoke("schema_of_json", lit(json), *option_map(options))


def schema_of_variant(v: ColumnOrName) -> Column:
    """Return the schema of a variant, as DDL."""
    return invoke("schema_of_variant", v)


def schema_of_variant_agg(v: ColumnOrName) -> Column:
    """Return the merged schema of variants, as DDL."""
    return invoke("schema_of_variant_agg", v)


def schema_of_xml(xml: str | Column, options: Mapping[str, str] | None = None) -> Column:
    """Return the schema of an XML text, as DDL."""
    check("xml", xml, (str, Column), "Column or str")
    return invoke("schema_of_xml", lit(xml), *option_map(options))


def to_csv(col: ColumnOrName, options: Mapping[str, str] | None = None) -> Column:
    """Return a struct as CSV text."""
    return invoke("to_csv", col, *option_map(options))


def to_json(col: ColumnOrName, options: Mapping[str, str] | None = None) -> Column:
    """Return a struct, array or map as JSON text."""
    return invoke("to_json", col, *option_map(options))


def to_variant_object(col: ColumnOrName) -> Column:
    """Return a value as a variant."""
    return invoke("to_variant_object", col)


def to_xml(col: ColumnOrName, options: Mapping[str, str] | None = None) -> Column:
    """Return a struct as XML text."""
    return invoke("to_xml", col, *option_map(options))


def try_parse_json(col: ColumnOrName) -> Column:
    """Read a variant from JSON text, or null where it is malformed."""
    return invoke("try_parse_json", col)


def try_parse_url(
    url: ColumnOrName, partToExtract: ColumnOrName, key: ColumnOrName | None = None
) -> Column:
    """Return a part of a URL, or null where it is malformed."""
    return invoke("try_parse_url", url, partToExtract, *given(key))


def try_url_decode(str: ColumnOrName) -> Column:
    """Return text with its ``%xx`` decoded, or null where it is malformed."""
    return invoke("try_url_decode", str)


def try_variant_get(v: ColumnOrName, path: Column | str, targetType: str) -> Column:
    """Return what a path in a variant leads to, or null where the type does not fit."""
    return invoke("try_variant_get", v, lit(path), lit(targetType))


def url_decode(str: ColumnOrName) -> Column:
    """Return text with its ``%xx`` decoded."""
    return invoke("url_decode", str)


def url_encode(str: ColumnOrName) -> Column:
    """Return text with special characters as ``%xx``."""
    return invoke("url_encode", str)


def variant_get(v: ColumnOrName, path: Column | str, targetType: str) -> Column:
    """Return what a path in a variant leads to, as a type."""
    return invoke("variant_get", v, lit(path), lit(targetType))


def xpath(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return the texts that an XPath selects."""
    return invoke("xpath", xml, path)


def xpath_boolean(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return whether an XPath selects something."""
    return invoke("xpath_boolean", xml, path)


def xpath_double(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as a double."""
    return invoke("xpath_double", xml, path)


def xpath_float(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as a float."""
    return invoke("xpath_float", xml, path)


def xpath_int(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as an integer."""
    return invoke("xpath_int", xml, path)


def xpath_long(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as a long integer."""
    return invoke("xpath_long", xml, path)


def xpath_number(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as a double."""
    return invoke("xpath_number", xml, path)


def xpath_short(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return what an XPath selects, as a short integer."""
    return invoke("xpath_short", xml, path)


def xpath_string(xml: ColumnOrName, path: ColumnOrName) -> Column:
    """Return the text of the first node that an XPath selects."""
    return invoke("xpath_string", xml, path)
