# SPDX-License-Identifier: Apache-2.0
"""SparkSession: where programs begin."""

from __future__ import annotations

from nbaspark.errors.raising import check, not_implemented, type_error, value_error
from nbaspark.sql.client import Channel, open_channel
from nbaspark.sql.conf import RuntimeConfig, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.conf import SparkConf
    from nbaspark.context import SparkContext
    from nbaspark.sql.catalog import Catalog
    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.readwriter import DataFrameReader
    from nbaspark.sql.types import DataType, StructType
    from nbaspark.sql.udf import UDFRegistration

__all__ = ["SparkSession"]


class _Fresh:
    """A class attribute that is made anew at each access."""

    def __get__(self, instance: Any, owner: Any = None) -> SparkSession.Builder:
        return owner.Builder()


class SparkSession:
    """A session: the entrance to reading data, SQL and DataFrames.

    Use `SparkSession.builder` to get one.

    Examples
    --------
    >>> from nbaspark.sql import SparkSession
    >>> spark = SparkSession.builder.appName("demo").getOrCreate()
    >>> spark.range(3).collect()
    [Row(id=0), Row(id=1), Row(id=2)]
    """

    _active: SparkSession | None = None

    class Builder:
        """Collects the settings of a session, and makes or finds it."""

        def __init__(self) -> None:
            self._options: dict[str, str] = {}

        def config(
            self,
            key: str | None = None,
            value: Any = None,
            conf: SparkConf | None = None,
            *,
            map: dict[str, Any] | None = None,
        ) -> SparkSession.Builder:
            """Set a property, or several.

            Parameters
            ----------
            key : str, optional
                A name, with `value`.
            value : Any, optional
                The value.
            conf : SparkConf, optional
                Properties to take over.
            map : dict, optional
                Properties to take over.
            """
            if map is not None:
                self._options.update({k: to_text(v) or "" for k, v in map.items()})
            elif conf is not None:
                self._options.update(conf.getAll())
            else:
                self._options[str(key)] = to_text(value) or ""
            return self

        def master(self, master: str) -> SparkSession.Builder:
            """Set where the session runs: ``local[N]`` in this process, ``spark://host:7077`` on a cluster."""
            return self.config("spark.master", master)

        def remote(self, url: str) -> SparkSession.Builder:
            """Set the Spark Connect server that the session runs on.

            Parameters
            ----------
            url : str
                ``sc://host:port/;key=value;…`` with the keys ``token``, ``use_ssl``, ``user_id``,
                ``session_id`` and ``user_agent``; others go as headers with each call.
            """
            return self.config("spark.remote", url)

        def appName(self, name: str) -> SparkSession.Builder:
            """Set the name of the application."""
            return self.config("spark.app.name", name)

        def enableHiveSupport(self) -> SparkSession.Builder:
            """Accepted for programs that call it; there is no Hive."""
            return self

        def create(self) -> SparkSession:
            """Return a new session."""
            import os

            from nbaspark.defaults import load, overlay

            session = SparkSession(conf=overlay(load(os.environ), self._options))
            session._send_settings()
            SparkSession._active = session
            return session

        def getOrCreate(self) -> SparkSession:
            """Return the running session with these settings applied, or a new one."""
            session = SparkSession.getActiveSession()
            if session is None:
                return self.create()
            fixed = ("spark.master", "spark.remote")
            options = {k: v for k, v in self._options.items() if k not in fixed}
            if options:
                session.conf._set_all(options, silent=True)
            return session

    builder: SparkSession.Builder = _Fresh()  # type: ignore[assignment]

    def __init__(self, conf: dict[str, str] | None = None, channel: Channel | None = None):
        from time import time_ns

        self._initial = {"spark.app.name": "nbaspark", **(conf or {})}
        self._start_ms = time_ns() // 1_000_000
        self._stopped = False
        self._session_id: str | None = None
        self._catalog: Catalog | None = None
        self._version: str | None = None
        self._channel = channel if channel is not None else open_channel(self._initial)

    # ---- life -----------------------------------------------------------------------------------

    @classmethod
    def getActiveSession(cls) -> SparkSession | None:
        """Return the running session, or None."""
        session = SparkSession._active
        return None if session is None or session._stopped else session

    @classmethod
    def active(cls) -> SparkSession:
        """Return the running session; without one, that is an error."""
        session = cls.getActiveSession()
        if session is None:
            from nbaspark.errors import PySparkRuntimeError

            raise PySparkRuntimeError(
                errorClass="NO_ACTIVE_OR_DEFAULT_SESSION", messageParameters={}
            )
        return session

    def newSession(self) -> SparkSession:
        """Return a session of its own: other settings, views and functions."""
        if not self._channel.is_remote:
            return SparkSession(dict(self._initial))
        return SparkSession(dict(self._initial), self._remote("newSession").new_session())

    def cloneSession(self, new_session_id: str | None = None) -> SparkSession:
        """Return a copy of this session, with its settings, views and functions; remote sessions only.

        Parameters
        ----------
        new_session_id : str, optional
            The name of the copy, a UUID.
        """
        channel = self._remote("cloneSession").clone_session(new_session_id)
        return SparkSession(dict(self._initial), channel)

    def _remote(self, method: str) -> Any:
        """Return the channel of a session on a server; others do not have this method."""
        if not self._channel.is_remote:
            raise not_implemented(f"SparkSession.{method} of a session in one process")
        return self._channel

    def _send_settings(self) -> None:
        """Give a server the properties that the session began with, those that are its business."""
        if self._channel.is_remote:
            secret = ("token", "secret", "password")
            mine = {
                k: v
                for k, v in self._initial.items()
                if k not in _OF_THE_CLIENT
                and not k.startswith("spark.ssl.")
                and not k.lower().endswith(secret)
            }
            self.conf._set_all(mine, silent=True)

    def stop(self) -> None:
        """End the session and free what it holds. Stopping twice is fine."""
        if not self._stopped:
            self._stopped = True
            if SparkSession._active is self:
                SparkSession._active = None
            self._channel.close()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def __enter__(self) -> SparkSession:
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self.stop()

    @property
    def session_id(self) -> str:
        """The identity of this session."""
        if self._channel.is_remote:
            return self._channel.session_id
        if self._session_id is None:
            from uuid import uuid4

            self._session_id = str(uuid4())
        return self._session_id

    # ---- facts and settings ---------------------------------------------------------------------

    @property
    def version(self) -> str:
        """The version of Spark whose behaviour the engine has."""
        if self._version is None:
            answer = self._channel.analyze({"spark_version": {}})
            self._version = answer["spark_version"]["version"]
        return self._version

    @property
    def conf(self) -> RuntimeConfig:
        """The configuration of this session."""
        return RuntimeConfig(self._channel)

    def _setting(self, key: str, default: Any) -> Any:
        """Return a property, or the one that the session began with, or a default."""
        value = self.conf.get(key, None)
        return value if value is not None else self._initial.get(key, default)

    @property
    def sparkContext(self) -> SparkContext:
        """Facts and settings of the application."""
        from nbaspark.context import SparkContext

        return SparkContext._of(self)

    @property
    def udf(self) -> UDFRegistration:
        """Functions in Python under names for SQL."""
        from nbaspark.sql.udf import UDFRegistration

        return UDFRegistration(self)

    @property
    def catalog(self) -> Catalog:
        """Databases, tables, views and functions."""
        if self._catalog is None:
            from nbaspark.sql.catalog import Catalog

            self._catalog = Catalog(self)
        return self._catalog

    # ---- operations -----------------------------------------------------------------------------

    def interruptAll(self) -> list[str]:
        """Stop all queries that run in this session; return the operations of a remote one."""
        return self._channel.interrupt()

    def interruptTag(self, tag: str) -> list[str]:
        """Stop the operations that were begun under a tag; remote sessions only."""
        return self._channel.interrupt("TAG", operation_tag=_checked_tag(tag))

    def interruptOperation(self, op_id: str) -> list[str]:
        """Stop an operation by its name; remote sessions only."""
        return self._channel.interrupt("OPERATION_ID", operation_id=op_id)

    def addTag(self, tag: str) -> None:
        """Put a tag on the operations that this thread begins from now on; remote sessions only."""
        self._remote("addTag").tags.add(_checked_tag(tag))

    def removeTag(self, tag: str) -> None:
        """Take a tag off what this thread begins."""
        self._remote("removeTag").tags.remove(_checked_tag(tag))

    def getTags(self) -> set[str]:
        """Return the tags that this thread's operations get."""
        return set(self._remote("getTags").tags)

    def clearTags(self) -> None:
        """Take all tags off what this thread begins."""
        self._remote("clearTags").tags.clear()

    def registerProgressHandler(self, handler: Any) -> None:
        """Have a function called while queries of a remote session run.

        Parameters
        ----------
        handler : callable
            Called with the keywords ``stages`` (objects with ``stage_id``, ``num_tasks``,
            ``num_completed_tasks``, ``num_bytes_read`` and ``done``, or None at the end),
            ``inflight_tasks``, ``operation_id`` and ``done``.
        """
        handlers = self._remote("registerProgressHandler").progress_handlers
        if handler not in handlers:
            handlers.append(handler)

    def removeProgressHandler(self, handler: Any) -> None:
        """Call a function no longer."""
        self._remote("removeProgressHandler").progress_handlers.remove(handler)

    def clearProgressHandlers(self) -> None:
        """Call no function any longer."""
        self._remote("clearProgressHandlers").progress_handlers.clear()

    def addArtifacts(
        self, *path: str, pyfile: bool = False, archive: bool = False, file: bool = False
    ) -> None:
        """Hand over files: to the server of a remote session, else for this process.

        Parameters
        ----------
        *path : str
            Files; those without a kind are Java archives, which have no meaning in one process.
        pyfile : bool
            Whether they are modules of Python, ``.py`` or archives of them.
        archive : bool
            Whether they are archives to be unpacked; ``a.zip#name`` says into which folder.
        file : bool
            Whether they are files that the job finds with `SparkFiles.get`.
        """
        if pyfile + archive + file > 1:
            raise value_error(
                "INVALID_MULTIPLE_ARGUMENT_CONDITIONS",
                arg_names="'pyfile', 'archive' and/or 'file'",
                condition="True together",
            )
        if self._channel.is_remote:
            from nbaspark.sql.remote_upload import add_artifacts

            add_artifacts(self._remote("addArtifacts"), path, pyfile, archive, file)
            return
        from nbaspark import files

        if archive:
            files.share_archives(path)
        elif pyfile:
            files.share_modules(path)
        elif file:
            files.share(path)

    addArtifact = addArtifacts

    def copyFromLocalToFs(self, local_path: str, dest_path: str) -> None:
        """Copy a file of this machine to an absolute path of the server's file system."""
        channel = self._remote("copyFromLocalToFs")
        from nbaspark.sql.remote_upload import copy_to_fs

        copy_to_fs(channel, local_path, dest_path)

    # ---- DataFrames -----------------------------------------------------------------------------

    def _relation(self, kind: str, body: dict[str, Any]) -> DataFrame:
        """Return the DataFrame of a relation that has no input."""
        from nbaspark.sql.dataframe import DataFrame
        from nbaspark.sql.plan import relation

        return DataFrame(relation(kind, body), self)

    def _command(self, command: dict[str, Any]) -> Any:
        return self._channel.execute({"command": command})

    @property
    def read(self) -> DataFrameReader:
        """A reader of files and tables.

        Examples
        --------
        >>> df = spark.read.option("header", True).csv("people.csv")  # doctest: +SKIP
        """
        from nbaspark.sql.readwriter import DataFrameReader

        return DataFrameReader(self)

    def range(
        self,
        start: int,
        end: int | None = None,
        step: int = 1,
        numPartitions: int | None = None,
    ) -> DataFrame:
        """Return a DataFrame of one column ``id`` of whole numbers.

        Parameters
        ----------
        start : int
            The first number; with no `end`, the end, and the first is 0.
        end : int, optional
            Where to stop, not included.
        step : int, optional
            The distance between numbers.
        numPartitions : int, optional
            How many partitions to cut them into.

        Examples
        --------
        >>> spark.range(1, 7, 2).collect()
        [Row(id=1), Row(id=3), Row(id=5)]
        """
        if end is None:
            start, end = 0, start
        body: dict[str, Any] = {"start": int(start), "end": int(end), "step": int(step)}
        if numPartitions is not None:
            body["num_partitions"] = int(numPartitions)
        return self._relation("range", body)

    def table(self, tableName: str) -> DataFrame:
        """Return the DataFrame of a table or view."""
        check("tableName", tableName, str, "str")
        return self.read.table(tableName)

    def createDataFrame(
        self,
        data: Any,
        schema: DataType | str | list[str] | tuple[str, ...] | None = None,
        samplingRatio: float | None = None,
        verifySchema: bool = True,
    ) -> DataFrame:
        """Return a DataFrame of local data.

        Parameters
        ----------
        data : iterable, pandas.DataFrame, numpy.ndarray, or Arrow data
            Rows (tuples, dicts, `Row`, objects, or single values), or a table.
        schema : DataType, str or list of str, optional
            The types, the DDL of them, or only the names of the columns; what is missing is
            inferred.
        samplingRatio : float, optional
            The share of rows that types are inferred from; all by default.
        verifySchema : bool, optional
            Whether values are checked against the schema.

        Examples
        --------
        >>> spark.createDataFrame([("Ana", 11), ("Bia", 5)], ["name", "age"]).show()
        +----+---+
        |name|age|
        +----+---+
        | Ana| 11|
        | Bia|  5|
        +----+---+
        <BLANKLINE>
        >>> spark.createDataFrame([{"a": 1}], "a int").dtypes
        [('a', 'int')]
        """
        from nbaspark.sql.local_data import create_dataframe

        return create_dataframe(self, data, schema, samplingRatio, verifySchema)

    def emptyDataFrame(self, schema: StructType | str) -> DataFrame:
        """Return a DataFrame without rows."""
        return self.createDataFrame([], schema)

    def sql(
        self,
        sqlQuery: str,
        args: dict[str, Any] | list[Any] | None = None,
        **kwargs: Any,
    ) -> DataFrame:
        """Return the result of an SQL statement.

        Parameters
        ----------
        sqlQuery : str
            The statement. ``{name}`` stands for a keyword argument.
        args : dict or list, optional
            Values for ``:name`` or for ``?`` in the statement.
        **kwargs
            DataFrames, columns and values for ``{name}``.

        Examples
        --------
        >>> spark.sql("SELECT id * 2 AS twice FROM range(3) WHERE id > :low", {"low": 0}).collect()
        [Row(twice=2), Row(twice=4)]
        """
        from nbaspark.sql.column import references
        from nbaspark.sql.dataframe import DataFrame
        from nbaspark.sql.functions.base import lit
        from nbaspark.sql.plan import relation, with_references

        views: tuple = ()
        if kwargs:
            from nbaspark.sql.sql_text import fill_in

            sqlQuery, views = fill_in(sqlQuery, kwargs)
        body: dict[str, Any] = {"query": sqlQuery}
        columns: list = []
        if isinstance(args, dict):
            named = {k: lit(v) for k, v in args.items()}
            columns = list(named.values())
            if named:
                body["named_arguments"] = {k: c._expr for k, c in named.items()}
        elif isinstance(args, list):
            columns = [lit(v) for v in args]
            if columns:
                body["pos_arguments"] = [c._expr for c in columns]
        elif args is not None:
            raise type_error("INVALID_TYPE", arg_name="args", arg_type=type(args).__name__)
        plan = with_references(relation("sql", body), (*views, *references(columns)))
        result = self._command({"sql_command": {"input": plan}})
        for answer in _answers(result):
            if answer.get("sql_command_result"):
                return DataFrame(answer["sql_command_result"]["relation"], self)
        return DataFrame(plan, self)

    def _parse_ddl(self, ddl: str) -> DataType:
        from nbaspark.sql.types_proto import from_tree

        answer = self._channel.analyze({"ddl_parse": {"ddl_string": ddl}})
        return from_tree(answer["ddl_parse"]["parsed"])

    def __getattr__(self, name: str) -> Any:
        if name in ("_jsc", "_jconf", "_jvm", "_jsparkSession"):
            from nbaspark.errors import PySparkAttributeError

            raise PySparkAttributeError(
                errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name}
            )
        if name in _ABSENT:
            raise not_implemented(f"SparkSession.{name}")
        raise AttributeError(f"'SparkSession' object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<nbaspark.sql.session.SparkSession object at {id(self):#x}>"


# parts of PySpark's SparkSession that the engine has nothing for yet
_ABSENT = frozenset("dataSource profile readStream streams tvf udtf".split())

# properties that say where a session runs, which servers have their own of
_OF_THE_CLIENT = frozenset(("spark.master", "spark.remote", "spark.local.dir"))


def _checked_tag(tag: Any) -> str:
    """Return a tag that servers take."""
    name = "Spark Connect tag"
    if tag is None:
        raise value_error("CANNOT_BE_NONE", arg_name=name)
    if "," in tag:
        raise value_error("VALUE_ALLOWED", arg_name=name, disallowed_value=",")
    if not tag:
        raise value_error("VALUE_NOT_NON_EMPTY_STR", arg_name=name, arg_value=tag)
    return tag


def _answers(result: Any) -> list[dict[str, Any]]:
    """Return the messages, other than data, that a command answered with."""
    answers = []
    for answer in result.commands:
        if isinstance(answer, (bytes, bytearray, memoryview)):
            from nbaspark import _core

            answer = _core.message_unpack("spark.connect.ExecutePlanResponse", answer)
        answers.append(answer)
    return answers
