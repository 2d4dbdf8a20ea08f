# SPDX-License-Identifier: Apache-2.0
"""DataFrame: a table that is described, and computed when something asks for its rows.

This file holds what makes new DataFrames of old ones. What runs a plan is in
`dataframe_actions.py`, missing values and statistics are in `dataframe_stat.py`.
"""

from __future__ import annotations

from nbaspark.errors import AnalysisException, PySparkAttributeError, PySparkIndexError
from nbaspark.errors.raising import check, not_expected, value_error
from nbaspark.sql import expressions as ex
from nbaspark.sql.column import Column, named, references, sort_key, to_column
from nbaspark.sql.dataframe_absent import DataFrameAbsent
from nbaspark.sql.dataframe_actions import DataFrameActions
from nbaspark.sql.dataframe_stat import (
    DataFrameNaFunctions,
    DataFrameStatFunctions,
    DataFrameStatistics,
)
from nbaspark.sql.functions.base import invoke, lit
from nbaspark.sql.plan import plan_id, relation, with_references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from nbaspark.sql.functions.base import ColumnOrName
    from nbaspark.sql.group import GroupedData
    from nbaspark.sql.observation import Observation
    from nbaspark.sql.readwriter import DataFrameWriter, DataFrameWriterV2
    from nbaspark.sql.session import SparkSession
    from nbaspark.sql.types import StructType

__all__ = ["DataFrame", "DataFrameNaFunctions", "DataFrameStatFunctions"]

# spelling, without underscores -> Join.JoinType
_JOINS = {
    "inner": "JOIN_TYPE_INNER",
    "outer": "JOIN_TYPE_FULL_OUTER",
    "full": "JOIN_TYPE_FULL_OUTER",
    "fullouter": "JOIN_TYPE_FULL_OUTER",
    "leftouter": "JOIN_TYPE_LEFT_OUTER",
    "left": "JOIN_TYPE_LEFT_OUTER",
    "rightouter": "JOIN_TYPE_RIGHT_OUTER",
    "right": "JOIN_TYPE_RIGHT_OUTER",
    "leftsemi": "JOIN_TYPE_LEFT_SEMI",
    "semi": "JOIN_TYPE_LEFT_SEMI",
    "leftanti": "JOIN_TYPE_LEFT_ANTI",
    "anti": "JOIN_TYPE_LEFT_ANTI",
    "cross": "JOIN_TYPE_CROSS",
}
_LATERAL_JOINS = ("inner", "leftouter", "left", "cross")

_JOIN_SPELLINGS = (
    "inner outer full fullouter full_outer leftouter left left_outer rightouter right "
    "right_outer leftsemi left_semi semi leftanti left_anti anti cross"
)
_LATERAL_SPELLINGS = "inner leftouter left left_outer cross"

# attributes of PySpark's DataFrame that need a JVM or an RDD
_JVM_NAMES = ("_jseq", "_jdf", "_jmap", "_jcols", "rdd")


