# SPDX-License-Identifier: Apache-2.0
"""Catalog: databases, tables, views and functions of a session, as ``spark.catalog``."""

from __future__ import annotations

from collections import namedtuple

from nbaspark.errors.raising import check
from nbaspark.storagelevel import StorageLevel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.session import SparkSession
    from nbaspark.sql.types import StructType

__all__ = ["Catalog", "CatalogMetadata", "Column", "Database", "Function", "Table"]

CatalogMetadata = namedtuple("CatalogMetadata", "name description")
Database = namedtuple("Database", "name catalog description locationUri")
Function = namedtuple("Function", "name catalog namespace description className isTemporary")
Column = namedtuple("Column", "name description dataType nullable isPartition isBucket isCluster")


class Table(namedtuple("Table", "name catalog namespace description tableType isTemporary")):
    """A table or view of a catalog."""

    __slots__ = ()

    @property
    def database(self) -> str | None:
        """The database of the table, if its namespace has one part."""
        return self.namespace[0] if self.namespace and len(self.namespace) == 1 else None


TablePartition = namedtuple("TablePartition", "partition")


class Catalog:
    """Databases, tables, views and functions.

    Examples
    --------
    >>> spark.range(1).createOrReplaceTempView("numbers")
    >>> spark.catalog.tableExists("numbers")
    True
    >>> spark.catalog.dropTempView("numbers")
    True
    """

    def __init__(self, sparkSession: SparkSession):
        self._session = sparkSession

    def _relation(self, kind: str, body: dict[str, Any]) -> DataFrame:
        given = {k: v for k, v in body.items() if v is not None}
        return self._session._relation("catalog", {kind: given})

    def _rows(self, kind: str, **body: Any) -> list[tuple]:
        return self._relation(kind, body)._execute().rows(None)

    def _value(self, kind: str, **body: Any) -> Any:
        return self._rows(kind, **body)[0][0]

    # ---- catalogs and databases -----------------------------------------------------------------

    def currentCatalog(self) -> str:
        """Return the current catalog."""
        return self._value("current_catalog")

    def setCurrentCatalog(self, catalogName: str) -> None:
        """Set the current catalog."""
        self._rows("set_current_catalog", catalog_name=catalogName)

    def listCatalogs(self, pattern: str | None = None) -> list[CatalogMetadata]:
        """Return the catalogs, or those whose names match a pattern."""
        return [CatalogMetadata(*row) for row in self._rows("list_catalogs", pattern=pattern)]

    def currentDatabase(self) -> str:
        """Return the current database."""
        return self._value("current_database")

    def setCurrentDatabase(self, dbName: str) -> None:
        """Set the current database."""
        self._rows("set_current_database", db_name=dbName)

    def listDatabases(self, pattern: str | None = None) -> list[Database]:
        """Return the databases, or those whose names match a pattern."""
        return [Database(*row) for row in self._rows("list_databases", pattern=pattern)]

    def getDatabase(self, dbName: str) -> Database:
        """Return a database."""
        return Database(*self._rows("get_database", db_name=dbName)[0])

    def databaseExists(self, dbName: str) -> bool:
        """Return whether there is a database of this name."""
        return self._value("database_exists", db_name=dbName)

    def createDatabase(
        self,
        dbName: str,
        ifNotExists: bool = False,
        properties: dict[str, str] | None = None,
    ) -> None:
        """Make a database."""
        self._rows(
            "create_database",
            db_name=dbName,
            if_not_exists=ifNotExists,
            properties=properties,
        )

    def dropDatabase(self, dbName: str, ifExists: bool = False, cascade: bool = False) -> None:
        """Remove a database."""
        self._rows("drop_database", db_name=dbName, if_exists=ifExists, cascade=cascade)

    # ---- tables and views -----------------------------------------------------------------------

    def listTables(self, dbName: str | None = None, pattern: str | None = None) -> list[Table]:
        """Return the tables and views of a database, or those whose names match a pattern."""
        return [Table(*row) for row in self._rows("list_tables", db_name=dbName, pattern=pattern)]

    def listViews(self, dbName: str | None = None, pattern: str | None = None) -> list[Table]:
        """Return the views of a database, or those whose names match a pattern."""
        if pattern is not None and dbName is None:
            dbName = self.currentDatabase()
        return [Table(*row) for row in self._rows("list_views", db_name=dbName, pattern=pattern)]

    def getTable(self, tableName: str) -> Table:
        """Return a table or view."""
        return Table(*self._rows("get_table", table_name=tableName)[0])

    def tableExists(self, tableName: str, dbName: str | None = None) -> bool:
        """Return whether there is a table or view of this name."""
        _warn_database(dbName, "tableExists")
        return self._value("table_exists", table_name=tableName, db_name=dbName)

    def listColumns(self, tableName: str, dbName: str | None = None) -> list[Column]:
        """Return the columns of a table or view."""
        _warn_database(dbName, "listColumns")
        rows = self._rows("list_columns", table_name=tableName, db_name=dbName)
        return [Column(*row) for row in rows]

    def listPartitions(self, tableName: str) -> list[TablePartition]:
        """Return the partitions of a table."""
        return [TablePartition(*row) for row in self._rows("list_partitions", table_name=tableName)]

    def getTableProperties(self, tableName: str) -> dict[str, str]:
        """Return the properties of a table."""
        return {row[0]: row[1] for row in self._rows("get_table_properties", table_name=tableName)}

    def getCreateTableString(self, tableName: str, asSerde: bool = False) -> str:
        """Return the statement that makes a table."""
        rows = self._rows("get_create_table_string", table_name=tableName, as_serde=asSerde)
        return rows[0][0] if rows else ""

    def createTable(
        self,
        tableName: str,
        path: str | None = None,
        source: str | None = None,
        schema: StructType | None = None,
        description: str | None = None,
        **options: str,
    ) -> DataFrame:
        """Make a table of files, and return it."""
        body: dict[str, Any] = {
            "table_name": tableName,
            "path": path,
            "source": source,
            "description": description,
            "options": options or None,
        }
        if schema is not None:
            from nbaspark.sql.types import StructType
            from nbaspark.sql.types_proto import to_tree

            check("schema", schema, StructType, "struct type")
            body["schema"] = to_tree(schema)
        self._relation("create_table", body)._execute()
        return self._session.table(tableName)

    def createExternalTable(
        self,
        tableName: str,
        path: str | None = None,
        source: str | None = None,
        schema: StructType | None = None,
        **options: str,
    ) -> DataFrame:
        """Make a table of files; the old name of `createTable`."""
        import warnings

        warnings.warn(
            "createExternalTable is deprecated since Spark 4.0, please use createTable instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.createTable(tableName, path, source, schema, **options)

    def dropTable(self, tableName: str, ifExists: bool = False, purge: bool = False) -> None:
        """Remove a table."""
        self._rows("drop_table", table_name=tableName, if_exists=ifExists, purge=purge)

    def dropView(self, viewName: str, ifExists: bool = False) -> None:
        """Remove a view."""
        self._rows("drop_view", view_name=viewName, if_exists=ifExists)

    def dropTempView(self, viewName: str) -> bool:
        """Remove a temporary view; return whether there was one."""
        return self._value("drop_temp_view", view_name=viewName)

    def dropGlobalTempView(self, viewName: str) -> bool:
        """Remove a global temporary view; return whether there was one."""
        return self._value("drop_global_temp_view", view_name=viewName)

    def truncateTable(self, tableName: str) -> None:
        """Remove all rows of a table."""
        self._rows("truncate_table", table_name=tableName)

    def analyzeTable(self, tableName: str, noScan: bool = False) -> None:
        """Collect statistics of a table."""
        self._rows("analyze_table", table_name=tableName, no_scan=noScan)

    def recoverPartitions(self, tableName: str) -> None:
        """Look for the partitions of a table anew."""
        self._rows("recover_partitions", table_name=tableName)

    def refreshTable(self, tableName: str) -> None:
        """Forget what is known of a table."""
        self._rows("refresh_table", table_name=tableName)

    def refreshByPath(self, path: str) -> None:
        """Forget what is known of files."""
        self._rows("refresh_by_path", path=path)

    # ---- functions ------------------------------------------------------------------------------

    def listFunctions(
        self, dbName: str | None = None, pattern: str | None = None
    ) -> list[Function]:
        """Return the functions, or those whose names match a pattern."""
        rows = self._rows("list_functions", db_name=dbName, pattern=pattern)
        return [Function(*row) for row in rows]

    def functionExists(self, functionName: str, dbName: str | None = None) -> bool:
        """Return whether there is a function of this name."""
        _warn_database(dbName, "functionExists")
        return self._value("function_exists", function_name=functionName, db_name=dbName)

    def getFunction(self, functionName: str) -> Function:
        """Return a function."""
        return Function(*self._rows("get_function", function_name=functionName)[0])

    # ---- cache ----------------------------------------------------------------------------------

    def isCached(self, tableName: str) -> bool:
        """Return whether the rows of a table are kept."""
        return self._value("is_cached", table_name=tableName)

    def cacheTable(self, tableName: str, storageLevel: StorageLevel | None = None) -> None:
        """Keep the rows of a table for later uses."""
        level = None if storageLevel is None else storageLevel._to_tree()
        self._rows("cache_table", table_name=tableName, storage_level=level)

    def uncacheTable(self, tableName: str) -> None:
        """Forget the rows of a table that were kept."""
        self._rows("uncache_table", table_name=tableName)

    def clearCache(self) -> None:
        """Forget all rows that were kept."""
        self._rows("clear_cache")


def _warn_database(dbName: str | None, method: str) -> None:
    if dbName is not None:
        import warnings

        warnings.warn(
            "`dbName` has been deprecated since Spark 3.4 and might be removed in a future "
            f"version. Use {method}(`dbName.tableName`) instead.",
            FutureWarning,
            stacklevel=3,
        )
