# SPDX-License-Identifier: Apache-2.0
"""Text. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import given, invoke, lit, lits, numbers, or_lit, seed_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.functions.base import ColumnOrName


def ascii(col: ColumnOrName) -> Column:
    """Return the code of the first character."""
    return invoke("ascii", col)


def base64(col: ColumnOrName) -> Column:
    """Return bytes as base64 text."""
    return invoke("base64", col)


def bit_length(col: ColumnOrName) -> Column:
    """Return the length in bits."""
    return invoke("bit_length", col)


def btrim(str: ColumnOrName, trim: ColumnOrName | None = None) -> Column:
    """Remove spaces, or the characters of `trim`, from both ends."""
    return invoke("btrim", str, *given(trim))


def char(col: ColumnOrName) -> Column:
    """Return the character of a code."""
    return invoke("char", col)


def char_length(str: ColumnOrName) -> Column:
    """Return the length in characters, or for bytes in bytes."""
    return invoke("char_length", str)


def character_length(str: ColumnOrName) -> Column:
    """Return the length in characters, or for bytes in bytes."""
    return invoke("character_length", str)


def chr(n: ColumnOrName) -> Column:
    """Return the character of a code."""
    return invoke("chr", n)


def collate(col: ColumnOrName, collation: str) -> Column:
    """Return text with another collation."""
    return invoke("collate", col, lit(collation))


def collation(col: ColumnOrName) -> Column:
    """Return the name of the collation of text."""
    return invoke("collation", col)


def concat_ws(sep: str, *cols: ColumnOrName) -> Column:
    """Join texts with a separator, nulls left out."""
    return invoke("concat_ws", lit(sep), *cols)


def contains(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return whether `left` contains `right`."""
    return invoke("contains", left, right)


def decode(col: ColumnOrName, charset: str) -> Column:
    """Return bytes of a character set as text."""
    return invoke("decode", col, lit(charset))


def elt(*inputs: ColumnOrName) -> Column:
    """Return the n-th of several values; n is the first argument, counted from 1."""
    return invoke("elt", *inputs)


def encode(col: ColumnOrName, charset: str) -> Column:
    """Return text as bytes of a character set."""
    return invoke("encode", col, lit(charset))


def endswith(str: ColumnOrName, suffix: ColumnOrName) -> Column:
    """Return whether text ends with `suffix`."""
    return invoke("endswith", str, suffix)


def find_in_set(str: ColumnOrName, str_array: ColumnOrName) -> Column:
    """Return the position of text in a comma-separated list, counted from 1; 0 if absent."""
    return invoke("find_in_set", str, str_array)


def format_number(col: ColumnOrName, d: int) -> Column:
    """Return a number with thousands separators and `d` decimals, as text."""
    return invoke("format_number", col, lit(d))


def format_string(format: str, *cols: ColumnOrName) -> Column:
    """Return text made after a printf pattern."""
    return invoke("format_string", lit(format), *cols)


def initcap(col: ColumnOrName) -> Column:
    """Return text with the first letter of each word in upper case."""
    return invoke("initcap", col)


def instr(str: ColumnOrName, substr: Column | str) -> Column:
    """Return the position of the first occurrence, counted from 1; 0 if absent."""
    return invoke("instr", str, lit(substr))


def is_valid_utf8(str: ColumnOrName) -> Column:
    """Return whether text is valid UTF-8."""
    return invoke("is_valid_utf8", str)


def lcase(str: ColumnOrName) -> Column:
    """Return text in lower case."""
    return invoke("lcase", str)


def left(str: ColumnOrName, len: ColumnOrName) -> Column:
    """Return the first `len` characters."""
    return invoke("left", str, len)


def length(col: ColumnOrName) -> Column:
    """Return the length in characters, or for bytes in bytes."""
    return invoke("length", col)


def levenshtein(left: ColumnOrName, right: ColumnOrName, threshold: int | None = None) -> Column:
    """Return how many edits turn one text into the other; -1 beyond `threshold`."""
    return invoke("levenshtein", left, right, *lits(threshold))


def locate(substr: str, str: ColumnOrName, pos: int = 1) -> Column:
    """Return the position of `substr` from position `pos` on, counted from 1; 0 if absent."""
    return invoke("locate", lit(substr), str, lit(pos))