class DataFrame(DataFrameActions, DataFrameStatistics, DataFrameAbsent):
    """A table of named columns.

    A DataFrame is a plan and never changes: each method returns a new one, and nothing is
    computed before an action such as `collect`, `show`, `count` or `write` asks for it.

    Examples
    --------
    >>> df = spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"])
    >>> df
    DataFrame[name: string, age: bigint]
    >>> df.filter(df.age > 10).select("name").collect()
    [Row(name='Ana')]
    """

    def __init__(
        self, plan: dict[str, Any], session: SparkSession, schema: StructType | None = None
    ):
        self._plan = plan
        self._session = session
        self._plan_id = plan_id(plan)
        self._cached_schema = schema
        self._shown_as_html = False

    def _new(
        self,
        kind: str,
        body: dict[str, Any],
        columns: Sequence[Column] = (),
        same_schema: bool = False,
    ) -> DataFrame:
        """Return the DataFrame of a relation over this one, with the columns' subqueries."""
        plan = with_references(relation(kind, body), references(columns))
        return DataFrame(plan, self._session, self._cached_schema if same_schema else None)

    def _over(
        self, kind: str, used: Sequence[Column] = (), same_schema: bool = False, **body: Any
    ) -> DataFrame:
        """Return the DataFrame of a relation whose input is this one and which uses columns."""
        return self._new(kind, {"input": self._plan, **body}, used, same_schema)

    def _columns(
        self,
        cols: Sequence[Any],
        arg_name: str = "cols",
        allow_ordinal: bool = False,
    ) -> list[Column]:
        """Return columns for columns, names and, where allowed, positions counted from 1."""
        if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
            cols = cols[0]
        found = []
        for c in cols:
            if isinstance(c, Column):
                found.append(c)
            elif isinstance(c, str):
                found.append(named(c))
            elif allow_ordinal and isinstance(c, int) and not isinstance(c, bool):
                if c < 1:
                    raise PySparkIndexError(
                        errorClass="INDEX_NOT_POSITIVE", messageParameters={"index": str(c)}
                    )
                found.append(self[c - 1])
            else:
                expected = "Column, int or str" if allow_ordinal else "Column or str"
                raise not_expected(arg_name, c, expected)
        return found

    @property
    def sparkSession(self) -> SparkSession:
        """The session of this DataFrame."""
        return self._session

    # ---- columns of this DataFrame --------------------------------------------------------------

    def _col(self, name: str, is_metadata: bool = False) -> Column:
        return Column(ex.attribute(name, self._plan_id, is_metadata))

    def __getattr__(self, name: str) -> Column:
        if name in _JVM_NAMES:
            raise PySparkAttributeError(
                errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name}
            )
        if name.startswith("__") or name.startswith(("_ipython_", "_repr_")):
            # Interpreters and pickle ask for such names to see whether they exist.
            raise PySparkAttributeError(
                errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name}
            )
        return self._col(name)

    def __getitem__(self, item: Any) -> Any:
        """Return a column by name or position, or a DataFrame by a condition or several names.

        Examples
        --------
        >>> df = spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"])
        >>> df["age"], df[0]
        (Column<'age'>, Column<'name'>)
        >>> df[["age"]].columns, df[df.age < 10].count()
        (['age'], 1)
        """
        if isinstance(item, str):
            if item == "*":
                return Column(ex.star(None, self._plan_id))
            return self._col(item)
        if isinstance(item, Column):
            return self.filter(item)
        if isinstance(item, (list, tuple)):
            return self.select(*item)
        if isinstance(item, int):
            return named(self.columns[item])
        raise not_expected("item", item, "Column, int, list, str or tuple")

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *self.columns})

    def _ipython_key_completions_(self) -> list[str]:
        return self.columns

    def colRegex(self, colName: str) -> Column:
        """Return the columns whose names match a regular expression in backticks."""
        check("colName", colName, str, "str")
        return Column({"unresolved_regex": {"col_name": colName, "plan_id": self._plan_id}})

    def metadataColumn(self, colName: str) -> Column:
        """Return a metadata column, even where a column of the data has its name."""
        check("colName", colName, str, "str")
        return self._col(colName, is_metadata=True)

    # ---- projections ----------------------------------------------------------------------------

    def select(self, *cols: Any) -> DataFrame:
        """Return some columns, or expressions of them.

        Parameters
        ----------
        cols : Column, str, or a list of them
            The columns of the result; ``"*"`` stands for all.

        Examples
        --------
        >>> df = spark.createDataFrame([("Ana", 11)], ["name", "age"])
        >>> df.select("name", (df.age + 1).alias("next")).collect()
        [Row(name='Ana', next=12)]
        """
        columns = self._columns(cols)
        return self._over("project", columns, expressions=[c._expr for c in columns])

    def selectExpr(self, *expr: str | list[str]) -> DataFrame:
        """Return columns given as SQL expressions.

        Examples
        --------
        >>> spark.range(2).selectExpr("id * 10 AS tens", "id > 0").collect()
        [Row(tens=0, (id > 0)=False), Row(tens=10, (id > 0)=True)]
        """
        texts: list[str] = []
        for e in expr:
            texts.extend([e] if isinstance(e, str) else e)
        trees = [{"expression_string": {"expression": text}} for text in texts]
        return self._over("project", expressions=trees)

    def withColumn(self, colName: str, col: Column) -> DataFrame:
        """Return this table with a column added, or replaced.

        Parameters
        ----------
        colName : str
            The name.
        col : Column
            The values.

        Examples
        --------
        >>> df = spark.range(2)
        >>> df.withColumn("square", df.id * df.id).collect()
        [Row(id=0, square=0), Row(id=1, square=1)]
        """
        check("col", col, Column, "Column")
        return self._with_columns([(colName, col)])

    def withColumns(self, *colsMap: dict[str, Column]) -> DataFrame:
        """Return this table with several columns added or replaced, given as a dictionary."""
        assert len(colsMap) == 1
        check("colsMap", colsMap[0], dict, "dict")
        return self._with_columns(list(colsMap[0].items()))

    def mapInPandas(
        self, func: Any, schema: StructType | str, barrier: bool = False, profile: Any = None
    ) -> DataFrame:
        """Return the rows that a function makes of this table's, as pandas' frames.

        Parameters
        ----------
        func : callable
            Function of an iterator of `pandas.DataFrame`, which gives an iterator of them. It is called once:
            all rows are one partition.
        schema : StructType or str
            Names and types of its rows, as an object or as DDL.
        barrier, profile
            No effect: there is one task.

        Raises
        ------
        PySparkTypeError
            When `schema` is not that of rows.

        Examples
        --------
        >>> def adults(frames):
        ...     for frame in frames:
        ...         yield frame[frame.age >= 18]
        >>> df = spark.createDataFrame([("ana", 20), ("rui", 9)], ["name", "age"])
        >>> df.mapInPandas(adults, "name string, age long").collect()
        [Row(name='ana', age=20)]
        """
        from nbaspark.sql.column_udf import mapped

        return mapped(self, "pandas", func, schema, barrier)

    def mapInArrow(
        self, func: Any, schema: StructType | str, barrier: bool = False, profile: Any = None
    ) -> DataFrame:
        """Return the rows that a function makes of this table's, as Arrow's batches.

        Parameters
        ----------
        func : callable
            Function of an iterator of `pyarrow.RecordBatch`, which gives an iterator of them.
        schema, barrier, profile
            As of `mapInPandas`.

        Examples
        --------
        >>> def same(batches):
        ...     yield from batches
        >>> spark.range(2).mapInArrow(same, "id long").collect()
        [Row(id=0), Row(id=1)]
        """
        from nbaspark.sql.column_udf import mapped

        return mapped(self, "arrow", func, schema, barrier)

    def _with_columns(
        self, items: list[tuple[str, Column]], metadata: str | None = None
    ) -> DataFrame:
        assert items and all(isinstance(c, Column) for _, c in items)
        aliases: list[dict[str, Any]] = [{"expr": c._expr, "name": [name]} for name, c in items]
        if metadata is not None:
            aliases[0]["metadata"] = metadata
        return self._over("with_columns", [c for _, c in items], aliases=aliases)

    def withColumnRenamed(self, existing: str, new: str) -> DataFrame:
        """Return this table with a column renamed; without such a column, as it is.

        Examples
        --------
        >>> spark.range(1).withColumnRenamed("id", "number").columns
        ['number']
        """
        return self.withColumnsRenamed({existing: new})

    def withColumnsRenamed(self, colsMap: dict[str, str]) -> DataFrame:
        """Return this table with several columns renamed, given as ``{old: new}``."""
        check("colsMap", colsMap, dict, "dict")
        renames = [{"col_name": old, "new_col_name": new} for old, new in colsMap.items()]
        return self._over("with_columns_renamed", renames=renames)

    def withMetadata(self, columnName: str, metadata: dict[str, Any]) -> DataFrame:
        """Return this table with the metadata of a column replaced."""
        import json

        check("metadata", metadata, dict, "dict")
        return self._with_columns([(columnName, self[columnName])], json.dumps(metadata))

    def drop(self, *cols: ColumnOrName) -> DataFrame:
        """Return this table without some columns; those that it does not have are ignored."""
        if any(not isinstance(c, (str, Column)) for c in cols):
            raise not_expected("cols", cols, "Column or str")
        body: dict[str, Any] = {}
        columns = [c for c in cols if isinstance(c, Column)]
        if columns:
            body["columns"] = [c._expr for c in columns]
        names = [c for c in cols if isinstance(c, str)]
        if names:
            body["column_names"] = names
        return self._over("drop", columns, **body)

    def toDF(self, *cols: str) -> DataFrame:
        """Return this table with all its columns renamed, in order."""
        for c in cols:
            check("cols", c, str, "list[str]")
        return self._over("to_df", column_names=list(cols))

    def to(self, schema: StructType) -> DataFrame:
        """Return this table with columns selected, ordered and cast as a schema says."""
        from nbaspark.sql.types_proto import to_tree

        df = self._over("to_schema", schema=to_tree(schema))
        df._cached_schema = schema
        return df

    def alias(self, alias: str) -> DataFrame:
        """Return this table under a name, by which its columns can be qualified.

        Examples
        --------
        >>> df = spark.range(2).alias("n")
        >>> df.select("n.id").count()
        2
        """
        return self._over("subquery_alias", same_schema=True, alias=alias)

    def transform(self, func: Callable[..., DataFrame], *args: Any, **kwargs: Any) -> DataFrame:
        """Return ``func(self, *args, **kwargs)``, so that functions of tables can be chained."""
        result = func(self, *args, **kwargs)
        assert isinstance(result, DataFrame), (
            f"Func returned an instance of type [{type(result)}], should have been DataFrame."
        )
        return result

    def toJSON(self, use_unicode: bool = True) -> DataFrame:
        """Return each row as JSON text, in a column ``value``."""
        row = invoke("struct", named("*"))
        return self.select(invoke("to_json", row).alias("value"))

    def zipWithIndex(self, indexColName: str = "index") -> DataFrame:
        """Return this table with the number of each row, from 0, as its last column."""
        index = invoke("distributed_sequence_id").alias(indexColName)
        return self.select(named("*"), index)

    # ---- rows -----------------------------------------------------------------------------------

    def filter(self, condition: Column | str) -> DataFrame:
        """Return the rows for which a condition is true.

        Parameters
        ----------
        condition : Column or str
            A boolean column, or SQL for one.

        Examples
        --------
        >>> df = spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"])
        >>> df.filter("age >= 10").collect(), df.filter(df.age < 10).count()
        ([Row(name='Ana', age=11)], 1)
        """
        if isinstance(condition, str):
            condition = Column({"expression_string": {"expression": condition}})
        return self._over("filter", [condition], True, condition=condition._expr)

    def where(self, condition: Column | str) -> DataFrame:
        """Return the rows for which a condition is true; another name of `filter`."""
        check("condition", condition, (str, Column), "Column or str")
        return self.filter(condition)

    def limit(self, num: int) -> DataFrame:
        """Return the first `num` rows."""
        return self._over("limit", same_schema=True, limit=num)

    def offset(self, num: int) -> DataFrame:
        """Return all but the first `num` rows."""
        return self._over("offset", offset=num)

    def distinct(self) -> DataFrame:
        """Return each different row once."""
        return self._deduplicate(None, False)

    def dropDuplicates(self, subset: list[str] | None = None) -> DataFrame:
        """Return one row for each different combination of values in some columns, or in all."""
        return self._deduplicate(subset, False)

    drop_duplicates = dropDuplicates

    def dropDuplicatesWithinWatermark(self, subset: list[str] | None = None) -> DataFrame:
        """Return one row for each combination of values, within the watermark of a stream."""
        return self._deduplicate(subset, True)

    def _deduplicate(self, subset: list[str] | None, within_watermark: bool) -> DataFrame:
        body: dict[str, Any] = {
            "all_columns_as_keys": subset is None,
            "within_watermark": within_watermark,
        }
        if subset is not None:
            check("subset", subset, (list, tuple), "list or tuple")
            for c in subset:
                check("subset", c, str, "str")
            body["column_names"] = list(subset)
        return self._over("deduplicate", same_schema=True, **body)

    def sort(self, *cols: Any, **kwargs: Any) -> DataFrame:
        """Return the rows in order.

        Parameters
        ----------
        cols : Column, str, int, or a list of them
            What to sort by; a negative position sorts in descending order.
        ascending : bool or list of bool
            The direction, for all or for each; ascending by default.

        Examples
        --------
        >>> df = spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"])
        >>> df.sort("age").first()
        Row(name='Bia', age=5)
        >>> df.orderBy(df.age.desc()).first()
        Row(name='Ana', age=11)
        """
        return self._sort(cols, kwargs, True)

    orderBy = sort

    def sortWithinPartitions(self, *cols: Any, **kwargs: Any) -> DataFrame:
        """Return the rows in order within each partition."""
        return self._sort(cols, kwargs, False)

    def _sort(self, cols: Sequence[Any], kwargs: dict[str, Any], is_global: bool) -> DataFrame:
        if not cols:
            raise value_error("CANNOT_BE_EMPTY", item="cols")
        if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
            cols = cols[0]
        columns = [self._sort_column(c) for c in cols]
        ascending = kwargs.get("ascending", True)
        if isinstance(ascending, (bool, int)):
            if not ascending:
                columns = [c.desc() for c in columns]
        elif isinstance(ascending, list):
            columns = [c if up else c.desc() for up, c in zip(ascending, columns)]
        else:
            raise not_expected("ascending", ascending, "Column, int or str")
        keys = [sort_key(c) for c in columns]
        order = [k._expr["sort_order"] for k in keys]
        return self._over("sort", keys, True, order=order, is_global=is_global)

    def _sort_column(self, c: Any) -> Column:
        if isinstance(c, int) and not isinstance(c, bool):
            if c == 0:
                raise PySparkIndexError(errorClass="ZERO_INDEX", messageParameters={})
            return self[c - 1] if c > 0 else self[-c - 1].desc()
        if isinstance(c, (Column, str)):
            return to_column(c)
        raise not_expected("col", c, "Column, int or str")

    # ---- combining tables -----------------------------------------------------------------------

    def _other(self, other: Any) -> dict[str, Any]:
        if not isinstance(other, DataFrame) or other._session is not self._session:
            from nbaspark.errors import SessionNotSameException

            raise SessionNotSameException(errorClass="SESSION_NOT_SAME", messageParameters={})
        return other._plan

    def join(
        self,
        other: DataFrame,
        on: str | list[str] | Column | list[Column] | None = None,
        how: str | None = None,
    ) -> DataFrame:
        """Return the rows of two tables that go together.

        Parameters
        ----------
        other : DataFrame
            The right side.
        on : str, Column, or a list of them, optional
            Names that both sides have, which then appear once; or a condition.
        how : str, optional
            ``inner`` (the default), ``cross``, ``outer``, ``left``, ``right``, ``semi``,
            ``anti`` and their longer spellings.

        Examples
        --------
        >>> people = spark.createDataFrame([(1, "Ana"), (2, "Bia")], ["id", "name"])
        >>> ages = spark.createDataFrame([(1, 11)], ["id", "age"])
        >>> people.join(ages, "id").collect()
        [Row(id=1, name='Ana', age=11)]
        >>> people.join(ages, people.id == ages.id, "left_anti").collect()
        [Row(id=2, name='Bia')]
        """
        body = {"left": self._plan, "right": self._other(other)}
        if isinstance(how, str):
            how = how.lower().replace("_", "")
        columns = _join_condition(on, body, "join_condition")
        body["join_type"] = _join_type(how, _JOINS, _JOIN_SPELLINGS)
        return self._new("join", body, columns)

    def crossJoin(self, other: DataFrame) -> DataFrame:
        """Return every row of this table with every row of another."""
        body = {"left": self._plan, "right": self._other(other), "join_type": "JOIN_TYPE_CROSS"}
        return self._new("join", body)

    def lateralJoin(
        self, other: DataFrame, on: Column | None = None, how: str | None = None
    ) -> DataFrame:
        """Return each row with the rows of a table that may refer to it through `Column.outer`."""
        body = {"left": self._plan, "right": self._other(other)}
        if isinstance(how, str):
            how = how.lower().replace("_", "")
        columns = _join_condition(on, body, "join_condition")
        joins = {name: _JOINS[name] for name in _LATERAL_JOINS}
        body["join_type"] = _join_type(how, joins, _LATERAL_SPELLINGS)
        return self._new("lateral_join", body, columns)

    def _joinAsOf(
        self,
        other: DataFrame,
        leftAsOfColumn: str | Column,
        rightAsOfColumn: str | Column,
        on: Any = None,
        how: str | None = None,
        *,
        tolerance: Column | None = None,
        allowExactMatches: bool = True,
        direction: str = "backward",
    ) -> DataFrame:
        body: dict[str, Any] = {"left": self._plan, "right": self._other(other)}
        left = leftAsOfColumn if isinstance(leftAsOfColumn, Column) else self[leftAsOfColumn]
        right = rightAsOfColumn if isinstance(rightAsOfColumn, Column) else other[rightAsOfColumn]
        columns = [left, right, *_join_condition(on, body, "join_expr")]
        body.update(
            left_as_of=left._expr,
            right_as_of=right._expr,
            join_type=how or "inner",
            allow_exact_matches=allowExactMatches,
            direction=direction,
        )
        if tolerance is not None:
            body["tolerance"] = tolerance._expr
            columns.append(tolerance)
        return self._new("as_of_join", body, columns)

    def nearestByJoin(
        self,
        other: DataFrame,
        rankingExpression: Column,
        numResults: int,
        mode: str,
        direction: str,
        *,
        joinType: str = "inner",
    ) -> DataFrame:
        """Return each row with the rows of another table that rank best.

        Parameters
        ----------
        other : DataFrame
            The other table.
        rankingExpression : Column
            The distance or similarity of two rows.
        numResults : int
            How many rows to take for each, 1 to 100000.
        mode : str
            ``"exact"`` or ``"approx"``.
        direction : str
            ``"distance"``, less is better, or ``"similarity"``, more is better.
        joinType : str, optional
            ``"inner"`` or ``"left"``.
        """
        plan = self._other(other)
        _check_nearest(numResults, mode, direction, joinType)
        body = {
            "left": self._plan,
            "right": plan,
            "ranking_expression": rankingExpression._expr,
            "num_results": int(numResults),
            "join_type": joinType,
            "mode": mode,
            "direction": direction,
        }
        return self._new("nearest_by_join", body, [rankingExpression])

    def _set_operation(self, other: DataFrame, kind: str, **body: Any) -> DataFrame:
        body = {
            "left_input": self._plan,
            "right_input": self._other(other),
            "set_op_type": f"SET_OP_TYPE_{kind}",
            "is_all": True,
            "by_name": False,
            "allow_missing_columns": False,
            **body,
        }
        same = self._cached_schema is not None and self._cached_schema == other._cached_schema
        return self._new("set_op", body, same_schema=same)

    def union(self, other: DataFrame) -> DataFrame:
        """Return the rows of both tables, columns matched by position.

        Examples
        --------
        >>> spark.range(2).union(spark.range(1)).count()
        3
        """
        return self._set_operation(other, "UNION")

    unionAll = union

    def unionByName(self, other: DataFrame, allowMissingColumns: bool = False) -> DataFrame:
        """Return the rows of both tables, columns matched by name.

        Parameters
        ----------
        other : DataFrame
            The other table.
        allowMissingColumns : bool, optional
            Whether columns that one side lacks are null there, rather than an error.
        """
        return self._set_operation(
            other, "UNION", by_name=True, allow_missing_columns=allowMissingColumns
        )

    def intersect(self, other: DataFrame) -> DataFrame:
        """Return the rows that are in both tables, each once."""
        return self._set_operation(other, "INTERSECT", is_all=False)

    def intersectAll(self, other: DataFrame) -> DataFrame:
        """Return the rows that are in both tables, as often as in both."""
        return self._set_operation(other, "INTERSECT")

    def subtract(self, other: DataFrame) -> DataFrame:
        """Return the rows that are not in another table, each once."""
        return self._set_operation(other, "EXCEPT", is_all=False)

    def exceptAll(self, other: DataFrame) -> DataFrame:
        """Return the rows that are left when those of another table are taken away."""
        return self._set_operation(other, "EXCEPT")

    # ---- groups ---------------------------------------------------------------------------------

    def _grouped(self, kind: str, cols: Sequence[Any], sets: Any = None) -> GroupedData:
        from nbaspark.sql.group import GroupedData

        return GroupedData(self, kind, self._columns(cols, allow_ordinal=True), sets=sets)

    def groupBy(self, *cols: Any) -> GroupedData:
        """Group rows that have the same values in some columns.

        Parameters
        ----------
        cols : Column, str, int, or a list of them
            What to group by; positions count from 1. Nothing makes one group of all rows.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", 1), ("b", 2), ("a", 3)], ["key", "value"])
        >>> df.groupBy("key").sum("value").orderBy("key").collect()
        [Row(key='a', sum(value)=4), Row(key='b', sum(value)=2)]
        """
        return self._grouped("groupby", cols)

    groupby = groupBy

    def rollup(self, *cols: Any) -> GroupedData:
        """Group by these columns, by all but the last, and so on up to no column at all."""
        return self._grouped("rollup", cols)

    def cube(self, *cols: Any) -> GroupedData:
        """Group by every subset of these columns."""
        return self._grouped("cube", cols)

    def groupingSets(self, groupingSets: Sequence[Sequence[Any]], *cols: Any) -> GroupedData:
        """Group by each of several sets of columns; `cols` are those that the result shows."""
        sets = [self._columns(s, "groupingSets", True) for s in groupingSets]
        return self._grouped("grouping_sets", cols, sets)

    def agg(self, *exprs: Column | dict[str, str]) -> DataFrame:
        """Aggregate all rows.

        Parameters
        ----------
        exprs : Column, or a dict of column names to names of functions
            The aggregates.

        Examples
        --------
        >>> spark.range(5).agg({"id": "max"}).collect()
        [Row(max(id)=4)]
        """
        if not exprs:
            raise value_error("CANNOT_BE_EMPTY", item="exprs")
        return self.groupBy().agg(*exprs)

    def unpivot(
        self,
        ids: Any,
        values: Any,
        variableColumnName: str,
        valueColumnName: str,
    ) -> DataFrame:
        """Turn columns into rows.

        Parameters
        ----------
        ids : Column, str, or a list of them
            Columns to keep, repeated for each row that a value gives.
        values : Column, str, or a list of them, or None
            Columns to turn; None for all that are not in `ids`.
        variableColumnName, valueColumnName : str
            Names for the columns of the names and of the values.
        """
        assert ids is not None, "ids must not be None"

        def several(cols: Any) -> list[Column]:
            return [to_column(c) for c in (cols if isinstance(cols, (tuple, list)) else [cols])]

        id_columns = several(ids)
        body: dict[str, Any] = {"ids": [c._expr for c in id_columns]}
        value_columns: list[Column] = []
        if values is not None:
            value_columns = several(values)
            body["values"] = {"values": [c._expr for c in value_columns]}
        body.update(variable_column_name=variableColumnName, value_column_name=valueColumnName)
        return self._over("unpivot", id_columns + value_columns, **body)

    melt = unpivot

    def transpose(self, indexColumn: ColumnOrName | None = None) -> DataFrame:
        """Return the table with rows and columns exchanged; a column names the new ones."""
        columns = [] if indexColumn is None else [to_column(indexColumn)]
        return self._over("transpose", columns, index_columns=[c._expr for c in columns])

    # ---- partitions and hints -------------------------------------------------------------------

    def repartition(self, numPartitions: int | ColumnOrName, *cols: ColumnOrName) -> DataFrame:
        """Distribute rows anew, evenly or by the hash of some columns."""
        if isinstance(numPartitions, int):
            _positive(numPartitions)
            if not cols:
                return self._over(
                    "repartition", same_schema=True, num_partitions=numPartitions, shuffle=True
                )
            return self._partition_by(numPartitions, self._columns(cols))
        check("numPartitions", numPartitions, (str, Column), "Column or str")
        return self._partition_by(None, self._columns((numPartitions, *cols)))

    def repartitionByRange(
        self, numPartitions: int | ColumnOrName, *cols: ColumnOrName
    ) -> DataFrame:
        """Distribute rows anew by ranges of some columns."""
        number = None
        if isinstance(numPartitions, int):
            _positive(numPartitions)
            if not cols:
                raise value_error("CANNOT_BE_EMPTY", item="cols")
            number = numPartitions
        else:
            check("numPartitions", numPartitions, (str, Column), "Column, int or str")
            cols = (numPartitions, *cols)
        return self._partition_by(number, [sort_key(c) for c in self._columns(cols)])

    def repartitionById(self, numPartitions: int, partitionIdCol: ColumnOrName) -> DataFrame:
        """Distribute rows to the partitions that a column of numbers names."""
        if not isinstance(numPartitions, int) or isinstance(numPartitions, bool):
            raise not_expected("numPartitions", numPartitions, "int")
        _positive(numPartitions)
        child = to_column(partitionIdCol)
        direct = Column({"direct_shuffle_partition_id": {"child": child._expr}}, child._refs)
        return self._partition_by(numPartitions, [direct])

    def _partition_by(self, number: int | None, columns: list[Column]) -> DataFrame:
        body: dict[str, Any] = {"partition_exprs": [c._expr for c in columns]}
        if number is not None:
            body["num_partitions"] = number
        return self._over("repartition_by_expression", columns, True, **body)

    def coalesce(self, numPartitions: int) -> DataFrame:
        """Merge partitions until there are at most `numPartitions`."""
        _positive(numPartitions)
        return self._over(
            "repartition", same_schema=True, num_partitions=numPartitions, shuffle=False
        )

    def hint(self, name: str, *parameters: Any) -> DataFrame:
        """Give the optimizer a hint, such as ``"broadcast"``."""
        if len(parameters) == 1 and isinstance(parameters[0], list):
            parameters = tuple(parameters[0])
        check("name", name, str, "str")
        for p in parameters:
            items = p if isinstance(p, list) else [p]
            allowed = (str, float, int) if isinstance(p, list) else (str, float, int, Column)
            if not all(isinstance(item, allowed) for item in items):
                kind = type(p).__name__
                raise _hint_error(f"{kind}[{type(p[0]).__name__}]" if kind == "list" else kind)
        columns = [lit(p) for p in parameters]
        trees = [c._expr for c in columns]
        return self._over("hint", columns, True, name=name, parameters=trees)

    def withWatermark(self, eventTime: str, delayThreshold: str) -> DataFrame:
        """Set how late rows of a stream may be."""
        for name, value in (("eventTime", eventTime), ("delayThreshold", delayThreshold)):
            if not value or type(value) is not str:
                raise not_expected(name, value, "str")
        return self._over("with_watermark", event_time=eventTime, delay_threshold=delayThreshold)

    def observe(self, observation: Observation | str, *exprs: Column) -> DataFrame:
        """Collect metrics while the rows go by.

        Parameters
        ----------
        observation : Observation or str
            Where the metrics go; or only their name in what a Spark Connect server answers.
        *exprs : Column
            Aggregates of the rows.
        """
        from nbaspark.sql.observation import Observation

        if not exprs:
            raise value_error("CANNOT_BE_EMPTY", item="exprs")
        if not all(isinstance(e, Column) for e in exprs):
            raise not_expected("exprs", exprs, "list[Column]")
        if isinstance(observation, Observation):
            return observation._on(self, exprs)
        if not isinstance(observation, str):
            raise not_expected("observation", observation, "Observation or str")
        metrics = [e._expr for e in exprs]
        return self._over("collect_metrics", exprs, True, name=observation, metrics=metrics)

    # ---- samples --------------------------------------------------------------------------------

    def sample(
        self,
        withReplacement: float | bool | None = None,
        fraction: int | float | None = None,
        seed: int | None = None,
    ) -> DataFrame:
        """Return a random sample.

        Parameters
        ----------
        withReplacement : bool, optional
            Whether a row may be drawn several times.
        fraction : float
            The share of rows, from 0 to 1; about so many are returned.
        seed : int, optional
            Makes the sample the same each time.
        """
        if isinstance(withReplacement, bool) and isinstance(fraction, float):
            pass
        elif withReplacement is None and isinstance(fraction, float):
            withReplacement = False
        elif isinstance(withReplacement, float) and not isinstance(withReplacement, bool):
            # sample(0.5, seed)
            seed = seed if fraction is None else int(fraction)
            withReplacement, fraction = False, withReplacement
        else:
            kinds = ", ".join(type(a).__name__ for a in (withReplacement, fraction, seed))
            from nbaspark.errors.raising import type_error

            raise type_error(
                "NOT_EXPECTED_TYPE",
                expected_type="bool, float or int",
                arg_name="withReplacement (optional), fraction (required) and seed (optional)",
                arg_type=kinds,
            )
        return self._sample(0.0, fraction, withReplacement, _seed(seed), False)

    def _sample(
        self, low: float, high: float, replacement: bool, seed: int, ordered: bool
    ) -> DataFrame:
        return self._over(
            "sample",
            same_schema=True,
            lower_bound=low,
            upper_bound=high,
            with_replacement=replacement,
            seed=seed,
            deterministic_order=ordered,
        )

    def randomSplit(self, weights: list[float], seed: int | None = None) -> list[DataFrame]:
        """Split the rows at random into tables of about these relative sizes.

        Examples
        --------
        >>> a, b = spark.range(100).randomSplit([3.0, 1.0], seed=1)
        >>> a.count() + b.count()
        100
        """
        for w in weights:
            if w < 0.0:
                raise value_error("VALUE_NOT_POSITIVE", arg_name="weights", arg_value=w)
        total = sum(weights)
        if total <= 0:
            raise value_error("VALUE_NOT_POSITIVE", arg_name="sum(weights)", arg_value=total)
        seed = _seed(seed)
        splits, low = [], 0.0
        for w in weights:
            high = low + w / total
            splits.append(self._sample(low, high, False, seed, True))
            low = high
        return splits

    # ---- subqueries -----------------------------------------------------------------------------

    def _subquery(self, kind: str) -> Column:
        body = {"plan_id": self._plan_id, "subquery_type": f"SUBQUERY_TYPE_{kind}"}
        return Column({"subquery_expression": body}, (self._plan,))

    def scalar(self) -> Column:
        """Return the single value of this table of one row and one column, as a column."""
        return self._subquery("SCALAR")

    def exists(self) -> Column:
        """Return whether this table has a row, as a column."""
        return self._subquery("EXISTS")

    # ---- writing --------------------------------------------------------------------------------

    @property
    def write(self) -> DataFrameWriter:
        """A writer of files and tables.

        Examples
        --------
        >>> df.write.mode("overwrite").csv("out", header=True)  # doctest: +SKIP
        """
        from nbaspark.sql.readwriter import DataFrameWriter

        return DataFrameWriter(self)

    def writeTo(self, table: str) -> DataFrameWriterV2:
        """Return a writer to a table of a catalog."""
        from nbaspark.sql.readwriter import DataFrameWriterV2

        return DataFrameWriterV2(self, table)

    @property
    def na(self) -> DataFrameNaFunctions:
        """Functions for missing values."""
        return DataFrameNaFunctions(self)

    @property
    def stat(self) -> DataFrameStatFunctions:
        """Functions for statistics."""
        return DataFrameStatFunctions(self)

    def __reduce__(self):
        return DataFrame, (self._plan, self._session, self._cached_schema)


