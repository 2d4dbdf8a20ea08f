# SPDX-License-Identifier: Apache-2.0
"""The part of DataFrame about missing values and statistics."""

from __future__ import annotations

from nbaspark.errors.raising import check, not_expected, type_error, value_error
from nbaspark.sql import expressions as ex
from nbaspark.sql.column import Column, to_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame

_NO_VALUE: Any = object()


def _subset(subset: Any, arg_name: str) -> list[str]:
    """Return the names of some columns, given as one name, a list or nothing."""
    if subset is None:
        return []
    if isinstance(subset, str):
        return [subset]
    check("subset", subset, (list, tuple), "list, str or tuple")
    for c in subset:
        check(arg_name, c, str, "list, str or tuple")
    return list(subset)


class DataFrameStatistics:
    """Missing values and statistics of a DataFrame; a base class of it and of nothing else."""

    # ---- missing values -------------------------------------------------------------------------

    def fillna(self: Any, value: Any, subset: Any = None) -> DataFrame:
        """Return this table with nulls, and NaN, replaced.

        Parameters
        ----------
        value : int, float, str, bool or dict
            The replacement, for the columns whose type fits; or one for each column.
        subset : str, list or tuple, optional
            The columns to look at; without meaning for a dict.

        Examples
        --------
        >>> df = spark.createDataFrame([(1, None), (None, "x")], "a int, b string")
        >>> df.na.fill(0).na.fill({"b": "?"}).collect()
        [Row(a=1, b='?'), Row(a=0, b='x')]
        """
        check("value", value, (float, int, str, bool, dict), "bool, dict, float, int or str")
        if isinstance(value, dict):
            if not value:
                raise value_error("CANNOT_BE_EMPTY", item="value")
            for c, v in value.items():
                check("key type of dict", c, str, "str")
                check("value type of dict", v, (bool, int, float, str), "bool, float, int or str")
            columns, values = list(value), list(value.values())
        else:
            columns, values = _subset(subset, "cols"), [value]
        body: dict[str, Any] = {"values": [_fill_literal(v) for v in values]}
        if columns:
            body["cols"] = columns
        return self._over("fill_na", **body)

    def dropna(
        self: Any, how: str = "any", thresh: int | None = None, subset: Any = None
    ) -> DataFrame:
        """Return the rows without nulls and NaN.

        Parameters
        ----------
        how : str, optional
            ``"any"`` to drop rows with a null, ``"all"`` those with nothing else.
        thresh : int, optional
            Keep rows with at least so many values that are not null, whatever `how` says.
        subset : str, list or tuple, optional
            The columns to look at.
        """
        least = None
        if how is not None:
            check("how", how, str, "str")
            if how not in ("any", "all"):
                raise value_error("INVALID_TYPE", arg_name="how", arg_type=how)
            least = 1 if how == "all" else None
        if thresh is not None:
            check("thresh", thresh, int, "int")
            least = thresh
        body: dict[str, Any] = {}
        columns = _subset(subset, "cols")
        if columns:
            body["cols"] = columns
        if least is not None:
            body["min_non_nulls"] = least
        return self._over("drop_na", **body)

    def replace(
        self: Any, to_replace: Any, value: Any = _NO_VALUE, subset: Any = None
    ) -> DataFrame:
        """Return this table with some values replaced by others.

        Parameters
        ----------
        to_replace : bool, int, float, str, list or dict
            The values to replace; a dict has the replacements too.
        value : bool, int, float, str, list or None, optional
            The replacement, or one for each value.
        subset : list, optional
            The columns to look at.

        Examples
        --------
        >>> df = spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"])
        >>> df.replace({"Ana": "Eva"}).first()
        Row(name='Eva', age=11)
        """
        from nbaspark.sql.functions.base import lit

        plain = (bool, float, int, str, list, tuple)
        if value is _NO_VALUE:
            if not isinstance(to_replace, dict):
                raise type_error(
                    "ARGUMENT_REQUIRED", arg_name="value", condition="`to_replace` is dict"
                )
            value = None
        expected = "bool, dict, float, int, str or tuple"
        check("to_replace", to_replace, (*plain, dict), expected)
        if not isinstance(to_replace, dict) and value is not None:
            check("value", value, plain, "bool, float, int, list, None, str or tuple")
        if isinstance(to_replace, (list, tuple)) and isinstance(value, (list, tuple)):
            if len(to_replace) != len(value):
                raise value_error(
                    "LENGTH_SHOULD_BE_THE_SAME",
                    arg1="to_replace",
                    arg2="value",
                    arg1_length=len(to_replace),
                    arg2_length=len(value),
                )
        if subset is not None:
            check("subset", subset, (list, tuple, str), "list, str or tuple")
        pairs = _replacements(to_replace, value)
        replacements = [
            {"old_value": _replace_literal(lit, k), "new_value": _replace_literal(lit, v)}
            for k, v in pairs.items()
        ]
        body: dict[str, Any] = {"replacements": replacements}
        if subset:
            body["cols"] = [subset] if isinstance(subset, str) else list(subset)
        return self._over("replace", **body)

    # ---- statistics -----------------------------------------------------------------------------

    def describe(self: Any, *cols: str | list[str]) -> DataFrame:
        """Return count, mean, standard deviation, least and greatest value of some columns, or all.

        Examples
        --------
        >>> spark.range(3).describe().collect()[1]
        Row(summary='mean', id='1.0')
        """
        names: list[str] = []
        for c in cols:
            names.extend([c] if isinstance(c, str) else c)
        return self._over("describe", cols=names)

    def summary(self: Any, *statistics: str) -> DataFrame:
        """Return statistics of all columns, by default those of `describe` and the quartiles."""
        for s in statistics:
            check("statistics", s, str, "list[str]")
        return self._over("summary", statistics=list(statistics))

    def cov(self: Any, col1: str, col2: str) -> float:
        """Return the sample covariance of two columns."""
        check("col1", col1, str, "str")
        check("col2", col2, str, "str")
        return self._over("cov", col1=col1, col2=col2)._single_value()

    def corr(self: Any, col1: str, col2: str, method: str | None = None) -> float:
        """Return the Pearson correlation of two columns."""
        check("col1", col1, str, "str")
        check("col2", col2, str, "str")
        method = method or "pearson"
        if method != "pearson":
            raise value_error("VALUE_NOT_PEARSON", arg_name="method", arg_value=method)
        return self._over("corr", col1=col1, col2=col2, method=method)._single_value()

    def approxQuantile(self: Any, col: Any, probabilities: Any, relativeError: float) -> Any:
        """Return about the values below which shares of the rows lie.

        Parameters
        ----------
        col : str, list or tuple
            The column, or several; nulls and NaN are left out.
        probabilities : list or tuple
            The shares, from 0 to 1.
        relativeError : float
            How far off the rank may be, as a share; 0 for exact values.

        Returns
        -------
        list
            The values for each share; for several columns a list of such lists.
        """
        check("col", col, (str, list, tuple), "list, str or tuple")
        names = [col] if isinstance(col, str) else list(col)
        for c in names:
            check("columns", c, str, "list[str]")
        check("probabilities", probabilities, (list, tuple), "list or tuple")
        for p in probabilities:
            if not isinstance(p, (float, int)) or p < 0 or p > 1:
                raise not_expected("probabilities", p, "list[float, int]")
        check("relativeError", relativeError, (float, int), "float or int")
        if relativeError < 0:
            raise value_error("NEGATIVE_VALUE", arg_name="relativeError", arg_value=relativeError)
        found = self._over(
            "approx_quantile",
            cols=names,
            probabilities=[float(p) for p in probabilities],
            relative_error=float(relativeError),
        )._single_value()
        lists = [list(values or ()) for values in found]
        return lists[0] if isinstance(col, str) else lists

    def crosstab(self: Any, col1: str, col2: str) -> DataFrame:
        """Return how often each pair of values of two columns occurs, as a table of both."""
        check("col1", col1, str, "str")
        check("col2", col2, str, "str")
        return self._over("crosstab", col1=col1, col2=col2)

    def freqItems(self: Any, cols: Any, support: float | None = None) -> DataFrame:
        """Return, for each column, the values that occur in at least a share of the rows."""
        check("cols", cols, (list, tuple), "list or tuple")
        return self._over("freq_items", cols=list(cols), support=support or 0.01)

    def sampleBy(
        self: Any, col: Any, fractions: dict[Any, float], seed: int | None = None
    ) -> DataFrame:
        """Return a random sample with a share for each value of a column."""
        from nbaspark.sql.dataframe import _seed
        from nbaspark.sql.functions.base import lit

        check("col", col, (str, Column), "Column or str")
        check("fractions", fractions, dict, "dict")
        items = []
        for k, v in fractions.items():
            if not isinstance(k, (float, int, str)):
                raise type_error(
                    "DISALLOWED_TYPE_FOR_CONTAINER",
                    arg_name="fractions",
                    arg_type=type(fractions).__name__,
                    allowed_types="float, int, str",
                    item_type=type(k).__name__,
                )
            items.append({"stratum": lit(k)._expr["literal"], "fraction": float(v)})
        column = to_column(col)
        body: dict[str, Any] = {"col": column._expr, "seed": _seed(seed)}
        if items:
            body["fractions"] = items
        return self._over("sample_by", [column], **body)