def lower(col: ColumnOrName) -> Column:
    """Return text in lower case."""
    return invoke("lower", col)


def lpad(col: ColumnOrName, len: Column | int, pad: Column | str) -> Column:
    """Fill text up on the left to a length, or cut it to that length."""
    return invoke("lpad", col, lit(len), lit(pad))


def ltrim(col: ColumnOrName, trim: ColumnOrName | None = None) -> Column:
    """Remove spaces, or the characters of `trim`, from the left."""
    return invoke("ltrim", *given(trim), col)


def make_valid_utf8(str: ColumnOrName) -> Column:
    """Return text with invalid bytes replaced by U+FFFD."""
    return invoke("make_valid_utf8", str)


def mask(
    col: ColumnOrName,
    upperChar: ColumnOrName | None = None,
    lowerChar: ColumnOrName | None = None,
    digitChar: ColumnOrName | None = None,
    otherChar: ColumnOrName | None = None,
) -> Column:
    """Replace letters and digits by fixed characters."""
    return invoke(
        "mask",
        col,
        or_lit(upperChar, "X"),
        or_lit(lowerChar, "x"),
        or_lit(digitChar, "n"),
        or_lit(otherChar, None),
    )


def octet_length(col: ColumnOrName) -> Column:
    """Return the length in bytes."""
    return invoke("octet_length", col)


def overlay(
    src: ColumnOrName, replace: ColumnOrName, pos: ColumnOrName | int, len: ColumnOrName | int = -1
) -> Column:
    """Replace the characters from position `pos` on by another text."""
    check("pos", pos, (Column, str, int), "Column, int or str")
    check("len", len, (Column, str, int), "Column, int or str")
    return invoke("overlay", src, replace, *numbers(pos, len))


def position(substr: ColumnOrName, str: ColumnOrName, start: ColumnOrName | None = None) -> Column:
    """Return the position of `substr` from `start` on, counted from 1; 0 if absent."""
    return invoke("position", substr, str, *given(start))


def printf(format: ColumnOrName, *cols: ColumnOrName) -> Column:
    """Return text made after a printf pattern in a column."""
    return invoke("printf", format, *cols)


def quote(col: ColumnOrName) -> Column:
    """Return text in single quotes, with those inside escaped."""
    return invoke("quote", col)


def randstr(length: Column | int, seed: Column | int | None = None) -> Column:
    """Return random text of letters and digits."""
    return invoke("randstr", lit(length), seed_column(seed))


def regexp_count(str: ColumnOrName, regexp: ColumnOrName) -> Column:
    """Return how often a regular expression matches."""
    return invoke("regexp_count", str, regexp)


def regexp_extract(str: ColumnOrName, pattern: str, idx: int) -> Column:
    """Return a group of the first match of a regular expression; empty without match."""
    return invoke("regexp_extract", str, lit(pattern), lit(idx))


def regexp_extract_all(
    str: ColumnOrName, regexp: ColumnOrName, idx: int | Column | None = None
) -> Column:
    """Return a group of every match of a regular expression."""
    return invoke("regexp_extract_all", str, regexp, *lits(idx))


def regexp_instr(
    str: ColumnOrName, regexp: ColumnOrName, idx: int | Column | None = None
) -> Column:
    """Return the position of the first match of a regular expression, counted from 1."""
    return invoke("regexp_instr", str, regexp, *lits(idx))


def regexp_replace(
    string: ColumnOrName, pattern: str | Column, replacement: str | Column
) -> Column:
    """Replace every match of a regular expression."""
    return invoke("regexp_replace", string, lit(pattern), lit(replacement))


def regexp_substr(str: ColumnOrName, regexp: ColumnOrName) -> Column:
    """Return the first match of a regular expression, or null."""
    return invoke("regexp_substr", str, regexp)


def repeat(col: ColumnOrName, n: ColumnOrName | int) -> Column:
    """Return text repeated `n` times."""
    return invoke("repeat", col, *numbers(n))


def replace(src: ColumnOrName, search: ColumnOrName, replace: ColumnOrName | None = None) -> Column:
    """Replace every occurrence of `search`, or remove it."""
    return invoke("replace", src, search, *given(replace))


def right(str: ColumnOrName, len: ColumnOrName) -> Column:
    """Return the last `len` characters."""
    return invoke("right", str, len)