def _join_condition(on: Any, body: dict[str, Any], member: str) -> list[Column]:
    """Write what two tables are joined on into a message; return the columns in it."""
    if on is None:
        return []
    on = on if isinstance(on, list) else [on]
    if not on:
        return []
    if isinstance(on[0], str):
        body["using_columns"] = list(on)
        return []
    condition = on[0]
    for c in on[1:]:
        condition = condition & c
    body[member] = condition._expr
    return [condition]


def _join_type(how: str | None, joins: dict[str, str], spellings: str) -> str:
    kind = joins.get("inner" if how is None else how)
    if kind is None:
        supported = ", ".join(f"'{s}'" for s in spellings.split())
        raise AnalysisException(
            errorClass="UNSUPPORTED_JOIN_TYPE",
            messageParameters={"typ": str(how), "supported": supported},
        )
    return kind


def _positive(number: int) -> None:
    if not number > 0:
        raise value_error("VALUE_NOT_POSITIVE", arg_name="numPartitions", arg_value=number)


def _seed(seed: int | None) -> int:
    if seed is not None:
        return int(seed)
    from random import randint
    from sys import maxsize

    return randint(0, maxsize)


def _hint_error(item_type: str) -> Exception:
    from nbaspark.errors.raising import type_error

    return type_error(
        "INVALID_ITEM_FOR_CONTAINER",
        arg_name="parameters",
        allowed_types="str, float, int, Column, list[str], list[float], list[int]",
        item_type=item_type,
    )


def _check_nearest(number: int, mode: str, direction: str, join_type: str) -> None:
    """Raise an error for an argument of `DataFrame.nearestByJoin` that is not allowed."""
    failed = None
    if not 1 <= number <= 100000:
        failed = "NUM_RESULTS_OUT_OF_RANGE", {"numResults": number, "min": 1, "max": 100000}
    elif join_type.lower().replace("_", "") not in ("inner", "leftouter", "left"):
        failed = (
            "UNSUPPORTED_JOIN_TYPE",
            {
                "joinType": join_type,
                "supported": "'INNER', 'LEFT OUTER'",
            },
        )
    elif mode.lower() not in ("approx", "exact"):
        failed = "UNSUPPORTED_MODE", {"mode": mode, "supported": "'approx', 'exact'"}
    elif direction.lower() not in ("distance", "similarity"):
        supported = "'distance', 'similarity'"
        failed = "UNSUPPORTED_DIRECTION", {"direction": direction, "supported": supported}
    if failed is not None:
        raise AnalysisException(
            errorClass=f"NEAREST_BY_JOIN.{failed[0]}",
            messageParameters={k: str(v) for k, v in failed[1].items()},
        )
