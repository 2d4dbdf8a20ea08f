# SPDX-License-Identifier: Apache-2.0
"""Readers and writers: they collect options, and make a relation or a command of them."""

from __future__ import annotations

from nbaspark.errors import AnalysisException
from nbaspark.errors.raising import check, not_expected, value_error
from nbaspark.sql.column import Column, references, to_column
from nbaspark.sql.conf import to_text
from nbaspark.sql.plan import with_references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.functions.base import ColumnOrName
    from nbaspark.sql.session import SparkSession
    from nbaspark.sql.types import StructType

__all__ = ["DataFrameReader", "DataFrameWriter", "DataFrameWriterV2"]

_PARSE_FORMATS = {
    "csv": "PARSE_FORMAT_CSV",
    "json": "PARSE_FORMAT_JSON",
    "xml": "PARSE_FORMAT_XML",
}


class _Options:
    """Options by name; those that are None are left out."""

    _options: dict[str, str | None]

    def _set_options(self, **options: Any) -> None:
        for key, value in options.items():
            if value is not None:
                self._options[key] = to_text(value)

    def _given_options(self) -> dict[str, str]:
        return {k: v for k, v in self._options.items() if v is not None}

    def option(self: Any, key: str, value: Any) -> Any:
        """Set an option; numbers and booleans become text."""
        self._options[key] = to_text(value)
        return self

    def options(self: Any, **options: Any) -> Any:
        """Set several options."""
        for key, value in options.items():
            self._options[key] = to_text(value)
        return self


