# SPDX-License-Identifier: Apache-2.0
"""PandasCogroupedOps: the groups of two tables, by keys that both have."""

from __future__ import annotations

from nbaspark.sql.column_udf import COGROUPS, check_parameters, rows_udf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.group import GroupedData
    from nbaspark.sql.types import StructType

__all__ = ["PandasCogroupedOps"]


class PandasCogroupedOps:
    """Groups of two tables, made by `GroupedData.cogroup`.

    Parameters
    ----------
    gd1, gd2 : GroupedData
        Groups by as many keys. A key that only one of them has comes with no rows of the other.
    """

    def __init__(self, gd1: GroupedData, gd2: GroupedData):
        self._gd1 = gd1
        self._gd2 = gd2

    def applyInPandas(self, func: Any, schema: StructType | str) -> DataFrame:
        """Return the rows that a function makes of each pair of groups.

        Parameters
        ----------
        func : callable
            Function of two `pandas.DataFrame` with the rows of each side, or of their key (a tuple) and them.
        schema : StructType or str
            Names and types of its rows.

        Raises
        ------
        PySparkValueError
            When `func` takes another number of arguments.

        Examples
        --------
        >>> import pandas as pd
        >>> def both(left, right):
        ...     return pd.merge(left, right, on="k")
        >>> a = spark.createDataFrame([(1, "x")], ["k", "v"])
        >>> b = spark.createDataFrame([(1, 2.5)], ["k", "w"])
        >>> groups = a.groupBy("k").cogroup(b.groupBy("k"))
        >>> groups.applyInPandas(both, "k long, v string, w double").collect()
        [Row(k=1, v='x', w=2.5)]
        """
        return self._apply("pandas", "Pandas", func, schema)

    def applyInArrow(self, func: Any, schema: StructType | str) -> DataFrame:
        """Return the rows that a function makes of each pair of groups, as `pyarrow.Table`.

        Parameters
        ----------
        func : callable
            Function of two tables, or of their key (a tuple of scalars) and them.
        schema : StructType or str
            Names and types of its rows.
        """
        return self._apply("arrow", "Arrow", func, schema)

    def _apply(self, family: str, word: str, func: Any, schema: StructType | str) -> DataFrame:
        check_parameters(
            func,
            (2, 3),
            f"the function in cogroup.applyIn{word} must take either two arguments (left, right) or "
            "three arguments (key, left, right).",
        )
        left, right = self._gd1, self._gd2
        tree = rows_udf(left._df._session, func, schema, COGROUPS[family], [])
        return left._df._over(
            "co_group_map",
            left._grouping_cols + right._grouping_cols,
            input_grouping_expressions=[c._expr for c in left._grouping_cols],
            other=right._df._plan,
            other_grouping_expressions=[c._expr for c in right._grouping_cols],
            func=tree,
        )
