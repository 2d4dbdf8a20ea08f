# SPDX-License-Identifier: Apache-2.0
"""Data sketches and geometry. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.sql.functions.base import given, invoke, lit, lits, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.column import Column
    from nbaspark.sql.functions.base import ColumnOrName


def hll_sketch_estimate(col: ColumnOrName) -> Column:
    """Return about how many different values a HyperLogLog sketch has seen."""
    return invoke("hll_sketch_estimate", col)


def hll_union(
    col1: ColumnOrName, col2: ColumnOrName, allowDifferentLgConfigK: bool | None = None
) -> Column:
    """Return the union of two HyperLogLog sketches."""
    return invoke("hll_union", col1, col2, *lits(allowDifferentLgConfigK))


def kll_sketch_get_n_bigint(col: ColumnOrName) -> Column:
    """Return how many values a KLL sketch of whole numbers has seen."""
    return invoke("kll_sketch_get_n_bigint", col)


def kll_sketch_get_n_double(col: ColumnOrName) -> Column:
    """Return how many values a KLL sketch of doubles has seen."""
    return invoke("kll_sketch_get_n_double", col)


def kll_sketch_get_n_float(col: ColumnOrName) -> Column:
    """Return how many values a KLL sketch of floats has seen."""
    return invoke("kll_sketch_get_n_float", col)


def kll_sketch_get_quantile_bigint(sketch: ColumnOrName, rank: ColumnOrName) -> Column:
    """Return a quantile of a KLL sketch of whole numbers."""
    return invoke("kll_sketch_get_quantile_bigint", sketch, rank)


def kll_sketch_get_quantile_double(sketch: ColumnOrName, rank: ColumnOrName) -> Column:
    """Return a quantile of a KLL sketch of doubles."""
    return invoke("kll_sketch_get_quantile_double", sketch, rank)


def kll_sketch_get_quantile_float(sketch: ColumnOrName, rank: ColumnOrName) -> Column:
    """Return a quantile of a KLL sketch of floats."""
    return invoke("kll_sketch_get_quantile_float", sketch, rank)


def kll_sketch_get_rank_bigint(sketch: ColumnOrName, quantile: ColumnOrName) -> Column:
    """Return the rank of a value in a KLL sketch of whole numbers."""
    return invoke("kll_sketch_get_rank_bigint", sketch, quantile)


def kll_sketch_get_rank_double(sketch: ColumnOrName, quantile: ColumnOrName) -> Column:
    """Return the rank of a value in a KLL sketch of doubles."""
    return invoke("kll_sketch_get_rank_double", sketch, quantile)


def kll_sketch_get_rank_float(sketch: ColumnOrName, quantile: ColumnOrName) -> Column:
    """Return the rank of a value in a KLL sketch of floats."""
    return invoke("kll_sketch_get_rank_float", sketch, quantile)


def kll_sketch_merge_bigint(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the merge of two KLL sketches of whole numbers."""
    return invoke("kll_sketch_merge_bigint", left, right)