class DataFrameReader(_Options):
    """Reads files and tables, as ``spark.read``.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "people.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("name,age\\nAna,11\\n")
    ...     spark.read.csv(path, header=True, inferSchema=True).collect()
    [Row(name='Ana', age=11)]
    """

    def __init__(self, session: SparkSession):
        self._session = session
        self._format: str | None = None
        self._schema = ""
        self._options = {}

    def format(self, source: str) -> DataFrameReader:
        """Set the format: ``csv``, ``json``, ``text``, ``parquet`` and others."""
        self._format = source
        return self

    def schema(self, schema: StructType | str) -> DataFrameReader:
        """Set the columns, as a type or as DDL, so that they are not inferred."""
        if not isinstance(schema, str):
            from nbaspark.sql.types import StructType

            check("schema", schema, StructType, "str or struct type")
            schema = schema.json()
        self._schema = schema
        return self

    def load(
        self,
        path: str | list[str] | None = None,
        format: str | None = None,
        schema: StructType | str | None = None,
        **options: Any,
    ) -> DataFrame:
        """Return the DataFrame of files.

        Parameters
        ----------
        path : str or list of str, optional
            Files, folders or patterns.
        format : str, optional
            The format.
        schema : StructType or str, optional
            The columns.
        **options
            More options.
        """
        if format is not None:
            self.format(format)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        paths = [path] if isinstance(path, str) else path
        return self._source(paths=list(paths) if paths else None)

    def _source(self, **more: Any) -> DataFrame:
        source: dict[str, Any] = {"schema": self._schema}
        if self._format is not None:
            source["format"] = self._format
        options = self._given_options()
        if options:
            source["options"] = options
        source.update({k: v for k, v in more.items() if v})
        return self._session._relation("read", {"data_source": source})

    def _load_or_parse(self, path: Any, format: str, schema: Any) -> DataFrame:
        from nbaspark.sql.dataframe import DataFrame

        if isinstance(path, DataFrame):
            if schema is not None:
                self.schema(schema)
            return self._parse(path, format)
        check("path", path, (str, list), "str, list, or DataFrame")
        return self.load(path=path, format=format, schema=schema)

    def _parse(self, lines: DataFrame, format: str) -> DataFrame:
        body: dict[str, Any] = {"format": _PARSE_FORMATS[format]}
        if self._schema:
            from nbaspark.sql.types_parse import parse_ddl, parse_json
            from nbaspark.sql.types_proto import to_tree

            read = parse_json if self._schema.startswith("{") else parse_ddl
            body["schema"] = to_tree(read(self._schema))
        options = self._given_options()
        if options:
            body["options"] = options
        return lines._over("parse", **body)

    def table(self, tableName: str) -> DataFrame:
        """Return the DataFrame of a table or view."""
        named = {"unparsed_identifier": tableName, "options": self._given_options()}
        return self._session._relation("read", {"named_table": named})

    def changes(self, tableName: str) -> DataFrame:
        """Return the changes of a table."""
        if self._schema:
            raise AnalysisException(
                "User specified schema not supported with `changes`.",
                errorClass="_LEGACY_ERROR_TEMP_1189",
                messageParameters={"operation": "changes"},
            )
        body = {"unparsed_identifier": tableName, "options": self._given_options()}
        return self._session._relation("relation_changes", body)

    def csv(
        self,
        path: Any,
        schema: StructType | str | None = None,
        sep: str | None = None,
        encoding: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        comment: str | None = None,
        header: bool | str | None = None,
        inferSchema: bool | str | None = None,
        ignoreLeadingWhiteSpace: bool | str | None = None,
        ignoreTrailingWhiteSpace: bool | str | None = None,
        nullValue: str | None = None,
        nanValue: str | None = None,
        positiveInf: str | None = None,
        negativeInf: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        maxColumns: int | str | None = None,
        maxCharsPerColumn: int | str | None = None,
        maxMalformedLogPerPartition: int | str | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        multiLine: bool | str | None = None,
        charToEscapeQuoteEscaping: str | None = None,
        samplingRatio: float | str | None = None,
        enforceSchema: bool | str | None = None,
        emptyValue: str | None = None,
        locale: str | None = None,
        lineSep: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
        unescapedQuoteHandling: str | None = None,
    ) -> DataFrame:
        """Read CSV files, or CSV text in a DataFrame of one text column.

        Parameters
        ----------
        path : str, list of str, or DataFrame
            The files or folders, or the DataFrame.
        schema : StructType or str, optional
            The columns.
        **options
            The options of the format, by the names that Spark documents.
        """
        self._set_options(
            sep=sep,
            encoding=encoding,
            quote=quote,
            escape=escape,
            comment=comment,
            header=header,
            inferSchema=inferSchema,
            ignoreLeadingWhiteSpace=ignoreLeadingWhiteSpace,
            ignoreTrailingWhiteSpace=ignoreTrailingWhiteSpace,
            nullValue=nullValue,
            nanValue=nanValue,
            positiveInf=positiveInf,
            negativeInf=negativeInf,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            maxColumns=maxColumns,
            maxCharsPerColumn=maxCharsPerColumn,
            maxMalformedLogPerPartition=maxMalformedLogPerPartition,
            mode=mode,
            columnNameOfCorruptRecord=columnNameOfCorruptRecord,
            multiLine=multiLine,
            charToEscapeQuoteEscaping=charToEscapeQuoteEscaping,
            samplingRatio=samplingRatio,
            enforceSchema=enforceSchema,
            emptyValue=emptyValue,
            locale=locale,
            lineSep=lineSep,
            pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup,
            modifiedBefore=modifiedBefore,
            modifiedAfter=modifiedAfter,
            unescapedQuoteHandling=unescapedQuoteHandling,
        )
        return self._load_or_parse(path, "csv", schema)

    def json(
        self,
        path: Any,
        schema: StructType | str | None = None,
        primitivesAsString: bool | str | None = None,
        prefersDecimal: bool | str | None = None,
        allowComments: bool | str | None = None,
        allowUnquotedFieldNames: bool | str | None = None,
        allowSingleQuotes: bool | str | None = None,
        allowNumericLeadingZero: bool | str | None = None,
        allowBackslashEscapingAnyCharacter: bool | str | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        multiLine: bool | str | None = None,
        allowUnquotedControlChars: bool | str | None = None,
        lineSep: str | None = None,
        samplingRatio: float | str | None = None,
        dropFieldIfAllNull: bool | str | None = None,
        encoding: str | None = None,
        locale: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
        allowNonNumericNumbers: bool | str | None = None,
        useUnsafeRow: bool | str | None = None,
    ) -> DataFrame:
        """Read JSON files, one object on each line, or JSON text in a DataFrame.

        Parameters
        ----------
        path : str, list of str, or DataFrame
            The files or folders, or the DataFrame.
        schema : StructType or str, optional
            The columns.
        **options
            The options of the format, by the names that Spark documents.
        """
        self._set_options(
            primitivesAsString=primitivesAsString,
            prefersDecimal=prefersDecimal,
            allowComments=allowComments,
            allowUnquotedFieldNames=allowUnquotedFieldNames,
            allowSingleQuotes=allowSingleQuotes,
            allowNumericLeadingZero=allowNumericLeadingZero,
            allowBackslashEscapingAnyCharacter=allowBackslashEscapingAnyCharacter,
            mode=mode,
            columnNameOfCorruptRecord=columnNameOfCorruptRecord,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            multiLine=multiLine,
            allowUnquotedControlChars=allowUnquotedControlChars,
            lineSep=lineSep,
            samplingRatio=samplingRatio,
            dropFieldIfAllNull=dropFieldIfAllNull,
            encoding=encoding,
            locale=locale,
            pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup,
            modifiedBefore=modifiedBefore,
            modifiedAfter=modifiedAfter,
            allowNonNumericNumbers=allowNonNumericNumbers,
            useUnsafeRow=useUnsafeRow,
        )
        return self._load_or_parse(path, "json", schema)

    def xml(
        self,
        path: Any,
        rowTag: str | None = None,
        schema: StructType | str | None = None,
        excludeAttribute: bool | str | None = None,
        attributePrefix: str | None = None,
        valueTag: str | None = None,
        ignoreSurroundingSpaces: bool | str | None = None,
        rowValidationXSDPath: str | None = None,
        ignoreNamespace: bool | str | None = None,
        wildcardColName: str | None = None,
        encoding: str | None = None,
        inferSchema: bool | str | None = None,
        nullValue: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        mode: str | None = None,
        columnNameOfCorruptRecord: str | None = None,
        multiLine: bool | str | None = None,
        samplingRatio: float | str | None = None,
        locale: str | None = None,
    ) -> DataFrame:
        """Read XML files, or XML text in a DataFrame.

        Parameters
        ----------
        path : str, list of str, or DataFrame
            The files or folders, or the DataFrame.
        schema : StructType or str, optional
            The columns.
        **options
            The options of the format, by the names that Spark documents.
        """
        self._set_options(
            rowTag=rowTag,
            excludeAttribute=excludeAttribute,
            attributePrefix=attributePrefix,
            valueTag=valueTag,
            ignoreSurroundingSpaces=ignoreSurroundingSpaces,
            rowValidationXSDPath=rowValidationXSDPath,
            ignoreNamespace=ignoreNamespace,
            wildcardColName=wildcardColName,
            encoding=encoding,
            inferSchema=inferSchema,
            nullValue=nullValue,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            mode=mode,
            columnNameOfCorruptRecord=columnNameOfCorruptRecord,
            multiLine=multiLine,
            samplingRatio=samplingRatio,
            locale=locale,
        )
        return self._load_or_parse(path, "xml", schema)

    def text(
        self,
        paths: str | list[str],
        wholetext: bool = False,
        lineSep: str | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
    ) -> DataFrame:
        """Read text files into a column ``value``, a row for each line.

        Parameters
        ----------
        paths : str or list of str
            Files, folders or patterns.
        wholetext : bool, optional
            Whether each file is one row.
        """
        self._set_options(
            wholetext=wholetext,
            lineSep=lineSep,
            pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup,
            modifiedBefore=modifiedBefore,
            modifiedAfter=modifiedAfter,
        )
        return self.load(path=paths, format="text")

    def parquet(self, *paths: str, **options: Any) -> DataFrame:
        """Read Parquet files."""
        known = (
            "mergeSchema pathGlobFilter recursiveFileLookup modifiedBefore modifiedAfter "
            "datetimeRebaseMode int96RebaseMode"
        )
        self._set_options(**{name: options.get(name) for name in known.split()})
        return self.load(path=list(paths), format="parquet")

    def orc(
        self,
        path: str | list[str],
        mergeSchema: bool | None = None,
        pathGlobFilter: bool | str | None = None,
        recursiveFileLookup: bool | str | None = None,
        modifiedBefore: bool | str | None = None,
        modifiedAfter: bool | str | None = None,
    ) -> DataFrame:
        """Read ORC files."""
        self._set_options(
            mergeSchema=mergeSchema,
            pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup,
            modifiedBefore=modifiedBefore,
            modifiedAfter=modifiedAfter,
        )
        return self.load(path=path, format="orc")

    def jdbc(
        self,
        url: str,
        table: str,
        column: str | None = None,
        lowerBound: int | str | None = None,
        upperBound: int | str | None = None,
        numPartitions: int | None = None,
        predicates: list[str] | None = None,
        properties: dict[str, str] | None = None,
    ) -> DataFrame:
        """Read a table of a database."""
        self.format("jdbc")
        if column is not None:
            for name, value in (
                ("lowerBound", lowerBound),
                ("upperBound", upperBound),
                ("numPartitions", numPartitions),
            ):
                assert value is not None, f"{name} can not be None when ``column`` is specified"
            self.options(
                partitionColumn=column,
                lowerBound=lowerBound,
                upperBound=upperBound,
                numPartitions=numPartitions,
            )
            predicates = None
        self.options(**(properties or {}))
        self.options(url=url, dbtable=table)
        return self._source(predicates=predicates)