def _fill_literal(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolean": value}
    if isinstance(value, int):
        return {"long": value}
    return {"double": value} if isinstance(value, float) else {"string": value}


def _replace_literal(lit: Any, value: Any) -> dict[str, Any]:
    # Numbers are compared and replaced as doubles; a bool is an int to Python.
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return ex.NULL["literal"] if value is None else lit(value)._expr["literal"]


def _replacements(to_replace: Any, value: Any) -> dict[Any, Any]:
    """Return ``{old: new}``, checked to be of one kind."""
    if isinstance(to_replace, dict):
        pairs = to_replace
        if value is not None:
            import warnings

            message = "to_replace is a dict and value is not None. value will be ignored."
            warnings.warn(message, stacklevel=3)
    else:
        if isinstance(to_replace, (float, int, str)):
            to_replace = [to_replace]
        if isinstance(value, (float, int, str)) or value is None:
            value = [value] * len(to_replace)
        pairs = dict(zip(to_replace, value))
    values = [v for v in pairs.values() if v is not None]
    for kinds in (bool, str, (float, int)):
        if all(isinstance(v, kinds) for v in [*pairs, *values]):
            return pairs
    raise value_error("MIXED_TYPE_REPLACEMENT")


class DataFrameNaFunctions:
    """Functions for missing values, as ``df.na``."""

    def __init__(self, df: DataFrame):
        self.df = df

    def fill(self, value: Any, subset: Any = None) -> DataFrame:
        """Return the table with nulls replaced; see `DataFrame.fillna`."""
        return self.df.fillna(value=value, subset=subset)

    def drop(self, how: str = "any", thresh: int | None = None, subset: Any = None) -> DataFrame:
        """Return the rows without nulls; see `DataFrame.dropna`."""
        return self.df.dropna(how=how, thresh=thresh, subset=subset)

    def replace(self, to_replace: Any, value: Any = _NO_VALUE, subset: Any = None) -> DataFrame:
        """Return the table with values replaced; see `DataFrame.replace`."""
        return self.df.replace(to_replace, value, subset)


class DataFrameStatFunctions:
    """Functions for statistics, as ``df.stat``."""

    def __init__(self, df: DataFrame):
        self.df = df

    def approxQuantile(self, col: Any, probabilities: Any, relativeError: float) -> Any:
        """Return quantiles; see `DataFrame.approxQuantile`."""
        return self.df.approxQuantile(col, probabilities, relativeError)

    def corr(self, col1: str, col2: str, method: str | None = None) -> float:
        """Return the correlation of two columns."""
        return self.df.corr(col1, col2, method)

    def cov(self, col1: str, col2: str) -> float:
        """Return the covariance of two columns."""
        return self.df.cov(col1, col2)

    def crosstab(self, col1: str, col2: str) -> DataFrame:
        """Return how often pairs of values occur."""
        return self.df.crosstab(col1, col2)

    def freqItems(self, cols: Any, support: float | None = None) -> DataFrame:
        """Return the values that occur often."""
        return self.df.freqItems(cols, support)

    def sampleBy(self, col: Any, fractions: dict[Any, float], seed: int | None = None) -> DataFrame:
        """Return a sample with a share for each value."""
        return self.df.sampleBy(col, fractions, seed)