def kll_sketch_merge_double(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the merge of two KLL sketches of doubles."""
    return invoke("kll_sketch_merge_double", left, right)


def kll_sketch_merge_float(left: ColumnOrName, right: ColumnOrName) -> Column:
    """Return the merge of two KLL sketches of floats."""
    return invoke("kll_sketch_merge_float", left, right)


def kll_sketch_to_string_bigint(col: ColumnOrName) -> Column:
    """Return a KLL sketch of whole numbers as text."""
    return invoke("kll_sketch_to_string_bigint", col)


def kll_sketch_to_string_double(col: ColumnOrName) -> Column:
    """Return a KLL sketch of doubles as text."""
    return invoke("kll_sketch_to_string_double", col)


def kll_sketch_to_string_float(col: ColumnOrName) -> Column:
    """Return a KLL sketch of floats as text."""
    return invoke("kll_sketch_to_string_float", col)


def st_asbinary(geo: ColumnOrName, endianness: ColumnOrName | None = None) -> Column:
    """Return a geometry or geography as WKB."""
    if isinstance(endianness, str):
        endianness = lit(endianness)
    return invoke("st_asbinary", geo, *given(endianness))


def st_geogfromwkb(wkb: ColumnOrName) -> Column:
    """Return the geography that WKB stands for."""
    return invoke("st_geogfromwkb", wkb)


def st_geomfromwkb(wkb: ColumnOrName, srid: ColumnOrName | int | None = None) -> Column:
    """Return the geometry that WKB stands for."""
    return invoke("st_geomfromwkb", wkb, *numbers(srid))


def st_setsrid(geo: ColumnOrName, srid: ColumnOrName | int) -> Column:
    """Return a geometry or geography with another reference system."""
    return invoke("st_setsrid", geo, *numbers(srid))


def st_srid(geo: ColumnOrName) -> Column:
    """Return the reference system of a geometry or geography."""
    return invoke("st_srid", geo)


def theta_difference(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in one Theta sketch and not in the other."""
    return invoke("theta_difference", col1, col2)


def theta_intersection(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in both Theta sketches."""
    return invoke("theta_intersection", col1, col2)


def theta_sketch_estimate(col: ColumnOrName) -> Column:
    """Return about how many different values a Theta sketch has seen."""
    return invoke("theta_sketch_estimate", col)


def theta_union(
    col1: ColumnOrName, col2: ColumnOrName, lgNomEntries: int | Column | None = None
) -> Column:
    """Return the union of two Theta sketches."""
    return invoke("theta_union", col1, col2, *lits(lgNomEntries))


def tuple_difference_double(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in one tuple sketch of doubles and not in the other."""
    return invoke("tuple_difference_double", col1, col2)


def tuple_difference_integer(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in one tuple sketch of whole numbers and not in the other."""
    return invoke("tuple_difference_integer", col1, col2)


def tuple_difference_theta_double(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in a tuple sketch of doubles and not in a Theta sketch."""
    return invoke("tuple_difference_theta_double", col1, col2)


def tuple_difference_theta_integer(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return what is in a tuple sketch of whole numbers and not in a Theta sketch."""
    return invoke("tuple_difference_theta_integer", col1, col2)


def tuple_intersection_double(
    col1: ColumnOrName, col2: ColumnOrName, mode: str | Column | None = None
) -> Column:
    """Return what is in both tuple sketches of doubles."""
    return invoke("tuple_intersection_double", col1, col2, *lits(mode))


def tuple_intersection_integer(
    col1: ColumnOrName, col2: ColumnOrName, mode: str | Column | None = None
) -> Column:
    """Return what is in both tuple sketches of whole numbers."""
    return invoke("tuple_intersection_integer", col1, col2, *lits(mode))


def tuple_intersection_theta_double(
    col1: ColumnOrName, col2: ColumnOrName, mode: str | Column | None = None
) -> Column:
    """Return what is in a tuple sketch of doubles and in a Theta sketch."""
    return invoke("tuple_intersection_theta_double", col1, col2, *lits(mode))


def tuple_intersection_theta_integer(
    col1: ColumnOrName, col2: ColumnOrName, mode: str | Column | None = None
) -> Column:
    """Return what is in a tuple sketch of whole numbers and in a Theta sketch."""
    return invoke("tuple_intersection_theta_integer", col1, col2, *lits(mode))


def tuple_sketch_estimate_double(col: ColumnOrName) -> Column:
    """Return about how many different keys a tuple sketch of doubles has seen."""
    return invoke("tuple_sketch_estimate_double", col)


def tuple_sketch_estimate_integer(col: ColumnOrName) -> Column:
    """Return about how many different keys a tuple sketch of whole numbers has seen."""
    return invoke("tuple_sketch_estimate_integer", col)


def tuple_sketch_summary_double(col: ColumnOrName, mode: str | Column | None = None) -> Column:
    """Return the summary of a tuple sketch of doubles."""
    return invoke("tuple_sketch_summary_double", col, *lits(mode))


def tuple_sketch_summary_integer(col: ColumnOrName, mode: str | Column | None = None) -> Column:
    """Return the summary of a tuple sketch of whole numbers."""
    return invoke("tuple_sketch_summary_integer", col, *lits(mode))


def tuple_sketch_theta_double(col: ColumnOrName) -> Column:
    """Return the sampling rate of a tuple sketch of doubles."""
    return invoke("tuple_sketch_theta_double", col)


def tuple_sketch_theta_integer(col: ColumnOrName) -> Column:
    """Return the sampling rate of a tuple sketch of whole numbers."""
    return invoke("tuple_sketch_theta_integer", col)


def tuple_union_double(
    col1: ColumnOrName,
    col2: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return the union of two tuple sketches of doubles."""
    return invoke(
        "tuple_union_double",
        col1,
        col2,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_union_integer(
    col1: ColumnOrName,
    col2: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return the union of two tuple sketches of whole numbers."""
    return invoke(
        "tuple_union_integer",
        col1,
        col2,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_union_theta_double(
    col1: ColumnOrName,
    col2: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return the union of a tuple sketch of doubles and a Theta sketch."""
    return invoke(
        "tuple_union_theta_double",
        col1,
        col2,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_union_theta_integer(
    col1: ColumnOrName,
    col2: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return the union of a tuple sketch of whole numbers and a Theta sketch."""
    return invoke(
        "tuple_union_theta_integer",
        col1,
        col2,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )
