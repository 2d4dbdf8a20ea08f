# SPDX-License-Identifier: Apache-2.0
"""Arrays, maps and structs. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import (
    given,
    higher_order,
    invoke,
    lit,
    lits,
    numbers,
    or_lit,
    seed_column,
    spread,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from nbaspark.sql.functions.base import ColumnOrName


def aggregate(
    col: ColumnOrName,
    initialValue: ColumnOrName,
    merge: Callable[[Column, Column], Column],
    finish: Callable[[Column], Column] | None = None,
) -> Column:
    """Fold an array into one value, from an initial one, and finish it."""
    return higher_order("aggregate", [col, initialValue], [merge, *given(finish)])


def array(*cols: ColumnOrName | Sequence[ColumnOrName] | tuple[ColumnOrName, ...]) -> Column:
    """Return an array of several columns."""
    return invoke("array", *spread(cols))


def array_append(col: ColumnOrName, value: Any) -> Column:
    """Return an array with a value added at the end."""
    return invoke("array_append", col, lit(value))


def array_compact(col: ColumnOrName) -> Column:
    """Return an array without its nulls."""
    return invoke("array_compact", col)


def array_contains(col: ColumnOrName, value: Any) -> Column:
    """Return whether an array holds a value."""
    return invoke("array_contains", col, lit(value))


def array_distinct(col: ColumnOrName) -> Column:
    """Return an array without repeated elements."""
    return invoke("array_distinct", col)


def array_except(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the elements of `col1` that are not in `col2`, once each."""
    return invoke("array_except", col1, col2)


def array_insert(arr: ColumnOrName, pos: ColumnOrName | int, value: Any) -> Column:
    """Return an array with a value inserted at a position, counted from 1."""
    return invoke("array_insert", arr, *numbers(pos), lit(value))


