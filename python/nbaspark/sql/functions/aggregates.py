# SPDX-License-Identifier: Apache-2.0
"""Aggregates. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import (
    deprecated,
    invoke,
    invoke_distinct,
    list_column,
    lit,
    lits,
    numbers,
    seed_column,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbaspark.sql.functions.base import ColumnOrName


def any_value(col: ColumnOrName, ignoreNulls: bool | Column | None = None) -> Column:
    """Return some value of the group."""
    return invoke("any_value", col, *numbers(ignoreNulls))


def approx_count_distinct(col: ColumnOrName, rsd: float | None = None) -> Column:
    """Return about how many different values there are, within `rsd`."""
    return invoke("approx_count_distinct", col, *lits(rsd))


def approx_percentile(
    col: ColumnOrName,
    percentage: Column | float | Sequence[float] | tuple[float, ...],
    accuracy: Column | int = 10000,
) -> Column:
    """Return about the value below which a share of the values lies."""
    return invoke("approx_percentile", col, list_column(percentage), lit(accuracy))


def approxCountDistinct(col: ColumnOrName, rsd: float | None = None) -> Column:
    """Return about how many different values there are; the old name of `approx_count_distinct`."""
    deprecated("3.4", "approx_count_distinct")
    return approx_count_distinct(col, rsd)


def array_agg(col: ColumnOrName) -> Column:
    """Return the values of the group as an array."""
    return invoke("array_agg", col)


def avg(col: ColumnOrName) -> Column:
    """Return the mean."""
    return invoke("avg", col)


def bit_and(col: ColumnOrName) -> Column:
    """Return the bits that are set in all values."""
    return invoke("bit_and", col)


def bit_or(col: ColumnOrName) -> Column:
    """Return the bits that are set in some value."""
    return invoke("bit_or", col)


def bit_xor(col: ColumnOrName) -> Column:
    """Return the bits that are set in an odd number of values."""
    return invoke("bit_xor", col)


def bitmap_and_agg(col: ColumnOrName) -> Column:
    """Return the bits that are set in all bitmaps."""
    return invoke("bitmap_and_agg", col)


def bitmap_construct_agg(col: ColumnOrName) -> Column:
    """Return a bitmap with the bits at the given positions set."""
    return invoke("bitmap_construct_agg", col)


def bitmap_or_agg(col: ColumnOrName) -> Column:
    """Return the bits that are set in some bitmap."""
    return invoke("bitmap_or_agg", col)


def bool_and(col: ColumnOrName) -> Column:
    """Return whether all values are true."""
    return invoke("bool_and", col)


def bool_or(col: ColumnOrName) -> Column:
    """Return whether some value is true."""
    return invoke("bool_or", col)


def collect_list(col: ColumnOrName) -> Column:
    """Return the values of the group as an array, nulls left out."""
    return invoke("collect_list", col)


def collect_set(col: ColumnOrName) -> Column:
    """Return the different values of the group as an array, nulls left out."""
    return invoke("collect_set", col)


def corr(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the Pearson correlation of two columns."""
    return invoke("corr", col1, col2)


def count(col: ColumnOrName) -> Column:
    """Return how many values are not null; rows for ``"*"``."""
    if isinstance(col, Column) and "unresolved_star" in col._expr:
        col = lit(1)
    return invoke("count", col)


def count_distinct(col: ColumnOrName, *cols: ColumnOrName) -> Column:
    """Return how many different rows of these columns there are, those with nulls left out."""
    return invoke_distinct("count", col, *cols)


def count_if(col: ColumnOrName) -> Column:
    """Return for how many rows a condition holds."""
    return invoke("count_if", col)


def count_min_sketch(
    col: ColumnOrName,
    eps: Column | float,
    confidence: Column | float,
    seed: Column | int | None = None,
) -> Column:
    """Return a count-min sketch of the values."""
    return invoke("count_min_sketch", col, lit(eps), lit(confidence), seed_column(seed))


def countDistinct(col: ColumnOrName, *cols: ColumnOrName) -> Column:
    """Return how many different rows of these columns there are; another name of
    `count_distinct`.
    """
    return count_distinct(col, *cols)


