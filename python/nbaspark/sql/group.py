# SPDX-License-Identifier: Apache-2.0
"""GroupedData: groups of rows, waiting for their aggregates."""

from __future__ import annotations

from nbaspark.errors import PySparkNotImplementedError
from nbaspark.errors.raising import check, not_implemented, type_error
from nbaspark.sql.column import Column, named
from nbaspark.sql.functions.base import invoke, lit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nbaspark.sql.cogroup import PandasCogroupedOps
    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.types import StructType

__all__ = ["GroupedData"]

_TITLES = {
    "groupby": "GroupBy",
    "rollup": "RollUp",
    "cube": "Cube",
    "grouping_sets": "GroupingSets",
    "pivot": "Pivot",
}


class GroupedData:
    """Groups of rows, made by `DataFrame.groupBy`, `rollup`, `cube` or `groupingSets`."""

    def __init__(
        self,
        df: DataFrame,
        group_type: str,
        grouping_cols: list[Column],
        pivot_col: Column | None = None,
        pivot_values: list[Column] | None = None,
        sets: list[list[Column]] | None = None,
    ):
        self._df = df
        self._group_type = group_type
        self._grouping_cols = grouping_cols
        self._pivot_col = pivot_col
        self._pivot_values = pivot_values
        self._sets = sets

    def __repr__(self) -> str:
        from nbaspark.sql.expressions import text

        keys = ", ".join(text(c._expr) for c in self._grouping_cols)
        values = ", ".join("%s: %s" % c for c in self._df.dtypes)
        title = _TITLES[self._group_type]
        return f"GroupedData[grouping expressions: [{keys}], value: [{values}], type: {title}]"

    def agg(self, *exprs: Column | dict[str, str]) -> DataFrame:
        """Return the keys and aggregates of each group.

        Parameters
        ----------
        exprs : Column, or a dict of column names to names of functions
            The aggregates.

        Examples
        --------
        >>> from nbaspark.sql import functions as F
        >>> df = spark.createDataFrame([("a", 1), ("a", 3)], ["key", "value"])
        >>> df.groupBy("key").agg(F.max("value").alias("most"), F.count("*")).collect()
        [Row(key='a', most=3, count(1)=2)]
        """
        assert exprs, "exprs should not be empty"
        if len(exprs) == 1 and isinstance(exprs[0], dict):
            columns = [invoke(f, named(c)) for c, f in exprs[0].items()]
        else:
            assert all(isinstance(c, Column) for c in exprs), "all exprs should be Column"
            columns = list(exprs)
        return self._aggregate(columns)

    def _aggregate(self, aggregates: list[Column]) -> DataFrame:
        used = self._grouping_cols + aggregates
        body: dict[str, Any] = {
            "group_type": f"GROUP_TYPE_{self._group_type.upper()}",
            "grouping_expressions": [c._expr for c in self._grouping_cols],
            "aggregate_expressions": [c._expr for c in aggregates],
        }
        if self._pivot_col is not None:
            pivot: dict[str, Any] = {"col": self._pivot_col._expr}
            if self._pivot_values:
                pivot["values"] = [v._expr["literal"] for v in self._pivot_values]
            body["pivot"] = pivot
            used = [*used, self._pivot_col]
        if self._sets is not None:
            body["grouping_sets"] = [{"grouping_set": [c._expr for c in s]} for s in self._sets]
            used = used + [c for s in self._sets for c in s]
        return self._df._over("aggregate", used, **body)

    def count(self) -> DataFrame:
        """Return the number of rows of each group, in a column ``count``."""
        return self.agg(invoke("count", lit(1)).alias("count"))

    def _numeric(self, function: str, cols: Sequence[str]) -> DataFrame:
        """Aggregate the columns given, which must be numbers, or all that are."""
        from nbaspark.sql.types import NumericType

        schema = self._df.schema
        if cols:
            wrong = [c for c in cols if not _is_numeric(c, schema)]
            if wrong:
                raise type_error("NOT_NUMERIC_COLUMNS", invalid_columns=wrong)
            names = list(cols)
        else:
            names = [f.name for f in schema.fields if isinstance(f.dataType, NumericType)]
        return self._aggregate([invoke(function, named(c)) for c in names])

    def sum(self, *cols: str) -> DataFrame:
        """Return the sums of columns of numbers."""
        return self._numeric("sum", cols)

    def avg(self, *cols: str) -> DataFrame:
        """Return the means of columns of numbers."""
        return self._numeric("avg", cols)

    mean = avg

    def max(self, *cols: str) -> DataFrame:
        """Return the greatest values of columns of numbers."""
        return self._numeric("max", cols)

    def min(self, *cols: str) -> DataFrame:
        """Return the least values of columns of numbers."""
        return self._numeric("min", cols)

    def pivot(self, pivot_col: str, values: list[Any] | None = None) -> GroupedData:
        """Make a column of the result for each value of a column.

        Parameters
        ----------
        pivot_col : str
            The column whose values become columns.
        values : list, optional
            These values; without them the engine looks for all.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", "x", 1), ("a", "y", 2)], ["k", "p", "v"])
        >>> df.groupBy("k").pivot("p", ["x", "y"]).sum("v").collect()
        [Row(k='a', x=1, y=2)]
        """
        if self._group_type != "groupby":
            what = (
                "Repeated PIVOT operation"
                if self._group_type == "pivot"
                else f"PIVOT after {self._group_type.upper()}"
            )
            raise PySparkNotImplementedError(
                errorClass="UNSUPPORTED_OPERATION", messageParameters={"operation": what}
            )
        check("pivot_col", pivot_col, str, "str")
        columns = None
        if values is not None:
            check("values", values, list, "list")
            for v in values:
                check("value", v, (bool, float, int, str), "bool, float, int or str")
            columns = [lit(v) for v in values]
        column = self._df[pivot_col]
        return GroupedData(self._df, "pivot", self._grouping_cols, column, columns)

    def applyInPandas(self, func: Any, schema: StructType | str) -> DataFrame:
        """Return the rows that a function makes of each group's.

        Parameters
        ----------
        func : callable
            Function of a `pandas.DataFrame` with the rows of a group, or of the group's key (a tuple) and them,
            which gives a frame. With hints of iterators the rows come, and go, in batches.
        schema : StructType or str
            Names and types of its rows. Columns are found by name, or in order where frames have no names.

        Raises
        ------
        PySparkValueError
            When `func` takes another number of arguments.

        Examples
        --------
        >>> def centred(rows):
        ...     return rows.assign(v=rows.v - rows.v.mean())
        >>> df = spark.createDataFrame([("a", 1.0), ("a", 3.0)], ["k", "v"])
        >>> sorted(df.groupBy("k").applyInPandas(centred, "k string, v double").collect())
        [Row(k='a', v=-1.0), Row(k='a', v=1.0)]
        """
        from nbaspark.sql.column_udf import check_parameters, iterates

        detail = (
            "the function in groupby.applyInPandas with iterator API must take either one argument "
            "(batches: Iterator[pandas.DataFrame]) or two arguments (key, batches: "
            "Iterator[pandas.DataFrame])."
            if iterates(func)
            else "pandas_udfs with function type GROUPED_MAP or the function in groupby.applyInPandas "
            "must take either one argument (data) or two arguments (key, data)."
        )
        check_parameters(func, (1, 2), detail)
        return self._apply("pandas", func, schema)

    def applyInArrow(self, func: Any, schema: StructType | str) -> DataFrame:
        """Return the rows that a function makes of each group's, as `pyarrow.Table`.

        Parameters
        ----------
        func : callable
            Function of a table with the rows of a group, or of its key (a tuple of scalars) and them.
        schema : StructType or str
            Names and types of its rows.

        Examples
        --------
        >>> def first(rows):
        ...     return rows.slice(0, 1)
        >>> df = spark.createDataFrame([("a", 1), ("b", 2), ("b", 2)], ["k", "v"])
        >>> sorted(df.groupBy("k").applyInArrow(first, "k string, v long").collect())
        [Row(k='a', v=1), Row(k='b', v=2)]
        """
        from nbaspark.sql.column_udf import check_parameters

        detail = (
            "the function in groupby.applyInArrow must take either one argument (data) or two "
            "arguments (key, data)."
        )
        check_parameters(func, (1, 2), detail)
        return self._apply("arrow", func, schema)

    def _apply(self, family: str, func: Any, schema: StructType | str) -> DataFrame:
        from nbaspark.sql.column_udf import GROUPS, GROUPS_ITER, iterates, rows_udf

        kinds = GROUPS_ITER if iterates(func) else GROUPS
        tree = rows_udf(self._df._session, func, schema, kinds[family], self._df.columns)
        keys = [c._expr for c in self._grouping_cols]
        return self._df._over(
            "group_map", self._grouping_cols, grouping_expressions=keys, func=tree
        )

    def cogroup(self, other: GroupedData) -> PandasCogroupedOps:
        """Return these groups beside another table's, for functions of two groups with one key.

        Parameters
        ----------
        other : GroupedData
            Groups by as many keys.
        """
        from nbaspark.sql.cogroup import PandasCogroupedOps

        return PandasCogroupedOps(self, other)

    def __getattr__(self, name: str) -> Any:
        if name in ("apply", "applyInPandasWithState"):
            raise not_implemented(f"GroupedData.{name}")
        raise AttributeError(f"'GroupedData' object has no attribute {name!r}")


def _is_numeric(name: str, schema: Any) -> bool:
    """Return whether a name, or a path into structs, is that of a number."""
    from nbaspark.sql.types import ArrayType, NumericType, StructType

    found: Any = schema
    for part in _name_parts(name):
        if isinstance(found, ArrayType):
            found = found.elementType
        if not isinstance(found, StructType):
            return False
        found = next((f.dataType for f in found.fields if f.name == part), None)
    return isinstance(found, NumericType)


def _name_parts(name: str) -> list[str]:
    """Split a name at its dots, except in backticks."""
    parts, part, quoted = [], "", False
    for c in name:
        if c == "`":
            quoted = not quoted
        elif c == "." and not quoted:
            parts.append(part)
            part = ""
        else:
            part += c
    return [*parts, part]