def array_intersect(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the elements that are in both arrays, once each."""
    return invoke("array_intersect", col1, col2)


def array_join(col: ColumnOrName, delimiter: str, null_replacement: str | None = None) -> Column:
    """Join the elements of an array into text."""
    return invoke("array_join", col, lit(delimiter), *lits(null_replacement))


def array_max(col: ColumnOrName) -> Column:
    """Return the greatest element."""
    return invoke("array_max", col)


def array_min(col: ColumnOrName) -> Column:
    """Return the least element."""
    return invoke("array_min", col)


def array_position(col: ColumnOrName, value: Any) -> Column:
    """Return the position of a value, counted from 1; 0 if absent."""
    return invoke("array_position", col, lit(value))


def array_prepend(col: ColumnOrName, value: Any) -> Column:
    """Return an array with a value added at the front."""
    return invoke("array_prepend", col, lit(value))


def array_remove(col: ColumnOrName, element: Any) -> Column:
    """Return an array without the elements that equal a value."""
    return invoke("array_remove", col, lit(element))


def array_repeat(col: ColumnOrName, count: ColumnOrName | int) -> Column:
    """Return an array of one value repeated."""
    return invoke("array_repeat", col, *numbers(count))


def array_size(col: ColumnOrName) -> Column:
    """Return the size of an array."""
    return invoke("array_size", col)


def array_sort(
    col: ColumnOrName, comparator: Callable[[Column, Column], Column] | None = None
) -> Column:
    """Sort an array, nulls last, or by a function that compares two elements."""
    return higher_order("array_sort", [col], [*given(comparator)])


def array_union(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the elements of both arrays, once each."""
    return invoke("array_union", col1, col2)


def arrays_overlap(a1: ColumnOrName, a2: ColumnOrName) -> Column:
    """Return whether two arrays have an element in common."""
    return invoke("arrays_overlap", a1, a2)


def arrays_zip(*cols: ColumnOrName) -> Column:
    """Return an array of structs of the elements at each position."""
    return invoke("arrays_zip", *cols)


def cardinality(col: ColumnOrName) -> Column:
    """Return the size of an array or map."""
    return invoke("cardinality", col)


def concat(*cols: ColumnOrName) -> Column:
    """Join texts, bytes or arrays."""
    return invoke("concat", *cols)


def create_map(*cols: ColumnOrName | Sequence[ColumnOrName] | tuple[ColumnOrName, ...]) -> Column:
    """Return a map of keys and values in turn."""
    return invoke("map", *spread(cols))


def element_at(col: ColumnOrName, extraction: Any) -> Column:
    """Return the element at a position, counted from 1, or under a key; fail beyond the end."""
    return invoke("element_at", col, lit(extraction))


def exists(col: ColumnOrName, f: Callable[[Column], Column]) -> Column:
    """Return whether a condition holds for an element of an array."""
    return higher_order("exists", [col], [f])


def filter(
    col: ColumnOrName, f: Callable[[Column], Column] | Callable[[Column, Column], Column]
) -> Column:
    """Return the elements of an array for which a condition holds."""
    return higher_order("filter", [col], [f])


def flatten(col: ColumnOrName) -> Column:
    """Join the arrays in an array."""
    return invoke("flatten", col)


def forall(col: ColumnOrName, f: Callable[[Column], Column]) -> Column:
    """Return whether a condition holds for every element of an array."""
    return higher_order("forall", [col], [f])


def get(col: ColumnOrName, index: ColumnOrName | int) -> Column:
    """Return the element at a position, counted from 0; null beyond the end."""
    return invoke("get", col, *numbers(index))


def map_concat(*cols: ColumnOrName | Sequence[ColumnOrName] | tuple[ColumnOrName, ...]) -> Column:
    """Return the entries of several maps."""
    return invoke("map_concat", *spread(cols))


def map_contains_key(col: ColumnOrName, value: Any) -> Column:
    """Return whether a map has a key."""
    return invoke("map_contains_key", col, lit(value))


def map_entries(col: ColumnOrName) -> Column:
    """Return a map as an array of structs."""
    return invoke("map_entries", col)


def map_filter(col: ColumnOrName, f: Callable[[Column, Column], Column]) -> Column:
    """Return the entries of a map for which a condition holds."""
    return higher_order("map_filter", [col], [f])


def map_from_arrays(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return a map of an array of keys and one of values."""
    return invoke("map_from_arrays", col1, col2)


def map_from_entries(col: ColumnOrName) -> Column:
    """Return a map of an array of structs."""
    return invoke("map_from_entries", col)


def map_keys(col: ColumnOrName) -> Column:
    """Return the keys of a map."""
    return invoke("map_keys", col)


def map_values(col: ColumnOrName) -> Column:
    """Return the values of a map."""
    return invoke("map_values", col)


def map_zip_with(
    col1: ColumnOrName, col2: ColumnOrName, f: Callable[[Column, Column, Column], Column]
) -> Column:
    """Merge two maps by a function of the key and both values."""
    return higher_order("map_zip_with", [col1, col2], [f])


def named_struct(*cols: ColumnOrName) -> Column:
    """Return a struct of names and values in turn."""
    return invoke("named_struct", *cols)


def reduce(
    col: ColumnOrName,
    initialValue: ColumnOrName,
    merge: Callable[[Column, Column], Column],
    finish: Callable[[Column], Column] | None = None,
) -> Column:
    """Fold an array into one value, from an initial one, and finish it."""
    return higher_order("reduce", [col, initialValue], [merge, *given(finish)])


def reverse(col: ColumnOrName) -> Column:
    """Return text or an array backwards."""
    return invoke("reverse", col)


def sequence(start: ColumnOrName, stop: ColumnOrName, step: ColumnOrName | None = None) -> Column:
    """Return an array from `start` to `stop`, both included."""
    return invoke("sequence", start, stop, *given(step))


def shuffle(col: ColumnOrName, seed: Column | int | None = None) -> Column:
    """Return an array in random order."""
    return invoke("shuffle", col, seed_column(seed))


def size(col: ColumnOrName) -> Column:
    """Return the size of an array or map."""
    return invoke("size", col)


def slice(x: ColumnOrName, start: ColumnOrName | int, length: ColumnOrName | int) -> Column:
    """Return `length` elements from position `start` on, counted from 1."""
    check("start", start, (Column, str, int), "Column, int or str")
    check("length", length, (Column, str, int), "Column, int or str")
    return invoke("slice", x, *numbers(start, length))


def sort_array(col: ColumnOrName, asc: bool = True) -> Column:
    """Sort an array, nulls first when ascending."""
    return invoke("sort_array", col, lit(asc))


def str_to_map(
    text: ColumnOrName,
    pairDelim: ColumnOrName | None = None,
    keyValueDelim: ColumnOrName | None = None,
) -> Column:
    """Return the map that text of pairs and delimiters stands for."""
    return invoke("str_to_map", text, or_lit(pairDelim, ","), or_lit(keyValueDelim, ":"))


def struct(*cols: ColumnOrName | Sequence[ColumnOrName] | tuple[ColumnOrName, ...]) -> Column:
    """Return a struct of several columns."""
    return invoke("struct", *spread(cols))


def transform(
    col: ColumnOrName, f: Callable[[Column], Column] | Callable[[Column, Column], Column]
) -> Column:
    """Return an array with a function applied to each element, or element and position."""
    return higher_order("transform", [col], [f])


def transform_keys(col: ColumnOrName, f: Callable[[Column, Column], Column]) -> Column:
    """Return a map with each key replaced by a function of key and value."""
    return higher_order("transform_keys", [col], [f])


def transform_values(col: ColumnOrName, f: Callable[[Column, Column], Column]) -> Column:
    """Return a map with each value replaced by a function of key and value."""
    return higher_order("transform_values", [col], [f])


def try_element_at(col: ColumnOrName, extraction: ColumnOrName) -> Column:
    """Return the element at a position, counted from 1, or under a key; null beyond the end."""
    return invoke("try_element_at", col, extraction)


def zip_with(
    left: ColumnOrName, right: ColumnOrName, f: Callable[[Column, Column], Column]
) -> Column:
    """Merge two arrays by a function of an element of each."""
    return higher_order("zip_with", [left, right], [f])