def covar_pop(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the population covariance of two columns."""
    return invoke("covar_pop", col1, col2)


def covar_samp(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return the sample covariance of two columns."""
    return invoke("covar_samp", col1, col2)


def every(col: ColumnOrName) -> Column:
    """Return whether all values are true."""
    return invoke("every", col)


def first(col: ColumnOrName, ignorenulls: bool = False) -> Column:
    """Return the first value of the group, or the first that is not null."""
    return invoke("first", col, lit(ignorenulls))


def first_value(col: ColumnOrName, ignoreNulls: bool | Column | None = None) -> Column:
    """Return the first value of the group, or the first that is not null."""
    return invoke("first_value", col, *numbers(ignoreNulls))


def grouping(col: ColumnOrName) -> Column:
    """Return 1 if a column is aggregated away in this row of a cube or rollup, else 0."""
    return invoke("grouping", col)


def grouping_id(*cols: ColumnOrName) -> Column:
    """Return which columns are aggregated away in this row, as bits."""
    return invoke("grouping_id", *cols)


def histogram_numeric(col: ColumnOrName, nBins: Column) -> Column:
    """Return a histogram of `nBins` bins."""
    return invoke("histogram_numeric", col, nBins)


def hll_sketch_agg(col: ColumnOrName, lgConfigK: int | Column | None = None) -> Column:
    """Return a HyperLogLog sketch of the values."""
    return invoke("hll_sketch_agg", col, *lits(lgConfigK))


def hll_union_agg(
    col: ColumnOrName, allowDifferentLgConfigK: bool | Column | None = None
) -> Column:
    """Return the union of HyperLogLog sketches."""
    return invoke("hll_union_agg", col, *lits(allowDifferentLgConfigK))


def kll_merge_agg_bigint(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return the merge of KLL sketches of whole numbers."""
    return invoke("kll_merge_agg_bigint", col, *lits(k))


def kll_merge_agg_double(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return the merge of KLL sketches of doubles."""
    return invoke("kll_merge_agg_double", col, *lits(k))


def kll_merge_agg_float(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return the merge of KLL sketches of floats."""
    return invoke("kll_merge_agg_float", col, *lits(k))


def kll_sketch_agg_bigint(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return a KLL quantile sketch of whole numbers."""
    return invoke("kll_sketch_agg_bigint", col, *lits(k))


def kll_sketch_agg_double(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return a KLL quantile sketch of doubles."""
    return invoke("kll_sketch_agg_double", col, *lits(k))


def kll_sketch_agg_float(col: ColumnOrName, k: int | Column | None = None) -> Column:
    """Return a KLL quantile sketch of floats."""
    return invoke("kll_sketch_agg_float", col, *lits(k))


def kurtosis(col: ColumnOrName) -> Column:
    """Return the excess kurtosis."""
    return invoke("kurtosis", col)


def last(col: ColumnOrName, ignorenulls: bool = False) -> Column:
    """Return the last value of the group, or the last that is not null."""
    return invoke("last", col, lit(ignorenulls))


def last_value(col: ColumnOrName, ignoreNulls: bool | Column | None = None) -> Column:
    """Return the last value of the group, or the last that is not null."""
    return invoke("last_value", col, *numbers(ignoreNulls))


def listagg(col: ColumnOrName, delimiter: Column | str | bytes | None = None) -> Column:
    """Join the values of the group into text."""
    return invoke("listagg", col, *lits(delimiter))


def listagg_distinct(col: ColumnOrName, delimiter: Column | str | bytes | None = None) -> Column:
    """Join the different values of the group into text."""
    return invoke_distinct("listagg", col, *lits(delimiter))


def max(col: ColumnOrName) -> Column:
    """Return the greatest value."""
    return invoke("max", col)


def max_by(col: ColumnOrName, ord: ColumnOrName, k: int | None = None) -> Column:
    """Return the value of `col` where `ord` is greatest, or of the `k` greatest."""
    return invoke("max_by", col, ord, *lits(k))


def mean(col: ColumnOrName) -> Column:
    """Return the mean."""
    return avg(col)


def median(col: ColumnOrName) -> Column:
    """Return the median."""
    return invoke("median", col)


def min(col: ColumnOrName) -> Column:
    """Return the least value."""
    return invoke("min", col)


def min_by(col: ColumnOrName, ord: ColumnOrName, k: int | None = None) -> Column:
    """Return the value of `col` where `ord` is least, or of the `k` least."""
    return invoke("min_by", col, ord, *lits(k))


def mode(col: ColumnOrName, deterministic: bool = False) -> Column:
    """Return the most frequent value."""
    return invoke("mode", col, lit(deterministic))


def percentile(
    col: ColumnOrName,
    percentage: Column | float | Sequence[float] | tuple[float, ...],
    frequency: Column | int = 1,
) -> Column:
    """Return the exact percentile, between values by linear interpolation."""
    check("frequency", frequency, (int, Column), "Column or int")
    return invoke("percentile", col, list_column(percentage), lit(frequency))


def percentile_approx(
    col: ColumnOrName,
    percentage: Column | float | Sequence[float] | tuple[float, ...],
    accuracy: Column | int = 10000,
) -> Column:
    """Return about the value below which a share of the values lies."""
    return invoke("percentile_approx", col, list_column(percentage), lit(accuracy))


def product(col: ColumnOrName) -> Column:
    """Return the product."""
    return invoke("product", col)


def regr_avgx(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the mean of `x` over the pairs without nulls."""
    return invoke("regr_avgx", y, x)


def regr_avgy(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the mean of `y` over the pairs without nulls."""
    return invoke("regr_avgy", y, x)


def regr_count(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return how many pairs have no null."""
    return invoke("regr_count", y, x)


def regr_intercept(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the intercept of the regression line of `y` on `x`."""
    return invoke("regr_intercept", y, x)


def regr_r2(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the coefficient of determination of the regression line."""
    return invoke("regr_r2", y, x)


def regr_slope(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the slope of the regression line of `y` on `x`."""
    return invoke("regr_slope", y, x)


def regr_sxx(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the sum of squares of `x` about its mean."""
    return invoke("regr_sxx", y, x)


def regr_sxy(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the sum of products of `x` and `y` about their means."""
    return invoke("regr_sxy", y, x)


def regr_syy(y: ColumnOrName, x: ColumnOrName) -> Column:
    """Return the sum of squares of `y` about its mean."""
    return invoke("regr_syy", y, x)


def skewness(col: ColumnOrName) -> Column:
    """Return the skewness."""
    return invoke("skewness", col)


def some(col: ColumnOrName) -> Column:
    """Return whether some value is true."""
    return invoke("some", col)


def std(col: ColumnOrName) -> Column:
    """Return the sample standard deviation."""
    return invoke("std", col)


def stddev(col: ColumnOrName) -> Column:
    """Return the sample standard deviation."""
    return invoke("stddev", col)


def stddev_pop(col: ColumnOrName) -> Column:
    """Return the population standard deviation."""
    return invoke("stddev_pop", col)


def stddev_samp(col: ColumnOrName) -> Column:
    """Return the sample standard deviation."""
    return invoke("stddev_samp", col)


def string_agg(col: ColumnOrName, delimiter: Column | str | bytes | None = None) -> Column:
    """Join the values of the group into text."""
    return invoke("string_agg", col, *lits(delimiter))


def string_agg_distinct(col: ColumnOrName, delimiter: Column | str | bytes | None = None) -> Column:
    """Join the different values of the group into text."""
    return invoke_distinct("string_agg", col, *lits(delimiter))


def sum(col: ColumnOrName) -> Column:
    """Return the sum."""
    return invoke("sum", col)


def sum_distinct(col: ColumnOrName) -> Column:
    """Return the sum of the different values."""
    return invoke_distinct("sum", col)


def sumDistinct(col: ColumnOrName) -> Column:
    """Return the sum of the different values; the old name of `sum_distinct`."""
    deprecated("3.4", "sum_distinct")
    return sum_distinct(col)


def theta_intersection_agg(col: ColumnOrName) -> Column:
    """Return the intersection of Theta sketches."""
    return invoke("theta_intersection_agg", col)


def theta_sketch_agg(col: ColumnOrName, lgNomEntries: int | Column | None = None) -> Column:
    """Return a Theta sketch of the values."""
    return invoke("theta_sketch_agg", col, *lits(lgNomEntries))


def theta_union_agg(col: ColumnOrName, lgNomEntries: int | Column | None = None) -> Column:
    """Return the union of Theta sketches."""
    return invoke("theta_union_agg", col, *lits(lgNomEntries))


def try_avg(col: ColumnOrName) -> Column:
    """Return the mean, or null where it overflows."""
    return invoke("try_avg", col)


def try_sum(col: ColumnOrName) -> Column:
    """Return the sum, or null where it overflows."""
    return invoke("try_sum", col)


def tuple_intersection_agg_double(col: ColumnOrName, mode: str | Column | None = None) -> Column:
    """Return the intersection of tuple sketches with double summaries."""
    return invoke("tuple_intersection_agg_double", col, *lits(mode))


def tuple_intersection_agg_integer(col: ColumnOrName, mode: str | Column | None = None) -> Column:
    """Return the intersection of tuple sketches with whole summaries."""
    return invoke("tuple_intersection_agg_integer", col, *lits(mode))


def tuple_sketch_agg_double(
    key: ColumnOrName,
    summary: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return a tuple sketch of keys with double summaries."""
    return invoke(
        "tuple_sketch_agg_double",
        key,
        summary,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_sketch_agg_integer(
    key: ColumnOrName,
    summary: ColumnOrName,
    lgNomEntries: int | Column | None = None,
    mode: str | Column | None = None,
) -> Column:
    """Return a tuple sketch of keys with whole summaries."""
    return invoke(
        "tuple_sketch_agg_integer",
        key,
        summary,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_union_agg_double(
    col: ColumnOrName, lgNomEntries: int | Column | None = None, mode: str | Column | None = None
) -> Column:
    """Return the union of tuple sketches with double summaries."""
    return invoke(
        "tuple_union_agg_double",
        col,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def tuple_union_agg_integer(
    col: ColumnOrName, lgNomEntries: int | Column | None = None, mode: str | Column | None = None
) -> Column:
    """Return the union of tuple sketches with whole summaries."""
    return invoke(
        "tuple_union_agg_integer",
        col,
        lit(12 if lgNomEntries is None else lgNomEntries),
        lit("sum" if mode is None else mode),
    )


def var_pop(col: ColumnOrName) -> Column:
    """Return the population variance."""
    return invoke("var_pop", col)


def var_samp(col: ColumnOrName) -> Column:
    """Return the sample variance."""
    return invoke("var_samp", col)


def variance(col: ColumnOrName) -> Column:
    """Return the sample variance."""
    return invoke("variance", col)
