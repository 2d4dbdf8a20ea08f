# SPDX-License-Identifier: Apache-2.0
"""The part of DataFrame that sends its plan to the engine: rows, schema, explain, views, cache."""

from __future__ import annotations

from nbaspark.errors.raising import check, not_expected, value_error
from nbaspark.storagelevel import StorageLevel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.types import Row, StructType


_EXPLAIN_MODES = {
    "simple": "EXPLAIN_MODE_SIMPLE",
    "extended": "EXPLAIN_MODE_EXTENDED",
    "codegen": "EXPLAIN_MODE_CODEGEN",
    "cost": "EXPLAIN_MODE_COST",
    "formatted": "EXPLAIN_MODE_FORMATTED",
}


class DataFrameActions:
    """Actions of a DataFrame; a base class of it and of nothing else."""

    _plan: dict[str, Any]
    _session: Any
    _cached_schema: StructType | None

    # ---- running --------------------------------------------------------------------------------

    def _execute(self) -> Any:
        """Run the plan; return the engine's result."""
        return self._session._channel.execute({"root": self._plan})

    def _analyze(self, method: str, **fields: Any) -> dict[str, Any]:
        request = {"plan": {"root": self._plan}, **fields}
        return self._session._channel.analyze({method: request})[method]

    def _analyze_relation(self, method: str, **fields: Any) -> dict[str, Any]:
        request = {"relation": self._plan, **fields}
        return self._session._channel.analyze({method: request}).get(method) or {}

    def _single_value(self: Any) -> Any:
        """Return the value of a table of one row and one column."""
        return self._execute().rows(None)[0][0]

    # ---- rows -----------------------------------------------------------------------------------

    def collect(self) -> list[Row]:
        """Return all rows.

        Examples
        --------
        >>> spark.range(2).collect()
        [Row(id=0), Row(id=1)]
        """
        from nbaspark.sql.rows import to_rows

        return to_rows(self._execute())

    def take(self: Any, num: int) -> list[Row]:
        """Return the first `num` rows."""
        return self.limit(num).collect()

    def tail(self: Any, num: int) -> list[Row]:
        """Return the last `num` rows."""
        return self._over("tail", limit=num).collect()

    def head(self, n: int | None = None) -> Row | None | list[Row]:
        """Return the first row, or None; with `n`, a list of the first rows."""
        if n is None:
            rows = self.take(1)
            return rows[0] if rows else None
        return self.take(n)

    def first(self) -> Row | None:
        """Return the first row, or None.

        Examples
        --------
        >>> spark.range(3, 5).first()
        Row(id=3)
        """
        return self.head()  # type: ignore[return-value]

    def count(self: Any) -> int:
        """Return the number of rows.

        Examples
        --------
        >>> spark.range(1000).count()
        1000
        """
        from nbaspark.sql.functions.base import invoke, lit

        return self.agg(invoke("count", lit(1)))._single_value()

    def isEmpty(self: Any) -> bool:
        """Return whether there is no row."""
        return not self.select().take(1)

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[Row]:
        """Return an iterator over the rows; those of a remote session come as they are needed."""
        from nbaspark.sql.rows import to_rows

        for table in self._session._channel.batches({"root": self._plan}):
            yield from to_rows(table)

    def foreach(self, f: Callable[[Row], None]) -> None:
        """Call a function with each row, in this process."""
        for row in self.collect():
            f(row)

    def foreachPartition(self, f: Callable[[Iterator[Row]], None]) -> None:
        """Call a function with an iterator over the rows, in this process: there is one partition."""
        f(self.toLocalIterator())

    # ---- other forms ----------------------------------------------------------------------------

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as an Arrow stream, by which other libraries take them in."""
        return self._execute().__arrow_c_stream__(requested_schema)

    def toArrow(self) -> Any:
        """Return the rows as a pyarrow.Table."""
        from nbaspark.sql.rows import to_arrow

        channel = self._session._channel
        plan = {"root": self._plan}
        return channel.arrow_table(plan) if channel.is_remote else to_arrow(channel.execute(plan))

    def toPandas(self) -> Any:
        """Return the rows as a pandas.DataFrame.

        Examples
        --------
        >>> spark.range(2).toPandas()
           id
        0   0
        1   1
        """
        from nbaspark.sql.rows import to_pandas

        return to_pandas(self._execute(), self._session)

    # ---- looking --------------------------------------------------------------------------------

    def show(self, n: int = 20, truncate: bool | int = True, vertical: bool = False) -> None:
        """Print the first rows as a table.

        Parameters
        ----------
        n : int, optional
            How many rows.
        truncate : bool or int, optional
            Whether to cut values to 20 characters, or to how many.
        vertical : bool, optional
            Whether to print a line for each value.

        Examples
        --------
        >>> spark.createDataFrame([("Ana", 11)], ["name", "age"]).show()
        +----+---+
        |name|age|
        +----+---+
        | Ana| 11|
        +----+---+
        <BLANKLINE>
        """
        print(self._show_string(n, truncate, vertical))

    def _show_string(
        self: Any, n: int = 20, truncate: bool | int = True, vertical: bool = False
    ) -> str:
        if not isinstance(n, int) or isinstance(n, bool):
            raise not_expected("n", n, "int")
        check("vertical", vertical, bool, "bool")
        if truncate is True:
            width = 20
        else:
            try:
                width = int(truncate)
            except ValueError:
                raise not_expected("truncate", truncate, "bool") from None
        shown = self._over("show_string", num_rows=n, truncate=width, vertical=vertical)
        return shown._single_value()

    def _eager_evaluation(self) -> tuple[int, int] | None:
        """Return rows and width that a notebook shows by itself, or None if it shall not."""
        conf = self._session.conf
        if conf.get("spark.sql.repl.eagerEval.enabled", "false") != "true":
            return None
        rows = conf.get("spark.sql.repl.eagerEval.maxNumRows", "20")
        width = conf.get("spark.sql.repl.eagerEval.truncate", "20")
        return int(rows), int(width)

    def __repr__(self: Any) -> str:
        if not self._shown_as_html:
            eager = self._eager_evaluation()
            if eager is not None:
                return self._show_string(eager[0], eager[1])
        return "DataFrame[%s]" % ", ".join(f"{name}: {kind}" for name, kind in self.dtypes)

    def _repr_html_(self: Any) -> str | None:
        # A notebook calls this and then __repr__; the table shall be computed once only.
        self._shown_as_html = True
        eager = self._eager_evaluation()
        if eager is None:
            return None
        return self._over("html_string", num_rows=eager[0], truncate=eager[1])._single_value()

    # ---- schema ---------------------------------------------------------------------------------

    @property
    def schema(self) -> StructType:
        """The names and types of the columns.

        Examples
        --------
        >>> spark.range(1).schema
        StructType([StructField('id', LongType(), False)])
        """
        if self._cached_schema is None:
            from nbaspark.sql.types_proto import from_tree

            tree = self._analyze("schema")["schema"]
            self._cached_schema = from_tree(tree)  # type: ignore[assignment]
        return self._cached_schema  # type: ignore[return-value]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """The names and types of the columns, as text."""
        return [(f.name, f.dataType.simpleString()) for f in self.schema.fields]

    def printSchema(self, level: int | None = None) -> None:
        """Print the schema as a tree, down to a level if one is given.

        Examples
        --------
        >>> spark.range(1).printSchema()
        root
         |-- id: long (nullable = false)
        <BLANKLINE>
        """
        print(self.schema.treeString(level) if level else self.schema.treeString())

    def isLocal(self) -> bool:
        """Return whether the rows can be had without running the engine."""
        return bool(self._analyze("is_local").get("is_local"))

    @property
    def isStreaming(self) -> bool:
        """Whether the plan reads a stream."""
        return bool(self._analyze("is_streaming").get("is_streaming"))

    def inputFiles(self) -> list[str]:
        """Return the files that the plan reads."""
        return list(self._analyze("input_files").get("files") or [])

    def sameSemantics(self: Any, other: DataFrame) -> bool:
        """Return whether two plans certainly give the same rows."""
        from nbaspark.sql.dataframe import DataFrame

        check("other", other, DataFrame, "DataFrame")
        request = {
            "target_plan": {"root": self._plan},
            "other_plan": {"root": self._other(other)},
        }
        answer = self._session._channel.analyze({"same_semantics": request})
        return bool((answer.get("same_semantics") or {}).get("result"))

    def semanticHash(self) -> int:
        """Return a number that is equal for plans that give the same rows."""
        return self._analyze("semantic_hash").get("result", 0)

    def explain(self, extended: bool | str | None = None, mode: str | None = None) -> None:
        """Print how the rows are computed.

        Parameters
        ----------
        extended : bool or str, optional
            Whether to print the logical plans too; or a mode.
        mode : str, optional
            ``simple``, ``extended``, ``codegen``, ``cost`` or ``formatted``.
        """
        print(self._explain_string(extended, mode))

    def _explain_string(self, extended: bool | str | None = None, mode: str | None = None) -> str:
        if extended is not None and mode is not None:
            raise value_error("CANNOT_SET_TOGETHER", arg_list="extended and mode")
        chosen: Any = mode if mode is not None else extended
        if isinstance(chosen, bool):
            chosen = "extended" if chosen else "simple"
        elif chosen is None:
            chosen = "simple"
        elif not isinstance(chosen, str):
            from nbaspark.errors.raising import type_error

            raise type_error(
                "NOT_EXPECTED_TYPE",
                expected_type="bool or str",
                arg_name="extended (optional) and mode (optional)",
                arg_type=str(type(chosen)),
            )
        name = _EXPLAIN_MODES.get(chosen)
        if name is None:
            raise value_error("UNKNOWN_EXPLAIN_MODE", explain_mode=chosen)
        return self._analyze("explain", explain_mode=name)["explain_string"]

    # ---- views ----------------------------------------------------------------------------------

    def _create_view(self, name: str, is_global: bool, replace: bool) -> None:
        view = {"input": self._plan, "name": name, "is_global": is_global, "replace": replace}
        self._session._command({"create_dataframe_view": view})

    def createTempView(self, name: str) -> None:
        """Give this table a name in the session; one that is taken is an error."""
        self._create_view(name, False, False)

    def createOrReplaceTempView(self, name: str) -> None:
        """Give this table a name in the session.

        Examples
        --------
        >>> spark.range(3).createOrReplaceTempView("numbers")
        >>> spark.sql("SELECT sum(id) AS total FROM numbers").collect()
        [Row(total=3)]
        """
        self._create_view(name, False, True)

    def createGlobalTempView(self, name: str) -> None:
        """Give this table a name in all sessions; one that is taken is an error."""
        self._create_view(name, True, False)

    def createOrReplaceGlobalTempView(self, name: str) -> None:
        """Give this table a name in all sessions."""
        self._create_view(name, True, True)

    def registerTempTable(self, name: str) -> None:
        """Give this table a name in the session; the old name of `createOrReplaceTempView`."""
        import warnings

        warnings.warn(
            "Deprecated in 2.0, use createOrReplaceTempView instead.", FutureWarning, stacklevel=2
        )
        self.createOrReplaceTempView(name)

    # ---- cache ----------------------------------------------------------------------------------

    def cache(self) -> DataFrame:
        """Keep the rows, once computed, for later uses."""
        return self.persist()

    def persist(
        self: Any, storageLevel: StorageLevel = StorageLevel.MEMORY_AND_DISK_DESER
    ) -> DataFrame:
        """Keep the rows, once computed, at a storage level."""
        self._analyze_relation("persist", storage_level=storageLevel._to_tree())
        return self

    def unpersist(self: Any, blocking: bool = False) -> DataFrame:
        """Forget the rows that `cache` or `persist` kept."""
        self._analyze_relation("unpersist", blocking=blocking)
        return self

    @property
    def storageLevel(self) -> StorageLevel:
        """How the rows are kept."""
        from nbaspark.storagelevel import StorageLevel

        answer = self._analyze_relation("get_storage_level")
        return StorageLevel._from_tree(answer.get("storage_level") or {})

    @property
    def is_cached(self) -> bool:
        """Whether the rows are kept."""
        from nbaspark.storagelevel import StorageLevel

        return self.storageLevel != StorageLevel.NONE

    def checkpoint(self: Any, eager: bool = True) -> DataFrame:
        """Return this table cut off from the plan that made it."""
        return self._checkpoint({"local": False, "eager": eager})

    def localCheckpoint(
        self: Any, eager: bool = True, storageLevel: StorageLevel | None = None
    ) -> DataFrame:
        """Return this table cut off from the plan that made it, kept in memory."""
        body: dict[str, Any] = {"local": True, "eager": eager}
        if storageLevel is not None:
            body["storage_level"] = storageLevel._to_tree()
        return self._checkpoint(body)

    def _checkpoint(self: Any, body: dict[str, Any]) -> DataFrame:
        from nbaspark.errors.raising import not_implemented
        from nbaspark.sql.dataframe import DataFrame
        from nbaspark.sql.plan import relation
        from nbaspark.sql.session import _answers

        result = self._session._command({"checkpoint_command": {"relation": self._plan, **body}})
        for answer in _answers(result):
            if answer.get("checkpoint_command_result"):
                remote = dict(answer["checkpoint_command_result"]["relation"])
                remote["relation_id"] = self._session._channel.kept(remote["relation_id"])
                return DataFrame(relation("cached_remote_relation", remote), self._session)
        raise not_implemented("checkpoint")