def rpad(col: ColumnOrName, len: Column | int, pad: Column | str) -> Column:
    """Fill text up on the right to a length, or cut it to that length."""
    return invoke("rpad", col, lit(len), lit(pad))


def rtrim(col: ColumnOrName, trim: ColumnOrName | None = None) -> Column:
    """Remove spaces, or the characters of `trim`, from the right."""
    return invoke("rtrim", *given(trim), col)


def sentences(
    string: ColumnOrName, language: ColumnOrName | None = None, country: ColumnOrName | None = None
) -> Column:
    """Split text into sentences, each an array of words."""
    return invoke("sentences", string, or_lit(language, ""), or_lit(country, ""))


def soundex(col: ColumnOrName) -> Column:
    """Return the Soundex code."""
    return invoke("soundex", col)


def split(str: ColumnOrName, pattern: Column | str, limit: ColumnOrName | int = -1) -> Column:
    """Split text at the matches of a regular expression, into `limit` parts at most."""
    return invoke("split", str, lit(pattern), *numbers(limit))


def split_part(src: ColumnOrName, delimiter: ColumnOrName, partNum: ColumnOrName) -> Column:
    """Return the n-th part of text split at a delimiter, counted from 1."""
    return invoke("split_part", src, delimiter, partNum)


def startswith(str: ColumnOrName, prefix: ColumnOrName) -> Column:
    """Return whether text starts with `prefix`."""
    return invoke("startswith", str, prefix)


def substr(str: ColumnOrName, pos: ColumnOrName, len: ColumnOrName | None = None) -> Column:
    """Return the characters, or bytes, from position `pos` on."""
    return invoke("substr", str, pos, *given(len))


def substring(str: ColumnOrName, pos: ColumnOrName | int, len: ColumnOrName | int) -> Column:
    """Return `len` characters, or bytes, from position `pos` on, counted from 1."""
    return invoke("substring", str, *numbers(pos, len))


def substring_index(str: ColumnOrName, delim: str, count: int) -> Column:
    """Return what precedes the n-th delimiter; counted from the right if negative."""
    return invoke("substring_index", str, lit(delim), lit(count))


def to_binary(col: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Return the bytes that text in hex, base64 or UTF-8 stands for."""
    return invoke("to_binary", col, *given(format))


def to_char(col: ColumnOrName, format: ColumnOrName) -> Column:
    """Return a number, date or bytes as text in a format."""
    return invoke("to_char", col, format)


def to_number(col: ColumnOrName, format: ColumnOrName) -> Column:
    """Return the decimal number that text in a format stands for."""
    return invoke("to_number", col, format)


def to_varchar(col: ColumnOrName, format: ColumnOrName) -> Column:
    """Return a number, date or bytes as text in a format."""
    return invoke("to_varchar", col, format)


def translate(srcCol: ColumnOrName, matching: str, replace: str) -> Column:
    """Replace each character of `matching` by the one at its place in `replace`."""
    return invoke("translate", srcCol, lit(matching), lit(replace))


def trim(col: ColumnOrName, trim: ColumnOrName | None = None) -> Column:
    """Remove spaces, or the characters of `trim`, from both ends."""
    return invoke("trim", *given(trim), col)


def try_to_binary(col: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Return bytes as `to_binary` does, or null where it fails."""
    return invoke("try_to_binary", col, *given(format))


def try_to_number(col: ColumnOrName, format: ColumnOrName) -> Column:
    """Return a number as `to_number` does, or null where it fails."""
    return invoke("try_to_number", col, format)


def try_validate_utf8(str: ColumnOrName) -> Column:
    """Return text if it is valid UTF-8, or null."""
    return invoke("try_validate_utf8", str)


def ucase(str: ColumnOrName) -> Column:
    """Return text in upper case."""
    return invoke("ucase", str)


def unbase64(col: ColumnOrName) -> Column:
    """Return the bytes that base64 text stands for."""
    return invoke("unbase64", col)


def upper(col: ColumnOrName) -> Column:
    """Return text in upper case."""
    return invoke("upper", col)


def validate_utf8(str: ColumnOrName) -> Column:
    """Return text if it is valid UTF-8, and raise an error if not."""
    return invoke("validate_utf8", str)