_SAVE_MODES = {
    "append": "SAVE_MODE_APPEND",
    "overwrite": "SAVE_MODE_OVERWRITE",
    "error": "SAVE_MODE_ERROR_IF_EXISTS",
    "errorifexists": "SAVE_MODE_ERROR_IF_EXISTS",
    "default": "SAVE_MODE_ERROR_IF_EXISTS",
    "ignore": "SAVE_MODE_IGNORE",
}


class DataFrameWriter(_Options):
    """Writes files and tables, as ``df.write``.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "numbers")
    ...     spark.range(3).coalesce(1).write.csv(path, header=True)
    ...     spark.read.csv(path, header=True).count()
    3
    """

    def __init__(self, df: DataFrame):
        self._df = df
        self._mode: str | None = None
        self._source: str | None = None
        self._options = {}
        self._partition_columns: list[str] = []
        self._cluster_columns: list[str] = []
        self._sort_columns: list[str] = []
        self._buckets: dict[str, Any] | None = None

    def mode(self, saveMode: str | None) -> DataFrameWriter:
        """Set what to do if the target exists.

        Parameters
        ----------
        saveMode : str
            ``append``, ``overwrite``, ``ignore`` or ``error`` (the default).
        """
        if saveMode is not None:
            self._mode = saveMode
        return self

    def format(self, source: str) -> DataFrameWriter:
        """Set the format: ``csv``, ``json``, ``text``, ``parquet`` and others."""
        self._source = source
        return self

    def partitionBy(self, *cols: str | list[str]) -> DataFrameWriter:
        """Write a folder for each combination of values of these columns."""
        self._partition_columns = _names(cols)
        return self

    def clusterBy(self, *cols: str | list[str]) -> DataFrameWriter:
        """Cluster the table by these columns."""
        self._cluster_columns = _names(cols)
        assert self._cluster_columns, "clusterBy needs one or more clustering columns."
        return self

    def bucketBy(self, numBuckets: int, col: Any, *cols: str) -> DataFrameWriter:
        """Write the table in buckets by the hash of these columns."""
        check("numBuckets", numBuckets, int, "int")
        names = _first_and_more(col, cols)
        self._buckets = {"bucket_column_names": names, "num_buckets": numBuckets}
        return self

    def sortBy(self, col: Any, *cols: str) -> DataFrameWriter:
        """Sort each bucket by these columns."""
        self._sort_columns = _first_and_more(col, cols)
        return self

    def _write(self, **target: Any) -> None:
        self._df._session._command({"write_operation": self._operation(target)})

    def _operation(self, target: dict[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"input": self._df._plan, "options": self._given_options()}
        if self._source is not None:
            body["source"] = self._source
        body["sort_column_names"] = self._sort_columns
        body["partitioning_columns"] = self._partition_columns
        body["clustering_columns"] = self._cluster_columns
        body["with_schema_evolution"] = False
        if self._buckets is not None and self._buckets["num_buckets"] > 0:
            body["bucket_by"] = self._buckets
        if self._mode is not None:
            mode = _SAVE_MODES.get(self._mode.lower())
            if mode is None:
                raise value_error("UNSUPPORTED_OPERATION", operation=self._mode)
            body["mode"] = mode
        body.update(target)
        return body

    def save(
        self,
        path: str | None = None,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        **options: Any,
    ) -> None:
        """Write the rows.

        Parameters
        ----------
        path : str, optional
            The folder to write to.
        format : str, optional
            The format.
        mode : str, optional
            What to do if the folder exists.
        partitionBy : str or list of str, optional
            Columns to make folders of.
        **options
            More options.
        """
        self.mode(mode).options(**options)
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        if format is not None:
            self.format(format)
        self._write(**({} if path is None else {"path": path}))

    def insertInto(self, tableName: str, overwrite: bool | None = None) -> None:
        """Add the rows to a table, columns matched by position; or replace those it has."""
        if overwrite is not None:
            self.mode("overwrite" if overwrite else "append")
        method = "TABLE_SAVE_METHOD_INSERT_INTO"
        self._write(table={"table_name": tableName, "save_method": method})

    def saveAsTable(
        self,
        name: str,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        **options: Any,
    ) -> None:
        """Write the rows as a table."""
        self.mode(mode).options(**options)
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        if format is not None:
            self.format(format)
        method = "TABLE_SAVE_METHOD_SAVE_AS_TABLE"
        self._write(table={"table_name": name, "save_method": method})

    def csv(
        self,
        path: str,
        mode: str | None = None,
        compression: str | None = None,
        sep: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        header: bool | str | None = None,
        nullValue: str | None = None,
        escapeQuotes: bool | str | None = None,
        quoteAll: bool | str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        ignoreLeadingWhiteSpace: bool | str | None = None,
        ignoreTrailingWhiteSpace: bool | str | None = None,
        charToEscapeQuoteEscaping: str | None = None,
        encoding: str | None = None,
        emptyValue: str | None = None,
        lineSep: str | None = None,
    ) -> None:
        """Write CSV files.

        Parameters
        ----------
        path : str
            The folder to write to.
        mode : str, optional
            ``append``, ``overwrite``, ``ignore`` or ``error``, what to do if it exists.
        **options
            The options of the format, by the names that Spark documents.
        """
        self.mode(mode)
        self._set_options(
            compression=compression,
            sep=sep,
            quote=quote,
            escape=escape,
            header=header,
            nullValue=nullValue,
            escapeQuotes=escapeQuotes,
            quoteAll=quoteAll,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            ignoreLeadingWhiteSpace=ignoreLeadingWhiteSpace,
            ignoreTrailingWhiteSpace=ignoreTrailingWhiteSpace,
            charToEscapeQuoteEscaping=charToEscapeQuoteEscaping,
            encoding=encoding,
            emptyValue=emptyValue,
            lineSep=lineSep,
        )
        self.format("csv").save(path)

    def json(
        self,
        path: str,
        mode: str | None = None,
        compression: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        lineSep: str | None = None,
        encoding: str | None = None,
        ignoreNullFields: bool | str | None = None,
    ) -> None:
        """Write JSON files, one object on each line.

        Parameters
        ----------
        path : str
            The folder to write to.
        mode : str, optional
            ``append``, ``overwrite``, ``ignore`` or ``error``, what to do if it exists.
        **options
            The options of the format, by the names that Spark documents.
        """
        self.mode(mode)
        self._set_options(
            compression=compression,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            lineSep=lineSep,
            encoding=encoding,
            ignoreNullFields=ignoreNullFields,
        )
        self.format("json").save(path)

    def xml(
        self,
        path: str,
        rowTag: str | None = None,
        mode: str | None = None,
        attributePrefix: str | None = None,
        valueTag: str | None = None,
        rootTag: str | None = None,
        declaration: bool | str | None = None,
        arrayElementName: str | None = None,
        nullValue: str | None = None,
        dateFormat: str | None = None,
        timestampFormat: str | None = None,
        compression: str | None = None,
        encoding: str | None = None,
        validateName: bool | str | None = None,
    ) -> None:
        """Write XML files.

        Parameters
        ----------
        path : str
            The folder to write to.
        mode : str, optional
            ``append``, ``overwrite``, ``ignore`` or ``error``, what to do if it exists.
        **options
            The options of the format, by the names that Spark documents.
        """
        self.mode(mode)
        self._set_options(
            rowTag=rowTag,
            attributePrefix=attributePrefix,
            valueTag=valueTag,
            rootTag=rootTag,
            declaration=declaration,
            arrayElementName=arrayElementName,
            nullValue=nullValue,
            dateFormat=dateFormat,
            timestampFormat=timestampFormat,
            compression=compression,
            encoding=encoding,
            validateName=validateName,
        )
        self.format("xml").save(path)

    def text(self, path: str, compression: str | None = None, lineSep: str | None = None) -> None:
        """Write text files, a line for each row of the only column."""
        self._set_options(compression=compression, lineSep=lineSep)
        self.format("text").save(path)

    def parquet(
        self,
        path: str,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        compression: str | None = None,
    ) -> None:
        """Write Parquet files."""
        self._set_options(compression=compression)
        self.save(path, "parquet", mode, partitionBy)

    def orc(
        self,
        path: str,
        mode: str | None = None,
        partitionBy: str | list[str] | None = None,
        compression: str | None = None,
    ) -> None:
        """Write ORC files."""
        self._set_options(compression=compression)
        self.save(path, "orc", mode, partitionBy)

    def jdbc(
        self,
        url: str,
        table: str,
        mode: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        """Write to a table of a database."""
        self.format("jdbc").mode(mode).options(**(properties or {}))
        self.options(url=url, dbtable=table).save()


class DataFrameWriterV2(_Options):
    """Writes to tables of a catalog, as ``df.writeTo(name)``."""

    def __init__(self, df: DataFrame, table: str):
        self._df = df
        self._table = table
        self._provider: str | None = None
        self._options = {}
        self._properties: dict[str, str] = {}
        self._partitioning: list[Column] = []
        self._cluster_columns: list[str] = []

    def using(self, provider: str) -> DataFrameWriterV2:
        """Set the format of a new table."""
        self._provider = provider
        return self

    def tableProperty(self, property: str, value: str) -> DataFrameWriterV2:
        """Set a property of a new table."""
        self._properties[property] = value
        return self

    def partitionedBy(self, col: ColumnOrName, *cols: ColumnOrName) -> DataFrameWriterV2:
        """Partition a new table by columns or transforms of them."""
        self._partitioning = [to_column(c) for c in (col, *cols)]
        return self

    def clusterBy(self, col: str, *cols: str) -> DataFrameWriterV2:
        """Cluster a new table by columns."""
        self._cluster_columns = [col, *cols]
        return self

    def _write(self, mode: str, condition: Column | None = None) -> None:
        self._df._session._command({"write_operation_v2": self._operation(mode, condition)})

    def _operation(self, mode: str, condition: Column | None = None) -> dict[str, Any]:
        used = [*self._partitioning, *([] if condition is None else [condition])]
        body: dict[str, Any] = {
            "input": with_references(self._df._plan, references(used)),
            "table_name": self._table,
            "partitioning_columns": [c._expr for c in self._partitioning],
            "clustering_columns": self._cluster_columns,
            "with_schema_evolution": False,
            "options": self._given_options(),
            "table_properties": self._properties,
            "mode": mode,
        }
        if self._provider is not None:
            body["provider"] = self._provider
        if condition is not None:
            body["overwrite_condition"] = condition._expr
        return body

    def create(self) -> None:
        """Make a new table of the rows; one of that name is an error."""
        self._write("MODE_CREATE")

    def replace(self) -> None:
        """Replace a table by one of the rows; none of that name is an error."""
        self._write("MODE_REPLACE")

    def createOrReplace(self) -> None:
        """Make a new table of the rows, in place of one of that name."""
        self._write("MODE_CREATE_OR_REPLACE")

    def append(self) -> None:
        """Add the rows to a table."""
        self._write("MODE_APPEND")

    def overwrite(self, condition: ColumnOrName) -> None:
        """Replace the rows of a table for which a condition is true."""
        self._write("MODE_OVERWRITE", to_column(condition))

    def overwritePartitions(self) -> None:
        """Replace the partitions of a table that the rows belong to."""
        self._write("MODE_OVERWRITE_PARTITIONS")


def _names(cols: tuple) -> list[str]:
    if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
        return list(cols[0])
    return list(cols)


def _first_and_more(col: Any, cols: tuple) -> list[str]:
    """Return names given as one list, or one by one."""
    if isinstance(col, (list, tuple)):
        if cols:
            both = f"`col` of type {type(col).__name__} and `cols`"
            raise value_error("CANNOT_SET_TOGETHER", arg_list=both)
        col, cols = col[0], tuple(col[1:])
    for name, values in (("cols", cols), ("col", (col,))):
        for value in values:
            if not isinstance(value, str):
                raise not_expected(name, value, "list[str]")
    return [col, *cols]
